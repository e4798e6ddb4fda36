"""The parameters that likelihood ships with, learned from the severe Italian set and rounded.

.venv/bin/python bench/identity/shipped_parameters.py     writes src/snello/identity/likelihood/shipped.json
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from project import Project

import snello.identity.likelihood as likelihood
from snello.identity.likelihood.comparisons import COMPARISONS
from snello.identity.likelihood.pairs import KEYS
from snello.sandbox.families import make_families

PEOPLE = 12_000
PLACE = Path(likelihood.__file__).with_name("shipped.json")


# A level that the set does not show is not impossible elsewhere.
LEAST = {"match": 2e-3, "relative": 2e-3, "neighbour": 2e-3, "stranger": 1e-7}


def rounded(shares: list[float], least: float) -> list[float]:
    return [0.0, *(max(float(f"{share:.3g}"), least) for share in shares[1:])]


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), make_families(PEOPLE).shapes())
        project.build(("+likelihood_records",))
        made = likelihood.train(project.table("select * from identity.likelihood_records").to_arrow())
    said = asdict(replace(made, keys=KEYS, records=0, terms={}, rare={}, learned={}, note=""))
    said.pop("settings")
    for who, least in LEAST.items():
        said[who] = {name: rounded(shares, least) for name, shares in said[who].items()}
    PLACE.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{PLACE.name}: {len(COMPARISONS)} comparisons out of {made.records:,} records")


if __name__ == "__main__":
    main()
