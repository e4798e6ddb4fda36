from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import requests

from snello.activation import Sync
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.webhook import SECRET, webhook


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, "webhook__loyal")


def people(count: int) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n:03}", "email": f"p{n}@example.it"} for n in range(count)]


def shell(stage: Rehearsal, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    hub = {"SNELLO_LAKE": stage.lake.root, "SNELLO_LEDGER": stage.ledger_url, "SNELLO_SALT": SALT}
    settings = {"TAP_ACTIVATION_SYNC": stage.sync, "TARGET_WEBHOOK_SECRET": SECRET, **more}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={**os.environ, **hub, **settings},
        cwd=stage.lake.root,
        capture_output=True,
        text=True,
        check=False,
    )


RUN = "tap-activation --config=ENV | target-webhook --config=ENV"


def test_a_pipeline_delivers_then_has_nothing_to_deliver_then_removes_who_withdrew(stage: Rehearsal) -> None:
    with serve(webhook()) as url:
        stage.publish(people(12))
        first = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        second = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        stage.publish(people(12), refusing=["c007"])
        third = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
    assert [run.returncode for run in (first, second, third)] == [0, 0, 0], first.stderr + third.stderr
    assert "webhook__loyal: 12 upserted, 0 removed, 0 refused, 0 to retry" in first.stderr
    assert "webhook__loyal: 12 members, 0 changes: nothing to deliver" in second.stderr
    assert "webhook__loyal: 0 upserted, 1 removed, 0 refused, 0 to retry" in third.stderr
    assert json.loads(third.stdout)["bookmarks"]["webhook__loyal"]["publication"] == "publication-2"


def test_an_open_breaker_is_exit_code_6_one_sentence_and_no_message(stage: Rehearsal) -> None:
    stage.publish(people(30))
    with serve(webhook()) as url:
        shell(stage, RUN, TARGET_WEBHOOK_URL=url)
    stage.publish([], others=["c000"], schema=pa.schema([("customer_id", pa.string())]))
    stopped = shell(stage, "tap-activation --config=ENV")
    assert (stopped.returncode, stopped.stdout) == (6, "")
    last = stopped.stderr.strip().splitlines()[-1]
    assert last.startswith("sync webhook__loyal: the audience is empty: 0 members published against 30 held")
    assert last.endswith("SNELLO_ALLOW_BREAKER=webhook__loyal@publication-2.")
    allowed = shell(stage, "tap-activation --config=ENV", SNELLO_ALLOW_BREAKER="webhook__loyal@publication-2")
    assert allowed.returncode == 0
    assert allowed.stdout.count('"remove"') == 30


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"TAP_ACTIVATION_SYNC": "webhook__loyl"}, 2, "no sync 'webhook__loyl' is published. Next: did you mean"),
        ({"TAP_ACTIVATION_SYNC": ""}, 2, "no sync '' is published"),
        ({"SNELLO_SALT": ""}, 2, "setting salt: it is not set. Next: set SNELLO_SALT, or run the command inside"),
        ({"SNELLO_LAKE": "elsewhere"}, 3, "nothing is published yet. Next: run `meltano run unify`"),
        ({"SNELLO_LEDGER": "mysql://x/y"}, 2, "mysql is not supported"),
    ],
)
def test_a_wrong_setting_ends_in_one_sentence_and_its_code(
    stage: Rehearsal, settings: dict[str, str], code: int, words: str
) -> None:
    stage.publish(people(1))
    run = shell(stage, "tap-activation --config=ENV", **settings)
    assert run.returncode == code, run.stderr
    assert words in run.stderr.strip().splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_the_messages_are_plain_singer_with_a_schema_for_every_column(stage: Rehearsal) -> None:
    row = {"customer_id": "c1", "visits": 3, "since": "2026-01-01", "tags": ["a"], "score": 1.5, "gift": True}
    stage.publish([row])
    lines = [json.loads(line) for line in stage.messages().splitlines()]
    assert [line["type"] for line in lines] == ["SCHEMA", "RECORD", "STATE"]
    schema, record = lines[0], lines[1]["record"]
    assert schema["key_properties"] == ["_key"]
    assert set(record) == set(schema["schema"]["properties"])
    kinds = {name: spec["type"] for name, spec in schema["schema"]["properties"].items() if name in row}
    assert kinds == {
        "customer_id": ["string", "null"],
        "visits": ["integer", "null"],
        "since": ["string", "null"],
        "tags": ["array", "null"],
        "score": ["number", "null"],
        "gift": ["boolean", "null"],
    }
    assert {name: record[name] for name in row} == row


def test_an_unchanged_audience_is_schema_and_state_alone(stage: Rehearsal) -> None:
    stage.publish(people(3), refusing=["c000", "c001", "c002"])
    lines = [json.loads(line)["type"] for line in stage.messages().splitlines()]
    assert lines == ["SCHEMA", "STATE"]


def test_discovery_shows_the_one_stream_and_opens_no_run(stage: Rehearsal) -> None:
    stage.publish(people(1))
    run = shell(stage, "tap-activation --config=ENV --discover")
    assert [stream["stream"] for stream in json.loads(run.stdout)["streams"]] == ["webhook__loyal"]
    ledger = stage.ledger()
    assert ledger.recent_runs() == []
    ledger.close()


