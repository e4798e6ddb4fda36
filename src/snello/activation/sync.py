"""A sync: what one published audience and one channel agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from snello.errors import ConfigError, choices

Purpose = Literal["email_marketing", "sms_marketing", "phone_marketing", "profiling", "ads_audiences", "service"]
Channel = Literal["email", "sms", "phone", "post", "ads", "any"]
ADDRESSES = frozenset({"email", "e_mail", "mail", "phone", "mobile", "telephone", "tax_code", "card"})
Mode = Literal["mirror", "upsert", "insert", "update", "append", "replace"]


class Holdout(BaseModel):
    """A share of the customers that is never contacted, to measure what contacting brings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(gt=0, le=0.5, description="Share of the customers that is kept back.")
    name: str | None = Field(
        None, description="Syncs that name the same holdout keep the same customers back. Default: the sync's name."
    )


class Pressure(BaseModel):
    """How often a person may be contacted, over all channels together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_most: int = Field(ge=1, description="Contacts that a person may have within `days`, over all channels.")
    days: int = Field(ge=1, le=366, description="Days that are looked back upon.")


class Sync(BaseModel):
    """Settings of one sync, from the ``meta: sync:`` block of its activation model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name of the activation model, such as brevo__long_absent.", pattern=r"^\w+$")
    target: str = Field(description="The target that delivers it, such as target-brevo.")
    mode: Mode = Field(
        "mirror",
        description="mirror: the channel holds the audience and no one else of ours; "
        "upsert: members who leave the audience stay, unless they withdraw their consent; "
        "insert: each member is added once and never changed; update: only rows that the channel has are changed; "
        "append: each row is an event, sent once; replace: the whole audience anew, in one session, when it changed.",
    )
    purpose: Purpose = Field(description="The purpose for which each member must have consented.")
    channel: Channel = Field(description="The channel for which each member must have consented.")
    key: str = Field("customer_id", description="The audience's column that names a member.")
    customer: str = Field(
        "customer_id", description="The audience's column that names the customer; not the key where rows are events."
    )
    list: str | None = Field(None, description="Name of the list or audience in the channel.")
    segment: str | None = Field(None, description="The segment behind the audience.")
    max_removal_share: float = Field(
        0.2, ge=0, le=1, description="Share of the delivered members up to which one run may remove."
    )
    max_removals_floor: int = Field(10, ge=0, description="Removals up to this number never open the breaker.")

    max_growth_share: float | None = Field(
        None, ge=0, description="Share of the delivered members up to which one run may add. Default: as learned."
    )
    max_growth_floor: int = Field(100, ge=0, description="Additions up to this number never open the breaker.")
    max_null_share: dict[str, float] = Field(
        default_factory=dict, description="Column to the share of members that may lack it. Default: as learned."
    )
    min_consent_share: float | None = Field(
        None, ge=0, le=1, description="Share of the members who must have consented. Default: as learned."
    )
    holdout: Holdout | None = Field(None, description="Customers kept back to measure what the channel brings.")
    contact: bool = Field(False, description="Whether a delivered row counts as a contact with the person.")
    pressure: Pressure | None = Field(None, description="Most contacts that a person may have before this sync waits.")
    priority: int = Field(0, description="Of syncs that contact one person, the higher one takes what pressure leaves.")
    required: tuple[str, ...] = Field((), description="Columns without which a member is kept back.")
    valid: dict[str, Literal["email", "phone"]] = Field(
        default_factory=dict,
        description="Column to the kind of address that it must hold, else the member is kept back.",
    )
    min_size: int = Field(0, ge=0, description="Members below which the platform takes no audience: nothing is added.")
    match_keys: tuple[str, ...] = Field((), description="Columns by which the platform finds people, for the forecast.")
    expire_days: int = Field(
        30, ge=1, description="Days after which a row that the channel keeps putting off is given up."
    )

    @property
    def table(self) -> str:
        """The published table that holds the audience."""
        return f"activation/{self.name}"

    @classmethod
    def read(cls, name: str, raw: Mapping[str, Any]) -> Sync:
        """The sync called ``name`` out of its settings. Raises ``ConfigError`` naming the first wrong one."""
        try:
            sync = cls.model_validate({**raw, "name": name})
        except ValidationError as error:
            raise _told(error, name) from None
        for setting, column in (("key", sync.key), ("customer", sync.customer)):
            if column.lower() in ADDRESSES or column in sync.valid:
                what = f"setting {setting}: {column} tells who it is, and the ledger keeps every {setting} for good"
                raise ConfigError(f"sync {name}", what, "name a column that tells nobody, such as customer_id")
        return sync

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
        parts: dict[str, type[BaseModel]] = {"holdout": Holdout, "pressure": Pressure}
        inside = parts.get(str(first["loc"][0]), Sync)
        known = [field for field in inside.model_fields if field != "name" or inside is Holdout]
        return ConfigError(where, f"unknown setting {setting}", choices(str(first["loc"][-1]), known))
    if first["type"] == "missing":
        return ConfigError(where, f"setting {setting} is missing", f"set {setting} under meta: sync: of the model")
    message = first["msg"].replace("Input should be", "it should be").removeprefix("Value error, ")
    return ConfigError(where, f"setting {setting}: {message}", f"give {setting} a valid value under meta: sync:")
