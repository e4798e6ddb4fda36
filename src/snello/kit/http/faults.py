"""The sentences for what goes wrong between a connector and a server: none holds a query, a secret or a content."""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.http.answer import Answer
from snello.kit.http.retry import AGAIN, Expired, Retry, Transient
from snello.kit.http.waits import asked


@dataclass(frozen=True)
class Faults:
    """What each fault is called, and what it is: one that passes, or one that a person mends.

    - ``settings``: names of the settings that the credentials come from
    """

    settings: tuple[str, ...] = ()

    @property
    def credentials(self) -> str:
        """The settings to renew, in words."""
        return " and ".join(self.settings) or "the access rights"

    def of_connection(self, error: Exception, where: str, place: str) -> Exception:
        """A request that got no answer."""
        if isinstance(error, requests.exceptions.ContentDecodingError):
            return Transient("the answer's compression is damaged")
        if isinstance(error, requests.TooManyRedirects):
            return ConfigError(where, "the server redirects in circles", "check the URL")
        if isinstance(error, (requests.Timeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            return Transient(f"no whole answer from the server ({type(error).__name__})")
        return ConfigError(where, f"no request possible ({type(error).__name__})", "check the URL")

    def of_status(self, answer: Answer, where: str, place: str, retry: Retry) -> Exception:
        """An answer that is no success."""
        status, what = answer.status, f"{answer.status} from {place}"
        if status in AGAIN or status >= 500:
            return Transient(what, asked(status, answer.headers, retry.also))
        if status in (401, 403):
            scope = _missing_scope(answer)
            if scope:
                lack = f'{what}: the credentials lack the scope "{scope}"'
                return ConfigError(where, lack, f"give {self.credentials} that right")
            return ConfigError(where, what, f"renew {self.credentials}, or give them the right to read")
        if status in (404, 410) or status < 400:
            return ConfigError(where, what, "check the URL: the interface is not there")
        return ContractError(where, what, "check that the server's version of the interface fits")

    def of_expiry(self, fault: Expired, where: str) -> Exception:
        """Credentials that are refused, and cannot be renewed or were renewed in vain."""
        return ConfigError(where, fault.what, f"renew {self.credentials}, or give them the right to read")

    def of_patience(self, fault: Transient, where: str, place: str, tries: int) -> Exception:
        """A fault that did not pass."""
        waits = f"; it asks to wait {fault.wait:.0f} s" if fault.wait else ""
        many = f", {tries} tries" if tries > 1 else ""
        return RetryLater(where, f"{fault.what}{many}{waits}", "run again later: nothing is lost")


def _missing_scope(answer: Answer) -> str:
    challenge = answer.headers.get("WWW-Authenticate", "")
    if "insufficient_scope" not in challenge:
        return ""
    found = re.search(r'scope="([\w.:/ -]{1,200})"', challenge)
    return found[1] if found else ""
