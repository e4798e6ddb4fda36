"""What hostile taps send to target-lake: nothing is lost, nothing that fits is held up, and logs tell no value."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from snello.errors import ContractError, RetryLater, RowsRefused
from snello.lake import Lake
from target_lake import TargetLake

CANARY = "canary.address@example.org"

Load = Callable[..., list[str]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def load(lake: Lake, capsys: pytest.CaptureFixture[str]) -> Load:
    """Feed messages (or raw lines) to a target of its own; returns the states that it let out."""

    def run(*messages: dict[str, Any] | str | bytes, **config: Any) -> list[str]:
        lines = [line if isinstance(line, str | bytes) else json.dumps(line) for line in messages]
        source = io.BytesIO(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
        capsys.readouterr()
        target = TargetLake(config={"root": lake.root, "source": "src", **config})
        target.listen(source)  # type: ignore[arg-type]
        return capsys.readouterr().out.splitlines()

    return run


def schema(stream: str = "s", keys: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    keys = ["id"] if keys is None else keys
    return {"type": "SCHEMA", "stream": stream, "key_properties": keys, "schema": {"properties": properties}}


def record(stream: str = "s", **fields: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": fields}


def rows(lake: Lake, stream: str = "s", columns: str = "*") -> list[tuple[Any, ...]]:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    sql = f"select {columns} from ({lake.scan_sql(lake.raw_uri('src', stream))}) order by all"
    return connection.execute(sql).fetchall()


def refused(lake: Lake) -> list[tuple[Any, ...]]:
    return rows(lake, "_quarantine", "stream, position, reason, record")


INTEGER, TEXT = {"type": "integer"}, {"type": ["string", "null"]}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
STATE = {"type": "STATE", "value": {"bookmarks": {"s": 1}}}


def test_a_schema_alone_makes_an_empty_table(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER, v=TEXT), STATE)
    assert rows(lake) == []


def test_every_type_of_json_schema_becomes_its_column_type(load: Load, lake: Lake) -> None:
    declared = {
        "id": INTEGER,
        "number": {"type": ["number", "null"]},
        "boolean": {"type": "boolean"},
        "text": TEXT,
        "date": {"type": "string", "format": "date"},
        "moment": MOMENT,
        "time": {"type": "string", "format": "time"},
        "money": {"type": "string", "format": "singer.decimal", "precision": 12, "scale": 2},
        "object": {"type": "object", "properties": {"a": INTEGER}},
        "array": {"type": "array", "items": INTEGER},
        "mixed": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "untyped": {},
        "either_text": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
        "either_number": {"type": ["integer", "number", "null"]},
    }
    load(
        schema(**declared),
        record(
            id=1, number=1.5, boolean=True, text="à", date="2026-01-31", moment="2026-01-31T10:00:00+01:00",
            time="10:00:00", money="1234.50", object={"a": 1}, array=[1, 2], mixed="x", untyped=None,
            either_text="not a moment", either_number=3,
        ),
    )  # fmt: skip
    assert rows(lake, columns="* exclude (_sdc_extracted_at)") == [
        (
            1, 1.5, True, "à", date(2026, 1, 31), datetime(2026, 1, 31, 9, tzinfo=UTC), "10:00:00", Decimal("1234.50"),
            '{"a": 1}', "[1, 2]", '"x"', None, "not a moment", 3.0,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        (INTEGER, CANARY, "field 'x' is not an integer"),
        (INTEGER, 2**63, "field 'x' is not an integer"),
        (INTEGER, 1.5, "field 'x' is not an integer"),
        (INTEGER, True, "field 'x' is not an integer"),
        ({"type": "number"}, CANARY, "field 'x' is not a number"),
        ({"type": "boolean"}, 1, "field 'x' is not a boolean"),
        (TEXT, 5, "field 'x' is not a text"),
        (TEXT, {"a": 1}, "field 'x' is not a text"),
        ({"type": "string", "format": "date"}, "31/01/2026", "field 'x' is not a date"),
        ({"type": "string", "format": "date"}, "0000-00-00", "field 'x' is not a date"),
        (MOMENT, CANARY, "field 'x' is not a date-time"),
        (MOMENT, "infinity", "field 'x' is not a date-time"),
        ({"type": "string", "format": "singer.decimal"}, "a lot", "field 'x' is not a decimal"),
        (
            {"type": "string", "format": "singer.decimal", "precision": 4, "scale": 2},
            "1.005",
            "field 'x' does not fit decimal128(4, 2)",
        ),
        (
            {"type": "string", "format": "singer.decimal", "precision": 4, "scale": 2},
            "NaN",
            "field 'x' does not fit decimal128(4, 2)",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_quarantined_and_the_rest_goes_through(
    load: Load, lake: Lake, declared: dict[str, Any], value: Any, reason: str
) -> None:
    bad = record(id=2, x=value)
    states = load(schema(id=INTEGER, x=declared), record(id=1), bad, record(id=3), STATE)
    assert rows(lake, columns="id") == [(1,), (3,)]
    assert refused(lake) == [("s", "message 3", reason, json.dumps(bad["record"]))]
    assert states == ['{"bookmarks": {"s": 1}}']


@pytest.mark.parametrize(
    ("declared", "value", "kept"),
    [
        (INTEGER, 7.0, 7),
        ({"type": "number"}, 7, 7.0),
        ({"type": "string", "format": "date"}, "2026-01-31T00:00:00Z", date(2026, 1, 31)),
        (MOMENT, "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (MOMENT, "2026-01-31 10:00:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        (MOMENT, "2026-01-31T10:00:00.123456", datetime(2026, 1, 31, 10, 0, 0, 123456, UTC)),
        ({"type": "string", "format": "singer.decimal", "precision": 6, "scale": 2}, 12.5, Decimal("12.50")),
        ({"type": "string", "format": "singer.decimal", "precision": 60, "scale": 2}, "1" * 50, "1" * 50),
        (TEXT, "nul \x00 and \u2028", "nul \x00 and \u2028"),
    ],
)
def test_a_value_that_means_what_its_column_holds_is_taken(
    load: Load, lake: Lake, declared: dict[str, Any], value: Any, kept: Any
) -> None:
    load(schema(id=INTEGER, x=declared), record(id=1, x=value), record(id=2))
    assert rows(lake, columns="id, x") == [(1, kept), (2, None)]


def test_a_missing_or_null_key_is_quarantined(load: Load, lake: Lake) -> None:
    load(schema(keys=["a", "b"], a=INTEGER, b=TEXT), record(a=1), record(a=None, b="x"), record(a=1, b="x"))
    assert rows(lake, columns="a, b") == [(1, "x")]
    assert sorted(row[2] for row in refused(lake)) == ["key 'a' is missing or null", "key 'b' is missing or null"]


def test_of_rows_with_one_key_the_last_counts(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER, v=TEXT), record(id=1, v="a"), record(id=1, v="b"), record(id=2, v="c"), batch_rows=2)
    load(schema(id=INTEGER, v=TEXT), record(id=2, v="d"))
    assert rows(lake, columns="id, v") == [(1, "b"), (2, "d")]


def test_undeclared_fields_are_kept_as_json(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER), record(id=1), record(id=2, surprise={"a": [1]}, more="x"))
    assert rows(lake, columns="id, _extra") == [(1, None), (2, '{"surprise":{"a": [1]},"more":"x"}')]


def test_odd_names_of_streams_and_fields_load_and_stay_the_same_from_run_to_run(load: Load, lake: Lake) -> None:
    stream = 'odd/../näme\'; drop\t"x"'
    names = [
        "id",
        "ID",
        "Id ",
        "Data nascita",
        "data_nascita",
        'quo"te',
        "back\\slash",
        "a.b",
        "",
        "select",
        "_extra",
        "é",
    ]
    fields = {name: place for place, name in enumerate(names)}
    declared = schema(stream, ["id"], **dict.fromkeys(names, INTEGER))
    load(declared, record(stream, **fields))
    first = rows(lake, stream, "* exclude (_sdc_extracted_at)")
    assert sorted(first[0]) == list(range(len(names)))
    shuffled = schema(stream, ["id"], **dict.fromkeys(reversed(names), INTEGER))
    load(shuffled, record(stream, **{name: place + 100 for name, place in fields.items()}))
    second = rows(lake, stream, "* exclude (_sdc_extracted_at)")
    assert second == [first[0], tuple(value + 100 for value in first[0])]


def test_a_new_column_in_mid_stream_is_added(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER), record(id=1), schema(id=INTEGER, v=TEXT), record(id=2, v="x"))
    assert rows(lake, columns="id, v") == [(1, None), (2, "x")]


def test_a_column_that_vanished_stays_with_nulls(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER, v=TEXT), record(id=1, v="x"))
    load(schema(id=INTEGER), record(id=2))
    assert rows(lake, columns="id, v") == [(1, "x"), (2, None)]


def test_a_column_may_widen_between_runs_and_a_narrower_tap_still_fits(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER, v=INTEGER), record(id=1, v=7))
    load(schema(id=INTEGER, v={"type": "number"}), record(id=2, v=7.5))
    load(schema(id=INTEGER, v=INTEGER), record(id=3, v=8))
    assert rows(lake, columns="id, v") == [(1, 7.0), (2, 7.5), (3, 8.0)]


def test_a_type_that_has_nothing_in_common_with_the_old_one_stops_the_stream_in_one_sentence(
    load: Load, lake: Lake
) -> None:
    load(schema(id=INTEGER, v={"type": "boolean"}), record(id=1, v=True))
    with pytest.raises(ContractError, match=r"column 'v' is bool in the lake and int64 now\. Next: rename it"):
        load(schema(id=INTEGER, v=INTEGER), record(id=2, v=7))
    assert rows(lake, columns="id, v") == [(1, True)]


def test_keys_may_change_in_mid_stream(load: Load, lake: Lake) -> None:
    load(
        schema(keys=["id"], id=INTEGER, email=TEXT),
        record(id=1, email="a"),
        schema(keys=["email"], id=INTEGER, email=TEXT),
        record(id=2, email="a"),
        record(id=3, email="b"),
    )
    assert rows(lake, columns="id, email") == [(2, "a"), (3, "b")]


def test_a_key_that_is_no_property_is_told(load: Load) -> None:
    with pytest.raises(ContractError, match="key 'nope' is no property"):
        load(schema(keys=["nope"], id=INTEGER))


def test_huge_and_deeply_nested_values_load_whole(load: Load, lake: Lake) -> None:
    deep: Any = "bottom"
    for _ in range(300):
        deep = {"in": [deep]}
    huge = "è" * 2_000_000
    load(schema(id=INTEGER, v=TEXT, o={"type": "object"}), record(id=1, v=huge, o=deep))
    [(length, nested)] = rows(lake, columns="length(v), o")
    assert length == len(huge)
    assert json.loads(nested) == deep


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type": "RECORD", "stream": "s", "record": {"id": NaN}}', "not valid JSON"),
        (b'{"type": "RECORD", "stream": "s", "record": {"id": 2', "not valid JSON"),
        (b"plain text from a careless print()", "not valid JSON"),
        (b'["a", "list"]', "not a Singer message"),
        (b'{"stream": "s"}', "not a Singer message"),
    ],
)
def test_a_line_that_is_no_message_is_quarantined(load: Load, lake: Lake, line: bytes, reason: str) -> None:
    load(schema(id=INTEGER), record(id=1), line, record(id=3))
    assert rows(lake, columns="id") == [(1,), (3,)]
    assert refused(lake) == [("", "message 3", reason, line.decode())]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'"\xff"', "field 'v' is not valid UTF-8"),
        (b'"\\ud800"', "not valid JSON"),
        (b"1e999", "field 'v' is not valid JSON"),
        (b"[1]", "field 'v' is not a text"),
    ],
)
def test_a_record_with_a_broken_value_is_quarantined(load: Load, lake: Lake, value: bytes, reason: str) -> None:
    line = b'{"type": "RECORD", "stream": "s", "record": {"id": 2, "v": ' + value + b"}}"
    load(schema(id=INTEGER, v=TEXT), record(id=1), line, record(id=3))
    assert rows(lake, columns="id") == [(1,), (3,)]
    assert [row[2] for row in refused(lake)] == [reason]


def test_the_same_refusal_in_a_later_run_is_one_row_of_the_quarantine(load: Load, lake: Lake) -> None:
    for _ in range(2):
        load(schema(id=INTEGER), record(id="x"))
    assert len(refused(lake)) == 1


def test_a_tap_may_write_to_the_quarantine_too(load: Load, lake: Lake) -> None:
    names = ("id", "stream", "position", "reason", "record")
    declared = {name: TEXT for name in names} | {"refused_at": MOMENT}
    told = dict.fromkeys(names, "t") | {"refused_at": "2026-01-01T00:00:00Z"}
    own = {"type": "SCHEMA", "stream": "_quarantine", "key_properties": ["id"], "schema": {"properties": declared}}
    row = {"type": "RECORD", "stream": "_quarantine", "record": told}
    load(schema(id=INTEGER), own, row, record(id="x"))
    assert [row[0] for row in refused(lake)] == ["s", "t"]


def test_the_tap_that_stops_in_the_middle_of_a_line_fails_the_run_after_all_before_it_is_kept(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = "".join(json.dumps(line) + "\n" for line in (schema(id=INTEGER), record(id=1), STATE))
    target = TargetLake(config={"root": lake.root, "source": "src"})
    with pytest.raises(RetryLater, match="stopped in the middle of a line"):
        target.listen(io.StringIO(whole + '{"type": "RECORD", "stream": "s", "rec'))
    assert rows(lake, columns="id") == [(1,)]
    assert capsys.readouterr().out == '{"bookmarks": {"s": 1}}\n'


def test_a_record_before_its_schema_is_told(load: Load) -> None:
    with pytest.raises(ContractError, match="a record came before its schema"):
        load(record(id=1))


def test_messages_that_the_lake_has_no_use_for_are_passed_over(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER), {"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}, "", record(id=1))
    assert rows(lake, columns="id") == [(1,)]
    with pytest.raises(ContractError, match="unknown type 'BOTCH'"):
        load({"type": "BOTCH"})


def test_a_stream_with_the_name_of_the_books_is_refused(load: Load) -> None:
    with pytest.raises(ContractError, match="the loader's own books"):
        load(schema("_loads", id=INTEGER))


def test_refused_rows_fail_the_run_only_when_asked_to(load: Load, lake: Lake) -> None:
    bad = [schema(id=INTEGER), record(id="x"), record(id=1)]
    load(*bad)
    with pytest.raises(RowsRefused, match="1 rows refused"):
        load(*bad, fail_on_refused=True)
    assert rows(lake, columns="id") == [(1,)]


def test_logs_tell_counts_and_reasons_and_no_value(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    load(
        schema(id=INTEGER, email=TEXT, at=MOMENT),
        record(id=1, email=CANARY),
        record(id=CANARY, email=CANARY),
        record(id=2, email=[CANARY]),
        record(id=3, at=CANARY, surprise=CANARY),
        f"noise {CANARY}",
        {"type": "STATE", "value": {"last": CANARY}},
    )
    assert "s: 1 rows in, 3 refused" in caplog.text
    assert "field 'email' is not a text (1)" in caplog.text
    assert CANARY not in caplog.text


def test_an_overwrite_leaves_exactly_the_rows_of_the_run(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER, v=TEXT), record(id=1, v="a"), record(id=2, v="a"))
    load(
        schema(id=INTEGER, w=INTEGER), record(id=2, w=1), record(id=3, w=1), record(id=3, w=2),
        load_method="overwrite", batch_rows=1,
    )  # fmt: skip
    assert rows(lake, columns="* exclude (_sdc_extracted_at)") == [(2, 1), (3, 2)]


def test_an_overwrite_without_a_row_leaves_the_table_as_it_was(
    load: Load, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    load(schema(id=INTEGER), record(id=1))
    load(schema(id=INTEGER), load_method="overwrite")
    assert rows(lake, columns="id") == [(1,)]
    assert "no row came, so the table was left as it was" in caplog.text


def test_an_overwrite_that_fails_half_way_changes_nothing_and_lets_no_state_out(
    load: Load, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    load(schema(id=INTEGER), record(id=1))
    with pytest.raises(ContractError):
        load(schema(id=INTEGER), record(id=2), STATE, record("never declared"), load_method="overwrite", batch_rows=1)
    assert rows(lake, columns="id") == [(1,)]
    assert capsys.readouterr().out == ""
    assert [path.name for path in Path(lake.raw_uri("src", "s")).glob("_aside*")] == []


def test_one_stream_may_have_a_method_of_its_own(load: Load, lake: Lake) -> None:
    own = {"streams": {"e": {"load_method": "append-only"}}}
    for value in ("first", "second"):
        load(schema(id=INTEGER, v=TEXT), record(id=1, v=value), schema("e", id=INTEGER, v=TEXT),
             record("e", id=1, v=value), **own)  # fmt: skip
    assert rows(lake, columns="v") == [("second",)]
    assert rows(lake, "e", "v") == [("first",)]


def test_equal_rows_without_a_key_are_all_kept_and_a_rerun_adds_none(load: Load, lake: Lake) -> None:
    feed = [schema(keys=[], v=TEXT, n=INTEGER), *(record(v=v, n=1) for v in "abbccc"), record(v="d")]
    load(*feed, batch_rows=2)
    load(feed[0], *reversed(feed[1:]), batch_rows=3)
    assert rows(lake, columns="v, n") == [*((v, 1) for v in "abbccc"), ("d", None)]


def test_the_time_of_reading_is_the_records_or_the_messages_or_now(load: Load, lake: Lake) -> None:
    before = datetime.now(UTC)
    told = record(id=2) | {"time_extracted": "2026-01-02T00:00:00Z"}
    load(schema(id=INTEGER), record(id=1, _sdc_extracted_at="2026-01-01T00:00:00Z"), told, record(id=3))
    first, second, third = (row[0] for row in rows(lake, columns="_sdc_extracted_at"))
    assert (first, second) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert before <= third <= datetime.now(UTC)


def test_each_run_leaves_a_row_a_stream_in_the_books(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER), schema("t", id=INTEGER), record(id=1), record(id="x"), record("t", id=1))
    assert rows(lake, "_loads", "source, stream, rows, refused, method") == [
        ("src", "s", 1, 1, "upsert"),
        ("src", "t", 1, 0, "upsert"),
    ]


def test_a_state_comes_out_only_after_the_rows_before_it_are_in_the_table(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[int, int]] = []

    class Watch(io.StringIO):
        def write(self, text: str) -> int:
            held.append((json.loads(text)["n"], len(rows(lake))))
            return len(text)

    monkeypatch.setattr("sys.stdout", Watch())
    feed: list[Any] = [schema(id=INTEGER)]
    for number in range(1, 40):
        feed += [record(id=number), {"type": "STATE", "value": {"n": number}}]
    source = io.StringIO("".join(json.dumps(line) + "\n" for line in feed))
    TargetLake(config={"root": lake.root, "source": "src", "batch_rows": 7}).listen(source)
    assert len(held) > 3
    assert all(rows_there >= state for state, rows_there in held)
    assert held[-1] == (39, 39)


def test_small_files_are_put_together_when_they_have_become_many(load: Load, lake: Lake) -> None:
    load(schema(id=INTEGER), *(record(id=number) for number in range(60)), batch_rows=1)
    assert lake.scan_sql(lake.raw_uri("src", "s")).count(".parquet") == 1
    assert len(rows(lake)) == 60
