from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import mailchimp_marketing
import pytest
import requests
from mailchimp_marketing.api_client import ApiClientError

from snello.errors import ConfigError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators.mailchimp import API_KEY, LIST_ID, mailchimp
from snello.sandbox.emulators.mailchimp_rules import Account
from snello.sandbox.emulators.serving import serve
from snello.sandbox.emulators.watch import Weather
from target_mailchimp import Members, Settings, TargetMailchimp
from target_mailchimp.account import root_of, word_for

TAG = "long_absent"
MEMBERS = f"/lists/{LIST_ID}/members"


class Mailchimp:
    """An account to look into."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/3.0{path}", auth=("snello", API_KEY), **given)

    def members(self) -> dict[str, dict[str, Any]]:
        return {one["email_address"]: one for one in httpx.get(f"{self.url}/_inspect/members").json()}

    def tagged(self) -> set[str]:
        return {email for email, one in self.members().items() if TAG in [tag["name"] for tag in one["tags"]]}

    def calls(self) -> dict[str, int]:
        return dict(httpx.get(f"{self.url}/_inspect").json()["calls"])

    def add(self, email: str, status: str = "subscribed", **fields: str) -> None:
        body = {"members": [{"email_address": email, "status": status, "merge_fields": fields}]}
        assert self.call("POST", f"/lists/{LIST_ID}", json=body).json()["error_count"] == 0

    def leaves(self, email: str, status: str = "unsubscribed") -> None:
        left = {"list": LIST_ID, "email": email, "status": status}
        httpx.post(f"{self.url}/_inspect/own-will", json=left).raise_for_status()


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:

        def started(**given: Any) -> Mailchimp:
            return Mailchimp(stack.enter_context(serve(mailchimp(**given))))

        yield started


@pytest.fixture
def account(start: Any) -> Mailchimp:
    return start()


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    terms = {"purpose": "email_marketing", "channel": "email", "list": TAG, "max_removal_share": 1}
    return Rehearsal(tmp_path, "mailchimp__long_absent", **terms)


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"customer_id": f"c{number:05}", "email": f"person{number}@example.it", "first_name": "Ada", **more}


def config(account: Mailchimp, **more: Any) -> dict[str, Any]:
    quick = {"requests_per_second": 10_000, "retry_attempts": 2, "create_tag": True, "create_merge_fields": True}
    return {"api_key": API_KEY, "api_url": f"{account.url}/3.0", **quick, **more}


def receipts(stage: Rehearsal) -> dict[str, tuple[str, str]]:
    ledger = stage.ledger()
    try:
        return {row["key"]: (row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))}
    finally:
        ledger.close()


def run(stage: Rehearsal, account: Mailchimp, *rows: dict[str, Any], **more: Any) -> None:
    stage.publish(list(rows))
    stage.run(TargetMailchimp, config(account, **more))


def test_new_people_are_subscribed_and_tagged_with_their_customer_id(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1), person(2, first_name=None))
    one = account.members()["person1@example.it"]
    assert account.tagged() == {"person1@example.it", "person2@example.it"}
    assert (one["status"], one["merge_fields"]) == ("subscribed", {"FNAME": "Ada", "EXTID": "c00001"})


def test_a_thousand_people_take_two_calls_for_each_five_hundred(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, *(person(number) for number in range(1_000)))
    calls = account.calls()
    assert len(account.tagged()) == 1_000
    assert calls[f"POST /3.0/lists/{LIST_ID}"] == 2
    assert sum(calls.values()) <= 15
    run(stage, account, *(person(number, first_name="Eva") for number in range(1_000)))
    again = account.calls()
    assert again[f"POST /3.0/lists/{LIST_ID}"] == 4
    assert not [call for call in again if call.startswith("PATCH")]
    assert {one["merge_fields"]["FNAME"] for one in account.members().values()} == {"Eva"}


def test_where_a_batch_wants_a_status_contacts_are_changed_alone_without_one(stage: Rehearsal, start: Any) -> None:
    account = start(account=Account(status_needed=True))
    run(stage, account, person(1))
    run(stage, account, person(1, first_name="Eva"))
    assert account.members()["person1@example.it"]["merge_fields"]["FNAME"] == "Eva"
    assert receipts(stage) == {"c00001": ("delivered", "")}


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned"])
def test_whom_mailchimp_may_not_write_to_is_refused_and_left_as_they_are(
    stage: Rehearsal, account: Mailchimp, status: str
) -> None:
    account.add("person1@example.it")
    account.leaves("person1@example.it", status)
    before = account.members()
    run(stage, account, person(1), person(2))
    assert account.members()["person1@example.it"] == before["person1@example.it"]
    assert receipts(stage) == {"c00001": ("refused", status), "c00002": ("delivered", "")}


def test_an_update_never_makes_anybody_subscribed(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1), double_opt_in=True)
    assert account.members()["person1@example.it"]["status"] == "pending"
    run(stage, account, person(1, first_name="Eva"))
    one = account.members()["person1@example.it"]
    assert (one["status"], one["merge_fields"]["FNAME"]) == ("pending", "Eva")


def test_who_unsubscribed_in_mailchimp_is_suppressed_in_the_hub(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1), person(2), person(3))
    account.leaves("person1@example.it")
    account.leaves("person2@example.it", "cleaned")
    run(stage, account, person(1), person(2), person(3, first_name="Eva"))
    sink = Members(Settings(**config(account, read_back="always")), stage.sync, TAG)
    assert {(bounce.key, bounce.reason) for bounce in sink.bounced()} == {
        ("c00001", "unsubscribed"),
        ("c00002", "hard"),
    }
    run(stage, account, person(1), person(2), person(3, first_name="Eva"))
    assert account.tagged() == {"person3@example.it"}


def test_a_new_address_renames_the_contact_and_makes_no_second_one(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1))
    run(stage, account, person(1, email="new@example.it"))
    assert set(account.members()) == account.tagged() == {"new@example.it"}


def test_a_new_address_does_not_subscribe_again_who_left_under_the_old_one(
    stage: Rehearsal, account: Mailchimp
) -> None:
    run(stage, account, person(1), read_back="never")
    account.leaves("person1@example.it")
    run(stage, account, person(1, email="new@example.it"), read_back="never")
    assert set(account.members()) == {"person1@example.it"}
    assert receipts(stage) == {"c00001": ("refused", "unsubscribed")}


def test_the_departed_lose_the_tag_and_stay_in_the_audience(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1), person(2))
    run(stage, account, person(1))
    assert account.tagged() == {"person1@example.it"}
    assert account.members()["person2@example.it"]["status"] == "subscribed"


def test_who_changed_their_address_in_mailchimp_is_found_by_their_customer_id(
    stage: Rehearsal, account: Mailchimp
) -> None:
    run(stage, account, person(1), person(2))
    hashed = account.members()["person2@example.it"]["id"]
    account.call("PATCH", f"{MEMBERS}/{hashed}", json={"email_address": "moved@example.it"})
    run(stage, account, person(1))
    assert account.tagged() == {"person1@example.it"}


def test_archiving_spares_whom_another_tag_holds(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1), person(2), person(3), on_leave="archive")
    other = {"name": "vip", "static_segment": []}
    made = account.call("POST", f"/lists/{LIST_ID}/segments", json=other).json()["id"]
    vip = {"members_to_add": ["person2@example.it"]}
    account.call("POST", f"/lists/{LIST_ID}/segments/{made}", json=vip)
    run(stage, account, person(1), on_leave="archive")
    status = {email: one["status"] for email, one in account.members().items()}
    assert status["person2@example.it"] == "subscribed"
    assert status["person3@example.it"] == "archived"


def test_an_erased_person_cannot_be_imported_again(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1))
    one = account.members()["person1@example.it"]
    account.call("POST", f"{MEMBERS}/{one['id']}/actions/delete-permanent")
    run(stage, account, person(1, first_name="Eva"))
    assert receipts(stage) == {"c00001": ("refused", "forgotten_email")}
    assert account.members() == {}


def test_a_contact_of_another_customer_is_not_taken_over(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1))
    run(stage, account, person(1), person(2, email="person1@example.it"))
    assert receipts(stage)["c00002"] == ("refused", "duplicate_email")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"email": "someone@example.com"}, "invalid_email"),
        ({"email": "abuse@example.it"}, "role_address"),
        ({"email": "not an address"}, "invalid_email"),
        ({"first_name": "x" * 300}, "invalid_field"),
    ],
)
def test_a_row_that_mailchimp_refuses_has_a_word_of_its_own(
    stage: Rehearsal, account: Mailchimp, row: dict[str, Any], code: str
) -> None:
    run(stage, account, person(1, **row), person(2))
    assert receipts(stage) == {"c00001": ("refused", code), "c00002": ("delivered", "")}


def test_a_required_merge_field_that_stays_empty_refuses_the_row(stage: Rehearsal, account: Mailchimp) -> None:
    field = {"tag": "CITY", "name": "City", "type": "text", "required": True}
    account.call("POST", f"/lists/{LIST_ID}/merge-fields", json=field)
    run(stage, account, person(1, city=None), person(2, city="Roma"))
    assert receipts(stage) == {"c00001": ("refused", "required_field"), "c00002": ("delivered", "")}


def test_a_day_of_birth_goes_into_a_birthday_field_as_mailchimp_writes_it(stage: Rehearsal, account: Mailchimp) -> None:
    field = {"tag": "BIRTH", "name": "Birthday", "type": "birthday"}
    account.call("POST", f"/lists/{LIST_ID}/merge-fields", json=field)
    run(stage, account, person(1, born="1980-02-29"), merge_fields={"born": "BIRTH"})
    assert account.members()["person1@example.it"]["merge_fields"]["BIRTH"] == "02/29"


@pytest.mark.parametrize(
    ("given", "switches", "said"),
    [
        ({"api_key": f"{'0' * 32}-us21"}, {}, "renew the API key"),
        ({}, {"account": Account(disabled=True)}, "user of the API key is disabled"),
        ({}, {"account": Account(most_contacts=0)}, "as many contacts as its plan allows"),
        ({"list_id": "zzzzz"}, {}, "not there any more"),
        ({"list_name": "Arora"}, {}, "Aurora"),
        ({"create_tag": False}, {}, "create_tag: true"),
        ({"create_merge_fields": False}, {}, "no merge field EXTID"),
    ],
)
def test_what_the_account_is_to_blame_for_is_one_sentence_with_the_cure(
    stage: Rehearsal, start: Any, given: dict[str, Any], switches: dict[str, Any], said: str
) -> None:
    account = start(**switches)
    stage.publish([person(1)])
    with pytest.raises(ConfigError, match=said) as fault:
        stage.run(TargetMailchimp, config(account, **given))
    assert "example.it" not in str(fault.value)
    assert API_KEY not in str(fault.value)


def test_a_tag_that_was_deleted_ends_the_run(stage: Rehearsal, account: Mailchimp) -> None:
    run(stage, account, person(1))
    stage.publish([person(1, first_name="Eva")])
    account.call("DELETE", f"/lists/{LIST_ID}/segments/1")
    with pytest.raises(ConfigError, match="no tag called"):
        stage.run(TargetMailchimp, config(account, create_tag=False))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"list_id": LIST_ID}, "the audience or its tag is not there any more. Next: set list_id and tag to what"),
        ({"list_name": "Aurora"}, "the account has no audience. Next: make one in Mailchimp"),
    ],
)
def test_an_audience_that_was_deleted_ends_the_run_and_its_rows_wait(
    stage: Rehearsal, account: Mailchimp, given: dict[str, Any], said: str
) -> None:
    run(stage, account, person(1))
    assert account.call("DELETE", f"/lists/{LIST_ID}").is_success
    stage.publish([person(1, first_name="Eva"), person(2)])
    with pytest.raises(ConfigError, match=f"target-mailchimp: {said}"):
        stage.run(TargetMailchimp, config(account, **given))
    assert set(receipts(stage).values()) == {("retrying", "configuration")}


def test_too_many_calls_at_once_end_the_run_until_later(stage: Rehearsal, start: Any) -> None:
    account = start(account=Account(at_once=0))
    stage.publish([person(1)])
    with pytest.raises(RetryLater):
        stage.run(TargetMailchimp, config(account, retry_attempts=1))


def test_on_bad_days_every_row_arrives_once(stage: Rehearsal, start: Any) -> None:
    account = start(weather=Weather(limited=0.2, broken=0.1, retry_after=0, seed=7))
    run(stage, account, *(person(number) for number in range(60)), retry_attempts=12)
    assert len(account.members()) == len(account.tagged()) == 60


def test_the_datacentre_is_read_from_the_key() -> None:
    assert root_of(API_KEY, None) == "https://us21.api.mailchimp.com/3.0"
    with pytest.raises(ConfigError, match="-us21"):
        root_of("0123456789", None)


def test_the_forecast_counts_batches() -> None:
    sink = Members(Settings(api_key=API_KEY), "sync", "tag")
    few = sink.requests(0, 0)
    assert sink.requests(100_000, 0) - few == 400
    assert sink.requests(0, 100_000) - few == 200


def test_every_word_of_mailchimps_has_one_of_ours() -> None:
    assert word_for({"error": "x has signed up to a lot of lists very recently"}) == "too_many_signups"
    assert word_for({"error": "x is in a compliance state due to unsubscribe"}) == "compliance_state"
    assert word_for({"error": "anything else"}) == "refused"


def test_no_log_shows_an_address(
    stage: Rehearsal, account: Mailchimp, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        run(stage, account, person(1, email="canary@example.it"), person(2, email="canary two@example.it"))
    shown = caplog.text + "".join(capsys.readouterr())
    assert "canary" not in shown
    assert API_KEY not in shown


@pytest.fixture
def client(account: Mailchimp, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Mailchimp's own client, its calls led to the account of the test."""
    found = mailchimp_marketing.Client({"api_key": API_KEY})
    found.set_config({"api_key": API_KEY, "server": "us21"})
    send = requests.Session.request
    here = {"https://us21.api.mailchimp.com": account.url}

    def led(self: Any, method: str, url: str, **given: Any) -> Any:
        for there, to in here.items():
            url = url.replace(there, to)
        return send(self, method, url, **given)

    monkeypatch.setattr(requests.Session, "request", led)
    return found


