"""Errors that come inside a success: HTTP 200, and a body that says no."""

from __future__ import annotations

import re
from dataclasses import dataclass

from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.errors import ConfigError, ContractError
from snello.kit.http import Answer, Expired, Transient

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True)
class Errors:
    """Where an interface tells of errors, and what its codes mean; its words for them are never repeated.

    - ``at``: JSONPath of the error, or of the list of them
    - ``code``: JSONPath of its code, from the document's root
    - ``again``: codes of faults that pass by themselves
    - ``expired``: codes of a token or session that holds no longer
    - ``denied``: codes of a missing right
    """

    at: str
    code: str | None = None
    again: frozenset[str] | set[str] = frozenset()
    expired: frozenset[str] | set[str] = frozenset()
    denied: frozenset[str] | set[str] = frozenset()

    def check(self, answer: Answer, where: str, settings: tuple[str, ...] = ()) -> None:
        """Raise for an error in the answer: ``Transient``, ``Expired``, ``ConfigError`` or ``ContractError``."""
        if not any(extract_jsonpath(self.at, answer.document)):
            return
        codes = [str(code) for code in extract_jsonpath(self.code, answer.document)] if self.code else []
        code = next((code for code in codes if _CODE.fullmatch(code)), "")
        what = f"{answer.status} from {answer.place} holds an error" + (f", code {code}" if code else "")
        if code in self.again:
            raise Transient(what)
        if code in self.expired:
            raise Expired(what)
        if code in self.denied:
            names = " and ".join(settings) or "the credentials"
            raise ConfigError(where, what, f"give {names} the right to read")
        raise ContractError(where, what, "check that the server's version of the interface fits")
