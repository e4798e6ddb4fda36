"""The Italian tax code (*codice fiscale*), computed by columns."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
import polars as pl

from snello.sandbox.draw import Ints, Mask

MONTHS = "ABCDEHLMPRST"
HOMOCODY = "LMNPQRSTUV"
ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
# Where a homocody may put a letter for a digit, in the order in which the tax office does.
DIGITS = (14, 13, 12, 10, 9, 7, 6)

Bytes = npt.NDArray[np.uint8]


def name_code(name: str, given: bool) -> str:
    """Three letters of a surname, or of a given name (which skips its second of four consonants)."""
    plain = unicodedata.normalize("NFKD", name).upper()
    letters = [c for c in plain if "A" <= c <= "Z"]
    consonants = [c for c in letters if c not in "AEIOU"]
    vowels = [c for c in letters if c in "AEIOU"]
    if given and len(consonants) > 3:
        del consonants[1]
    return "".join([*consonants[:3], *vowels, "X", "X", "X"][:3])


def tax_codes(last: pl.Series, first: pl.Series, birth: pl.Series, sex: pl.Series, place: pl.Series) -> pl.Series:
    """Tax codes of people given by columns; people who would share one get homocody letters, as the tax office does."""
    surname, given = _coded(last, given=False), _coded(first, given=True)
    frame = pl.DataFrame({"l": surname, "f": given, "b": birth, "s": sex, "p": place})
    day = pl.col("b").dt.day().cast(pl.Int32) + pl.when(pl.col("s") == "F").then(40).otherwise(0)
    stem = pl.concat_str(
        "l",
        "f",
        pl.col("b").dt.strftime("%y"),
        (pl.col("b").dt.month().cast(pl.Int32) - 1).replace_strict(dict(enumerate(MONTHS)), return_dtype=pl.String),
        day.cast(pl.String).str.zfill(2),
        "p",
    )
    stems = frame.select(stem.alias("stem"))
    twin = stems.select(pl.int_range(pl.len()).over("stem").alias("twin"))["twin"].to_numpy()
    matrix = _matrix(stems["stem"])
    for k in range(1, len(DIGITS) + 1):
        homocode(matrix, DIGITS[k - 1], twin >= k)
    return sealed(matrix)


def homocode(stems: Bytes, position: int, where: Mask) -> None:
    """Replace the digit at ``position`` by its homocody letter in the chosen rows, in place."""
    column = stems[:, position]
    digit = where & (column >= ord("0")) & (column <= ord("9"))
    letters = np.frombuffer(HOMOCODY.encode(), dtype=np.uint8)
    column[digit] = letters[column[digit] - ord("0")]


def sealed(stems: Bytes) -> pl.Series:
    """The stems of fifteen characters with their check character."""
    alphabet = np.where(stems >= ord("A"), stems - ord("A"), stems - ord("0")).astype(np.int64)
    odd = np.array(ODD, dtype=np.int64)
    total = odd[alphabet[:, 0::2]].sum(axis=1) + alphabet[:, 1::2].sum(axis=1)
    check = (total % 26 + ord("A")).astype(np.uint8)
    return _text(np.column_stack([stems, check]))


def homocoded(codes: pl.Series, places: Ints) -> pl.Series:
    """Valid homocody variants of valid codes: a letter in the ``places``-th digit from the end."""
    stems = _matrix(codes.str.slice(0, 15))
    for k, position in enumerate(DIGITS):
        homocode(stems, position, places == k)
    return sealed(stems)


def _coded(names: pl.Series, *, given: bool) -> pl.Series:
    """Codes of names, computed once for each distinct name."""
    distinct = names.unique().sort()
    codes = [name_code(name, given) for name in distinct]
    return names.replace_strict(distinct, codes, return_dtype=pl.String)


def _matrix(texts: pl.Series) -> Bytes:
    """Fixed-length ASCII texts as a matrix of bytes, a copy that may be written."""
    joined = texts.str.join("").item()
    return (
        np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(texts), -1).copy()
        if len(texts)
        else np.zeros((0, 15), np.uint8)
    )


def _text(matrix: Bytes) -> pl.Series:
    width = matrix.shape[1]
    return pl.Series(np.ascontiguousarray(matrix).view(f"S{width}").ravel().astype(f"U{width}"), dtype=pl.String)
