from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.errors import ContractError
from snello.kit.files import chunks, delimited
from snello.kit.files.drift import Drift
from snello.kit.files.layout import FileSet

FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def layout(**settings: Any) -> FileSet:
    given_settings = {"stream": "s", "path": "p", "format": "csv", "columns": [{"name": "a"}, {"name": "b"}]}
    return FileSet.model_validate(given_settings | settings)


def read(text: str, settings: FileSet) -> tuple[list[tuple[Any, ...]], list[chunks.Refusal]]:
    """Rows as (line, a, b …) and refused rows."""
    rows, refused = [], []
    for chunk in delimited.read(io.StringIO(text, newline=""), settings, settings.resolved(), "tap: s: f.csv", Drift()):
        columns = [values.to_pylist() for values in chunk.values]
        rows += list(zip(chunk.lines, *columns, strict=True))
        refused += chunk.refused
    return rows, refused


def test_rows_come_with_the_line_where_they_begin() -> None:
    text = 'a,b\n1,"two\nlines"\n\n3,4\r\n'
    assert read(text, layout()) == ([(2, "1", "two\nlines"), (5, "3", "4")], [])


@given(st.lists(st.tuples(FIELD, FIELD), max_size=30), st.sampled_from([",", ";", "\t", "|"]))
def test_what_csv_writers_write_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    found, refused = read(out.getvalue(), layout(delimiter=delimiter))
    assert [row[1:] for row in found] == rows
    assert refused == []


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.integers(0, 12),
    st.sampled_from(['x,"open', '"', 'y,"z"w', "1,2,3", "1"]),
)
def test_a_broken_row_costs_only_itself(good: list[int], place: int, broken: str) -> None:
    lines = [f"{number},ok" for number in good]
    place = min(place, len(lines))
    lines.insert(place, broken)
    found, refused = read("a,b\n" + "\n".join(lines) + "\n", layout())
    assert [row[1] for row in found] == [str(number) for number in good]
    assert [(refusal.line, refusal.record) for refusal in refused] == [(place + 2, broken)]


def test_a_quote_that_is_never_closed_costs_one_line_in_a_long_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "CHUNK_ROWS", 100)
    lines = [f"{number},v" for number in range(3000)]
    lines[700] = '700,"v'
    found, refused = read("a,b\n" + "\n".join(lines), layout())
    assert len(found) == 2999
    assert [(refusal.line, refusal.reason) for refusal in refused] == [(702, "a quote that opens here is never closed")]


def test_a_text_of_ten_million_characters_is_a_field_like_any_other() -> None:
    long = "x" * 10_000_000
    found, refused = read(f'a,b\n1,{long}\n2,"{long}"\n3,ok\n', layout())
    assert [(row[0], row[1], len(row[2])) for row in found] == [(2, "1", 10**7), (3, "2", 10**7), (4, "3", 2)]
    assert refused == []


def test_a_field_that_is_too_long_is_refused_for_its_length_and_costs_itself() -> None:
    long = "x" * (delimited.LARGEST_FIELD + 1)
    found, refused = read(f"a,b\n1,{long}\n2,ok\n", layout())
    assert [row[1] for row in found] == ["2"]
    assert [(each.line, each.reason) for each in refused] == [(2, "a field is longer than 16 million characters")]
    assert refused[0].record == f"1,{long}"


def test_what_swallows_too_many_lines_is_a_long_field_or_an_open_quote() -> None:
    line = "y" * 999_998 + ",\n"
    found, refused = read('a,b\n1,"x\n' + line * 17, layout())
    assert len(found) == 17
    assert [(each.line, each.reason) for each in refused] == [
        (2, "a field is longer than 16 million characters, or a quote that opens here is never closed")
    ]


def test_long_rows_come_in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "CHUNK_CHARACTERS", 1000)
    text = io.StringIO("a,b\n" + f"1,{'x' * 400}\n" * 20, newline="")
    settings = layout()
    found = [len(each.lines) for each in delimited.read(text, settings, settings.resolved(), "tap: s: f.csv", Drift())]
    assert found == [3] * 6 + [2]


def test_ragged_rows_tell_how_many_fields_they_have() -> None:
    _, refused = read("a,b\n1,2,3\n", layout())
    assert refused == [chunks.Refusal(2, "3 fields, 2 expected", "1,2,3")]


def test_columns_are_found_by_header_whatever_their_order() -> None:
    settings = layout(columns=[{"name": "b"}, {"name": "x", "source": "a"}])
    assert read("z, a ,b\n0,1,2\n", settings) == ([(2, "2", "1")], [])


def test_a_missing_column_is_named_with_the_nearest_header() -> None:
    with pytest.raises(
        ContractError, match=r"^tap: s: f\.csv: the header has no column 'cognome'\. Next: did you mean 'cognom'\?"
    ):
        read("nome,cognom\n", layout(columns=[{"name": "a", "source": "cognome"}]))


def test_a_missing_header_row_does_not_tell_the_data_in_its_place() -> None:
    with pytest.raises(ContractError) as fault:
        read("Rossi,Mario\n", layout())
    assert "Rossi" not in str(fault.value)
    assert "Mario" not in str(fault.value)


def test_a_header_named_twice_is_refused() -> None:
    with pytest.raises(ContractError, match="names 'a' 2 times"):
        read("a,a,b\n", layout())


def test_a_header_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(ContractError, match="the header on line 1 cannot be split"):
        read('a,"b"c\n', layout())


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n", "a,b", "a,b\n\x1a"])
def test_a_file_without_rows_gives_none(text: str) -> None:
    assert read(text, layout()) == ([], [])


def test_lines_before_the_header_are_left_out_but_counted() -> None:
    assert read("Report\n\na,b\n1,2\n", layout(skip_lines=2)) == ([(4, "1", "2")], [])


def test_quotes_are_ordinary_when_the_layout_has_none() -> None:
    assert read('a,b\n"1,2"\n', layout(quote="")) == ([(2, '"1', '2"')], [])


def test_an_escape_mark_takes_the_next_character_as_it_is() -> None:
    assert read("a,b\n1\\,5,2\n", layout(escape="\\")) == ([(2, "1,5", "2")], [])


def test_columns_without_a_header_go_by_place() -> None:
    assert read("1,2\n", layout(header=False)) == ([(1, "1", "2")], [])


def test_a_byte_that_cannot_be_decoded_costs_its_row() -> None:
    text = b"a,b\n1,caf\xe9\n2,ok\n".decode("utf-8", "surrogateescape")
    found, refused = read(text, layout())
    assert found == [(3, "2", "ok")]
    assert refused == [chunks.Refusal(2, "byte 0xE9 is not valid in the declared encoding", "1\tcaf\\xe9")]
