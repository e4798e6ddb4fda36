"""Parameters learned without labels: who is a match, a relative or a stranger, together with what tells them apart.

Pairs that meet under a key stand for themselves, pairs taken at random for all the others; so one likelihood holds
over all pairs of records and neither the keys nor rare levels bend it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snello.identity.likelihood.comparisons import COMPARISONS, HOUSEHOLD, TERMS, column, gammas
from snello.identity.likelihood.model import ENOUGH, Levels, Model, shipped
from snello.identity.likelihood.pairs import affordable, gather, meet
from snello.identity.likelihood.records import connect
from snello.identity.likelihood.vectors import compare

Floats = npt.NDArray[np.float64]
FLOOR = 1_000  # records below which nothing is learned
_PAIRS = 400_000  # candidate pairs looked at, whatever the number of records
_RANDOM = 200_000  # pairs of records taken at random
_FAITH = 10.0  # matches that the shipped probabilities of a comparison are worth beside those found
_COMMON = 10  # records that bear a name before the model names it


def train(records: pa.Table, *, room: int | None = None) -> Model:
    """A model for these records; the shipped one, and it says so, when they are too few or hold no matches.

    - ``room``: how many pairs scoring may look at; by default 2 million and 6 for each record

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    if len(records) < FLOOR:
        # The prior of so many records and no fewer: the model may be kept until there are as many.
        note = f"fewer than {FLOOR:,} records: shipped parameters"
        return replace(shipped(), records=len(records), prior=1 / FLOOR, kin=0.4 / FLOOR, note=note)
    connection = connect(records)
    try:
        gather(connection)
        keys = affordable(connection, 2_000_000 + 6 * len(records) if room is None else room)
        terms, rare = _terms(connection)
        start = replace(shipped(), keys=keys, records=len(records), terms=terms, rare=rare)
        seen = _patterns(connection, start)
    finally:
        connection.close()
    return _learn(start, seen)


def _terms(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    terms, rare = {}, {}
    for name in TERMS.values():
        found = connection.execute(
            f"""
            select {name}, count(*) / (select count({name}) from prepared) as share from prepared
            where {name} is not null group by {name} having count(*) >= {_COMMON} order by share desc, {name} limit 5000
            """
        ).fetchall()
        known = connection.execute(f"select count({name}) from prepared").fetchall()[0][0]
        terms[name] = dict(found)
        rare[name] = min((share for _, share in found), default=_COMMON / max(known, 1)) / 2
    return terms, rare


@dataclass(frozen=True)
class _Seen:
    """Distinct patterns of levels (as places in each comparison's list) and how many pairs of all bear each.

    - ``strange``: patterns of pairs taken at random
    """

    levels: dict[str, npt.NDArray[np.int64]]
    weight: Floats
    strange: npt.NDArray[np.bool_]


def _patterns(connection: duckdb.DuckDBPyConnection, model: Model) -> _Seen:
    every = model.records * (model.records - 1) / 2
    met = meet(connection, model.keys)
    share = min(1.0, _PAIRS / max(met, 1))
    connection.execute(f"delete from pairs where hash(join_key_l, join_key_r) % 1000000 >= {round(share * 1_000_000)}")
    connection.execute(
        f"""
        create or replace table chance as
        with drawn as (
            select
                1 + hash(number, 1) % {model.records} as one,
                1 + hash(number, 2) % {model.records} as other
            from range({_RANDOM}) as numbers(number)
        )
        select distinct
            '1' as match_key,
            least(one, other)::bigint as join_key_l,
            greatest(one, other)::bigint as join_key_r
        from drawn
        where one <> other and not exists (
            select 1 from keys as a inner join keys as b on a.kind = b.kind and a.value = b.value
            where a.id = one and b.id = other
        )
        """
    )
    connection.execute("insert into pairs select * from chance")
    predicted = compare(connection, "pairs", model)
    names = [f"gamma_{column(name)}" for name in COMPARISONS]
    found = connection.execute(
        f"""
        select {", ".join(names)}, match_key = '1' as strange, count(*) as pairs
        from {predicted} group by all order by all
        """
    ).fetchnumpy()
    strange = np.asarray(found["strange"], bool)
    pairs = np.asarray(found["pairs"], float)
    drawn = max(float(pairs[strange].sum()), 1.0)
    weight = np.where(strange, pairs * max(every - met, 0.0) / drawn, pairs / share)
    levels = {}
    for name in COMPARISONS:
        order = gammas(name)
        place = {gamma: at for at, gamma in enumerate(order)}
        levels[name] = np.array([place[int(gamma)] for gamma in found[f"gamma_{column(name)}"]], np.int64)
    return _Seen(levels, weight, strange)


def _learn(start: Model, seen: _Seen) -> Model:
    every = seen.weight.sum()
    model = replace(start, prior=0.5 * start.records / every, kin=0.2 * start.records / every)
    for _ in range(200):
        match, kin, stranger = _responsibilities(model, seen)
        before = model.prior
        model = replace(
            model,
            prior=max(float(match.sum() / every), 1e-12),
            kin=max(float(kin.sum() / every), 1e-15),
            match=_estimate(start.match, seen, match),
            stranger=_estimate(start.stranger, seen, stranger),
        )
        relative = _estimate(start.relative, seen, kin)
        # What one person has, relatives share no more than strangers do: that is what parts them from matches.
        model = replace(model, relative={n: relative[n] if n in HOUSEHOLD else model.stranger[n] for n in COMPARISONS})
        if abs(model.prior - before) <= 1e-6 * model.prior:
            break
    if match.sum() < ENOUGH:
        note = f"fewer than {ENOUGH:.0f} pairs look like one person: shipped parameters"
        return replace(start, prior=0.5 * start.records / every, kin=0.2 * start.records / every, note=note)
    learned = {name: float(match[seen.levels[name] > 0].sum()) for name in COMPARISONS}
    return replace(model, learned=learned, note="")


def _evidence(levels: Levels, seen: _Seen) -> Floats:
    total = np.zeros(len(seen.weight))
    for name in COMPARISONS:
        table = np.log(np.maximum(levels[name], 1e-300))
        table[0] = 0.0
        total += table[seen.levels[name]]
    return total


def _responsibilities(model: Model, seen: _Seen) -> tuple[Floats, Floats, Floats]:
    """How many pairs of each pattern are matches, relatives and strangers."""
    logs = np.stack(
        [
            np.log(model.prior) + _evidence(model.match, seen),
            np.log(model.kin) + _evidence(model.relative, seen),
            np.log(max(1 - model.prior - model.kin, 1e-9)) + _evidence(model.stranger, seen),
        ]
    )
    # A pair that met under no key is a stranger: it stands for thousands, and so would one chance likeness.
    logs[:2, seen.strange] = -np.inf
    shares = np.exp(logs - logs.max(axis=0))
    match, kin, stranger = shares / shares.sum(axis=0) * seen.weight
    return match, kin, stranger


def _estimate(faith: Levels, seen: _Seen, weight: Floats) -> Levels:
    found: Levels = {}
    for name, prior in faith.items():
        counts = np.bincount(seen.levels[name], weight, len(prior)) + _FAITH * np.asarray(prior)
        counts[0] = 0.0
        found[name] = [float(share) for share in counts / counts.sum()]
    return found
