"""The hub's salt in SQL: one function that knows it, and the check that it is still the one of the last publication.

No statement ever holds the salt, so no log or compiled file does.
"""

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


def check_salt(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise ``ConfigError`` where published refusals were hashed under another salt: they would all be nobody's.

    - a first run, one without kept refusals and one without a salt pass; so do refusals that bear no mark
    """
    if not _known():
        return
    others = "select 1 from published.consent_suppressions where salt_mark <> secret_key('snello') limit 1"
    try:
        found = connection.execute(others).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return  # nothing was published, or nothing with a mark
    if found:
        raise ConfigError(
            "setting salt",
            "it is not the one that refusals were published under: those of people and rows that are gone would end",
            "set SNELLO_SALT to what it was",
        )


def _keyed(values: pa.ChunkedArray) -> pa.Array:
    encoded = values.combine_chunks().dictionary_encode()
    hashed = [hash_key(value, _salt()) for value in encoded.dictionary.to_pylist()]
    return pa.array(hashed, pa.string()).take(encoded.indices)


@lru_cache(maxsize=1)
def _known() -> str:
    try:
        return settings.load().salt.get_secret_value()
    except ConfigError:
        # dbt alone, outside a Snello project, still knows the variable.
        return os.environ.get("SNELLO_SALT", "")


def _salt() -> str:
    salt = _known()
    if not salt:
        raise ConfigError("setting salt", "it is empty: anybody could recompute a hash", "set SNELLO_SALT")
    return salt
