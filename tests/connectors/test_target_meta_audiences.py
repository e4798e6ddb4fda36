from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.customaudience import CustomAudience as SdkAudience
from facebook_business.api import FacebookAdsApi
from facebook_business.apiconfig import ads_api_config
from facebook_business.session import FacebookSession

from snello.activation import Change
from snello.activation.tables import measurements
from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel import BatchRefused, Size, Transient
from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.conformance.proxy import Proxy, faulty
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, APP_SECRET, Rights, meta
from snello.sandbox.emulators.meta_rules import Limits
from snello.sandbox.emulators.meta_store import FIRST_ID, MetaStore
from target_meta_audiences import CustomAudience, Settings, TargetMetaAudiences
from target_meta_audiences.account import Account, Answer
from target_meta_audiences.faults import judge, used_up, wait_of
from target_meta_audiences.members import Member, Members
from target_meta_audiences.people import match_keys, naming, row_of

NAME = "long_absent"
NOTHING = sha256(b"").hexdigest()


class Meta:
    """An ad account to look into."""

    def __init__(self, url: str) -> None:
        self.url = url

    def members(self, number: int = FIRST_ID) -> list[dict[str, str]]:
        found: list[dict[str, str]] = httpx.get(f"{self.url}/_inspect/audiences/{number}").json()
        return found

    def keys(self) -> set[str]:
        return {row["EXTERN_ID"] for row in self.members()}

    def force(self, **values: Any) -> None:
        httpx.post(f"{self.url}/_inspect/audiences/{FIRST_ID}", json=values).raise_for_status()

    def delete(self) -> None:
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        httpx.delete(f"{self.url}/v26.0/{FIRST_ID}", headers=headers).raise_for_status()

    def calls(self) -> dict[str, int]:
        return dict(httpx.get(f"{self.url}/_inspect").json()["calls"])


Start = Callable[..., Meta]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def started(**given: Any) -> Meta:
            return Meta(stack.enter_context(serve(meta(**given))))

        yield started


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    terms = {"purpose": "ads_audiences", "channel": "ads", "list": NAME, "max_removal_share": 1}
    return Rehearsal(tmp_path, "meta__long_absent", **terms)


def config(account: Meta | Proxy, **more: Any) -> dict[str, Any]:
    quick = {"requests_per_second": 10_000, "retry_attempts": 2, "max_wait": 0.1}
    return {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "api_url": account.url, **quick, **more}


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"customer_id": f"c{number:05}", "email": f"Person{number}@Example.it", "city": "Milano", **more}


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def receipts(stage: Rehearsal) -> dict[str, tuple[str, str]]:
    ledger = stage.ledger()
    try:
        return {row["key"]: (row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))}
    finally:
        ledger.close()


def run(stage: Rehearsal, account: Meta | Proxy, rows: Sequence[dict[str, Any]], **more: Any) -> None:
    stage.publish(rows)
    stage.run(TargetMetaAudiences, config(account, **more))


# ---- what becomes of people


def test_members_are_hashed_and_stand_beside_their_customer_id(stage: Rehearsal, start: Start) -> None:
    account = start()
    run(stage, account, [person(1, phone="+39 333 1234567")])
    assert account.members() == [
        {
            "EXTERN_ID": "c00001",
            "EMAIL": hashed("person1@example.it"),
            "PHONE": hashed("393331234567"),
            "CT": hashed("milano"),
        }
    ]


def test_who_leaves_is_taken_out_by_what_was_sent_though_meta_forgot_the_external_id(
    stage: Rehearsal, start: Start
) -> None:
    account = start(forgets_external_ids=True)
    run(stage, account, [person(1), person(2)])
    run(stage, account, [person(1)])
    assert account.keys() == {"c00001"}


def test_a_changed_address_leaves_nothing_of_the_old_one(stage: Rehearsal, start: Start) -> None:
    account = start(forgets_external_ids=True)
    run(stage, account, [person(1), person(2)])
    run(stage, account, [person(1, email="new@example.it"), person(2)])
    assert sorted(row["EMAIL"] for row in account.members()) == sorted(
        [hashed("new@example.it"), hashed("person2@example.it")]
    )


def test_two_members_who_swap_their_addresses_both_stay(stage: Rehearsal, start: Start) -> None:
    account = start(forgets_external_ids=True)
    one, two = person(1), person(2)
    run(stage, account, [one, two])
    run(stage, account, [{**one, "email": two["email"]}, {**two, "email": one["email"]}])
    assert account.keys() == {"c00001", "c00002"}
    assert len(account.members()) == 2


