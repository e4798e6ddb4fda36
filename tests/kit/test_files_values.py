from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.kit.files.layout import Column
from snello.kit.files.moments import localised
from snello.kit.files.values import expected, parse

BAD = object()


def parsed(texts: list[str | None], **column: Any) -> list[Any]:
    """What the column makes of the texts, with bad ones marked."""
    values, bad = parse(pa.array(texts, pa.string()), Column.model_validate({"name": "x", **column}))
    flags = bad.to_pylist() if bad is not None else [False] * len(texts)
    return [BAD if flag else value for value, flag in zip(values.to_pylist(), flags, strict=True)]


# ------------------------------------------------------------------ dates


def test_a_day_that_does_not_exist_is_bad_and_not_the_next_month() -> None:
    assert parsed(["31/02/2024", "29/02/2024", "29/02/2023"], type="date", date_format="%d/%m/%Y") == [
        BAD,
        date(2024, 2, 29),
        BAD,
    ]


def test_days_and_months_without_a_leading_zero_are_read() -> None:
    assert parsed(["1/2/2024"], type="date", date_format="%d/%m/%Y") == [date(2024, 2, 1)]


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%Y-%m-%d", "%d%m%Y", "%d.%m.%Y", "%d %b %Y", "%Y%j", None])
@given(days=st.lists(st.dates(), min_size=1, max_size=20))
def test_every_date_written_by_a_format_is_read_back(form: str | None, days: list[date]) -> None:
    days = [day for day in days if day.year >= 1000]
    texts = [day.strftime(form) if form else day.isoformat() for day in days]
    assert parsed(texts, type="date", date_format=form) == days


@pytest.mark.parametrize("form", ["%d/%m/%y", "%y%m%d", "%H.%M %d-%m-%Y", "%Y-%m", "%Y %d %m %S", "100%% %d%m%Y"])
@given(numbers=st.lists(st.lists(st.integers(0, 62), min_size=6, max_size=6), min_size=1, max_size=20))
def test_whatever_a_format_is_made_of_python_and_the_fast_path_agree(form: str, numbers: list[list[int]]) -> None:
    parts = ("%d", "%m", "%Y", "%y", "%H", "%M", "%S")

    def written(values: list[int]) -> str:
        day, month, year, hour, minute, second = values
        texts = (day, month, 1960 + year, year, hour, minute, second)
        text = form
        for part, value in zip(parts, texts, strict=True):
            text = text.replace(part, f"{value:02}")
        return text.replace("%%", "%")

    def oracle(text: str) -> Any:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            return BAD

    texts = [written(values) for values in numbers]
    assert parsed(texts, type="date-time", date_format=form) == [oracle(text) for text in texts]


@given(st.lists(st.one_of(st.text("0123456789/- ", max_size=11), st.text(max_size=6)), max_size=20))
def test_any_text_is_the_date_that_python_reads_in_it_or_bad(texts: list[str]) -> None:
    def oracle(text: str) -> Any:
        if not text.strip():
            return None
        try:
            return datetime.strptime(text.strip(), "%d/%m/%Y").date()
        except ValueError:
            return BAD

    assert parsed(texts, type="date", date_format="%d/%m/%Y") == [oracle(text) for text in texts]


def test_a_date_time_is_no_date_unless_it_is_midnight() -> None:
    assert parsed(["2024-05-01T00:00:00", "2024-05-01T10:00:00"], type="date") == [date(2024, 5, 1), BAD]


# ------------------------------------------------------------------ date-times


def test_local_times_become_utc_with_the_summer_offset_of_their_day() -> None:
    texts = ["2024-01-15 10:00:00", "2024-07-15 10:00:00", "", None]
    assert parsed(texts, type="date-time", date_format="%Y-%m-%d %H:%M:%S", timezone="Europe/Rome") == [
        datetime(2024, 1, 15, 9, tzinfo=UTC),
        datetime(2024, 7, 15, 8, tzinfo=UTC),
        None,
        None,
    ]


@pytest.mark.parametrize(
    "zone", ["Europe/Rome", "America/St_Johns", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca"]
)
@given(
    moments=st.lists(st.datetimes(datetime(1930, 1, 1), datetime(2037, 12, 31)), max_size=10),
    nights=st.lists(st.integers(0, 60 * 60 * 6), max_size=10),
)
def test_localising_agrees_with_the_zone_also_on_nights_when_clocks_change(
    zone: str, moments: list[datetime], nights: list[int]
) -> None:
    naive = moments + [datetime(2024, 3, 30, 23) + timedelta(seconds=night) for night in nights]
    naive += [datetime(2024, 10, 26, 23) + timedelta(seconds=night) for night in nights]
    found = localised(pa.array(naive, pa.timestamp("us")), zone).to_pylist()
    assert found == [moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in naive]


def test_the_last_and_first_days_of_the_calendar_can_be_localised() -> None:
    ends = ["9999-12-31 22:59:59", "0001-01-02 00:00:00"]
    assert parsed(ends, type="date-time", timezone="Europe/Rome") == [
        datetime(9999, 12, 31, 21, 59, 59, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=ZoneInfo("Europe/Rome")).astimezone(UTC),
    ]


def test_an_offset_in_the_text_wins_over_the_zone_of_the_column() -> None:
    texts = ["2024-01-15T10:00:00+05:00", "2024-01-15T10:00:00", "2024-01-15T10:00:00Z"]
    assert parsed(texts, type="date-time", timezone="Europe/Rome") == [
        datetime(2024, 1, 15, 5, tzinfo=UTC),
        datetime(2024, 1, 15, 9, tzinfo=UTC),
        datetime(2024, 1, 15, 10, tzinfo=UTC),
    ]


@given(st.lists(st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)), max_size=10))
def test_every_iso_moment_is_read_back_to_the_microsecond(moments: list[datetime]) -> None:
    assert parsed([moment.isoformat() for moment in moments], type="date-time") == moments


