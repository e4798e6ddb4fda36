"""What a target's author writes: how one channel takes changes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from snello.activation import Bounce, Change, Held, Size, Verdict
from snello.errors import ConfigError, choices
from snello.kit.channel.settings import ChannelSettings

Settings = TypeVar("Settings", bound=ChannelSettings)


class ActivationSink(ABC, Generic[Settings]):
    """One kind of thing in one channel.

    - ``name``: for messages; ``purpose``: the only one it serves, None for any; ``max_size``: rows a batch
    - ``settings``: the target's settings; ``sync``: the stream; ``title``: the name its list shall have in the channel
    - ``batch_id``: idempotency key of the batch under way, each thread's own; the same when rows are repeated
    - ``modes``: of a sync, that the channel can do; any other is refused before the first call
    - ``parallel``: calls that may be under way at once
    - ``patience``: seconds after which a call counts as late and the next takes fewer rows; None: the timeout
    - ``schema``: JSON schema of the audience's rows, in the order of its columns
    - ``repeatable``: whether a row may be sent again with nobody the wiser; not where each is a letter or an event
    - ``waits``: by code, what it means that rows are put off with it, in words
    - ``floor``: members below which the platform makes no use of an audience
    - ``emptied``: values of which nothing was left once they were normalised for the channel, by field; told at the end
    """

    name: ClassVar[str]
    purpose: ClassVar[str | None] = None
    modes: ClassVar[frozenset[str]] = frozenset({"mirror", "upsert", "insert"})
    max_size: int = 500
    parallel: int = 1
    patience: float | None = None
    repeatable: ClassVar[bool] = True
    waits: ClassVar[Mapping[str, str]] = {}
    floor: ClassVar[int] = 0

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        self.settings, self.sync, self.title = settings, sync, title
        self.schema: Mapping[str, Any] = {}
        self.emptied = Counter[str]()
        self._under_way = threading.local()

    @property
    def batch_id(self) -> str:
        """Idempotency key of the batch that this thread has under way."""
        return getattr(self._under_way, "batch", "")

    @batch_id.setter
    def batch_id(self, batch: str) -> None:
        self._under_way.batch = batch

    @property
    def first_try(self) -> str:
        """What ``batch_id`` shares with that of every earlier try at these rows, also where fewer of them are left.

        With sync, key, operation and fingerprint it names one change of one row, the same however often it is sent.
        """
        return self.batch_id.partition("-")[0]

    @abstractmethod
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows; a verdict a row.

        - a row without a verdict is sent again by the next run
        - raises ``BatchRefused`` when the body as a whole is refused: the batch is halved until the guilty row is alone
        """

    @abstractmethod
    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows no longer; a row that is already gone counts as delivered."""

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Forget these people wholly; for a channel that can do no more than ``remove``, that."""
        return self.remove(changes)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Rename the rows that the channel holds under ``moved_from``, and give them their payload; as an upsert.

        A channel that cannot rename leaves this out: the old row is then removed before the new one is added.
        """
        raise ConfigError(self.name, "they cannot be renamed", "write move, or leave moves to removal and addition")

    def handle(self, change: Change) -> str | None:
        """What the channel will know this row by, where the key alone cannot take it back: its hashed identifiers, say.

        - of an upsert; the ledger keeps it sealed before the call, and every later change of the row has it among
          its ``handles``: take back those that the channel is to know no longer
        - None, as here, where the channel knows rows by their key
        """
        return None

    def marks(self, handle: str) -> Iterable[str]:
        """The identifiers in a handle each of which alone lets the channel recognise a person.

        Two rows may share one: a change's ``shared`` names those that another row is held by, and what is taken back of
        a row must leave them where they are. None, as here, where no two rows can be known by the same.
        """
        return ()

    @property
    def moves(self) -> bool:
        """Whether the channel can rename rows."""
        return type(self).move is not ActivationSink.move

    def requests(self, upserts: int, removals: int) -> int:
        """How many calls so many changes will take; for the plan of a sync."""
        return -(-upserts // self.max_size) + -(-removals // self.max_size)

    def match_keys(self, columns: Sequence[str]) -> Sequence[Sequence[str]]:
        """Of an audience's columns, the sets of which any alone lets the platform recognise a person.

        None, as here, where the channel takes rows as they are and looks for nobody.
        """
        return ()

    def legible(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Collection[str]]:
        """Of each row, the columns of ``match_keys`` of which something is left once normalised for the channel.

        For the plan of a sync; a row may be one column with that of the country beside it. Here all that are there.
        """
        return [row.keys() for row in rows]

    def country(self, columns: Sequence[str]) -> str | None:
        """Of an audience's columns, that of the country by which others are read (telephones, say); None: by none."""
        return None

    def begin(self, rows: int) -> None:
        """Open a session that replaces the whole by ``rows`` rows; ``upsert`` then fills it. Mode ``replace`` alone."""
        raise ConfigError(self.name, "they cannot be replaced as a whole", "write begin, or take replace out of modes")

    def commit(self) -> Iterable[Verdict]:
        """Close the session: from now on the channel holds its rows and no others; verdicts that differ from before."""
        return ()

    def abandon(self) -> None:
        """Give the session up; the channel holds what it held before."""

    def find(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Those of the rows in doubt that the channel has already, read before they are repeated.

        For channels that know no idempotency key; the others need not look.
        """
        return ()

    def canonical(self, key: str) -> str:
        """A key in the one form in which ours and the channel's are compared."""
        return key

    def listing(self) -> Iterable[Held] | None:
        """What the channel holds of ours; None when it cannot say."""
        return None

    def size(self) -> Size | None:
        """How large the platform says the audience is; None when it does not say."""
        return None

    def bounced(self) -> Iterable[Bounce]:
        """What came back of earlier deliveries since the last look."""
        return ()

    def close(self) -> None:
        """Let go of connections."""


def gives_marks(sink: ActivationSink[Any]) -> bool:
    """Whether the channel may know two rows by one identifier."""
    return keeps_handles(sink) and type(sink).marks is not ActivationSink.marks


def counts_alone(sink: type[ActivationSink[Any]]) -> bool:
    """Whether a channel can say how many it holds, and never which."""
    return sink.listing is ActivationSink.listing and sink.size is not ActivationSink.size


def keeps_handles(sink: ActivationSink[Any]) -> bool:
    """Whether the channel knows rows by something else than their key."""
    return type(sink).handle is not ActivationSink.handle


def check_mode(sink: type[ActivationSink[Any]], sync: str, mode: str) -> None:
    """Raise ``ConfigError`` when the channel cannot do what the mode of a sync promises."""
    if mode not in sink.modes:
        what = f"its mode is {mode}, which {sink.name} cannot do"
        raise ConfigError(f"sync {sync}", what, choices(mode, sink.modes))
