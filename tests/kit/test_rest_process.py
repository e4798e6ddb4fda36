"""REST taps as processes: killed at every call, stopped by a signal, and how much they hold."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.kit.rest_probe import source, thing

from snello.kit.conformance import Hold, Kill, at, faulty

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from tests.kit.rest_probe import main_of, stream
from snello.kit.rest import page_number
paging = page_number("page", ("size", {size}), total_pages="X-Pages")
main_of(stream(paging=paging, workers=4, records_jsonpath="$.data[*]", replication_key="changed_at", since="since"))()
"""


def started(url: str, folder: Path, out: Path, state: Any = None, size: int = 3) -> subprocess.Popen[bytes]:
    """The tap as a process that writes to a file."""
    (folder / "config.json").write_text(json.dumps({"url": url}))
    (folder / "state.json").write_text(json.dumps(state or {}))
    command = [sys.executable, "-c", CODE.format(size=size)]
    with out.open("wb") as file:
        return subprocess.Popen(
            [*command, "--config", str(folder / "config.json"), "--state", str(folder / "state.json")],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.PIPE,
            env={**os.environ, "SNELLO_STATE": str(folder / "state"), "PYTHONPATH": str(ROOT)},
        )


def messages(out: Path) -> list[dict[str, Any]]:
    found = []
    for line in out.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # half a line of a killed process
            break
    return found


def rows(found: list[dict[str, Any]]) -> list[int]:
    return [each["record"]["id"] for each in found if each["type"] == "RECORD"]


def last_state(found: list[dict[str, Any]]) -> Any:
    return next((each["value"] for each in reversed(found) if each["type"] == "STATE"), None)


def moments(count: int) -> list[dict[str, Any]]:
    return [thing(n, f"2026-01-{1 + n // 86400:02d}T00:{n // 60 % 60:02d}:{n % 60:02d}Z") for n in range(1, count + 1)]


def through_lake(text: bytes, lake: Path) -> list[dict[str, Any]]:
    """Load messages with target-lake; the rows of the lake."""
    from deltalake import DeltaTable

    (lake.parent / "lake.json").write_text(json.dumps({"root": str(lake), "source": "probe"}))
    subprocess.run(
        [sys.executable, "-c", "from target_lake import main; main()", "--config", str(lake.parent / "lake.json")],
        input=text,
        check=True,
        capture_output=True,
    )
    tables = [path.parent for path in lake.rglob("_delta_log") if path.parent.name == "things"]
    found: list[dict[str, Any]] = DeltaTable(str(tables[0])).to_pyarrow_table().to_pylist()
    return found


@pytest.mark.parametrize("call", [1, 3])
def test_a_killed_process_leaves_nothing_out_and_the_lake_holds_nothing_twice(call: int, tmp_path: Path) -> None:
    process: list[subprocess.Popen[bytes]] = []
    with source(moments(14)) as shop:
        with faulty(shop.url, at(call, Kill(lambda: process[0].pid))) as proxy:
            process.append(started(proxy.url, tmp_path, tmp_path / "first"))
            process[0].communicate(timeout=60)
        assert process[0].returncode == -signal.SIGKILL
        left = messages(tmp_path / "first")
        again = started(shop.url, tmp_path, tmp_path / "second", last_state(left))
        again.communicate(timeout=60)
        assert again.returncode == 0
    both = b"".join(json.dumps(each).encode() + b"\n" for each in [*left, *messages(tmp_path / "second")])
    assert sorted(row["id"] for row in through_lake(both, tmp_path / "lake")) == list(range(1, 15))


def test_a_signal_ends_a_run_without_a_state_that_is_ahead(tmp_path: Path) -> None:
    held = threading.Event()
    with source(moments(14)) as shop, faulty(shop.url, at(4, Hold(held))) as proxy:
        process = started(proxy.url, tmp_path, tmp_path / "first")
        proxy.wait_for(lambda seen: len(seen) >= 5)
        process.send_signal(signal.SIGTERM)
        held.set()
        process.communicate(timeout=60)
        left = messages(tmp_path / "first")
        again = started(shop.url, tmp_path, tmp_path / "second", last_state(left))
        again.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert set(rows(left)) | set(rows(messages(tmp_path / "second"))) == set(range(1, 15))


def test_what_a_run_holds_does_not_grow_with_the_listing(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        with source(moments(count)) as shop:
            process = started(shop.url, tmp_path, tmp_path / f"out-{count}", size=500)
            _, status, used = os.wait4(process.pid, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            process.returncode = 0
            if process.stderr:
                process.stderr.close()
            assert len(rows(messages(tmp_path / f"out-{count}"))) == count
            found: resource.struct_rusage = used
            return found.ru_maxrss

    small, large = peak(5_000), peak(25_000)
    assert large - small < 12_000, f"{large - small} kB more"
