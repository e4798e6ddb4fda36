"""The reading of one stream: its pages walked, shaped, compared and written, its children after it, the state last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from singer_sdk.helpers._batch import BatchConfig

from snello.errors import RetryLater, SnelloError
from snello.kit.rest.asking import Row
from snello.kit.rest.bookmarks import Bookmark, Mark, mark
from snello.kit.rest.compare import GENERATION, Comparison
from snello.kit.rest.fetching import Fetching
from snello.kit.rest.outlet import Gate, Outlet
from snello.kit.rest.paging import is_steady
from snello.kit.rest.stream import RestStream
from snello.kit.rest.values import GONE, Shaper, Unfit
from snello.kit.rest.vanished import Vanished

Note = Callable[[], None]


class Reading:
    """Reads ``stream`` and writes what it finds; ``counts`` tells rows, pages, and what was left out."""

    def __init__(self, stream: RestStream) -> None:
        self.stream = stream
        self.counts: Counter[str] = Counter()
        self._outlet: Outlet | None = None
        self._counter: Any = None

    # ------------------------------------------------------------ a run

    def run(self, config: BatchConfig | None) -> None:
        """Read and write everything; a fault that is not the server's being away does not stop other streams."""
        stream = self.stream
        family = [reading for reading in self._family() if reading.stream.selected]
        for reading in family:
            reading._outlet = reading.stream.outlet(config)
            if reading is not self:
                reading.stream.announce()
        outlets = [reading._outlet for reading in family if reading._outlet]
        try:
            with ExitStack() as stack:
                for reading in family:
                    counter = stack.enter_context(reading.stream.get_record_counter())
                    reading._counter = counter
                stack.enter_context(stream.get_sync_timer())
                again = True
                while again:
                    for rows, note in self._rows():
                        self._put(rows)
                        if any(outlet.due for outlet in outlets) or config is None:
                            self._settle(outlets, note)
                    # a walk that was cut off ends as of its own start: what changed since is read now, not tomorrow;
                    # where rows are listed by change, the walk has met it
                    cut_off = self.bookmark.resumed is not None
                    again = cut_off and stream.since is not None and not is_steady(stream.paging)
                    self._settle(outlets, self._finished)
        except SnelloError as fault:
            if isinstance(fault, RetryLater):
                stream.host.close()
                raise
            for outlet in outlets:
                outlet.flush()
            stream.host.failed(fault)
        except BaseException:  # a signal, too: pages that wait to be asked for again must not hold up the end
            stream.host.close()
            raise

    def _settle(self, outlets: Sequence[Outlet], note: Note) -> None:
        """Only now: a signal may write the state at any moment."""
        for outlet in outlets:
            outlet.flush()
        note()
        self.stream.settle()

    def _family(self) -> Iterator[Reading]:
        yield self
        for child in self.stream.children():
            yield from _of(child)._family()

    def _put(self, rows: Sequence[Row]) -> None:
        """Write rows, then what hangs on them."""
        if rows and self._outlet is not None:
            checked = self.gate.check(rows, table=self._outlet.columnar)
            self._outlet.put(checked)
            self.counts["rows"] += len(checked.rows)
            self._counter.increment(len(checked.rows))
        there = [row for row in rows if row.get(GONE) is None]
        for child in self.stream.children() if there else ():
            reading = _of(child)
            for found in reading._of_parents(there):
                reading._put(found)

    def records(self, context: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The rows one by one; the caller writes them."""
        if self.stream.parent is not None:
            pages = self.fetching.pages(context)
            found: Iterator[Any] = ((self._shaped(page.rows, context), None) for page in pages)
        else:
            found = self._rows()
        for rows, note in found:
            checked = self.gate.check(rows)
            self.counts["rows"] += len(checked.rows)
            yield from checked.rows
            if note:
                note()
        if self.stream.parent is None:
            self._finished()

    # ------------------------------------------------------------ rows

    def _rows(self) -> Iterator[tuple[list[Row], Note]]:
        """What is to be emitted, a page at a time, and what notes in the state that it was."""
        self._begin()
        if self.comparison is not None:
            yield from self._compared(self.comparison)
            return
        bookmark, keys = self.bookmark, self.stream.primary_keys
        for page in self.fetching.resumed(self.bookmark):
            bookmark.heard(page.answer.headers.get("Date"))
            rows, last = self._shaped(page.rows, {}), False
            if self.stream.newest_first and bookmark.asked is not None:
                rows, last = self._newer(rows, bookmark.asked)
            bookmark.saw(rows, keys)
            fresh = [row for row in rows if not bookmark.known(row, keys)]
            self.counts["unchanged"] += len(rows) - len(fresh)
            yield fresh, partial(self.fetching.note, self.bookmark, page) if page.following is not None else _nothing
            if last:
                return

    def _newer(self, rows: Sequence[Row], bound: Mark) -> tuple[list[Row], bool]:
        """The rows down to what was seen, and whether that was reached; an old row may be pinned to the top."""
        key = self.stream.replication_key or ""
        newer = [row for row in rows if (at := mark(row.get(key))) is None or at >= bound]
        return newer, bool(rows) and rows[-1] not in newer[-1:]

    def _compared(self, comparison: Comparison) -> Iterator[tuple[list[Row], Note]]:
        vanished = Vanished(self.stream, comparison, self.fetching.client)
        try:
            for page in self.fetching.pages({}):
                vanished.saw(page)
                rows = self._shaped(page.rows, {})
                changed = comparison.changed(rows)
                self.counts["unchanged"] += len(rows) - len(changed)
                yield changed, _nothing
            gone = vanished.gone()
            self.counts["gone"] += len(gone)
            now = datetime.now(UTC).isoformat()
            names = self.shaper.names
            yield [{**dict.fromkeys(names), **row, GONE: now} for row in gone], _nothing
            self._generation = comparison.close()
        finally:
            comparison.drop()

    def _of_parents(self, parents: Sequence[Row]) -> Iterator[list[Row]]:
        """The rows that hang on those of the parent."""
        by = self.stream.by
        only = self.stream.only_with
        having = [row for row in parents if only is None or row.get(only)]
        contexts = [{name: row.get(field) for name, field in by.items()} for row in having]
        wanted = [context for context in contexts if None not in context.values()]
        for context, page in self.fetching.listings(wanted):
            yield self._shaped(page.rows, context)

    def _shaped(self, rows: Sequence[Row], context: Mapping[str, Any]) -> list[Row]:
        shaped, refused = [], []
        given = {name: value for name, value in context.items() if name in self.shaper.names}
        self.counts["read"] += len(rows)
        for row in rows:
            try:
                shaped.append(self.shaper.shape({**given, **row} if given else row))
            except Unfit as unfit:
                refused.append((row, unfit.reason))
        if refused:
            self.gate.turn_away(refused)
        return shaped

    # ------------------------------------------------------------ parts

    def _begin(self) -> None:
        stream = self.stream
        incremental = stream.replication_method == "INCREMENTAL" and stream.compare is None
        key = stream.replication_key if incremental else None
        state = stream.stream_state
        self.bookmark = Bookmark(state, key, stream.overlap, stream.shape, stream.host.started)
        self.bookmark.begin(stream.host.start_date if key else None)
        self.comparison: Comparison | None = None
        if stream.compare is not None:
            memory = stream.host.memory(stream.name)
            generation = state.get(GENERATION)
            memory.prune(generation)
            volatile = frozenset(stream.compare.volatile)
            self.comparison = Comparison(memory, tuple(stream.primary_keys), volatile, generation)

    def _finished(self) -> None:
        self.bookmark.finish()
        if self.comparison is not None:
            self.stream.stream_state[GENERATION] = self._generation

    @cached_property
    def fetching(self) -> Fetching:
        """What gets the pages."""
        return Fetching(self.stream)

    @cached_property
    def shaper(self) -> Shaper:
        """What makes rows of records."""
        return Shaper(self.stream.selected_schema, self.stream.values, self.stream.primary_keys)

    @cached_property
    def gate(self) -> Gate:
        """What checks rows against the schema."""
        stream = self.stream
        return Gate(stream.name, stream.selected_schema, stream.primary_keys, stream.host.quarantine.refuse)

    @property
    def refused(self) -> int:
        """Rows that went to the quarantine."""
        return self.gate.refused if self.counts else 0

    def tell(self) -> None:
        """Log what was read, what was left out, and what is new in the interface."""
        if not self.counts:
            return
        counts, stream = self.counts, self.stream
        more = "".join(f", {counts[name]:,} {name}" for name in ("unchanged", "gone") if counts[name])
        stream.logger.info("%s: %s rows%s", stream.where, f"{counts['rows']:,}", more)
        if refused := self.gate.refused:
            stream.logger.warning("%s: %s rows refused, see stream _quarantine", stream.where, f"{refused:,}")
        if undeclared := self.shaper.undeclared:
            names = ", ".join(sorted(undeclared))
            told = "%s: fields not in the schema, kept in _extra: %s. Next: declare them, or leave them out"
            stream.logger.warning(told, stream.where, names)


def _of(stream: RestStream) -> Reading:
    reading = stream.reading
    assert isinstance(reading, Reading)
    return reading


def _nothing() -> None:
    """Nothing to note: the walk goes on from its beginning when it is cut off."""