def test_an_erasure_goes_by_the_hashes_and_by_the_external_id_alone(start: Start) -> None:
    account = start()
    with faulty(account.url, lambda seen, number: None) as proxy:
        sink = CustomAudience(Settings(**config(proxy)), "sync", NAME)
        row = {"EXTERN_ID": "c1", "EMAIL": hashed("a@example.it")}
        verdicts = list(sink.erase([Change("remove", "c1", reason="erased", handles=(json.dumps(row),))]))
        sink.close()
    assert [(verdict.key, verdict.status) for verdict in verdicts] == [("c1", "delivered")]
    (sent,) = [json.loads(seen.body)["payload"]["data"] for seen in proxy.requests if seen.method == "DELETE"]
    assert sent == [["c1", ""], ["c1", hashed("a@example.it")]]


@pytest.mark.parametrize(
    "given",
    [
        {"email": " "},
        {"email": None, "first_name": "Ada", "last_name": "Rossi", "country": "IT", "city": None},
        {"email": "", "phone": "--"},
    ],
)
def test_a_row_by_which_meta_could_recognise_nobody_is_not_sent(
    stage: Rehearsal, start: Start, given: dict[str, Any]
) -> None:
    account = start()
    empty = dict.fromkeys(("phone", "first_name", "last_name", "country"))
    run(stage, account, [{**empty, **person(1, **given)}, {**empty, **person(2)}])
    assert account.keys() == {"c00002"}
    assert receipts(stage)["c00001"] == ("refused", "no_match_key")


def test_names_with_a_place_and_a_country_recognise_somebody() -> None:
    row = row_of("c1", {"first_name": "Ada", "last_name": "Rossi", "postcode": "20121", "country": "IT"})
    assert row is not None
    assert set(row) == {"EXTERN_ID", "FN", "LN", "ZIP", "COUNTRY"}


def test_the_hash_of_nothing_is_never_sent_and_what_came_to_nothing_is_counted(
    stage: Rehearsal, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    account = start()
    blanks = {"phone": "-", "first_name": "  ", "last_name": "''", "postcode": "", "country": "??", "birth_date": "x"}
    with caplog.at_level(logging.INFO):
        run(stage, account, [person(1, **blanks), person(2, **{**blanks, "birth_date": None, "country": None})])
    assert [set(row) for row in account.members()] == [{"EXTERN_ID", "EMAIL", "CT"}] * 2
    assert all(NOTHING not in row.values() for row in account.members())
    (said,) = [line for line in caplog.messages if "once normalised" in line]
    assert said.endswith("once normalised: PHONE 2, LN 2, DOBY 1, DOBM 1, DOBD 1, COUNTRY 1")


def test_columns_are_named_as_they_are_told_and_others_are_not_sent(stage: Rehearsal, start: Start) -> None:
    account = start()
    row = {"customer_id": "c1", "mail": "a@example.it", "city": "Milano", "spent": 12.5}
    run(stage, account, [row], columns={"mail": "email", "city": ""})
    assert account.members() == [{"EXTERN_ID": "c1", "EMAIL": hashed("a@example.it")}]


def test_a_name_that_meta_does_not_know_is_told_with_the_names_that_it_does() -> None:
    with pytest.raises(ConfigError, match="email"):
        naming(["mail"], {"mail": "e-mail"}, "target")


def test_an_audience_without_a_column_to_recognise_people_by_ends_before_a_call(stage: Rehearsal, start: Start) -> None:
    account = start()
    with pytest.raises(ConfigError, match="no column by which Meta recognises people"):
        run(stage, account, [{"customer_id": "c1", "city": "Milano"}])
    assert account.calls() == {}


def test_the_plan_learns_which_columns_recognise_people() -> None:
    sink = CustomAudience(Settings(**config(Meta("http://x"), columns={"mobile": "phone"})), "sync", NAME)
    columns = ["customer_id", "email", "mobile", "first_name", "last_name", "city", "country"]
    assert sink.match_keys(columns) == [("email",), ("mobile",), ("first_name", "last_name", "city", "country")]
    assert match_keys(["external_id"]) == []
    assert sink.floor == 100


# ---- calls


def test_a_hundred_thousand_members_are_ten_calls_and_the_forecast_says_how_many_in_all(
    stage: Rehearsal, start: Start
) -> None:
    account = start(limits=Limits(score=1e9))
    run(stage, account, [person(number) for number in range(100_000)])
    calls = account.calls()
    assert calls.pop(f"POST /v26.0/{FIRST_ID}/users") == 10
    sink = CustomAudience(Settings(**config(account)), "sync", NAME)
    assert 10 + sum(calls.values()) == sink.requests(100_000, 0)
    assert sink.requests(0, 0) == 0
    assert len(account.members()) == 100_000


def test_each_call_is_signed_where_the_app_has_a_secret(stage: Rehearsal, start: Start) -> None:
    account = start(rights=Rights(signed=True))
    run(stage, account, [person(1)], app_secret=APP_SECRET)
    assert account.keys() == {"c00001"}


def test_the_size_is_what_meta_says_and_a_small_audience_is_told(
    stage: Rehearsal, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    account = start()
    with caplog.at_level(logging.WARNING):
        run(stage, account, [person(number) for number in range(250)])
        assert "too small" not in caplog.text
        run(stage, account, [person(number) for number in range(50)])
    assert "too small to be used" in caplog.text
    ledger = stage.ledger()
    try:
        with ledger.engine.connect() as connection:
            sizes = [row["size"] for row in connection.execute(measurements.select()).mappings()]
    finally:
        ledger.close()
    assert sorted(sizes) == [0, 250]  # the middle of 200 to 300; a range from nought may be nobody


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ((200, 300), Size(250, least=200)),
        ((1000, 1201), Size(1100, least=1000)),
        ((200, -1), Size(200, least=200)),
        ((200, None), Size(200, least=200)),
        ((0, 100), Size(0, least=0)),
        ((-1, -1), None),
        ((None, None), None),
    ],
)
def test_the_size_is_the_middle_of_the_range_that_meta_names(
    start: Start, monkeypatch: pytest.MonkeyPatch, bounds: tuple[int | None, int | None], said: Size | None
) -> None:
    account, document = start(), MetaStore.document
    told = {f"approximate_count_{end}_bound": bound for end, bound in zip(("lower", "upper"), bounds, strict=True)}
    monkeypatch.setattr(MetaStore, "document", lambda store, audience: document(store, audience) | told)
    sink = CustomAudience(Settings(**config(account)), "sync", NAME)
    try:
        assert sink.size() == said
    finally:
        sink.close()


