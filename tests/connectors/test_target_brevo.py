from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import Change, Http
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.brevo_rules import Limits, Quota
from target_brevo import Contacts, Settings, TargetBrevo
from target_brevo.importing import Census, Import, _parts

KEY = {"api-key": API_KEY}


def wide() -> Limits:
    return Limits(contacts=Quota(100_000, 1.0), others=Quota(100_000, 3600.0))


class Brevo:
    """An account to look into."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/v3{path}", headers=KEY, **given)

    def contacts(self) -> dict[str, dict[str, Any]]:
        return {
            c["attributes"].get("EXT_ID") or c["email"]: c for c in httpx.get(f"{self.url}/_inspect/contacts").json()
        }

    def on_list(self, number: int = 1) -> set[str]:
        return {name for name, contact in self.contacts().items() if number in contact["listIds"]}

    def blocks(self, email: str, code: str) -> None:
        httpx.post(f"{self.url}/_inspect/blocks", json={"email": email, "code": code}).raise_for_status()

    def calls(self) -> dict[str, int]:
        return dict(httpx.get(f"{self.url}/_inspect").json()["calls"])


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:

        def started(**given: Any) -> Brevo:
            return Brevo(stack.enter_context(serve(brevo(**{"limits": wide(), **given}))))

        yield started


@pytest.fixture
def account(start: Any) -> Brevo:
    return start()


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    terms = {"purpose": "email_marketing", "channel": "email", "list": "long_absent", "max_removal_share": 1}
    return Rehearsal(tmp_path, "brevo__long_absent", **terms)


def person(number: int, **more: Any) -> dict[str, Any]:
    row = {"customer_id": f"c{number:05}", "email": f"person{number}@example.it", "first_name": "Ada"}
    return {**row, "last_name": f"Rossi {number}", **more}


def config(account: Brevo, **more: Any) -> dict[str, Any]:
    quick = {"requests_per_second": 10_000, "retry_attempts": 2}
    return {"api_key": API_KEY, "api_url": f"{account.url}/v3", **quick, **more}


def receipts(stage: Rehearsal) -> dict[str, tuple[str, str]]:
    ledger = stage.ledger()
    try:
        return {row["key"]: (row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))}
    finally:
        ledger.close()


def test_members_become_contacts_with_the_customer_id_on_the_list(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(1), person(2, first_name=None)])
    stage.run(TargetBrevo, config(account))
    contacts = account.contacts()
    assert account.on_list() == {"c00001", "c00002"}
    assert contacts["c00001"]["email"] == "person1@example.it"
    assert contacts["c00001"]["attributes"] == {"FIRSTNAME": "Ada", "LASTNAME": "Rossi 1", "EXT_ID": "c00001"}


def test_a_large_audience_goes_in_by_import_in_few_calls(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(number) for number in range(400)])
    stage.run(TargetBrevo, config(account))
    assert len(account.on_list()) == 400
    calls = account.calls()
    assert calls.pop("POST /v3/contacts/import") == 1
    assert sum(calls.values()) < 10
    assert set(receipts(stage).values()) == {("delivered", "")}


def test_an_unchanged_audience_makes_no_call(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account))
    before = account.calls()
    stage.run(TargetBrevo, config(account))
    assert account.calls() == before


def test_a_withdrawal_takes_one_contact_off_the_list_and_leaves_it_in_the_account(
    stage: Rehearsal, account: Brevo
) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetBrevo, config(account))
    stage.publish([person(1), person(2)], refusing=["c00002"])
    stage.run(TargetBrevo, config(account))
    assert account.on_list() == {"c00001"}
    assert set(account.contacts()) == {"c00001", "c00002"}
    assert account.calls()["POST /v3/contacts/lists/1/contacts/remove"] == 1


def test_removals_go_a_hundred_and_fifty_a_call(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(number) for number in range(320)])
    stage.run(TargetBrevo, config(account))
    stage.publish([person(0)])
    stage.run(TargetBrevo, config(account))
    assert account.on_list() == {"c00000"}
    assert account.calls()["POST /v3/contacts/lists/1/contacts/remove"] == 3


def test_a_contact_that_left_the_list_by_itself_counts_as_removed(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(1), person(2), person(3)])
    stage.run(TargetBrevo, config(account))
    account.call("POST", "/contacts/lists/1/contacts/remove", json={"extIds": ["c00002"]})
    account.call("DELETE", "/contacts/c00003", params={"identifierType": "ext_id"})
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account))
    assert account.on_list() == {"c00001"}
    assert {receipts(stage)[key] for key in ("c00002", "c00003")} == {("delivered", "")}


@pytest.mark.parametrize("many", [False, True])
def test_who_unsubscribed_in_brevo_stays_unsubscribed(stage: Rehearsal, account: Brevo, many: bool) -> None:
    account.call("POST", "/contacts", json={"email": "person1@example.it", "emailBlacklisted": True})
    stage.publish([person(number) for number in range(1, 200 if many else 3)])
    stage.run(TargetBrevo, config(account))
    found = account.contacts()["person1@example.it"]
    assert (found["emailBlacklisted"], found["listIds"]) == (True, [])
    assert receipts(stage)["c00001"] == ("refused", "blocked")
    assert len(account.on_list()) == (198 if many else 1)


@pytest.mark.parametrize("many", [False, True])
def test_a_change_lifts_nobodys_unsubscription(stage: Rehearsal, account: Brevo, many: bool) -> None:
    last = 200 if many else 3
    stage.publish([person(number) for number in range(1, last)])
    stage.run(TargetBrevo, config(account, read_back="never"))
    account.blocks("person1@example.it", "unsubscribedViaEmail")
    stage.publish([person(number, last_name="Bianchi") for number in range(1, last)])
    stage.run(TargetBrevo, config(account, read_back="never"))
    assert account.contacts()["c00001"]["emailBlacklisted"] is True


def test_whom_brevo_writes_to_no_more_the_hub_leaves_in_peace(stage: Rehearsal, account: Brevo) -> None:
    people = [person(number) for number in range(1, 5)]
    stage.publish(people)
    stage.run(TargetBrevo, config(account))
    codes = ("hardBounce", "contactFlaggedAsSpam", "unsubscribedViaEmail")
    for number, code in enumerate(codes, start=1):
        account.blocks(f"person{number}@example.it", code)
    sink = Contacts(Settings(**config(account, read_back="always")), stage.sync, "long_absent")
    assert {bounce.key: bounce.reason for bounce in sink.bounced()} == {
        "c00001": "hard",
        "c00002": "complaint",
        "c00003": "unsubscribed",
    }
    sink.close()
    stage.publish([*people[:3], person(4, last_name="Bianchi")])
    stage.run(TargetBrevo, config(account))
    stage.publish([*people[:3], person(4, last_name="Bianchi")])
    stage.run(TargetBrevo, config(account))
    assert account.on_list() == {"c00004"}


def test_who_was_blocked_before_we_came_is_suppressed_too(stage: Rehearsal, account: Brevo) -> None:
    account.call("POST", "/contacts", json={"email": "person1@example.it"})
    account.blocks("person1@example.it", "hardBounce")
    sink = Contacts(Settings(**config(account)), stage.sync, "long_absent")
    row = {key: value for key, value in person(1).items() if key != "customer_id"}
    assert [verdict.code for verdict in sink.upsert([Change("upsert", "c00001", payload=row)])] == ["blocked"]
    assert [(bounce.key, bounce.reason) for bounce in sink.bounced()] == [("c00001", "hard")]
    sink.close()


@pytest.mark.parametrize("many", [2, 150])
def test_a_list_that_is_deleted_while_the_sync_runs_is_one_sentence(
    stage: Rehearsal, account: Brevo, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    stage.publish([person(number) for number in range(many)])
    usual, deleted = Http.call, []

    def losing(self: Http, method: str, url: str, **given: Any) -> Any:
        if url.endswith("/contacts/attributes") and not deleted:
            deleted.append(account.call("DELETE", "/contacts/lists/1"))
        return usual(self, method, url, **given)

    monkeypatch.setattr(Http, "call", losing)
    with pytest.raises(ConfigError, match="the account has no list 1"):
        stage.run(TargetBrevo, config(account, list_id=1))
    assert {status for status, _ in receipts(stage).values()} <= {"retrying", "in_doubt"}


def test_the_forecast_is_near_the_calls_that_are_made(stage: Rehearsal, account: Brevo) -> None:
    sink = Contacts(Settings(**config(account)), "sync", "list")
    stage.publish([person(number) for number in range(400)])
    stage.run(TargetBrevo, config(account))
    made = sum(account.calls().values())
    assert abs(sink.requests(400, 0) - made) <= 3
    assert sink.requests(0, 1_500) - sink.requests(0, 0) == 10
    assert sink.requests(20, 0) - sink.requests(10, 0) == 20


@pytest.mark.parametrize("many", [0, 150])
def test_a_bad_row_is_a_receipt_with_a_code_and_the_others_go_through(
    stage: Rehearsal, account: Brevo, many: int
) -> None:
    account.call("POST", "/contacts", json={"email": "taken@example.it", "ext_id": "somebody"})
    bad = [
        person(90_001, email="no at sign"),
        person(90_002, email=None),
        person(90_003, email="person1@example.it"),
        person(90_004, email="taken@example.it"),
    ]
    stage.publish([person(1), *(person(number) for number in range(2, 2 + many)), *bad])
    stage.run(TargetBrevo, config(account))
    found = receipts(stage)
    assert found["c90001"] == ("refused", "invalid_email")
    assert found["c90002"] == ("refused", "no_email")
    assert found["c90003"] == ("refused", "duplicate_email")
    assert found["c90004"] == ("refused", "duplicate_email")
    assert len(account.on_list()) == 1 + many
    assert account.contacts()["somebody"]["listIds"] == []


@pytest.mark.parametrize("many", [0, 150])
def test_a_changed_address_moves_the_contact_and_does_not_make_a_second(
    stage: Rehearsal, account: Brevo, many: int
) -> None:
    others = [person(number) for number in range(2, 2 + many)]
    stage.publish([person(1), *others])
    stage.run(TargetBrevo, config(account))
    before = account.contacts()["c00001"]["id"]
    stage.publish([person(1, email="new@example.it"), *(person(n, last_name="Neri") for n in range(2, 2 + many))])
    stage.run(TargetBrevo, config(account))
    after = account.contacts()
    assert (after["c00001"]["id"], after["c00001"]["email"]) == (before, "new@example.it")
    assert len(after) == 1 + many


def test_an_existing_contact_is_adopted_with_what_else_it_holds(stage: Rehearsal, account: Brevo) -> None:
    made = account.call(
        "POST", "/contacts", json={"email": "person1@example.it", "attributes": {"SMS": "+393331234567"}}
    )
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account))
    contact = account.contacts()["c00001"]
    assert contact["id"] == made.json()["id"]
    assert contact["attributes"]["SMS"] == "+393331234567"


def test_a_null_erases_the_attribute(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetBrevo, config(account))
    stage.publish([person(1, first_name=None), person(2)])
    stage.run(TargetBrevo, config(account))
    assert not account.contacts()["c00001"]["attributes"].get("FIRSTNAME")


def test_a_contact_that_another_sync_made_is_found_by_its_customer_id(stage: Rehearsal, account: Brevo) -> None:
    account.call("POST", "/contacts", json={"email": "old@example.it", "ext_id": "c00001"})
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account))
    assert {(c["email"], tuple(c["listIds"])) for c in account.contacts().values()} == {("person1@example.it", (1,))}


def test_columns_are_mapped_kept_back_or_made_attributes(stage: Rehearsal, account: Brevo) -> None:
    rows = [person(1, visits=3, since="2024-05-01", loyal=True, tax_code="X")]
    stage.publish(rows)
    mapping = {"visits": "VISITE", "tax_code": ""}
    with pytest.raises(ConfigError, match=r"the account has no attribute VISITE\. Next: map its column in attributes"):
        stage.run(TargetBrevo, config(account, attributes=mapping))
    assert account.contacts() == {}
    stage.run(TargetBrevo, config(account, attributes=mapping, create_attributes=True))
    attributes = account.contacts()["c00001"]["attributes"]
    assert {name: attributes.get(name) for name in ("VISITE", "SINCE", "LOYAL", "TAX_CODE")} == {
        "VISITE": 3,
        "SINCE": "2024-05-01",
        "LOYAL": True,
        "TAX_CODE": None,
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"list_name": "long_abssent"},
            "no list called 'long_abssent'. Next: set create_list: true, or another list_name; ",
        ),
        ({"list_name": "long_abssent"}, "did you mean 'long_absent'?"),
        ({"list_id": 77}, "the account has no list 77. Next: set list_id to an existing list"),
        ({"api_key": "wrong"}, "401 from GET /v3/contacts/attributes. Next: renew the API key in TARGET_BREVO_API_KEY"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_nothing_is_written(
    stage: Rehearsal, account: Brevo, settings: dict[str, Any], words: str
) -> None:
    stage.publish([person(1)])
    with pytest.raises(ConfigError) as fault:
        stage.run(TargetBrevo, config(account, **settings))
    assert words in str(fault.value)
    assert account.contacts() == {}
    assert receipts(stage)["c00001"] == ("retrying", "configuration")


def test_two_lists_of_one_name_are_not_chosen_from(stage: Rehearsal, start: Any) -> None:
    account = start(lists=["long_absent"])
    account.call("POST", "/contacts/lists", json={"name": "long_absent", "folderId": 1})
    stage.publish([person(1)])
    with pytest.raises(ConfigError, match=r"2 lists are called 'long_absent'\. Next: set list_id"):
        stage.run(TargetBrevo, config(account))


def test_a_missing_list_is_made_when_asked(stage: Rehearsal, start: Any) -> None:
    account = start(lists=[f"list {n}" for n in range(60)])
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account, create_list=True))
    assert account.on_list(61) == {"c00001"}


def test_the_published_rate_limit_is_kept(stage: Rehearsal, start: Any) -> None:
    account = start(limits=Limits(contacts=Quota(10, 1.0), others=Quota(100, 3600.0)))
    stage.publish([person(number) for number in range(8)])
    stage.run(TargetBrevo, config(account, requests_per_second=10))
    assert len(account.on_list()) == 8
    assert httpx.get(f"{account.url}/_inspect").json()["answers"].get("429", 0) <= 1


def test_a_429_is_waited_for_as_long_as_brevo_asks(stage: Rehearsal, start: Any) -> None:
    account = start(limits=Limits(contacts=Quota(4, 1.0), others=Quota(100, 3600.0)))
    stage.publish([person(number) for number in range(4)])
    stage.run(TargetBrevo, config(account, retry_attempts=3))
    assert len(account.on_list()) == 4
    assert httpx.get(f"{account.url}/_inspect").json()["answers"]["429"] > 0


def test_a_longer_wait_than_agreed_ends_the_run_and_loses_nothing(stage: Rehearsal, start: Any) -> None:
    account = start(limits=Limits(contacts=Quota(6, 3600.0), others=Quota(100, 3600.0)))
    stage.publish([person(number) for number in range(4)])
    with pytest.raises(RetryLater, match=r"target-brevo: it asks to wait 3[56]\d\d s. Next: run again after that time"):
        stage.run(TargetBrevo, config(account))
    found = receipts(stage)
    assert {found[name] for name in account.on_list()} == {("delivered", "")}
    assert ("retrying", "unreachable") in found.values()


def test_bad_weather_is_weathered(stage: Rehearsal, start: Any) -> None:
    account = start(weather=Weather(limited=0.1, broken=0.1, retry_after=0, seed=4))
    stage.publish([person(number) for number in range(20)])
    stage.run(TargetBrevo, config(account, retry_attempts=8))
    assert len(account.on_list()) == 20


def test_an_import_that_takes_too_long_is_tried_again_by_the_next_run(stage: Rehearsal, start: Any) -> None:
    account = start(import_seconds=1.5)
    stage.publish([person(number) for number in range(100)])
    with pytest.raises(RetryLater, match="an import is not through after 0 s"):
        stage.run(TargetBrevo, config(account, import_timeout=0.1))
    stage.run(TargetBrevo, config(account))
    assert len(account.on_list()) == 100
    assert len(account.contacts()) == 100


def test_an_import_is_kept_below_eight_megabytes() -> None:
    rows = [
        (Change("upsert", f"c{n}"), {"email": f"p{n}@example.it", "attributes": {"TEXT": "x" * 1_000_000}})
        for n in range(20)
    ]
    parts = list(_parts(rows))
    assert [len(part) for part in parts] == [7, 7, 6]
    assert [change.key for part in parts for change, _ in part] == [f"c{n}" for n in range(20)]


def test_a_row_that_would_link_two_contacts_is_not_imported() -> None:
    census = Census({"c1": "one@example.it"}, {"one@example.it": "c1", "free@example.it": ""})
    assert census.may_import("c1", "One@example.it")
    assert census.may_import("c2", "free@example.it")
    assert census.may_import("c2", "new@example.it")
    assert not census.may_import("c1", "free@example.it")
    assert not census.may_import("c1", "new@example.it")
    assert not census.may_import("c2", "one@example.it")


def test_no_address_is_in_a_log_an_error_or_the_ledger(
    stage: Rehearsal, account: Brevo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = {"email": "canary.person@example.it", "phone": "+393470000042", "tax_code": "RSSMRA80A01L219M"}
    rows = [person(1, **canary), person(2, **{**canary, "email": "canary.person@@example.it"})]
    stage.publish(rows)
    stage.run(TargetBrevo, config(account, create_attributes=True))
    stage.publish([person(3, **canary)])
    with pytest.raises(ConfigError) as fault:
        stage.run(TargetBrevo, config(account, api_key="wrong"))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*") if path.is_file())
    said = caplog.text + str(fault.value)
    for value in ("canary.person", *canary.values(), "canary.person%40"):
        assert value not in said
        assert value.encode() not in kept
    assert json.dumps(account.contacts()).count("canary.person@example.it") == 1


def test_an_import_that_brevo_gives_up_leaves_its_rows_to_single_calls(account: Brevo) -> None:
    class GivenUp:
        def start_import(self, rows: list[Any], list_id: int) -> tuple[int, str]:
            return 1, "2026-01-01T00:00:00.000Z"

        def wait_for(self, process: int, seconds: float) -> bool:
            return False

    rows: list[Any] = [(Change("upsert", "c1"), {"email": "a@example.it", "attributes": {}})]
    assert list(Import(GivenUp(), 1, 1.0).run(rows, Census({}, {}))) == []  # type: ignore[arg-type]


def again(account: Brevo, stage: Rehearsal, change: Any) -> None:
    """Feed the next run's messages with each record changed by hand."""
    lines = [json.loads(line) for line in stage.messages().splitlines()]
    for line in lines:
        if line["type"] == "RECORD":
            change(line["record"])
    stage.feed(TargetBrevo, config(account), "".join(json.dumps(line) + "\n" for line in lines))


