"""The one function of SQL that knows the hub's salt; no statement ever holds it, so no log or compiled file does."""

from __future__ import annotations

import os
from functools import lru_cache

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snello import settings
from snello.errors import ConfigError
from snello.identifiers import hash_key

NAME = "secret_key"


def register_salted(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``secret_key(text)`` known: the hash of a text under the salt; null of nothing.

    Without a salt a query that hashes something fails: a hash that anybody can work out again hides nothing.
    """
    connection.create_function(
        NAME, _keyed, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW, null_handling=FunctionNullHandling.SPECIAL
    )


def _keyed(values: pa.ChunkedArray) -> pa.Array:
    encoded = values.combine_chunks().dictionary_encode()
    hashed = [hash_key(value, _salt()) for value in encoded.dictionary.to_pylist()]
    return pa.array(hashed, pa.string()).take(encoded.indices)


@lru_cache(maxsize=1)
def _salt() -> str:
    try:
        salt = settings.load().salt.get_secret_value()
    except ConfigError:
        # dbt alone, outside a Snello project, still knows the variable.
        salt = os.environ.get("SNELLO_SALT", "")
    if not salt:
        raise ConfigError("setting salt", "it is empty: anybody could recompute a hash", "set SNELLO_SALT")
    return salt