class Refusing:
    """Stands for Meta where it cannot read some rows, however they were hashed."""

    def __init__(self, guilty: set[str]) -> None:
        self.guilty, self.calls = guilty, 0

    def users(self, method: str, number: str, rows: Sequence[dict[str, str]], fields: Sequence[str]) -> Answer:
        self.calls += 1
        return Answer(len(rows), sum(row["EXTERN_ID"] in self.guilty for row in rows))


def settled(guilty: set[str], many: int, method: str = "POST") -> tuple[dict[str, tuple[str, str]], int]:
    account = Refusing(guilty)
    people = [Member(f"c{number}", {"EXTERN_ID": f"c{number}"}) for number in range(many)]
    verdicts = Members(account, "1", 10_000).settle(method, people)  # type: ignore[arg-type]
    return {verdict.key: (verdict.status, verdict.code) for verdict in verdicts}, account.calls


def test_rows_that_meta_cannot_read_are_found_by_halves_and_the_others_are_delivered() -> None:
    verdicts, calls = settled({"c3", "c9000"}, 10_000)
    assert verdicts.pop("c3") == verdicts.pop("c9000") == ("refused", "invalid_entry")
    assert set(verdicts.values()) == {("delivered", "")}
    assert len(verdicts) == 9_998
    assert calls <= 65


def test_the_search_for_unreadable_rows_has_an_end() -> None:
    verdicts, calls = settled({f"c{number}" for number in range(0, 1000, 2)}, 1_000)
    assert calls <= 65
    assert len(verdicts) == 1_000
    assert ("retrying", "invalid_entries") in verdicts.values()


def test_who_cannot_be_read_when_taken_out_is_not_called_gone() -> None:
    assert settled({"c1"}, 3, "DELETE")[0]["c1"] == ("retrying", "invalid_entry")


# ---- the audience and the account


def test_an_audience_is_made_when_asked_and_found_by_its_name_from_then_on(stage: Rehearsal, start: Start) -> None:
    account = start(audiences=())
    with pytest.raises(ConfigError, match="no audience called 'long_absent'"):
        run(stage, account, [person(1)])
    run(stage, account, [person(1)], create_audience=True)
    run(stage, account, [person(1), person(2)], create_audience=True)
    assert account.keys() == {"c00001", "c00002"}
    assert account.calls()[f"POST /v26.0/act_{AD_ACCOUNT}/customaudiences"] == 1


