"""Dead letters as they are shown: by code with what to do about it, then row by row; or one row's whole story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from snello.activation import Ledger
from snello.activation.dead import DeadLetter, letters, todo
from snello.cli.ledger import Receipts
from snello.cli.screen import Block, Grid, Line
from snello.cli.tables import Row
from snello.errors import ConfigError, choices
from snello.settings import Settings

_LETTER = ("sync", "key", "op", "status", "code", "attempts", "since")
_RECEIPT = ("at", "op", "status", "code", "reason", "attempt", "run_id")


@dataclass(frozen=True)
class Letters:
    """Dead letters of one sync or all, of which ``shown`` are listed; ``codes``: how many with what there is to do."""

    codes: list[Row]
    shown: list[DeadLetter]
    rows: int


@dataclass(frozen=True)
class Story:
    """One row: how it stands, what to do about it, and every receipt, newest first."""

    sync: str
    key: str
    stands: Row
    todo: str
    receipts: list[Row]


def listed(hub: Settings, sync: str | None, code: str | None, limit: int) -> Letters:
    """The dead letters; raises ``ConfigError`` when there is no such sync."""
    receipts = Receipts(hub.ledger)
    if sync is not None:
        _check_sync(receipts, sync)
    found = _found(hub, sync, code)
    kinds = Counter((letter.sync, letter.op, letter.status, letter.code, letter.todo) for letter in found)
    names = ("sync", "op", "status", "code", "todo")
    codes = [dict(zip(names, kind, strict=True)) | {"rows": rows} for kind, rows in kinds.most_common()]
    return Letters(codes, found[:limit], len(found))


def told(hub: Settings, sync: str, key: str) -> Story:
    """The story of one row, dead or not; raises ``ConfigError`` when the sync never had it."""
    receipts = Receipts(hub.ledger)
    _check_sync(receipts, sync)
    stands, story = receipts.held(sync, key), receipts.of(sync, key)
    if stands is None:
        raise ConfigError(f"sync {sync}", f"it never sent {key!r}", f"run `snello dead list {sync}`")
    return Story(sync, key, stands, todo(stands["op"], stands["status"], stands["code"]), story)


def page(found: Letters) -> Iterator[Block]:
    """Counts with their cure, then the rows."""
    if not found.rows:
        yield Line("No dead letter: every row that was sent was taken, or is still to be sent.", "ok")
        return
    columns = ("sync", "op", "status", "code", "rows", "todo")
    yield Grid("Dead letters", columns, [[row[name] for name in columns] for row in found.codes])
    yield Line("")
    title = f"{len(found.shown):,} of {found.rows:,} rows" if len(found.shown) < found.rows else ""
    yield Grid(title, _LETTER, [[getattr(letter, name) for name in _LETTER] for letter in found.shown])


def story_page(story: Story) -> Iterator[Block]:
    """How it stands, then its receipts."""
    stands = " ".join(str(story.stands[name]) for name in ("op", "status", "code") if story.stands[name])
    yield Line(f"{story.sync}: {story.key}: {stands}", "title")
    if story.stands["status"] not in ("delivered", "in_doubt", "retrying"):
        yield Line(f"What to do: {story.todo}.")
    yield Grid("", _RECEIPT, [[row[name] for name in _RECEIPT] for row in story.receipts])


def _found(hub: Settings, sync: str | None, code: str | None) -> list[DeadLetter]:
    file = hub.ledger.removeprefix("sqlite:///")
    if file != hub.ledger and not Path(file).is_file():
        return []  # to ask would be to make it
    with closing(Ledger(hub.ledger)) as ledger:
        return letters(ledger, sync, code)


def _check_sync(receipts: Receipts, sync: str) -> None:
    known = receipts.syncs()
    if not known:
        raise ConfigError("dead letters", "no sync has run yet", "run `meltano run loop`")
    if sync not in known:
        raise ConfigError("dead letters", f"no sync {sync!r} has run", choices(sync, known))
