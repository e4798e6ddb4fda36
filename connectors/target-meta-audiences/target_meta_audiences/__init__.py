"""Keep a Meta custom audience equal to an audience: hashed identifiers in, and the very same ones out again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, SecretStr

from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, ConfigError, Size, Verdict
from snello.kit.entry import entry
from target_meta_audiences.account import Account, code_of
from target_meta_audiences.faults import WHERE
from target_meta_audiences.members import MOST, Member, Members, Replacement
from target_meta_audiences.people import (
    COLUMNS,
    ID,
    Row,
    handle_of,
    legible,
    marks_of,
    match_keys,
    naming,
    row_from,
    row_of,
    unshared,
)

TOO_SMALL = 300  # of delivery_status
ODD = {411: "few people were recognised", 412: "many entries could not be read", 415: "the last replacement failed"}


class Settings(ChannelSettings):
    """Settings of target-meta-audiences."""

    access_token: SecretStr = Field(description="Token of a system user with ads_management.")
    app_secret: SecretStr | None = Field(None, description="Secret of the app; each call is then signed with it.")
    ad_account: str = Field(pattern=r"^(act_)?\d+$", description="Number of the ad account, with or without act_.")
    audience_id: str | None = Field(None, pattern=r"^\d+$", description="Number of the audience to keep.")
    audience_name: str | None = Field(
        None, description="Its name instead. Default: the sync's list, else the sync's name."
    )
    create_audience: bool = Field(False, description="Make the audience when the ad account has none of that name.")
    customer_file_source: Literal["USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"] = (
        Field("USER_PROVIDED_ONLY", description="Where the data come from, told to Meta when an audience is made.")
    )
    columns: dict[str, str] = Field(
        {},
        description="The audience's column to what it holds; empty keeps a column back. Default: columns are called "
        f"what they hold ({', '.join(COLUMNS)}), and others are not sent.",
    )
    api_url: str = Field("https://graph.facebook.com", pattern="^https?://", description="Root of the Graph API.")
    api_version: str = Field("v26.0", pattern=r"^v\d+\.\d+$", description="Version of the Graph API.")
    requests_per_second: float = Field(10, gt=0, description="Most calls a second; the standard tier allows 10 writes.")
    batch_size: int = Field(MOST, ge=1, le=MOST, description="Most rows a call.")
    status_timeout: float = Field(
        600, ge=0, description="Seconds to wait for another replacement of the audience to end."
    )


class CustomAudience(ActivationSink[Settings]):
    """One row a person: the customer_id as external id, and their hashed identifiers."""

    name, purpose, floor = "members", "ads_audiences", 100
    modes = frozenset({"mirror", "upsert", "insert", "replace"})
    _replacement: Replacement | None = None

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        super().__init__(settings, sync, title)
        self.max_size = settings.batch_size
        self._prepared: dict[str, Row | None] = {}
        self._naming: dict[tuple[str, ...], dict[str, str]] = {}

    def handle(self, change: Change) -> str | None:
        """The row as it is sent."""
        row = self._prepared[change.key] = self._row(change, self.emptied)
        return handle_of(row) if row else None

    def marks(self, handle: str) -> Iterable[str]:
        """What of a row alone recognises a person."""
        return marks_of(row_from(handle))

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Take away what people were known by, then add what they are known by now."""
        members: list[Member] = []
        stale: list[Row] = []
        nobody: list[Verdict] = []
        for change in changes:
            row = self._prepared.pop(change.key, None) or self._row(change)
            stale += [old for old in _taken_back(change) if old != row]
            if row is None:
                nobody.append(Verdict.refused(change.key, "no_match_key", gone=bool(change.handles)))
            else:
                members.append(Member(change.key, row))
        if self._replacement is not None:
            self._replacement.members += members
            yield from (Verdict.delivered(one.key) for one in members)
        if stale:
            self._members.forget(stale)
        yield from nobody
        if self._replacement is None and members:
            yield from self._members.settle("POST", members)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """By all that they alone may be known by; the external id alone is forgotten by Meta after 90 days."""
        rows = {change.key: _taken_back(change) if change.handles else [{ID: change.key}] for change in changes}
        yield from (Verdict.kept(key) for key, own in rows.items() if not own)
        yield from self._taken(Member(key, row) for key, own in rows.items() for row in own)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As a removal, and by the external id by itself as well."""
        return self._taken(
            Member(change.key, row) for change in changes for row in ({ID: change.key}, *_taken_back(change))
        )

    def _taken(self, rows: Iterable[Member]) -> Iterable[Verdict]:
        """A verdict a person, who is gone only once all rows are."""
        verdicts: dict[str, Verdict] = {}
        members = list(rows)
        for verdict in self._members.settle("DELETE", members) if members else ():
            if verdict.status != "delivered":
                verdicts[verdict.key] = verdict
            verdicts.setdefault(verdict.key, verdict)
        return verdicts.values()

    def begin(self, rows: int) -> None:
        """Nothing is sent before all rows have come: a session that is given up halfway would stay halfway."""
        self._replacement = Replacement()

    def commit(self) -> Iterable[Verdict]:
        """The whole, in one session. An audience cannot be emptied so: Meta refuses a session without rows."""
        replacement, self._replacement = self._replacement or Replacement(), None
        if not replacement.members:
            raise ConfigError(WHERE, "nobody would be left in the audience", "use mode mirror, or delete the audience")
        return list(replacement.send(self.account, self.audience_id, self.max_size))

    def abandon(self) -> None:
        """Forget the rows that came."""
        self._replacement = None

    def size(self) -> Size | None:
        """About how many people Meta recognised: the middle of the range that it names.

        A range that begins at nought may be nobody, and is told as nobody.
        """
        found = self.account.audience(self.audience_id)
        log = logging.getLogger(WHERE)
        odd = ODD.get(code_of(found, "operation_status"))
        if odd:
            log.warning("%s: Meta says of the audience that %s", WHERE, odd)
        if code_of(found, "delivery_status") == TOO_SMALL:
            log.warning("%s: Meta finds the audience too small to be used", WHERE)
        least, most = (found.get(f"approximate_count_{end}_bound") for end in ("lower", "upper"))
        if not isinstance(least, int) or least < 0:
            return None
        if not least or not isinstance(most, int) or most < least:
            most = least
        return Size((least + most) // 2, least=least)

    def requests(self, upserts: int, removals: int) -> int:
        """Calls for rows; looking at account and audience before, and at the audience after, takes a few more."""
        calls = super().requests(upserts, removals)
        return calls and calls + (3 if self.settings.audience_id else 4)

    def match_keys(self, columns: Sequence[str]) -> Sequence[Sequence[str]]:
        """The audience's columns that Meta can recognise a person by."""
        named = naming(columns, self.settings.columns, WHERE)
        ours = {name: column for column, name in named.items()}
        return [tuple(ours[name] for name in keys) for keys in match_keys(named.values())]

    def legible(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Collection[str]]:
        """The columns of which Meta would get something."""
        named = naming(rows[0], self.settings.columns, WHERE) if rows else {}
        if all(column == name for column, name in named.items()):
            return legible(rows)
        ours = {name: column for column, name in named.items()}
        values = [{name: row[column] for column, name in named.items()} for row in rows]
        return [[ours[name] for name in names] for names in legible(values)]

    def country(self, columns: Sequence[str]) -> str | None:
        """The column that holds the country."""
        named = naming(columns, self.settings.columns, WHERE)
        return next((column for column, name in named.items() if name == "country"), None)

    def close(self) -> None:
        """Close the connections."""
        if "account" in self.__dict__:
            self.account.close()

    @cached_property
    def account(self) -> Account:
        """The ad account under the settings' token."""
        settings = self.settings
        root = f"{settings.api_url.rstrip('/')}/{settings.api_version}"
        secret = settings.app_secret.get_secret_value() if settings.app_secret else ""
        token = settings.access_token.get_secret_value()
        return Account(root, settings.ad_account, token, secret, settings.retry, settings.requests_per_second)

    @cached_property
    def audience_id(self) -> str:
        """The audience, found or made once a run, and fit to be changed."""
        settings = self.settings
        self.account.check()
        source = settings.customer_file_source if settings.create_audience else None
        name = settings.audience_name or self.title
        found = settings.audience_id or self.account.audience_called(name, source)
        self.account.usable(found, settings.status_timeout)
        return found

    @cached_property
    def _members(self) -> Members:
        return Members(self.account, self.audience_id, self.max_size)

    def _row(self, change: Change, emptied: Counter[str] | None = None) -> Row | None:
        columns = tuple(change.payload)
        named = self._naming.get(columns)
        if named is None:
            named = self._naming[columns] = self._named(columns)
        return row_of(change.key, {name: change.payload[column] for column, name in named.items()}, emptied)

    def _named(self, columns: tuple[str, ...]) -> dict[str, str]:
        named = naming(columns, self.settings.columns, WHERE)
        if not match_keys(named.values()):
            cure = "give it email, phone or maid, or map its columns in the setting columns"
            raise ConfigError(WHERE, "the audience has no column by which Meta recognises people", cure)
        return named


def _taken_back(change: Change) -> list[Row]:
    """The rows by which a change's person may be known, without what others are known by."""
    rows = (unshared(row_from(handle), change.shared) for handle in change.handles)
    return [row for row in rows if row is not None]


class TargetMetaAudiences(ActivationTarget):
    """Singer target that keeps a Meta custom audience equal to an audience."""

    name = "target-meta-audiences"
    sinks = (CustomAudience,)
    settings = Settings


main = entry(TargetMetaAudiences)
