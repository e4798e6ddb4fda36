"""Settings of target-salesforce, and the login that they make."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from snello.kit.channel import ChannelSettings
from snello.kit.http import Auth, oauth2_client, signed_jwt

NAME = r"^[A-Za-z]\w*$"
TOKEN_URL = "{login_url}/services/oauth2/token"
ASSERTION = 180  # seconds that Salesforce allows an assertion to hold
Value = bool | int | float | str | None


class Settings(ChannelSettings):
    """Settings of target-salesforce."""

    client_id: str = Field(description="Consumer key of the connected app.")
    client_secret: SecretStr | None = Field(None, description="Its consumer secret, for a login by client credentials.")
    username: str | None = Field(None, description="The integration's user, for a login by signed assertion instead.")
    private_key: SecretStr | None = Field(
        None, description="Private key of the certificate that the connected app holds, as PEM."
    )
    login_url: str = Field(
        "https://login.salesforce.com",
        pattern="^https?://",
        description="Where tokens are made; client credentials want the org's own domain.",
    )
    audience: str = Field(
        "https://login.salesforce.com",
        description="Whom the assertion is for: https://test.salesforce.com in a sandbox.",
    )
    instance_url: str | None = Field(
        None, pattern="^https?://", description="The org's own domain. Default: as the login says."
    )
    api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$", description="Version of the interface.")
    object: str = Field(
        "Contact", pattern=NAME, description="What a customer is in Salesforce: Contact, Lead, Account …"
    )
    external_id_field: str = Field(
        "Snello_Customer_Id__c",
        pattern=NAME,
        description="Unique external id of the object that holds the customer_id.",
    )
    fields: dict[str, str] = Field(
        {},
        description="Column to field; no other column is sent. Account.ExtId__c names a parent by its external id.",
    )
    clear: list[str] = Field([], description="Columns whose blank clears the field; other blanks write nothing.")
    on_join: dict[str, Value] = Field({}, description="Field to value that tells members, written with every row.")
    on_leave: dict[str, Value] = Field({}, description="Field to value for whoever leaves; null clears the field.")
    campaign: str | None = Field(
        None, description="Campaign whose members the audience is, by its name or id; of contacts and leads alone."
    )
    campaign_status: str | None = Field(
        None, description="Status that a new member of the campaign has. Default: the campaign's own."
    )
    erase: Literal["anonymise", "delete"] = Field(
        "anonymise", description="What becomes of the record of a person who is erased."
    )
    bulk_threshold: int = Field(
        2000, ge=1, description="Rows from which a batch goes as one bulk job instead of 200 a call."
    )
    bulk_rows: int = Field(50_000, ge=1, le=150_000_000, description="Most rows of one bulk job.")
    job_timeout: float = Field(900, ge=0, description="Seconds that a run waits for its bulk jobs, all together.")
    job_wait: float = Field(
        5, gt=0, description="Seconds until a job is first asked about; doubled each time, up to 60."
    )
    api_share: float = Field(
        0.9, gt=0, le=1, description="Share of the org's calls of 24 hours beyond which no more are made."
    )
    requests_per_second: float = Field(10, gt=0, description="Most calls a second.")

    @model_validator(mode="after")
    def _one_login(self) -> Settings:
        signed = (self.username, self.private_key)
        if bool(self.client_secret) == any(signed) or (any(signed) and not all(signed)):
            raise ValueError("no single way to log in. Next: set client_secret, or username and private_key")
        return self

    @property
    def login(self) -> Auth:
        """How access tokens are had."""
        if self.client_secret:
            return oauth2_client(TOKEN_URL, style="body")
        return signed_jwt(
            "private_key", "client_id", "{audience}", subject="username", token_url=TOKEN_URL, lifetime=ASSERTION
        )
