from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonapi_pydantic.v1_0 import TopLevel
from pydantic import ValidationError

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_modules import ELDER, ELDEST

LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
Start = Callable[..., "Crm"]


class Crm:
    """A SuiteCRM and a client of its V8 interface."""

    def __init__(self, url: str) -> None:
        self.url = url
        token = httpx.post(f"{url}/Api/access_token", data=LOGIN).json().get("access_token")
        self.token = f"Bearer {token}"

    def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        headers = {"Authorization": self.token, **given.pop("headers", {})}
        return httpx.request(method, f"{self.url}/Api/V8{path}", headers=headers, **given)

    def call(self, method: str, path: str, data: Any = None, **query: Any) -> Any:
        """One call that must succeed, with a document of JSON:API; its links to pages are relative."""
        answer = self.send(method, path, params=query, json=None if data is None else {"data": data})
        assert answer.is_success, answer.text
        assert answer.headers["content-type"] == "application/vnd.api+json"
        TopLevel.model_validate({**answer.json(), "links": None})
        return answer.json()

    def add(self, module: str = "Contacts", number: str | None = None, **attributes: Any) -> str:
        data = {"type": module, "attributes": attributes} | ({"id": number} if number else {})
        return str(self.call("POST", "/module", data)["data"]["id"])

    def refusal(self, method: str, path: str, data: Any = None, **query: Any) -> str:
        answer = self.send(method, path, params=query, json=None if data is None else {"data": data})
        assert answer.status_code == 400, answer.text
        errors = answer.json()["errors"]
        assert (errors["status"], errors["title"]) == (400, None)
        return str(errors["detail"])

    def found(self, module: str = "Contacts", **query: Any) -> list[str]:
        return [one["id"] for one in self.call("GET", f"/module/{module}", **query)["data"]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda *args, **given: Crm(stack.enter_context(serve(suitecrm(*args, **given))))


@pytest.fixture
def crm(start: Start) -> Crm:
    return start()


# ---- logins


def test_a_client_logs_in_with_a_form_or_with_json(crm: Crm) -> None:
    for given in ({"data": LOGIN}, {"json": LOGIN}):
        told = httpx.post(f"{crm.url}/Api/access_token", **given).json()
        assert told.keys() == {"token_type", "expires_in", "access_token"}
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)


