"""People come out as each platform's own documentation says, hash by hash."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identifiers.platforms import GOOGLE, META, PLATFORMS, TIKTOK, Platform
from snello.identifiers.platforms.platform import Rule
from snello.kit import platforms as of_the_kit

GOLDEN = Path(__file__).parent / "golden" / "platforms"
NOTHING = hashlib.sha256(b"").hexdigest()
TEXTS = st.one_of(
    st.text(max_size=30),
    st.emails(),
    st.sampled_from(["n/a", "null", "-", " ", "x", "+393331234567", "333 1234567", "M1 1AE", "IT", "1980-02-03", "F"]),
)
COLUMNS = sorted({rule.column for platform in PLATFORMS.values() for rule in platform.rules})


def vectors(platform: Platform) -> Iterator[dict[str, str | None]]:
    with (GOLDEN / f"{platform.name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: None if cell == "\\N" else cell for name, cell in row.items()}


def sent(platform: Platform, row: dict[str, Any], field: str) -> str | None:
    return platform.prepare([row]).rows[0].get(field)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_a_platform_gets_what_its_own_pages_say(platform: Platform) -> None:
    wrong = {}
    for vector in vectors(platform):
        row = {"country": vector["country"], vector["column"] or "": vector["value"]}
        found = sent(platform, row, vector["field"] or "")
        if found != vector["sent"]:
            wrong[tuple(vector.values())] = found
    assert wrong == {}


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_what_a_golden_file_hashes_is_the_hash_of_what_it_reads(platform: Platform) -> None:
    clear = {rule.field for rule in platform.rules if rule.clear}
    for vector in vectors(platform):
        if (read := vector["read"]) is not None:
            expected = read if vector["field"] in clear else hashlib.sha256(read.encode()).hexdigest()
            assert vector["sent"] == expected, vector


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_every_field_of_a_platform_has_a_vector_with_its_source(platform: Platform) -> None:
    found = list(vectors(platform))
    assert {vector["field"] for vector in found} == {rule.field for rule in platform.rules}
    assert all(vector["source"] for vector in found)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
@settings(max_examples=40)
@given(row=st.dictionaries(st.sampled_from(COLUMNS), st.one_of(st.none(), TEXTS)))
def test_nothing_is_ever_sent_as_the_hash_of_nothing(platform: Platform, row: dict[str, Any]) -> None:
    prepared = platform.prepare([row])
    assert set(prepared.rows[0]) <= {rule.field for rule in platform.rules}
    assert all(value and value != NOTHING for value in prepared.rows[0].values())
    lost = {
        rule.field
        for rule in platform.rules
        if rule.field not in prepared.rows[0] and (row.get(rule.column) or "").strip()
    }
    assert set(prepared.dropped) == lost


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
@settings(max_examples=40)
@given(rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.one_of(st.none(), TEXTS)), max_size=4))
def test_many_people_at_once_come_out_as_each_alone(platform: Platform, rows: list[dict[str, Any]]) -> None:
    together = platform.prepare(rows)
    alone = [platform.prepare([row]) for row in rows]
    assert together.rows == [one.rows[0] for one in alone]
    assert together.dropped == sum((one.dropped for one in alone), start=type(together.dropped)())


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
@settings(max_examples=40)
@given(value=TEXTS, country=st.sampled_from(["", "IT", "US", "FR", "GB"]))
def test_what_is_hashed_already_stays_as_it_is(platform: Platform, value: str, country: str) -> None:
    for rule in platform.rules:
        once = rule.sent(value, country)
        if once is not None and not rule.clear:
            assert rule.sent(once, country) == rule.sent(once.upper(), country) == once


def test_a_list_gives_its_first_value_that_counts_and_keeps_the_others() -> None:
    people = [
        {"email": ["n/a", "a@example.com", "A@example.com ", "b@example.com"]},
        {"email": "c@example.com"},
        {"email": []},
    ]
    prepared = GOOGLE.prepare(people)
    first, other = (sent(GOOGLE, {"email": email}, "email") for email in ("a@example.com", "b@example.com"))
    assert [row.get("email") for row in prepared.rows] == [
        first,
        sent(GOOGLE, {"email": "c@example.com"}, "email"),
        None,
    ]
    assert prepared.further == {0: {"email": (other,)}}
    assert prepared.dropped == {"email": 1}


def test_dates_and_numbers_are_read_as_their_text() -> None:
    typed = META.prepare([{"birth_date": date(1980, 2, 3), "external_id": 7}])
    assert typed == META.prepare([{"birth_date": "1980-02-03", "external_id": "7"}])
    assert typed.rows[0]["EXTERN_ID"] == "7"


def test_fields_tell_the_column_of_each_field_in_the_platforms_order() -> None:
    assert list(TIKTOK.fields.items()) == [
        ("email", "EMAIL_SHA256"),
        ("phone", "PHONE_SHA256"),
        ("maid", "MAID_SHA256"),
    ]
    assert META.fields["birth_date"] == "DOBY"


def test_the_kit_shows_every_platform() -> None:
    assert {getattr(of_the_kit, name.upper()) for name in PLATFORMS} == set(PLATFORMS.values())


def test_a_rule_in_clear_is_not_hashed() -> None:
    assert Rule("a", "A", lambda value, _: value, clear=True).sent(" b ") == "b"
