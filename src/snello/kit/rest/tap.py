"""A Singer tap over a REST interface: a list of streams and a settings model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities

from snello.kit.configuration import schema_of
from snello.kit.rest.stream import RestStream


class RestTap(Tap):
    """Reads the streams of ``stream_classes`` with the settings of the model ``settings``."""

    stream_classes: ClassVar[tuple[type[RestStream], ...]]
    settings: ClassVar[type[BaseModel]]
    message_writer_class = MsgSpecWriter
    # without ACTIVATE_VERSION: pages that end early look like pages that ended, and absence is never a delete
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability
        for capability in Tap.capabilities
        if capability not in (TapCapabilities.ACTIVATE_VERSION, PluginCapabilities.BATCH)
    ]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.config_jsonschema = schema_of(cls.settings)

    def discover_streams(self) -> Sequence[Stream]:
        """One stream a class."""
        return [stream(self) for stream in self.stream_classes]