def test_an_audience_is_found_on_a_later_page(stage: Rehearsal, start: Start) -> None:
    account = start(audiences=[*(f"other {number}" for number in range(120)), NAME])
    run(stage, account, [person(1)])
    assert [row["EXTERN_ID"] for row in account.members(FIRST_ID + 120)] == ["c00001"]


def test_two_audiences_of_one_name_are_told_apart_by_id(stage: Rehearsal, start: Start) -> None:
    account = start(audiences=())
    with httpx.Client(headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}) as client:
        body = {"name": NAME, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        for _ in range(2):
            client.post(f"{account.url}/v26.0/act_{AD_ACCOUNT}/customaudiences", json=body).raise_for_status()
    with pytest.raises(ConfigError, match="2 audiences are called"):
        run(stage, account, [person(1)])
    run(stage, account, [person(1)], audience_id=str(FIRST_ID))
    assert account.keys() == {"c00001"}


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        ({"token": 463}, "the access token has expired"),
        ({"token": 467}, "the access token was revoked"),
        ({"permission": False}, "a permission is missing"),
        ({"terms": False}, "nobody accepted the terms"),
        ({"account_status": 2}, "the ad account is disabled"),
    ],
)
def test_what_a_person_has_to_mend_is_told_and_nobody_is_added(
    stage: Rehearsal, start: Start, rights: dict[str, Any], told: str
) -> None:
    account = start(rights=Rights(**rights))
    with pytest.raises(ConfigError, match=told) as fault:
        run(stage, account, [person(1)])
    assert account.members() == []
    assert receipts(stage) == {"c00001": ("retrying", "configuration")}
    assert ACCESS_TOKEN not in str(fault.value)
    assert AD_ACCOUNT not in str(fault.value)


def test_a_frozen_audience_ends_the_run_before_a_row_is_sent(stage: Rehearsal, start: Start) -> None:
    account = start()
    account.force(status=471)
    with pytest.raises(ConfigError, match=r"frozen the audience.*appeal in Audience Manager"):
        run(stage, account, [person(1)])
    assert f"POST /v26.0/{FIRST_ID}/users" not in account.calls()


def test_an_audience_that_is_frozen_during_the_run_ends_it(start: Start) -> None:
    account = start()
    sink = CustomAudience(Settings(**config(account)), "sync", NAME)
    assert sink.audience_id == str(FIRST_ID)
    account.force(status=471)
    with pytest.raises(ConfigError, match="frozen the audience"):
        list(sink.upsert([Change("upsert", "c1", payload={"email": "a@example.it"})]))
    sink.close()


def test_an_audience_that_was_deleted_is_told(stage: Rehearsal, start: Start) -> None:
    account = start()
    account.delete()
    with pytest.raises(ConfigError, match="no such audience"):
        run(stage, account, [person(1)], audience_id=str(FIRST_ID))


def test_an_audience_of_another_kind_is_refused(stage: Rehearsal, start: Start) -> None:
    account = start()
    account.force(subtype="LOOKALIKE")
    with pytest.raises(ConfigError, match="not given by lists"):
        run(stage, account, [person(1)], audience_id=str(FIRST_ID))


# ---- limits


def test_a_limit_of_an_hour_ends_the_run_with_the_time_and_loses_nobody(stage: Rehearsal, start: Start) -> None:
    account = start(limits=Limits(an_hour=3))
    with pytest.raises(RetryLater, match="wait 3600 s"):
        run(stage, account, [person(1)])
    assert receipts(stage) == {"c00001": ("retrying", "unreachable")}


def test_a_limit_of_seconds_is_waited_for(stage: Rehearsal, start: Start) -> None:
    account = start(limits=Limits(score=4, fades=0.5, blocked=0.6))
    run(stage, account, [person(1)], max_wait=10, retry_attempts=5)
    assert account.keys() == {"c00001"}


def answer(status: int = 200, body: Any = None, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, json.dumps(body).encode()
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


def error(code: int, sub: int = 0, **more: Any) -> Exception | None:
    return judge(answer(400, {"error": {"message": "canary", "code": code, "error_subcode": sub, **more}}))


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80003])
def test_limits_told_with_400_are_no_refusals(code: int) -> None:
    fault = error(code)
    assert isinstance(fault, Transient)
    assert fault.wait == 60


