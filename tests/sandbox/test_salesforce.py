from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.salesforce import (
    AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    JWT_BEARER,
    ROOT,
    USERNAME,
    salesforce,
)
from snello.sandbox.emulators.salesforce_jobs import Works

KEY = "Snello_Customer_Id__c"
BY_KEY = f"{ROOT}/composite/sobjects/Contact/{KEY}"
LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def connected(url: str) -> httpx.Client:
    told = httpx.post(f"{url}/services/oauth2/token", data=LOGIN).json()
    assert told["instance_url"] == url
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {told['access_token']}"}, trust_env=False)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with serve(salesforce()) as url, connected(url) as it:
        yield it


def upsert(client: httpx.Client, *rows: dict[str, Any]) -> httpx.Response:
    records = [{"attributes": {"type": "Contact"}, KEY: f"c{n}", **row} for n, row in enumerate(rows)]
    return client.patch(BY_KEY, json={"allOrNone": False, "records": records})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def job(client: httpx.Client, text: str, *, close: bool = True, **more: Any) -> str:
    body = {"object": "Contact", "operation": "upsert", "externalIdFieldName": KEY, "lineEnding": "LF", **more}
    number = str(client.post(f"{ROOT}/jobs/ingest", json=body).json()["id"])
    sent = client.put(f"{ROOT}/jobs/ingest/{number}/batches", content=text, headers={"Content-Type": "text/csv"})
    assert sent.status_code == 201
    if close:
        client.patch(f"{ROOT}/jobs/ingest/{number}", json={"state": "UploadComplete"}).raise_for_status()
    return number


def look(client: httpx.Client, number: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{ROOT}/jobs/ingest/{number}").json()
    return found


def rows(client: httpx.Client, number: str, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"{ROOT}/jobs/ingest/{number}/{name}").text)))


def contacts(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/_inspect/records/Contact").json()
    return found


# ---- the door


def test_no_call_is_taken_without_a_session_and_none_after_it_ended(client: httpx.Client) -> None:
    path = f"{ROOT}/sobjects/Contact/describe"
    assert code(httpx.get(f"{client.base_url}{path}")) == (401, "INVALID_SESSION_ID")
    assert client.get(path).status_code == 200
    client.post("/_inspect/expire")
    assert code(client.get(path)) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("claims", "taken"),
    [
        ({}, True),
        ({"aud": "https://example.com"}, False),
        ({"sub": "somebody@aurora.example"}, False),
        ({"exp": time.time() + 600}, False),
    ],
)
def test_an_assertion_is_taken_from_the_apps_user_for_three_minutes(claims: dict[str, Any], taken: bool) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    whole = {"iss": CLIENT_ID, "sub": USERNAME, "aud": AUDIENCE, "exp": time.time() + 170} | claims
    form = {"grant_type": JWT_BEARER, "assertion": jwt.encode(whole, key, algorithm="RS256")}
    with serve(salesforce(public_key=public.decode())) as url:
        answer = httpx.post(f"{url}/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json().get("error")) == ((200, None) if taken else (400, "invalid_grant"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"api": False}, (403, "API_DISABLED_FOR_ORG")),
        ({"may_edit": False}, (403, "INSUFFICIENT_ACCESS")),
        ({"daily": 0}, (403, "REQUEST_LIMIT_EXCEEDED")),
        ({"concurrent": 1}, (403, "REQUEST_LIMIT_EXCEEDED")),
        ({"hidden": ["Email"]}, (400, "INVALID_FIELD")),
    ],
)
def test_what_an_org_refuses_it_refuses_with_its_own_code(given: dict[str, Any], told: tuple[int, str]) -> None:
    with serve(salesforce(**given)) as url, connected(url) as client:
        assert code(upsert(client, {"LastName": "Ann", "Email": "ann@posta.example"})) == told


def test_each_answer_says_how_many_calls_of_the_day_are_used() -> None:
    with serve(salesforce(daily=3)) as url, connected(url) as client:
        found = [client.get(f"{ROOT}/sobjects/Contact/describe") for _ in range(4)]
    assert [one.headers["Sforce-Limit-Info"] for one in found] == [f"api-usage={n}/3" for n in (1, 2, 3, 3)]
    assert [one.status_code for one in found] == [200, 200, 200, 403]


# ---- collections


