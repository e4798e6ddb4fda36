"""Keys of rows without a key: the same rows get the same keys, however batches cut them."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.kit.loader.columns import ROW_KEY
from snello.kit.loader.rowkeys import RowKeys

CALM = settings(deadline=None)  # a busy machine is no fault

Row = tuple[str | None, int | None]
row = st.tuples(st.sampled_from(["", "a", "b:", None]), st.sampled_from([0, 1, None]))
SCHEMA = pa.schema([("s", pa.string()), ("n", pa.int64())])


def keys(rows: list[Row], size: int) -> list[str]:
    maker = RowKeys()
    made: list[str] = []
    for start in range(0, len(rows), size):
        part = [{"s": s, "n": n} for s, n in rows[start : start + size]]
        made += maker.added_to(pa.Table.from_pylist(part, schema=SCHEMA)).column(ROW_KEY).to_pylist()
    return made


@CALM
@given(st.lists(row, min_size=1), st.integers(1, 5), st.integers(1, 5))
def test_the_same_rows_get_the_same_keys_however_they_are_cut(rows: list[Row], one: int, other: int) -> None:
    assert keys(rows, one) == keys(rows, other)


@CALM
@given(st.lists(row, min_size=1), st.randoms())
def test_keys_are_distinct_and_do_not_depend_on_the_order(rows: list[Row], chance: object) -> None:
    made = keys(rows, 3)
    assert len(set(made)) == len(rows)
    shuffled = rows.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(keys(shuffled, 2)) == set(made)


@CALM
@given(st.lists(row, min_size=1), st.lists(row))
def test_rows_that_differ_never_share_a_key(left: list[Row], right: list[Row]) -> None:
    shared = Counter(left) & Counter(right)
    assert len(set(keys(left, 4)) & set(keys(right, 4) if right else [])) == shared.total()


def test_a_new_column_without_a_value_does_not_change_a_key() -> None:
    narrow = pa.table({"s": ["a"]})
    wide = narrow.append_column("n", pa.nulls(1, pa.int64()))
    assert RowKeys().added_to(narrow).column(ROW_KEY) == RowKeys().added_to(wide).column(ROW_KEY)
