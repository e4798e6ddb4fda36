from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jwt
import pyarrow as pa
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.ads import datamanager_v1 as sdk
from google.ads.datamanager_util import Formatter
from google.protobuf import json_format

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import BatchRefused, Size, Transient
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators.google import (
    ACCOUNT,
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SCOPE,
    SERVICE_ACCOUNT,
    google,
)
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.google_store import GoogleStore, Switches
from snello.sandbox.emulators.serving import serve
from target_google_audiences import Members, Settings, TargetGoogleAudiences
from target_google_audiences.following import Pending
from target_google_audiences.members import handles_of
from target_google_audiences.refusals import RowsAtFault, judge

COLUMNS = pa.schema([(name, pa.string()) for name in ("customer_id", "email", "phone")])
LOGIN = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}


def person(number: int, email: str = "") -> dict[str, Any]:
    email = email or f"p{number}@example.it"
    return {"customer_id": f"c{number:04}", "email": email, "phone": f"+39333{number:07}"}


class Google:
    """An account, a sync into it, and a look inside."""

    def __init__(self, url: str, folder: Path, **config: Any) -> None:
        self.url = url
        self.stage = Rehearsal(folder, purpose="ads_audiences", channel="ads", max_removal_share=1)
        self.config = {**LOGIN, "account_id": ACCOUNT, "list_name": "long_absent", "requests_per_second": 10_000}
        self.config |= {"status_wait": 0.01, "api_url": f"{url}/v1", "token_url": f"{url}/token", **config}

    def run(self, *rows: dict[str, Any], **config: Any) -> None:
        self.stage.publish(list(rows), schema=COLUMNS)
        self.again(**config)

    def again(self, **config: Any) -> None:
        given = {name: value for name, value in {**self.config, **config}.items() if value is not None}
        self.stage.run(TargetGoogleAudiences, given)

    def switch(self, **given: Any) -> None:
        httpx.post(f"{self.url}/_inspect/switches", json=given).raise_for_status()

    def change_list(self, **given: Any) -> None:
        httpx.patch(f"{self.url}/_inspect/lists/1", json=given).raise_for_status()

    def members(self) -> set[str]:
        return set(httpx.get(f"{self.url}/_inspect/members/1").json())

    def requests(self) -> dict[str, int]:
        found: dict[str, int] = httpx.get(f"{self.url}/_inspect").json()["requests"]
        return found

    def statuses(self, *numbers: int) -> list[tuple[str, str]]:
        ledger = self.stage.ledger()
        try:
            rows = ledger.lookup(self.stage.sync, [f"c{number:04}" for number in numbers])
        finally:
            ledger.close()
        return [(row["status"], row["code"]) for _, row in sorted(rows.items())]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def started(**given: Any) -> Google:
            config = given.pop("config", {})
            app = google(**{"quotas": (Quota(100_000), Quota(100_000)), **given})
            return Google(stack.enter_context(serve(app)), tmp_path, **config)

        yield started


def known(*rows: dict[str, Any]) -> set[str]:
    made = (json.loads(handle) for handle in handles_of(rows, None))
    return {f"{kind} {value}" for one in made for part in one for kind, value in part.items()}


