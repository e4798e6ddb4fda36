"""What a tap over OData is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from snello.kit.rest.settings import RestSettings

MODIFIED = (
    "modifiedAt",
    "ModifiedAt",
    "LastChangeDateTime",
    "modifiedon",
    "lastModifiedDateTime",
    "systemModifiedAt",
    "UpdateDate",
)


class ODataSettings(RestSettings):
    """Where the service is, who reads, and how each entity set is read."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+", description="Root of the service: the address that $metadata is below."
    )
    user: str | None = Field(None, description="User, for Basic authentication, or for company.")
    password: SecretStr | None = Field(None, description="Password of the user.")
    company: str | None = Field(
        None, description="Database of a company in SAP Business One: user and password then begin a session there."
    )
    token: SecretStr | None = Field(None, description="Bearer token, instead of a user.")
    token_url: str | None = Field(
        None, pattern=r"^https?://[^\s/]+", description="Where OAuth 2 tokens for the client itself are handed out."
    )
    client_id: str | None = Field(None, description="Client of token_url.")
    client_secret: SecretStr | None = Field(None, description="Secret of that client.")
    scope: str | None = Field(None, description="Scope to ask token_url for.")
    entities: list[str] = Field(
        ["*"], min_length=1, description="Entity sets to read, as names or patterns such as A_Sales*."
    )
    replication: dict[str, str | None] = Field(
        {},
        description="By entity set or pattern, the property that tells when an entity was changed, or null for none. "
        f"Default: the first of {', '.join(MODIFIED)} that is a moment.",
    )
    delta: list[str] | None = Field(
        None,
        description="Entity sets or patterns that are read by delta links. "
        "Default: those that the service says it tracks changes of.",
    )
    expand: dict[str, list[str]] = Field(
        {}, description="By entity set or pattern, the navigation properties that come along, as JSON."
    )
    page_size: int = Field(1000, ge=1, le=100_000, description="Entities to ask for at once.")
    paging: Literal["auto", "keyset", "skip", "links"] = Field(
        "auto",
        description="How pages are asked for: behind the last entity, by numbers, or by the service's own links. "
        "Default: the first that the service says it can.",
    )
    within: str = Field(
        "", description="Path below the root that the entity sets are in, such as companies(<id>) of Business Central."
    )
    parameters: dict[str, str] = Field({}, description="Query parameters of every request, such as sap-client.")
