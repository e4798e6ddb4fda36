"""Errors that a body tells: inside a success, or by a code that says more than the status of a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    - ``wait``: the seconds after which a fault of ``again`` has passed, out of the document; None when it does not tell
    """

    at: str
    code: str | None = None
    again: frozenset[str] | set[str] = frozenset()
    expired: frozenset[str] | set[str] = frozenset()
    denied: frozenset[str] | set[str] = frozenset()
    wait: Callable[[Any], float | None] | None = None

    def check(self, answer: Answer, where: str, settings: tuple[str, ...] = ()) -> None:
        """Raise for an error in the answer: ``Transient``, ``Expired``, ``ConfigError`` or ``ContractError``."""
        if not any(extract_jsonpath(self.at, answer.document)):
            return
        code = self._code(answer)
        what = f"{answer.status} from {answer.place} holds an error" + (f", code {code}" if code else "")
        self._known(code, what, answer.document, where, settings)
        raise ContractError(where, what, "check that the server's version of the interface fits")

    def refusal(self, answer: Answer, where: str, settings: tuple[str, ...] = ()) -> None:
        """Raise for a refusal whose code is declared; what another means, its status tells."""
        if answer.document is not None and (code := self._code(answer)):
            what = f"{answer.status} from {answer.place}, code {code}"
            self._known(code, what, answer.document, where, settings)

    def _code(self, answer: Answer) -> str:
        codes = [str(code) for code in extract_jsonpath(self.code, answer.document)] if self.code else []
        return next((code for code in codes if _CODE.fullmatch(code)), "")

    def _known(self, code: str, what: str, document: Any, where: str, settings: tuple[str, ...]) -> None:
        if code in self.again:
            raise Transient(what, self.wait(document) if self.wait else None)
        if code in self.expired:
            raise Expired(what)
        if code in self.denied:
            names = " and ".join(settings) or "the credentials"
            raise ConfigError(where, what, f"give {names} the right to read")
