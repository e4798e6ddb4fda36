"""The consent models on random evidence, against rules written a second time and in another language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.dbt.functions import register

if TYPE_CHECKING:
    from conftest import Hub

STAGED = re.compile(r'"staging"\."(\w+)"')
NOW = date(2026, 11, 1)  # as in the compiled models of the fixture
STEPS = (
    ("consents", "models/consents/consent_contacts.sql"),
    ("consents", "models/consents/consent_verdicts.sql"),
    ("consents", "models/consents/consent_answers.sql"),
    ("marts", "models/marts/consents/consent_current.sql"),
)
PURPOSES, CHANNELS = ("email_marketing", "service", "profiling"), ("email", "phone", "any")
BASES = {("email_marketing", "consent"), ("profiling", "consent"), ("service", "consent"), ("service", "contract")}
# source, version, purposes, first day, last day, minimum age, days that it holds, to be confirmed, days to confirm
POLICIES = (
    ("crm", "*", "service,email_marketing,profiling", None, None, 14, None, False, None),
    ("crm", "v1", "service, email_marketing", date(2021, 1, 1), date(2024, 12, 31), 16, None, False, None),
    ("news", "*", "email_marketing", None, None, None, 700, True, 7),
)
SEEDS = {
    "seeds.notice_policies": (
        "source varchar, notice_version varchar, purposes varchar, valid_from date, valid_to date, minimum_age int,"
        " valid_days int, double_opt_in boolean, confirm_days int",
        POLICIES,
    ),
    "seeds.purpose_bases": ("purpose varchar, legal_basis varchar", sorted(BASES)),
    "seeds.purpose_channels": ("purpose varchar, channel varchar", [(p, c) for p in PURPOSES for c in CHANNELS]),
    "seeds.blocklist": ("kind varchar, value varchar, reason varchar", [("phone", "%-blocked", "ours")]),
}
TABLES = {
    "identity.person_records": "record varchar, first_key varchar, last_key varchar",
    "identity.record_identifiers": "record varchar, kind varchar, value varchar",
    "identity.customer_ids": "record varchar, customer_id varchar",
    "consents.customer_ages": "customer_id varchar, born_on date",
    "consents.consent_kept": (
        "kind varchar, value_hash varchar, purpose varchar, channel varchar, since timestamptz, source varchar,"
        " stream varchar, record_key varchar"
    ),
    "consents.consent_said": (
        "record varchar, source varchar, stream varchar, record_key varchar, purpose varchar, channel varchar,"
        " answer varchar, legal_basis varchar, notice_version varchar, double_opt_in varchar, requested_at timestamptz,"
        " given_by varchar, expires_on date, collected_by varchar, observed_at timestamptz, observed_on date"
    ),
}


@dataclass(frozen=True)
class Said:
    """One row of evidence."""

    key: str
    record: int
    purpose: str
    channel: str
    answer: str
    basis: str | None
    version: str
    opt_in: str | None
    asked_on: date | None
    given_by: str | None
    expires_on: date | None
    day: date | None


@dataclass(frozen=True)
class Record:
    """A record of a source: with a whole name, or known by its identifiers alone."""

    source: str
    named: bool
    identifiers: frozenset[tuple[str, str]]
    customer: str | None


@dataclass(frozen=True)
class World:
    """Records, what was said in them, and who is how old."""

    records: tuple[Record, ...]
    said: tuple[Said, ...]
    born: tuple[tuple[str, date], ...]

    def merged(self) -> World:
        """The same evidence, after b turned out to be a."""
        turned = tuple(replace(r, customer="a" if r.customer == "b" else r.customer) for r in self.records)
        born: dict[str, date] = {}
        for customer, day in self.born:
            name = "a" if customer == "b" else customer
            born[name] = max(day, born.get(name, day))
        return replace(self, records=turned, born=tuple(born.items()))


DAYS = st.sampled_from([None, date(2020, 5, 1), date(2024, 12, 30), date(2026, 10, 30), NOW, NOW + timedelta(1)])
IDENTIFIERS = [("email", "x"), ("email", "y"), ("phone", "z"), ("phone", "q-blocked"), ("card", "1")]
RECORDS = st.builds(
    Record,
    st.sampled_from(["crm", "crm", "news", "gym"]),
    st.booleans(),
    st.frozensets(st.sampled_from(IDENTIFIERS), max_size=2),
    st.sampled_from(["a", "a", "b", "c", None]),
)
ANSWERS = ["granted", "granted", "granted", "granted", "denied", "withdrawn", "pending", "expired"]


def _mostly(usual: Any, others: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 3 * len(others) + others)


def said(key: str, records: int) -> st.SearchStrategy[Said]:
    return st.builds(
        Said,
        st.just(key),
        st.integers(0, records - 1),
        st.sampled_from(["email_marketing", "email_marketing", *PURPOSES]),
        st.sampled_from(["email", "any", "any", "phone"]),
        st.sampled_from(ANSWERS),
        _mostly("consent", ["contract", "luck", None]),
        _mostly("*", ["v1", "v9"]),
        st.sampled_from(["confirmed", "confirmed", "confirmed", None, "requested", "expired", "?"]),
        _mostly(None, [date(2020, 4, 28), date(2024, 12, 1)]),
        _mostly(None, ["parent", "aunt"]),
        _mostly(None, [date(2025, 1, 1), date(2030, 1, 1)]),
        DAYS,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    records = draw(st.lists(RECORDS, min_size=1, max_size=4))
    rows = [draw(said(str(n), len(records))) for n in range(draw(st.integers(2, 7)))]
    days = st.sampled_from([None, None, None, date(1980, 1, 1), date(2008, 1, 1), date(2012, 1, 1)])
    born = [(customer, day) for customer in "abc" if (day := draw(days))]
    return World(tuple(records), tuple(rows), tuple(born))


class Harness:
    """The compiled models over tables in memory; several worlds side by side in one run."""

    def __init__(self, hub: Hub) -> None:
        compiled = hub.home / "target" / "compiled" / "snello"
        self.steps = [(schema, path.rsplit("/")[-1][:-4], (compiled / path).read_text()) for schema, path in STEPS]
        self.connection = duckdb.connect()
        register(self.connection)
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set threads = 1")
        self.connection.execute("attach ':memory:' as warehouse; use warehouse")
        for schema in ("seeds", "identity", "consents", "marts", "staging"):
            self.connection.execute(f"create schema {schema}")
        for name in sorted({name for *_, text in self.steps for name in STAGED.findall(text)}):  # nobody is suppressed
            columns = ", ".join(f"{column} {kind}" for column, kind, *_ in hub.query(f"describe staging.{name}"))
            self.connection.execute(f"create table staging.{name} ({columns})")
        for name, (columns, rows) in SEEDS.items():
            self.connection.execute(f"create table {name} ({columns})")
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"insert into {name} values ({marks})", rows)
        for name, columns in TABLES.items():
            self.connection.execute(f"create table {name} ({columns})")

    def decide(self, *given: World) -> list[dict[tuple[str, str, str], tuple[str, str, str]]]:
        """For each world: state, reason and deciding row by customer, purpose and channel."""
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
        for number, world in enumerate(given):
            for name, more in _rows(f"{number}:", world):
                rows[name].extend(more)
        for name, found in rows.items():
            self.connection.execute(f"delete from {name}")
            if found:
                kinds = self.connection.table(name).limit(0).to_arrow_table().schema
                cells = pa.Table.from_pylist([dict(zip(kinds.names, row, strict=True)) for row in found], kinds)
                self.connection.register("given_rows", cells)
                self.connection.execute(f"insert into {name} select * from given_rows")
        for schema, name, text in self.steps:
            self.connection.execute(f"create or replace table {schema}.{name} as {text}")
        answer: list[dict[tuple[str, str, str], tuple[str, str, str]]] = [{} for _ in given]
        for customer, *what in self.connection.execute(
            "select customer_id, purpose, channel, state, reason, record_key from marts.consent_current"
        ).fetchall():
            number, _, name = customer.partition(":")
            answer[int(number)][name, what[0], what[1]] = (what[2], what[3], what[4])
        return answer


def _rows(mark: str, world: World) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    names = [f"{mark}{record.source}/r/{n}" for n, record in enumerate(world.records)]
    known = list(zip(names, world.records, strict=True))
    yield "identity.person_records", [(name, "x" if r.named else None, "y") for name, r in known]
    yield "identity.record_identifiers", [(name, k, mark + v) for name, r in known for k, v in sorted(r.identifiers)]
    yield "identity.customer_ids", [(name, mark + r.customer) for name, r in known if r.customer]
    yield "consents.customer_ages", [(mark + customer, day) for customer, day in world.born]
    yield (
        "consents.consent_said",
        [
            (
                names[s.record], world.records[s.record].source, "r", s.key, s.purpose, s.channel, s.answer, s.basis,
                s.version, s.opt_in, _noon(s.asked_on), s.given_by, s.expires_on, None, _noon(s.day), s.day,
            )
            for s in world.said
        ],
    )  # fmt: skip


def _noon(day: date | None) -> datetime | None:
    return day and datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def notice(source: str, version: str, day: date | None) -> tuple[Any, ...]:
    """Purposes, minimum age, days that it holds, and whether it must be confirmed."""
    versions = {v for s, v, *_ in POLICIES if s == source}
    if not versions:
        return {"service"}, 14, None, False
    wanted = version if version in versions else "*"
    [(purposes, first, last, *rest)] = [p for s, v, *p in POLICIES if (s, v) == (source, wanted)]
    if (first or last) and not (day and first <= day <= last):
        return set(), 14, None, False
    age, holds, confirm, _ = rest
    return {p.strip() for p in purposes.split(",")}, age or 14, holds, confirm


def step(row: Said, source: str) -> str | None:
    """Whether the row asks for a confirmation or is one."""
    if row.answer in ("denied", "withdrawn", "expired") or row.opt_in == "expired":
        return None
    if row.opt_in == "confirmed":
        return "confirmed"
    asks = row.answer == "pending" or row.opt_in is not None or notice(source, row.version, row.day)[3]
    return "requested" if asks else None


def is_late(row: Said, around: list[Said], source: str) -> bool:
    """Whether a confirmation, and each other of the same request, came after the seven days."""

    def asked(one: Said) -> date | None:
        before = [r.day for r in around if one.day and r.day and r.day <= one.day and step(r, source) == "requested"]
        return one.asked_on or max(before, default=None)

    begun = asked(row)
    same = [r.day for r in around if r.day and step(r, source) == "confirmed" and asked(r) == begun]
    return begun is not None and bool(same) and (min(same) - begun).days > 7


def effect(row: Said, source: str, born: date | None, around: list[Said]) -> str:
    """yes, no, or nothing; ``around`` is what the same voice said of the same purpose."""
    if row.answer in ("denied", "withdrawn"):
        return "no"
    purposes, age, holds, confirm = notice(source, row.version, row.day)
    open_since = row.answer == "pending" or row.opt_in is not None or confirm
    faults = [
        row.day is not None and row.day > NOW,
        (row.purpose, row.basis) not in BASES,
        row.purpose not in purposes,
        row.answer == "expired" or row.opt_in == "expired",
        (open_since and row.opt_in != "confirmed")
        or (step(row, source) == "confirmed" and is_late(row, around, source)),
        row.expires_on is not None and row.expires_on < NOW,
        holds is not None and (row.day is None or (NOW - row.day).days > holds),
        row.basis == "consent"
        and row.given_by != "parent"
        and born is not None
        and (row.day or NOW) < born.replace(year=born.year + age),
    ]
    if row.answer == "expired":
        return "nothing" if faults[0] else "ended"
    if any(faults[5:7]) and not any(faults[:5]):
        return "ended"
    return "nothing" if any(faults) else "yes"


def oracle(world: World) -> dict[tuple[str, str, str], str]:
    """The state that must come out, by customer, purpose and channel."""
    born = dict(world.born)
    carried = {c: {i for r in world.records if r.customer == c for i in r.identifiers} for c in "abc"}
    found: dict[tuple[str, str, str], dict[str, list[tuple[Any, str]]]] = {}
    for row in world.said:
        record = world.records[row.record]
        voice = _voice(world, row)
        around = [other for other in world.said if _voice(world, other) == voice and other.purpose == row.purpose]
        for customer in "abc":
            own = record.customer == customer
            what = effect(row, record.source, born.get(customer), around)
            if not own and (row.answer not in ("denied", "withdrawn") or not _contact(record) & carried[customer]):
                continue
            for channel in _channels(row, what):
                spoken = found.setdefault((customer, row.purpose, channel), {})
                latest = date.max if what == "no" else date.min
                spoken.setdefault(str(voice), []).append(((row.day or latest, what == "no"), what))
    return {key: _state(spoken) for key, spoken in found.items()}


def _contact(record: Record) -> frozenset[tuple[str, str]]:
    """What a record without a whole name speaks by."""
    return frozenset() if record.named else frozenset(i for i in record.identifiers if "blocked" not in i[1])


def _voice(world: World, row: Said) -> tuple[str, Any]:
    record, order = world.records[row.record], ("email", "phone", "card")
    loudest = max(_contact(record), key=lambda i: (-order.index(i[0]), i[1]), default=None)
    return record.source, loudest or row.record


def _channels(row: Said, what: str) -> set[str]:
    """Any is every channel; a refusal of one is a refusal of any, but of service, which rests on a contract."""
    told = set(CHANNELS) if row.channel == "any" else {row.channel}
    return told | {"any"} if what == "no" and row.purpose != "service" else told


def _state(spoken: dict[str, list[tuple[Any, str]]]) -> str:
    stands = []
    for answers in spoken.values():
        valid = [answer for answer in answers if answer[1] in ("yes", "no")]
        if valid:
            (day, _), last = max(valid)
            ended = any(what == "ended" and end >= day for (end, _), what in answers)
            stands.append("nothing" if last == "yes" and ended else last)
    return "yes" if "yes" in stands and "no" not in stands else "no"


def willing(decided: dict[tuple[str, str, str], tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    return {key for key, (state, *_) in decided.items() if state == "yes"}


@pytest.fixture(scope="module")
def harness(hub: Hub) -> Harness:
    return Harness(hub)


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, World, World, World]:
    """A world; the same in another order; with one refusal more; and after two people turned out to be one."""
    world = draw(worlds())
    refusal = draw(said("new", len(world.records)))
    refusal = replace(refusal, answer=draw(st.sampled_from(["denied", "withdrawn"])))
    turned = replace(world, said=tuple(draw(st.permutations(world.said))))
    return world, turned, replace(world, said=(*world.said, refusal)), world.merged()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(cases(), min_size=5, max_size=8))
def test_consents_are_decided_as_the_rules_say_and_no_withdrawal_or_merge_or_order_adds_a_yes(
    harness: Harness, drawn: list[tuple[World, World, World, World]]
) -> None:
    found = harness.decide(*(world for case in drawn for world in case))
    for number, case in enumerate(drawn):
        decided, again, after, one = found[4 * number : 4 * number + 4]
        for world, each in zip(case, (decided, again, after, one), strict=True):
            assert {key: state for key, (state, *_) in each.items()} == oracle(world)
        assert decided == again, "the order of rows matters"
        assert willing(after) <= willing(decided), "a withdrawal added a yes"
        for customer, purpose, channel in willing(one):
            names = ("a", "b") if customer == "a" else (customer,)
            assert {(name, purpose, channel) for name in names} & willing(decided), "a merge added a yes"
        assert not _refused_by_name(case[0]) & willing(one), "a merge lifted a refusal"


def _refused_by_name(world: World) -> set[tuple[str, str, str]]:
    """What a or b themselves refused, as the merged customer's: the only answer of a whole name."""
    found = set()
    for number, record in enumerate(world.records):
        rows = [row for row in world.said if row.record == number]
        if record.named and record.customer in ("a", "b") and rows:
            for row in rows:
                if all(other.answer in ("denied", "withdrawn") for other in rows):
                    for channel in CHANNELS if row.channel == "any" else (row.channel,):
                        found.add(("a", row.purpose, channel))
    return found