def test_values_of_which_nothing_is_left_are_counted_and_told(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        start().run(
            {**person(1), "phone": "n/a"}, {**person(2), "phone": "-"}, {**person(3), "email": "none"}, person(4)
        )
    (said,) = [line for line in caplog.messages if "once normalised" in line]
    assert said.endswith("nothing of it was left once normalised: phone 2, email 1")


def test_what_has_not_ended_is_asked_for_by_the_next_run_and_not_sent_again(start: Any) -> None:
    there = start(switches=Switches(endless=True))
    there.run(person(1), person(2), status_timeout=0)
    assert there.statuses(1, 2) == [("retrying", "processing")] * 2
    there.switch(endless=False)
    there.again()
    assert there.statuses(1, 2) == [("delivered", "")] * 2
    assert there.requests() == {"ingest": 1}
    assert there.members() == known(person(1), person(2))


def test_a_run_whose_requests_have_not_ended_says_so_in_one_sentence(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    there = start(switches=Switches(endless=True))
    there.run(person(1), person(2), status_timeout=0)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    [sentence] = [text for text in warned if "wait" in text]
    assert sentence == (
        "channel__audience: 2 rows wait (processing 2): Google has not said yet that it processed them; "
        "a later run asks before it sends anything again. Next: snello sync run channel__audience."
    )
    caplog.clear()
    there.switch(endless=False)
    there.again()
    assert not [record for record in caplog.records if "wait" in record.getMessage()]


def test_a_request_that_never_ends_is_given_up(start: Any) -> None:
    there = start(switches=Switches(endless=True))
    there.run(person(1), status_timeout=0, max_attempts=2)
    there.again(status_timeout=0, max_attempts=2)
    assert there.statuses(1) == [("dead", "processing")]
    assert there.requests() == {"ingest": 1}


def test_who_leaves_while_their_ingestion_is_processed_is_off_the_list_in_the_end(start: Any) -> None:
    there = start(switches=Switches(endless=True))
    there.run(person(1), person(2), status_timeout=0)
    there.run(person(1), status_timeout=0)
    there.switch(endless=False)
    there.again()
    there.again()
    assert there.members() == known(person(1))
    assert there.statuses(2) == [("delivered", "")]


def test_a_changed_address_leaves_the_list_before_the_new_one_comes(start: Any) -> None:
    there = start()
    there.run(person(1), person(2))
    there.run(person(1, "other@example.it"), person(2))
    assert there.members() == known(person(1, "other@example.it"), person(2))
    assert there.requests() == {"ingest": 2, "remove": 1}


def test_a_row_that_changes_while_its_request_is_processed_waits_for_it(start: Any) -> None:
    there = start(switches=Switches(endless=True))
    there.run(person(1), status_timeout=0)
    there.run(person(1, "other@example.it"), status_timeout=0)
    assert there.requests() == {"ingest": 1}
    there.switch(endless=False)
    there.again()
    assert there.members() == known(person(1, "other@example.it"))


def test_which_of_many_failed_late_is_found_by_halving(start: Any) -> None:
    bad = person(5)
    (spoiled, *_) = known(bad)
    there = start(switches=Switches(spoiled=(spoiled,)))
    there.run(*(person(number) for number in range(16)))
    assert there.statuses(5) == [("refused", "invalid_format")]
    assert there.members() == known(*(person(number) for number in range(16) if number != 5))
    assert there.requests()["ingest"] == 9


def test_a_late_failure_that_is_nobodys_fault_is_sent_again(start: Any) -> None:
    (spoiled, *_) = known(person(1))
    there = start(switches=Switches(spoiled=(spoiled,), reason="INTERNAL_ERROR"))
    there.run(person(1))
    assert there.statuses(1) == [("retrying", "internal_error")]
    there.switch(spoiled=[])
    there.again()
    assert there.members() == known(person(1))


def test_a_member_that_google_does_not_take_is_refused_and_the_others_go(start: Any) -> None:
    there = start(config={"country": "IT"})
    named = {"first_name": "Ada", "last_name": "Rossi"}
    columns = pa.schema([(name, pa.string()) for name in ("customer_id", "first_name", "last_name", "postcode")])
    rows = [
        {"customer_id": "c0001", **named, "postcode": "20100"},
        {"customer_id": "c0002", **named, "postcode": "2!"},
    ]
    there.stage.publish(rows, schema=columns)
    there.again()
    assert there.statuses(1, 2) == [("delivered", ""), ("refused", "invalid_postal_code")]


@pytest.mark.parametrize(
    ("switches", "says"),
    [
        ({"permission": False}, "may not use the account"),
        ({"customer_match": False}, "may not use Customer Match"),
        ({"manager": "9999999999"}, "login_account_id"),
        ({"refreshing": False}, "renew"),
    ],
)
def test_the_account_to_blame_ends_the_run_with_the_cure(start: Any, switches: dict[str, Any], says: str) -> None:
    there = start(switches=Switches(**switches))
    with pytest.raises(ConfigError, match=says):
        there.run(person(1))
    assert there.members() == set()


def test_through_a_manager_account(start: Any) -> None:
    there = start(switches=Switches(manager="9999999999"))
    there.run(person(1), login_account_id="999-999-9999")
    assert there.members() == known(person(1))


def test_a_closed_list_takes_nobody_and_lets_people_go(start: Any) -> None:
    there = start()
    there.run(person(1), person(2))
    there.change_list(membershipStatus="CLOSED")
    there.run(person(1))
    assert there.members() == known(person(1))
    with pytest.raises(ConfigError, match="closed"):
        there.run(person(1), person(3))


def test_a_list_of_another_type_is_told_before_a_row_is_sent(start: Any) -> None:
    there = start()
    there.change_list(ingestedUserListInfo={"uploadKeyTypes": ["MOBILE_ID"]})
    with pytest.raises(ConfigError, match="contact information"):
        there.run(person(1))


def test_a_list_is_made_when_asked_alone(start: Any) -> None:
    there = start()
    with pytest.raises(ConfigError, match="no list called 'loyal'"):
        there.run(person(1), list_name="loyal")
    there.again(list_name="loyal", create_list=True, membership_days=30)
    assert httpx.get(f"{there.url}/_inspect").json()["lists"] == {"long_absent": 0, "loyal": 2}


def test_a_quota_that_is_spent_is_left_to_a_later_run(start: Any) -> None:
    there = start(quotas=(Quota(1), Quota(100_000)))
    with pytest.raises(RetryLater, match="asks to wait"):
        there.run(person(1), person(2), members_per_request=1, max_wait=1)
    assert sorted(there.statuses(1, 2))[-1] == ("retrying", "unreachable")


def test_where_google_tells_no_size_none_is_told(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there, about = start(), GoogleStore.about
    monkeypatch.setattr(GoogleStore, "about", lambda store, number: {**(about(store, number) or {}), "sizeInfo": {}})
    sink = Members(Settings(**there.config), "sync", "long_absent")
    assert sink.size() is None
    sink.close()


def test_a_token_that_runs_out_is_renewed(start: Any) -> None:
    there = start()
    sink = Members(Settings(**there.config), "sync", "long_absent")
    assert sink.size() == Size(0)
    httpx.delete(f"{there.url}/_inspect/tokens").raise_for_status()
    assert sink.size() == Size(0)
    sink.close()


def test_a_service_account_logs_in_with_a_signed_assertion(start: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()  # fmt: skip
    there = start(public_key=public)
    there.run(person(1), client_email=SERVICE_ACCOUNT, private_key=private, **dict.fromkeys(LOGIN))
    assert there.members() == known(person(1))
    assert jwt.decode(jwt.encode({"scope": SCOPE}, private, "RS256"), public, ["RS256"])["scope"] == SCOPE


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (LOGIN | {"client_email": "a", "private_key": "b"}, "two ways"),
        ({}, "no way to log in"),
        ({"client_id": "a"}, "a part of the login is missing"),
    ],
)
def test_one_way_to_log_in_is_set(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Settings(account_id="1", **config)


def test_a_hundred_thousand_members_are_planned_as_ten_requests_each_asked_about_once() -> None:
    settings = Settings(account_id="1", **LOGIN)
    sink = Members(settings, "sync", "list")
    assert sink.requests(100_000, 0) == 20  # each is sent and asked about once
    assert sink.max_size == 10_000


def test_each_request_is_one_of_googles_own_messages(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    real = requests.Session.send

    def noted(session: Any, request: Any, **more: Any) -> Any:
        if request.body and "/v1/" in request.url:
            sent.append((request.url.rpartition("/")[2], json.loads(request.body)))
        return real(session, request, **more)

    monkeypatch.setattr(requests.Session, "send", noted)
    there = start()
    there.run(person(1), list_name="loyal", create_list=True, membership_days=1, login_account_id=ACCOUNT)
    there.run(person(2), list_name="loyal")
    messages = {
        "audienceMembers:ingest": sdk.IngestAudienceMembersRequest,
        "audienceMembers:remove": sdk.RemoveAudienceMembersRequest,
        "userLists": sdk.UserList,
    }
    assert {name for name, _ in sent} == set(messages)
    for name, body in sent:
        parsed = json_format.ParseDict(body, messages[name].pb()())
        assert json_format.MessageToDict(parsed) == body


def test_what_is_sent_is_what_googles_own_formatter_makes() -> None:
    row = {"email": " Ada.Rossi+x@Gmail.com", "phone": "+39 333 1234567", "first_name": "Ada ", "last_name": "ROSSI"}
    row |= {"postcode": "20100", "country": "it"}
    (handle,) = handles_of([row], None)
    theirs = Formatter()

    def hashed(text: str) -> str:
        return theirs.hex_encode(theirs.hash_string(text))

    address = {
        "givenName": hashed(theirs.format_given_name(row["first_name"])),
        "familyName": hashed(theirs.format_family_name(row["last_name"])),
        "regionCode": theirs.format_region_code(row["country"]),
        "postalCode": theirs.format_postal_code(row["postcode"]),
    }
    assert json.loads(handle) == [
        {"address": address},
        {"emailAddress": hashed(theirs.format_email_address(row["email"]))},
        {"phoneNumber": hashed(theirs.format_phone_number(row["phone"]))},
    ]


def answer(status: int, *details: dict[str, Any]) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, json.dumps({"error": {"details": details}}).encode()
    return made


def test_a_refusal_says_whose_fault_it_is() -> None:
    field = {"field": "audienceMembers[3].userData", "reason": "INVALID_SHA256_FORMAT", "description": "a@example.it"}
    rows = judge(answer(400, {"fieldViolations": [field]}))
    assert isinstance(rows, RowsAtFault)
    assert rows.reasons == {3: "invalid_sha256_format"}
    assert isinstance(judge(answer(403, {"reason": "SERVICE_DISABLED"})), ConfigError)
    odd = judge(answer(400, {"reason": "something about a@example.it"}))
    assert isinstance(odd, BatchRefused)
    assert odd.code == "invalid_argument"
    wait = judge(answer(429, {"retryDelay": "7s"}))
    assert isinstance(wait, Transient)
    assert wait.wait == 7
    day = judge(answer(429, {"metadata": {"quota_limit": "RequestsPerDayPerProject"}}, {"retryDelay": "7s"}))
    assert isinstance(day, Transient)
    assert day.wait == 3600
    assert judge(answer(503)) is None


def test_what_is_kept_of_a_request_is_read_again() -> None:
    pending = Pending("ingest", "batch", "id with a space")
    assert Pending.of(str(pending)) == pending
    assert Pending.of("42") is None


def test_the_search_for_who_failed_late_has_an_end_and_goes_on_in_the_next_run(start: Any) -> None:
    people = [person(number) for number in range(160)]
    there = start(switches=Switches(spoiled=tuple(next(iter(known(one))) for one in people[::2])))
    there.run(*people)
    assert there.requests()["ingest"] <= 65
    assert ("retrying", "invalid_format") in there.statuses(*range(160))
    before = there.statuses(*range(160)).count(("refused", "invalid_format"))
    there.again()
    assert there.requests()["ingest"] <= 130
    assert there.statuses(*range(160)).count(("refused", "invalid_format")) > before


def test_a_row_that_tells_nobody_any_more_is_off_the_list_and_refused(start: Any) -> None:
    there = start()
    there.run(person(1), person(2))
    there.run({"customer_id": "c0001", "email": "no address", "phone": None}, person(2))
    assert there.members() == known(person(2))
    assert there.statuses(1) == [("refused", "no_match_key")]
