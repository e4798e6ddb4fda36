"""Plain values of a column are read as the functions on single values read them, and most values are plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snello.identifiers.columns import Plain, plain_emails, plain_phones, plain_tax_codes
from snello.identifiers.email import read_email
from snello.identifiers.phone import read_phone
from snello.identifiers.tax_code import check_letter, decode

SIGNS = "abcxyzAZ019 ._+-@'\u212a\u0131\u0660\n"
LOCALS = st.sampled_from(["info", "info12", "nomail", "aaaa", "x", "mario.rossi", "m..r", ".m", "m.", "_", "a" * 63])
DOMAINS = st.sampled_from(
    ["x.it", "gmail.com", "a-b.it", "a--b.it", "-a.it", "it", "a.b.c.d.it", "example.com", "A.IT"]
)
emails = st.builds(
    "".join, st.tuples(st.text(SIGNS, max_size=3), LOCALS, st.sampled_from(["@", " @", "@@", ""]), DOMAINS)
)
digits = st.text("0123456789 .-/()\u0663\n", min_size=4, max_size=12)
phones = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "+39", "0039", "39", "+39 ", "+", "00", "+44"]),
        st.sampled_from(["3", "347", "39", "31", "30", "43", "02", "0669", "0", "333333", "333456", "(0)2"]),
        digits,
    ),
)
starts = st.from_regex(r"[A-Za-z]{6}[0-9L-V]{2}[A-Ta-t][0-7][0-9][A-MZ][0-9]{3}", fullmatch=True)
codes = starts.map(lambda text: text + check_letter(text.upper())) | st.from_regex(r"[A-Z0-9]{15,17}", fullmatch=True)


def rows(found: Plain) -> list[tuple[Any, ...]]:
    """The answers for the plain rows."""
    return list(zip(*(field.to_pylist() for field in found.fields), strict=True))


def one_by_one(found: Plain, values: list[Any], single: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """What the function says of the values of the same rows."""
    return [tuple(single(*values[row])) for row in found.rows]


@given(values=st.lists(emails | st.text(SIGNS, max_size=12) | st.none(), max_size=30))
@example(values=["\u212a@x.it", "info1@a.it", "x@x.it", "xx@xx.com", "a@a--b.it", "a@b.it\n"])
def test_a_plain_address_says_what_the_function_says(values: list[str | None]) -> None:
    found = plain_emails(pa.array(values, pa.string()))
    assert rows(found) == one_by_one(found, [(value,) for value in values], read_email)


@given(values=st.lists(st.tuples(phones | st.none(), st.sampled_from([None, "IT", "FR", "it"])), max_size=30))
@example(values=[("3331234567", "IT"), ("+39 333 1111111", None), ("0039 02 7654321", "IT"), ("3" + " " * 300, "IT")])
def test_a_plain_number_says_what_the_function_says(values: list[tuple[str | None, str | None]]) -> None:
    columns = (pa.array([value[place] for value in values], pa.string()) for place in (0, 1))
    found = plain_phones(*columns)
    assert rows(found) == one_by_one(found, values, read_phone)


@given(values=st.lists(codes | st.none(), max_size=30))
def test_a_plain_tax_code_says_what_the_function_says(values: list[str | None]) -> None:
    found = plain_tax_codes(pa.array(values, pa.string()))
    assert rows(found) == one_by_one(found, [(value,) for value in values], decode)


def italian() -> list[str]:
    """Valid codes of every day of a year, in towns that are and towns that were."""
    starts = [
        f"RSSMRA{year:02}{month}{day + 40 * (day % 2):02}{place}"
        for year in range(0, 100, 7)
        for month in "ABCDEHLMPRST"
        for day in (1, 2, 28, 29, 30, 31)
        for place in ("H501", "F205", "Z404", "D612", "B520")
    ]
    return [start + check_letter(start) for start in starts]


def test_a_tax_code_of_any_day_and_place_says_what_the_function_says() -> None:
    values = italian()
    found = plain_tax_codes(pa.array(values))
    assert rows(found) == one_by_one(found, [(value,) for value in values], decode)
    assert len(found.rows) == sum(decode(value) is not None for value in values)


@pytest.mark.parametrize(
    ("plain", "values"),
    [
        (plain_emails, ["Mario.Rossi@Posta.Example", "info@bar.it", "m_r+x@sub.a-b.co.uk"]),
        (plain_tax_codes, ["RSSMRA85T10A562S", "rssmra85t10a562s"]),
    ],
)
def test_values_as_most_people_write_them_are_plain(plain: Callable[..., Plain], values: list[str]) -> None:
    assert len(plain(pa.array(values)).rows) == len(values)


def test_numbers_as_most_people_write_them_are_plain() -> None:
    values = ["347 190 2856", "+39 3471902856", "0039-347-1902856", "02 76004312", "(06) 8412.1234"]
    assert len(plain_phones(pa.array(values), pa.nulls(len(values), pa.string())).rows) == len(values)
