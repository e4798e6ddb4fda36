"""Operations on columns of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
import polars as pl

from snello.sandbox.draw import Draw, Mask


def mapped(texts: pl.Series, function: Callable[[str], str]) -> pl.Series:
    """``function`` of each text, called once for each distinct one; null stays null."""
    distinct = texts.drop_nulls().unique().sort()
    answers = pl.Series([function(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, answers, default=None, return_dtype=pl.String)


def plain(text: str) -> str:
    """Lower-case ASCII letters and digits of a text."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).lower() if c.isascii() and c.isalnum())


def apostrophised(text: str) -> str:
    """Accents as old systems keep them: Niccolò becomes Niccolo'."""
    parts = unicodedata.normalize("NFD", text)
    return "".join("'" if unicodedata.combining(c) else c for c in parts)


def patch(texts: pl.Series, where: Mask, values: pl.Series) -> pl.Series:
    """``texts`` with the rows of the mask replaced, in order, by ``values``."""
    rows = np.arange(len(texts), dtype=np.int64)
    rows[where] = np.arange(len(values), dtype=np.int64) + len(texts)
    return pl.concat([texts, values.cast(texts.dtype)]).gather(rows).rename(texts.name)


def blank(texts: pl.Series, where: Mask) -> pl.Series:
    """``texts`` with null in the rows of the mask."""
    return patch(texts, where, pl.repeat(None, int(where.sum()), dtype=texts.dtype, eager=True))


def choose(where: Mask, yes: pl.Series, no: pl.Series) -> pl.Series:
    """``yes`` in the rows of the mask, ``no`` in the others."""
    return yes.zip_with(pl.Series(where), no).rename(no.name)


def typos(texts: pl.Series, where: Mask, draw: Draw) -> pl.Series:
    """One slip of the keyboard in the rows of the mask: a letter lost, doubled, swapped with the next or replaced."""
    hurt = texts.filter(pl.Series(where))
    size = len(hurt)
    lengths = hurt.str.len_chars().fill_null(0).cast(pl.Int64).to_numpy()
    frame = pl.DataFrame(
        {
            "t": hurt,
            "at": 1 + (draw.rng.random(size) * np.maximum(lengths - 2, 1)).astype(np.int64),
            "kind": draw.ints(0, 3, size),
            "letter": draw.pick(list("aeiorntslc"), size),
        }
    )
    text, at = pl.col("t"), pl.col("at")
    head, rest = text.str.slice(0, at), text.str.slice(at + 1)
    here, after = text.str.slice(at, 1), text.str.slice(at + 1, 1)
    slipped = (
        pl.when(pl.col("kind") == 0)
        .then(head + rest)
        .when(pl.col("kind") == 1)
        .then(head + here + here + rest)
        .when(pl.col("kind") == 2)
        .then(head + after + here + text.str.slice(at + 2))
        .otherwise(head + pl.col("letter") + rest)
    )
    return patch(texts, where, frame.select(slipped.alias("t"))["t"])
