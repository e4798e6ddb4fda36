from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from simple_salesforce.bulk2 import SFBulk2Handler
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import Change, Verdict
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.salesforce import CLIENT_ID, CLIENT_SECRET, ROOT, USERNAME, salesforce
from snello.sandbox.emulators.salesforce_jobs import Works
from target_salesforce import Records, Settings, TargetSalesforce
from target_salesforce.jobs import _parts
from target_salesforce.org import Row

KEY, MEMBER = "Snello_Customer_Id__c", "In_Segment__c"
FIELDS = {"email": "Email", "name": "LastName", "city": "MailingCity"}
ANN = {"customer_id": "c1", "email": "ann@posta.example", "name": "Ann", "city": "Como"}
BOB = {"customer_id": "c2", "email": "bob@posta.example", "name": "Bob", "city": "Lecco"}
CID = {"customer_id": "c3", "email": "cid@posta.example", "name": "Cid", "city": "Lodi"}
JOBS = {"bulk_threshold": 1, "job_wait": 0.01}


class Tape:
    """Hears what is asked of an app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.heard: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = [scope.get("method", ""), scope.get("path", "").removeprefix(ROOT), b""]
        if not heard[1].startswith("/_inspect"):
            self.heard.append(heard)

        async def hearing() -> Message:
            message = await receive()
            heard[2] += message.get("body", b"")
            return message

        await self.app(scope, hearing, send)

    def sent(self, method: str, ending: str) -> list[bytes]:
        return [content for verb, path, content in self.heard if verb == method and path.endswith(ending)]


class Org:
    """An org to look into."""

    def __init__(self, url: str, tape: Tape) -> None:
        self.url, self.tape = url, tape
        self.config: dict[str, Any] = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "login_url": url} | {
            "requests_per_second": 10_000,
            "fields": FIELDS,
            "on_join": {MEMBER: True},
            "on_leave": {MEMBER: False},
        }

    def token(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return str(httpx.post(f"{self.url}/services/oauth2/token", data=form).json()["access_token"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = httpx.request(method, f"{self.url}{ROOT}{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def add(self, kind: str = "Contact", **fields: Any) -> str:
        return str(self.call("POST", f"/sobjects/{kind}", fields)["id"])

    def records(self, kind: str = "Contact") -> dict[str, dict[str, Any]]:
        found = httpx.get(f"{self.url}/_inspect/records/{kind}").json()
        return {one.get(KEY) or one["Id"]: one for one in found}

    def members(self) -> list[str]:
        return sorted(key for key, one in self.records().items() if one.get(MEMBER))

    def jobs(self) -> dict[str, int]:
        return dict(httpx.get(f"{self.url}/_inspect").json()["jobs"])

    def open_job(self, user: str = "") -> str:
        body = {"object": "Contact", "operation": "upsert", "externalIdFieldName": KEY, "lineEnding": "LF"}
        return str(self.call("POST", "/jobs/ingest", body)["id"])

    def sink(self, **config: Any) -> Records:
        return Records(Settings(**{**self.config, **config}), "crm__audience", "audience")

    def jobs_done(self, method: str = "POST") -> int:
        return len(self.tape.sent(method, "/jobs/ingest"))


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:

        def started(**given: Any) -> Org:
            tape = Tape(salesforce(**given))
            return Org(stack.enter_context(serve(tape)), tape)

        yield started


@pytest.fixture
def org(start: Any) -> Org:
    found: Org = start()
    return found


def changes(*rows: dict[str, Any], **more: Any) -> list[Change]:
    return [Change("upsert", row["customer_id"], "f", row, consent="yes", **more) for row in rows]


def gone(*keys: str, **more: Any) -> list[Change]:
    return [Change("remove", key, **more) for key in keys]


def words(verdicts: Any) -> dict[str, str]:
    return {one.key: one.code or one.status for one in verdicts}


@contextmanager
def told(fault: type[Exception], text: str) -> Iterator[None]:
    with pytest.raises(fault, match=text) as caught:
        yield
    assert ". Next: " in str(caught.value)


# ---- what is written


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_a_blank_writes_nothing_over_a_value_unless_it_is_to_clear(org: Org, config: dict[str, Any]) -> None:
    sink = org.sink(clear=["email"], **config)
    list(sink.upsert(changes(ANN, BOB)))
    assert words(sink.upsert(changes({**ANN, "email": None, "city": " "}, BOB))) == {
        "c1": "delivered",
        "c2": "delivered",
    }
    ann = org.records()["c1"]
    assert (ann.get("Email"), ann["MailingCity"], ann["LastName"]) == (None, "Como", "Ann")


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_only_named_columns_go_out_and_each_in_its_fields_form(org: Org, config: dict[str, Any]) -> None:
    fields = {**FIELDS, "points": "Score__c", "born": "Birthdate", "agreed": "Consent_At__c", "note": "Description"}
    row = {**ANN, "points": "12.5", "born": "1980-02-01T00:00:00", "agreed": "2026-01-31 10:00:00+02:00"}
    row |= {"note": 'one,\r\n"two"', "secret": "stays here"}
    assert words(org.sink(fields=fields, **config).upsert(changes(row))) == {"c1": "delivered"}
    ann = org.records()["c1"]
    assert (ann["Score__c"], ann["Birthdate"], ann["Description"]) == (12.5, "1980-02-01", 'one,\n"two"')
    assert ann["Consent_At__c"] == "2026-01-31T08:00:00.000Z"
    assert not any(b"stays here" in content for _, _, content in org.tape.heard)


def test_a_text_that_would_clear_a_field_of_a_job_is_a_blank(org: Org) -> None:
    sink = org.sink(**JOBS)
    list(sink.upsert(changes(ANN)))
    list(sink.upsert(changes({**ANN, "city": "#N/A"})))
    assert org.records()["c1"]["MailingCity"] == "Como"


def test_a_value_of_another_type_refuses_its_row_alone(org: Org) -> None:
    sink = org.sink(fields={**FIELDS, "points": "Score__c"})
    rows = ({**ANN, "points": "many"}, {**BOB, "points": 3})
    assert words(sink.upsert(changes(*rows))) == {"c1": "invalid_type", "c2": "delivered"}


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_a_parent_is_named_by_its_external_id_and_none_is_made(org: Org, config: dict[str, Any]) -> None:
    acme = org.add("Account", Name="Acme", ExtId__c="k1")
    sink = org.sink(fields={**FIELDS, "employer": "account.ExtId__c"}, **config)
    rows = ({**ANN, "employer": "k1"}, {**BOB, "employer": "k2"}, {**CID, "employer": None})
    assert words(sink.upsert(changes(*rows))) == {"c1": "delivered", "c2": "no_parent", "c3": "delivered"}
    assert {key: one.get("AccountId") for key, one in org.records().items()} == {"c1": acme, "c3": None}
    assert len(org.records("Account")) == 1


@pytest.mark.parametrize("name", ["HasOptedOutOfEmail", "DoNotCall", "hasoptedoutoffax", "PersonHasOptedOutOfEmail"])
@pytest.mark.parametrize("setting", ["fields", "on_join", "on_leave"])
def test_nobody_is_opted_in_or_out_by_us(org: Org, name: str, setting: str) -> None:
    given = {"fields": {"city": name}} if setting == "fields" else {setting: {name: False}}
    with told(ConfigError, "not for us to write"):
        list(org.sink(**given).upsert(changes(ANN)))
    assert org.records() == {}


def test_a_person_who_opted_out_in_salesforce_stays_so(org: Org) -> None:
    sink = org.sink()
    list(sink.upsert(changes(ANN)))
    record = org.records()["c1"]["Id"]
    body = {"records": [{"attributes": {"type": "Contact"}, "id": record, "HasOptedOutOfEmail": True}]}
    org.call("PATCH", "/composite/sobjects", body)
    for _ in range(2):
        list(sink.upsert(changes({**ANN, "city": "Bari"})))
        list(sink.remove(gone("c1")))
    assert org.records()["c1"]["HasOptedOutOfEmail"] is True


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_an_update_makes_nobody(org: Org, config: dict[str, Any]) -> None:
    sink = org.sink(**config)
    list(sink.upsert(changes(ANN)))
    there = words(sink.upsert(changes({**ANN, "city": "Bari"}, BOB, mode="update")))
    assert there == {"c1": "delivered", "c2": "not_there"}
    assert [(one[KEY], one["MailingCity"]) for one in org.records().values()] == [("c1", "Bari")]


# ---- who leaves


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_who_leaves_is_no_member_and_the_record_stays(org: Org, config: dict[str, Any]) -> None:
    sink = org.sink(**config)
    list(sink.upsert(changes(ANN, BOB)))
    for _ in range(2):
        assert set(words(sink.remove(gone("c1", "nobody"))).values()) == {"delivered"}
    assert (sorted(org.records()), org.members()) == (["c1", "c2"], ["c2"])


def test_without_fields_for_it_a_departure_makes_no_call(org: Org) -> None:
    sink = org.sink(on_leave={})
    list(sink.upsert(changes(ANN)))
    before = len(org.tape.heard)
    assert words(sink.remove(gone("c1"))) == {"c1": "delivered"}
    assert len(org.tape.heard) == before


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_an_erased_person_leaves_a_record_without_what_was_ours(org: Org, config: dict[str, Any]) -> None:
    org.add("Account", Name="Acme", ExtId__c="k1")
    sink = org.sink(fields={**FIELDS, "employer": "Account.ExtId__c"}, **config)
    list(sink.upsert(changes({**ANN, "employer": "k1"}, {**BOB, "employer": ""})))
    for _ in range(2):
        assert words(sink.erase(gone("c1", reason="erased"))) == {"c1": "delivered"}
    (left,) = (one for key, one in org.records().items() if key != "c2")
    assert {name: value for name, value in left.items() if name != "Id"} == {"LastName": "erased", MEMBER: False}


def test_an_erased_persons_record_goes_when_that_is_asked_for(org: Org) -> None:
    sink = org.sink(erase="delete")
    list(sink.upsert(changes(ANN, BOB)))
    for _ in range(2):
        assert words(sink.erase(gone("c1", reason="erased"))) == {"c1": "delivered"}
    assert list(org.records()) == ["c2"]


def test_the_org_is_asked_who_is_a_member_and_how_many(org: Org) -> None:
    sink = org.sink()
    list(sink.upsert(changes(ANN, BOB)))
    list(sink.remove(gone("c2")))
    org.add(LastName="Stranger", In_Segment__c=True)
    assert [one.key for one in sink.listing()] == ["c1"]
    size = sink.size()
    assert size is not None
    assert size.size == 1


def test_values_of_every_type_may_tell_members(org: Org) -> None:
    join = {"Score__c": 5, "Birthdate": "1999-12-31", "Consent_At__c": "2026-01-31T10:00:00Z", "Segment__c": "it's"}
    sink = org.sink(on_join={**join, MEMBER: True, "Phone": None})
    list(sink.upsert(changes(ANN)))
    org.add(LastName="Stranger", Snello_Customer_Id__c="c8", In_Segment__c=True)
    assert [one.key for one in sink.listing()] == ["c1"]


# ---- a campaign


CAMPAIGN = {"campaign": "long_absent", "on_join": {}, "on_leave": {}}
ACCOUNTS = {"object": "Account", "external_id_field": "ExtId__c", "fields": {"name": "Name"}}


def in_campaign(org: Org) -> list[str]:
    people = {one["Id"]: key for key, one in org.records().items()}
    return sorted(people[one["ContactId"]] for one in org.records("CampaignMember").values())


@pytest.mark.parametrize("config", [{}, JOBS], ids=["by_call", "by_job"])
def test_the_members_of_a_campaign_are_the_audience_and_those_of_others_stay(org: Org, config: dict[str, Any]) -> None:
    stranger, (campaign,) = org.add(LastName="Stranger"), org.records("Campaign")
    org.add("CampaignMember", CampaignId=campaign, ContactId=stranger)
    sink = org.sink(**CAMPAIGN, **config)
    for _ in range(2):
        assert words(sink.upsert(changes(ANN, {**BOB, "email": "wrong"}, CID))) == {
            "c1": "delivered",
            "c2": "invalid_email_address",
            "c3": "delivered",
        }
    assert in_campaign(org) == sorted([stranger, "c1", "c3"])
    for _ in range(2):
        assert set(words(sink.remove(gone("c1", "c2", "nobody"))).values()) == {"delivered"}
    assert in_campaign(org) == sorted([stranger, "c3"])
    assert {"c1", "c3"} <= org.records().keys()
    assert [one.key for one in sink.listing()] == ["c3"]
    size = sink.size()
    assert size is not None
    assert size.size == 1


def test_a_job_that_ends_after_its_run_makes_members_in_the_next(start: Any) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    (late,) = org.sink(**CAMPAIGN, **JOBS, job_timeout=0).upsert(changes(ANN))
    works.stuck = False
    again = changes(ANN, remote_id=late.remote_id, batch="b")
    assert words(org.sink(**CAMPAIGN).find(again)) == {"c1": "delivered"}
    assert in_campaign(org) == ["c1"]


def test_a_campaign_and_fields_may_both_tell_members(org: Org) -> None:
    (campaign,) = org.records("Campaign")
    sink = org.sink(campaign=campaign, campaign_status="Responded")
    list(sink.upsert(changes(ANN, BOB)))
    assert {one["Status"] for one in org.records("CampaignMember").values()} == {"Responded"}
    list(sink.remove(gone("c2")))
    assert (in_campaign(org), org.members()) == (["c1"], ["c1"])


@pytest.mark.parametrize("erase", ["anonymise", "delete"])
def test_an_erased_person_leaves_the_campaign(org: Org, erase: str) -> None:
    sink = org.sink(**CAMPAIGN, erase=erase)
    list(sink.upsert(changes(ANN, BOB)))
    assert words(sink.erase(gone("c1", reason="erased"))) == {"c1": "delivered"}
    assert in_campaign(org) == ["c2"]


def test_a_merged_customer_stays_in_the_campaign_once(org: Org) -> None:
    sink = org.sink(**CAMPAIGN)
    list(sink.upsert(changes(ANN, BOB)))
    assert words(sink.move(changes({**ANN, "customer_id": "c9"}, moved_from="c1"))) == {"c9": "delivered"}
    assert words(sink.move(changes(BOB, moved_from="c9"))) == {"c2": "delivered"}
    assert in_campaign(org) == ["c2"]


@pytest.mark.parametrize(
    ("config", "text"),
    [({"campaign": "no such"}, "no campaign called 'no such'"), (ACCOUNTS, "Account is no member")],
)
def test_a_campaign_that_cannot_be_kept_ends_the_run(org: Org, config: dict[str, Any], text: str) -> None:
    with told(ConfigError, text):
        list(org.sink(**{**CAMPAIGN, **config}).upsert(changes(ANN)))
    assert (org.records(), org.records("Account")) == ({}, {})


# ---- whose record it is


def test_a_merged_customer_keeps_the_record_under_the_new_id(org: Org) -> None:
    sink = org.sink()
    list(sink.upsert(changes(ANN)))
    before = org.records()["c1"]["Id"]
    for _ in range(2):  # a try whose answer was lost is repeated
        moved = changes({**ANN, "customer_id": "c9", "city": "Bari"}, moved_from="c1")
        assert words(sink.move(moved)) == {"c9": "delivered"}
    assert {key: (one["Id"], one["MailingCity"]) for key, one in org.records().items()} == {"c9": (before, "Bari")}


def test_a_merged_customer_who_was_there_twice_leaves_one_member(org: Org) -> None:
    sink = org.sink()
    list(sink.upsert(changes(ANN, BOB)))
    assert words(sink.move(changes({**BOB, "city": "Bari"}, moved_from="c1"))) == {"c2": "delivered"}
    assert (sorted(org.records()), org.members()) == (["c1", "c2"], ["c2"])


def test_a_second_record_with_the_address_is_for_the_orgs_rule_to_refuse(start: Any) -> None:
    org = start(duplicates=True)
    org.add(LastName="Ann", Email="ann@posta.example")
    assert words(org.sink().upsert(changes(ANN, BOB))) == {"c1": "duplicates_detected", "c2": "delivered"}


def test_a_row_that_is_locked_is_tried_once_more_and_then_left_to_the_next_run(start: Any) -> None:
    org = start(locked=3)
    told_first = list(org.sink().upsert(changes(ANN, BOB)))
    assert sorted(words(told_first).values()) == ["delivered", "unable_to_lock_row"]
    assert {one.status for one in told_first} == {"delivered", "retrying"}


# ---- jobs


def test_many_rows_go_as_one_job_and_few_by_call(org: Org) -> None:
    people = [{"customer_id": f"p{n}", "email": None, "name": f"P {n}", "city": "Como"} for n in range(450)]
    list(org.sink(bulk_threshold=451).upsert(changes(*people)))
    assert (org.jobs(), len(org.tape.sent("PATCH", KEY))) == ({}, 3)
    list(org.sink(bulk_threshold=450, job_wait=0.01).upsert(changes(*({**one, "city": "Bari"} for one in people))))
    assert (org.jobs(), len(org.tape.sent("PATCH", KEY))) == ({"JobComplete": 1}, 3)
    assert {one["MailingCity"] for one in org.records().values()} == {"Bari"}


@pytest.mark.parametrize(("campaign", "fixed", "counted"), [(False, 2, 6), (True, 3, 8)])
def test_the_forecast_counts_the_calls_that_are_made(org: Org, campaign: bool, fixed: int, counted: int) -> None:
    people = [{"customer_id": f"p{n:059}", "email": None, "name": f"P {n}", "city": "Como"} for n in range(300)]
    sink = org.sink(**(CAMPAIGN if campaign else {}))
    list(sink.upsert(changes(*people)))
    list(sink.remove(gone(*(one["customer_id"] for one in people))))
    assert len(org.tape.heard) - fixed == sink.requests(300, 300) == counted  # but login, description, campaign
    assert org.sink().requests(150_000, 0) == 18
    assert org.sink(bulk_threshold=100_000).requests(100_000, 0) == 500


def test_who_leaves_is_looked_for_by_name_or_in_a_list_of_all_whichever_takes_fewer_calls(org: Org) -> None:
    people = [{"customer_id": f"p{n:059}", "email": None, "name": f"P {n}", "city": "Como"} for n in range(600)]
    sink = org.sink()
    list(sink.upsert(changes(*people)))
    for many, questions in ((600, 2), (300, 4)):
        list(sink.remove(gone(*(one["customer_id"] for one in people[:many]))))
        assert len(org.tape.sent("GET", "/query")) == questions
    assert org.members() == []


def test_a_content_too_large_for_a_job_becomes_several() -> None:
    rows = [Row(f"c{n}", {"LastName": "x" * 90}) for n in range(10)]
    parts = list(_parts(rows, KEY, 500))
    assert [row.key for _, some in parts for row in some] == [row.key for row in rows]
    assert all(len(content) <= 500 and content.startswith(f"{KEY},LastName\n".encode()) for content, _ in parts)
    assert len(parts) == 3


def test_a_job_that_takes_long_is_found_again_by_the_next_run_and_nothing_is_sent_twice(start: Any) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    (late,) = org.sink(**JOBS, job_timeout=0).upsert(changes({**ANN, "email": "wrong"}, BOB)[1:])
    assert (late.status, late.code) == ("retrying", "processing")
    assert late.remote_id
    works.stuck = False
    again = changes(BOB, remote_id=late.remote_id, batch="b")
    assert list(org.sink(**JOBS).find(again)) == [Verdict.delivered("c2", "")]
    assert org.jobs_done() == 1


def test_what_a_late_job_refused_is_refused_by_the_next_run(start: Any) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    rows = ({**ANN, "email": "wrong"}, BOB)
    late = {one.key: one.remote_id for one in org.sink(**JOBS, job_timeout=0).upsert(changes(*rows))}
    works.stuck = False
    again = [change for row in rows for change in changes(row, remote_id=late[row["customer_id"]], batch="b")]
    sink = org.sink(**JOBS)
    assert words(sink.find(again)) == {"c2": "delivered"}
    (verdict,) = sink.upsert(again[:1])
    assert verdict == Verdict("c1", "refused", "invalid_email_address", "")


@pytest.mark.parametrize("remove", [False, True])
def test_nothing_overtakes_a_job_that_is_under_way(start: Any, remove: bool) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    (late,) = org.sink(**JOBS, job_timeout=0).upsert(changes(ANN))
    sink, job = org.sink(job_timeout=0), late.remote_id
    if remove:
        told_now = sink.remove(gone("c1", remote_id=job, batch="b"))
    else:
        told_now = sink.upsert(changes({**ANN, "city": "Bari"}, remote_id=job))
    assert list(told_now) == [Verdict.retry("c1", "processing", job)]
    assert org.records() == {}
    works.stuck = False
    again = org.sink()
    list(again.remove(gone("c1", remote_id=job)) if remove else again.upsert(changes(ANN, remote_id=job)))
    assert org.members() == ([] if remove else ["c1"])


def test_a_job_left_open_by_a_run_that_died_is_aborted_and_one_that_was_closed_is_waited_for(start: Any) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    org.open_job()
    list(org.sink(**JOBS, job_timeout=0).upsert(changes(ANN)))  # its verdict never reached the ledger
    (late,) = org.sink(job_timeout=0).upsert(changes({**ANN, "city": "Bari"}, batch="b"))
    assert (late.code, org.jobs()) == ("processing", {"Aborted": 1, "InProgress": 1})
    works.stuck = False
    assert words(org.sink().upsert(changes({**ANN, "city": "Bari"}, batch="b"))) == {"c1": "delivered"}
    assert org.records()["c1"]["MailingCity"] == "Bari"


def test_jobs_of_others_are_left_alone(org: Org) -> None:
    body = {"object": "Contact", "operation": "insert", "lineEnding": "LF"}
    org.call("POST", "/jobs/ingest", body)
    org.call(
        "POST", "/jobs/ingest", {**body, "object": "Account", "operation": "upsert", "externalIdFieldName": "ExtId__c"}
    )
    list(org.sink().upsert(changes(ANN, batch="b")))
    assert org.jobs() == {"Open": 2}


def test_what_a_job_did_not_come_to_is_sent_by_the_next_run(start: Any) -> None:
    org = start(works=Works(failing="InternalServerError : the batch was retried too often"))
    rows = [{**ANN, "customer_id": f"c{n}", "email": None} for n in range(4)]
    verdicts = {one.key: (one.status, one.code) for one in org.sink(**JOBS).upsert(changes(*rows))}
    fresh = ("retrying", "unprocessed")
    assert verdicts == {"c0": ("delivered", ""), "c1": ("delivered", ""), "c2": fresh, "c3": fresh}


def test_a_job_that_somebody_aborts_is_sent_by_the_next_run(start: Any) -> None:
    org = start(works=Works(stuck=True))
    (late,) = org.sink(**JOBS, job_timeout=0).upsert(changes(ANN))
    org.call("PATCH", f"/jobs/ingest/{late.remote_id}", {"state": "Aborted"})
    assert words(org.sink().upsert(changes(ANN, remote_id=late.remote_id, batch="b"))) == {"c1": "delivered"}


def test_a_job_that_salesforce_has_forgotten_is_no_obstacle(org: Org) -> None:
    old = changes(ANN, remote_id="750000000009999AAA", batch="b")
    sink = org.sink()
    assert list(sink.find(old)) == []
    assert list(sink.upsert(old)) == [Verdict.delivered("c1", "")]


# ---- the org's own faults


@pytest.mark.parametrize(
    ("given", "config", "text"),
    [
        ({"api": False}, {}, "the org has no API"),
        ({"may_edit": False}, {}, "the user may not do this"),
        ({"may_edit": False}, JOBS, "the user may not do this"),
        ({}, {"object": "Kontact"}, "the org has no object Kontact"),
        ({"hidden": ["Email"]}, {}, "Contact has no field Email"),
        ({}, {"fields": {"city": "MailingTown"}}, "has no field MailingTown.*near it: MailingCity"),
        ({}, {"fields": {"city": "Name"}}, "nobody may write the field Name"),
        ({}, {"fields": {"city": "Akkount.ExtId__c"}}, "no relationship Akkount.*did you mean 'Account'"),
        ({}, {"fields": {"town": "MailingCity"}}, "the audience has no column town"),
        ({}, {"clear": ["town"]}, "town in clear"),
        ({}, {"external_id_field": "Segment__c"}, "no unique external id"),
        ({}, {"on_join": {"Score__c": "many"}}, "Score__c takes no such value"),
        ({}, {"client_secret": "wrong"}, "login is refused"),
    ],
)
def test_what_a_person_must_mend_ends_the_run_and_blames_no_row(
    start: Any, given: dict[str, Any], config: dict[str, Any], text: str
) -> None:
    with told(ConfigError, text):
        list(start(**given).sink(**config).upsert(changes(ANN)))


def test_a_field_that_is_taken_from_the_user_in_the_middle_is_named(start: Any) -> None:
    for config in ({}, JOBS):
        tape = start()
        sink = tape.sink(**config)
        _ = sink.fields
        store = tape.tape.app.app.store  # the org behind its door
        store.hidden = frozenset(["MailingCity"])
        with told(ConfigError, "does not take the field MailingCity"):
            list(sink.upsert(changes(ANN)))


def test_the_days_calls_are_never_used_up_by_us(start: Any) -> None:
    org = start(daily=100)
    sink = org.sink(api_share=0.05)
    list(sink.upsert(changes(ANN)))
    with told(RetryLater, "calls of 24 hours are used up"):
        for _ in range(9):
            list(sink.upsert(changes(ANN)))
    assert len(org.tape.heard) == 1 + 5  # the login does not count


@pytest.mark.parametrize(
    ("given", "config"), [({"daily": 1}, {"api_share": 1}), ({"works": Works(jobs=0)}, JOBS)], ids=["calls", "jobs"]
)
def test_an_allowance_that_is_used_up_is_left_to_another_day(
    start: Any, given: dict[str, Any], config: dict[str, Any]
) -> None:
    with told(RetryLater, "of 24 hours are used up.*run again tomorrow"):
        list(start(**given).sink(**config).upsert(changes(ANN)))


def test_too_many_calls_at_once_are_waited_for(start: Any) -> None:
    assert words(start(concurrent=2).sink(retry_attempts=4).upsert(changes(ANN))) == {"c1": "delivered"}


def test_a_session_that_ends_is_renewed(org: Org) -> None:
    sink = org.sink()
    list(sink.upsert(changes(ANN)))
    httpx.post(f"{org.url}/_inspect/expire")
    assert words(sink.upsert(changes(BOB))) == {"c2": "delivered"}


def test_a_signed_assertion_logs_in_too(start: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    org = start(public_key=public.decode())
    sink = org.sink(client_secret=None, username=USERNAME, private_key=private.decode())
    assert words(sink.upsert(changes(ANN))) == {"c1": "delivered"}


@pytest.mark.parametrize(
    "given", [{}, {"client_secret": "s", "username": "u", "private_key": "k"}, {"username": "u"}, {"private_key": "k"}]
)
def test_there_is_one_way_to_log_in(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="no single way to log in"):
        Settings(client_id="c", **given)


# ---- against a client that others wrote


def rows_of(content: bytes) -> list[dict[str, str]]:
    return sorted(csv.DictReader(io.StringIO(content.decode(), newline="")), key=lambda row: row[KEY])


def test_our_jobs_are_those_of_simple_salesforce(org: Org) -> None:
    rows = [
        {"customer_id": "c1", "email": "ann@posta.example", "name": "Ann", "city": 'Como, "CO"'},
        {"customer_id": "c2", "email": None, "name": "Bob", "city": "Reggio\nnell'Emilia"},
    ]
    list(org.sink(clear=["email"], **JOBS).upsert(changes(*rows)))
    theirs = [
        {KEY: row["customer_id"], "Email": row["email"] or "#N/A", "LastName": row["name"], "MailingCity": row["city"]}
        | {MEMBER: "true"}
        for row in rows
    ]
    handler = SFBulk2Handler(org.token(), f"{org.url}{ROOT}/jobs/")
    (done,) = handler.Contact.upsert(records=theirs, external_id_field=KEY, wait=0)
    assert (done["numberRecordsFailed"], done["numberRecordsProcessed"]) == (0, 2)
    made = [json.loads(content) for content in org.tape.sent("POST", "/jobs/ingest")]
    assert made[1] == {**made[0], "columnDelimiter": "COMMA"}
    ours, other = (rows_of(content) for content in org.tape.sent("PUT", "/batches"))
    assert ours == other
    assert {key: one["Id"] for key, one in org.records().items()}.keys() == {"c1", "c2"}


def test_simple_salesforce_reads_the_results_as_we_do(org: Org) -> None:
    handler = SFBulk2Handler(org.token(), f"{org.url}{ROOT}/jobs/").Contact
    bad = [{KEY: "c1", "LastName": "Ann", "Email": "wrong"}, {KEY: "c2", "LastName": "Bob", "Email": ""}]
    (done,) = handler.upsert(records=bad, external_id_field=KEY, wait=0)
    failed = list(csv.DictReader(io.StringIO(handler.get_failed_records(done["job_id"]))))
    ours = org.sink(**JOBS).upsert(changes({**ANN, "email": "wrong"}, {**BOB, "email": ""}))
    assert {row[KEY]: row["sf__Error"].partition(":")[0].lower() for row in failed} == {"c1": "invalid_email_address"}
    assert words(ours) == {"c1": "invalid_email_address", "c2": "delivered"}


# ---- whole runs


def run(stage: Rehearsal, org: Org, rows: Sequence[dict[str, Any]], **config: Any) -> None:
    stage.publish(list(rows), others=["c1", "c2"])
    stage.run(TargetSalesforce, {**org.config, **config})


def test_a_late_job_is_settled_by_the_next_run_of_the_sync(tmp_path: Path, start: Any) -> None:
    works = Works(stuck=True)
    org = start(works=works)
    stage = Rehearsal(tmp_path)
    run(stage, org, [ANN, BOB], **JOBS, job_timeout=0)
    ledger = stage.ledger()
    assert {row["status"] for row in ledger.lookup(stage.sync, ["c1", "c2"]).values()} == {"retrying"}
    works.stuck = False
    run(stage, org, [ANN, BOB], **JOBS)
    assert {row["status"] for row in ledger.lookup(stage.sync, ["c1", "c2"]).values()} == {"delivered"}
    ledger.close()
    assert (org.jobs_done(), org.members()) == (1, ["c1", "c2"])


def test_a_row_that_only_an_update_may_write_waits_for_its_record(tmp_path: Path, org: Org) -> None:
    stage = Rehearsal(tmp_path, mode="update")
    org.add(LastName="Ann", **{KEY: "c1"})
    run(stage, org, [ANN, BOB])
    assert org.members() == ["c1"]
    assert list(org.records()) == ["c1"]
    ledger = stage.ledger()
    assert ledger.lookup(stage.sync, ["c2"])["c2"]["code"] == "not_there"
    ledger.close()
