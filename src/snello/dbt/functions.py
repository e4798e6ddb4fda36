"""The functions of ``snello.identifiers`` as DuckDB functions of the same names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any, get_type_hints

import duckdb
import numpy as np
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snello import identifiers
from snello.dbt.hashed import register_hashed
from snello.dbt.salted import NAME, register_salted
from snello.identifiers.columns import Plain, plain_emails, plain_phones, plain_tax_codes
from snello.identifiers.email import read_email
from snello.identifiers.phone import read_phone
from snello.identifiers.tax_code import decode

_TYPES = {"str | None": ("VARCHAR", pa.string()), "bool | None": ("BOOLEAN", pa.bool_())}
_FIELDS = {str: _TYPES["str | None"], bool: _TYPES["bool | None"], date: ("DATE", pa.date32())}
# All that a value says, as a struct: one call where several would each read the value anew.
READINGS: dict[str, Callable[..., Any]] = {
    "read_email": read_email,
    "read_phone": read_phone,
    "read_tax_code": decode,
}
# Most values are plain, and read by the column.
PLAIN: dict[str, Callable[..., Plain]] = {
    "read_email": plain_emails,
    "read_phone": plain_phones,
    "read_tax_code": plain_tax_codes,
}


def sql_functions() -> dict[str, tuple[int, str]]:
    """Every function of one answer that SQL can call: name → (number of text arguments, type of the answer)."""
    found = {}
    for name in identifiers.__all__:
        signature = inspect.signature(getattr(identifiers, name))
        answer = _TYPES.get(str(signature.return_annotation))
        if answer and all(str(p.annotation) == "str | None" for p in signature.parameters.values()):
            found[name] = (len(signature.parameters), answer[0])
    return found


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions, the ``READINGS`` and those of ``hashed`` known to every cursor of the connection's database.

    - functions that are known already stay
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
    register_hashed(connection, known)
    functions = {name: (_vectorised(name), *said) for name, said in sql_functions().items()}
    functions |= {name: _reading(function, PLAIN[name]) for name, function in READINGS.items()}
    for name, (function, arity, answer) in functions.items():
        if name not in known:
            connection.create_function(
                name,
                function,
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


def _reading(function: Callable[..., Any], plain: Callable[..., Plain]) -> tuple[Callable[..., pa.Array], int, str]:
    """The function over rows, its number of arguments, and the struct of the named tuple that it answers."""
    told = get_type_hints(function)["return"].__args__[0]
    fields = {name: _FIELDS[getattr(kind, "__args__", (kind,))[0]] for name, kind in get_type_hints(told).items()}
    answer = pa.struct([(name, arrow) for name, (_, arrow) in fields.items()])
    arity = len(inspect.signature(function).parameters)
    named = ", ".join(f"{name} {sql}" for name, (sql, _) in fields.items())
    return _ARITIES[arity](partial(_read, function, plain, answer)), arity, f"STRUCT({named})"


def _read(
    function: Callable[..., Any],
    plain: Callable[..., Plain],
    answer: pa.StructType,
    columns: Sequence[pa.ChunkedArray],
) -> pa.Array:
    arrays = [column.combine_chunks() for column in columns]
    rows, said = plain(*arrays)
    others = np.delete(np.arange(len(arrays[0])), rows)
    quick = pa.StructArray.from_arrays(
        [field.cast(to.type) for field, to in zip(said, answer, strict=True)], fields=list(answer)
    )
    slow = pa.array(others)
    found = [function(*row) for row in zip(*(array.take(slow).to_pylist() for array in arrays), strict=True)]
    told = pa.array([None if row is None else row._asdict() for row in found], answer)
    order = np.empty(len(arrays[0]), np.int64)
    order[np.concatenate([rows, others])] = np.arange(len(order))
    return pa.concat_arrays([quick, told]).take(pa.array(order))
