"""What target-suitecrm wants to know."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from snello.kit.channel import ChannelSettings

UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"


class Match(BaseModel):
    """A column and the field that hold the same."""

    column: str = Field(description="A column of the audience.")
    field: str = Field(description="The contact's field with the same value; id for SuiteCRM's own.")


class Settings(ChannelSettings):
    """Settings of target-suitecrm."""

    url: str = Field(pattern="^https?://", description="Folder in which SuiteCRM's Api folder lies.")
    client_id: str = Field(description="Id of a client credentials client.")
    client_secret: SecretStr = Field(description="Its secret.")
    id_field: str = Field(
        "snello_customer_id_c", pattern="^[a-z][a-z0-9_]*$", description="Field of contacts that holds the customer_id."
    )
    fields: dict[str, str] = Field({}, description="Column to field of contacts; no other field is written.")
    clear: list[str] = Field([], description="Fields that a blank column empties; otherwise a blank changes nothing.")
    on_leave: dict[str, Any] = Field({}, description="Values that fields get when their customer leaves the audience.")
    only_set: list[str] = Field(
        ["email_opt_out", "invalid_email", "do_not_call"],
        description="Fields that become true and never false: refusals.",
    )
    match: list[Match] = Field([], description="Where to look for customers that no contact bears, the best first.")
    create: bool = Field(False, description="Make contacts for customers that SuiteCRM does not have.")
    recreate: bool = Field(False, description="Make them anew also where theirs was deleted or merged away.")
    membership: Literal["list", "none"] = Field(
        "list", description="How SuiteCRM tells members: by a target list, or not at all."
    )
    list_name: str | None = Field(
        None, max_length=255, description="The target list to keep. Default: the sync's list, else its name."
    )
    list_id: str | None = Field(None, pattern=UUID, description="Its id instead.")
    create_list: bool = Field(False, description="Make the list when SuiteCRM has none of that name.")
    batch_size: int = Field(50, ge=1, le=100, description="Customers looked up at once and then written one by one.")
    parallel: int = Field(4, ge=1, le=16, description="Calls under way at once.")
    requests_per_second: float = Field(10, gt=0, description="Most calls a second.")
