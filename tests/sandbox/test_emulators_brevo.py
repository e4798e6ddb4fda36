from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.brevo_rules import MOST_IMPORT_BYTES, Limits, Quota

ANN, BOB = "ann@posta.example", "bob@posta.example"


def boundless() -> Limits:
    return Limits(Quota(100_000, 1.0), Quota(100_000, 1.0))


def connected(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"api-key": API_KEY}, trust_env=False)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with serve(brevo(limits=boundless())) as url, connected(url) as it:
        assert it.post("/v3/contacts/attributes/normal/CITY", json={"type": "text"}).status_code == 201
        assert it.post("/v3/contacts/attributes/normal/SPENT", json={"type": "float"}).status_code == 201
        yield it


def create(client: httpx.Client, **given: Any) -> httpx.Response:
    return client.post("/v3/contacts", json=given)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert isinstance(body["message"], str)
    return answer.status_code, body["code"]


def contact(client: httpx.Client, ext_id: str) -> dict[str, Any]:
    answer = client.get(f"/v3/contacts/{ext_id}", params={"identifierType": "ext_id"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def list_id(client: httpx.Client) -> int:
    number: int = client.get("/v3/contacts/lists").json()["lists"][0]["id"]
    return number


@pytest.mark.parametrize(
    ("headers", "message"),
    [({}, "authentication not found in headers"), ({"api-key": "wrong"}, "Key not found")],
)
def test_a_call_without_the_right_key_is_unauthorized(
    client: httpx.Client, headers: dict[str, str], message: str
) -> None:
    answer = httpx.get(client.base_url.join("/v3/contacts"), headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()) == (401, {"code": "unauthorized", "message": message})


def test_a_contact_is_created_read_by_every_identifier_changed_and_deleted(client: httpx.Client) -> None:
    made = create(client, email=ANN, ext_id="c-1", attributes={"FIRSTNAME": "Ann", "SMS": "+39 333 1234567"})
    assert made.status_code == 201
    number = made.json()["id"]
    for identifier, kind in ((ANN, None), (number, None), ("c-1", "ext_id"), ("393331234567", "phone_id")):
        params = {"identifierType": kind} if kind else {}
        assert client.get(f"/v3/contacts/{identifier}", params=params).json()["id"] == number
    path, by_ext_id = "/v3/contacts/c-1", {"identifierType": "ext_id"}
    changed = client.put(path, params=by_ext_id, json={"attributes": {"CITY": "Verona", "EMAIL": BOB}})
    assert changed.status_code == 204
    found = contact(client, "c-1")
    assert found["email"] == BOB
    assert found["attributes"] == {"FIRSTNAME": "Ann", "SMS": "+39 333 1234567", "CITY": "Verona", "EXT_ID": "c-1"}
    assert client.delete(path, params=by_ext_id).status_code == 204
    assert refusal(client.delete(path, params=by_ext_id)) == (404, "document_not_found")


@pytest.mark.parametrize(
    "email", ["ann@", "ann@@posta.example", "ann @posta.example", "ann@posta,example", "a#b@c.example"]
)
def test_an_address_that_cannot_be_is_an_invalid_parameter(client: httpx.Client, email: str) -> None:
    assert refusal(create(client, email=email)) == (400, "invalid_parameter")


def test_a_contact_needs_an_identifier(client: httpx.Client) -> None:
    assert refusal(create(client, attributes={"CITY": "Verona"})) == (400, "missing_parameter")


def test_a_contact_that_exists_is_a_duplicate_unless_update_is_enabled(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1")
    again = create(client, email=ANN.upper())
    assert refusal(again) == (400, "duplicate_parameter")
    assert again.json()["metadata"] == {"duplicate_identifiers": ["email"]}
    assert create(client, email=ANN, attributes={"CITY": "Verona"}, updateEnabled=True).status_code == 204
    assert contact(client, "c-1")["attributes"]["CITY"] == "Verona"


def test_two_contacts_never_share_an_identifier(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1")
    create(client, email=BOB, ext_id="c-2")
    clash = create(client, email=ANN, ext_id="c-2", updateEnabled=True)
    assert refusal(clash) == (400, "duplicate_parameter")
    assert clash.json()["metadata"] == {"duplicate_identifiers": ["ext_id"]}
    taken = client.put(f"/v3/contacts/{BOB}", json={"attributes": {"EMAIL": ANN}})
    assert refusal(taken) == (400, "duplicate_parameter")


def test_unknown_attributes_and_values_of_another_type_are_left_out_without_a_word(client: httpx.Client) -> None:
    made = create(client, email=ANN, ext_id="c-1", attributes={"SHOE": 42, "SPENT": "a lot", "CITY": "Verona"})
    assert made.status_code == 201
    assert contact(client, "c-1")["attributes"] == {"CITY": "Verona", "EXT_ID": "c-1"}
    assert refusal(client.post("/v3/contacts/attributes/normal/CITY", json={})) == (400, "duplicate_parameter")


def test_who_was_blacklisted_stays_so_until_it_is_said_outright(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1")
    client.put(f"/v3/contacts/{ANN}", json={"emailBlacklisted": True})
    create(client, email=ANN, updateEnabled=True, listIds=[list_id(client)])
    run_import(client, [{"email": ANN, "attributes": {"CITY": "Verona"}}], emailBlacklist=False)
    assert contact(client, "c-1")["emailBlacklisted"] is True
    client.put(f"/v3/contacts/{ANN}", json={"emailBlacklisted": False})
    assert contact(client, "c-1")["emailBlacklisted"] is False


def run_import(client: httpx.Client, rows: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    answer = client.post("/v3/contacts/import", json={"jsonBody": rows, "listIds": [list_id(client)], **given})
    assert answer.status_code == 202, answer.text
    process: dict[str, Any] = client.get(f"/v3/processes/{answer.json()['processId']}").json()
    return process


def test_an_import_takes_the_fit_rows_and_tells_only_how_many_were_not(client: httpx.Client) -> None:
    create(client, email=BOB, ext_id="c-2")
    process = run_import(
        client,
        [
            {"email": ANN, "attributes": {"EXT_ID": "c-1", "CITY": "Verona"}},
            {"email": "ann@", "attributes": {"EXT_ID": "c-3"}},
            {"email": "carl@posta.example", "attributes": {"EXT_ID": "c-4", "SMS": "12"}},
            {"email": BOB, "attributes": {"EXT_ID": "c-1"}},
        ],
    )
    assert process["status"] == "completed"
    assert process["info"]["import"] | {"duplicate_contact_id": 0} == {
        "invalid_emails": 2,
        "duplicate_ext_id": 1,
        "duplicate_contact_id": 0,
        "duplicate_phone_id": 0,
    }
    inspected = client.get("/_inspect").json()
    assert (inspected["contacts"], inspected["lists"], inspected["refused_rows"]) == (2, {"long_absent": 1}, 3)
    assert contact(client, "c-1")["listIds"] == [list_id(client)]


def test_an_import_leaves_what_it_may_not_change(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1", attributes={"CITY": "Verona", "FIRSTNAME": "Ann"})
    run_import(client, [{"email": ANN, "attributes": {"CITY": "Bari"}}], updateExistingContacts=False)
    assert contact(client, "c-1")["attributes"]["CITY"] == "Verona"
    run_import(client, [{"email": ANN, "attributes": {"CITY": ""}}])
    assert contact(client, "c-1")["attributes"]["CITY"] == "Verona"
    run_import(client, [{"email": ANN, "attributes": {"CITY": ""}}], emptyContactsAttributes=True)
    assert contact(client, "c-1")["attributes"]["CITY"] == ""


def test_a_csv_is_imported_as_json_is(client: httpx.Client) -> None:
    body = {"fileBody": f"EMAIL;EXT_ID;CITY\n{ANN};c-1;Verona\n", "listIds": [list_id(client)]}
    assert client.post("/v3/contacts/import", json=body).status_code == 202
    assert contact(client, "c-1")["attributes"]["CITY"] == "Verona"


def test_an_import_takes_its_time_and_is_queued_until_then() -> None:
    with serve(brevo(import_seconds=0.4, limits=boundless())) as url, connected(url) as client:
        assert run_import(client, [{"email": ANN}])["status"] == "queued"
        assert client.get(f"/v3/contacts/{ANN}").status_code == 404
        time.sleep(0.5)
        assert client.get("/v3/processes/1").json()["status"] == "completed"
        assert client.get(f"/v3/contacts/{ANN}").status_code == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"listIds": [1]}, "missing_parameter"),
        ({"jsonBody": [{"email": ANN}]}, "missing_parameter"),
        ({"jsonBody": [{"email": ANN}], "listIds": [99]}, "invalid_parameter"),
        ({"jsonBody": [ANN], "listIds": [1]}, "invalid_parameter"),
        ({"jsonBody": [{"email": "x" * MOST_IMPORT_BYTES}], "listIds": [1]}, "invalid_parameter"),
    ],
)
def test_a_wrong_import_is_refused_as_a_whole(client: httpx.Client, given: dict[str, Any], code: str) -> None:
    assert refusal(client.post("/v3/contacts/import", json=given)) == (400, code)
    assert client.get("/_inspect").json()["processes"] == 0


def test_lists_take_and_lose_contacts_with_a_verdict_each(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1")
    create(client, email=BOB, ext_id="c-2", listIds=[list_id(client)])
    path = f"/v3/contacts/lists/{list_id(client)}/contacts"
    added = client.post(f"{path}/add", json={"extIds": ["c-1", "c-2", "c-9"]})
    assert (added.status_code, added.json()["contacts"]) == (201, {"success": ["c-1"], "failure": ["c-2", "c-9"]})
    removed = client.post(f"{path}/remove", json={"emails": [ANN, "nobody@posta.example"]})
    assert removed.json()["contacts"] == {"success": [ANN], "failure": ["nobody@posta.example"]}
    assert [row["email"] for row in client.get(path).json()["contacts"]] == [BOB]


def test_a_list_call_that_changes_nothing_is_an_invalid_parameter(client: httpx.Client) -> None:
    create(client, email=ANN, listIds=[list_id(client)])
    path = f"/v3/contacts/lists/{list_id(client)}/contacts"
    assert refusal(client.post(f"{path}/add", json={"emails": [ANN]})) == (400, "invalid_parameter")
    assert refusal(client.post(f"{path}/remove", json={"emails": [BOB]})) == (400, "invalid_parameter")


@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_list_call_names_at_most_150_contacts(client: httpx.Client, action: str) -> None:
    body = {"extIds": [f"c-{n}" for n in range(151)]}
    path = f"/v3/contacts/lists/{list_id(client)}/contacts/{action}"
    assert refusal(client.post(path, json=body)) == (400, "invalid_parameter")
    assert refusal(client.post(path, json={})) == (400, "missing_parameter")
    assert refusal(client.post(path.replace(f"lists/{list_id(client)}", "lists/99"), json=body)) == (
        404,
        "document_not_found",
    )


def test_contacts_are_paged_newest_first_and_a_larger_page_is_out_of_range(client: httpx.Client) -> None:
    for number in range(5):
        create(client, email=f"p{number}@posta.example")
    page = client.get("/v3/contacts", params={"limit": 2, "offset": 2}).json()
    assert page["count"] == 5
    assert [row["email"] for row in page["contacts"]] == ["p2@posta.example", "p1@posta.example"]
    assert refusal(client.get("/v3/contacts", params={"limit": 1001})) == (400, "out_of_range")
    assert refusal(client.get("/v3/contacts/lists", params={"limit": 51})) == (400, "out_of_range")


def test_lists_are_made_in_a_folder(client: httpx.Client) -> None:
    assert refusal(client.post("/v3/contacts/lists", json={"name": "loyal"})) == (400, "missing_parameter")
    number = client.post("/v3/contacts/lists", json={"name": "loyal", "folderId": 1}).json()["id"]
    assert client.get(f"/v3/contacts/lists/{number}").json()["name"] == "loyal"


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/v3/contacts/c-1?identifierType=shoe_size", (400, "invalid_parameter")),
        ("GET", "/v3/contacts/c-1", (400, "invalid_parameter")),
        ("GET", "/v3/processes/9", (404, "document_not_found")),
        ("GET", "/v3/nothing", (404, "document_not_found")),
        ("DELETE", "/v3/contacts/import", (400, "invalid_parameter")),
        ("PATCH", "/v3/contacts", (405, "method_not_allowed")),
    ],
)
def test_wrong_paths_get_the_error_envelope(
    client: httpx.Client, method: str, path: str, answer: tuple[int, str]
) -> None:
    assert refusal(client.request(method, path)) == answer


def test_a_body_that_is_not_an_object_is_a_bad_request(client: httpx.Client) -> None:
    for content in (b"{", json.dumps([1]).encode()):
        assert refusal(client.post("/v3/contacts", content=content)) == (400, "bad_request")


def test_the_eleventh_call_of_a_second_is_too_many_and_says_when_to_come_back() -> None:
    with serve(brevo(limits=Limits(Quota(10, 30.0), Quota(2, 3600.0)))) as url, connected(url) as client:
        answers = [client.get("/v3/contacts") for _ in range(11)]
        others = [client.get("/v3/account") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert [answer.headers["x-sib-ratelimit-remaining"] for answer in answers] == [str(n) for n in range(9, -1, -1)] + [
        "0"
    ]
    assert 1 <= int(answers[-1].headers["x-sib-ratelimit-reset"]) <= 31
    assert "Retry-After" not in answers[-1].headers
    assert [answer.status_code for answer in others] == [200, 200, 429]


def test_in_bad_weather_brevo_says_when_to_come_back_in_its_own_header() -> None:
    with serve(brevo(weather=Weather(limited=1.0, retry_after=4))) as url:
        answer = httpx.get(f"{url}/v3/contacts", headers={"api-key": API_KEY}, trust_env=False)
    assert (answer.status_code, answer.headers["x-sib-ratelimit-reset"]) == (429, "4")


def test_an_account_outlives_its_server(tmp_path: Path) -> None:
    for status in (201, 400):
        with serve(brevo(tmp_path / "brevo.db")) as url:
            answer = httpx.post(
                f"{url}/v3/contacts", json={"email": ANN}, headers={"api-key": API_KEY}, trust_env=False
            )
        assert answer.status_code == status


def test_everything_held_can_be_looked_at(client: httpx.Client) -> None:
    create(client, email=ANN, ext_id="c-1")
    assert [row["email"] for row in client.get("/_inspect/contacts").json()] == [ANN]


def test_blocked_contacts_are_told_with_the_reason_newest_first_a_hundred_a_page(client: httpx.Client) -> None:
    for email, code in (("bounced@example.it", "hardBounce"), ("spam@example.it", "contactFlaggedAsSpam")):
        client.post("/v3/contacts", json={"email": email}).raise_for_status()
        client.post("/_inspect/blocks", json={"email": email, "code": code}).raise_for_status()
    found = client.get("/v3/smtp/blockedContacts", params={"limit": 100}).json()["contacts"]
    assert [one["reason"]["code"] for one in found] == ["contactFlaggedAsSpam", "hardBounce"]
    assert client.get("/v3/contacts/bounced@example.it").json()["emailBlacklisted"] is True
    assert client.get("/v3/smtp/blockedContacts", params={"limit": 101}).json()["code"] == "out_of_range"
