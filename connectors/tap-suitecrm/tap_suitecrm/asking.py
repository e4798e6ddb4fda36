"""What is asked of SuiteCRM, whatever the interface, and what an interface is to the streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from snello.kit.http import Answer, Auth
from snello.kit.rest import Request, Row


@dataclass(frozen=True)
class Question:
    """A page of a module's records: which fields, behind which id, changed since when; ``gone``: deleted ones."""

    module: str
    fields: Sequence[str]
    size: int
    after: str | None
    since: datetime | None
    gone: bool

    @property
    def moment(self) -> str | None:
        """``since`` as SuiteCRM's database has moments."""
        return self.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if self.since else None


class Interface(Protocol):
    """One of SuiteCRM's interfaces; addresses are below the setting ``url``."""

    @property
    def lists_gone(self) -> bool:
        """Whether deleted records can be listed."""

    @property
    def auth(self) -> Auth:
        """How requests are signed."""

    def fields_of(self, module: str) -> Request | None:
        """What asks for the fields of a module, where one that it does not have would be refused."""

    def names(self, answer: Answer) -> frozenset[str]:
        """The fields of that answer."""

    def request(self, asked: Question) -> Request:
        """What asks for a page."""

    def records(self, document: Any) -> list[Row] | None:
        """The records of an answer, each flat; None when it is no list of records."""

    def more(self, document: Any, count: int) -> bool:
        """Whether there may be records behind these, by what the answer tells of its total."""

    def check(self, answer: Answer, where: str, module: str) -> None:
        """Raise for an error that the answer holds, whatever its status."""
