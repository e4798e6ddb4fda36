from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm import contacts as sdk
from hubspot.crm import lists as sdk_lists
from hubspot.crm import properties as sdk_properties
from hubspot.crm.associations.v4 import models as sdk_associations
from pydantic import ValidationError

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import BatchRefused, Change, Verdict
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.hubspot import ACCESS_TOKEN, hubspot
from snello.sandbox.emulators.hubspot_rules import SCOPES, Limits
from target_hubspot import Contacts, Settings, TargetHubspot

ROOT = "/crm/v3/objects/contacts"
ANN = {"customer_id": "c1", "email": "ann@posta.example", "first_name": "Ann", "city": "Como"}
BOB = {"customer_id": "c2", "email": "bob@posta.example", "first_name": "Bob", "city": "Lecco"}


class Portal:
    """An account to look into."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.config = {"access_token": ACCESS_TOKEN, "api_url": url, "create_properties": True} | {
            "requests_per_second": 10_000,
            "list_name": "long_absent",
        }

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        answer = httpx.request(method, self.url + path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def add(self, kind: str = "contacts", **properties: str) -> str:
        return str(self.call("POST", f"/crm/v3/objects/{kind}", {"properties": properties})["id"])

    def unique(self, name: str, kind: str = "contacts") -> None:
        one = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "information"}
        self.call("POST", f"/crm/v3/properties/{kind}", {**one, "hasUniqueValue": True})

    def contacts(self) -> dict[str, dict[str, Any]]:
        found = httpx.get(f"{self.url}/_inspect/contacts").json()
        return {one["properties"].get("snello_customer_id") or one["properties"]["email"]: one for one in found}

    def held(self, key: str) -> dict[str, Any]:
        return dict(self.contacts()[key]["properties"])

    def calls(self) -> dict[str, int]:
        return dict(httpx.get(f"{self.url}/_inspect").json()["calls"])

    def sink(self, **config: Any) -> Contacts:
        return Contacts(Settings(**{**self.config, **config}), "crm__audience", "long_absent")


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:

        def started(**given: Any) -> Portal:
            return Portal(stack.enter_context(serve(hubspot(**{"limits": Limits(burst=100_000), **given}))))

        yield started


@pytest.fixture
def portal(start: Any) -> Portal:
    found: Portal = start()
    return found


def changes(*rows: dict[str, Any], **more: Any) -> list[Change]:
    return [Change("upsert", row["customer_id"], "f", row, consent="yes", **more) for row in rows]


def words(verdicts: Any) -> dict[str, str]:
    return {one.key: one.code or one.status for one in verdicts}


# ---- what is written


def test_a_blank_writes_nothing_over_a_value_unless_it_is_to_clear(portal: Portal) -> None:
    sink = portal.sink(clear=["first_name"])
    list(sink.upsert(changes(ANN)))
    list(sink.upsert(changes({**ANN, "first_name": "", "city": None})))
    assert portal.held("c1") == {"snello_customer_id": "c1", "email": "ann@posta.example", "city": "Como"}


def test_properties_that_nobody_named_stay(portal: Portal) -> None:
    record = portal.add(email="ann@posta.example", phone="+39 02 1234567")
    list(portal.sink(adopt=True).upsert(changes(ANN)))
    assert portal.contacts()["c1"]["id"] == record
    assert portal.held("c1")["phone"] == "+39 02 1234567"


def test_a_lifecycle_stage_goes_forward_and_never_back(portal: Portal) -> None:
    sink = portal.sink(properties={"stage": "lifecyclestage"})
    for stage in ("customer", "lead"):
        assert words(sink.upsert(changes({**ANN, "stage": stage}))) == {"c1": "delivered"}
    assert portal.held("c1")["lifecyclestage"] == "customer"
    with pytest.raises(ConfigError, match="lifecyclestage would be cleared"):
        list(portal.sink(properties={"stage": "lifecyclestage"}, clear=["stage"]).upsert(changes({**ANN, "stage": ""})))


@pytest.mark.parametrize("name", ["hs_email_optout", "hs_email_optout_1234", "hs_legal_basis", "hs_email_bounce"])
def test_nobody_is_opted_in_or_out_by_us(portal: Portal, name: str) -> None:
    with pytest.raises(ConfigError, match="not for us to write"):
        list(portal.sink(properties={"city": name}).upsert(changes(ANN)))
    assert portal.contacts() == {}


def test_rows_without_an_address_are_fine(portal: Portal) -> None:
    assert words(portal.sink().upsert(changes({**ANN, "email": None}, {**BOB, "email": ""}))) == {
        "c1": "delivered",
        "c2": "delivered",
    }


# ---- whose contact it is


def test_an_address_that_another_contact_has_refuses_the_row_alone(portal: Portal) -> None:
    portal.add(email="ann@posta.example", city="Roma")
    assert words(portal.sink().upsert(changes(ANN, BOB))) == {"c1": "duplicate_email", "c2": "delivered"}
    assert portal.held("ann@posta.example") == {"email": "ann@posta.example", "city": "Roma"}


@pytest.mark.parametrize("multi_status", [True, False])
def test_a_contact_that_has_a_customer_id_is_never_taken_over(start: Any, multi_status: bool) -> None:
    portal = start(multi_status=multi_status)
    sink = portal.sink(adopt=True)
    list(sink.upsert(changes(ANN)))
    assert words(sink.upsert(changes({**BOB, "email": "ANN@posta.example"}))) == {"c2": "duplicate_email"}
    assert list(portal.contacts()) == ["c1"]


def test_of_two_rows_with_one_address_the_first_has_it(portal: Portal) -> None:
    twin = {**BOB, "email": " Ann@Posta.example "}
    assert words(portal.sink().upsert(changes(ANN, twin))) == {"c1": "delivered", "c2": "duplicate_email"}


def test_a_merged_customer_keeps_the_contact_under_the_new_id(portal: Portal) -> None:
    sink = portal.sink()
    list(sink.upsert(changes(ANN)))
    before = portal.contacts()["c1"]["id"]
    moved = {**ANN, "customer_id": "c9", "city": "Bari"}
    for _ in range(2):  # a try whose answer was lost is repeated
        assert words(sink.move(changes(moved, moved_from="c1"))) == {"c9": "delivered"}
    assert {key: (one["id"], one["lists"]) for key, one in portal.contacts().items()} == {
        "c9": (before, ["long_absent"])
    }
    assert portal.held("c9")["city"] == "Bari"


def test_a_merged_customer_who_was_there_twice_leaves_one_member(portal: Portal) -> None:
    sink = portal.sink()
    list(sink.upsert(changes(ANN, BOB)))
    assert words(sink.move(changes({**BOB, "city": "Bari"}, moved_from="c1"))) == {"c2": "delivered"}
    assert {key: one["lists"] for key, one in portal.contacts().items()} == {"c1": [], "c2": ["long_absent"]}


def test_an_update_makes_nobody(portal: Portal) -> None:
    sink = portal.sink()
    list(sink.upsert(changes(ANN)))
    there = words(sink.upsert(changes({**ANN, "city": "Bari"}, BOB, mode="update")))
    assert there == {"c1": "delivered", "c2": "not_there"}
    assert list(portal.contacts()) == ["c1"]


# ---- who leaves


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({}, {"c1": []}),
        ({"on_leave": "archive"}, {}),
        ({"membership": "none"}, {"c1": []}),
        ({"membership": "property", "member_property": "loyal"}, {"c1": []}),
    ],
)
def test_who_leaves_is_no_member_and_the_contact_stays_unless_told_otherwise(
    portal: Portal, config: dict[str, Any], left: dict[str, Any]
) -> None:
    sink = portal.sink(**config)
    list(sink.upsert(changes(ANN)))
    gone = [Change("remove", "c1"), Change("remove", "nobody")]
    for _ in range(2):
        assert set(words(sink.remove(gone)).values()) == {"delivered"}
    assert {key: one["lists"] for key, one in portal.contacts().items()} == left
    assert "loyal" not in config.values() or portal.held("c1")["loyal"] == "false"


def test_an_erased_person_is_deleted_for_good_and_their_address_is_not_blocked(portal: Portal) -> None:
    sink = portal.sink()
    list(sink.upsert(changes(ANN)))
    for _ in range(2):
        assert words(sink.erase([Change("remove", "c1", reason="erased")])) == {"c1": "delivered"}
    assert portal.contacts() == {}
    assert words(sink.upsert(changes(ANN))) == {"c1": "delivered"}


@pytest.mark.parametrize("config", [{}, {"membership": "property", "member_property": "loyal"}])
def test_the_account_is_asked_who_is_a_member_and_how_many(portal: Portal, config: dict[str, Any]) -> None:
    sink = portal.sink(**config)
    list(sink.upsert(changes(ANN, BOB)))
    list(sink.remove([Change("remove", "c2")]))
    stranger = portal.add(email="stranger@posta.example")
    portal.call("PUT", "/crm/v3/lists/1/memberships/add", [stranger])
    assert [one.key for one in sink.listing() or ()] == ["c1"]
    size = sink.size()
    assert size is not None
    assert size.size == (1 if config else 2)


# ---- companies


def test_contacts_get_their_companies_and_none_is_made(portal: Portal) -> None:
    portal.unique("shop_company", "companies")
    acme = portal.add("companies", name="Acme", shop_company="k1")
    sink = portal.sink(company="employer", company_id_property="shop_company")
    rows = ({**ANN, "employer": "k1"}, {**BOB, "employer": "k2"})
    assert words(sink.upsert(changes(*rows))) == {"c1": "delivered", "c2": "no_company"}
    assert {key: one["companies"] for key, one in portal.contacts().items()} == {"c1": [acme], "c2": []}
    assert "employer" not in portal.held("c1")


# ---- the account's own faults


def test_a_missing_scope_is_named(start: Any) -> None:
    portal = start(scopes=SCOPES - {"crm.lists.write"})
    with pytest.raises(ConfigError, match=r"lacks the scope crm\.lists\.write"):
        list(portal.sink().upsert(changes(ANN)))


def test_a_property_that_the_account_lacks_ends_the_run_before_a_row_is_blamed(portal: Portal) -> None:
    with pytest.raises(ConfigError, match="no property"):
        list(portal.sink(create_properties=False).upsert(changes(ANN)))
    portal.unique("snello_customer_id")
    with pytest.raises(ConfigError, match="no property town"):
        list(portal.sink(create_properties=False, properties={"city": "town"}).upsert(changes(ANN)))
    assert portal.contacts() == {}


def test_a_property_that_vanishes_half_way_is_not_the_rows_fault(portal: Portal) -> None:
    sink = portal.sink()
    list(sink.upsert(changes(ANN)))
    with pytest.raises(ConfigError, match="no property favourite"):
        list(sink.upsert(changes({**ANN, "favourite": "tea"})))


def test_an_id_property_that_is_not_unique_is_refused(portal: Portal) -> None:
    with pytest.raises(ConfigError, match="phone may hold one value twice"):
        list(portal.sink(id_property="phone").upsert(changes(ANN)))


def test_a_list_that_is_gone_or_fills_itself_is_a_matter_of_configuration(portal: Portal) -> None:
    with pytest.raises(ConfigError, match="no list of contacts called"):
        list(portal.sink(list_name="nobody").upsert(changes(ANN)))
    body = {"name": "active", "objectTypeId": "0-1", "processingType": "DYNAMIC"}
    portal.call("POST", "/crm/v3/lists/", body)
    with pytest.raises(ConfigError, match="HubSpot itself fills"):
        list(portal.sink(list_name="active").upsert(changes(ANN)))
    sink = portal.sink()
    list(sink.upsert(changes(ANN)))
    portal.call("DELETE", "/crm/v3/lists/1")
    with pytest.raises(ConfigError, match="no list 1 any more"):
        list(sink.upsert(changes(BOB)))


def test_a_list_is_made_when_that_is_asked_for(portal: Portal) -> None:
    list(portal.sink(list_name="new", create_list=True).upsert(changes(ANN)))
    assert portal.contacts()["c1"]["lists"] == ["new"]


def test_when_the_calls_of_the_day_are_used_up_the_run_ends_and_loses_nothing(start: Any, tmp_path: Path) -> None:
    portal = start(limits=Limits(burst=100_000, daily=4))
    stage = Rehearsal(tmp_path)
    rows = [{**ANN, "customer_id": f"c{n:03}", "email": f"ann{n}@posta.example"} for n in range(3)]
    stage.publish(rows)
    with pytest.raises(RetryLater, match="calls of the day"):
        stage.run(TargetHubspot, {**portal.config, "membership": "none", "batch_size": 1})
    ledger = stage.ledger()
    statuses = {key: row["status"] for key, row in ledger.lookup(stage.sync, [r["customer_id"] for r in rows]).items()}
    ledger.close()
    assert set(statuses.values()) <= {"retrying", "delivered"}
    assert len(statuses) == 3


def test_the_calls_of_ten_seconds_are_waited_for_and_every_row_arrives(start: Any, tmp_path: Path) -> None:
    portal = start(limits=Limits(burst=8, interval=1.0))
    stage = Rehearsal(tmp_path)
    keys = [f"c{n:03}" for n in range(12)]
    stage.publish([{**ANN, "customer_id": key, "email": f"{key}@posta.example"} for key in keys])
    stage.run(TargetHubspot, {**portal.config, "membership": "none", "batch_size": 1, "parallel": 1})
    ledger = stage.ledger()
    statuses = [row["status"] for row in ledger.lookup(stage.sync, keys).values()]
    ledger.close()
    assert statuses == ["delivered"] * 12
    assert httpx.get(f"{portal.url}/_inspect").json()["answers"]["429"] > 0


def test_a_membership_that_knows_no_yes_and_no_is_told_before_a_row_is_blamed(portal: Portal) -> None:
    tiers = [{"label": one, "value": one} for one in ("gold", "silver")]
    body = {"name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select", "groupName": "g"}
    portal.call("POST", "/crm/v3/properties/contacts", {**body, "options": tiers})
    both = [{"label": one, "value": one} for one in ("true", "false")]
    portal.call("POST", "/crm/v3/properties/contacts", {**body, "name": "loyal", "options": both})
    with pytest.raises(ConfigError, match=r"the property tier knows no yes and no\. Next: name a single checkbox"):
        list(portal.sink(membership="property", member_property="tier").upsert(changes(ANN)))
    assert portal.contacts() == {}
    list(portal.sink(membership="property", member_property="loyal").upsert(changes(ANN)))
    assert portal.held("c1")["loyal"] == "true"


def test_a_locked_record_is_waited_for(start: Any) -> None:
    portal = start(locked=1)
    assert words(portal.sink().upsert(changes(ANN))) == {"c1": "delivered"}


def test_a_lock_that_lasts_longer_than_our_patience_ends_the_run(start: Any) -> None:
    portal = start(locked=1)
    with pytest.raises(RetryLater):
        list(portal.sink(max_wait=1).upsert(changes(ANN)))


@pytest.mark.parametrize(
    "config",
    [{"membership": "property"}, {"member_property": "x"}, {"company": "x"}, {"batch_size": 101}, {"id_property": "X"}],
)
def test_settings_that_do_not_go_together_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(access_token=ACCESS_TOKEN, **config)


def test_no_address_is_in_a_log(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    portal.add(email="ann@posta.example")
    list(portal.sink().upsert(changes(ANN, {**BOB, "email": "bob at posta"})))
    assert "posta" not in caplog.text


# ---- many


def test_the_calls_are_as_many_as_the_plan_says(portal: Portal) -> None:
    sink = portal.sink()
    rows = [{**ANN, "customer_id": f"c{n:05}", "email": f"ann{n}@posta.example"} for n in range(2_500)]
    for begin in range(0, len(rows), sink.max_size):
        list(sink.upsert(changes(*rows[begin : begin + sink.max_size])))
    calls = portal.calls()
    assert calls[f"POST {ROOT}/batch/upsert"] == 25
    assert calls["PUT /crm/v3/lists/1/memberships/add"] == 3
    assert sink.requests(2_500, 0) == 28
    assert sink.requests(100_000, 0) == 1_100
    assert portal.sink(membership="none").requests(100_000, 0) == 1_000


def test_one_bad_row_of_a_whole_refused_batch_keeps_nobody_else_out(start: Any, tmp_path: Path) -> None:
    portal = start(multi_status=False)
    stage = Rehearsal(tmp_path)
    rows = [{**ANN, "customer_id": f"c{n:03}", "email": f"ann{n}@posta.example"} for n in range(150)]
    rows[70]["email"] = "ann at posta"
    stage.publish(rows)
    stage.run(TargetHubspot, portal.config)
    assert len(portal.contacts()) == 149
    ledger = stage.ledger()
    row = ledger.lookup(stage.sync, ["c070"])["c070"]
    ledger.close()
    assert (row["status"], row["code"]) == ("refused", "invalid_email")


# ---- HubSpot's own client


@pytest.fixture
def client(portal: Portal) -> HubSpot:
    found = HubSpot(access_token=ACCESS_TOKEN)
    found.config = {"access_token": ACCESS_TOKEN, "host": portal.url}
    return found


def test_hubspots_own_client_reads_what_the_stand_in_answers(portal: Portal, client: HubSpot) -> None:
    list(portal.sink().upsert(changes(ANN)))
    one = {"id": "c2", "idProperty": "snello_customer_id", "properties": {"email": "bob@posta.example"}}
    bad = {**one, "id": "c3", "properties": {"email": "no address"}}
    inputs = [{**each, "objectWriteTraceId": each["id"]} for each in (one, bad)]
    mixed = client.crm.contacts.batch_api.upsert({"inputs": inputs})
    assert isinstance(mixed, sdk.BatchResponseSimplePublicUpsertObjectWithErrors)
    assert (mixed.results[0].new, mixed.num_errors) == (True, 1)
    assert mixed.errors[0].context["objectWriteTraceId"] == ["c3"]
    found = client.crm.lists.lists_api.get_by_name("long_absent", "0-1")
    members = client.crm.lists.memberships_api.get_page(found.list.list_id)
    assert [each.record_id for each in members.results] == [portal.contacts()["c1"]["id"]]
    names = {each.name for each in client.crm.properties.core_api.get_all("contacts").results}
    assert {"email", "snello_customer_id"} <= names


MODELS = {
    "/batch/upsert": (sdk.SimplePublicObjectBatchInputUpsert, "inputs"),
    "/batch/update": (sdk.SimplePublicObjectBatchInput, "inputs"),
    "contacts/batch/read": (sdk.BatchReadInputSimplePublicObjectId, ""),
    "companies/batch/read": (sdk.BatchReadInputSimplePublicObjectId, ""),
    "/batch/archive": (sdk.SimplePublicObjectId, "inputs"),
    "/gdpr-delete": (sdk.PublicGdprDeleteInput, ""),
    "/search": (sdk.PublicObjectSearchRequest, ""),
    "/lists/": (sdk_lists.ListCreateRequest, ""),
    "/properties/contacts": (sdk_properties.PropertyCreate, ""),
    "/associate/default": (sdk_associations.PublicDefaultAssociationMultiPost, "inputs"),
}


def strictly(model: Any, body: dict[str, Any]) -> None:
    """Make HubSpot's model of a body: a field that it does not know, or lacks, is an error."""
    names = {wire: name for name, wire in model.attribute_map.items()}
    assert body.keys() <= names.keys(), f"{model.__name__} knows no {sorted(body.keys() - names.keys())}"
    model(**{names[wire]: value for wire, value in body.items()})
    for wire, value in body.items():
        kind = model.openapi_types[names[wire]]
        if kind == "dict[str, str]":
            assert all(isinstance(text, str) for text in value.values()), f"{wire} holds something else than texts"


