"""What a target's author writes: how one channel takes changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from snello.activation import Change, Verdict
from snello.kit.channel.settings import ChannelSettings

Settings = TypeVar("Settings", bound=ChannelSettings)


class ActivationSink(Generic[Settings]):
    """One kind of thing in one channel.

    - ``name``: for messages; ``purpose``: the only one it serves, None for any; ``max_size``: rows a batch
    - ``settings``: the target's settings; ``sync``: the stream; ``terms``: what the sync says of itself (``list``)
    - ``batch_id``: idempotency key of the batch under way, the same whenever the same rows are repeated
    """

    name: ClassVar[str]
    purpose: ClassVar[str | None] = None
    max_size: int = 500

    def __init__(self, settings: Settings, sync: str, terms: Mapping[str, Any]) -> None:
        self.settings, self.sync, self.terms = settings, sync, terms
        self.batch_id = ""

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows; a verdict a row.

        - a row without a verdict is sent again by the next run
        - raises ``BatchRefused`` when the body as a whole is refused: the batch is halved until the guilty row is alone
        """
        raise NotImplementedError

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows no longer; a row that is already gone counts as delivered."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections."""
