"""Settings of target-google-audiences, and the login that they make."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from snello.kit.channel import ChannelSettings
from snello.kit.http import Auth, oauth2_refresh, signed_jwt

SCOPE = "https://www.googleapis.com/auth/datamanager"
AccountType = Literal["GOOGLE_ADS", "DISPLAY_VIDEO_ADVERTISER", "DISPLAY_VIDEO_PARTNER", "DATA_PARTNER"]
NUMBER = r"^\d[\d-]*$"


class Settings(ChannelSettings):
    """Settings of target-google-audiences."""

    account_id: str = Field(pattern=NUMBER, description="Number of the account that has the list; hyphens are allowed.")
    account_type: AccountType = Field("GOOGLE_ADS", description="Its type.")
    login_account_id: str | None = Field(
        None, pattern=NUMBER, description="Number of the manager account through which the login reaches it."
    )
    login_account_type: AccountType = Field("GOOGLE_ADS", description="Type of that account.")
    linked_account_id: str | None = Field(
        None, pattern=NUMBER, description="Number of the account that a data partner acts for."
    )
    linked_account_type: AccountType = Field("GOOGLE_ADS", description="Type of that account.")
    client_email: str | None = Field(None, description="The service account that logs in.")
    private_key: SecretStr | None = Field(None, description="Its private key, as PEM.")
    client_id: str | None = Field(None, description="OAuth client, for a login by refresh token instead.")
    client_secret: SecretStr | None = Field(None, description="Its secret.")
    refresh_token: SecretStr | None = Field(None, description="Refresh token with the scope datamanager.")
    quota_project: str | None = Field(
        None, description="Google Cloud project whose quota counts, for a login by refresh token."
    )
    list_id: int | None = Field(None, description="Number of the list to keep.")
    list_name: str | None = Field(None, description="Its name instead. Default: the sync's list, else the sync's name.")
    create_list: bool = Field(False, description="Make the list when the account has none of that name.")
    membership_days: int | None = Field(
        None, ge=1, le=540, description="Days that a member stays on a list made here. Default: Google's."
    )
    country: str | None = Field(
        None, pattern="^[A-Za-z]{2}$", description="Country, in two letters, of people whose row names none."
    )
    ad_personalization: bool = Field(
        True,
        description="Tell Google that the members consent to personalised ads. Their consent to ads is always told.",
    )
    status_timeout: float = Field(
        900, ge=0, description="Seconds that a run waits for Google to process its requests, all together."
    )
    status_wait: float = Field(
        10, gt=0, description="Seconds until a request is first asked about; doubled each time, up to 60."
    )
    members_per_request: int = Field(
        10_000, ge=1, le=10_000, description="Most members in one request; Google takes 10,000."
    )
    requests_per_second: float = Field(5, gt=0, description="Most calls a second; Google allows 300 a minute.")
    api_url: str = Field(
        "https://datamanager.googleapis.com/v1", pattern="^https?://", description="Root of the interface."
    )
    token_url: str = Field(
        "https://oauth2.googleapis.com/token", pattern="^https?://", description="Where access tokens are made."
    )

    @model_validator(mode="after")
    def _one_login(self) -> Settings:
        service = (self.client_email, self.private_key)
        person = (self.client_id, self.client_secret, self.refresh_token)
        if any(service) == any(person):
            what = "two ways to log in are set" if any(service) else "no way to log in is set"
            raise ValueError(
                f"{what}. Next: set client_email and private_key, or client_id, client_secret and refresh_token"
            )
        if not all(service if any(service) else person):
            raise ValueError(
                "a part of the login is missing. Next: set client_email and private_key, or client_id, client_secret "
                "and refresh_token"
            )
        return self

    @property
    def login(self) -> Auth:
        """How access tokens are had."""
        if self.client_email:
            return signed_jwt(
                "private_key", "client_email", audience=self.token_url, token_url=self.token_url, scope=SCOPE
            )
        return oauth2_refresh(self.token_url)
