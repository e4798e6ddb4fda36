"""A sync: what one published audience and one channel agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from snello.errors import ConfigError, choices

Purpose = Literal["email_marketing", "sms_marketing", "phone_marketing", "profiling", "ads_audiences", "service"]
Channel = Literal["email", "sms", "phone", "post", "ads", "any"]


class Sync(BaseModel):
    """Settings of one sync, from the ``meta: sync:`` block of its activation model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name of the activation model, such as brevo__long_absent.", pattern=r"^\w+$")
    target: str = Field(description="The target that delivers it, such as target-brevo.")
    mode: Literal["mirror", "upsert"] = Field(
        "mirror",
        description="mirror: the channel holds the audience and no one else of ours; "
        "upsert: members who leave the audience stay, unless they withdraw their consent.",
    )
    purpose: Purpose = Field(description="The purpose for which each member must have consented.")
    channel: Channel = Field(description="The channel for which each member must have consented.")
    key: str = Field("customer_id", description="The audience's column that names a member.")
    list: str | None = Field(None, description="Name of the list or audience in the channel.")
    segment: str | None = Field(None, description="The segment behind the audience.")
    max_removal_share: float = Field(
        0.2, ge=0, le=1, description="Share of the delivered members up to which one run may remove."
    )
    max_removals_floor: int = Field(10, ge=0, description="Removals up to this number never open the breaker.")

    @property
    def table(self) -> str:
        """The published table that holds the audience."""
        return f"activation/{self.name}"

    @classmethod
    def read(cls, name: str, raw: Mapping[str, Any]) -> Sync:
        """The sync called ``name`` out of its settings. Raises ``ConfigError`` naming the first wrong one."""
        try:
            return cls.model_validate({**raw, "name": name})
        except ValidationError as error:
            raise _told(error, name) from None

    @classmethod
    def find(cls, name: str, syncs: Mapping[str, Mapping[str, Any]]) -> Sync:
        """The sync called ``name`` among the published ones. Raises ``ConfigError`` when there is none."""
        if name not in syncs:
            raise ConfigError("setting sync", f"no sync {name!r} is published", _published(name, syncs))
        return cls.read(name, syncs[name])


def _published(name: str, syncs: Mapping[str, Any]) -> str:
    if not syncs:
        return "run `meltano run unify`, which publishes the syncs"
    return f"{choices(name, syncs)}; `meltano run unify` publishes a new one"


def _told(error: ValidationError, name: str) -> ConfigError:
    first = error.errors(include_input=False, include_url=False)[0]
    setting = ".".join(str(part) for part in first["loc"])
    where = f"sync {name}"
    if first["type"] == "extra_forbidden":
        known = [field for field in Sync.model_fields if field != "name"]
        return ConfigError(where, f"unknown setting {setting}", choices(setting, known))
    if first["type"] == "missing":
        return ConfigError(where, f"setting {setting} is missing", f"set {setting} under meta: sync: of the model")
    message = first["msg"].replace("Input should be", "it should be")
    return ConfigError(where, f"setting {setting}: {message}", f"give {setting} a valid value under meta: sync:")
