"""Splink at work on pairs that were chosen: the level of each comparison, and its score."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from splink import Linker
from splink.internals.duckdb.database_api import DuckDBAPI

from snello.identity.likelihood.comparisons import TERMS
from snello.identity.likelihood.model import Model

_SILENT = 100  # above every level of logging: Splink's progress is not ours


def compare(connection: duckdb.DuckDBPyConnection, pairs: str, model: Model, least: float | None = None) -> str:
    """Splink's predictions over the table ``pairs``, as the name of the table that holds them.

    ``gamma_…`` is the level of each comparison; ``match_weight``, at ``least``, bits of evidence with the prior.
    """
    api = DuckDBAPI(connection)
    linker = Linker(api.register("prepared"), model.splink(), log_level=_SILENT, validate_settings=False)
    for column in TERMS.values():
        shares = model.terms.get(column, {})
        said = {"value": pa.array(list(shares), pa.string()), "share": pa.array(list(shares.values()), pa.float64())}
        connection.register("said", pa.table(said))
        connection.execute(
            f"""
            create or replace table terms_{column} as
            select distinct {column}, coalesce(share, {model.rare.get(column, "null")}) as tf_{column}
            from prepared left join said on {column} = value where {column} is not null
            """
        )
        linker.table_management.register_term_frequency_lookup(api.register(f"terms_{column}"), column)
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs))
    return str(linker.inference.predict(threshold_match_weight=least, warning_mode="never").physical_name)
