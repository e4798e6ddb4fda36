from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.hubspot import ACCESS_TOKEN, hubspot
from snello.sandbox.emulators.hubspot_rules import SCOPES, Limits

CONTACTS, LISTS = "/crm/v3/objects/contacts", "/crm/v3/lists"
ID = {"name": "shop_id", "label": "Shop", "type": "string", "fieldType": "text", "groupName": "contactinformation"}


def connected(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, trust_env=False)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with serve(hubspot(limits=Limits(burst=100_000))) as url, connected(url) as it:
        assert it.post("/crm/v3/properties/contacts", json={**ID, "hasUniqueValue": True}).status_code == 201
        yield it


def upsert(client: httpx.Client, *rows: dict[str, Any], traced: bool = True) -> httpx.Response:
    inputs = [{"id": f"c{n}", "idProperty": "shop_id", "properties": row} for n, row in enumerate(rows)]
    traces = [{"objectWriteTraceId": one["id"]} if traced else {} for one in inputs]
    return client.post(
        f"{CONTACTS}/batch/upsert", json={"inputs": [a | b for a, b in zip(inputs, traces, strict=True)]}
    )


def category(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["category"]


def test_no_call_is_taken_without_the_token_or_beyond_its_scopes() -> None:
    scopes = SCOPES - {"crm.objects.contacts.write"}
    with serve(hubspot(scopes=scopes)) as url, connected(url) as client:
        assert category(httpx.get(f"{url}{CONTACTS}")) == (401, "INVALID_AUTHENTICATION")
        assert client.get(CONTACTS).status_code == 200
        refused = upsert(client, {"email": "ann@posta.example"})
    assert category(refused) == (403, "MISSING_SCOPES")
    assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.contacts.write"]}


@pytest.mark.parametrize(
    ("limits", "policy"), [(Limits(burst=1), "TEN_SECONDLY_ROLLING"), (Limits(burst=9, daily=1), "DAILY")]
)
def test_one_call_too_many_is_told_with_the_policy_that_it_broke(limits: Limits, policy: str) -> None:
    with serve(hubspot(limits=limits)) as url, connected(url) as client:
        first, second = client.get(CONTACTS), client.get(CONTACTS)
    assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert (second.status_code, second.json()["policyName"]) == (429, policy)


def test_an_upsert_makes_a_contact_once_and_then_changes_it(client: httpx.Client) -> None:
    first = upsert(client, {"email": "Ann@Posta.example", "city": "Como"}).json()["results"][0]
    second = upsert(client, {"city": "Lecco"}).json()["results"][0]
    assert (first["new"], second["new"], first["id"]) == (True, False, second["id"])
    held = client.get("/_inspect/contacts").json()[0]["properties"]
    assert held == {"shop_id": "c0", "email": "ann@posta.example", "city": "Lecco"}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"email": "no address"}, "INVALID_EMAIL"),
        ({"nothing_of_the_kind": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"hs_email_optout": "true"}, "READ_ONLY_VALUE"),
        ({"lifecyclestage": "friend"}, "INVALID_OPTION"),
    ],
)
def test_a_bad_value_is_one_rows_error_with_traces_and_the_whole_batchs_without(
    client: httpx.Client, properties: dict[str, Any], code: str
) -> None:
    good = {"email": "ann@posta.example"}
    whole = upsert(client, good, properties, traced=False)
    assert category(whole) == (400, "VALIDATION_ERROR")
    assert code in whole.text
    assert client.get("/_inspect").json()["contacts"] == 0
    mixed = upsert(client, good, properties)
    assert (mixed.status_code, mixed.json()["numErrors"]) == (207, 1)
    assert mixed.json()["errors"][0]["context"]["objectWriteTraceId"] == ["c1"]
    assert client.get("/_inspect").json()["contacts"] == 1


def test_an_address_has_one_contact(client: httpx.Client) -> None:
    upsert(client, {"email": "ann@posta.example"})
    one = {"id": "other", "idProperty": "shop_id", "properties": {"email": "ann@posta.example"}}
    answer = client.post(f"{CONTACTS}/batch/upsert", json={"inputs": [one]})
    assert category(answer) == (409, "CONFLICT")
    assert "Existing ID: " in answer.json()["message"]


