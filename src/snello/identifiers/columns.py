"""Plain values of a whole column read at once, as the functions on single values read them.

Each function gives the rows that are plain and what they say, field by field as the named tuple of the single value;
all other rows are left to the function on single values. What is plain here is always less than what is valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from snello.identifiers.email import ROLES, STAND_IN_DOMAINS, STAND_INS
from snello.identifiers.phone import NUR, RUN, italian_numbers
from snello.identifiers.tables import birthplaces
from snello.identifiers.tax_code import FIRST_YEAR, Person, check_letter, decode

Ints: TypeAlias = "npt.NDArray[np.int64]"
_EMAIL = r"^[a-z0-9_](?:\.?[a-z0-9_+-]){0,31}@(?:[a-z0-9](?:-?[a-z0-9]){0,20}\.){1,3}[a-z]{2,12}\z"
_LONGEST_PHONE = 40
_MONTHS = "ABCDEHLMPRST"
_TAX_CODE = rf"^[A-Z]{{6}}[0-9]{{2}}[{_MONTHS}][0-9]{{2}}[A-Z][0-9]{{3}}[A-Z]\z"
_PLAINEST = check_letter("A" * 15)


class Plain(NamedTuple):
    """The places of the plain rows, and a column for each field of what they say."""

    rows: Ints
    fields: tuple[pa.Array, ...]


def plain_emails(raw: pa.Array) -> Plain:
    """Addresses in ASCII with nothing around them: the fields of ``Email``."""
    lowered = pc.ascii_lower(raw)
    rows = _rows(pc.match_substring_regex(lowered, _EMAIL))
    address = lowered.take(rows)
    halves = pc.split_pattern(address, "@")
    local, domain = pc.list_element(halves, 0), pc.list_element(halves, 1)
    name, length = pc.ascii_rtrim(local, "0123456789"), pc.binary_length(local)
    one_sign = pc.equal(local, pc.binary_repeat(pc.utf8_slice_codeunits(local, 0, 1), length))
    label = pc.list_element(pc.split_pattern(domain, ".", max_splits=1), 0)
    typed = pc.or_(_among(name, STAND_INS), _among(domain, STAND_IN_DOMAINS))
    stand_in = pc.or_(pc.or_(typed, one_sign), pc.and_(pc.less_equal(length, 2), pc.equal(local, label)))
    return Plain(rows.to_numpy(), (address, _among(name, ROLES), stand_in))


def plain_phones(raw: pa.Array, country: pa.Array) -> Plain:
    """Italian mobiles and landlines in digits with spaces and the like between them: the fields of ``Phone``."""
    close = pc.replace_substring_regex(raw, r"[ \-./()]", "")
    numbers = pc.struct_field(pc.extract_regex(close, rf"^(?:\+39|0039)?(?P<number>{_italian()})\z"), "number")
    # Numbers that begin otherwise may be of other kinds; very long texts are cut before they are read.
    known = pc.and_(pc.match_substring_regex(numbers, "^[03]"), pc.less_equal(pc.binary_length(raw), _LONGEST_PHONE))
    rows = _rows(pc.and_(known, pc.equal(pc.fill_null(country, "IT"), "IT")))
    national = numbers.take(rows)
    number = pc.binary_join_element_wise("+39", national, "")
    kind = pc.if_else(pc.starts_with(national, "3"), "mobile", "landline")
    return Plain(rows.to_numpy(), (number, kind, _among(pc.utf8_slice_codeunits(number, -7), _typed())))


def plain_tax_codes(raw: pa.Array) -> Plain:
    """Valid codes of sixteen letters and digits without homocody: the fields of ``Person``."""
    upper = pc.ascii_upper(raw)
    rows = _rows(pc.match_substring_regex(upper, _TAX_CODE))
    signs = np.frombuffer("".join(upper.take(rows).to_pylist()).encode(), np.uint8).reshape(-1, 16)
    day = _number(signs, 9, 11)
    two_digits = _number(signs, 6, 8)
    late_year = two_digits + np.where(two_digits < 70, 2000, 1900)
    born_on = np.where(day > 40, day - 40, day)
    late, early = (_born(signs, year, born_on) for year in (late_year, late_year - 100))
    valid = _checks(signs) & ~(np.isnat(late) & np.isnat(early))
    code = upper.take(rows).filter(pa.array(valid))
    sex = pc.if_else(pa.array(day[valid] > 40), "F", "M")
    dates = (pa.array(born[valid], pa.date32()) for born in (late, early))
    return Plain(rows.to_numpy()[valid], (code, code, *dates, sex))


def decode_each(values: Sequence[str | None]) -> list[Person | None]:
    """What each tax code says, as ``decode`` tells it."""
    rows, fields = plain_tax_codes(pa.array(values, pa.string()))
    found = dict(zip(rows.tolist(), map(Person, *(field.to_pylist() for field in fields)), strict=True))
    return [found.get(place) or decode(value) for place, value in enumerate(values)]


def _rows(which: pa.Array) -> pa.Array:
    return pc.indices_nonzero(pc.fill_null(which, False)).cast(pa.int64())


def _among(values: pa.Array, words: Iterable[str]) -> pa.Array:
    return pc.is_in(values, value_set=pa.array(sorted(words), pa.string()))


@cache
def _italian() -> str:
    return italian_numbers() or "[^ -~]"


@cache
def _typed() -> frozenset[str]:
    """Seven digits that were typed to get past a form."""
    in_a_row = {run[start : start + 7] for run in (RUN, NUR) for start in range(len(run) - 6)}
    return frozenset(in_a_row | {digit * 7 for digit in "0123456789"})


def _number(signs: npt.NDArray[np.uint8], start: int, end: int) -> Ints:
    digits = signs[:, start:end].astype(np.int64) - ord("0")
    return np.asarray(digits @ 10 ** np.arange(end - start)[::-1])


def _born(signs: npt.NDArray[np.uint8], year: Ints, day: Ints) -> npt.NDArray[np.datetime64]:
    """The dates, where there was such a day and the place was one then."""
    month = _months()[signs[:, 8]]
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month
    born = first.astype("datetime64[D]") + (day - 1)
    was = (day > 0) & (year >= FIRST_YEAR) & (born.astype("datetime64[M]") == first)
    last = _last_days()[signs[:, 11] - ord("A"), _number(signs, 12, 15)]
    return np.where(was & np.less_equal(born, last), born, np.datetime64("NaT"))


def _checks(signs: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    odd, even = _weights()
    total = odd[signs[:, 0:15:2]].sum(axis=1) + even[signs[:, 1:15:2]].sum(axis=1)
    return np.asarray((total + ord(_PLAINEST) - ord("A")) % 26 + ord("A") == signs[:, 15])


@cache
def _weights() -> tuple[Ints, Ints]:
    """How each sign moves the check letter of fifteen times A, in places one, three, five… and in the others."""
    odd, even = np.zeros(128, np.int64), np.zeros(128, np.int64)
    for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        odd[ord(sign)] = ord(check_letter(f"{sign}{'A' * 14}")) - ord(_PLAINEST)
        even[ord(sign)] = ord(check_letter(f"A{sign}{'A' * 13}")) - ord(_PLAINEST)
    return odd, even


@cache
def _months() -> Ints:
    found = np.zeros(128, np.int64)
    found[[ord(letter) for letter in _MONTHS]] = range(12)
    return found


@cache
def _last_days() -> npt.NDArray[np.datetime64]:
    """By letter and number of a place: the last day on which it was one."""
    found = np.full((26, 1000), np.datetime64("0001-01-01"))
    for code, names in birthplaces().items():
        if code[1:].isdigit():
            last = max(until or "9999-12-31" for until, _ in names)
            found[ord(code[0]) - ord("A"), int(code[1:])] = np.datetime64(last)
    return found
