"""Faults that both the hub and the Singer SDK have a name for."""

from __future__ import annotations

from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException

from snello.errors import ContractError, RowsRefused


class NoSchema(ContractError, RecordsWithoutSchemaException):
    """A record or file came for a stream that no SCHEMA message declared."""


class KeysMissing(RowsRefused, MissingKeyPropertiesError):
    """All rows that were refused lack a key."""
