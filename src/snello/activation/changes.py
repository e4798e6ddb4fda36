"""What travels to a channel, and what comes back for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Op = Literal["upsert", "remove"]
Status = Literal["delivered", "refused", "retrying"]


class Change(msgspec.Struct, frozen=True, gc=False):
    """One row that a channel shall hold from now on (``upsert``) or no longer (``remove``).

    - ``key``: the customer_id; ``payload``: the channel's columns, empty for most removals
    - ``fingerprint``: keyed hash of the payload, None for a removal
    - ``known``: the ledger says that the channel holds this row already
    - ``batch``: the idempotency key under which an earlier run tried this; ``reason``: why it is removed
    - ``remote_id``: the channel's own number of the row, where it gave one
    - ``mode``: the sync's; ``customer``: the person, whom an event's key does not name
    - ``contact``: whether the delivered row counts as a contact with the person
    - ``moved_from``: the key under which the channel holds this row, of a customer who is now another: rename it
    - ``handles``: what the channel may hold the row by, as ``ActivationSink.handle`` said then, the eldest first
    - ``shared``: of the identifiers in ``handles``, those that another row is held by: leave them where they are
    """

    op: Op
    key: str
    fingerprint: str | None = None
    payload: Mapping[str, Any] = msgspec.field(default_factory=dict)
    consent: str | None = None
    purpose: str = ""
    channel: str = ""
    reason: str = ""
    run_id: str = ""
    batch: str | None = None
    known: bool = False
    remote_id: str | None = None
    mode: str = "mirror"
    customer: str = ""
    contact: bool = False
    moved_from: str | None = None
    handles: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """A row of ours that a channel says it holds, under the key as the channel writes it."""

    key: str
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """An audience as the platform reports it: its ``size`` now, and how many of the rows sent it ``matched``.

    ``least``: what it has for certain, where the platform tells a range and ``size`` lies within.
    """

    size: int
    matched: int | None = None
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """What came back of an earlier delivery; ``reason`` says for how long nobody writes there.

    ``address``: where the channel knows it; kept as a keyed hash alone.
    """

    key: str
    reason: Literal["hard", "complaint", "unsubscribed"]
    address: str = ""


KEPT = "kept_for_another"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a channel made of one change; ``code`` is a word, never a message that could hold personal data.

    - ``gone``: the channel holds nothing of the row any more, though it refused what it should hold now
    """

    key: str
    status: Status
    code: str = ""
    remote_id: str | None = None
    gone: bool = False

    @classmethod
    def delivered(cls, key: str, remote_id: str | None = None) -> Verdict:
        """The channel now holds the row, or no longer does."""
        return cls(key, "delivered", remote_id=remote_id)

    @classmethod
    def kept(cls, key: str) -> Verdict:
        """The row is gone, and all that the channel knew it by is left there, for other rows are held by that."""
        return cls(key, "delivered", KEPT, "")

    @classmethod
    def refused(cls, key: str, code: str, *, gone: bool = False) -> Verdict:
        """The channel will not take this payload; it is not sent again until it changes."""
        return cls(key, "refused", code, gone=gone)

    @classmethod
    def retry(cls, key: str, code: str, remote_id: str | None = None) -> Verdict:
        """Not now: the row is sent again by the next run, which is given the ``remote_id``."""
        return cls(key, "retrying", code, remote_id)
