"""The marks of many records as numbers, and which pairs of them contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.identifiers import birth_dates_agree, names_agree, names_share
from snello.identifiers.agreement import plain_name
from snello.identifiers.columns import decode_each
from snello.identifiers.tax_code import Person, today
from snello.identity.arrays import Bools, Ints
from snello.identity.contradictions import BIRTH_DATES, NAMES, SEXES, TAX_CODES, Contradictions, differ
from snello.identity.marks import Marks

Values = list[str | None]


class _Agreement:
    """Whether two values of one kind contradict, asked once for each pair of them."""

    def __init__(self, values: list[str], agree: Callable[[str, str], bool | None]) -> None:
        self.values, self.agree = values, agree
        self.keys, self.said = np.array([], np.int64), np.array([], np.int8)

    def __call__(self, one: Ints, other: Ints) -> Ints:
        """For each pair of numbers of values: 1 when they agree, 0 when they do not, -1 when either says nothing."""
        width = max(len(self.values), 1)
        keys, where = np.unique(np.minimum(one, other) * width + np.maximum(one, other), return_inverse=True)
        at = np.searchsorted(self.keys, keys)
        new = np.flatnonzero(self.keys[np.minimum(at, len(self.keys) - 1)] != keys if len(self.keys) else keys >= 0)
        if len(new):
            asked = keys[new].tolist()
            said = [self.agree(self.values[key // width], self.values[key % width]) for key in asked]
            codes = np.array([-1 if answer is None else int(answer) for answer in said], np.int8)
            self.keys, self.said = np.insert(self.keys, at[new], keys[new]), np.insert(self.said, at[new], codes)
        return np.asarray(self.said[np.searchsorted(self.keys, keys)][where], np.int64)


@dataclass(frozen=True)
class Profiles:
    """One profile a record, as a number: ``index[record]`` is a row of the columns; -1 in a column says nothing.

    - ``lean[profile]`` is the profile without its family name; what it agrees with, the whole profile agrees with
    - ``reasons``: the texts of the numbers that ``between`` gives, from 1
    - ``answered``: what was found about whole sets of profiles, by their bytes
    """

    index: Ints
    columns: dict[str, Ints]
    lean: Ints
    reasons: tuple[str, ...]
    contradictions: Contradictions
    dates_agree: _Agreement
    names_agree: _Agreement
    names_share: _Agreement
    answered: dict[bytes, Bools] = field(default_factory=dict)

    @classmethod
    def of(cls, marks: Marks, records: Ints) -> Profiles:
        """The profiles of some records."""
        contradictions = marks.contradictions
        raw = {kind: marks.of(kind, records) for kind in marks.kinds}
        columns = _columns(raw, contradictions)
        dates, names = columns.pop("birth_date"), columns.pop("name")
        numbers = {kind: number for kind, (number, _) in columns.items()}
        numbers |= {"birth_date": dates[0], "name": names[0]}
        index, rows = _distinct(numbers)
        given = [f"{name.partition('|')[0]}|" for name in names[1]]
        every = sorted({*names[1], *given})
        position = {name: number for number, name in enumerate(every)}
        whole = np.array([*(position[name] for name in names[1]), -1], np.int64)
        alone = np.array([*(position[name] for name in given), -1], np.int64)
        both = {kind: np.concatenate([codes, codes]) for kind, codes in rows.items()}
        both["name"] = np.concatenate([whole[rows["name"]], alone[rows["name"]]])
        again, kept = _distinct(both)
        count = len(rows["name"])
        lean = np.empty(len(kept["name"]), np.int64)
        lean[again[:count]] = again[count:]
        lean[again[count:]] = again[count:]
        others = tuple(differ(kind) for kind in contradictions.others)
        reasons = ("", TAX_CODES, *others, BIRTH_DATES, NAMES, SEXES)
        agreements = (
            _Agreement(dates[1], birth_dates_agree),
            _Agreement(every, names_agree),
            _Agreement(every, names_share),
        )
        return cls(again[:count][index], kept, lean, reasons, contradictions, *agreements)

    def among(self, chosen: Ints) -> Profiles:
        """The same profiles for some of the records, given by their places."""
        return replace(self, index=self.index[chosen])

    @property
    def silent(self) -> Bools:
        """The profiles that can contradict nobody."""
        return np.asarray(np.all(np.stack([codes < 0 for codes in self.columns.values()]), axis=0))

    def between(self, one: Ints, other: Ints) -> Ints:
        """For each pair of profiles, the number of the reason why they cannot be one person; 0 when they can."""
        found = np.zeros(len(one), np.int64)
        left, right = self.columns["tax_code"][one], self.columns["tax_code"][other]
        coded = (left >= 0) & (right >= 0)
        found[coded & (left != right)] = 1
        open_ = np.flatnonzero(~coded)
        for number, kind in enumerate(self.contradictions.others, 2):
            open_ = self._settle(found, open_, self._unequal(kind, one[open_], other[open_]), number)
        last = len(self.reasons)
        far = self._unequal("birth_date", one[open_], other[open_])
        if not self.contradictions.says("birth_date", "exact"):
            far[far] = self._said("birth_date", self.dates_agree, one[open_[far]], other[open_[far]]) == 0
        open_ = self._settle(found, open_, far, last - 3)
        alike = self._said("name", self.names_agree, one[open_], other[open_])
        unlike = (alike == 0) & self.contradictions.says("name", "unlike")
        open_ = self._settle(found, open_, unlike, last - 2)
        sexes = self._unequal("sex", one[open_], other[open_])
        if not self.contradictions.says("sex", "differ"):
            sexes[sexes] = self._said("name", self.names_share, one[open_[sexes]], other[open_[sexes]]) < 1
        self._settle(found, open_, sexes, last - 1)
        return found

    @staticmethod
    def _settle(found: Ints, open_: Ints, contradict: Bools, reason: int) -> Ints:
        found[open_[contradict]] = reason
        return open_[~contradict]

    def _unequal(self, kind: str, one: Ints, other: Ints) -> Bools:
        left, right = self.columns[kind][one], self.columns[kind][other]
        return np.asarray((left >= 0) & (right >= 0) & (left != right))

    def _said(self, kind: str, agreement: _Agreement, one: Ints, other: Ints) -> Ints:
        left, right = self.columns[kind][one], self.columns[kind][other]
        said = np.where((left >= 0) & (right >= 0), 1, -1)
        ask = self._unequal(kind, one, other)
        said[ask] = agreement(left[ask], right[ask])
        return said


def _columns(raw: dict[str, tuple[Ints, Values]], contradictions: Contradictions) -> dict[str, tuple[Ints, list[str]]]:
    """The values of each kind made comparable: a number for each record, and what the numbers stand for."""
    codes, taxes = raw["tax_code"]
    made = {kind: (numbers, values) for kind, (numbers, values) in raw.items() if kind != "tax_code"}
    people = decode_each(taxes)
    canonical = [person and person.canonical for person in people]
    decoded = contradictions.says("tax_code", "decoded")
    day = today()
    dates = [person.born_by(day).isoformat() if decoded and person else None for person in people]
    sexes = [person.sex if decoded and person else None for person in people]
    made["tax_code"] = codes, canonical if contradictions.says("tax_code", "differ") else [None] * len(taxes)
    born, stated_dates = raw["birth_date"]
    birth = [value if value and birth_dates_agree(value, value) else None for value in stated_dates]
    # which of two centuries a code means is what was stated
    place = {value: number for number, value in enumerate(birth) if value}
    early = [_other_birth(person, date) for person, date in zip(people, dates, strict=True)]
    is_early = (born >= 0) & (np.array([*(place.get(date or "", -2) for date in early), -2])[codes] == born)
    made["birth_date"] = _standing((np.where(is_early, -1, codes), dates), (born, birth), contradictions.dates)
    said = [value.strip().upper()[:1] if value else None for value in raw["sex"][1]]
    stated = [value if value in ("M", "F") else None for value in said]
    made["sex"] = _standing((codes, sexes), (raw["sex"][0], stated), contradictions.sexes)
    plain = [plain_name(value) for value in raw["name"][1]]
    made["name"] = raw["name"][0], [name if name and not name.startswith("|") else None for name in plain]
    return {kind: _renumbered(*given) for kind, given in made.items()}


def _other_birth(person: Person | None, date: str | None) -> str | None:
    """The birth a century before the one that a code is taken to mean, where it can mean that one too."""
    other = person and person.early_birth_date
    return str(other) if other and date and other.year != int(date[:4]) else None


def _standing(first: tuple[Ints, Values], second: tuple[Ints, Values], asked: bool) -> tuple[Ints, Values]:
    """The first value of a record where it says something, else the second."""
    if not asked:
        return np.full(len(first[0]), -1), []
    speaks = np.array([*(value is not None for value in first[1]), False])[first[0]]
    return np.where(speaks, first[0], np.where(second[0] < 0, -1, second[0] + len(first[1]))), first[1] + second[1]


def _renumbered(numbers: Ints, values: Values) -> tuple[Ints, list[str]]:
    """Equal values under one number, in text order; -1 for none."""
    said = pa.array([value or None for value in values], pa.string())
    distinct = pc.drop_null(pc.unique(said))
    distinct = distinct.take(pc.sort_indices(distinct))
    rank = pc.index_in(said, value_set=distinct).fill_null(-1).to_numpy()
    return np.append(rank, -1).astype(np.int64)[numbers], distinct.to_pylist()


def _distinct(columns: dict[str, Ints]) -> tuple[Ints, dict[str, Ints]]:
    """The distinct rows of several columns, and which of them each row is."""
    index = np.zeros(len(next(iter(columns.values()))), np.int64)
    for codes in columns.values():
        index = np.unique(index * (codes.max(initial=0) + 2) + codes + 1, return_inverse=True)[1]
    first = np.full(int(index.max(initial=-1)) + 1, len(index))
    np.minimum.at(first, index, np.arange(len(index)))
    return index, {kind: codes[first] for kind, codes in columns.items()}
