"""Two rows may be known to a channel by one identifier: what is taken back of one must not be the other's.

Of each identifier the ledger keeps a keyed hash, a mark, in the transaction of the intent: ``held`` by the row that is
to be known by it, ``leaving`` while it is about to be taken back. Of two rows that share one and leave together, both
are leaving, and both take it back; who stays is a holder, for whose sake it is left there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from snello.activation import marks
from snello.activation.writing import Mark, Page, Pen
from snello.kit.channel.due import Due, Marked
from snello.kit.channel.sealing import Seal

ABOUT = b"snello marks"  # nothing else is hashed under this key
SIZE = 16  # bytes


class Marker(Protocol):
    """What marks ask of a sink."""

    def marks(self, handle: str) -> Iterable[str]:
        """The identifiers in a handle."""


class Marking:
    """The marks of one sync's rows; ``salt`` keys them."""

    def __init__(self, pen: Pen, sink: Marker, salt: str) -> None:
        self.pen, self.sink, self._seal = pen, sink, Seal(salt)
        key = hashlib.sha256(ABOUT + b" " + salt.encode()).digest()
        self._keyed = hashlib.blake2b(f"{pen.sync}\0".encode(), key=key, digest_size=SIZE)
        self._filled = False

    def of(self, due: Due) -> Marked:
        """The marks of a change: of what its row is to be known by, and of what it may be known by."""
        adds = self._marks([due.handle] if due.handle else ())
        return Marked(adds, self._marks(due.change.handles), due.change.op == "remove" or due.anew)

    def intend(self, page: Page, dues: Sequence[Due]) -> None:
        """Before a call: who will be known by what, and what is about to be taken back."""
        if not self._filled:
            marks.fill(self.pen, lambda sealed: self._marks(self._seal.open(sealed)))
            self._filled = True
        for one in dues:
            marked, change, sync = one.marked, one.change, self.pen.sync
            if not marked.changes and one.row.get("op") == "upsert" and marked.had:
                continue
            page.marks += [Mark(sync, mark, change.key, "held") for mark in marked.adds]
            page.marks += [Mark(sync, mark, change.key, "leaving") for mark in marked.had if mark not in marked.adds]
            if change.moved_from:
                page.marks += [Mark(sync, mark, change.moved_from, "leaving") for mark in marked.had]

    def share(self, dues: Sequence[Due]) -> None:
        """After the intents: tell each change what others hold of that which it takes back.

        Who is to be known by an identifier only now does not count within the call: a sink takes back before it adds.
        """
        taken = {mark for one in dues for mark in one.marked.takes}
        holding = marks.holders(self.pen, taken) if taken else {}
        coming = {(mark, one.change.key) for one in dues for mark in one.marked.adds if mark not in one.marked.had}
        kept: set[str] = set()
        for one in dues if taken else ():
            own = (one.change.key, one.change.moved_from)
            shared = {
                mark: identifier
                for mark, identifier in one.marked.takes.items()
                if any(key not in own and (mark, key) not in coming for key in holding.get(mark, ()))
            }
            kept |= shared.keys()
            if shared or one.change.shared:
                one.change = replace(one.change, shared=frozenset(shared.values()))
        if kept:
            marks.keep(self.pen, kept)

    def relied_on(self, dues: Sequence[Due]) -> set[str]:
        """Of rows that the channel does not hold, the keys of those for whose sake another row left something there."""
        new = [one for one in dues if one.marked.adds and not one.held]
        found = marks.kept(self.pen, {mark for one in new for mark in one.marked.adds}) if new else set()
        return {one.change.key for one in new if one.change.key in found}

    def forget(self, page: Page, one: Due, *, wholly: bool) -> None:
        """After a call that went well: what the row was known by is taken back; ``wholly``: with what it should be."""
        change, marked = one.change, one.marked
        gone = {*marked.had, *marked.adds} if wholly else marked.had.keys() - marked.adds.keys()
        page.unmarked += [(mark, change.key) for mark in gone]
        if change.moved_from:
            page.unmarked += [(mark, change.moved_from) for mark in marked.had]

    def _marks(self, handles: Iterable[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for handle in handles:
            for identifier in self.sink.marks(handle):
                keyed = self._keyed.copy()
                keyed.update(identifier.encode())
                found[keyed.hexdigest()] = identifier
        return found