def test_a_merged_customer_keeps_the_contact_under_the_other_customers_id(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(2)])
    stage.run(TargetBrevo, config(account))
    number = account.contacts()["c00002"]["id"]
    stage.publish([person(2), person(1, email="person2@example.it")])

    def moved(record: dict[str, Any]) -> None:
        record["_moved_from"] = "c00002"

    again(account, stage, moved)
    assert {key: contact["id"] for key, contact in account.contacts().items()} == {"c00001": number}
    assert account.on_list() == {"c00001"}
    ledger = stage.ledger()
    assert ledger.lookup(stage.sync, ["c00001", "c00002"]).keys() == {"c00001"}
    ledger.close()


def test_who_is_erased_is_no_contact_any_more(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetBrevo, config(account))
    stage.publish([person(1)])
    again(account, stage, lambda record: record.update(_reason="erased"))
    assert set(account.contacts()) == {"c00001"}
    assert receipts(stage)["c00002"] == ("delivered", "")


def test_update_changes_contacts_that_are_there_and_makes_none(tmp_path: Path, account: Brevo) -> None:
    terms = {"purpose": "email_marketing", "channel": "email", "list": "long_absent", "mode": "update"}
    updating = Rehearsal(tmp_path / "update", **terms)
    account.call("POST", "/contacts", json={"email": "person1@example.it", "ext_id": "c00001"})
    updating.publish([person(1), person(2)])
    updating.run(TargetBrevo, config(account))
    assert set(account.contacts()) == {"c00001"}
    assert account.contacts()["c00001"]["attributes"]["LASTNAME"] == "Rossi 1"
    assert receipts(updating) == {"c00001": ("delivered", ""), "c00002": ("refused", "not_there")}


