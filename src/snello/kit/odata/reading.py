"""The reading of an OData stream: removals become tombstones, and refusals of what a service cannot do have a cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from snello.errors import ConfigError, ContractError
from snello.kit.odata.answers import DELETED
from snello.kit.rest.asking import Row, Token
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.fetching import Fetching
from snello.kit.rest.reading import Reading
from snello.kit.rest.values import EXTRA, GONE
from snello.kit.rest.walk import Page

UNABLE = ("400 ", "405 ", "501 ")  # what services answer to query options that they do not know (Protocol, 9.3.1)


class Tracked(Protocol):
    """A stream that may go on from a link of the last run."""

    @property
    def known_link(self) -> str | None:
        """The delta link that the last run kept."""

    def forget_link(self) -> None:
        """Read whole again."""

    def keep_link(self) -> None:
        """Keep the link of this reading for the next run."""


class ODataFetching(Fetching):
    """Gets the pages of an entity set."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._tracked: Tracked = stream

    def fetch(self, context: Mapping[str, Any], begin: Mark, token: Token) -> Page:
        """The page of a token; all anew where the service forgot what it told last."""
        try:
            return super().fetch(context, begin, token)
        except ConfigError as fault:
            if token is not None or self._tracked.known_link is None or not fault.what.startswith("410 "):
                raise
        except ContractError as fault:
            if not fault.what.startswith(UNABLE):
                raise
            cure = "set paging to links for this service, or name another property in replication"
            raise ContractError(fault.where, fault.what, cure) from None
        told = "%s: the service forgot what it told last; reading all, what was removed since is not noticed"
        self.stream.logger.warning(told, self.stream.where)
        self._tracked.forget_link()
        return super().fetch(context, begin, token)


class ODataReading(Reading):
    """Reads an entity set."""

    @cached_property
    def fetching(self) -> Fetching:
        """What gets the pages."""
        return ODataFetching(self.stream)

    def _finished(self) -> None:
        super()._finished()
        tracked: Any = self.stream
        tracked.keep_link()

    def _shaped(self, rows: Sequence[Row], context: Mapping[str, Any]) -> list[Row]:
        removed = [row for row in rows if DELETED in row]
        if not removed:
            return super()._shaped(rows, context)
        self.counts["gone"] += len(removed)
        nothing = dict.fromkeys(self.shaper.names)
        keys = self.stream.primary_keys
        tombstones = [
            {**nothing, **{key: row[key] for key in keys}, EXTRA: None, GONE: row[DELETED]} for row in removed
        ]
        return super()._shaped([row for row in rows if DELETED not in row], context) + tombstones
