"""Splink at work on pairs that were chosen: the level of each comparison, and its score."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from splink import SettingsCreator
from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls
from splink.internals.dialects import SplinkDialect
from splink.internals.predict import predict_from_comparison_vectors_sqls

from snello.identity.likelihood.comparisons import TERMS
from snello.identity.likelihood.model import Model


def compare(connection: duckdb.DuckDBPyConnection, pairs: str, model: Model, least: float | None = None) -> str:
    """Splink's predictions over the table ``pairs``, as the name of a table.

    ``gamma_…`` is the level of each comparison, ``mw_…`` its bits; ``match_weight``, at ``least``, all bits with the
    prior. Splink's own way would write the compared values down beside them.
    """
    for word in TERMS.values():
        _share(connection, word, model)
    shares = " ".join(f"left join terms_{word} using ({word})" for word in TERMS.values())
    connection.execute(f"create or replace view compared as select * from prepared {shares}")
    steps = {"__splink__blocked_id_pairs": f"select * from {pairs}"}
    steps |= {step["output_table_name"]: step["sql"] for step in _steps(model, least)}
    *before, (_, last) = steps.items()
    connection.execute(
        f"create or replace table predicted as with {', '.join(f'{name} as ({sql})' for name, sql in before)} {last}"
    )
    return "predicted"


def _steps(model: Model, least: float | None) -> list[dict[str, str]]:
    settings = SettingsCreator.from_path_or_dict(model.splink()).get_settings("duckdb")
    info = settings.column_info_settings
    return [
        *compute_comparison_vector_values_from_id_pairs_sqls(
            settings._columns_to_select_for_blocking,
            settings._columns_to_select_for_comparison_vector_values,
            input_tablename_l="compared",
            input_tablename_r="compared",
            source_dataset_input_column=info.source_dataset_input_column,
            unique_id_input_column=info.unique_id_input_column,
        ),
        *predict_from_comparison_vectors_sqls(
            unique_id_input_columns=info.unique_id_input_columns,
            core_model_settings=settings.core_model_settings,
            sql_dialect=SplinkDialect.from_string("duckdb"),
            threshold_match_weight=least,
            retain_intermediate_calculation_columns=True,
            training_mode=True,
        ),
    ]


def _share(connection: duckdb.DuckDBPyConnection, word: str, model: Model) -> None:
    """The table ``terms_…`` of each word that a record has, and of its share of all records."""
    shares = model.terms.get(word, {})
    said = {word: pa.array(list(shares), pa.string()), "share": pa.array(list(shares.values()), pa.float64())}
    connection.register("said", pa.table(said))
    connection.execute(
        f"""
        create or replace table terms_{word} as
        select {word}, coalesce(share, {model.rare.get(word, "null")}) as tf_{word}
        from (select distinct {word} from prepared where {word} is not null) left join said using ({word})
        """
    )
    connection.unregister("said")
