"""The demo command, on the real company and a small loop."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from snello import sandbox
from snello.sandbox.services import EMULATORS

Snello = Callable[..., Any]


def free_ports(wanted: int = 1 + max(EMULATORS.values())) -> int:
    """The first of some free ports in a row."""
    beside = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # workers look in ranges of their own
    for first in range(23_000 + 1_000 * beside, 32_000, wanted):
        with ExitStack() as held:
            try:
                for port in range(first, first + wanted):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@pytest.fixture
def stage(empty: Any, once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose loop copies a lake that was made before."""
    for name in ("SNELLO_LAKE", "SNELLO_LEDGER", "SNELLO_SALT", "MELTANO_PROJECT_ROOT"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(empty.root)
    loop(empty.root, f"#!/bin/sh\ncp -r {once}/. demo/\n")
    return Path(empty.root)


def loop(root: Path, script: str) -> None:
    (root / "tool").write_text(script)
    (root / "tool").chmod(0o755)
    tool = {"name": "tool", "namespace": "tool", "executable": "./tool", "commands": {"build": "build"}}
    env = {"SNELLO_LAKE": "demo/lake", "SNELLO_LEDGER": "sqlite:///demo/ledger.db", "SNELLO_SALT": "s"}
    file = {
        "project_id": "test",
        "send_anonymous_usage_stats": False,
        "environments": [{"name": "demo", "env": env}],
        "plugins": {"utilities": [tool]},
        "jobs": [{"name": "unify", "tasks": ["tool:build"]}, {"name": "loop", "tasks": ["tool:build"]}],
    }
    (root / "meltano.yml").write_text(yaml.safe_dump(file))


def test_the_demo_runs_sums_up_reports_and_stops_its_services(stage: Path, snello: Snello) -> None:
    told = snello("demo", "--people", "30", "--port", str(free_ports()), "--json")
    assert told.code == 0, told.err
    played = json.loads(told.out)
    assert played["summary"]["people"]["customers"] == 3
    assert [phase["phase"] for phase in played["summary"]["phases"]] == ["sandbox", "unify"]
    assert played["report"] == "demo/report.html"
    assert "<svg" in (stage / "demo" / "report.html").read_text()
    assert "tool:build" in told.err
    assert sandbox.down(stage / "demo") == []


def test_a_loop_that_fails_is_told_with_its_code_and_stops_the_services(stage: Path, snello: Snello) -> None:
    loop(stage, "#!/bin/sh\necho 'lake: torn. Next: mend it.' >&2\nexit 3\n")
    told = snello("demo", "--people", "30", "--port", str(free_ports()))
    assert (told.code, told.out) == (3, "")
    assert told.err.splitlines()[-1].startswith("lake: torn. Next: mend it; the whole log is ")
    assert sandbox.down(stage / "demo") == []


def test_refused_rows_beyond_the_tolerance_are_told_after_the_summary(stage: Path, once: Path, snello: Snello) -> None:
    loop(
        stage,
        f"#!/bin/sh\ncp -r {once}/. demo/\necho 'brevo: 3.7% were refused. Next: read the receipts.' >&2\nexit 5\n",
    )
    told = snello("demo", "--people", "30", "--port", str(free_ports()))
    assert told.code == 5
    assert "report: demo/report.html" in told.out
    assert told.err.splitlines()[-1].startswith("brevo: 3.7% were refused. Next: read the receipts")


def test_services_go_up_tell_where_they_are_and_go_down(stage: Path, snello: Snello) -> None:
    port = free_ports()
    up = snello("demo", "up", "--people", "30", "--port", str(port), "--home", "other")
    try:
        assert f"http://127.0.0.1:{port + 1}" in up.out
        assert f"cd {stage / 'other' / 'project'}" in up.out
        assert "export TARGET_WEBHOOK_URL=" in up.out
    finally:
        down = snello("demo", "down", "--home", "other", "--json")
    assert set(json.loads(down.out)) == {*EMULATORS, "postgres"}
    assert "nothing was running" in snello("demo", "down", "--home", "other").out


@pytest.mark.parametrize("word", ["up", "down", "withdraw"])
def test_an_option_in_front_of_a_sub_command_is_not_lost(stage: Path, snello: Snello, word: str) -> None:
    told = snello("demo", "--home", "elsewhere", word)
    assert told.code == 2
    assert f"write `snello demo {word} --home" in told.err
    assert not (stage / "elsewhere").exists()


def test_without_the_sandbox_the_extra_is_named(snello: Snello, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snello.cli.commands.demo.find_spec", lambda name: None if name == "polars" else name)
    told = snello("demo", "down")
    assert told.code == 2
    assert "snello[sandbox]" in told.err


def test_a_withdrawal_needs_the_services(stage: Path, snello: Snello) -> None:
    told = snello("demo", "withdraw")
    assert told.code == 2
    assert "Next: " in told.err


def test_bookmarks_of_an_earlier_demo_are_dropped_with_its_lake(stage: Path, snello: Snello) -> None:
    asked = stage / "asked"
    shim = stage / "bin" / "meltano"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$*" >> {asked}\ncase "$*" in *list*) echo demo:tap-to-target;; esac\n')
    shim.chmod(0o755)
    (stage / ".meltano").mkdir()
    (stage / ".meltano" / "meltano.db").write_text("")
    from snello.cli.demo.stage import Stage

    here = Stage.at(Path("demo"))
    path = f"{shim.parent}:{here._shell()['PATH']}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stage, "_shell", lambda self: {"PATH": path})
        here._forget()
    assert asked.read_text().splitlines()[-1] == "--environment demo state clear --force demo:tap-to-target"
    assert shutil.which("meltano", path=path) == str(shim)