def test_an_upsert_makes_a_record_once_and_then_changes_it_whatever_the_case_of_its_key(client: httpx.Client) -> None:
    first = upsert(client, {"LastName": "Ann", "MailingCity": "Como"}).json()[0]
    second = upsert(client, {KEY: "C0", "MailingCity": "Lecco"}).json()[0]
    assert (first["created"], second["created"], first["id"]) == (True, False, second["id"])
    assert [(one["LastName"], one["MailingCity"]) for one in contacts(client)] == [("Ann", "Lecco")]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "A", "Email": "no address"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "A" * 81}, "STRING_TOO_LONG"),
        ({"LastName": "A", "Score__c": 5000}, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ({"LastName": "A", "LeadSource": "Moon"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"LastName": "A", "Account": {"ExtId__c": "k9"}}, "INVALID_FIELD"),
        ({"LastName": "A", "Name": "Ann A"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_bad_row_is_told_of_alone(client: httpx.Client, row: dict[str, Any], word: str) -> None:
    good, bad = upsert(client, {"LastName": "Good"}, row).json()
    assert good["success"]
    assert (bad["success"], bad["errors"][0]["statusCode"]) == (False, word)
    assert len(contacts(client)) == 1


@pytest.mark.parametrize("row", [{"LastName": 5}, {"Score__c": "5"}, {"In_Segment__c": "true"}, {"Birthdate": "soon"}])
def test_a_value_of_another_type_spoils_the_whole_body(client: httpx.Client, row: dict[str, Any]) -> None:
    assert code(upsert(client, {"LastName": "Good"}, row)) == (400, "JSON_PARSER_ERROR")
    assert contacts(client) == []


def test_no_more_than_200_records_go_in_a_call(client: httpx.Client) -> None:
    assert len(upsert(client, *({"LastName": "A"} for _ in range(200))).json()) == 200
    assert code(upsert(client, *({"LastName": "A"} for _ in range(201)))) == (400, "LIMIT_EXCEEDED")


def test_a_key_twice_in_a_call_and_a_record_that_is_gone_are_refused(client: httpx.Client) -> None:
    twice = upsert(client, {KEY: "c1", "LastName": "A"}, {KEY: "C1", "LastName": "B"}).json()
    assert [one["errors"][0]["statusCode"] for one in twice] == ["DUPLICATE_VALUE"] * 2
    made = upsert(client, {"LastName": "A"}).json()[0]["id"]
    client.delete(f"{ROOT}/composite/sobjects", params={"ids": made}).raise_for_status()
    body = {"records": [{"attributes": {"type": "Contact"}, "id": made, "LastName": "B"}]}
    gone = client.patch(f"{ROOT}/composite/sobjects", json=body).json()
    assert gone[0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert upsert(client, {"LastName": "A"}).json()[0]["created"]


def test_a_question_finds_by_list_and_is_answered_in_pages(client: httpx.Client) -> None:
    for start in range(0, 2200, 200):
        upsert(client, *({KEY: f"k{start + n}", "LastName": "A"} for n in range(200)))
    path = f"{ROOT}/query"
    page = client.get(path, params={"q": f"SELECT Id, {KEY} FROM Contact WHERE {KEY} != null"}).json()
    assert (len(page["records"]), page["done"]) == (2000, False)
    rest = client.get(page["nextRecordsUrl"]).json()
    assert (len(rest["records"]), rest["done"]) == (200, True)
    few = client.get(path, params={"q": f"SELECT Id FROM Contact WHERE {KEY} IN ('k1','k2','o\\'x')"}).json()
    assert few["totalSize"] == 2
    assert (
        client.get(path, params={"q": "SELECT Id FROM Contact WHERE Name = '" + "x" * 17_000 + "'"}).status_code == 414
    )


# ---- jobs


def test_a_job_is_worked_on_once_it_is_closed_and_tells_rows_in_an_order_of_its_own() -> None:
    with serve(salesforce(works=Works(looks=1))) as url, connected(url) as client:
        number = job(client, f"{KEY},LastName,Email\nc1,Ann,\nc2,Bob,no address\nc3,Cid,\n")
        assert contacts(client) == []
        assert [look(client, number)["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
        assert [one[KEY] for one in rows(client, number, "successfulResults")] == ["c3", "c1"]
        failed = rows(client, number, "failedResults")
        assert [(one[KEY], one["sf__Error"].partition(":")[0]) for one in failed] == [("c2", "INVALID_EMAIL_ADDRESS")]
        assert look(client, number)["numberRecordsFailed"] == 1


def test_an_empty_cell_leaves_a_field_as_it_is_and_na_clears_it(client: httpx.Client) -> None:
    upsert(client, {"LastName": "Ann", "MailingCity": "Como", "Phone": "1"})
    look(client, job(client, f"{KEY},MailingCity,Phone\nc0,,#N/A\n"))
    assert [(one.get("MailingCity"), one.get("Phone")) for one in contacts(client)] == [("Como", None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{KEY},Nothing__c\nc1,x\n", "InvalidBatch : Field name not found : Nothing__c"),
        (f'{KEY},Description\nc1,"a\r\nb"\n', "ClientInputError : LineEnding is invalid on user data"),
    ],
)
def test_a_job_whose_content_is_wrong_fails_as_a_whole(client: httpx.Client, text: str, told: str) -> None:
    found = look(client, job(client, text))
    assert found["state"] == "Failed"
    assert found["errorMessage"].startswith(told)


def test_a_job_that_was_filled_twice_cannot_be_closed_and_one_that_was_closed_not_filled(client: httpx.Client) -> None:
    number = job(client, f"{KEY},LastName\nc1,A\n", close=False)
    path, csv_ = f"{ROOT}/jobs/ingest/{number}", {"Content-Type": "text/csv"}
    client.put(f"{path}/batches", content=f"{KEY},LastName\nc2,B\n", headers=csv_).raise_for_status()
    assert code(client.patch(path, json={"state": "UploadComplete"})) == (400, "INVALIDJOB")
    assert client.patch(path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert code(client.put(f"{path}/batches", content="x", headers=csv_)) == (400, "INVALIDJOBSTATE")
    assert contacts(client) == []


def test_jobs_end_where_the_days_allowance_does() -> None:
    with serve(salesforce(works=Works(jobs=1))) as url, connected(url) as client:
        job(client, f"{KEY},LastName\nc1,A\n")
        body = {"object": "Contact", "operation": "upsert", "externalIdFieldName": KEY}
        assert code(client.post(f"{ROOT}/jobs/ingest", json=body)) == (400, "EXCEEDEDQUOTA")


def test_an_org_survives_a_restart(tmp_path: Any) -> None:
    for again in (False, True):
        with serve(salesforce(tmp_path / "org.db")) as url, connected(url) as client:
            assert upsert(client, {"LastName": "A"}).json()[0]["created"] is not again
