"""Work one step ahead: what a generator yields is made in a thread while the caller uses the item before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_DONE = object()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def ahead(items: Iterator[Item], depth: int = 2) -> Generator[Item, None, None]:
    """The same items in the same order, at most ``depth`` of them made in advance.

    An exception of the generator is raised here; closing this generator ends the thread.
    """
    queue: Queue[object] = Queue(depth)
    stopped = Event()
    thread = Thread(target=_fill, args=(items, queue, stopped), daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _DONE:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join(timeout=5)


def _fill(items: Iterator[Item], queue: Queue[object], stopped: Event) -> None:
    try:
        for item in items:
            if not _put(queue, item, stopped):
                return
        _put(queue, _DONE, stopped)
    except BaseException as error:
        _put(queue, _Failed(error), stopped)
    finally:
        if isinstance(items, Generator):
            items.close()


def _put(queue: Queue[object], item: object, stopped: Event) -> bool:
    while not stopped.is_set():
        try:
            queue.put(item, timeout=0.2)
        except Full:
            continue
        return True
    return False
