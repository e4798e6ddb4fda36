"""What is wrong with the data as it arrived."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

Snello = Callable[..., Any]
COLUMNS = ("rule", "source", "stream", "severity", "findings", "examples", "meaning", "next_step")
FOUND = [
    ("name_emoji", "crm", "customers", "note", 900, "a1", "A name holds a picture.", "Nothing."),
    ("text_too_long", "crm", "customers", "warning", 3, "b2", "A text is too long.", "Look at the row."),
    ("birth_in_future", "crm", "customers", "error", 1, "c3", "A birth date lies in the future.", "Mend the date."),
    ("birth_in_future", "loyalty", "cards", "error", 7, "d4", "A birth date lies in the future.", "Mend the date."),
]


@pytest.fixture
def publish(hub: Any) -> Callable[[list[tuple[Any, ...]]], None]:
    """Publish findings as the dbt project does."""
    schema = pa.schema([(name, pa.int64() if name == "findings" else pa.string()) for name in COLUMNS])

    def give(rows: list[tuple[Any, ...]]) -> None:
        table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema)
        hub.lake.publish({"data_quality": table}, run_id="r2")

    return give


def test_the_worst_comes_first_and_of_the_same_the_most(publish: Any, snello: Snello) -> None:
    publish(FOUND)
    told = snello("quality", "--json")
    found = json.loads(told.out)["findings"]
    assert [(row["severity"], row["findings"]) for row in found] == [
        ("error", 7),
        ("error", 1),
        ("warning", 3),
        ("note", 900),
    ]


def test_findings_are_no_fault_and_each_rule_is_told_once_with_its_cure(publish: Any, snello: Snello) -> None:
    publish(FOUND)
    told = snello("quality")
    assert told.code == 0
    assert told.out.count("birth_in_future: A birth date lies in the future. Next: Mend the date.") == 1
    assert "8 errors, 3 warnings, 900 notes" in told.out


def test_one_source_alone_is_shown_and_a_wrong_one_is_answered_with_the_nearest(publish: Any, snello: Snello) -> None:
    publish(FOUND)
    found = json.loads(snello("quality", "--source", "loyalty", "--json").out)["findings"]
    assert [row["source"] for row in found] == ["loyalty"]
    told = snello("quality", "--source", "loyalt")
    assert (told.code, told.err.count("\n"), "did you mean 'loyalty'?" in told.err) == (2, 1, True)


def test_nothing_found_is_good_news(publish: Any, snello: Snello) -> None:
    publish([])
    assert "Nothing is wrong" in snello("quality").out


def test_before_the_table_is_published_the_next_step_is_told(hub: Any, snello: Snello) -> None:
    told = snello("quality")
    assert (told.code, "meltano run unify" in told.err) == (3, True)


def test_the_status_counts_findings_by_how_grave_they_are_and_says_where_to_look(publish: Any, snello: Snello) -> None:
    publish(FOUND)
    told = " ".join(snello("status").out.split())
    assert "Found in the data as it arrived: 8 errors, 3 warnings, 900 notes. Next: `snello quality`" in told
    assert json.loads(snello("status", "--json").out)["quality"][0] == {"severity": "error", "findings": 8}


def test_the_status_says_that_nothing_was_found_only_where_somebody_looked(publish: Any, snello: Snello) -> None:
    assert "as it arrived" not in snello("status").out
    publish([])
    assert "Nothing was found wrong with the data as it arrived." in snello("status").out
