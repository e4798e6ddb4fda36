"""Meltano's loop, followed block by block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from snello import errors
from snello.cli.demo import lanes, loop
from snello.cli.demo.blocks import Block, blocks, stretches
from snello.cli.demo.fault import fault
from snello.cli.demo.lanes import Done
from snello.cli.summary.figures import Phase

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
TAP = """#!/bin/sh
echo '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"}}},"key_properties":["id"]}'
echo '{"type":"RECORD","stream":"a","record":{"id":1}}'
"""
TARGET = "#!/bin/sh\ncat > /dev/null\n"
JOBS = {
    "extract": ["tap-a target-a"],
    "unify": ["tool:build", "tool:publish"],
    "measure": ["tool:measure", "tool:publish"],
    "loop": ["tap-a target-a", "tool:build", "tool:publish", "tool:measure", "tool:publish"],
}
EXPECTED = [
    Block("extract", "tap-a target-a"),
    Block("unify", "tool:build"),
    Block("unify", "tool:publish"),
    Block("measure", "tool:measure"),
    Block("measure", "tool:publish"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    script(tmp_path, "tap-a", TAP)
    script(tmp_path, "target-a", TARGET)
    script(tmp_path, "tool", "#!/bin/sh\necho did $1\n")
    commands = {name: name for name in ("build", "publish", "measure")}
    write(tmp_path, JOBS, {"commands": commands})
    return tmp_path


def script(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text)
    (root / name).chmod(0o755)


def write(root: Path, jobs: dict[str, list[str]], tool: dict[str, Any], taps: str = "a") -> None:
    def plugin(name: str) -> dict[str, Any]:
        return {"name": name, "namespace": name.replace("-", "_"), "executable": f"./{name}"}

    file = {
        "project_id": "test",
        "default_environment": "demo",
        "environments": [{"name": "demo"}],
        "send_anonymous_usage_stats": False,
        "plugins": {
            "extractors": [plugin(f"tap-{name}") for name in taps],
            "loaders": [plugin("target-a")],
            "utilities": [plugin("tool") | tool],
        },
        "jobs": [{"name": name, "tasks": tasks} for name, tasks in jobs.items()],
    }
    (root / "meltano.yml").write_text(yaml.safe_dump(file))


def play(project: Path) -> tuple[list[Done], list[Phase]]:
    told: list[Done] = []
    phases, _ = loop.run(project, ENVIRONMENT, project / "run" / "loop.log", told.append)
    return told, phases


def test_a_block_is_a_pair_or_a_command_and_its_phase_is_the_job_that_holds_it(project: Path) -> None:
    assert blocks(project) == EXPECTED


def test_several_blocks_may_stand_in_one_task(project: Path) -> None:
    write(project, {"loop": ["tap-a target-a tool:build tool:publish"]}, {})
    assert [block.name for block in blocks(project)] == ["tap-a target-a", "tool:build", "tool:publish"]


def test_each_block_is_told_as_it_ends_and_phases_add_up(project: Path) -> None:
    told, phases = play(project)
    assert [done.block for done in told] == EXPECTED
    assert [phase.phase for phase in phases] == ["extract", "unify", "measure"]
    assert "did measure" in (project / "run" / "loop.log").read_text()


def test_pipelines_of_a_phase_run_side_by_side_and_what_waits_for_them_does_not_begin_before(project: Path) -> None:
    pairs = [f"tap-{name} target-a" for name in "bcd"]
    meet = """#!/bin/sh