@pytest.mark.parametrize(
    ("login", "status", "error"),
    [
        ({**LOGIN, "client_secret": "wrong"}, 401, "invalid_client"),
        ({**LOGIN, "client_id": "nobody"}, 401, "invalid_client"),
        ({**LOGIN, "grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_a_login_that_is_none_is_refused(crm: Crm, login: dict[str, str], status: int, error: str) -> None:
    answer = httpx.post(f"{crm.url}/Api/access_token", data=login)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_no_token_a_wrong_one_an_expired_one_and_a_revoked_one_are_401(start: Start) -> None:
    crm = start()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = httpx.get(f"{crm.url}/Api/V8/module/Contacts", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "access_denied")
    httpx.post(f"{crm.url}/_inspect/revoke")
    assert crm.send("GET", "/module/Contacts").status_code == 401
    assert start(token_life=0).send("GET", "/module/Contacts").status_code == 401


# ---- documents


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (None, 'The required option "data" is missing.'),
        ([], 'The option "data" with value array is invalid.'),
        ({"attributes": {}}, 'The required option "type" is missing.'),
        ({"type": "Contacts", "relationships": {}}, 'The option "relationships" does not exist.'),
        ({"type": "Contacts", "attributes": [1]}, 'The option "attributes" with value array is invalid.'),
        ({"type": "Contacts", "attributes": {"title": ["a"]}}, 'Expected argument of type "string"'),
        ({"type": "Contacts", "id": "c1"}, 'The option "id" with value "c1" is invalid.'),
        ({"type": "Contacts", "id": 7}, 'The option "id" with value "7" is invalid.'),
        ({"type": "Cont acts"}, 'The option "type" with value "Cont acts" is invalid.'),
        ({"type": "Wishes"}, "Module Wishes does not exist"),
        ({"type": "Contacts", "attributes": {"wish": "1"}}, "Property wish in Contact module is invalid"),
    ],
)
def test_a_document_that_is_not_as_it_should_be_is_refused(crm: Crm, data: Any, detail: str) -> None:
    assert crm.refusal("POST", "/module", data).startswith(detail)


def test_a_body_under_another_media_type_is_no_body_and_one_with_more_members_is_refused(crm: Crm) -> None:
    plain = crm.send(
        "POST", "/module", content='{"data": {"type": "Contacts"}}', headers={"Content-Type": "text/plain"}
    )
    assert plain.json()["errors"]["detail"] == 'The required option "data" is missing.'
    more = crm.send("POST", "/module", json={"data": {"type": "Contacts"}, "jsonapi": {"version": "1.0"}})
    assert more.json()["errors"]["detail"].startswith(
        'The option "jsonapi" does not exist. Defined options are: "data"'
    )


def test_an_error_is_no_document_of_json_api(crm: Crm) -> None:
    answer = crm.send("GET", "/module/Wishes")
    assert answer.status_code == 400
    with pytest.raises(ValidationError):
        TopLevel.model_validate(answer.json())


def test_contacts_are_answered_as_contact_with_texts_and_iso_moments(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", snello_score_c=0.5, do_not_call=True)
    found = crm.call("GET", f"/module/Contacts/{number}")["data"]
    assert (found["type"], found["id"]) == ("Contact", number)
    told = found["attributes"]
    assert (told["snello_score_c"], told["do_not_call"], told["deleted"], told["title"]) == ("0.5", "1", "0", "")
    assert told["date_modified"].endswith("+00:00")
    assert "T" in told["date_modified"]
    assert "id" not in told
    assert crm.add("Contact", last_name="Bianchi")


# ---- writing


def test_a_change_leaves_what_it_does_not_name_and_an_empty_text_empties(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", title="Dott.", department="Sales")
    crm.call("PATCH", "/module", {"type": "Contacts", "id": number, "attributes": {"title": ""}})
    told = crm.call("GET", f"/module/Contacts/{number}")["data"]["attributes"]
    assert (told["last_name"], told["title"], told["department"]) == ("Rossi", "", "Sales")


def test_an_id_of_ones_own_is_taken_once_even_when_its_record_was_deleted(crm: Crm) -> None:
    number = str(uuid4())
    assert crm.add(number=number, last_name="Rossi") == number
    again = {"type": "Contacts", "id": number}
    assert crm.refusal("POST", "/module", again) == f"Bean Contacts with id {number} is already exist"
    crm.call("DELETE", f"/module/Contacts/{number}")
    assert crm.refusal("POST", "/module", again) == f"Bean Contacts with id {number} is already exist"


def test_a_deleted_record_is_not_found_but_by_who_asks_for_deleted_ones(crm: Crm) -> None:
    number = crm.add(last_name="Rossi")
    crm.call("DELETE", f"/module/Contacts/{number}")
    gone = f"Contacts module with id {number} is not found"
    assert crm.refusal("GET", f"/module/Contacts/{number}") == gone
    assert crm.refusal("PATCH", "/module", {"type": "Contacts", "id": number}) == gone
    assert crm.found() == []
    assert crm.found(**{"filter[deleted][eq]": "1"}) == [number]


@pytest.mark.parametrize(
    "attributes",
    [{"last_name": "x" * 101}, {"snello_score_c": "much"}, {"birthdate": "31/12/1999"}, {"snello_since_c": "soon"}],
)
def test_what_the_database_cannot_hold_is_a_fault_of_the_database(crm: Crm, attributes: dict[str, str]) -> None:
    detail = crm.refusal("POST", "/module", {"type": "Contacts", "attributes": attributes})
    assert detail == "Database failure. Please refer to suitecrm.log for details."


def test_an_address_that_is_none_is_dropped_without_a_word(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", email1="ada at example.it")
    assert crm.call("GET", f"/module/Contacts/{number}")["data"]["attributes"]["email1"] == ""


# ---- reading


def test_the_next_page_of_a_single_filtered_page_is_said_to_be_page_1(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", snello_customer_id_c="c1")
    asked = {"filter[snello_customer_id_c][eq]": "c1", "page[size]": 10}
    found = crm.call("GET", "/module/Contacts", **asked)
    assert [one["id"] for one in found["data"]] == [number]
    assert found["meta"] == {"total-pages": 1, "records-on-this-page": 1}
    assert "page[number]=1" in found["links"]["next"]
    named = crm.call("GET", "/module/Contacts", **asked, **{"page[number]": 1})
    assert named["links"] == {"first": None, "prev": None, "next": None, "last": None}


def test_pages_are_counted_and_all_records_come_without_a_size(crm: Crm) -> None:
    numbers = {crm.add(last_name=f"Rossi {one}") for one in range(5)}
    pages = [crm.call("GET", "/module/Contacts", **{"page[size]": 2, "page[number]": one}) for one in (1, 2, 3, 4)]
    assert [len(one["data"]) for one in pages] == [2, 2, 1, 0]
    assert {one["id"] for page in pages for one in page["data"]} == numbers
    assert pages[1]["meta"]["total-pages"] == 3
    assert pages[3] == {"meta": {"message": "Request was successful, but there is no result"}, "data": []}
    every = crm.call("GET", "/module/Contacts")
    assert every.keys() == {"data"}
    assert len(every["data"]) == 5


@pytest.mark.parametrize("page", ["0", "-1", "two"])
def test_a_page_that_is_no_number_is_refused(crm: Crm, page: str) -> None:
    assert crm.refusal("GET", "/module/Contacts", **{"page[number]": page}).startswith('The option "number"')


def test_records_changed_since_a_moment_are_found_and_sorted(crm: Crm) -> None:
    elder = crm.add(last_name="Elder", date_modified="2026-01-01 10:00:00")
    newer = crm.add(last_name="Newer", date_modified="2026-03-01 10:00:00")
    since = {"filter[date_modified][gte]": "2026-01-01T10:00:00+00:00", "sort": "-date_modified"}
    assert crm.found(**since) == [newer, elder]
    assert crm.found(**{"filter[date_modified][gt]": "2026-01-01T10:00:00+00:00"}) == [newer]


def test_texts_are_found_whatever_their_case_and_several_with_in(crm: Crm) -> None:
    one, other = (crm.add(last_name="Rossi", snello_customer_id_c=key) for key in ("c1", "c2"))
    assert crm.found(**{"filter[snello_customer_id_c][eq]": "C1"}) == [one]
    assert set(crm.found(**{"filter[snello_customer_id_c][in]": "c1, c2,c3"})) == {one, other}
    either = {"filter[operator]": "or", "filter[last_name][eq]": "Verdi", "filter[snello_customer_id_c][eq]": "c2"}
    assert crm.found(**either) == [other]


def test_a_contact_is_found_by_an_address_that_it_no_longer_has(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", email1="ada@example.it")
    crm.call("PATCH", "/module", {"type": "Contacts", "id": number, "attributes": {"email1": "new@example.it"}})
    assert crm.found(**{"filter[email1][eq]": "ADA@example.it"}) == [number]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"filter[wish][eq]": "1"}, "Filter field wish in Contact module is not found"),
        ({"filter[title]": "1"}, "Filter field title must be an array"),
        ({"filter[title][near]": "1"}, "Filter operator near is invalid"),
        ({"filter[operator]": "xor", "filter[title][eq]": "1"}, "Filter operator xor is invalid"),
        ({"fields[Contacts]": "wish"}, "The following field in Contact module is not found: wish"),
        ({"sort": "wish"}, "Sort field wish in Contact module is not found"),
        ({"limit": "5"}, 'The option "limit" does not exist.'),
    ],
)
def test_a_question_that_suitecrm_does_not_know_is_refused(crm: Crm, query: dict[str, str], detail: str) -> None:
    assert crm.refusal("GET", "/module/Contacts", **query).startswith(detail)


def test_elder_versions_know_no_in_and_count_no_page_where_an_own_field_is_asked_for(start: Start) -> None:
    crm = start(version=ELDER)
    crm.add(last_name="Rossi", snello_customer_id_c="c1")
    detail = crm.refusal("GET", "/module/Contacts", **{"filter[snello_customer_id_c][in]": "c1"})
    assert detail == "Filter operator in is invalid"
    found = crm.call("GET", "/module/Contacts", **{"filter[snello_customer_id_c][eq]": "c1", "page[size]": 5})
    assert (found["meta"]["total-pages"], len(found["data"])) == (0, 1)


def test_the_eldest_versions_fail_where_an_own_field_is_asked_for(start: Start) -> None:
    detail = start(version=ELDEST).refusal("GET", "/module/Contacts", **{"filter[snello_customer_id_c][eq]": "c1"})
    assert detail == "Database failure. Please refer to suitecrm.log for details."


def test_the_fields_of_a_module_are_told_and_target_lists_are_hidden(crm: Crm) -> None:
    fields = crm.call("GET", "/meta/fields/Contacts")["data"]["attributes"]
    assert fields["last_name"] == {"type": "varchar", "dbType": "varchar", "len": "100", "required": True}
    assert fields["snello_customer_id_c"]["source"] == "custom_fields"
    shown = {"Contacts", "Accounts", "Leads", "Opportunities", "Cases", "Calls", "Meetings", "Campaigns"}
    assert crm.call("GET", "/meta/modules")["data"]["attributes"].keys() == shown
    assert "does not have access" in crm.refusal("GET", "/meta/fields/ProspectLists")


# ---- target lists


def test_a_contact_is_put_on_a_list_once_and_taken_off_once(crm: Crm) -> None:
    contact, (members,) = crm.add(last_name="Rossi"), crm.found("ProspectLists")
    joined = f"/module/Contacts/{contact}/relationships"
    for _ in range(2):
        crm.call("POST", joined, {"type": "ProspectLists", "id": members})
    listed = f"/module/ProspectLists/{members}/relationships/contacts"
    assert [one["id"] for one in crm.call("GET", listed)["data"]] == [contact]
    crm.call("DELETE", f"{joined}/prospect_lists/{members}")
    told = crm.refusal("DELETE", f"{joined}/prospect_lists/{members}")
    assert told == f"Module with {members} id is not related to Contact"
    assert crm.call("GET", listed)["data"] == []


def test_the_members_of_a_list_come_by_page_with_their_number(crm: Crm) -> None:
    (members,) = crm.found("ProspectLists")
    listed = f"/module/ProspectLists/{members}/relationships/contacts"
    numbers = [crm.add(last_name=f"Rossi {one}") for one in range(3)]
    for number in numbers:
        crm.call("POST", f"{listed}", {"type": "Contacts", "id": number})
    page = crm.call("GET", listed, **{"page[size]": 2, "page[number]": 2})
    assert page["meta"] == {"total-records": 3, "total-pages": 2, "records-on-this-page": 1}
    crm.call("DELETE", f"/module/Contacts/{numbers[0]}")
    assert crm.call("GET", listed)["meta"]["total-records"] == 2


def test_what_cannot_be_linked_is_refused(crm: Crm) -> None:
    contact, lead, (members,) = crm.add(last_name="R"), crm.add("Leads", last_name="L"), crm.found("ProspectLists")
    joined = f"/module/Contacts/{contact}/relationships"
    assert crm.refusal("POST", joined, {"type": "Leads", "id": lead}).startswith("Link field has not found")
    gone = str(uuid4())
    assert crm.refusal("POST", joined, {"type": "ProspectLists", "id": gone}).endswith("is not found")
    assert crm.refusal("DELETE", f"{joined}/wishes/{members}") == "Cannot load relationship wishes for Contact module"


# ---- rights, weather, restarts


@pytest.mark.parametrize(
    ("lacking", "method", "path", "told"),
    [
        ("Contacts/access", "GET", "/module/Contacts", "[SuiteCRM] [Not Allowed] The API user does not have access"),
        ("Contacts/view", "GET", "/module/Contacts", "[SuiteCRM] [AccessDeniedException] "),
        ("Contacts/save", "POST", "/module", "[SuiteCRM] [AccessDeniedException] "),
    ],
)
def test_what_the_user_may_not_do_is_refused(start: Start, lacking: str, method: str, path: str, told: str) -> None:
    data = {"type": "Contacts"} if method == "POST" else None
    assert start(lacking=(lacking,)).refusal(method, path, data).startswith(told)


def test_a_path_that_is_none_is_a_page_without_a_document(crm: Crm) -> None:
    answer = crm.send("GET", "/wishes")
    assert (answer.status_code, answer.text) == (404, "Page Not Found")


def test_records_links_and_tokens_survive_a_restart(tmp_path: Path) -> None:
    with serve(suitecrm(tmp_path / "suitecrm.db")) as url:
        crm = Crm(url)
        number, (members,) = crm.add(last_name="Rossi"), crm.found("ProspectLists")
        crm.call("POST", f"/module/Contacts/{number}/relationships", {"type": "ProspectLists", "id": members})
        token = crm.token
    with serve(suitecrm(tmp_path / "suitecrm.db")) as url:
        held = httpx.get(f"{url}/_inspect").json()
        assert (held["contacts"], held["prospectlists"], held["lists"]) == (1, 1, {"long_absent": 1})
        assert httpx.get(f"{url}/Api/V8/module/Contacts", headers={"Authorization": token}).is_success


def test_bad_weather_answers_429_with_the_seconds_to_wait(start: Start) -> None:
    with serve(suitecrm(weather=Weather(limited=1.0, retry_after=3))) as url:
        answer = httpx.post(f"{url}/Api/access_token", data=LOGIN)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
