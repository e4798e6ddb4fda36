from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, Rights, meta
from snello.sandbox.emulators.meta_rules import MOST_ROWS, Limits
from snello.sandbox.emulators.meta_store import FIRST_ID, SESSION_SECONDS

USERS, REPLACE = f"/{FIRST_ID}/users", f"/{FIRST_ID}/usersreplace"
AUDIENCES = f"/act_{AD_ACCOUNT}/customaudiences"
STATUS = {"fields": "operation_status,delivery_status,approximate_count_lower_bound"}


@contextmanager
def connected(**given: Any) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    with (
        serve(meta(**given)) as url,
        httpx.Client(base_url=f"{url}/v26.0", headers=headers, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with connected() as it:
        yield it


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def payload(*rows: list[str], schema: tuple[str, ...] = ("EXTERN_ID", "EMAIL")) -> dict[str, Any]:
    return {"payload": {"schema": list(schema), "is_raw": True, "data": list(rows)}}


def person(number: int) -> list[str]:
    return [f"c{number}", hashed(f"{number}@example.it")]


def batch(number: int, *rows: list[str], last: bool = False, session: int = 7) -> dict[str, Any]:
    return payload(*rows) | {"session": {"session_id": session, "batch_seq": number, "last_batch_flag": last}}


def change(client: httpx.Client, body: dict[str, Any], method: str = "POST", path: str = USERS) -> httpx.Response:
    return client.request(method, path, json=body)


def inspect(client: httpx.Client, path: str = "") -> str:
    return f"{str(client.base_url).partition('/v26')[0]}/_inspect{path}"


def members(client: httpx.Client) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get(inspect(client, f"/audiences/{FIRST_ID}")).json()
    return found


def force(client: httpx.Client, **values: Any) -> None:
    client.post(inspect(client, f"/audiences/{FIRST_ID}"), json=values).raise_for_status()


def code(answer: httpx.Response) -> tuple[int, int]:
    assert answer.status_code >= 400
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode", 0)


def status(client: httpx.Client) -> int:
    found: int = client.get(f"/{FIRST_ID}", params=STATUS).json()["operation_status"]["code"]
    return found


# ---- who may call


def test_a_call_without_the_token_or_with_a_version_of_the_past_is_refused(client: httpx.Client) -> None:
    assert code(client.get(f"/{FIRST_ID}", headers={"Authorization": ""})) == (190, 0)
    assert code(client.get(f"{str(client.base_url).replace('26', '12')}/{FIRST_ID}")) == (2635, 0)
    assert client.get(f"/{FIRST_ID}", params={"access_token": ACCESS_TOKEN}, headers={"Authorization": ""}).is_success


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        (Rights(token=463), (190, 463)),
        (Rights(permission=False), (200, 0)),
        (Rights(terms=False), (200, 1870090)),
        (Rights(signed=True), (100, 0)),
    ],
)
def test_what_token_and_account_lack_is_told_by_code(rights: Rights, told: tuple[int, int]) -> None:
    with connected(rights=rights) as client:
        assert code(change(client, payload(person(1)))) == told


def test_what_is_deleted_or_hidden_is_told_alike(client: httpx.Client) -> None:
    assert client.delete(f"/{FIRST_ID}").is_success
    assert code(client.get(f"/{FIRST_ID}")) == code(client.get("/act_1")) == (100, 33)
    assert code(change(client, payload(person(1)))) == (100, 33)


# ---- audiences


