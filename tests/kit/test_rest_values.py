from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.kit.http_server import Reply
from tests.kit.rest_probe import CANARY, PAGES, ROWS_AT, ids, read, schema, source, stream, thing

from snello.kit.rest import Errors, Values

MOMENT = {"type": ["string", "null"], "format": "date-time"}
MONEY = {"type": ["string", "null"], "format": "singer.decimal", "precision": 20, "scale": 4}


def shown(value: Any, field: dict[str, Any], **values: Any) -> Any:
    """What becomes of one value, as it arrives; ``REFUSED`` when its row goes to the quarantine."""
    body = value if isinstance(value, bytes) else None
    reply = Reply(b'{"data": [{"id": 1, "it": ' + body + b"}]}") if body else Reply({"data": [{"id": 1, "it": value}]})
    with source([], before=lambda _: reply) as shop:
        done = read(shop.url, stream(declared=schema(it=field), values=Values(**values), **ROWS_AT))
    assert done.code == 0
    if done.records("_quarantine"):
        return "REFUSED"
    return done.records("things")[0]["it"]


@pytest.mark.parametrize(
    ("written", "zone", "moment"),
    [
        ("2024-05-01T10:00:00", "UTC", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00", "Europe/Rome", "2024-05-01T08:00:00+00:00"),
        ("2024-01-01T10:00:00", "Europe/Rome", "2024-01-01T09:00:00+00:00"),
        ("2024-05-01T10:00:00+05:30", "Europe/Rome", "2024-05-01T10:00:00+05:30"),
        ("2024-05-01 10:00:00+02", "UTC", "2024-05-01 10:00:00+02:00"),
        ("2024-05-01", "UTC", "2024-05-01T00:00:00Z"),
        ("2024-05-01", "Europe/Rome", "2024-04-30T22:00:00+00:00"),
        ("no moment", "UTC", "REFUSED"),
        ("no moment", "Europe/Rome", "REFUSED"),
        (None, "Europe/Rome", None),
    ],
)
def test_a_moment_without_a_zone_is_of_the_declared_one(written: Any, zone: str, moment: Any) -> None:
    assert shown(written, MOMENT, zone=zone) == moment


@pytest.mark.parametrize(
    ("written", "form", "moment"),
    [
        (1714557600, "epoch", "2024-05-01T10:00:00+00:00"),
        ("1714557600.5", "epoch", "2024-05-01T10:00:00.500000+00:00"),
        (1714557600123, "epoch_ms", "2024-05-01T10:00:00.123000+00:00"),
        ("01/05/2024 12:00", "%d/%m/%Y %H:%M", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01", "%d/%m/%Y", "REFUSED"),
        (True, "epoch", "REFUSED"),
    ],
)
def test_a_moment_may_be_written_otherwise(written: Any, form: str, moment: str) -> None:
    assert shown(written, MOMENT, moments={"it": form}, zone="Europe/Rome") == moment


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"12345678901234.5678", "12345678901234.5678"),
        (b'"12345678901234.5678"', "12345678901234.5678"),
        (b"0.1", "0.1"),
        (b"5", "5"),
        (b"1e3", "1000"),
        (b"0.0000", "0.0000"),
        (b"true", "REFUSED"),
        (b'"much"', "REFUSED"),
    ],
)
def test_a_decimal_is_kept_digit_by_digit(written: bytes, text: str) -> None:
    assert shown(written, MONEY) == text


@pytest.mark.parametrize(
    ("coins", "text"), [(1999, "19.99"), ("5", "0.05"), (0, "0.00"), (-1, "-0.01"), ("19.99", "REFUSED")]
)
def test_minor_units_become_money(coins: Any, text: str) -> None:
    assert shown(coins, MONEY, minor_units={"it": 2}) == text


def test_ids_of_64_bits_become_text_and_emptiness_null() -> None:
    text = {"type": ["string", "null"]}
    assert shown(109876543210987654, text, texts=("it",)) == "109876543210987654"
    assert shown(False, text, empty=(False,)) is None
    assert shown("", text, empty=("",)) is None
    assert shown(0, {"type": ["integer", "null"]}, empty=(False,)) == 0
    assert shown(False, {"type": ["boolean", "null"]}, empty=(False,)) is False


def test_a_breaking_change_refuses_its_rows_and_no_other() -> None:
    rows = [thing(1), {**thing(2), "name": 17}, {**thing(3), "changed_at": "soon"}, thing(4)]
    with source(rows) as shop:
        done = read(shop.url, stream(**ROWS_AT))
    assert ids(done) == [1, 4]
    assert len(done.records("_quarantine")) == 2
    assert "2 rows refused, see stream _quarantine" in done.err
    with source(rows) as shop:
        assert read(shop.url, stream(**ROWS_AT), fail_on_refused=True).code == 5


# ------------------------------------------------------------------ an error inside a success

ERRORS = Errors("$.error", code="$.error.code", again={"busy"}, expired={"session"}, denied={"rights"})


@pytest.mark.parametrize(
    ("code", "exit_code", "requests"), [("busy", 4, 3), ("rights", 2, 1), ("session", 2, 1), ("else", 3, 1)]
)
def test_an_error_inside_a_success_is_one(code: str, exit_code: int, requests: int) -> None:
    reply = Reply({"data": [], "error": {"code": code, "message": CANARY}})
    with source([], before=lambda _: reply) as shop:
        done = read(shop.url, stream(errors=ERRORS, **ROWS_AT))
    assert (done.code, len(shop.calls)) == (exit_code, requests)


def test_an_error_that_passes_costs_nothing() -> None:
    replies = [Reply({"error": {"code": "busy"}})]
    with source([thing(1)], before=lambda _: replies.pop() if replies else None) as shop:
        assert ids(read(shop.url, stream(errors=ERRORS, **ROWS_AT))) == [1]


# ------------------------------------------------------------------ both ways out


def test_files_hold_the_rows_that_records_would(tmp_path: Path) -> None:
    rows = [thing(n, f"2026-01-01T00:00:{n:02d}Z", more=n) for n in range(1, 8)]
    batch = {"encoding": {"format": "parquet"}, "storage": {"root": tmp_path.as_uri()}}
    with source(rows) as shop:
        plain = read(shop.url, stream(paging=PAGES, **ROWS_AT))
        batched = read(shop.url, stream(paging=PAGES, **ROWS_AT), batch_config=batch)
    files = [url for each in batched.messages if each["type"] == "BATCH" for url in each["manifest"]]
    found = [row for url in files for row in pq.read_table(url.removeprefix("file://")).to_pylist()]
    assert [row["id"] for row in found] == ids(plain)
    assert [row["name"] for row in found] == [row["name"] for row in plain.records("things")]
    assert batched.state == plain.state


def test_stream_maps_and_a_trial_run_see_the_same_rows() -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        mapped = read(shop.url, stream(paging=PAGES, **ROWS_AT), stream_maps={"things": {"twice": "id * 2"}})
        tried = read(shop.url, stream(paging=PAGES, **ROWS_AT), arguments=("--test",))
    assert [(row["id"], row["twice"]) for row in mapped.records("things")] == [(n, 2 * n) for n in range(1, 8)]
    assert tried.code == 0