def drift(stage: Rehearsal, account: Brevo) -> tuple[tuple[str, ...], tuple[str, ...]]:
    target = TargetBrevo(config={"ledger": stage.ledger_url, **config(account)})
    try:
        found = target.reconcile(stage.sync, "long_absent")
    finally:
        target.ledger.close()
    return found.missing, found.foreign


def test_who_is_taken_off_or_put_on_the_list_by_hand_is_found_and_the_next_change_mends_it(
    stage: Rehearsal, account: Brevo
) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetBrevo, config(account))
    assert drift(stage, account) == ((), ())
    account.call("POST", "/contacts/lists/1/contacts/remove", json={"extIds": ["c00002"]})
    account.call("POST", "/contacts", json={"email": "x@example.it", "ext_id": "stranger", "listIds": [1]})
    account.call("PUT", "/contacts/c00001?identifierType=ext_id", json={"attributes": {"LASTNAME": "By hand"}})
    assert drift(stage, account) == (("c00002",), ("stranger",))
    stage.publish([person(1, first_name="Eva"), person(2, first_name="Eva")])
    stage.run(TargetBrevo, config(account))
    assert drift(stage, account) == ((), ("stranger",))
    assert account.contacts()["c00001"]["attributes"]["LASTNAME"] == "Rossi 1"


