from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonapi_pydantic.v1_0 import TopLevel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import Change, Verdict
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_modules import ELDER, ELDEST
from target_suitecrm import Contacts, Settings, TargetSuitecrm
from target_suitecrm.values import Field, Unfit

ID = "snello_customer_id_c"
LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
FIELDS = {"last_name": "last_name", "email": "email1", "segment": "snello_segment_c", "score": "snello_score_c"}
ADA = {"customer_id": "c1", "last_name": "Rossi", "email": "ada@example.it", "segment": "absent", "score": 0.5}
BOB = {"customer_id": "c2", "last_name": "Verdi", "email": "bob@example.it", "segment": "absent", "score": 0.25}


class Crm:
    """A SuiteCRM to look into and to work in."""

    def __init__(self, url: str) -> None:
        self.url = url
        token = httpx.post(f"{url}/Api/access_token", data=LOGIN).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, data: Any = None) -> Any:
        body = None if data is None else {"data": data}
        answer = httpx.request(method, f"{self.url}/Api/V8/{path}", json=body, headers=self.headers)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def add(self, module: str = "Contacts", **attributes: Any) -> str:
        return str(self.call("POST", "module", {"type": module, "attributes": attributes})["id"])

    def change(self, number: str, **attributes: Any) -> None:
        self.call("PATCH", "module", {"type": "Contacts", "id": number, "attributes": attributes})

    def delete(self, number: str, module: str = "Contacts") -> None:
        self.call("DELETE", f"module/{module}/{number}")

    def records(self, module: str = "Contacts") -> list[dict[str, Any]]:
        found = httpx.get(f"{self.url}/_inspect/records/{module}").json()
        return [one for one in found if one["deleted"] == "0"]

    def of(self, key: str) -> dict[str, Any]:
        (found,) = [one for one in self.records() if one[ID] == key]
        return found

    def listed(self, name: str = "long_absent") -> set[str]:
        return {one[ID] or one["last_name"] for one in self.records() if name in one["lists"]}

    def calls(self) -> Counter[str]:
        """Calls by method and the kind of path."""
        made: Counter[str] = Counter()
        for call, many in httpx.get(f"{self.url}/_inspect").json()["calls"].items():
            method, path = call.split(" ")
            parts = [part for part in path.removeprefix("/Api/").split("/") if len(part) != 36]
            made[f"{method} {'/'.join(parts)}"] += many
        return made

    def config(self, **more: Any) -> dict[str, Any]:
        quick = {"requests_per_second": 10_000, "retry_attempts": 2, "max_wait": 1, "fields": FIELDS}
        login = {"url": self.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {**quick, **login, "list_name": "long_absent", **more}

    def sink(self, **more: Any) -> Contacts:
        return Contacts(Settings(**self.config(**more)), "suitecrm__long_absent", "long_absent")


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda **given: Crm(stack.enter_context(serve(suitecrm(**given))))


@pytest.fixture
def crm(start: Any) -> Crm:
    found: Crm = start()
    return found


def upserts(*rows: Mapping[str, Any], **more: Any) -> list[Change]:
    return [Change("upsert", row["customer_id"], "f", row, consent="yes", **more) for row in rows]


def removals(*keys: str, **more: Any) -> list[Change]:
    return [Change("remove", key, known=True, **more) for key in keys]


def words(verdicts: Any) -> dict[str, str]:
    return {one.key: one.code or one.status for one in verdicts}


# ---- the contract


class Recorded:
    """Keeps the bodies that are sent to the V8 interface."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bodies: list[dict[str, Any]] = []
        self.kinds: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            if scope["path"].startswith("/Api/V8") and message.get("body"):
                self.bodies.append(json.loads(message["body"]))
                self.kinds.add(dict(scope["headers"])[b"content-type"])
            return message

        await self.app(scope, heard, send)


def test_every_body_that_is_sent_is_a_document_of_json_api_and_nothing_else() -> None:
    app = Recorded(suitecrm(lists=()))
    with serve(app) as url:
        crm = Crm(url)
        matched = crm.add(last_name="Verdi", email1="bob@example.it")
        app.bodies.clear()
        app.kinds.clear()
        pairs = [{"column": "email", "field": "email1"}]
        sink = crm.sink(create=True, create_list=True, match=pairs, on_leave={"snello_segment_c": None})
        list(sink.upsert(upserts(ADA, BOB)))
        list(sink.upsert(upserts({**ADA, "score": 1})))
        list(sink.remove(removals("c1")))
        list(sink.move(upserts({**BOB, "customer_id": "c9"}, moved_from="c2")))
        list(sink.erase(removals("c9", reason="erased")))
        sink.close()
        assert [one["id"] for one in crm.records() if one["last_name"] == "Verdi"] == [matched]
    assert len(app.bodies) >= 9
    assert app.kinds == {b"application/vnd.api+json"}
    for body in app.bodies:
        told = TopLevel.model_validate(body)
        assert told.model_dump(exclude_unset=True) == body, "a member that JSON:API does not know"
        assert all(isinstance(value, str) for value in body["data"].get("attributes", {}).values())


# ---- what is written


def test_a_blank_writes_nothing_over_a_value_unless_its_field_is_to_clear(crm: Crm) -> None:
    sink = crm.sink(create=True, clear=["snello_segment_c"])
    list(sink.upsert(upserts(ADA)))
    list(sink.upsert(upserts({**ADA, "segment": None, "score": None, "last_name": ""})))
    held = crm.of("c1")
    assert (held["snello_segment_c"], held["snello_score_c"], held["last_name"]) == ("", "0.5", "Rossi")


def test_fields_that_nobody_named_stay(crm: Crm) -> None:
    number = crm.add(last_name="Rossi", phone_mobile="+39 02 1234567", **{ID: "c1"})
    assert words(crm.sink().upsert(upserts(ADA))) == {"c1": "delivered"}
    held = crm.of("c1")
    assert (held["id"], held["phone_mobile"], held["snello_segment_c"]) == (number, "+39 02 1234567", "absent")


def test_a_refusal_is_written_and_never_taken_back(crm: Crm) -> None:
    fields = {"no_mail": "email_opt_out", "no_call": "do_not_call"}
    number = crm.add(last_name="Rossi", email_opt_out="1", **{ID: "c1"})
    sink = crm.sink(fields=fields, clear=["email_opt_out"], on_leave={"email_opt_out": False})
    for no_mail in (False, None, ""):
        list(sink.upsert(upserts({"customer_id": "c1", "no_mail": no_mail, "no_call": True})))
        assert (crm.of("c1")["email_opt_out"], crm.of("c1")["do_not_call"]) == ("1", "1")
    list(sink.remove(removals("c1")))
    assert crm.of("c1")["email_opt_out"] == "1"
    crm.change(number, email_opt_out="0")
    list(sink.upsert(upserts({"customer_id": "c1", "no_mail": True})))
    assert crm.of("c1")["email_opt_out"] == "1"


def test_a_value_that_its_field_cannot_hold_is_refused_and_never_sent(crm: Crm) -> None:
    rows = (
        ({**ADA, "score": "much"}, "bad_value"),
        ({**ADA, "last_name": "x" * 101}, "too_long"),
        ({**ADA, "email": "ada at example.it"}, "invalid_email"),
        ({**ADA, "segment": ["a", "b"]}, "bad_value"),
        ({**ADA, "customer_id": "c" * 256}, "too_long"),
    )
    sink = crm.sink(create=True)
    for row, code in rows:
        assert words(sink.upsert(upserts(row))) == {row["customer_id"]: code}
    assert crm.records() == []


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("bool", True, "1"),
        ("bool", "no", "0"),
        ("int", 7.0, "7"),
        ("decimal", 0.5, "0.5"),
        ("date", "2026-11-22T23:30:00+01:00", "2026-11-22"),
        ("datetime", "2026-11-22T23:30:00+01:00", "2026-11-22 22:30:00"),
        ("datetimecombo", "2026-11-22 10:00:00", "2026-11-22 10:00:00"),
        ("multienum", ["consent", "contract"], "^consent^,^contract^"),
        ("multienum", "consent", "^consent^"),
        ("multienum", "^consent^", "^consent^"),
        ("varchar", " Rossi ", "Rossi"),
        ("varchar", True, "1"),
        ("enum", "Web Site", "Web Site"),
    ],
)
def test_values_become_texts_as_suitecrm_keeps_them(kind: str, value: Any, text: str) -> None:
    assert Field("title", kind, None).text(value) == text


@pytest.mark.parametrize(
    ("kind", "value"), [("bool", "perhaps"), ("int", 1.5), ("decimal", "nan"), ("date", "soon"), ("varchar", {"a": 1})]
)
def test_values_of_another_kind_are_unfit(kind: str, value: Any) -> None:
    with pytest.raises(Unfit, match="bad_value"):
        Field("title", kind, None).text(value)


# ---- which contact


def test_no_contact_is_made_unless_that_is_asked_for(crm: Crm) -> None:
    assert words(crm.sink().upsert(upserts(ADA))) == {"c1": "not_there"}
    assert words(crm.sink(create=True).upsert(upserts(ADA, mode="update"))) == {"c1": "not_there"}
    assert crm.records() == []
    assert words(crm.sink(create=True).upsert(upserts(ADA))) == {"c1": "delivered"}
    assert crm.listed() == {"c1"}


def test_a_contact_is_found_by_its_address_or_its_id_and_bears_the_customer_id_from_then_on(crm: Crm) -> None:
    one = crm.add(last_name="Rossi", email1="Ada@Example.it")
    other = crm.add(last_name="Verdi")
    pairs = [{"column": "crm_id", "field": "id"}, {"column": "email", "field": "email1"}]
    rows = ({**ADA, "crm_id": None}, {**BOB, "crm_id": other})
    verdicts = list(crm.sink(match=pairs).upsert(upserts(*rows)))
    assert verdicts == [Verdict.delivered("c1", one), Verdict.delivered("c2", other)]
    assert (crm.of("c1")["id"], crm.of("c2")["id"]) == (one, other)


def test_a_contact_of_another_customer_is_not_taken_over(crm: Crm) -> None:
    crm.add(last_name="Rossi", email1="ada@example.it", **{ID: "c7"})
    pairs = [{"column": "email", "field": "email1"}]
    assert words(crm.sink(match=pairs, create=True).upsert(upserts(ADA))) == {"c1": "taken"}
    assert crm.listed() == set()


def test_an_address_that_several_contacts_have_or_that_one_once_had_names_nobody(crm: Crm) -> None:
    pairs = [{"column": "email", "field": "email1"}]
    for _ in range(2):
        crm.add(last_name="Rossi", email1="ada@example.it")
    once = crm.add(last_name="Verdi", email1="bob@example.it")
    crm.change(once, email1="new@example.it")
    assert words(crm.sink(match=pairs).upsert(upserts(ADA, BOB))) == {"c1": "ambiguous", "c2": "not_there"}


def test_two_customers_in_one_batch_who_share_an_address_do_not_share_its_contact(crm: Crm) -> None:
    crm.add(last_name="Rossi", email1="ada@example.it")
    pairs = [{"column": "email", "field": "email1"}]
    rows = ({**ADA, "email": "Ada@example.it"}, {**BOB, "email": "ada@example.it"})
    assert words(crm.sink(match=pairs).upsert(upserts(*rows))) == {"c1": "delivered", "c2": "taken"}


def test_a_contact_that_two_customers_match_becomes_the_one_of_them_alone(crm: Crm) -> None:
    crm.add(last_name="Rossi", email1="ada@example.it")
    pairs = [{"column": "email", "field": "email1"}]
    sink = crm.sink(match=pairs)
    rows = [upserts({**ADA, "customer_id": f"c{number}"}) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        told = [words(verdicts) for verdicts in pool.map(lambda changes: list(sink.upsert(changes)), rows)]
    sink.close()
    assert Counter(word for one in told for word in one.values()) == {"delivered": 1, "taken": 3}
    assert sum(bool(one[ID]) for one in crm.records()) == 1


def test_customer_ids_that_differ_in_case_alone_are_two_customers(crm: Crm) -> None:
    sink = crm.sink(create=True)
    assert words(sink.upsert(upserts(ADA))) == {"c1": "delivered"}
    assert words(sink.upsert(upserts({**BOB, "customer_id": "C1"}))) == {"C1": "delivered"}
    assert {one[ID]: one["last_name"] for one in crm.records()} == {"c1": "Rossi", "C1": "Verdi"}


@pytest.mark.parametrize("key", ["c,1", "c 1", "c'1", "c%1", "c&1=2", "cà1", 'c"1', "c[1]"])
def test_a_customer_id_of_any_shape_is_found_again(crm: Crm, key: str) -> None:
    rows = [{**ADA, "customer_id": one} for one in (key, "plain", f"{key}2")]
    for _ in range(2):
        assert set(words(crm.sink(create=True).upsert(upserts(*rows))).values()) == {"delivered"}
    assert {one[ID] for one in crm.records()} == {key, "plain", f"{key}2"}
    assert len(crm.records()) == 3


def test_a_contact_that_was_copied_with_our_field_is_ambiguous_and_both_leave(crm: Crm) -> None:
    sink = crm.sink(create=True)
    list(sink.upsert(upserts(ADA)))
    (members,) = [one["id"] for one in crm.records("ProspectLists")]
    copy = crm.add(last_name="Rossi", **{ID: "c1"})
    crm.call("POST", f"module/Contacts/{copy}/relationships", {"type": "ProspectLists", "id": members})
    assert words(sink.upsert(upserts(ADA))) == {"c1": "ambiguous"}
    assert words(sink.remove(removals("c1"))) == {"c1": "delivered"}
    assert crm.listed() == set()


# ---- contacts that went


def test_a_contact_that_was_deleted_is_refused_and_made_again_only_when_asked(crm: Crm) -> None:
    (made,) = crm.sink(create=True).upsert(upserts(ADA))
    crm.delete(str(made.remote_id))
    again = upserts(ADA, remote_id=made.remote_id, known=True)
    assert words(crm.sink().upsert(again)) == {"c1": "deleted"}
    assert words(crm.sink(create=True).upsert(again)) == {"c1": "deleted"}
    assert words(crm.sink(create=True).upsert(upserts(ADA))) == {"c1": "deleted"}
    assert words(crm.sink(create=True, recreate=True).upsert(again)) == {"c1": "delivered"}
    assert crm.of("c1")["id"] != made.remote_id
    assert words(crm.sink(create=True).upsert(upserts(ADA))) == {"c1": "delivered"}
    assert len(crm.records()) == 1


def test_of_contacts_that_were_merged_the_one_that_stays_becomes_the_customers(crm: Crm) -> None:
    (made,) = crm.sink(create=True).upsert(upserts(ADA))
    stays = crm.add(last_name="Rossi", email1="ada@example.it")
    crm.delete(str(made.remote_id))
    pairs = [{"column": "email", "field": "email1"}]
    sink = crm.sink(match=pairs)
    assert words(sink.upsert(upserts(ADA, remote_id=made.remote_id, known=True))) == {"c1": "delivered"}
    assert crm.of("c1")["id"] == stays
    assert crm.listed() == {"c1"}


def test_a_field_that_was_emptied_by_hand_is_written_again_by_the_id_that_we_remember(crm: Crm) -> None:
    sink = crm.sink(create=True)
    (made,) = sink.upsert(upserts(ADA))
    crm.change(str(made.remote_id), **{ID: ""})
    assert words(crm.sink().upsert(upserts(ADA, remote_id=made.remote_id, known=True))) == {"c1": "delivered"}
    assert crm.of("c1")["id"] == made.remote_id
    crm.change(str(made.remote_id), **{ID: ""})
    list(sink.remove(removals("c1", remote_id=made.remote_id)))
    assert crm.listed() == set()
    crm.change(str(made.remote_id), **{ID: "c8"})
    assert words(crm.sink().upsert(upserts(ADA, remote_id=made.remote_id))) == {"c1": "taken"}


def test_one_that_an_earlier_try_made_is_found_by_its_id_and_not_made_twice(crm: Crm) -> None:
    (made,) = crm.sink(create=True).upsert(upserts(ADA))
    crm.change(str(made.remote_id), **{ID: ""})
    assert list(crm.sink(create=True).upsert(upserts(ADA))) == [made]
    assert len(crm.records()) == 1


def test_a_contact_that_goes_between_look_up_and_write_stops_nobody(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = crm.sink(create=True)
    made = list(sink.upsert(upserts(ADA, BOB)))
    looked = sink.people.found

    def and_then_it_goes(changes: Any) -> Any:
        found = looked(changes)
        crm.delete(str(made[0].remote_id))
        return found

    monkeypatch.setattr(sink.people, "found", and_then_it_goes)
    assert words(sink.upsert(upserts(ADA, BOB))) == {"c1": "not_there", "c2": "delivered"}


# ---- leaving


def test_who_leaves_is_off_the_list_keeps_the_contact_and_gets_the_values_of_leaving(crm: Crm) -> None:
    sink = crm.sink(create=True, on_leave={"snello_segment_c": None, "snello_score_c": 0})
    list(sink.upsert(upserts(ADA, BOB)))
    assert words(sink.remove(removals("c1", "c3"))) == {"c1": "delivered", "c3": "delivered"}
    assert words(sink.remove(removals("c1"))) == {"c1": "delivered"}
    assert crm.listed() == {"c2"}
    held = crm.of("c1")
    assert (held["snello_segment_c"], held["snello_score_c"], held["last_name"]) == ("", "0", "Rossi")


def test_other_lists_and_other_members_stay(start: Any) -> None:
    crm = start(lists=("long_absent", "theirs"))
    lists = {one["name"]: one["id"] for one in crm.records("ProspectLists")}
    listed = crm.add(last_name="Listed")
    sink = crm.sink(create=True)
    (made,) = sink.upsert(upserts(ADA))
    for contact, name in ((listed, "long_absent"), (made.remote_id, "theirs")):
        crm.call("POST", f"module/Contacts/{contact}/relationships", {"type": "ProspectLists", "id": lists[name]})
    list(sink.remove(removals("c1")))
    assert (crm.listed(), crm.listed("theirs")) == ({"Listed"}, {"c1"})


def test_an_erased_person_leaves_no_trace_of_ours(crm: Crm) -> None:
    sink = crm.sink(create=True, on_leave={"snello_segment_c": None})
    list(sink.upsert(upserts(ADA)))
    assert words(sink.erase(removals("c1", reason="erased"))) == {"c1": "delivered"}
    (held,) = crm.records()
    assert (held[ID], held["snello_segment_c"], held["lists"], held["last_name"]) == ("", "", [], "Rossi")


def test_a_merged_customer_keeps_the_contact_under_the_other_customer_id(crm: Crm) -> None:
    sink = crm.sink(create=True)
    (made,) = sink.upsert(upserts(ADA))
    assert words(sink.move(upserts({**ADA, "customer_id": "c9"}, moved_from="c1"))) == {"c9": "delivered"}
    assert crm.of("c9")["id"] == made.remote_id
    assert len(crm.records()) == 1


def test_of_two_customers_who_are_one_the_contact_of_the_other_leaves(crm: Crm) -> None:
    sink = crm.sink(create=True)
    list(sink.upsert(upserts(ADA, BOB)))
    assert words(sink.move(upserts(BOB, moved_from="c1"))) == {"c2": "delivered"}
    assert crm.listed() == {"c2"}
    assert crm.of("c1")["last_name"] == "Rossi"


def test_without_a_list_fields_alone_are_written(start: Any) -> None:
    crm = start(lists=())
    sink = crm.sink(membership="none", create=True, on_leave={"snello_segment_c": "former"})
    list(sink.upsert(upserts(ADA)))
    list(sink.remove(removals("c1")))
    assert crm.of("c1")["snello_segment_c"] == "former"
    assert (sink.listing(), sink.size()) == (None, None)
    assert "GET V8/module/ProspectLists" not in crm.calls()


# ---- the account


def test_a_token_that_is_revoked_half_way_is_renewed(crm: Crm) -> None:
    sink = crm.sink(create=True)
    list(sink.upsert(upserts(ADA)))
    httpx.post(f"{crm.url}/_inspect/revoke")
    assert words(sink.upsert(upserts(BOB))) == {"c2": "delivered"}


def test_a_secret_that_is_refused_ends_the_run_with_the_cure(crm: Crm) -> None:
    with pytest.raises(ConfigError, match="the login is refused") as raised:
        list(crm.sink(client_secret="wrong-secret").upsert(upserts(ADA)))
    assert "wrong-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("Contacts/access", "may not read Contacts"),
        ("Contacts/view", "may not read Contacts"),
        ("Contacts/save", "may not make Contacts"),
        ("ProspectLists/view", "may not read ProspectLists"),
        ("ProspectLists/list", "may not make Contacts"),
    ],
)
def test_a_right_that_is_lacking_is_named(start: Any, lacking: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        list(start(lacking=(lacking,)).sink(create=True).upsert(upserts(ADA)))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"fields": {"a": "snello_segmnt_c"}}, "no field snello_segmnt_c"),
        ({"id_field": "customer_c"}, "no field customer_c"),
        ({"on_leave": {"wish": 1}}, "no field wish"),
        ({"on_leave": {"snello_score_c": "much"}}, "the value of snello_score_c in on_leave"),
        ({"fields": {"a": "deleted"}}, "deleted, bool, is not one to write"),
        ({"fields": {"a": "prospect_lists"}}, "prospect_lists, link, is not one to write"),
        ({"fields": {"a": "full_name"}}, "full_name, fullname, is not one to write"),
        ({"list_name": "nobody"}, "no target list called 'nobody'"),
        ({"list_id": "6f1d3ad5-3c1e-4f0a-9d0e-5b2f0f6b6c11"}, "no target list with the id in list_id"),
    ],
)
def test_settings_that_suitecrm_does_not_fit_are_told_before_a_row_is_sent(
    crm: Crm, config: dict[str, Any], told: str
) -> None:
    sink = crm.sink(create=True, **config)
    with pytest.raises(ConfigError, match=told):
        list(sink.remove(removals("c1")) if "much" in str(config) else sink.upsert(upserts(ADA)))
    assert crm.records() == []


def test_a_list_is_found_by_name_or_by_id_made_when_asked_and_never_guessed(start: Any) -> None:
    crm = start(lists=())
    for _ in range(2):
        assert words(crm.sink(create=True, create_list=True).upsert(upserts(ADA))) == {"c1": "delivered"}
    (made,) = crm.records("ProspectLists")
    assert (made["name"], made["list_type"]) == ("long_absent", "default")
    crm.add("ProspectLists", name="long_absent")
    with pytest.raises(ConfigError, match="2 target lists are called"):
        list(crm.sink(create=True).upsert(upserts(BOB)))
    assert words(crm.sink(create=True, list_id=made["id"]).upsert(upserts(BOB))) == {"c2": "delivered"}


def test_a_list_that_was_made_and_deleted_is_made_again_under_another_id(start: Any) -> None:
    crm = start(lists=())
    list(crm.sink(create=True, create_list=True).upsert(upserts(ADA)))
    (first,) = crm.records("ProspectLists")
    crm.delete(first["id"], "ProspectLists")
    assert words(crm.sink(create=True, create_list=True).upsert(upserts(ADA))) == {"c1": "delivered"}
    assert crm.listed() == {"c1"}


def test_a_list_that_is_deleted_half_way_ends_the_run_and_blames_no_row(crm: Crm) -> None:
    sink = crm.sink(create=True)
    list(sink.upsert(upserts(ADA)))
    crm.delete(crm.records("ProspectLists")[0]["id"], "ProspectLists")
    with pytest.raises(ConfigError, match="deleted while the run was under way"):
        list(sink.upsert(upserts(BOB)))
    assert words(sink.remove(removals("c1"))) == {"c1": "delivered"}


def test_an_address_without_an_interface_is_told(crm: Crm) -> None:
    for path in ("/crm", "/Api/V8"):
        with pytest.raises(ConfigError):
            list(crm.sink(url=crm.url + path).upsert(upserts(ADA)))


def test_an_own_field_that_is_gone_from_the_filter_is_told(start: Any) -> None:
    with pytest.raises(ConfigError, match="no field snello_customer_id_c"):
        list(start(custom={}).sink(fields={}).upsert(upserts(ADA)))


def test_a_database_that_fails_at_a_search_is_left_to_a_later_run(start: Any) -> None:
    with pytest.raises(RetryLater, match="database does not answer a search in Contacts"):
        list(start(version=ELDEST).sink().upsert(upserts(ADA)))


# ---- calls


def test_a_batch_is_looked_up_at_once_where_suitecrm_knows_in_and_one_by_one_elsewhere(start: Any) -> None:
    rows = [{**ADA, "customer_id": f"c{number}", "email": f"p{number}@example.it"} for number in range(20)]
    newer, elder = start(), start(version=ELDER)
    for crm in (newer, elder):
        sink = crm.sink(create=True)
        for _ in range(2):
            assert set(words(sink.upsert(upserts(*rows))).values()) == {"delivered"}
        assert len(crm.records()) == 20
    looks = "GET V8/module/Contacts"
    assert newer.calls()[looks] == 2
    assert elder.calls()[looks] == 1 + 20 + 20


def test_the_forecast_covers_the_calls_of_a_first_run(crm: Crm) -> None:
    rows = [{**ADA, "customer_id": f"c{number}"} for number in range(120)]
    sink = crm.sink(create=True, on_leave={"snello_segment_c": None})
    before = sum(crm.calls().values())
    for at in range(0, 120, 50):
        list(sink.upsert(upserts(*rows[at : at + 50])))
    list(sink.remove(removals("c1", "c2")))
    assert sum(crm.calls().values()) - before == sink.requests(120, 2)


def test_the_list_is_read_and_counted_page_by_page_each_page_once(crm: Crm) -> None:
    sink = crm.sink(create=True, list_name="long_absent")
    crm.add(last_name="Theirs")
    rows = [{**ADA, "customer_id": f"c{number:03}"} for number in range(205)]
    for at in range(0, 205, 50):
        list(sink.upsert(upserts(*rows[at : at + 50])))
    held = list(sink.listing() or ())
    assert [one.key for one in sorted(held, key=lambda one: one.key)] == [row["customer_id"] for row in rows]
    assert sink.size() is not None
    assert sink.size().size == 205  # type: ignore[union-attr]
    assert crm.calls()["GET V8/module/ProspectLists/relationships/contacts"] == 3 + 2


def test_more_contacts_than_a_page_that_bear_one_value_are_read_to_the_end(start: Any) -> None:
    crm = start(version=ELDER)
    for number in range(101):
        crm.add(last_name=f"Copy {number}", **{ID: "c1"})
    known = crm.sink().people.known(["c1"])
    assert len(known["c1"]) == 101


def test_a_sync_goes_there_and_back_through_tap_and_ledger(crm: Crm, tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path, "suitecrm__long_absent", list="long_absent", max_removal_share=1)
    rows = [{**ADA, "customer_id": f"c{number}", "email": f"p{number}@example.it"} for number in range(7)]
    config = crm.config(create=True, batch_size=3, on_leave={"snello_segment_c": None})
    stage.publish(rows)
    stage.run(TargetSuitecrm, config)
    assert crm.listed() == {row["customer_id"] for row in rows}
    before = sum(crm.calls().values())
    stage.run(TargetSuitecrm, config)
    assert sum(crm.calls().values()) == before
    stage.publish(rows[:5])
    stage.run(TargetSuitecrm, config)
    assert crm.listed() == {row["customer_id"] for row in rows[:5]}
    target = TargetSuitecrm(config={"ledger": stage.ledger_url, **config})
    assert not target.reconcile("suitecrm__long_absent", "long_absent")
    target.ledger.close()
