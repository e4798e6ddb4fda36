"""The sentences for what goes wrong between a connector and a server: none holds a query, a secret or a content."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import urllib3

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.http.answer import Answer
from snello.kit.http.retry import AGAIN, Expired, Retry, Transient
from snello.kit.http.transport import Elsewhere, Timing, Trickle
from snello.kit.http.waits import asked

LATER = "run again later: nothing is lost"
NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(frozen=True)
class Asked:
    """A request, for messages: who asks, ``GET /v1/things``, and the host."""

    where: str
    place: str
    host: str


@dataclass(frozen=True)
class Faults:
    """What each fault is called, and what it is: one that passes, or one that a person mends.

    - ``settings``: names of the settings that the credentials come from
    - ``right``: what the credentials have to be allowed to
    """

    settings: tuple[str, ...] = ()
    right: str = "read"

    @property
    def credentials(self) -> str:
        """The settings to renew, in words."""
        return " and ".join(self.settings) or "the access rights"

    def of_connection(self, error: Exception, request: Asked, timing: Timing) -> Exception:
        """A request that got no whole answer."""
        where = request.where
        if isinstance(error, Elsewhere):
            what = f"{request.place} is redirected to another host"
            return ConfigError(where, what, "give the URL of the interface itself")
        if isinstance(error, requests.TooManyRedirects):
            return ConfigError(where, "the server redirects in circles", "check the URL")
        if isinstance(error, requests.exceptions.SSLError):
            return _of_tls(error, request)
        if isinstance(error, requests.exceptions.ContentDecodingError):
            return Transient("the answer's compression is damaged")
        slow = _slow(error, timing)
        if slow:
            return Transient(slow)
        if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
            return _of_network(error, request)
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            cure = "let REQUESTS_CA_BUNDLE or SSL_CERT_FILE name a file that can be read"
            return ConfigError(where, "the file of certificates cannot be read", cure)
        return ConfigError(where, f"no request possible ({type(error).__name__})", "check the URL")

    def of_status(self, answer: Answer, request: Asked, retry: Retry) -> Exception:
        """An answer that is no success."""
        status, what = answer.status, f"{answer.status} from {request.place}"
        if status in AGAIN or status >= 500:
            return Transient(what, asked(status, answer.headers, retry.also))
        if status in (401, 403):
            scope = _missing_scope(answer)
            if scope:
                lack = f'{what}: the credentials lack the scope "{scope}"'
                return ConfigError(request.where, lack, f"give {self.credentials} that right")
            return self.of_expiry(Expired(what), request)
        if status in (404, 410) or status < 400:
            return ConfigError(request.where, what, "check the URL: the interface is not there")
        return ContractError(request.where, what, "check that the server's version of the interface fits")

    def of_expiry(self, fault: Expired, request: Asked) -> Exception:
        """Credentials that are refused, and cannot be renewed or were renewed in vain."""
        cure = f"renew {self.credentials}, or give them the right to {self.right}"
        return ConfigError(request.where, fault.what, cure)

    def of_patience(self, fault: Transient, request: Asked, tries: int, retry: Retry) -> Exception:
        """A fault that did not pass in so many tries."""
        waits = f"; it asks to wait {fault.wait:.0f} s" if fault.wait else ""
        many = f", {tries} tries" if tries > 1 else ""
        return RetryLater(request.where, f"{fault.what}{many}{waits}", fault.cure or LATER)


def _of_tls(error: Exception, request: Asked) -> Exception:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        what = f"the certificate of {request.host} does not verify"
        cure = "let REQUESTS_CA_BUNDLE name a file with the company's authority, or have the certificate renewed"
        return ConfigError(request.where, what, cure)
    return Transient(f"no safe connection with {request.host}", cure="check that the URL's port speaks https")


def _of_network(error: Exception, request: Asked) -> Exception:
    what = f"no whole answer from the server ({type(error).__name__})"
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient("no way through the proxy", cure="check HTTPS_PROXY")
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror) and cause.errno in NO_SUCH_NAME:
            return ConfigError(request.where, f"there is no host named {request.host}", "check the URL")
        if isinstance(cause, socket.gaierror):
            return Transient(f"the name {request.host} cannot be looked up", cure="check the network's name servers")
        if isinstance(cause, ConnectionRefusedError):
            cure = "see that the server runs and that the URL's port is its own: the connection is refused"
            return Transient(what, cure=cure)
    return Transient(what)


def _slow(error: Exception, timing: Timing) -> str:
    if isinstance(error, Trickle):
        return f"the answer was not whole after {timing.whole:g} s"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timing.both[0]:g} s"
    timeouts = (requests.Timeout, urllib3.exceptions.ReadTimeoutError)
    return f"no answer within {timing.piece:g} s" if isinstance(error, timeouts) else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """What an exception was made of: the libraries keep it in arguments, reasons and causes."""
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        each = queue.pop()
        if not isinstance(each, BaseException) or each in seen:
            continue
        seen.append(each)
        yield each
        queue += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _missing_scope(answer: Answer) -> str:
    challenge = answer.headers.get("WWW-Authenticate", "")
    found = re.search(r'\bscope="([\w.:/ -]{1,200})"', challenge)
    return found[1] if found and "insufficient_scope" in challenge else ""
