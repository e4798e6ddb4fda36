"""The peers on FEBRL, each as its own guide has it and once more at the best that was found for it.

- Splink: its example for FEBRL; then all columns of the address, more blocks and a longer sample
- GoldenMatch: its probabilistic way, which its guide advises for people; then with two settings of its tuning guide,
  dates compared by distance and rare names counted more
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

sys.path.append(str(Path(__file__).parents[1]))
from peers import programs

AT_BEST = {"GOLDENMATCH_FS_DOMAIN_COMPARATORS": "1", "GOLDENMATCH_FS_TF_ADJUSTMENT": "1"}
REPEATABLE = {"GOLDENMATCH_AUTOCONFIG_MEMORY": "0"}
WIDE = (
    ("given_name", "surname"),
    ("date_of_birth",),
    ("given_name", "postcode"),
    ("surname", "postcode"),
    ("suburb", "street_number"),
    ("address_1",),
    ("state", "address_2"),
    ("substr(given_name,1,3)", "substr(surname,1,4)"),
)
Peer = Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True)
class Setting:
    """How Splink is set: what it compares, where it looks, which records it takes for one person at first."""

    comparisons: Sequence[Any]
    blocks: Sequence[Any]
    certain: Sequence[Any]
    recall: float
    sample: float
    learned_on: Sequence[Any]
    accept: float


def by_example(numbered: bool) -> Setting:
    """As Splink's example deduplicates FEBRL 3, with the finer comparisons of its example for FEBRL 4."""
    from splink import block_on
    from splink import comparison_library as cl

    number = ["soc_sec_id"] if numbered else []
    return Setting(
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            *(cl.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in number),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
        blocks=[block_on(name) for name in (*number, "given_name", "surname", "date_of_birth", "postcode")],
        certain=[*map(block_on, number), block_on("given_name", "surname", "date_of_birth")],
        recall=0.9 if numbered else 0.8,
        sample=1e6,
        learned_on=[block_on("date_of_birth"), block_on("postcode")],
        accept=0.99,
    )


def at_best(numbered: bool) -> Setting:
    """All columns of the address too, and more pairs to look at."""
    from splink import block_on
    from splink import comparison_library as cl

    number = ["soc_sec_id"] if numbered else []
    return Setting(
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
            *(cl.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in number),
        ],
        blocks=[block_on(*names) for names in (*([name] for name in number), *WIDE)],
        certain=[block_on("given_name", "surname", "date_of_birth"), block_on("date_of_birth", "postcode")],
        recall=0.7,
        sample=5e6,
        learned_on=[block_on("date_of_birth"), block_on("given_name", "surname")],
        accept=0.9,
    )


def splink(frame: pl.DataFrame, setting: Callable[[bool], Setting]) -> pl.Series:
    """Splink alone: ``u`` by sampling, ``m`` by two passes of EM, final clusters."""
    from splink import DuckDBAPI, Linker, SettingsCreator

    logging.getLogger("splink").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    chosen = setting("soc_sec_id" in frame.columns)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        blocking_rules_to_generate_predictions=list(chosen.blocks),
        comparisons=list(chosen.comparisons),
    )
    api = DuckDBAPI()
    linker = Linker(api.register(frame.to_arrow()), settings, log_level=100)
    linker.training.estimate_probability_two_random_records_match(list(chosen.certain), recall=chosen.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=chosen.sample, seed=1)
    for block in chosen.learned_on:
        linker.training.estimate_parameters_using_expectation_maximisation(block)
    pairs = linker.inference.predict(threshold_match_probability=0.1)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=chosen.accept
    )
    clusters = pl.DataFrame(found.as_pyarrow_table()).select("record", "cluster_id")
    return frame.select("record").join(clusters, on="record", how="left", maintain_order="left")["cluster_id"]


def goldenmatch(frame: pl.DataFrame, settings: dict[str, str]) -> pl.Series:
    """GoldenMatch in its own environment; ``settings`` are its own variables of the environment."""
    with tempfile.TemporaryDirectory() as folder:
        given, wanted = Path(folder) / "given.parquet", Path(folder) / "wanted.parquet"
        frame.write_parquet(given)
        script = Path(__file__).with_name("goldenmatch_alone.py")
        command = [programs() / "python", script, given, wanted, "probabilistic"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | REPEATABLE | settings)
        found = pl.read_parquet(wanted)
    return frame.select("record").join(found, on="record", how="left", maintain_order="left")["cluster"]


PEERS: dict[str, Peer] = {
    "Splink, its example": lambda frame: splink(frame, by_example),
    "Splink, at its best": lambda frame: splink(frame, at_best),
    "GoldenMatch, its guide": lambda frame: goldenmatch(frame, {}),
    "GoldenMatch, at its best": lambda frame: goldenmatch(frame, AT_BEST),
}
