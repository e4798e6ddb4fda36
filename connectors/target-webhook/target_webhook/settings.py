"""Settings of target-webhook, and what of them does not go together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from snello.kit.channel import ChannelSettings
from target_webhook.signing import SCHEMES, Signature

KEY = "{key}"  # in a URL it stands for the row's key
OWN = frozenset({"content-type", "content-length", "host", "idempotency-key", "ordering-key", "ordering-run"})
SIGNED = frozenset({"snello-signature", "webhook-id", "webhook-timestamp", "webhook-signature"})


class Settings(ChannelSettings):
    """Settings of target-webhook."""

    url: SecretStr = Field(
        description="Where the changes go; a secret, for it may hold a token. {key} in it is the row's key (body: row)."
    )
    secret: SecretStr = Field(min_length=8, description="Key of the HMAC-SHA256 signature, shared with the receiver.")
    previous_secret: SecretStr | None = Field(
        None, min_length=8, description="The secret until now: while it is set, bodies are signed with both."
    )
    signature: Literal["snello", "standard"] = Field(
        "snello", description="How bodies are signed: snello's own header, or those of Standard Webhooks."
    )
    body: Literal["batch", "row"] = Field("batch", description="Whether a call brings many changes or one.")
    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="Method of the calls.")
    template: Path | None = Field(None, description="Jinja file that makes the body. Default: the documented JSON.")
    content_type: str = Field(
        "application/json", pattern=r"^[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*$", description="Media type of the body."
    )
    headers: dict[str, SecretStr] = Field(
        default={}, description="More headers of each call; their values are secrets."
    )
    ordering: Literal["none", "key"] = Field(
        "none", description="key: each call says in headers whose change it is and of which run (body: row)."
    )
    batch_size: int = Field(500, ge=1, le=10_000, description="Most changes in one body (body: batch).")
    parallel: int = Field(4, ge=1, le=64, description="Calls that may be under way at once.")
    requests_per_second: float | None = Field(None, gt=0, description="Most calls a second. Default: as they come.")

    @property
    def scheme(self) -> Signature:
        """How bodies are signed: with the secret, and with the one before it while receivers may know that alone."""
        both = (self.secret, self.previous_secret)
        return SCHEMES[self.signature](tuple(each.get_secret_value() for each in both if each))

    @field_validator("headers")
    @classmethod
    def _sendable(cls, given: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in given.items():
            if name.lower() in OWN | SIGNED:
                raise ValueError(f"{name} is set by the target. Next: leave it out")
            sendable = re.fullmatch(r"[!-~]([ -~]*[!-~])?", value.get_secret_value())
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not sendable:
                raise ValueError(
                    "a name or a value cannot stand in a header. Next: write it in plain ASCII, on one line"
                )
        return given

    @model_validator(mode="after")
    def _together(self) -> Settings:
        self.scheme.check()
        if self.body == "batch" and KEY in self.url.get_secret_value():
            raise ValueError("url has {key}, and a body of many rows has many. Next: set body to row")
        if self.body == "batch" and self.ordering == "key":
            raise ValueError("ordering by key needs a call a row. Next: set body to row")
        return self
