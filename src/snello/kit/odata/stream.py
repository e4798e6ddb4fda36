"""Streams over entity sets of OData, version 4, described by the service's own metadata document.

    entity = entity_sets(metadata, "tap-acme")[0]
    class_ = stream_class(entity, How(bearer("token"), modified="modifiedAt"))

An entity set is read in one of three ways: by its moment of change, what changed since the last run; by the service's
delta links, what changed and what is gone; or whole, compared with the last reading. Section numbers are those of OData
Protocol 4.01; see docs/contracts/odata.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from singer_sdk import Tap

from snello.kit.http import Answer
from snello.kit.odata.answers import Answers
from snello.kit.odata.edm import EntitySet, key_predicate, literal
from snello.kit.odata.how import How, paging_of, schema_with
from snello.kit.odata.pages import Keyset, Skip, linked
from snello.kit.odata.reading import ODataReading
from snello.kit.rest.asking import Ask, Request, Row
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.compare import Compare
from snello.kit.rest.errors import Errors
from snello.kit.rest.host import Host
from snello.kit.rest.stream import RestStream

DELTA = "delta"
HEADERS = {
    # numbers that a double cannot hold come as text (JSON format, 3.2)
    "Accept": "application/json;odata.metadata=minimal;IEEE754Compatible=true",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
}
KEY = "(key)"  # at the end of a path: the address of one entity


class ODataStream(RestStream):
    """One row an entity."""

    url_base = "{url}"
    records_jsonpath = "$.value[*]"
    errors = Errors("$.error", code="$.error.code")
    workers = 8
    entity: EntitySet
    how: How

    def __init__(self, tap: Tap, host: Host) -> None:
        super().__init__(tap, host, schema=schema_with(self.entity, self.how))
        self.reading = self._reader = ODataReading(self)
        self._answers = Answers(self)
        self._delta_link: str | None = None

    # ------------------------------------------------------------ the request

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """The request for a page; the first one of a tracked set follows the link that the last run kept."""
        prefer = f"odata.maxpagesize={self.how.page_size}"
        first = self.how.track and not ask.url  # of a delta link too: else there is none after it (11.3.2)
        headers = HEADERS | {"Prefer": f"odata.track-changes,{prefer}" if first else prefer}
        link = ask.url or self.known_link
        if link:
            return Request("GET", link, headers=headers)
        params = {**self.query, **ask.params}
        start = self.paging.start if isinstance(self.paging, Keyset) else ""
        if begin is not None and self.replication_key and params.get("$filter", "") in ("", start):
            kind = self.entity.properties[self.replication_key].type
            params["$filter"] = f"{self.replication_key} ge {literal(kind, begin)}"
        return Request("GET", f"{self.address(context)}?{query_text(params)}", headers=headers)

    @cached_property
    def query(self) -> dict[str, Any]:
        """What every request of this set asks for: the selected properties, unless all are, and what comes along."""
        return {
            **self.how.parameters,
            **({"$select": ",".join(self.chosen)} if len(self.chosen) < len(self.entity.properties) else {}),
            **({"$expand": ",".join(self.along)} if self.along else {}),
        }

    @cached_property
    def chosen(self) -> Sequence[str]:
        """The selected properties."""
        return [name for name in self.names if name in self.entity.properties]

    @cached_property
    def along(self) -> Sequence[str]:
        """The selected navigation properties."""
        return [name for name in self.how.expand if name in self.names]

    def address_of(self, path: str, context: Mapping[str, Any]) -> str:
        """The address of the set; with ``KEY`` at the end of the path, that of the entity with the context's key."""
        if not path.endswith(KEY):
            return super().address_of(path, context)
        whole = super().address_of(path.removesuffix(KEY), {}) + key_predicate(self.entity.properties, context)
        return f"{whole}?{query_text(self.how.parameters)}" if self.how.parameters else whole

    # ------------------------------------------------------------ the answer

    def rows(self, answer: Answer) -> list[Row]:
        """The entities of the answer; where changes are tracked, removed ones as their keys and a moment."""
        found = self.listed(answer)
        if self.how.track:
            self._delta_link = linked(answer, "deltaLink") or self._delta_link
            return self._answers.changes(answer, found)
        if isinstance(self.paging, Skip):
            found = self._answers.whole(answer, found, self.how.page_size)
        return [self._answers.plain(answer, row) for row in found]

    def listed(self, answer: Answer) -> list[Row]:
        """The list in an answer. Raises ``ContractError`` when there is none."""
        return super().rows(answer)

    def follow(self, url: str) -> Answer:
        """The answer to a request for more of the same."""
        headers = HEADERS | {"Prefer": f"odata.maxpagesize={self.how.page_size}"}
        return self._reader.fetching.client.send(
            "GET", url, headers=headers, where=self.where, place=self.path, check=self.check
        )

    def among(self, condition: str) -> Answer:
        """The entities that fit a filter."""
        return self.follow(f"{self.address({})}?{query_text({**self.query, '$filter': condition})}")

    # ------------------------------------------------------------ the link for the next run

    @cached_property
    def shape(self) -> str:
        """Digest of what decides the listing."""
        told = [self.url_base, self.path, self.query, self.replication_key, repr(self.paging)]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()

    @property
    def known_link(self) -> str | None:
        """The delta link that the last run kept, if it is of this listing."""
        kept = self.stream_state.get(DELTA)
        return kept["link"] if self.how.track and isinstance(kept, dict) and kept.get("of") == self.shape else None

    def forget_link(self) -> None:
        """Read whole again: the service no longer knows the link (11.3.2)."""
        self.stream_state.pop(DELTA, None)

    def keep_link(self) -> None:
        """Keep the link that tells what changes after this reading; the last one, where the service gave none."""
        if self._delta_link is not None:
            self.stream_state[DELTA] = {"link": self._delta_link, "of": self.shape}
        elif self.how.track and self.known_link is None:
            told = "%s: the service hands out no delta link, and all is read in every run. Next: set delta without it"
            self.logger.warning(told, self.where)


def query_text(params: Mapping[str, Any]) -> str:
    """The query of an address: spaces as ``%20``, for a plus is a plus there (URL conventions, 2)."""
    return urlencode(params, quote_via=quote, safe="$,()'/:*")


def stream_class(entity: EntitySet, how: How) -> type[ODataStream]:
    """The stream of an entity set; ``how.modified`` and ``how.expand`` name properties that it has."""
    modified = None if how.track else how.modified
    listed = not how.track and modified is None
    compared = bool(entity.keys) and listed
    within = how.within.strip("/")
    path = f"/{within}/{entity.name}" if within else f"/{entity.name}"
    attributes: dict[str, Any] = {
        "__doc__": entity.description or ODataStream.__doc__,
        "__module__": __name__,
        "name": entity.name,
        "path": path,
        "primary_keys": entity.keys,
        "replication_key": modified,
        "auth": how.auth,
        "paging": paging_of(entity, how, modified),
        "compare": Compare(item=f"{path}{KEY}") if compared else None,
        "entity": entity,
        "how": how,
    }
    return type(entity.name, (ODataStream,), attributes)