def test_a_limit_in_the_environment_sends_the_first_rows_only(stage: Rehearsal) -> None:
    stage.publish(people(5))
    with serve(webhook()) as url:
        some = shell(stage, RUN, TARGET_WEBHOOK_URL=url, SNELLO_LIMIT="2")
        rest = shell(stage, RUN, TARGET_WEBHOOK_URL=url, TAP_ACTIVATION_LIMIT="9")
    assert "5 to upsert, 0 to remove, 0 unchanged, of which 2 now (limit 2)" in some.stderr
    assert "webhook__loyal: 2 upserted" in some.stderr
    assert "webhook__loyal: 3 upserted" in rest.stderr


def test_a_column_of_another_type_is_told_before_everything_is_sent_again(stage: Rehearsal) -> None:
    stage.publish([{"customer_id": "c1", "visits": 3}])
    shell(stage, "tap-activation --config=ENV")
    stage.publish([{"customer_id": "c1", "visits": "three"}])
    told = shell(stage, "tap-activation --config=ENV")
    assert told.returncode == 0
    assert "webhook__loyal: column visits is string now and was int64: every row counts as changed" in told.stderr


@pytest.mark.skipif(not shutil.which("setpriv"), reason="root writes where it may not")
def test_a_ledger_that_takes_no_writes_stops_the_tap_before_a_message(stage: Rehearsal) -> None:
    stage.publish(people(3))
    stage.ledger().close()
    folder = Path(stage.ledger_url.removeprefix("sqlite:///")).parent
    bound = "setpriv --bounding-set=-dac_override --inh-caps=-dac_override " if os.geteuid() == 0 else ""
    for path in (folder / "ledger.db", folder):
        path.chmod(0o555)
    try:
        run = shell(stage, f"{bound}tap-activation --config=ENV")
    finally:
        folder.chmod(0o755)
    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    assert "ledger: it takes no writes, and nothing is sent without them" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_ledger_that_fills_up_stops_the_run_and_the_next_one_sends_the_rest(stage: Rehearsal) -> None:
    stage.publish(people(3_000))
    with serve(webhook()) as url:
        full = shell(stage, f"ulimit -f 600; {RUN}", TARGET_WEBHOOK_URL=url)
        rest = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
    assert full.returncode == 4, full.stderr
    assert "ledger: it has no room left to write. Next: make room on its disk" in full.stderr
    assert "Traceback" not in full.stderr
    assert rest.returncode == 0, rest.stderr
    ledger = stage.ledger()
    assert ledger.settled(stage.sync).num_rows == 3_000
    ledger.close()


def alias(stage: Rehearsal, aliases: dict[str, str]) -> None:
    table = {"alias": list(aliases), "customer_id": list(aliases.values())}
    schema = pa.schema([("alias", pa.string()), ("customer_id", pa.string())])
    stage.lake.publish({"customer_aliases": pa.table(table, schema)}, run_id="aliases")


def channel(url: str) -> dict[str, str]:
    """What the receiver holds: key to address, every row that it took applied in order."""
    rows: dict[str, str] = {}
    for row in requests.get(f"{url}/_inspect/taken", timeout=10).json():
        rows.pop(row.get("moved_from") or "", None)
        if row["op"] == "upsert":
            rows[row["key"]] = row["email"]
        else:
            rows.pop(row["key"])
    return rows


def test_who_was_merged_has_one_row_in_the_channel_and_two_again_after_an_unlink(stage: Rehearsal) -> None:
    ada, eva = {"customer_id": "c1", "email": "ada@example.it"}, {"customer_id": "c2", "email": "eva@example.it"}
    with serve(webhook()) as url:
        stage.publish([eva])
        shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        stage.publish([{**ada, "email": "eva@example.it"}])
        alias(stage, {"c2": "c1"})
        merged = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        one = channel(url)
        again = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        stage.publish([ada, eva])
        alias(stage, {})
        parted = shell(stage, RUN, TARGET_WEBHOOK_URL=url)
        two = channel(url)
    assert [run.returncode for run in (merged, again, parted)] == [0, 0, 0], merged.stderr + parted.stderr
    assert "1 to upsert, 0 to remove, 0 unchanged, 1 of them moved" in merged.stderr
    assert "nothing to deliver" in again.stderr
    assert one == {"c1": "eva@example.it"}
    assert two == {"c1": "ada@example.it", "c2": "eva@example.it"}
    ledger = stage.ledger()
    assert set(ledger.settled(stage.sync)["key"].to_pylist()) == {"c1", "c2"}
    moved = [(row["key"], row["op"], row["status"]) for row in ledger.receipts(stage.sync) if row["reason"] == "moved"]
    ledger.close()
    assert moved == [("c2", "remove", "delivered")]


def test_the_readme_lists_every_term_of_a_sync() -> None:
    readme = (Path(__file__).parents[2] / "connectors" / "tap-activation" / "README.md").read_text()
    assert [name for name in Sync.model_fields if name != "name" and f"| `{name}` |" not in readme] == []
