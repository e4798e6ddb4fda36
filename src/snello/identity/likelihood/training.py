"""Parameters learned without labels: who is a match, a relative or a stranger, together with what tells them apart.

Pairs that meet under a key stand for themselves, pairs taken at random for all the others; so one likelihood holds
over all pairs of records and neither the keys nor rare levels bend it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt

from snello.identity.likelihood.comparisons import COMPARISONS, HOUSEHOLD, PLACE, TERMS, column, gammas
from snello.identity.likelihood.model import ENOUGH, Levels, Model, shipped
from snello.identity.likelihood.pairs import affordable, sample
from snello.identity.likelihood.records import Records, opened
from snello.identity.likelihood.vectors import compare

Floats = npt.NDArray[np.float64]
FLOOR = 1_000  # records below which nothing is learned
_PAIRS = 250_000  # candidate pairs looked at, whatever the number of records
_RANDOM = 100_000  # pairs of records taken at random
_FAITH = 10.0  # matches that the shipped probabilities of a comparison are worth beside those found
_ROUNDS = 200  # of expectation and maximisation, at most
_SELDOM = 1e-9  # instead of a probability of zero of a level
_NOBODY = 1e-15  # instead of a probability of zero of a kind of pair
_HARDLY = 0.005  # relatives to a match, below which there are taken to be none
_COMMON = 10  # records that bear a name before the model names it


def train(records: Records, *, room: int | None = None) -> Model:
    """A model for these records; the shipped one, and it says so, when they are too few or hold no matches.

    - ``room``: how many pairs scoring may look at; by default 2 million and 3 for each record

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    if len(records) < FLOOR:
        # The prior of so many records and no fewer: the model may be kept until there are as many.
        note = f"fewer than {FLOOR:,} records: shipped parameters"
        return replace(shipped(), records=len(records), prior=1 / FLOOR, kin=0.4 / FLOOR, near=4 / FLOOR, note=note)
    with opened(records) as connection:
        keys = affordable(connection, 2_000_000 + 3 * len(records) if room is None else room)
        terms, rare = _terms(connection)
        start = replace(shipped(), keys=keys, records=len(records), terms=terms, rare=rare)
        seen = _patterns(connection, start)
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
    sampled, share = sample(connection, _PAIRS)
    met = sampled / share
    _chance(connection)
    predicted = compare(connection, "pairs", model)
    names = [f"gamma_{column(name)}" for name in COMPARISONS]
    found = connection.execute(
        f"""
        select {", ".join(names)}, match_key = '1' as strange, count(*) as pairs
        from {predicted} group by all order by all
        """
    ).fetchnumpy()
    every = model.records * (model.records - 1) / 2
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


def _chance(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds to ``pairs`` two records at random, again and again, that meet under no key."""
    connection.execute(
        f"""
        insert into pairs
        with numbered as (
            select id, row_number() over (order by id) as number from prepared
        ),
        drawn as (
            select
                1 + hash(number, 1) % (select count(*) from prepared) as one,
                1 + hash(number, 2) % (select count(*) from prepared) as other
            from range({_RANDOM}) as numbers(number)
        ),
        chance as (
            select distinct least(l.id, r.id) as one, greatest(l.id, r.id) as other
            from drawn
            inner join numbered as l on one = l.number
            inner join numbered as r on other = r.number
            where one <> other
        ),
        members as (
            select block, id from (select row_number() over () as block, unnest(ids) as id from blocks) as every
            where id in (select one from chance union all select other from chance)
        ),
        met as (
            select chance.one, chance.other from chance
            inner join members as l on chance.one = l.id
            inner join members as r on chance.other = r.id and l.block = r.block
        )
        select '1', one, other from chance anti join met using (one, other)
        """
    )


def _learn(start: Model, seen: _Seen) -> Model:
    first = start.records / seen.weight.sum()
    start = replace(start, prior=0.5 * first, kin=0.2 * first, near=2 * first)
    model, match = _settled(start, seen)
    if match.sum() < ENOUGH:
        return replace(start, note=f"fewer than {ENOUGH:.0f} pairs look like one person: shipped parameters")
    # Where hardly anybody has a relative, matches with many mistakes would pass for some.
    kin = model.kin if model.kin >= _HARDLY * model.prior else _NOBODY
    near = model.near if model.near >= _HARDLY * model.prior else _NOBODY
    if _NOBODY in (kin, near):
        model, match = _settled(replace(start, kin=kin, near=near), seen)
    return replace(model, learned={name: float(match[seen.levels[name] > 0].sum()) for name in COMPARISONS})


def _settled(start: Model, seen: _Seen) -> tuple[Model, Floats]:
    """The model after expectation and maximisation have come to rest, and the matches in each pattern."""
    model = start
    for _ in range(_ROUNDS):
        shares = _responsibilities(model, seen)
        match, kin, near, stranger = shares
        every = max(float(shares.sum()), 1.0)
        strangers = _estimate(start.stranger, seen, stranger)
        # What one person has, relatives share no more than strangers do: that is what parts them from matches.
        relative = strangers | _estimate(start.relative, seen, kin, HOUSEHOLD)
        neighbour = strangers | _estimate(start.neighbour, seen, near, PLACE)
        before, model = (
            model,
            replace(
                model,
                prior=max(float(match.sum()) / every, _NOBODY),
                kin=max(float(kin.sum()) / every, _NOBODY),
                near=max(float(near.sum()) / every, _NOBODY),
                match=_estimate(start.match, seen, match),
                relative=relative,
                neighbour=neighbour,
                stranger=strangers,
            ),
        )
        if abs(model.prior - before.prior) <= 1e-6 * model.prior and abs(model.kin - before.kin) <= 1e-4 * model.prior:
            break
    return model, match


def _evidence(levels: Levels, seen: _Seen) -> Floats:
    total = np.zeros(len(seen.weight))
    for name in COMPARISONS:
        table = np.log(np.maximum(levels[name], _SELDOM))
        table[0] = 0.0
        total += table[seen.levels[name]]
    return total


def _responsibilities(model: Model, seen: _Seen) -> Floats:
    """How many pairs of each pattern are matches, relatives, neighbours and strangers: four rows."""
    logs = np.stack(
        [
            np.log(model.prior) + _evidence(model.match, seen),
            np.log(model.kin) + _evidence(model.relative, seen),
            np.log(model.near) + _evidence(model.neighbour, seen),
            np.log(max(1 - model.prior - model.kin - model.near, 1e-9)) + _evidence(model.stranger, seen),
        ]
    )
    # A pair that met under no key is a stranger: it stands for thousands, and so would one chance likeness.
    logs[:2, seen.strange] = -np.inf
    shares = np.exp(logs - logs.max(axis=0))
    return np.asarray(shares / shares.sum(axis=0) * seen.weight, np.float64)


def _estimate(faith: Levels, seen: _Seen, weight: Floats, names: Iterable[str] = COMPARISONS) -> Levels:
    found: Levels = {}
    for name in names:
        counts = np.bincount(seen.levels[name], weight, len(faith[name])) + _FAITH * np.asarray(faith[name])
        counts[0] = 0.0
        shares = np.maximum(counts / counts.sum(), _SELDOM)
        shares[0] = 0.0
        found[name] = [float(share) for share in shares]
    return found
