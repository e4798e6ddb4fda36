from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from google.ads import datamanager_v1 as sdk
from google.api_core.exceptions import BadRequest, Forbidden
from google.auth.credentials import AnonymousCredentials

from snello.sandbox.emulators import google_rules as rules
from snello.sandbox.emulators.google import ACCOUNT, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, google
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.google_store import Switches
from snello.sandbox.emulators.serving import serve

GRANT = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
GRANT |= {"refresh_token": REFRESH_TOKEN}
DESTINATION = {"operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": ACCOUNT}, "productDestinationId": "1"}
TERMS = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
CONSENT = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def with_(*identifiers: dict[str, Any]) -> dict[str, Any]:
    return {"userData": {"userIdentifiers": list(identifiers)}}


def member(email: str) -> dict[str, Any]:
    return with_({"emailAddress": hashed(email)})


def body(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    whole = {"destinations": [DESTINATION], "audienceMembers": list(members), "encoding": "HEX"}
    return {**whole, "termsOfService": TERMS, "consent": CONSENT, **more}


@contextmanager
def connected(**given: Any) -> Iterator[httpx.Client]:
    with serve(google(**given)) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        token = client.post("/token", data=GRANT).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with connected(quotas=(Quota(10_000), Quota(10_000))) as it:
        yield it


def ingest(client: httpx.Client, given: dict[str, Any]) -> httpx.Response:
    return client.post("/v1/audienceMembers:ingest", json=given)


def reasons(answer: httpx.Response) -> list[str]:
    details = answer.json()["error"]["details"]
    return [part["reason"] for one in details for part in one.get("fieldViolations", [])] or [details[0]["reason"]]


def outcome(client: httpx.Client, request: str) -> dict[str, Any]:
    answer = client.get("/v1/requestStatus:retrieve", params={"requestId": request})
    found: dict[str, Any] = answer.json()["requestStatusPerDestination"][0]
    return found


def test_the_fields_are_those_of_googles_own_messages() -> None:
    for name, fields in rules.SHAPES.items():
        descriptor = getattr(sdk, name).pb().DESCRIPTOR
        assert fields.keys() <= {field.json_name for field in descriptor.fields}, name
        for field in descriptor.fields:
            kind = fields.get(field.json_name, "")
            if kind in rules.ENUMS:
                assert tuple(value.name for value in field.enum_type.values) == rules.ENUMS[kind], field.name
            elif kind.lstrip("[") in rules.SHAPES:
                assert field.message_type.name == kind.lstrip("["), field.name


def test_members_come_and_go_by_their_identifiers(client: httpx.Client) -> None:
    request = ingest(client, body(member("a"), member("b"))).json()["requestId"]
    assert outcome(client, request)["requestStatus"] == "SUCCESS"
    removal = {key: part for key, part in body(member("a")).items() if key not in ("termsOfService", "consent")}
    assert client.post("/v1/audienceMembers:remove", json=removal).status_code == 200
    assert client.get("/_inspect/members/1").json() == [f"emailAddress {hashed('b')}"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (body(member("a"), encoding="BASE64"), "REQUIRED_FIELD_MISSING"),
        (body(member("a"), termsOfService={}), "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        (body(member("a"), unheard="of"), "INVALID_ARGUMENT"),
        (body(), "REQUIRED_FIELD_MISSING"),
        (body(*[member("a")] * 10_001), "TOO_MANY_AUDIENCE_MEMBERS"),
        (body(with_(*[{"emailAddress": hashed("a")}] * 11)), "TOO_MANY_USER_IDENTIFIERS"),
        (body(with_({"emailAddress": "a@example.it"})), "INVALID_HEX_ENCODING"),
        (body(with_({"emailAddress": "abcd"})), "INVALID_SHA256_FORMAT"),
        (body(member("a"), destinations=[{**DESTINATION, "productDestinationId": "99"}]), "INVALID_USER_LIST_ID"),
        (body(member("a"), destinations=[{"productDestinationId": "1"}]), "DESTINATION_ACCOUNT_TYPE_MISMATCH"),
    ],
)  # fmt: skip
def test_what_google_refuses_is_refused_whole(client: httpx.Client, given: dict[str, Any], reason: str) -> None:
    answer = ingest(client, given)
    assert answer.status_code == 400
    assert reasons(answer)[0] == reason
    assert client.get("/_inspect/members/1").json() == []


def test_who_did_not_consent_fails_late(client: httpx.Client) -> None:
    request = ingest(client, body(member("a"), consent={})).json()["requestId"]
    told = outcome(client, request)
    assert told["requestStatus"] == "FAILED"
    assert told["errorInfo"]["errorCounts"] == [{"recordCount": "1", "reason": "PROCESSING_ERROR_REASON_NO_CONSENT"}]


def test_more_requests_than_the_quota_wait() -> None:
    with connected(quotas=(Quota(1), Quota(10))) as client:
        assert ingest(client, body(member("a"))).status_code == 200
        answer = ingest(client, body(member("a")))
        assert answer.status_code == 429
        assert "retryDelay" in answer.json()["error"]["details"][-1]


def test_without_a_token_or_a_permission_nothing_is_told() -> None:
    with connected(switches=Switches(permission=False)) as client:
        assert ingest(client, body(member("a"))).status_code == 403
        client.headers.pop("Authorization")
        assert ingest(client, body(member("a"))).status_code == 401


def test_what_it_holds_survives_a_restart(tmp_path: Any) -> None:
    with connected(database=tmp_path / "google.db") as client:
        request = ingest(client, body(member("a"))).json()["requestId"]
    with connected(database=tmp_path / "google.db") as client:
        assert outcome(client, request)["requestStatus"] == "SUCCESS"
        assert client.get("/_inspect").json()["lists"] == {"long_absent": 1}


def test_googles_own_client_gets_through_the_same_story(client: httpx.Client) -> None:
    host = str(client.base_url).removeprefix("http://").rstrip("/")
    token = [("authorization", client.headers["Authorization"])]

    def transport(kind: Any) -> Any:
        return kind(host=host, url_scheme="http", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]

    lists = sdk.UserListServiceClient(transport=transport(_rest(sdk.UserListServiceClient)))
    parent = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}"
    made = lists.create_user_list(
        parent=parent,
        user_list=sdk.UserList(
            display_name="loyal",
            membership_status="OPEN",
            ingested_user_list_info={"upload_key_types": ["CONTACT_ID"]},
        ),
        metadata=token,
    )
    found = list(lists.list_user_lists(request={"parent": parent, "filter": 'display_name = "loyal"'}, metadata=token))
    assert [one.id for one in found] == [made.id]
    service = sdk.IngestionServiceClient(transport=transport(_rest(sdk.IngestionServiceClient)))
    given = sdk.IngestAudienceMembersRequest.from_json(_json(body(member("a"))))
    given.destinations[0].product_destination_id = str(made.id)
    answer = service.ingest_audience_members(given, metadata=token)
    told = service.retrieve_request_status({"request_id": answer.request_id}, metadata=token)
    status = told.request_status_per_destination[0]
    assert status.request_status.name == "SUCCESS"
    assert status.audience_members_ingestion_status.user_data_ingestion_status.record_count == 1
    given.destinations[0].product_destination_id = "99"
    with pytest.raises(BadRequest, match="product_destination_id"):
        service.ingest_audience_members(given, metadata=token)
    given.destinations[0].operating_account.account_id = "1"
    with pytest.raises(Forbidden):
        service.ingest_audience_members(given, metadata=token)


def _rest(kind: Any) -> Any:
    return kind.get_transport_class("rest")


def _json(given: dict[str, Any]) -> str:
    return json.dumps(given)
