"""The functions of ``snello.identifiers`` as DuckDB functions of the same names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snello import identifiers
from snello.dbt.salted import NAME, register_salted

_TYPES = {"str | None": ("VARCHAR", pa.string()), "bool | None": ("BOOLEAN", pa.bool_())}


def sql_functions() -> dict[str, tuple[int, str]]:
    """Every function that SQL can call: name → (number of text arguments, type of the answer)."""
    found = {}
    for name in identifiers.__all__:
        signature = inspect.signature(getattr(identifiers, name))
        answer = _TYPES.get(str(signature.return_annotation))
        if answer and all(str(p.annotation) == "str | None" for p in signature.parameters.values()):
            found[name] = (len(signature.parameters), answer[0])
    return found


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to every cursor of the connection's database; known ones stay.

    - all arguments are VARCHAR and must be given; nulls are passed on
    """
    known = {
        name
        for (name,) in connection.execute(
            "select distinct function_name from duckdb_functions() where function_type = 'scalar'"
        ).fetchall()
    }
    if NAME not in known:
        register_salted(connection)
    for name, (arity, answer) in sql_functions().items():
        if name not in known:
            connection.create_function(
                name,
                _vectorised(name),
                ["VARCHAR"] * arity,
                answer,
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
            )


def _vectorised(name: str) -> Callable[..., pa.Array]:
    function = getattr(identifiers, name)
    answer = _TYPES[str(inspect.signature(function).return_annotation)][1]
    # DuckDB counts the parameters of what it is given, so the number must be real.
    arity = len(inspect.signature(function).parameters)
    return _ARITIES[arity](partial(_each, function, answer))


_ARITIES: dict[int, Callable[[Callable[..., pa.Array]], Callable[..., pa.Array]]] = {
    1: lambda each: lambda a: each((a,)),
    2: lambda each: lambda a, b: each((a, b)),
    3: lambda each: lambda a, b, c: each((a, b, c)),
    4: lambda each: lambda a, b, c, d: each((a, b, c, d)),
    5: lambda each: lambda a, b, c, d, e: each((a, b, c, d, e)),
}


def _each(function: Callable[..., Any], answer: pa.DataType, columns: Sequence[pa.ChunkedArray]) -> pa.Array:
    """The function over rows; a value that repeats within the vector is worked out once."""
    if len(columns) == 1:
        encoded = columns[0].combine_chunks().dictionary_encode()
        results = pa.array([function(value) for value in encoded.dictionary.to_pylist()], answer)
        nothing = pa.scalar(function(None), answer)
        found = results.take(encoded.indices)
        return found if not encoded.null_count or not nothing.is_valid else found.fill_null(nothing)
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    distinct = {row: function(*row) for row in set(rows)}
    return pa.array([distinct[row] for row in rows], answer)
