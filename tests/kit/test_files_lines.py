from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from snello.kit.files import lines
from snello.kit.files.chunks import Refusal
from snello.kit.files.drift import Drift
from snello.kit.files.layout import FileSet


def layout(kind: str, columns: list[dict[str, Any]]) -> FileSet:
    return FileSet.model_validate({"stream": "s", "path": "p", "format": kind, "columns": columns})


FIXED = layout("fixed", [{"name": "a", "width": 3}, {"name": "b", "width": 2}, {"name": "c", "start": 8, "width": 1}])
JSONL = layout("jsonl", [{"name": "a"}, {"name": "city", "source": "address.city"}])


def fixed(text: str) -> tuple[list[tuple[Any, ...]], list[Refusal]]:
    found = list(lines.read_fixed(io.StringIO(text, newline=""), FIXED, FIXED.resolved()))
    rows = [row for c in found for row in zip(c.lines, *(v.to_pylist() for v in c.values), strict=True)]
    return rows, [refusal for c in found for refusal in c.refused]


def jsonl(text: str) -> tuple[list[tuple[Any, ...]], list[Refusal]]:
    found = list(lines.read_jsonl(io.StringIO(text, newline=""), JSONL, JSONL.resolved(), Drift()))
    rows = [row for c in found for row in zip(c.lines, *(v.to_pylist() for v in c.values), strict=True)]
    return rows, [refusal for c in found for refusal in c.refused]


def test_fields_are_cut_by_position_and_trimmed() -> None:
    assert fixed("abc12..X\r\nè  3 ..Y\n") == ([(1, "abc", "12", "X"), (2, "è", "3", "Y")], [])


def test_a_line_of_another_length_is_refused_with_both_lengths() -> None:
    rows, refused = fixed("abc12..X\n\nabc12..\nabc12..XX\n")
    assert len(rows) == 1
    assert refused == [
        Refusal(3, "7 characters, 8 expected", "abc12.."),
        Refusal(4, "9 characters, 8 expected", "abc12..XX"),
    ]


def test_an_undecodable_byte_in_a_fixed_line_is_refused() -> None:
    _, refused = fixed(b"a\xffc12..X\n".decode("utf-8", "surrogateescape"))
    assert refused == [Refusal(1, "byte 0xFF is not valid in the declared encoding", "a\\xffc12..X")]


def test_columns_follow_each_other_unless_a_start_is_given() -> None:
    assert lines.slices(FIXED.resolved()) == [(0, 3), (3, 5), (7, 8)]


def test_a_fixed_column_without_width_is_refused() -> None:
    with pytest.raises(ValidationError, match="column a has no width"):
        layout("fixed", [{"name": "a"}])


def test_values_of_objects_become_text_and_paths_reach_inside() -> None:
    rows, refused = jsonl(
        '{"a": 1.50, "address": {"city": "Bari"}}\n{"a": [1, "x"]}\n{"a": true, "address.city": "Como"}\n'
    )
    assert rows == [(1, "1.5", "Bari"), (2, '[1,"x"]', None), (3, "true", "Como")]
    assert refused == []


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["a", "b"]), st.text(st.characters(exclude_categories=["Cs"]))), max_size=10
    )
)
def test_every_text_in_json_is_read_back(records: list[dict[str, str]]) -> None:
    rows, _ = jsonl("".join(json.dumps(record) + "\n" for record in records))
    assert [row[1] for row in rows] == [record.get("a") for record in records]


def test_lines_that_are_no_json_object_are_refused_one_by_one() -> None:
    rows, refused = jsonl('{"a": "1"}\n{"a": \n[1]\n\n{"a": "2"}\n')
    assert [row[:2] for row in rows] == [(1, "1"), (5, "2")]
    assert refused == [Refusal(2, "not valid JSON", '{"a": '), Refusal(3, "not a JSON object", "[1]")]


def test_an_undecodable_byte_in_a_json_line_is_refused() -> None:
    _, refused = jsonl(b'{"a": "\xe9"}\n'.decode("utf-8", "surrogateescape"))
    assert refused == [Refusal(1, "byte 0xE9 is not valid in the declared encoding", '{"a": "\\xe9"}')]
