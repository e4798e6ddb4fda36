"""One case's stage: a source behind a proxy, the tap run against it, and the rows that came."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from snello.kit.conformance.plans import Plan, calm
from snello.kit.conformance.proxy import Proxy, faulty
from snello.kit.conformance.runs import KILLED, Runs
from snello.kit.conformance.taps.subject import Key, Rows, Start, Subject
from snello.kit.http import Client
from snello.kit.testing import Run, run

QUARANTINE = "_quarantine"
GONE = "_deleted_at"
Messages = list[dict[str, Any]]


class Trial:
    """Runs the tap and gathers its rows."""

    def __init__(self, subject: Subject, folder: Path, runs: Callable[[], Runs], proxy: Proxy | None) -> None:
        self.subject, self.folder, self._runs, self.proxy = subject, folder, runs, proxy
        self.apart = False
        module, _, name = subject.command.partition(":")
        self.main = getattr(importlib.import_module(module), name)
        self.count = 0

    @property
    def config(self) -> dict[str, Any]:
        """The tap's settings, for the proxy where there is one."""
        return self.subject.config(self.proxy.url if self.proxy else self.subject.url)

    def run(self, state: Any = None, plan: Plan = calm, **given: Any) -> Run:
        """One run in this process, its waits cut short; ``catalog``, and settings that differ."""
        catalog = given.pop("catalog", None)
        config, state = self.config | given, state or None
        with self._broken(plan), patch.object(Client, "_nap", lambda *_: None):
            if self.apart:
                done, _ = self._process(config, state=state, catalog=catalog)
            else:
                done = run(self.main, config, state=state, catalog=catalog)
        self.silent(done.err, json.dumps(done.state))
        return done

    def whole(self, state: Any = None, plan: Plan = calm) -> Run:
        """One run that must go through."""
        done = self.run(state, plan)
        assert done.code == 0, f"exit code {done.code}: {done.last_line}"
        return done

    def killed(self, plan: Plan = calm, *, last_byte: int | None = None) -> Messages:
        """What a process wrote until it was killed: by the plan, or when it would write more than so many bytes."""
        with self._broken(plan):
            done, _ = self._process(self.config, last_byte=last_byte)
        assert done.code == KILLED, f"exit code {done.code} instead of a kill: {done.last_line}"
        self.silent(done.err)
        return done.messages

    def peak(self) -> tuple[int, int]:
        """Memory, in kB, that a run holds at most, and the rows that it hands out."""
        done, peak = self._process(self.config)
        assert done.code == 0, f"exit code {done.code}: {done.last_line}"
        return peak, sum(each["type"] == "RECORD" for each in done.messages)

    def _process(self, config: dict[str, Any], last_byte: int | None = None, **given: Any) -> tuple[Run, int]:
        """One run in a process of its own, and its memory."""
        self.count += 1
        folder = self.folder / f"run-{self.count}"
        folder.mkdir()
        arguments: list[str] = []
        for name, content in given.items():
            if content is not None:
                (folder / f"{name}.json").write_text(json.dumps(content))
                arguments += [f"--{name}", str(folder / f"{name}.json")]
        hub = {name: value for name, value in os.environ.items() if name.startswith("SNELLO_")}
        outcome = self.process.run(folder, "", config, *arguments, last_byte=last_byte, pauses={}, **hub)
        return Run(outcome.code, list(_whole(outcome.out.split("\n"))), outcome.out, outcome.err), outcome.peak

    @property
    def process(self) -> Runs:
        """Runs of the tap in processes of their own."""
        return self._runs()

    def same(self, found: Rows, wanted: Rows) -> None:
        """Assert that two tables hold the same rows, but for what differs from run to run."""
        same(found, wanted, self.subject.volatile)

    def silent(self, *texts: str) -> None:
        """Assert that nothing of a row and no secret is in what everybody may read."""
        shown = [number for number, c in enumerate(self.subject.canaries) if any(c in text for text in texts)]
        assert not shown, f"canary {shown} is shown in a log, an error or a state"

    def calls(self) -> int:
        """Calls that the source has had."""
        return len(self.proxy.requests) if self.proxy else 0

    @contextmanager
    def _broken(self, plan: Plan) -> Iterator[None]:
        if self.proxy is None:
            yield
            return
        before, self.proxy.plan = self.calls(), plan
        try:
            yield
        finally:
            self.proxy.plan = calm
        met = any(seen.fault is not None for seen in self.proxy.requests[before:])
        assert met or plan is calm, "no call came that the plan could break"


def rows_of(*parts: Iterable[Mapping[str, Any]]) -> Rows:
    """What a target holds after these messages: the last row of each key, without those that are gone."""
    keys: dict[str, list[str]] = {}
    table: Rows = {}
    for message in (message for part in parts for message in part):
        if message["type"] == "SCHEMA":
            keys[message["stream"]] = message["key_properties"]
            table.setdefault(message["stream"], {})
        elif message["type"] == "RECORD":
            record, stream = message["record"], message["stream"]
            key: Key = tuple(_frozen(record.get(name)) for name in keys[stream])
            table[stream].pop(key, None)
            if not record.get(GONE):
                table[stream][key] = record
    table.pop(QUARANTINE, None)
    return table


def same(found: Rows, wanted: Rows, but: Iterable[str] = ()) -> None:
    """Assert that two tables hold the same rows, ``but`` for some columns."""
    left = set(but)
    for stream, rows in wanted.items():
        have = found.get(stream, {})
        assert not rows.keys() - have.keys(), f"{stream}: {len(rows.keys() - have.keys())} rows are lost"
        assert not have.keys() - rows.keys(), f"{stream}: {len(have.keys() - rows.keys())} rows too many"
        other = [key for key, row in rows.items() if _without(have[key], left) != _without(row, left)]
        assert not other, f"{stream}: {len(other)} rows have other content"


def _without(row: dict[str, Any], left: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in left}


def _frozen(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _whole(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The messages; the last line of a killed process may be half of one."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


@contextmanager
def trial(start: Start, folder: Path, runs: Callable[[str], Runs]) -> Iterator[Trial]:
    """The stage of one case."""
    with ExitStack() as stack:
        stack.enter_context(patch.dict("os.environ", {"SNELLO_STATE": str(folder / "state"), "SNELLO_TRACEBACK": ""}))
        subject = stack.enter_context(start())
        proxy = stack.enter_context(faulty(subject.url)) if "http" not in start.lacks else None
        found = Trial(subject, folder, lambda: runs(subject.command), proxy)
        found.apart = "again" in start.lacks
        yield found