touch began-$0; echo "$0" >> order
while [ $(ls | grep -c began-) -lt 2 ]; do sleep 0.05; done
"""
    for name in "bcd":
        script(project, f"tap-{name}", meet.replace("$0", f"tap-{name}") + TAP.partition("\n")[2])
    script(project, "tool", "#!/bin/sh\necho $1 >> order\n")
    jobs = {"extract": pairs, "unify": JOBS["unify"], "loop": [*pairs, *JOBS["unify"]]}
    write(project, jobs, {"commands": {name: name for name in ("build", "publish")}}, taps="abcd")
    told, phases = play(project)
    assert {done.block.name for done in told[:3]} == set(pairs)
    assert (project / "order").read_text().split()[3:] == ["build", "publish"]
    assert [phase.phase for phase in phases] == ["extract", "unify"]


def test_a_pipeline_that_fails_leaves_the_others_to_their_end_and_stops_what_comes_after(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "LANES", 2)
    script(project, "tap-b", "#!/bin/sh\necho 'shop: key refused. Next: renew it.' >&2\nexit 2\n")
    for name in "cd":
        script(project, f"tap-{name}", TAP)
    pairs = [f"tap-{name} target-a" for name in "bcda"]
    write(project, {"extract": pairs, "loop": [*pairs, "tool:build"]}, {"commands": {"build": "build"}}, taps="abcd")
    told: list[Done] = []
    with pytest.raises(errors.ConfigError, match=r"^shop: key refused\. Next: renew it; the whole log is "):
        loop.run(project, ENVIRONMENT, project / "loop.log", told.append)
    assert [done.block.name for done in told] == ["tap-c target-a", "tap-a target-a"]
    assert "did build" not in (project / "loop.log").read_text()


def test_what_has_an_order_is_one_stretch_of_its_phase() -> None:
    found = [Block("m", "tap-a target-a"), Block("m", "tool:x"), Block("m", "tool:y"), Block("n", "tool:z")]
    assert stretches(found) == [found[:3], found[3:]]


@pytest.mark.parametrize("kind", errors.SnelloError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_a_fault_is_of_the_kind_that_the_exit_code_stands_for(kind: type[errors.SnelloError]) -> None:
    said = [{"event": "crm: refused. Next: mend it."}, {"event": "x", "exit_codes": {"extractors": kind.exit_code}}]
    assert type(fault(EXPECTED[0], said, Path("loop.log"))) is kind


def test_a_failed_tap_is_told_in_its_own_sentence(project: Path) -> None:
    script(project, "tap-a", "#!/bin/sh\necho 'crm: password refused. Next: renew it.' >&2\necho later >&2\nexit 2\n")
    with pytest.raises(errors.ConfigError) as caught:
        play(project)
    assert str(caught.value).startswith("crm: password refused. Next: renew it; the whole log is ")


def test_a_failed_command_stops_the_loop_with_its_own_code(project: Path) -> None:
    script(
        project,
        "tool",
        "#!/bin/sh\n[ $1 = build ] && { echo 'lake: torn. Next: mend it.' >&2; exit 3; }\necho did $1\n",
    )
    with pytest.raises(errors.ContractError, match=r"^lake: torn\. Next: mend it; the whole log is "):
        play(project)
    assert "did publish" not in (project / "run" / "loop.log").read_text()


def test_a_silent_failure_points_to_the_log() -> None:
    told = str(fault(EXPECTED[1], [{"event": "unclear"}], Path("loop.log")))
    assert told == "tool:build: it failed. Next: read loop.log."


def test_dbts_count_of_errors_is_told() -> None:
    said = [{"event": "Done. PASS=3 WARN=0 ERROR=2 SKIP=1 NO-OP=0 TOTAL=6"}]
    assert "it failed (PASS=3 WARN=0 ERROR=2)" in str(fault(EXPECTED[1], said, Path("loop.log")))


def test_what_dbt_says_that_failed_is_told_before_its_warnings() -> None:
    said = [
        {"event": "raw_ledger.deliveries: nothing was ever loaded. Next: run its tap; until then it is empty."},
        {"event": "05:25:48    Failure in test grain_customers_customer_id (models/marts/_marts.yml)"},
        {"event": "Done. PASS=3 WARN=0 ERROR=1 SKIP=1 NO-OP=0 TOTAL=6"},
    ]
    told = str(fault(EXPECTED[1], said, Path("loop.log")))
    assert "test grain_customers_customer_id failed (PASS=3 WARN=0 ERROR=1). Next: read loop.log." in told


def test_an_interrupted_demo_leaves_no_process_behind(project: Path) -> None:
    script(project, "tool", "#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    code = (
        "import sys; from pathlib import Path; from snello.cli.demo import loop; import os\n"
        "loop.run(Path(sys.argv[1]), os.environ, Path(sys.argv[1], 'loop.log'), lambda done: None)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(project)], env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    pid = project / "pid"
    while not (pid.exists() and pid.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    process.wait(timeout=60)
    until = time.monotonic() + 30
    while Path("/proc", pid.read_text().strip()).exists():
        assert time.monotonic() < until, "the command of the block still runs"
        time.sleep(0.05)
