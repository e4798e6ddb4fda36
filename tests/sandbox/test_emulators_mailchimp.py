from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators.mailchimp import API_KEY, LIST_ID, mailchimp
from snello.sandbox.emulators.mailchimp_rules import Account, hash_of
from snello.sandbox.emulators.serving import serve

LIST = f"/lists/{LIST_ID}"
ADA = "ada@example.it"


@contextmanager
def opened(**given: Any) -> Iterator[httpx.Client]:
    with (
        serve(mailchimp(**given)) as url,
        httpx.Client(base_url=f"{url}/3.0", auth=("anybody", API_KEY), timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[httpx.Client]:
    with opened() as client:
        yield client


def batch(client: httpx.Client, *emails: str, update: bool = False, **more: Any) -> dict[str, Any]:
    members = [{"email_address": email, "status": "subscribed", **more} for email in emails]
    answer = client.post(LIST, json={"members": members, "update_existing": update})
    assert answer.status_code == 200
    return answer.json()


def error_of(said: dict[str, Any]) -> str:
    return str(said["errors"][0]["error"])


def test_a_call_without_the_key_is_a_problem_document(shared: httpx.Client) -> None:
    for auth, title in ((("x", "wrong-us21"), "API Key Invalid"), (None, "API Key Missing")):
        answer = httpx.get(f"{shared.base_url}ping", auth=auth)
        assert (answer.status_code, answer.json()["title"]) == (401, title)
        assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_disabled_user_and_too_many_calls_are_refused() -> None:
    with opened(account=Account(disabled=True)) as client:
        assert client.get("/ping").json()["title"] == "User Disabled"
    with opened(account=Account(at_once=0)) as client:
        assert client.get("/ping").status_code == 429


def test_at_most_five_hundred_members_go_into_a_batch(shared: httpx.Client) -> None:
    members = [{"email_address": f"p{n}@example.it", "status": "subscribed"} for n in range(501)]
    assert shared.post(LIST, json={"members": members}).status_code == 400


def test_an_existing_contact_is_an_error_unless_updates_are_asked_for(shared: httpx.Client) -> None:
    batch(shared, "twice@example.it")
    assert batch(shared, "twice@example.it")["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"
    assert batch(shared, "TWICE@example.it", update=True)["total_updated"] == 1


@pytest.mark.parametrize(
    ("email", "said"),
    [("nobody", "valid email"), ("john@example.com", "fake or invalid"), ("abuse@example.it", "role-based")],
)
def test_addresses_that_mailchimp_does_not_take(shared: httpx.Client, email: str, said: str) -> None:
    assert said in error_of(batch(shared, email))


def test_a_row_without_a_status_keeps_that_of_the_contact_and_makes_no_new_one(shared: httpx.Client) -> None:
    batch(shared, "still@example.it", update=True)
    shared.patch(f"{LIST}/members/{hash_of('still@example.it')}", json={"status": "unsubscribed"})
    said = batch(shared, "still@example.it", "never@example.it", update=True, status=None)
    assert said["updated_members"][0]["status"] == "unsubscribed"
    assert said["errors"][0]["field"] == "status"


def test_who_left_by_themselves_cannot_be_subscribed(shared: httpx.Client) -> None:
    batch(shared, "left@example.it")
    root = str(shared.base_url).removesuffix("/3.0/")
    httpx.post(
        f"{root}/_inspect/own-will", json={"list": LIST_ID, "email": "left@example.it", "status": "unsubscribed"}
    )
    assert "compliance state" in error_of(batch(shared, "left@example.it", update=True))
    answer = shared.patch(f"{LIST}/members/{hash_of('left@example.it')}", json={"status": "subscribed"})
    assert answer.json()["title"] == "Member In Compliance State"


def test_archived_contacts_come_back_as_new_and_deleted_ones_never(shared: httpx.Client) -> None:
    batch(shared, ADA)
    path = f"{LIST}/members/{hash_of(ADA)}"
    assert shared.delete(path).status_code == 204
    assert shared.delete(path).status_code == 405
    assert batch(shared, ADA)["total_created"] == 1
    assert shared.post(f"{path}/actions/delete-permanent").status_code == 204
    assert shared.get(path).status_code == 404
    assert "permanently deleted" in error_of(batch(shared, ADA))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", 3, "three"),
        ("date", "2026-02-28", "2026-02-30"),
        ("birthday", "02/29", "29/02"),
        ("url", "https://example.it", "example"),
        ("zip", "00184", "184"),
        ("text", "x" * 255, "x" * 256),
    ],
)
def test_merge_fields_have_types(shared: httpx.Client, kind: str, good: Any, bad: Any) -> None:
    tag = f"T{kind}".upper()
    shared.post(f"{LIST}/merge-fields", json={"tag": tag, "name": tag, "type": kind}).raise_for_status()
    email = f"{kind}@example.it"
    assert batch(shared, email, merge_fields={tag: bad})["errors"][0]["field"] == tag
    assert batch(shared, email, merge_fields={tag: good})["error_count"] == 0


def test_a_merge_field_is_needed_where_it_is_required_and_has_a_short_tag() -> None:
    with opened() as client:
        field = {"tag": "CITY", "name": "City", "type": "text", "required": True}
        client.post(f"{LIST}/merge-fields", json=field).raise_for_status()
        assert batch(client, ADA)["errors"][0]["field"] == "CITY"
        assert client.post(f"{LIST}/merge-fields", json={**field, "tag": "ELEVENCHARS"}).status_code == 400


def test_a_plan_that_is_used_up_takes_no_new_contact() -> None:
    with opened(account=Account(most_contacts=1)) as client:
        batch(client, ADA)
        assert "contact limit" in error_of(batch(client, "bob@example.it"))
        assert batch(client, ADA, update=True)["total_updated"] == 1


def test_a_tag_passes_over_strangers_and_tells_of_those_who_left() -> None:
    with opened() as client:
        batch(client, ADA, "gone@example.it")
        client.patch(f"{LIST}/members/{hash_of('gone@example.it')}", json={"status": "unsubscribed"})
        made = client.post(f"{LIST}/segments", json={"name": "vip", "static_segment": []}).json()["id"]
        add = {"members_to_add": [ADA, "gone@example.it", "stranger@example.it"]}
        said = client.post(f"{LIST}/segments/{made}", json=add).json()
        assert (said["total_added"], said["errors"][0]["email_addresses"]) == (1, ["gone@example.it"])
        assert client.get(f"{LIST}/segments/{made}").json()["member_count"] == 1
        too_many = {"members_to_add": [ADA] * 501}
        assert client.post(f"{LIST}/segments/{made}", json=too_many).status_code == 400


def test_a_page_holds_at_most_a_thousand_and_ten_unless_asked() -> None:
    with opened() as client:
        batch(client, *(f"p{n}@example.it" for n in range(12)))
        assert len(client.get(f"{LIST}/members").json()["members"]) == 10
        assert len(client.get(f"{LIST}/members", params={"count": 1000}).json()["members"]) == 12
        assert client.get(f"{LIST}/members", params={"count": 1001}).status_code == 400


def test_an_account_outlives_its_process(tmp_path: Path) -> None:
    with opened(database=tmp_path / "account.db") as client:
        batch(client, ADA)
    with opened(database=tmp_path / "account.db") as client:
        assert client.get(f"{LIST}/members").json()["total_items"] == 1