def test_mailchimps_own_client_finds_what_we_wrote(stage: Rehearsal, account: Mailchimp, client: Any) -> None:
    run(stage, account, person(1), person(2))
    members = client.lists.get_list_members_info(LIST_ID, count=10)["members"]
    assert {one["merge_fields"]["EXTID"] for one in members} == {"c00001", "c00002"}
    segment = client.lists.list_segments(LIST_ID)["segments"][0]
    assert (segment["name"], segment["member_count"]) == (TAG, 2)
    said = client.lists.batch_segment_members({"members_to_remove": ["person1@example.it"]}, LIST_ID, segment["id"])
    assert said["total_removed"] == 1


def test_mailchimps_own_client_is_refused_as_by_mailchimp(account: Mailchimp, client: Any) -> None:
    member = {"email_address": "person1@example.it", "status": "subscribed"}
    assert client.lists.batch_list_members(LIST_ID, {"members": [member]})["total_created"] == 1
    again = client.lists.batch_list_members(LIST_ID, {"members": [member]})
    assert again["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"
    with pytest.raises(ApiClientError) as fault:
        client.lists.batch_list_members(LIST_ID, {"members": [member] * 501})
    assert fault.value.status_code == 400
    client.lists.delete_list_member_permanent(LIST_ID, "person1@example.it")
    gone = client.lists.batch_list_members(LIST_ID, {"members": [member]})
    assert "permanently deleted" in json.dumps(gone["errors"])
