"""What a tap's author says about one source, so that the suite can try the tap on it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Key = tuple[Any, ...]
Rows = dict[str, dict[Key, dict[str, Any]]]
Ability = Literal["http", "changes", "ties", "removes", "grows", "authenticates", "renews", "again"]
"""What a source may lack, and then says why:

- ``http``: it answers over HTTP, so that a proxy can break its calls
- ``changes``: a changed row is read again and the others are not; ``ties``: rows of one moment come late
- ``removes``: a row that is gone is told; ``grows``: it can be made to hold many rows
- ``authenticates``: it knows its callers; ``renews``: credentials that expire are renewed
- ``again``: a process can run the tap again; else each run has a process of its own
"""


@dataclass(frozen=True)
class Subject:
    """A tap and a source that is up.

    - ``command``: the tap's, as ``module:function``; ``plugin``: its class, as ``module:class``
    - ``config``: its settings for a source at this address; ``url``: that address, a proxy may be put before it
    - ``rows``: how many rows each stream has, each with a key of its own
    - ``canaries``: texts in the rows, and secrets of the settings, that nobody may read in a log or a state
    - ``change``: change a row; its stream and key. ``overlap``: rows that a second run may read again beside it
    - ``tie``: add rows of the moment of the last one; their stream and keys
    - ``remove``: take a row away; its stream and key
    - ``grow``: make the source hold about so many rows; ``full``: as many as fill what the tap gathers
    - ``hurried``: settings by which an answer is waited for a second at most
    - ``wrong``: settings with credentials that are none
    - ``volatile``: columns that differ from run to run, such as the name of the run
    """

    command: str
    plugin: str
    config: Callable[[str], dict[str, Any]]
    rows: Mapping[str, int]
    canaries: tuple[str, ...]
    url: str = ""
    change: Callable[[], tuple[str, Key]] | None = None
    overlap: int = 0
    tie: Callable[[], tuple[str, list[Key]]] | None = None
    remove: Callable[[], tuple[str, Key]] | None = None
    grow: Callable[[int], None] | None = None
    full: int = 5_000
    hurried: Mapping[str, Any] = field(default_factory=lambda: {"timeout": 1})
    wrong: Mapping[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Start:
    """Brings a source up for one case; ``lacks``: what it cannot do, and why; ``real``: it is a server of weight."""

    name: str
    subject: Callable[[], AbstractContextManager[Subject]]
    lacks: Mapping[Ability, str]
    real: bool = False

    def __call__(self) -> AbstractContextManager[Subject]:
        """A source of its own."""
        return self.subject()


def starts(
    lacks: Mapping[Ability, str] | None = None, *, real: bool = False
) -> Callable[[Callable[[], Iterator[Subject]]], Start]:
    """Make a generator that brings a source up, yields a subject and takes it down, known to the suite."""

    def known(generator: Callable[[], Iterator[Subject]]) -> Start:
        return Start(generator.__name__, contextmanager(generator), MappingProxyType(dict(lacks or {})), real)

    return known


def found(folder: Path) -> list[Start]:
    """The subjects that a connector's ``conformance.py`` declares, none when it has no such file."""
    path = folder / "conformance.py"
    if not path.exists():
        return []
    spec = importlib.util.spec_from_file_location(f"conformance_of_{folder.name.replace('-', '_')}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [each for each in vars(module).values() if isinstance(each, Start)]
