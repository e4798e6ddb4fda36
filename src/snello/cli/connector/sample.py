"""The first rows of a tap's streams, read by the tap itself, which is stopped when there are enough."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from snello.cli.connector.found import Connector
from snello.errors import ContractError, choices
from snello.kit.rest import RestTap

QUARANTINE = "_quarantine"
PATIENCE = 5  # seconds to let a stopped tap put its things away
ENOUGH = 0


@dataclass
class Sample:
    """What came of one stream.

    - ``refused``: why rows went to the quarantine; ``requests``: lines of the trace
    - ``code``: the tap's exit code, 0 when it was stopped with rows enough; ``fault``: its sentence
    """

    stream: str
    keys: tuple[str, ...]
    schema: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    code: int = ENOUGH
    fault: str = ""

    def take(self, message: Mapping[str, Any], most: int) -> bool:
        """Look at a message of the tap; whether there are rows enough."""
        kind, stream = message.get("type"), message.get("stream")
        if kind == "SCHEMA" and stream == self.stream:
            self.schema = message["schema"]
        elif kind == "RECORD" and stream == self.stream:
            self.rows.append(message["record"])
        elif kind == "RECORD" and stream == QUARANTINE and message["record"].get("stream") == self.stream:
            self.refused.append(str(message["record"].get("reason")))
        return len(self.rows) + len(self.refused) >= most


class Failed(Exception):
    """The tap did not come as far as a catalog; ``code`` and ``fault`` are its own."""

    def __init__(self, code: int, fault: str) -> None:
        super().__init__(fault)
        self.code, self.fault = code, fault


class Sampler:
    """Reads streams of a connector one after the other, each with a process of its own."""

    def __init__(self, connector: Connector, folder: Path) -> None:
        self._connector, self._folder = connector, folder
        settings = {name: value for name, value in connector.settings.items() if name != "batch_config"}
        self._plugin = connector.package.plugin(connector.name) if connector.package else None
        if self._plugin and "memory" in self._plugin.config_jsonschema["properties"]:
            settings["memory"] = str(folder / "memory")  # what a look has seen is not what the lake has
        self._config = self._write("config.json", settings)
        self._catalog = self._discovered()

    def streams(self, wanted: str | None = None) -> list[str]:
        """The streams of the tap, or the one that is wanted. Raises ``ContractError`` when there is no such stream."""
        names = [entry["tap_stream_id"] for entry in self._catalog["streams"] if entry["stream"] != QUARANTINE]
        if wanted is None:
            return names
        if wanted not in names:
            raise ContractError(self._connector.name, f"it has no stream {wanted!r}", choices(wanted, names))
        return [wanted]

    def read(self, stream: str, rows: int) -> Sample:
        """The first rows of a stream."""
        entry = next(entry for entry in self._catalog["streams"] if entry["tap_stream_id"] == stream)
        sample = Sample(stream, tuple(entry.get("key_properties") or ()), dict(entry["schema"]))
        catalog = self._write("catalog.json", _selecting(self._catalog, {*self._ancestors(stream), QUARANTINE}))
        trace = self._folder / f"trace-{len(list(self._folder.glob('trace-*')))}.jsonl"
        with self._started("--catalog", catalog, SNELLO_TRACE=str(trace)) as process:
            stopped = any(sample.take(message, rows) for message in _messages(process))
            sample.code = _ended(process, stopped)
        if sample.code:
            sample.fault = self._last_line()
        if trace.exists():
            sample.requests = [json.loads(line) for line in trace.read_text().splitlines()]
        return sample

    def _ancestors(self, stream: str) -> Iterator[str]:
        """The stream, and those whose rows lead to it: of a stream that is not selected, only the keys are read."""
        yield stream
        classes = self._plugin.stream_classes if self._plugin and issubclass(self._plugin, RestTap) else ()
        parent = next((each.parent for each in classes if each.name == stream), None)
        if parent is not None:
            yield from self._ancestors(parent.name)

    def _discovered(self) -> dict[str, Any]:
        with self._started("--discover") as process:
            assert process.stdout
            told = process.stdout.read()
        if process.returncode:
            raise Failed(process.returncode, self._last_line())
        found: dict[str, Any] = json.loads(told)
        return found

    @contextmanager
    def _started(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [*self._connector.command, "--config", self._config, *arguments]
        with (
            (self._folder / "stderr").open("wb") as errors,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env={**self._connector.environment, **environment}
            ) as process,
        ):
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    def _write(self, name: str, content: object) -> str:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, default=str))
        return str(path)

    def _last_line(self) -> str:
        lines = (self._folder / "stderr").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"{self._connector.name}: it left without a word"


@contextmanager
def sampler(connector: Connector) -> Iterator[Sampler]:
    """A sampler with a folder that goes when it does. Raises ``Failed``."""
    with TemporaryDirectory(prefix="snello-") as folder:
        yield Sampler(connector, Path(folder))


def _messages(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    assert process.stdout
    for line in process.stdout:
        with suppress(msgspec.DecodeError):
            message = msgspec.json.decode(line)
            if isinstance(message, dict):
                yield message


def _ended(process: subprocess.Popen[bytes], stopped: bool) -> int:
    """The exit code; of a process that is stopped, 0."""
    if stopped:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=PATIENCE)
        process.kill()
    code = process.wait()
    return ENOUGH if stopped else code


def _selecting(catalog: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """The catalog with these streams selected and no others."""
    return {"streams": [_selected(entry, entry["tap_stream_id"] in names) for entry in catalog["streams"]]}


def _selected(entry: Mapping[str, Any], yes: bool) -> dict[str, Any]:
    def chosen(part: Mapping[str, Any]) -> Mapping[str, Any]:
        whole = not part.get("breadcrumb")
        return {**part, "metadata": {**part["metadata"], "selected": yes}} if whole else part

    parts: Sequence[Mapping[str, Any]] = entry.get("metadata") or [{"breadcrumb": [], "metadata": {}}]
    return {**entry, "selected": yes, "metadata": [chosen(part) for part in parts]}
