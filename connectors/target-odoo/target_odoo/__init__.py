"""Write an audience back to Odoo: its members' contacts bear a tag and named fields, the departed lose them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Change,
    ChannelSettings,
    Held,
    Size,
    Verdict,
)
from snello.kit.entry import entry
from target_odoo.calling import Odoo, Protocols
from target_odoo.partners import MODULE, PARTNER, Found, Partners, block, check_blacklist, check_tag, tag_called
from target_odoo.values import Mapped, Unfit, check_fields, fitted, imported

FIXED_CALLS, CALLS_A_BATCH = 5, 8


class Match(BaseModel):
    """A column and the field that hold the same."""

    column: str = Field(description="A column of the audience.")
    field: str = Field(description="The partner's field with the same value; id for Odoo's own number.")


class Settings(ChannelSettings):
    """Settings of target-odoo."""

    url: str = Field(pattern="^https?://", description="Root of the Odoo server.")
    database: str = Field(description="Name of the database.")
    login: str = Field("", description="The user's login; needed up to version 18.")
    api_key: SecretStr = Field(description="The user's API key; up to version 18 the password does too.")
    protocol: Protocols = Field("auto", description="jsonrpc, json2, or auto: json2 where the server is 19 or newer.")
    fields: dict[str, str] = Field({}, description="Column to field of res.partner; no other field is written.")
    clear: list[str] = Field([], description="Fields that a blank column empties; otherwise a blank changes nothing.")
    on_leave: dict[str, Any] = Field({}, description="Values that fields get when their customer leaves the audience.")
    only_set: list[str] = Field(["opt_out"], description="Fields that become true and never false: refusals.")
    match: list[Match] = Field([], description="Where to look for customers without external id, the best first.")
    create: bool = Field(False, description="Make partners for customers that Odoo does not have.")
    tag: str | None = Field(None, description="The contact tag to keep. Default: the sync's list, else its name.")
    tag_id: int | None = Field(None, description="Its number instead.")
    create_tag: bool = Field(False, description="Make the tag when Odoo has none of that name.")
    blacklist: str = Field("", description="Column that is true where the address belongs on Odoo's blacklist.")
    email: str = Field("email", description="Column with the address for the blacklist.")
    batch_size: int = Field(200, ge=1, le=1000, description="Most customers a call.")
    requests_per_second: float = Field(5, gt=0, description="Most calls a second.")


class Contacts(ActivationSink[Settings]):
    """One partner a customer, known by the external id ``snello.<customer_id>``."""

    name = "partners"
    modes = frozenset({"mirror", "upsert", "insert", "update"})

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Tag and fields on the partners there are; new partners by one import where that is wanted."""
        values: dict[str, dict[str, Any]] = {}
        for change in changes:
            try:
                values[change.key] = self._values(change)
            except Unfit:
                yield Verdict.refused(change.key, "bad_value")
        fit = [change for change in changes if change.key in values]
        assert self._checked
        self._block(fit)
        partners, refused = self._partners(fit)
        yield from (Verdict.refused(key, code) for key, code in refused.items())
        new = [change for change in fit if change.key not in partners.keys() | refused.keys()]
        yield from self._written(partners, values)
        if new and self.settings.create and changes[0].mode != "update":
            yield from self._created(new, values)
        else:
            yield from (Verdict.refused(change.key, "not_there") for change in new)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The tag off, and the fields as a customer leaves them; the partner stays."""
        there = self.partners.linked(change.key for change in changes)
        if ids := sorted(one.id for one in there.values()):
            self.odoo.call(PARTNER, "write", ids=ids, vals={**self._leaving, "category_id": [[3, self.tag, 0]]})
        for change in changes:
            yield Verdict.delivered(change.key)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The same, and the external id; Odoo's own record of the person is Odoo's to erase."""
        yield from self.remove(changes)
        self.partners.forget(change.key for change in changes)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The partner of a customer who is another now keeps its tag under the other's external id."""
        for change in changes:
            if not self.partners.rename(change.moved_from or "", change.key):
                list(self.remove([Change("remove", change.moved_from or "")]))
        yield from self.upsert(changes)

    def listing(self) -> Iterator[Held]:
        """Partners with the tag and an external id of ours."""
        return (Held(key, str(number)) for key, number in self.partners.tagged(self.tag))

    def size(self) -> Size:
        """Partners with the tag, ours and others', without the archive."""
        return Size(int(self.odoo.call(PARTNER, "search_count", domain=[["category_id", "in", [self.tag]]])))

    def requests(self, upserts: int, removals: int) -> int:
        """At most, for upserts whose values all differ: a write each; in between a few calls a batch."""
        batches = -(-upserts // self.max_size) + -(-removals // self.max_size)
        return FIXED_CALLS + batches * CALLS_A_BATCH + (upserts if self.settings.fields else 0)

    def close(self) -> None:
        """Close the connection."""
        self.odoo.http.close()

    @cached_property
    def odoo(self) -> Odoo:
        """The database under the settings' user."""
        given = self.settings
        key = given.api_key.get_secret_value()
        found = Odoo(given.url, given.database, given.login, key, given.protocol)
        found.connect(given.retry, given.requests_per_second)
        return found

    @cached_property
    def partners(self) -> Partners:
        """The search for partners."""
        return Partners(self.odoo, [(pair.column, pair.field) for pair in self.settings.match])

    @cached_property
    def tag(self) -> int:
        """The tag, found or made once a run."""
        given = self.settings
        if given.tag_id is not None:
            return check_tag(self.odoo, given.tag_id)
        return tag_called(self.odoo, given.tag or self.title, given.create_tag)

    @cached_property
    def _mapped(self) -> Mapped:
        """Columns to fields, looked up once a run before anything is written."""
        given = self.settings
        wanted = [*given.fields.values(), *given.on_leave]
        known = self.odoo.call(PARTNER, "fields_get", attributes=["type", "readonly"])
        kinds = check_fields(known, wanted)
        return Mapped(given.fields, kinds, frozenset(given.clear), frozenset(given.only_set))

    @cached_property
    def _leaving(self) -> dict[str, Any]:
        kinds, only_set = self._mapped.kinds, self._mapped.only_set
        found = {}
        for field, value in self.settings.on_leave.items():
            fit = False if value is None else fitted(kinds[field], value)
            if fit is not False or field not in only_set:
                found[field] = fit
        return found

    @cached_property
    def _checked(self) -> bool:
        """Tag, fields and blacklist are looked at once a run, before anything is written. Raises ``ConfigError``."""
        if self.settings.blacklist:
            check_blacklist(self.odoo)
        return bool(self._mapped.kinds.keys() | {self.tag})

    def _values(self, change: Change) -> dict[str, Any]:
        return self._mapped.of(change.payload)

    def _partners(self, changes: Sequence[Change]) -> tuple[dict[str, Found], dict[str, str]]:
        """The partners of these customers, each with an external id from now on; and why some have none."""
        there = self.partners.linked(change.key for change in changes)
        found, refused = self.partners.matched([change for change in changes if change.key not in there])
        archived = {key: "archived" for key, one in {**there, **found}.items() if not one.active}
        self.partners.link({key: one for key, one in found.items() if one.active})
        return {key: one for key, one in {**there, **found}.items() if one.active}, refused | archived

    def _written(self, partners: Mapping[str, Found], values: Mapping[str, dict[str, Any]]) -> Iterator[Verdict]:
        """One write for all partners that get the same."""
        alike: dict[str, list[str]] = {}
        for key in partners:
            alike.setdefault(json.dumps(values[key], sort_keys=True), []).append(key)
        for keys in alike.values():
            whole = {**values[keys[0]], "category_id": [[4, self.tag, 0]]}
            self.odoo.call(PARTNER, "write", ids=[partners[key].id for key in keys], vals=whole)
            yield from (Verdict.delivered(key, str(partners[key].id)) for key in keys)

    def _created(self, changes: Sequence[Change], values: Mapping[str, dict[str, Any]]) -> Iterator[Verdict]:
        """New partners by Odoo's import, partner and external id at once; it names the rows that it refuses."""
        rows, kinds = list(changes), self._mapped.kinds
        while rows:
            names = sorted({field for change in rows for field in values[change.key]})
            columns = [f"{name}/.id" if kinds[name] == "many2one" else name for name in names]
            cells = [
                [f"{MODULE}.{change.key}", str(self.tag), *(imported(values[change.key].get(n, "")) for n in names)]
                for change in rows
            ]
            fields = ["id", "category_id/.id", *columns]
            done = self.odoo.call(PARTNER, "load", fields=fields, data=cells, context={"tz": "UTC"})
            if done.get("ids"):
                yield from (Verdict.delivered(change.key) for change in rows)
                return
            guilty = {number for said in done.get("messages", []) if (number := _row(said)) is not None}
            if not guilty & set(range(len(rows))):
                raise BatchRefused("validation", 422)
            yield from (Verdict.refused(rows[n].key, "validation") for n in guilty)
            rows = [change for number, change in enumerate(rows) if number not in guilty]

    def _block(self, changes: Sequence[Change]) -> None:
        given = self.settings
        if given.blacklist:
            said = [change.payload for change in changes if change.payload.get(given.blacklist) is True]
            block(self.odoo, sorted({email for row in said if (email := str(row.get(given.email) or "").lower())}))


class TargetOdoo(ActivationTarget):
    """Singer target that writes an audience back to Odoo's contacts."""

    name = "target-odoo"
    sinks = (Contacts,)
    settings = Settings


def _row(said: Mapping[str, Any]) -> int | None:
    """The row of the import that a message is about."""
    number = said.get("record", (said.get("rows") or {}).get("from"))
    return number if isinstance(number, int) and said.get("type") == "error" else None


main = entry(TargetOdoo)
