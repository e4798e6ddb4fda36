"""One request over the wire: pooled connections, redirects within the host, and an end to every wait."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

CONNECT = 10.0  # seconds
WHOLE = 5  # a whole answer may take so many times the time between two pieces
PIECE = 1 << 16
HOPS = 10
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Elsewhere(Exception):
    """The server points to another host, where the credentials must not go."""


class Trickle(Exception):
    """The answer goes on for longer than is waited."""


@dataclass(frozen=True)
class Timing:
    """Seconds: to connect, between two pieces of an answer, for all of it."""

    piece: float

    @property
    def whole(self) -> float:
        """For all of it."""
        return self.piece * WHOLE

    @property
    def both(self) -> tuple[float, float]:
        """As the session takes them."""
        return min(CONNECT, self.piece), self.piece


def session_for(workers: int, user_agent: str) -> requests.Session:
    """A session that knows nothing of .netrc, with a connection for each worker."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = user_agent
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=workers, pool_block=True))
    return session


def sent(session: requests.Session, request: requests.PreparedRequest, timing: Timing) -> requests.Response:
    """The whole answer to a signed request; one that reads is redirected within its host.

    Raises ``Elsewhere``, ``Trickle``, ``requests.RequestException`` and ``OSError``.
    """
    end = time.monotonic() + timing.whole
    for _ in range(HOPS):
        response = _sent_once(session, request, timing, end)
        target = session.get_redirect_target(response) if request.method in ("GET", "HEAD") else None
        if not target:
            return response
        request = _redirected(request, urljoin(request.url or "", target))
    raise requests.TooManyRedirects()


def _sent_once(
    session: requests.Session, request: requests.PreparedRequest, timing: Timing, end: float
) -> requests.Response:
    options: dict[str, Any] = {"verify": _authorities(), "proxies": _proxies(request.url or "")}
    response = session.send(request, timeout=timing.both, stream=True, allow_redirects=False, **options)
    try:
        response._content = _whole(response.raw, end)
        response._content_consumed = True  # type: ignore[attr-defined]
    finally:
        response.close()
    return response


def _whole(raw: Any, end: float) -> bytes:
    pieces = bytearray()
    try:
        while piece := raw.read1(PIECE, decode_content=True):
            pieces += piece
            if time.monotonic() > end:
                raise Trickle
    except urllib3.exceptions.DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error) from None
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from None
    return bytes(pieces)


def _redirected(request: requests.PreparedRequest, url: str) -> requests.PreparedRequest:
    here, there = urlsplit(request.url or ""), urlsplit(url)
    upgrade = here.scheme == "http" and there.scheme == "https" and here.hostname == there.hostname
    if not upgrade and (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise Elsewhere
    again = request.copy()
    again.prepare_url(url, None)
    return again


def _authorities() -> str | bool:
    return next((os.environ[name] for name in BUNDLES if os.environ.get(name)), True)


def _proxies(url: str) -> dict[str, str]:
    """Proxies for HTTPS alone, for one in between would read what travels in clear."""
    if not url.startswith("https:"):
        return {}
    return {name: proxy for name, proxy in get_environ_proxies(url).items() if name in ("https", "all")}
