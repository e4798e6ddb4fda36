"""A model is data: probabilities of each level, how common names are, which keys were affordable, what it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

import pyarrow as pa

from snello.errors import ContractError
from snello.identity.likelihood.comparisons import COMPARISONS, settings, settings_print

Levels = dict[str, list[float]]
ENOUGH = 100.0  # matches that a parameter must rest on to be called estimated
_TOO_FEW = f"fewer than {ENOUGH:.0f} matches know it on both sides: mostly the shipped parameters"


@dataclass(frozen=True)
class Model:
    """All that a score depends on besides the two records.

    - ``match``, ``relative``, ``neighbour``, ``stranger``: how probable each level is, given who the two are
    - ``prior``: how probable it is that two records taken at random are one person; ``kin``: two relatives; ``near``:
      two who live close by
    - ``terms``: the share of records that bear a name, for the common ones; ``rare`` for all others
    - ``keys``: the keys under which pairs meet
    - ``learned``: for each comparison, how many matches its probabilities rest on; 0 where those shipped serve alone
    """

    match: Levels
    relative: Levels
    neighbour: Levels
    stranger: Levels
    prior: float
    kin: float
    near: float
    keys: tuple[str, ...]
    records: int = 0
    terms: dict[str, dict[str, float]] = field(default_factory=dict)
    rare: dict[str, float] = field(default_factory=dict)
    learned: dict[str, float] = field(default_factory=dict)
    note: str = ""
    settings: str = field(default_factory=settings_print)

    @property
    def trained(self) -> bool:
        """Whether anything in it comes from the records at hand."""
        return any(self.learned.values())

    @property
    def fits(self) -> bool:
        """Whether it was made for the comparisons of this version."""
        return self.settings == settings_print()

    @property
    def print(self) -> str:
        """A short hash of all that a score depends on: scores of equal prints are one model's."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def splink(self) -> dict[str, Any]:
        """The settings by which Splink compares, scores and draws; relatives are not part of them."""
        return settings(self.match, self.stranger, self.prior) | {"retain_matching_columns": False}

    def to_json(self) -> str:
        """The model as text."""
        return json.dumps(asdict(self), sort_keys=True)

    def to_table(self) -> pa.Table:
        """One row, as it is kept: ``settings, trained, records, model, report``."""
        row = {
            "settings": self.settings,
            "trained": self.trained,
            "records": self.records,
            "model": self.to_json(),
            "report": json.dumps(list(self.report())),
        }
        return pa.Table.from_pylist([row])

    @classmethod
    def from_table(cls, kept: pa.Table) -> Model:
        """The model out of its row; raises ``ContractError`` when there is none."""
        if not len(kept):
            raise ContractError("likelihood_model", "there is no row", "run dbt build --select +likelihood_model")
        return cls.from_json(kept["model"][0].as_py())

    def report(self) -> Iterator[dict[str, Any]]:
        """How often each level occurs in matches, relatives and strangers, and how that is known."""
        for name, levels in COMPARISONS.items():
            matches = self.learned.get(name, 0.0)
            said = "estimated" if matches >= ENOUGH else f"not estimated, {self.note or _TOO_FEW}"
            for place, (level, _) in enumerate(levels):
                if place:
                    yield {
                        "comparison": name,
                        "level": level,
                        "match": self.match[name][place],
                        "relative": self.relative[name][place],
                        "stranger": self.stranger[name][place],
                        "matches": matches,
                        "said": said,
                    }

    @classmethod
    def from_json(cls, text: str) -> Model:
        """The model out of its text; raises ``ContractError`` when it is none."""
        try:
            said = json.loads(text)
            return cls(**{**said, "keys": tuple(said["keys"])})
        except (ValueError, TypeError, KeyError):
            cure = "run dbt build with --vars 'retrain: true'"
            raise ContractError("identity_model", "the kept likelihood model cannot be read", cure) from None


def shipped() -> Model:
    """The parameters that serve where there is nothing to learn from."""
    return Model.from_json((files(__package__) / "shipped.json").read_text(encoding="utf-8"))
