"""Which format a layout asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snello.kit.files.writing.columnar import Parquet
from snello.kit.files.writing.delimited import Delimited
from snello.kit.files.writing.encoding import Encoder
from snello.kit.files.writing.fixed import Fixed
from snello.kit.files.writing.layout import Layout


def encoder(layout: Layout, schema: Mapping[str, Any]) -> Encoder:
    """The encoder of a layout; ``schema``: JSON schema of the audience, for formats with types."""
    if layout.format == "parquet":
        return Parquet(layout, schema)
    return Fixed(layout) if layout.format == "fixed" else Delimited(layout)