def test_a_lifecycle_stage_goes_forward_only(client: httpx.Client) -> None:
    for stage in ("lead", "customer", "lead"):
        upsert(client, {"lifecyclestage": stage})
    assert client.get("/_inspect/contacts").json()[0]["properties"]["lifecyclestage"] == "customer"


def test_a_batch_has_a_hundred_rows_at_most_each_once_by_a_unique_property(client: httpx.Client) -> None:
    assert category(upsert(client, *[{}] * 101)) == (400, "VALIDATION_ERROR")
    one = {"id": "c0", "idProperty": "shop_id", "properties": {}}
    twice = client.post(f"{CONTACTS}/batch/upsert", json={"inputs": [one, one]})
    assert "must be unique" in twice.json()["message"]
    shared = client.post(f"{CONTACTS}/batch/upsert", json={"inputs": [{**one, "idProperty": "city"}]})
    assert "non-unique" in shared.json()["message"]


def test_an_update_tells_of_those_that_do_not_exist(client: httpx.Client) -> None:
    upsert(client, {"city": "Como"})
    inputs = [{"id": one, "idProperty": "shop_id", "properties": {"city": ""}} for one in ("c0", "c7")]
    answer = client.post(f"{CONTACTS}/batch/update", json={"inputs": inputs})
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["context"]["ids"] == ["c7"]
    assert "city" not in client.get("/_inspect/contacts").json()[0]["properties"]


def test_a_list_kept_by_hand_takes_records_and_a_dynamic_one_does_not(client: httpx.Client) -> None:
    record = upsert(client, {}).json()["results"][0]["id"]
    kinds = {kind: {"name": kind, "objectTypeId": "0-1", "processingType": kind} for kind in ("MANUAL", "DYNAMIC")}
    made = {kind: client.post(f"{LISTS}/", json=body).json()["list"]["listId"] for kind, body in kinds.items()}
    added = client.put(f"{LISTS}/{made['MANUAL']}/memberships/add", json=[record, "99999"]).json()
    assert (added["recordIdsAdded"], added["recordIdsMissing"]) == ([record], ["99999"])
    assert client.get(f"{LISTS}/{made['MANUAL']}").json()["list"]["size"] == 1
    refused = client.put(f"{LISTS}/{made['DYNAMIC']}/memberships/add", json=[record])
    assert category(refused) == (400, "VALIDATION_ERROR")
    assert client.get(f"{LISTS}/object-type-id/0-1/name/nobody").status_code == 404


def test_a_contact_deleted_for_privacy_is_gone_and_an_unknown_address_is_blocked(client: httpx.Client) -> None:
    record = upsert(client, {"email": "ann@posta.example"}).json()["results"][0]["id"]
    assert client.post(f"{CONTACTS}/gdpr-delete", json={"objectId": record}).status_code == 204
    blocked = {"objectId": "ann@posta.example", "idProperty": "email"}
    assert client.post(f"{CONTACTS}/gdpr-delete", json=blocked).status_code == 204
    assert upsert(client, {"email": "ann@posta.example"}).status_code == 207
    assert client.get("/_inspect").json()["contacts"] == 0


def test_ten_properties_may_be_unique(client: httpx.Client) -> None:
    made = [
        client.post("/crm/v3/properties/contacts", json={**ID, "name": f"id_{n}", "hasUniqueValue": True}).status_code
        for n in range(10)
    ]
    assert made == [201] * 9 + [400]


def test_an_account_survives_a_restart(tmp_path: Path) -> None:
    for known in (0, 1):
        with serve(hubspot(tmp_path / "account.db")) as url, connected(url) as client:
            assert client.get("/_inspect").json()["contacts"] == known
            if not known:
                client.post("/crm/v3/properties/contacts", json={**ID, "hasUniqueValue": True})
            assert upsert(client, {"email": "ann@posta.example"}).json()["results"][0]["new"] is not bool(known)
