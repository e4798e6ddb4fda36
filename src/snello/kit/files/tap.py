"""A Singer tap over files: one stream a layout, and the stream of refused rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import CapabilitiesEnum, TapCapabilities

from snello.errors import ContractError, RowsRefused, SnelloError
from snello.kit.configuration import schema_of, settings_of
from snello.kit.files.layout import FileSet
from snello.kit.files.reader import LayoutReader
from snello.kit.files.stream import FileStream
from snello.kit.quarantine import NAME, QuarantineStream


class FileSettings(BaseModel):
    """What a file tap is told."""

    files: tuple[FileSet, ...] = Field(
        min_length=1, description="One entry a stream: where its files are, how they are laid out."
    )
    storage_options: dict[str, Any] = Field(
        {}, description="Options of the places, such as keys and passwords.", json_schema_extra={"secret": True}
    )
    memory: str | None = Field(
        None, description="Folder or URL for the keys of full files (`whole`); beside the state when absent."
    )
    settle_seconds: int = Field(
        0, ge=0, description="Leave a file alone that changed less than this many seconds ago: it may still be written."
    )
    fail_on_refused: bool = Field(False, description="Exit with code 5 when rows were refused.")

    @field_validator("files")
    @classmethod
    def _streams_differ(cls, files: tuple[FileSet, ...]) -> tuple[FileSet, ...]:
        names = [layout.stream for layout in files]
        for name in names:
            if names.count(name) > 1 or name == NAME:
                raise ValueError(f"stream {name} is taken. Next: give each entry a stream name of its own")
        return files


class FileTap(Tap):
    """Reads files as its settings describe them.

    - a row that does not fit goes to the stream ``_quarantine`` and does not stop the file
    - a file that cannot be read does not stop the others; the run then ends with exit code 3
    """

    settings: ClassVar[type[BaseModel]] = FileSettings
    config_jsonschema = schema_of(FileSettings)
    message_writer_class = MsgSpecWriter
    dynamic_catalog = True
    # without ACTIVATE_VERSION: unchanged files are skipped, so a run is never the whole of a stream
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability for capability in Tap.capabilities if capability is not TapCapabilities.ACTIVATE_VERSION
    ]

    @cached_property
    def options(self) -> FileSettings:
        """The settings, typed."""
        return settings_of(FileSettings, self.config, self.name)

    @cached_property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""
        return next(stream for stream in self.streams.values() if isinstance(stream, QuarantineStream))

    def discover_streams(self) -> Sequence[Stream]:
        """One stream an entry of ``files``, and ``_quarantine``."""
        return [QuarantineStream(self), *(self._stream(layout) for layout in self.options.files)]

    def _stream(self, layout: FileSet) -> FileStream:
        options = self.options
        where = f"{self.name}: {layout.stream}"
        reader = LayoutReader(where, layout, options.storage_options, options.settle_seconds)
        return FileStream(self, self, layout, reader)

    def stream_done(self, stream: FileStream) -> None:
        """After the last stream, leave with the run's verdict: everything that could be read has been."""
        streams = [each for each in self.streams.values() if isinstance(each, FileStream)]
        if stream is not streams[-1]:
            return
        broken = [fault for each in streams for fault in each.reader.broken]
        if broken:
            raise _verdict(broken, self.name)
        refused = sum(each.reader.counts["refused"] for each in streams)
        if refused and self.options.fail_on_refused:
            raise RowsRefused(self.name, f"{refused} rows were refused", "read the stream _quarantine")


def _verdict(broken: list[SnelloError], name: str) -> SnelloError:
    """One fault for all that could not be read; its kind is theirs when they are of one."""
    first = broken[0]
    if len(broken) == 1:
        return first
    what = f"{len(broken)} files or places could not be read, the first: {first.where}: {first.what}"
    kind = type(first) if len({type(fault) for fault in broken}) == 1 else ContractError
    return kind(name, what, f"{first.cure}; each is in the log above")
