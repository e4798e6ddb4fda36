"""What a target's author says about one channel, so that the suite can try the target on it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from snello.kit.channel import ActivationSink, ActivationTarget
from snello.kit.conformance.faults import Seen

Row = Mapping[str, Any]
Ability = Literal[
    "http", "changes", "refuses", "foreign", "lost", "answers_by_row", "says_json", "own_purpose", "authenticates",
    "whole", "replaces", "renames", "handles",
]  # fmt: skip
"""What a channel may lack, and then says why:

- ``http``: it speaks HTTP, so that a proxy can stand before it; without, faults and deaths are tried by own tests
- ``changes``: a row that it holds can be changed and taken away, which a letter that was sent cannot
- ``refuses``: it refuses rows for what is in them
- ``foreign``: it holds rows of others beside ours; ``lost``: others can take ours away
- ``answers_by_row``: an answer names the rows that it judges
- ``says_json``: an answer that is not JSON is no answer
- ``own_purpose``: its sink serves one purpose alone
- ``authenticates``: it knows its callers
- ``whole``: a session of it that is cut off between two calls leaves what was there as it was

Three more follow from what the target's sink says of itself, and need not be written down:

- ``replaces``: mode ``replace``; ``renames``: ``move``; ``handles``: it knows people by something else than our key
"""


def writes(seen: Seen) -> bool:
    """Whether a call may change what the channel holds: any but a reading one."""
    return seen.method not in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Subject:
    """A target and a channel that is up.

    - ``command``: the target's, as ``module:function``; ``config``: its settings for a channel at this URL
    - ``url``: where the channel answers; where it speaks HTTP a proxy is put before it
    - ``terms``: the sync's settings: purpose, channel, list
    - ``columns``: an audience row by number and version, without its customer_id; one text in it says *canary*, and a
      version changes it
    - ``held``: what the channel holds of ours, as pairs of customer_id and payload; a doubled row is two pairs
    - ``shown``: the payload that the channel holds once this audience row was delivered
    - ``effects``: each change that its owner noticed, so that none may come twice; None when it cannot tell
    - ``bad``: columns that the channel refuses, with the code of the receipt
    - ``seed``, ``foreign``: put rows of others there, look at them; ``lose``: somebody takes a row of ours away
    - ``secrets``: texts in ``config`` that nobody may read in a log
    - ``rows``: how many make several calls; ``writes``: which calls have an effect
    - ``pauses``: constants of the target's modules, as ``module:name``, that say how long it waits of its own choice,
      each with the seconds that do for a channel on this machine
    """

    command: str
    url: str
    config: Callable[[str], dict[str, Any]]
    terms: Mapping[str, Any]
    columns: Callable[[int, int], Row]
    held: Callable[[], Iterator[tuple[str, Any]] | list[tuple[str, Any]]]
    shown: Callable[[Row], Any]
    effects: Callable[[], list[Any]] | None = None
    bad: tuple[tuple[Row, str], ...] = ()
    seed: Callable[[], None] | None = None
    foreign: Callable[[], Any] | None = None
    lose: Callable[[str], None] | None = None
    secrets: tuple[str, ...] = ()
    rows: int = 6
    writes: Callable[[Seen], bool] = field(default=writes)
    pauses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Start:
    """Brings a channel up for one case; ``lacks``: what it cannot do, and why."""

    name: str
    subject: Callable[[], AbstractContextManager[Subject]]
    lacks: Mapping[Ability, str]

    def __call__(self) -> AbstractContextManager[Subject]:
        """A channel of its own, empty of our rows."""
        return self.subject()


def starts(lacks: Mapping[Ability, str] | None = None) -> Callable[[Callable[[], Iterator[Subject]]], Start]:
    """Make a generator that brings a channel up, yields a subject and takes it down, known to the suite."""

    def known(generator: Callable[[], Iterator[Subject]]) -> Start:
        return Start(generator.__name__, contextmanager(generator), MappingProxyType(dict(lacks or {})))

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
    unable = _unable(folder.name.replace("-", "_"))
    each = [one for one in vars(module).values() if isinstance(one, Start)]
    return [replace(one, lacks=MappingProxyType({**unable, **one.lacks})) for one in each]


def _unable(package: str) -> dict[Ability, str]:
    """What the sink of a package's target says that it cannot do; nothing where there is no such package."""
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError:
        return {}
    targets = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, ActivationTarget)]
    return unable(next(one for one in targets if one is not ActivationTarget).sinks[0])


def unable(sink: type[ActivationSink[Any]]) -> dict[Ability, str]:
    """What a sink cannot do, by what it says of itself, each with the reason."""
    said: dict[Ability, tuple[bool, str]] = {
        "replaces": ("replace" in sink.modes, "replace is none of its modes"),
        "renames": (sink.move is not ActivationSink.move, "it has no move"),
        "handles": (sink.handle is not ActivationSink.handle, "it knows rows by our key"),
    }
    return {ability: reason for ability, (able, reason) in said.items() if not able}