def test_an_audience_is_made_of_a_source_and_names_may_repeat(client: httpx.Client) -> None:
    whole = {"name": "long_absent", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
    assert client.post(AUDIENCES, json=whole).json() == {"id": str(FIRST_ID + 1)}
    assert client.post(AUDIENCES, data=whole).json() == {"id": str(FIRST_ID + 2)}
    for lack in whole:
        assert code(client.post(AUDIENCES, json={k: v for k, v in whole.items() if k != lack})) == (100, 0)


def test_audiences_come_in_pages_until_there_is_no_next() -> None:
    with connected(audiences=[f"audience {number}" for number in range(5)]) as client:
        names, query = [], {"fields": "name", "limit": "2"}
        for _ in range(3):
            page = client.get(AUDIENCES, params=query).json()
            names += [one["name"] for one in page["data"]]
            query["after"] = page["paging"]["cursors"]["after"]
        assert names == [f"audience {number}" for number in range(5)]
        assert "next" not in page["paging"]


def test_only_the_fields_that_are_asked_for_are_shown(client: httpx.Client) -> None:
    assert client.get(f"/{FIRST_ID}").json() == {"id": str(FIRST_ID)}
    assert set(client.get(f"/{FIRST_ID}", params={"fields": "name,subtype"}).json()) == {"id", "name", "subtype"}


# ---- members


def test_members_are_a_set(client: httpx.Client) -> None:
    for _ in range(2):
        answer = change(client, payload(person(1), person(2))).json()
        assert (answer["num_received"], answer["num_invalid_entries"]) == (2, 0)
    assert [row["EXTERN_ID"] for row in members(client)] == ["c1", "c2"]


def test_parameters_count_wherever_they_stand(client: httpx.Client) -> None:
    text = {"payload": json.dumps(payload(person(1))["payload"])}
    assert client.post(USERS, data=text).json()["num_received"] == 1
    assert client.request("DELETE", USERS, params=text).json()["num_received"] == 1
    assert members(client) == []
    assert code(client.post(USERS, data={"payload": "{"})) == (100, 0)
    assert code(client.post(USERS, content=b"{", headers={"Content-Type": "application/json"})) == (100, 0)


def test_one_key_is_a_text_and_its_rows_may_be_bare(client: httpx.Client) -> None:
    body = {"payload": {"schema": "EMAIL_SHA256", "data": [hashed("a@example.it"), [hashed("b@example.it")]]}}
    assert change(client, body).json()["num_received"] == 2
    assert len(members(client)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        payload(),
        payload(["c1"]),
        payload(["c1", "x", "y"]),
        payload(["c1", "x"], schema=("EXTERN_ID", "SHOE_SIZE")),
        payload(*[person(1)] * (MOST_ROWS + 1)),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_as_a_whole(client: httpx.Client, body: dict[str, Any]) -> None:
    assert code(change(client, body)) == (100, 0)
    assert members(client) == []


@pytest.mark.parametrize("value", ["a@example.it", hashed("a").upper(), hashed("a")[:-1]])
def test_what_is_not_hashed_as_it_should_be_is_counted_and_not_added(client: httpx.Client, value: str) -> None:
    answer = change(client, payload(person(1), ["c2", value])).json()
    assert (answer["num_invalid_entries"], list(answer["invalid_entry_samples"])) == (1, ["1"])
    assert [row["EXTERN_ID"] for row in members(client)] == ["c1"]


def test_samples_of_invalid_entries_are_at_most_a_hundred(client: httpx.Client) -> None:
    answer = change(client, payload(*[["c1", "x"]] * 150)).json()
    assert (answer["num_invalid_entries"], len(answer["invalid_entry_samples"])) == (150, 100)


def test_whoever_shares_a_key_is_taken_out(client: httpx.Client) -> None:
    change(client, payload(person(1), person(2), person(3)))
    change(client, payload(["", hashed("1@example.it")]), "DELETE")
    change(client, payload(["c2"], schema=("EXTERN_ID",)), "DELETE")
    assert [row["EXTERN_ID"] for row in members(client)] == ["c3"]


def test_an_external_id_is_forgotten_in_time() -> None:
    with connected(forgets_external_ids=True) as client:
        change(client, payload(person(1)))
        change(client, payload(["c1"], schema=("EXTERN_ID",)), "DELETE")
        assert len(members(client)) == 1


def test_by_names_alone_those_with_the_same_names_are_taken_out(client: httpx.Client) -> None:
    names = ("FN", "LN", "ZIP", "COUNTRY")
    ada, bob = ([hashed(text) for text in (name, "rossi", "20121", "it")] for name in ("ada", "bob"))
    change(client, payload(ada, bob, schema=names))
    change(client, payload(ada, schema=names), "DELETE")
    assert [row["FN"] for row in members(client)] == [hashed("bob")]


def test_a_flagged_audience_takes_nothing(client: httpx.Client) -> None:
    force(client, status=471)
    for method, path, body in (
        ("POST", USERS, payload(person(1))),
        ("DELETE", USERS, payload(person(1))),
        ("POST", REPLACE, batch(1, person(1))),
    ):
        assert code(change(client, body, method, path)) == (100, 1713230)


def test_counts_are_round_and_a_small_audience_cannot_be_used(client: httpx.Client) -> None:
    change(client, payload(*map(person, range(99))))
    assert client.get(f"/{FIRST_ID}", params=STATUS).json()["delivery_status"]["code"] == 300
    change(client, payload(*map(person, range(250))))
    found = client.get(f"/{FIRST_ID}", params=STATUS).json()
    assert (found["delivery_status"]["code"], found["approximate_count_lower_bound"]) == (200, 200)


# ---- replacing


def test_a_session_replaces_everybody_batch_by_batch(client: httpx.Client) -> None:
    change(client, payload(person(1)))
    for number, last in ((1, False), (2, False), (2, False), (3, True)):
        assert change(client, batch(number, person(number + 10), last=last), path=REPLACE).is_success
    assert [row["EXTERN_ID"] for row in members(client)] == ["c11", "c12", "c13"]
    assert status(client) == 200


def test_a_session_keeps_to_one_schema(client: httpx.Client) -> None:
    change(client, batch(1, person(1)), path=REPLACE)
    other = batch(2) | payload(["c2"], schema=("EXTERN_ID",))
    assert code(change(client, other, path=REPLACE)) == (100, 0)


def test_during_a_session_there_is_no_other_change(client: httpx.Client) -> None:
    change(client, batch(1, person(1)), path=REPLACE)
    assert status(client) == 414
    assert code(change(client, payload(person(2)))) == (2650, 1870145)
    assert code(change(client, payload(person(1)), "DELETE")) == (2650, 1870145)
    assert code(change(client, batch(1, person(2), session=8), path=REPLACE)) == (2650, 1870145)


def test_a_batch_before_the_first_or_after_the_last_is_refused(client: httpx.Client) -> None:
    assert code(change(client, batch(2, person(1)), path=REPLACE)) == (2650, 1870147)
    change(client, batch(1, person(1), last=True), path=REPLACE)
    assert code(change(client, batch(2, person(2)), path=REPLACE)) == (2650, 1870159)


def test_a_session_that_is_not_ended_is_the_audience_after_ninety_minutes(client: httpx.Client) -> None:
    change(client, batch(1, person(1)), path=REPLACE)
    force(client, began=time.time() - SESSION_SECONDS - 1)
    assert status(client) == 415
    assert code(change(client, batch(2, person(2)), path=REPLACE)) == (2650, 1870158)
    assert [row["EXTERN_ID"] for row in members(client)] == ["c1"]


def test_a_session_needs_its_number(client: httpx.Client) -> None:
    assert code(change(client, payload(person(1)), path=REPLACE)) == (100, 0)


def test_a_replacement_may_never_end() -> None:
    with connected(processing_seconds=float("inf")) as client:
        change(client, batch(1, person(1), last=True), path=REPLACE)
        assert status(client) == 414


# ---- limits


def test_the_score_of_an_account_runs_out_and_the_headers_say_for_how_long() -> None:
    with connected(limits=Limits(score=5)) as client:
        assert json.loads(client.get(f"/{FIRST_ID}").headers["X-Ad-Account-Usage"])["acc_id_util_pct"] == 20
        change(client, payload(person(1)))
        refused = change(client, payload(person(2)))
        assert (refused.status_code, *code(refused)) == (400, 17, 2446079)
        assert 55 < json.loads(refused.headers["X-Ad-Account-Usage"])["reset_time_duration"] <= 61
        assert len(members(client)) == 1


def test_the_calls_of_an_hour_run_out_and_the_headers_say_for_how_many_minutes() -> None:
    with connected(limits=Limits(an_hour=1)) as client:
        client.get(f"/{FIRST_ID}")
        refused = client.get(f"/{FIRST_ID}")
        assert code(refused) == (80003, 2446149)
        (case,) = json.loads(refused.headers["X-Business-Use-Case-Usage"])["1"]
        assert case["estimated_time_to_regain_access"] == 60


def test_an_account_outlives_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with connected(database=tmp_path / "meta.db") as client:
            change(client, payload(person(1)))
            assert len(members(client)) == 1
            assert client.get(inspect(client)).json()["audiences"] == {"long_absent": 1}


def test_weather_breaks_it() -> None:
    with connected(weather=Weather(broken=1)) as client:
        assert client.get(f"/{FIRST_ID}").status_code == 503