def test_the_longest_of_the_waits_that_headers_name_counts() -> None:
    usage = json.dumps({"1": [{"type": "custom_audience", "estimated_time_to_regain_access": 7}, {"type": "pages"}]})
    account = json.dumps({"acc_id_util_pct": 100, "reset_time_duration": 90})
    headers = {"X-Business-Use-Case-Usage": usage, "X-Ad-Account-Usage": account}
    assert wait_of(headers) == 420
    assert wait_of({"X-Ad-Account-Usage": account}) == 90
    assert wait_of({"X-Business-Use-Case-Usage": "no JSON"}) is None
    assert used_up({"X-Ad-Account-Usage": account})
    assert used_up({"X-App-Usage": '{"call_count": 100}'})
    assert not used_up({"X-App-Usage": '{"call_count": 99}', "X-Ad-Account-Usage": '{"acc_id_util_pct": 9.67}'})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(190, 460), ConfigError),
        (error(294), ConfigError),
        (error(10), ConfigError),
        (error(2635), ConfigError),
        (error(2650, 1870145), Transient),
        (error(2650, 1870144), ConfigError),
        (error(1), Transient),
        (error(803), Transient),
        (error(987654, is_transient=True), Transient),
        (error(100), BatchRefused),
        (error(987654), ContractError),
        (judge(answer(200, {"error": {"code": 190}})), ConfigError),
        (judge(answer(200, {"num_received": 1})), type(None)),
        (judge(answer(500, "<html>")), type(None)),
    ],
)
def test_codes_tell_whose_fault_it_is_and_messages_hold_nothing_of_the_answer(
    fault: Exception | None, kind: type[Any]
) -> None:
    assert type(fault) is kind
    assert "canary" not in str(fault)


# ---- replacing the whole


@pytest.fixture
def whole(tmp_path: Path) -> Rehearsal:
    terms = {"purpose": "ads_audiences", "channel": "ads", "list": NAME, "mode": "replace", "max_removal_share": 1}
    return Rehearsal(tmp_path, "meta__long_absent", **terms)


def test_a_replacement_is_one_session_and_puts_out_whoever_was_there(whole: Rehearsal, start: Start) -> None:
    account = start()
    run(whole, account, [person(number) for number in range(5)], batch_size=2)
    run(whole, account, [person(number) for number in range(3, 8)], batch_size=2)
    assert account.keys() == {f"c{number:05}" for number in range(3, 8)}
    assert account.calls()[f"POST /v26.0/{FIRST_ID}/usersreplace"] == 6
    assert f"POST /v26.0/{FIRST_ID}/users" not in account.calls()


def test_a_replacement_waits_for_another_and_gives_up_in_time(whole: Rehearsal, start: Start) -> None:
    account = start(processing_seconds=float("inf"))
    run(whole, account, [person(1)])
    with pytest.raises(RetryLater, match="another replacement of the audience is not through"):
        run(whole, account, [person(2)], status_timeout=0)
    assert account.keys() == {"c00001"}


def test_a_replacement_that_another_got_ahead_of_is_left_to_the_next_run(whole: Rehearsal, start: Start) -> None:
    account = start(processing_seconds=float("inf"))
    sink = CustomAudience(Settings(**config(account)), "sync", NAME)
    sink.begin(1)
    assert sink.audience_id
    list(sink.upsert([Change("upsert", "c1", payload={"email": "a@example.it"})]))
    account.force(status=414, busy_until=4e9)
    with pytest.raises(RetryLater, match="subcode 1870145"):
        sink.commit()
    sink.close()


def test_a_replacement_that_is_given_up_has_sent_nothing(start: Start) -> None:
    account = start()
    sink = CustomAudience(Settings(**config(account)), "sync", NAME)
    sink.begin(1)
    list(sink.upsert([Change("upsert", "c1", payload={"email": "a@example.it"})]))
    sink.abandon()
    assert account.calls() == {}


# ---- beside Meta's own SDK


class Local(FacebookSession):
    """The SDK's session, which asks a server on this machine."""

    def __init__(self, url: str) -> None:
        super().__init__(app_id="1", app_secret=APP_SECRET, access_token=ACCESS_TOKEN, timeout=30)
        self.GRAPH = url


