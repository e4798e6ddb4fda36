"""What a target's author writes: how one channel takes changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from snello.activation import Change, Verdict
from snello.kit.channel.settings import ChannelSettings

Settings = TypeVar("Settings", bound=ChannelSettings)


class ActivationSink(ABC, Generic[Settings]):
    """One kind of thing in one channel.

    - ``name``: for messages; ``purpose``: the only one it serves, None for any; ``max_size``: rows a batch
    - ``settings``: the target's settings; ``sync``: the stream; ``title``: the name its list shall have in the channel
    - ``batch_id``: idempotency key of the batch under way, the same whenever the same rows are repeated
    """

    name: ClassVar[str]
    purpose: ClassVar[str | None] = None
    max_size: int = 500

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        self.settings, self.sync, self.title = settings, sync, title
        self.batch_id = ""

    @abstractmethod
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows; a verdict a row.

        - a row without a verdict is sent again by the next run
        - raises ``BatchRefused`` when the body as a whole is refused: the batch is halved until the guilty row is alone
        """

    @abstractmethod
    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Make the channel hold these rows no longer; a row that is already gone counts as delivered."""

    def close(self) -> None:
        """Let go of connections."""
