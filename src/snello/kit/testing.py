"""For the tests of a connector: run its command in this process and look at what it wrote."""

from __future__ import annotations

import io
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@dataclass(frozen=True)
class Run:
    """What one run of a connector's command left behind."""

    code: int
    messages: list[dict[str, Any]]
    out: str
    err: str

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream, in the order written."""
        return [each["record"] for each in self.messages if each["type"] == "RECORD" and each["stream"] == stream]

    def schema(self, stream: str) -> dict[str, Any]:
        """The last SCHEMA message of a stream."""
        return next(m for m in reversed(self.messages) if m["type"] == "SCHEMA" and m["stream"] == stream)

    @property
    def state(self) -> dict[str, Any]:
        """The last state, empty when none was written."""
        states: list[dict[str, Any]] = [each["value"] for each in self.messages if each["type"] == "STATE"]
        return states[-1] if states else {}

    @property
    def last_line(self) -> str:
        """The last line on stderr: of a failed run, the fault."""
        return self.err.strip().rpartition("\n")[2]


def run(
    main: Callable[[], None],
    config: Mapping[str, Any] | None = None,
    *arguments: str,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
) -> Run:
    """Run a connector's ``main`` with a configuration, a state and a catalog, as Meltano would."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with TemporaryDirectory() as folder, _fresh_logging(), redirect_stdout(out), redirect_stderr(err):
        given = (("--config", config), ("--state", state), ("--catalog", catalog))
        argv = ["connector", *_files(Path(folder), given), *arguments]
        before, sys.argv = sys.argv, argv
        try:
            main()
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else int(done.code is not None)
        finally:
            sys.argv = before
    texts = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        texts.append(stream.read())
    return Run(code, list(_messages(texts[0])), texts[0], texts[1])


def _files(folder: Path, given: tuple[tuple[str, Mapping[str, Any] | None], ...]) -> Iterator[str]:
    for option, content in given:
        if content is not None:
            path = folder / f"{option.strip('-')}.json"
            path.write_text(json.dumps(content))
            yield from (option, str(path))


def _messages(text: str) -> Iterator[dict[str, Any]]:
    for line in text.split("\n"):
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and "type" in message:
            yield message


@contextmanager
def _fresh_logging() -> Iterator[None]:
    """Undo what the SDK leaves: a handler at every call, bound to the stderr of the moment, and signal handlers."""
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        sys.excepthook = hook
        for number, handler in signals.items():
            signal.signal(number, handler)
