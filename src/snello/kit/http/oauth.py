"""Logins by OAuth 2: by the client's own secret, by a refresh token that may rotate, and by a signed assertion."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote_plus

from snello.errors import ConfigError
from snello.kit import redact
from snello.kit.http.auth import Auth, Credentials, Login, value_of
from snello.kit.http.rotation import Rotation
from snello.kit.http.tokens import Fetched, LoginFaults, Token, address, filled, token_of

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Style = Literal["basic", "body"]


@dataclass(frozen=True)
class Bound:
    """An authentication that becomes credentials by a function of the configuration and the login."""

    settings: tuple[str, ...]
    make: Callable[[Mapping[str, Any], Login], Credentials]

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """The credentials; nothing is sent before the first request."""
        return self.make(config, login)


def oauth2_client(
    token_url: str,
    client_id: str = "client_id",
    client_secret: str = "client_secret",
    scope: str = "",
    style: Style = "basic",
    **extra: str,
) -> Auth:
    """A token for the client itself, out of two settings; settings fill the braces of the URL.

    - ``style``: where the secret goes: a Basic header, encoded as the standard says, or the body
    - ``extra``: further fields of the request, as ``audience``
    """
    names = (client_id, client_secret)

    def make(config: Mapping[str, Any], login: Login) -> Credentials:
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {}), **extra}
        request = _identified(form, config, names, style)

        def fetch(refused: str) -> Token:
            return token_of(login.post(address(token_url, config), LoginFaults(names), **request), login.where)

        return Fetched(fetch)

    return Bound(names, make)


def oauth2_refresh(
    token_url: str,
    client_id: str = "client_id",
    client_secret: str = "client_secret",
    refresh_token: str = "refresh_token",
    style: Style = "body",
) -> Auth:
    """A token by a refresh token, which the server may replace each time: the new one is kept in the state folder."""
    names = (client_id, client_secret, refresh_token)

    def make(config: Mapping[str, Any], login: Login) -> Credentials:
        url, given = address(token_url, config), value_of(config, refresh_token)
        redact.hide(given)

        def exchange(current: str) -> Mapping[str, Any]:
            form = {"grant_type": "refresh_token", "refresh_token": current}
            request = _identified(form, config, (client_id, client_secret), style)
            answer = login.post(url, LoginFaults(names), **request)
            token = token_of(answer, login.where)
            return {"access": token.text, "until": token.until, "refresh": answer.document.get("refresh_token")}

        return Fetched(Rotation((url, value_of(config, client_id), given), given, exchange, login.where).fetch)

    return Bound(names, make)


def signed_jwt(
    key: str,
    issuer: str,
    audience: str,
    subject: str | None = None,
    algorithm: str = "RS256",
    token_url: str | None = None,
    lifetime: int = 300,
    scope: str = "",
) -> Auth:
    """An assertion signed with a private key: exchanged for a token at ``token_url``, else the token itself.

    - ``key``, ``issuer``, ``subject``: settings
    - ``audience``: a text, with settings for its braces
    - ``lifetime``: seconds for which the assertion holds
    """
    names = (key, issuer, *((subject,) if subject else ()))

    def make(config: Mapping[str, Any], login: Login) -> Credentials:
        redact.hide(value_of(config, key))

        def assertion() -> str:
            claims = {"iss": value_of(config, issuer), "aud": filled(audience, config)}
            claims |= {"sub": value_of(config, subject)} if subject else {}
            claims |= {"scope": scope} if scope else {}
            return _signed(claims, value_of(config, key), algorithm, lifetime, key)

        def fetch(refused: str) -> Token:
            text = assertion()
            redact.hide(text)
            if token_url is None:
                return Token(text, time.time() + lifetime * 0.9)
            form = {"grant_type": JWT_BEARER, "assertion": text}
            return token_of(login.post(address(token_url, config), LoginFaults(names), data=form), login.where)

        return Fetched(fetch)

    return Bound(names, make)


def _signed(claims: Mapping[str, Any], key: str, algorithm: str, lifetime: int, setting: str) -> str:
    import jwt  # it loads a library of ciphers, and few connectors sign

    now = int(time.time())
    whole = {**claims, "iat": now, "exp": now + lifetime, "jti": str(uuid.uuid4())}
    pem = key.replace("\\n", "\n")  # as environment variables carry it
    try:
        return jwt.encode(whole, pem, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError):
        cure = f"let {setting} hold a private key for {algorithm}, whole, as PEM"
        raise ConfigError("auth", f"setting {setting} is no key that signs with {algorithm}", cure) from None


def _identified(
    form: Mapping[str, str], config: Mapping[str, Any], names: tuple[str, str], style: Style
) -> dict[str, Any]:
    """The request with the client's id and secret, where the server wants them."""
    user, secret = (value_of(config, name) for name in names)
    redact.hide(secret)
    if style == "body":
        return {"data": {**form, "client_id": user, "client_secret": secret}}
    # the standard has both encoded as in a form, before they are joined by a colon
    return {"data": dict(form), "auth": (quote_plus(user), quote_plus(secret))}
