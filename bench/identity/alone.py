"""Peers that run in our own environment, at the same records: Splink as its guide advises, strict rules.

They get the values normalised by the hub's own functions and without the placeholders that the hub's lists know:
with these left in, each makes clusters of thousands.
"""

from __future__ import annotations

import logging
import warnings

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

COLUMNS = ("first_name", "last_name", "birth_date", "tax_code", "email", "phone", "street", "postcode", "city")
STRICT = (
    ("tax_code",),
    ("email", "first_name", "last_name"),
    ("phone", "first_name", "last_name"),
    ("street", "postcode", "first_name", "last_name"),
    ("birth_date", "first_name", "last_name"),
)


def strict(frame: pl.DataFrame) -> pl.Series:
    """Records equal in any of five combinations of values, and whoever they reach."""
    numbered = frame.with_row_index("row")
    left, right = [], []
    for columns in STRICT:
        known = numbered.drop_nulls(columns)
        first = known.select("row", first=pl.col("row").first().over(columns))
        left.append(first["row"].to_numpy())
        right.append(first["first"].to_numpy())
    return components(np.concatenate(left), np.concatenate(right), frame.height)


def splink(frame: pl.DataFrame, threshold: float = 0.95) -> pl.Series:
    """Splink on DuckDB: comparisons from its library, ``u`` by sampling, ``m`` by two passes of EM, clusters."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as cl

    logging.getLogger("splink").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        blocking_rules_to_generate_predictions=[
            block_on("tax_code"),
            block_on("email"),
            block_on("phone"),
            block_on("street", "postcode"),
            block_on("first_name", "last_name", "birth_date"),
            block_on("last_name", "birth_date"),
            block_on("first_name", "birth_date"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "last_name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.ExactMatch("tax_code"),
            cl.EmailComparison("email"),
            cl.ExactMatch("phone"),
            cl.LevenshteinAtThresholds("street", [1, 3]),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    data = frame.select("record", *COLUMNS).with_columns(pl.col("birth_date").cast(pl.String)).to_arrow()
    api = DuckDBAPI()
    linker = Linker(api.register(data), settings, log_level=100)
    rules = [block_on("tax_code"), block_on("email", "first_name"), block_on("phone", "first_name", "last_name")]
    linker.training.estimate_probability_two_random_records_match(rules, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "last_name"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("birth_date"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    pairs = linker.inference.predict(threshold_match_probability=0.01)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=threshold)
    clusters = pl.DataFrame(found.as_pyarrow_table()).select("record", "cluster_id")
    return frame.select("record").join(clusters, on="record", how="left")["cluster_id"]


def components(left: np.ndarray, right: np.ndarray, size: int) -> pl.Series:
    """The group of each of ``size`` rows, joined pair by pair."""
    joined = coo_array((np.ones(len(left)), (left, right)), shape=(size, size))
    return pl.Series(connected_components(joined, directed=False)[1])
