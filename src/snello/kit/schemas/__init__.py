"""Schemas of streams: out of a vendor's OpenAPI document, or out of records that were read, and how the two differ."""

from snello.kit.schemas.drift import Difference, extended
from snello.kit.schemas.infer import Shape
from snello.kit.schemas.openapi import schema_from

__all__ = ["Difference", "Shape", "extended", "schema_from"]