def test_a_list_of_many_pages_is_listed_whole(stage: Rehearsal, account: Brevo) -> None:
    stage.publish([person(number) for number in range(1_200)])
    stage.run(TargetBrevo, config(account))
    assert drift(stage, account) == ((), ())


def test_a_list_that_was_deleted_in_the_account_is_one_sentence_and_nothing_is_sent(
    stage: Rehearsal, account: Brevo
) -> None:
    stage.publish([person(1)])
    stage.run(TargetBrevo, config(account, list_id=1))
    account.call("DELETE", "/contacts/lists/1")
    stage.publish([person(1, first_name="Eva"), person(2)])
    with pytest.raises(ConfigError, match="target-brevo: the account has no list 1"):
        stage.run(TargetBrevo, config(account, list_id=1))
    assert set(account.contacts()) == {"c00001"}


def test_a_key_that_is_revoked_halfway_ends_the_run_and_loses_no_row(
    stage: Rehearsal, account: Brevo, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish([person(number) for number in range(6)])
    usual, calls = Http.call, []

    def revoked(self: Http, method: str, url: str, **given: Any) -> Any:
        calls.append(method)
        if method == "POST" and calls.count("POST") == 4:
            given["headers"] = {"api-key": "revoked"}
        return usual(self, method, url, **given)

    monkeypatch.setattr(Http, "call", revoked)
    with pytest.raises(ConfigError, match="401 from POST /v3/contacts"):
        stage.run(TargetBrevo, config(account))
    assert sorted(receipts(stage).values()) == [("delivered", "")] * 3 + [("retrying", "configuration")] * 3
    stage.run(TargetBrevo, config(account))
    assert len(account.on_list()) == 6