def test_one_bad_moment_does_not_spoil_the_others() -> None:
    texts = ["2024-01-15T10:00:00Z", "yesterday", "2024-01-16T10:00:00Z"]
    assert parsed(texts, type="date-time") == [
        datetime(2024, 1, 15, 10, tzinfo=UTC),
        BAD,
        datetime(2024, 1, 16, 10, tzinfo=UTC),
    ]


def test_times_of_day_become_iso_text() -> None:
    assert parsed(["0930", "2561", ""], type="time", date_format="%H%M") == ["09:30:00", BAD, None]


# ------------------------------------------------------------------ numbers


def italian(number: Decimal) -> str:
    return f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


@given(st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), max_size=20))
def test_every_italian_amount_is_read_back_exactly(amounts: list[Decimal]) -> None:
    texts = [italian(amount) for amount in amounts]
    assert parsed(texts, type="decimal", precision=12, scale=2, decimal=",", thousands=".") == amounts


def test_a_misplaced_group_mark_is_bad_rather_than_ten_times_the_amount() -> None:
    texts = ["1.5", "12.34", "1.234.56", "1.234,5", "1234,50", "1,234.56", ",5", "7,"]
    assert parsed(texts, type="decimal", precision=12, scale=2, decimal=",", thousands=".") == [
        BAD,
        BAD,
        BAD,
        Decimal("1234.50"),
        Decimal("1234.50"),
        BAD,
        Decimal("0.50"),
        Decimal("7.00"),
    ]


def test_a_decimal_that_would_be_rounded_or_does_not_fit_is_bad() -> None:
    assert parsed(["1.234", "1.230", "12345678901", "0001.5"], type="decimal", precision=6, scale=2) == [
        BAD,
        Decimal("1.23"),
        BAD,
        Decimal("1.50"),
    ]


@given(st.lists(st.one_of(st.integers(-(2**70), 2**70).map(str), st.text(max_size=5)), max_size=20))
def test_any_text_is_a_64_bit_integer_or_bad(texts: list[str]) -> None:
    def oracle(text: str) -> Any:
        text = text.strip()
        if not text:
            return None
        digits = text[1:] if text[0] in "+-" else text
        if not (digits.isascii() and digits.isdigit()):
            return BAD
        return int(text) if -(2**63) <= int(text) < 2**63 else BAD

    assert parsed(texts, type="integer") == [oracle(text) for text in texts]


def test_zero_padded_and_signed_integers_are_read() -> None:
    assert parsed(["0000120", "-000120", "+000120", " 7 ", "1 2"], type="integer") == [120, -120, 120, 7, BAD]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_every_number_is_read_back(numbers: list[float]) -> None:
    assert parsed([repr(number) for number in numbers], type="number") == numbers


def test_words_for_infinity_are_no_numbers() -> None:
    assert parsed(["inf", "nan", "1e5", "1_000"], type="number") == [BAD, BAD, 100000.0, BAD]


# ------------------------------------------------------------------ truth, text, nothing


def test_truth_values_are_those_that_the_layout_names() -> None:
    assert parsed(["S", "N", "", "x"], type="boolean", true_values=["S"], false_values=["N"]) == [
        True,
        False,
        None,
        BAD,
    ]


def test_usual_truth_values_need_no_naming() -> None:
    assert parsed(["true", "No", "1", "F", "maybe"], type="boolean") == [True, False, True, False, BAD]


def test_null_values_are_nulls_in_every_type() -> None:
    for kind in ("string", "integer", "decimal", "number", "boolean", "date", "date-time", "time"):
        assert parsed(["N/D", "-"], type=kind, null_values=["N/D", "-"]) == [None, None]


def test_text_keeps_its_blanks() -> None:
    assert parsed([" Rossi ", "", "  "], type="string") == [" Rossi ", None, "  "]


def test_what_was_expected_is_told_without_the_value() -> None:
    column = Column.model_validate({"name": "born", "type": "date", "date_format": "%d/%m/%Y"})
    assert expected(column) == "born: not a date like %d/%m/%Y"
