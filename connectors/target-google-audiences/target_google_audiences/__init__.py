"""Keep a Google Customer Match list equal to an audience, through the Data Manager API."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from snello.kit.channel import ActivationSink, ActivationTarget, Change, ConfigError, Http, Pace, Size, Verdict
from snello.kit.entry import entry
from target_google_audiences.account import CONTACTS, Account
from target_google_audiences.following import PROCESSING, Following, Pending, Row
from target_google_audiences.members import handles_of, legible, marks_of, member_of, texts_of
from target_google_audiences.refusals import WHERE, judge
from target_google_audiences.settings import Settings

AT_ONCE = 4  # requests that are sent or waited for at the same time
NO_ONE = "no_match_key"


class Members(ActivationSink[Settings]):
    """One member a customer, known to Google by hashed identifiers alone."""

    name, purpose, max_size, floor = "members", "ads_audiences", 10_000, 100
    parallel = AT_ONCE
    waits: ClassVar[Mapping[str, str]] = {
        PROCESSING: "Google has not said yet that it processed them; a later run asks before it sends anything again"
    }
    _closed = False

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        super().__init__(settings, sync, title)
        self.max_size = settings.members_per_request
        self.patience = settings.status_timeout + settings.timeout  # waiting says nothing about the size of a request
        self._prepared: dict[str, str] = {}
        self._again: set[str] = set()
        self._leaving: dict[str, Pending] = {}
        self._lock = threading.Lock()

    def handle(self, change: Change) -> str | None:
        """The member's identifiers as they are sent."""
        (made,) = handles_of([change.payload], self.settings.country, self.emptied)
        self._prepared[change.key] = made
        return made or None

    def marks(self, handle: str) -> Iterable[str]:
        """The member's identifiers."""
        return marks_of(handle)

    def find(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """None: but these rows are what an earlier run tried, so that its requests may answer for them."""
        self._again.update(change.key for change in changes)
        return ()

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """What a row was known by before is taken off the list, then what it is known by now put there."""
        following, batch = self.following, self.batch_id
        self._see_open()
        going, verdicts = self._free(changes, self._resumable(changes))
        yield from verdicts
        handles = dict(zip((change.key for change, _ in going), self._handles(going), strict=True))
        stale = [
            row for change, pending in going if (row := self._stale(change, handles[change.key], pending)) is not None
        ]
        waiting: set[str] = set()
        for verdict in self._taken("forget", stale, batch):
            if verdict.status == "retrying":
                waiting.add(verdict.key)
                yield verdict
        rows: list[Row] = []
        for change, pending in going:
            handle = handles[change.key]
            if change.key in waiting:
                continue
            if not (member := member_of(handle) if handle else None):
                yield Verdict.refused(change.key, NO_ONE, gone=bool(change.handles))
            elif under_way := self._being_taken(handle):
                yield Verdict.retry(change.key, PROCESSING, str(Pending("after", batch, under_way.request)))
            else:
                rows.append(Row(change.key, [member], _request(pending, "ingest")))
        yield from following.run("ingest", rows, batch)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Everything that Google may know these people by, and nobody else, is taken off the list.

        Where an ingestion of an earlier run has not ended, which may come after the removal, it is made again.
        """
        rows: list[Row] = []
        for change in changes:
            members = _members(change)
            pending = Pending.of(change.remote_id)
            own = pending if pending and pending.batch == change.batch else None
            if request := _request(own, "remove"):
                rows.append(Row(change.key, members, request))
            elif not members:
                yield Verdict.kept(change.key) if change.shared else Verdict.delivered(change.key, "")
            else:
                rows.append(Row(change.key, members, after=self._unended(pending)))
        yield from self._taken("remove", rows, self.batch_id)

    def size(self) -> Size | None:
        """The largest of the audiences that Google reports, of one network each; small lists count as empty.

        None while Google reports none at all.
        """
        sizes = self._list(self.following.list_id).get("sizeInfo") or {}
        return Size(max(int(count) for count in sizes.values())) if sizes else None

    def requests(self, upserts: int, removals: int) -> int:
        """Each batch is sent and asked about at least once."""
        return 2 * super().requests(upserts, removals)

    def match_keys(self, columns: Sequence[str]) -> Sequence[Sequence[str]]:
        """An address, a number, or the name with postcode and country."""
        place = ("postcode",) if self.settings.country else ("postcode", "country")
        keys = (("email",), ("phone",), ("first_name", "last_name", *place))
        return [key for key in keys if set(key) <= set(columns)]

    def legible(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Collection[str]]:
        """The columns of which Google would get something."""
        return legible(rows, self.settings.country)

    def country(self, columns: Sequence[str]) -> str | None:
        """The column that holds the country."""
        return "country" if "country" in columns else None

    def close(self) -> None:
        """Close the connections."""
        self.account.http.close()

    # ---- parts of an upsert

    def _resumable(self, changes: Sequence[Change]) -> dict[str, Pending]:
        """By key, requests of an earlier run that sent exactly these rows."""
        found: dict[str, Pending] = {}
        for change in changes:
            pending, again = Pending.of(change.remote_id), change.key in self._again
            self._again.discard(change.key)
            if pending and again and pending.batch == change.batch and pending.purpose in ("ingest", "forget"):
                found[change.key] = pending
        return found

    def _free(
        self, changes: Sequence[Change], own: dict[str, Pending]
    ) -> tuple[list[tuple[Change, Pending | None]], list[Verdict]]:
        """Rows that may go, with their own earlier request; those put off until another request for them has ended."""
        others = {
            change.key: pending
            for change in changes
            if change.key not in own and (pending := Pending.of(change.remote_id))
        }
        found = self.following.wait({pending.request for pending in others.values()})
        late = {key: one for key, one in others.items() if found[one.request].state == PROCESSING}
        verdicts = [Verdict.retry(key, PROCESSING, str(one)) for key, one in late.items()]
        return [(change, own.get(change.key)) for change in changes if change.key not in late], verdicts

    def _handles(self, going: Sequence[tuple[Change, Any]]) -> list[str]:
        """What the rows are known by now; mostly it was made for the ledger a moment ago."""
        known = [self._prepared.pop(change.key, None) for change, _ in going]
        missing = [change.payload for (change, _), made in zip(going, known, strict=True) if made is None]
        fresh = iter(handles_of(missing, self.settings.country)) if missing else iter(())
        return [next(fresh) if made is None else made for made in known]

    def _stale(self, change: Change, handle: str, pending: Pending | None) -> Row | None:
        """The members to take off the list before this row goes there; None when there are none, or they are gone."""
        if _request(pending, "ingest"):
            return None
        members, request = _members(change, marks_of(handle) if handle else ()), _request(pending, "forget")
        return Row(change.key, members, request) if members or request else None

    def _taken(self, purpose: str, rows: Sequence[Row], batch: str) -> Iterable[Verdict]:
        """Members are taken off the list; what is not off it yet is remembered, whoever else comes with it."""
        by_key = {row.key: row for row in rows}
        for verdict in self.following.run(purpose, rows, batch):
            if verdict.status == "retrying" and (pending := Pending.of(verdict.remote_id)):
                for member in by_key[verdict.key].members:
                    self._leaving.update(dict.fromkeys(texts_of(member), pending))
            yield verdict

    def _being_taken(self, handle: str) -> Pending | None:
        """A request of this run that has not ended and may take one of these identifiers off the list after all."""
        return next((self._leaving[one] for one in marks_of(handle) if one in self._leaving), None)

    def _unended(self, pending: Pending | None) -> Pending | None:
        """An ingestion that Google is still processing."""
        if pending is None or pending.purpose != "ingest":
            return None
        outcome = self.following.look(pending.request)
        return pending if outcome.state == PROCESSING else None

    # ---- account and list

    @cached_property
    def account(self) -> Account:
        """The account under the settings' login."""
        given = self.settings
        headers = {"Accept": "application/json"}
        if given.quota_project:
            headers["x-goog-user-project"] = given.quota_project
        http = Http(
            WHERE,
            headers=headers,
            retry=given.retry,
            pace=Pace(given.requests_per_second),
            renew="renew the login in the settings of target-google-audiences",
            parallel=AT_ONCE,
            auth=given.login,
            config=given.model_dump(),
        )
        http.judge = judge
        return Account(
            http,
            given.api_url.rstrip("/"),
            (given.account_type, _plain(given.account_id)),
            (given.login_account_type, _plain(given.login_account_id)) if given.login_account_id else None,
            (given.linked_account_type, _plain(given.linked_account_id)) if given.linked_account_id else None,
            given.ad_personalization,
        )

    @property
    def following(self) -> Following:
        """Requests for the list; the list is looked for once a run, before the first."""
        with self._lock:
            return self._following

    @cached_property
    def _following(self) -> Following:
        about = self._found_list()
        given = self.settings
        if CONTACTS not in (about.get("ingestedUserListInfo") or {}).get("uploadKeyTypes", [CONTACTS]):
            cure = "name a Customer Match list of contact information"
            raise ConfigError(WHERE, "the list takes no contact information", cure)
        self._closed = about.get("membershipStatus") == "CLOSED" or bool(about.get("readOnly"))
        return Following(self.account, int(about["id"]), given.status_timeout, given.status_wait)

    def _found_list(self) -> dict[str, Any]:
        given = self.settings
        if given.list_id is not None:
            return self._list(given.list_id)
        name = given.list_name or self.title
        if found := self.account.list_called(name):
            return found
        if given.create_list:
            return self.account.create_list(name, given.membership_days)
        raise self.account.no_such_list(name)

    def _list(self, number: int) -> dict[str, Any]:
        return self.account.user_list(number)

    def _see_open(self) -> None:
        """Google takes members for a closed list and adds none. Raises ``ConfigError``; removals are possible."""
        if self._closed:
            raise ConfigError(WHERE, "the list is closed to new members", "open it in Google Ads, or name another")


class TargetGoogleAudiences(ActivationTarget):
    """Singer target that keeps a Google Customer Match list equal to an audience."""

    name = "target-google-audiences"
    sinks = (Members,)
    settings = Settings


def _members(change: Change, without: Iterable[str] = ()) -> list[dict[str, Any]]:
    """As whom a change's person may be on the list, without what others are on it by, and without more."""
    kept = change.shared.union(without)
    return [member for handle in change.handles if (member := member_of(handle, kept))]


def _request(pending: Pending | None, purpose: str) -> str:
    """The request to ask about, if it was made for this."""
    return pending.request if pending and pending.purpose == purpose else ""


def _plain(number: str) -> str:
    return number.replace("-", "")


main = entry(TargetGoogleAudiences)
