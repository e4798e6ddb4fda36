from __future__ import annotations

from itertools import combinations

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.sandbox import World, measure

LAW = settings(max_examples=60, deadline=None)
GROUPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=25)


def tables(pairs: list[tuple[int | None, object]], stream: str = "crm.customers") -> tuple[pa.Table, pa.Table]:
    source, name = stream.split(".")
    keys = {
        "source": [source] * len(pairs),
        "stream": [name] * len(pairs),
        "record_key": [str(n) for n in range(len(pairs))],
    }
    truth = pa.table({**keys, "person_id": pa.array([person for person, _ in pairs], pa.int64())})
    found = pa.table({**keys, "customer_id": [None if customer is None else f"c{customer}" for _, customer in pairs]})
    return truth, found


@LAW
@given(GROUPS)
def test_figures_equal_those_of_counting_every_pair_and_every_record(pairs: list[tuple[int, int]]) -> None:
    score = measure(*tables(pairs))
    couples = list(combinations(pairs, 2))
    true = sum(a[0] == b[0] for a, b in couples)
    found = sum(a[1] == b[1] for a, b in couples)
    right = sum(a == b for a, b in couples)
    assert (score.pairs_true, score.pairs_found, score.pairs_right) == (true, found, right)
    assert score.precision == (right / found if found else 1.0)
    assert score.recall == (right / true if true else 1.0)
    each = [
        (
            sum(o == r for o in pairs) / sum(o[1] == r[1] for o in pairs),
            sum(o == r for o in pairs) / sum(o[0] == r[0] for o in pairs),
        )
        for r in pairs
    ]
    assert score.bcubed_precision == pytest.approx(sum(p for p, _ in each) / len(pairs))
    assert score.bcubed_recall == pytest.approx(sum(r for _, r in each) / len(pairs))


@LAW
@given(GROUPS)
def test_the_truth_against_itself_is_faultless(pairs: list[tuple[int, int]]) -> None:
    score = measure(*tables([(person, person) for person, _ in pairs]))
    assert (score.f1, score.bcubed_f1, score.missing) == (1.0, 1.0, 0)
    assert score.people == score.customers == len({person for person, _ in pairs})


def test_a_record_that_the_hub_gave_to_nobody_counts_as_a_person_of_its_own() -> None:
    truth, found = tables([(1, 1), (1, 1), (1, 1), (2, 2)])
    score = measure(truth, found.slice(1))
    assert (score.missing, score.customers, score.pairs_found, score.pairs_right) == (1, 3, 1, 1)
    assert score.recall == pytest.approx(1 / 3)


def test_strangers_and_streams_that_the_hub_does_not_read_do_not_count() -> None:
    truth, found = tables([(1, 1), (None, 1), (1, 1)])
    unread, _ = tables([(1, 1), (1, 1)], "loyalty.cards")
    score = measure(pa.concat_tables([truth, unread]), found)
    assert (score.records, score.pairs_true, score.pairs_found) == (2, 1, 1)


def test_events_count_only_when_asked_for() -> None:
    truth, found = tables([(1, 1), (1, 1)], "marketing.newsletter")
    assert measure(truth, found).records == 0
    assert measure(truth, found, events=True).records == 2


def test_keys_of_any_type_are_compared_as_text(world: World) -> None:
    truth = pl.read_parquet(world.company / "truth.parquet").filter(source="crm")
    found = truth.select("source", "stream", pl.col("record_key").cast(pl.Int64), customer_id=pl.col("person_id") + 9)
    assert measure(truth.to_arrow(), found.to_arrow()).f1 == 1.0