def test_every_body_that_we_send_is_one_of_hubspots_models(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, Any]] = []
    portal.unique("shop_company", "companies")
    portal.add("companies", name="Acme", shop_company="k1")
    portal.add(email="ann@posta.example")
    whole = {"company": "employer", "company_id_property": "shop_company", "adopt": True}
    for config in (
        {**whole, "list_name": "new", "create_list": True},
        {**whole, "membership": "property", "member_property": "loyal", "on_leave": "archive"},
        {"membership": "property", "member_property": "loyal"},
    ):
        sink = portal.sink(**config)
        send = sink.account.send

        def noted(method: str, path: str, body: Any = None, send: Any = send, **more: Any) -> Any:
            sent.append((path, json.loads(json.dumps(body))))
            return send(method, path, body, **more)

        monkeypatch.setattr(sink.account, "send", noted)
        _everything(sink)
    seen = set()
    for path, body in sent:
        if isinstance(body, list):
            assert all(isinstance(one, str) for one in body)
            continue
        ending = next(each for each in MODELS if path.endswith(each))
        model, within = MODELS[ending]
        seen.add(ending)
        for one in body[within] if within else [body]:
            strictly(model, one)
    assert seen == MODELS.keys()


def _everything(sink: Contacts) -> list[Verdict]:
    """All that a sink can do, once."""
    points = {"points": 12, "vip": True, "since": "2026-01-31", "tags": ["a", "b"]}
    rows: Sequence[Change] = changes({**ANN, **points, "employer": "k1"}, {**BOB, **points, "employer": "k1"})
    if not sink.settings.company:
        rows = changes({**ANN, **points}, {**BOB, **points})
    done = [*sink.upsert(rows), *sink.move(changes({**ANN, "customer_id": "c5"}, moved_from="c1"))]
    list(sink.listing() or ())
    sink.size()
    done += sink.remove([Change("remove", "c2")])
    return [*done, *sink.erase([Change("remove", "c5", reason="erased")])]


def test_a_batch_that_is_refused_as_a_whole_leaves_those_before_it_delivered(start: Any) -> None:
    portal = start(multi_status=False)
    sink = portal.sink(batch_size=1)
    verdicts: list[Verdict] = []
    with pytest.raises(BatchRefused, match="invalid_email"):
        verdicts.extend(sink.upsert(changes(ANN, {**BOB, "email": "no address"})))
    got = iter(sink.upsert(changes(ANN, {**BOB, "email": "no address"})))
    assert next(got).key == "c1"
    assert portal.contacts()["c1"]["lists"] == ["long_absent"]