FIELDS = ["EXTERN_ID", "EMAIL", "PHONE", "FN", "LN", "GEN", "DOBY", "DOBM", "DOBD", "CT", "ST", "ZIP", "COUNTRY"]
PEOPLE = [
    ["c1", " Ada@Example.it", "+39 333 123 4567", "Ada", "Rossi", "F", "1980", "1", "7", "Milano", "MI", "20121", "IT"],
    [
        "c2",
        "bob@example.it",
        "39-02-1234567",
        "Bob",
        "D'Amico",
        "m",
        "1975",
        "11",
        "30",
        "La Spezia",
        "SP",
        "19121",
        "IT",
    ],
]


def as_rows() -> list[dict[str, Any]]:
    names = ["customer_id", "email", "phone", "first_name", "last_name", "sex"]
    names += ["city", "province", "postcode", "country"]
    rows: list[dict[str, Any]] = [dict(zip(names, [*one[:6], *one[9:]], strict=True)) for one in PEOPLE]
    return [{**row, "birth_date": f"{one[6]}-{one[7]:0>2}-{one[8]:0>2}"} for row, one in zip(rows, PEOPLE, strict=True)]


def seen_by(proxy: Proxy) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and parameters of each call that writes, in whichever way they were sent."""
    found = []
    for seen in proxy.requests:
        if seen.method == "GET":
            continue
        given = dict(httpx.QueryParams(seen.query))
        if seen.headers.get("Content-Type", "").startswith("application/json"):
            given |= json.loads(seen.body)
        else:
            given |= dict(httpx.QueryParams(seen.body.decode()))
        payload = given.get("payload")
        given["payload"] = json.loads(payload) if isinstance(payload, str) else payload
        rest = {name: value for name, value in given.items() if name != "access_token" and value is not None}
        found.append((seen.method, seen.path, rest))
    return found


def test_our_requests_say_what_those_of_metas_own_sdk_say_and_come_to_the_same(stage: Rehearsal, start: Start) -> None:
    theirs, ours = start(audiences=(), rights=Rights(signed=True)), start(audiences=(), rights=Rights(signed=True))
    calm = lambda seen, number: None  # noqa: E731
    with faulty(theirs.url, calm) as recorder, faulty(ours.url, calm) as ours_seen:
        api = FacebookAdsApi(Local(recorder.url))
        fields = {"name": NAME, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        made = AdAccount(f"act_{AD_ACCOUNT}", api=api).create_custom_audience(params=fields)
        audience = SdkAudience(made["id"], api=api)
        audience.add_users(FIELDS, PEOPLE, is_raw=True)
        held = theirs.members()
        audience.remove_users(FIELDS, PEOPLE[1:], is_raw=True)

        more = {"create_audience": True, "app_secret": APP_SECRET}
        run(stage, ours_seen, as_rows(), **more)
        assert ours.members() == held
        run(stage, ours_seen, as_rows()[:1], **more)
    assert seen_by(ours_seen) == seen_by(recorder)
    assert ours.members() == theirs.members() != []


def test_the_version_is_that_of_metas_own_sdk() -> None:
    assert Settings(**config(Meta("http://x"))).api_version == ads_api_config["API_VERSION"]


def test_the_proof_of_the_secret_is_that_of_metas_own_sdk() -> None:
    sdk = FacebookSession(app_id="1", app_secret=APP_SECRET, access_token=ACCESS_TOKEN)
    sink = CustomAudience(Settings(**config(Meta("http://x"), app_secret=APP_SECRET)), "sync", NAME)
    assert isinstance(sink.account, Account)
    assert sink.account._query == {"appsecret_proof": sdk.appsecret_proof}
    sink.close()


def test_no_call_names_an_address(stage: Rehearsal, start: Start) -> None:
    account = start()
    with faulty(account.url, lambda seen, number: None) as proxy:
        run(stage, proxy, [person(1, first_name="Ada", last_name="Rossi")])
    told = b"".join(seen.body + seen.path.encode() + seen.query.encode() for seen in proxy.requests).lower()
    assert not any(text in told for text in (b"person1", b"example.it", b"rossi", b"milano"))


def test_a_row_that_tells_nobody_any_more_is_taken_out_and_refused(stage: Rehearsal, start: Start) -> None:
    account = start(forgets_external_ids=True)
    run(stage, account, [person(1), person(2)])
    run(stage, account, [person(1, email="no address"), person(2)])
    assert account.keys() == {"c00002"}
    assert receipts(stage)["c00001"] == ("refused", "no_match_key")
