"""The one HTTP client of the kit: credentials, limits, retries and faults told in one sentence.

client = Client("tap-acme: things", auth=bearer("token"), config=config, limit=Limit(10))
things = client.send("GET", "https://acme.example/v1/things", params={"page": 1}).document
"""

from snello.kit.http.answer import Answer
from snello.kit.http.auth import Auth, Credentials, api_key, basic, bearer
from snello.kit.http.client import Client
from snello.kit.http.limit import Limit
from snello.kit.http.oauth import oauth2_client, oauth2_refresh, signed_jwt
from snello.kit.http.retry import Expired, Retry, Transient
from snello.kit.http.session_login import session_login

__all__ = [
    "Answer",
    "Auth",
    "Client",
    "Credentials",
    "Expired",
    "Limit",
    "Retry",
    "Transient",
    "api_key",
    "basic",
    "bearer",
    "oauth2_client",
    "oauth2_refresh",
    "session_login",
    "signed_jwt",
]
