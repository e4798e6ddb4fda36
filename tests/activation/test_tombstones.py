from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from snello.activation import Ledger
from snello.activation.tombstones import Tombstone, bury, erased, erased_keys, forms, to_lake, tombstones
from snello.lake import Lake
from snello.lake.scan import open_table
from snello.lake.tombstones import key_text

SALT, NOW = "pepper", datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = Ledger(url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("email", " Ada@Example.it ", ["ada@example.it"]),
        ("phone", "+393471234567", ["00393471234567", "3471234567", "393471234567"]),
        ("phone", "+4930123456", ["004930123456", "4930123456"]),
        ("tax_code", "rssmra80a01 h501u", ["RSSMRA80A01H501U"]),
        ("card", "2900000012345", []),
    ],
)
def test_an_identifier_has_the_forms_that_sources_write(kind: str, value: str, said: list[str]) -> None:
    assert forms(kind, value) == said


def test_a_tax_code_whose_digits_became_letters_is_the_same_persons() -> None:
    assert set(forms("tax_code", "RSSMRA80A01H501U")) & set(forms("tax_code", "RSSMRA80A01H50MM"))


def test_a_second_burial_takes_the_later_moment_and_makes_no_second_stone(ledger: Ledger) -> None:
    one = Tombstone.of_record("crm", "customers", "1", SALT)
    for day in (0, 7):
        with ledger.engine.begin() as connection:
            bury(connection, [one, one], f"e{day}", NOW + timedelta(days=day), SALT)
    with ledger.engine.connect() as connection:
        [row] = connection.execute(select(tombstones)).mappings().all()
    assert (row["erasure"], row["erased_at"].day, row["source"]) == ("e7", 8, "crm")


def test_the_lake_shows_what_the_ledger_keeps_however_often_it_is_written(ledger: Ledger, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    stones = [Tombstone.of_record("crm", "customers", str(number), SALT) for number in range(3)]
    assert to_lake(ledger, lake, "r1") == 0
    with ledger.engine.begin() as connection:
        bury(connection, stones, "e1", NOW, SALT)
    assert [to_lake(ledger, lake, run) for run in ("r2", "r3")] == [3, 3]
    shown = open_table(lake.raw_uri("snello", "tombstones")).to_pyarrow_table().to_pylist()
    assert {row["hash"] for row in shown} == {stone.hash for stone in stones}
    assert len(shown) == 3
    assert shown[0]["erased_at"] == NOW


def test_a_sync_is_told_the_keys_of_its_own_erased_rows(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        for sync, key in (("a", "c1"), ("a", "c2"), ("b", "c1")):
            connection.execute(erased_keys.insert(), {"sync": sync, "key": key, "erasure": "e"})
    assert sorted(erased(ledger, "a").column("key").to_pylist()) == ["c1", "c2"]
    assert erased(ledger, "c").num_rows == 0


@given(st.tuples(*[st.text(string.ascii_letters + "/", min_size=1)] * 2), st.text(min_size=1))
def test_a_hash_depends_on_the_salt_and_on_the_key(keys: tuple[str, str], salt: str) -> None:
    one, other = (Tombstone.of_record("s", "t", key, salt) for key in keys)
    assert (one == other) == (keys[0] == keys[1])
    assert one != Tombstone.of_record("s", "t", keys[0], salt + "x")
    assert keys[0] not in (one.hash,)


def test_a_key_of_several_columns_is_one_text() -> None:
    assert key_text([1, "a", None]) == "1/a/None"
