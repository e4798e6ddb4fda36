"""A Singer tap over a service that speaks OData, version 4: its streams are what the service's metadata describes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import ClassVar, TypeVar

from pydantic import BaseModel
from singer_sdk import Stream

from snello.errors import ConfigError, ContractError, choices
from snello.kit.configuration import settings_of
from snello.kit.http import Auth, Limit, Retry, basic, bearer, oauth2_client, session_login
from snello.kit.odata.edm import INTEGERS, MOMENTS, EntitySet
from snello.kit.odata.edmx import entity_sets
from snello.kit.odata.how import How
from snello.kit.odata.settings import MODIFIED, ODataSettings
from snello.kit.odata.stream import query_text, stream_class
from snello.kit.quarantine import NAME
from snello.kit.rest.tap import RestTap

BUSINESS_ONE = {"CompanyDB": "{company}", "UserName": "{user}", "Password": "{password}"}
WAYS = {  # settings that belong together
    "user": ("user", "password"),
    "company": ("company", "user", "password"),
    "token": ("token",),
    "client_id": ("token_url", "client_id", "client_secret"),
}

Value = TypeVar("Value")


@dataclass
class _Description:
    """What asks for the metadata document."""

    auth: Auth | None
    retry: Retry = field(default_factory=Retry)
    limit: Limit | None = None
    workers: int = 1
    cached: bool = False


class ODataTap(RestTap):
    """Reads the entity sets of a service."""

    settings: ClassVar[type[BaseModel]] = ODataSettings
    dynamic_catalog = True

    @cached_property
    def told(self) -> ODataSettings:
        """The settings, typed."""
        return settings_of(ODataSettings, self.config, self.name)

    def discover_streams(self) -> Sequence[Stream]:
        """``_quarantine``, and one stream an entity set."""
        sets = {each.name: each for each in entity_sets(self._metadata(), self.name)}
        self._check_names(sets)
        chosen = [each for name, each in sets.items() if _fits(name, self.told.entities)]
        classes = [stream_class(each, self._how(each)) for each in chosen if each.readable]
        return [*super().discover_streams(), *(made(self, self) for made in classes)]

    def _metadata(self) -> bytes:
        url = f"{self.told.url.rstrip('/')}/$metadata"
        query = f"?{query_text(self.told.parameters)}" if self.told.parameters else ""
        client = self.client(_Description(self._auth))
        answer = client.send("GET", url + query, headers={"Accept": "application/xml"}, decode=_as_it_is)
        content: bytes = answer.document
        return content

    # ------------------------------------------------------------ settings as they fit the service

    @cached_property
    def _auth(self) -> Auth | None:
        way = next(
            (name for name in ("token", "client_id", "token_url", "company", "user") if self.config.get(name)), ""
        )
        way = "client_id" if way == "token_url" else way
        missing = [name for name in WAYS.get(way, ()) if not self.config.get(name)]
        if missing:
            raise ConfigError(self.name, f"setting {missing[0]} is missing", f"set {' and '.join(missing)}")
        if way == "client_id":
            return oauth2_client("{token_url}", scope=self.told.scope or "")
        if way == "company":
            return session_login("/Login", BUSINESS_ONE)
        if way == "user":
            return basic("user", "password")
        return bearer("token") if way == "token" else None

    def _check_names(self, sets: Mapping[str, EntitySet]) -> None:
        """Every name and pattern of the settings, and of the catalog, stands for an entity set."""
        told = self.told
        for setting in ("entities", "replication", "delta", "expand"):
            for pattern in getattr(told, setting) or ():
                if not any(fnmatchcase(name, pattern) for name in sets):
                    what = f"setting {setting}: the service has no entity set {pattern}"
                    raise ConfigError(self.name, what, choices(pattern, sets))
        entries = self.input_catalog.streams if self.input_catalog is not None else ()
        for entry in entries:
            name, selected = entry.tap_stream_id, entry.metadata.resolve_selection().get((), True)
            if selected and name != NAME and name not in sets:
                what = f"the catalog selects {name}, and the service has no such entity set"
                raise ContractError(self.name, what, f"{choices(name, sets)}. Else deselect it")

    def _how(self, entity: EntitySet) -> How:
        told = self.told
        along = _of(entity.name, told.expand) or []
        for name in along:
            if name not in entity.navigations:
                what = f"setting expand: {entity.name} has no navigation property {name}"
                raise ConfigError(self.name, what, choices(name, entity.navigations))
        tracked = entity.tracks_changes if told.delta is None else _fits(entity.name, told.delta)
        return How(
            auth=self._auth,
            modified=self._modified(entity),
            track=tracked and bool(entity.keys),
            page_size=told.page_size,
            paging=told.paging,
            expand=tuple(along),
            within=told.within,
            parameters=told.parameters,
        )

    def _modified(self, entity: EntitySet) -> str | None:
        known = entity.properties
        usual = (name for name in MODIFIED if name in known and known[name].type in MOMENTS)
        named = next((pattern for pattern in self.told.replication if fnmatchcase(entity.name, pattern)), None)
        if named is None:
            return next((name for name in usual if entity.walks_by((name,))), None)
        given = self.told.replication[named]
        if not given:
            return None
        if given not in known:
            what = f"setting replication: {entity.name} has no property {given}"
            raise ConfigError(self.name, what, choices(given, known))
        if known[given].type not in MOMENTS | INTEGERS:
            what = f"setting replication: {given} of {entity.name} is neither a moment nor a whole number"
            raise ConfigError(self.name, what, "name another property, or null to read the entity set whole")
        return given


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _of(name: str, by_pattern: Mapping[str, Value]) -> Value | None:
    """What the first pattern that fits says."""
    return next((value for pattern, value in by_pattern.items() if fnmatchcase(name, pattern)), None)


def _as_it_is(content: bytes) -> bytes:
    return content
