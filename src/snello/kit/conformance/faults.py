"""What a call may meet on its way.

A fault whose name ends in ``After`` lets the call through first: it had its effect, and the caller does not know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one call."""


@dataclass(frozen=True)
class Limited(Fault):
    """429; ``retry_after`` in seconds, as a date with a time zone, or not said."""

    retry_after: float | datetime | None = None


@dataclass(frozen=True)
class Broken(Fault):
    """A status of the 500s, or another, instead of the call."""

    status: int = 500


@dataclass(frozen=True)
class BrokenAfter(Fault):
    """The call is made; the answer is a status of the 500s all the same."""

    status: int = 500


@dataclass(frozen=True)
class Reset(Fault):
    """The connection is reset instead of the call."""


@dataclass(frozen=True)
class ResetAfter(Fault):
    """The call is made; the connection is reset instead of the answer."""


@dataclass(frozen=True)
class Truncated(Fault):
    """The call is made; the connection ends after this share of the answer's body."""

    share: float = 0.5


@dataclass(frozen=True)
class Reordered(Fault):
    """The call is made; each list in its JSON answer comes the other way round."""


@dataclass(frozen=True)
class Slow(Fault):
    """The call is made; the answer's body comes in ``chunks`` pieces, ``seconds`` before each."""

    seconds: float
    chunks: int = 10


@dataclass(frozen=True)
class Timeout(Fault):
    """No answer for so many seconds, then the connection ends; the call is not made."""

    seconds: float


@dataclass(frozen=True)
class TimeoutAfter(Fault):
    """The call is made; no answer for so many seconds, then the connection ends."""

    seconds: float


@dataclass(frozen=True)
class Unauthorized(Fault):
    """401: the token expired."""


@dataclass(frozen=True)
class Html(Fault):
    """A page for people, with this status, instead of the call."""

    status: int = 200


@dataclass(frozen=True)
class HtmlAfter(Fault):
    """The call is made; the answer is a page for people, with this status."""

    status: int = 200


@dataclass(frozen=True)
class Kill(Fault):
    """The process is killed with SIGKILL instead of the call; ``pid`` is asked at that moment."""

    pid: Callable[[], int]


@dataclass(frozen=True)
class KillAfter(Fault):
    """The call is made; the process is killed with SIGKILL before it has the answer."""

    pid: Callable[[], int]


@dataclass(frozen=True)
class Hold(Fault):
    """The call waits until the event is set, then goes through."""

    event: threading.Event


@dataclass(frozen=True)
class Seen:
    """A call that arrived; ``status`` is None until it was answered, and stays so when no answer was given."""

    method: str
    path: str
    query: str
    status: int | None = None
    fault: Fault | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
