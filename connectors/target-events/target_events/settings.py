"""Settings of target-events."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from snello.kit.channel import ChannelSettings, choices

SCHEMES = {"http": "http", "https": "http", "kafka": "kafka", "redis": "redis", "rediss": "redis"}


class Settings(ChannelSettings):
    """Settings of target-events."""

    url: SecretStr = Field(
        description="Where the events go: http(s)://…, kafka://host:port/topic or redis(s)://host:port/stream."
    )
    mode: Literal["binary", "structured", "batched"] = Field(
        "structured", description="How an event travels: attributes in headers, one JSON, or many in a body (http)."
    )
    source: str = Field(
        "/snello", pattern=r"^[!-~]+$", description="First part of the events' source; the sync's name follows."
    )
    dataschema: str | None = Field(None, pattern=r"^[!-~]+$", description="URI of the schema of the events' data.")
    token: SecretStr | None = Field(None, description="Bearer token of the endpoint (http).")
    options: dict[str, SecretStr] = Field(
        default={}, description="Settings of librdkafka, as security.protocol or sasl.password (kafka)."
    )
    max_length: int = Field(1_000_000, ge=1, description="Events that the stream keeps, roughly (redis).")
    remember: int = Field(604_800, ge=60, description="Seconds for which an event is known by its id (redis).")
    max_bytes: int = Field(1_000_000, ge=1_000, description="Largest event; a row that makes a larger one is refused.")
    batch_size: int = Field(500, ge=1, le=10_000, description="Most events handed over at once.")
    parallel: int = Field(4, ge=1, le=64, description="Calls that may be under way at once (http).")
    requests_per_second: float | None = Field(None, gt=0, description="Most calls a second (http). Default: no limit.")

    @property
    def transport(self) -> str:
        """``http``, ``kafka`` or ``redis``."""
        return SCHEMES[self.url.get_secret_value().partition("://")[0].lower()]

    @field_validator("url")
    @classmethod
    def _known(cls, given: SecretStr) -> SecretStr:
        scheme, found, _ = given.get_secret_value().partition("://")
        if not found or scheme.lower() not in SCHEMES:
            raise ValueError(f"it begins with no scheme that is known. Next: {choices('', SCHEMES)}")
        return given

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.mode == "batched" and self.transport != "http":
            raise ValueError("mode batched is for http alone. Next: set mode to structured or binary")
        if self.mode == "binary" and self.transport == "redis":
            raise ValueError("a Redis stream takes whole events. Next: set mode to structured")
        return self
