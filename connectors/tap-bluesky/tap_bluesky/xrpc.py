"""What every method of the AT protocol shares: the settings, the session, the pages, the errors."""

from __future__ import annotations

from pydantic import Field, SecretStr

from snello.kit.http import session_login
from snello.kit.rest import Errors, Limit, RestSettings, RestStream, Values, cursor

LOGIN = {"identifier": "{handle}", "password": "{app_password}"}
REFUSED = {"AuthenticationRequired", "AccountTakedown", "AccountDeactivated", "AuthFactorTokenRequired"}
DID_OR_HANDLE = r"^(did:[a-z]+:[^\s/]+|[^\s@:/]+\.[^\s@:/]+)$"


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field("https://bsky.social", pattern=r"^https?://[^\s/]+", description="Server of the account.")
    handle: str = Field(pattern=DID_OR_HANDLE, description="Handle of the account without @, or its did.")
    app_password: SecretStr = Field(description="App password of the account; not the password of its owner.")


class Xrpc(RestStream):
    """What every method shares: a session, pages of 100 by a cursor, 3,000 requests in five minutes."""

    url_base, limit = "{url}/xrpc", Limit(3000, 300)
    paging = cursor("$.cursor", "cursor", limit=("limit", 100))
    errors = Errors("$.error", "$.error", expired={"ExpiredToken", "InvalidToken"})
    auth = session_login(
        "/xrpc/com.atproto.server.createSession", LOGIN, "$.accessJwt",
        renewal=("/xrpc/com.atproto.server.refreshSession", "$.refreshJwt"), codes=REFUSED,
    )  # fmt: skip
    values = Values(left_out=("*",))  # of others no more than who did what
