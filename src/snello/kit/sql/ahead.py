"""Work ahead: what generators yield is made in threads while the caller uses what came before."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from queue import Full, Queue
from threading import Event, Lock, Thread
from typing import TypeVar

Item = TypeVar("Item")


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Ended:
    """A source has yielded its last item."""


def ahead(items: Iterator[Item], depth: int = 2) -> Generator[Item, None, None]:
    """The same items in the same order, at most ``depth`` of them made in advance.

    An exception of the generator is raised here; closing this generator ends the thread.
    """
    for _, item in together([items], 1, depth):
        if item is not None:
            yield item


def together(
    sources: Sequence[Iterator[Item]], at_once: int, depth: int = 1
) -> Generator[tuple[int, Item | None], None, None]:
    """The items of several generators as they are made, ``at_once`` generators at a time, each in its own order.

    - every item comes with the number of its source; None says that the source has ended
    - ``depth``: how many items wait for the caller, at most
    - an exception of a generator is raised here and ends the others, as does closing this generator
    """
    queue: Queue[tuple[int, object]] = Queue(depth)
    stopped, waiting, lock = Event(), iter(enumerate(sources)), Lock()

    def work() -> None:
        while not stopped.is_set():
            with lock:
                number, items = next(waiting, (-1, iter(())))
            if number < 0:
                return
            _fill(items, number, queue, stopped)

    threads = [Thread(target=work, daemon=True) for _ in range(min(at_once, len(sources)))]
    for thread in threads:
        thread.start()
    try:
        left = len(sources)
        while left:
            number, item = queue.get()
            if isinstance(item, _Failed):
                raise item.error
            if isinstance(item, _Ended):
                left -= 1
                yield number, None
            else:
                yield number, item  # type: ignore[misc]
    finally:
        stopped.set()
        for thread in threads:
            thread.join(timeout=5)


def _fill(items: Iterator[Item], number: int, queue: Queue[tuple[int, object]], stopped: Event) -> None:
    end: object = _Ended()
    try:
        for item in items:
            if not _put(queue, (number, item), stopped):
                return
    except BaseException as error:
        end = _Failed(error)
    finally:
        if isinstance(items, Generator):
            items.close()
    _put(queue, (number, end), stopped)


def _put(queue: Queue[tuple[int, object]], item: tuple[int, object], stopped: Event) -> bool:
    while not stopped.is_set():
        try:
            queue.put(item, timeout=0.2)
        except Full:
            continue
        return True
    return False
