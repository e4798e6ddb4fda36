"""Exceptions of Odoo, by the names of their classes: their messages are translated and quote values."""

from __future__ import annotations

from snello.kit.rest import ConfigError, Errors

CLASS = "$.error.data.name"
REFUSED = {"odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"}
NO_DATABASE = {"psycopg2.OperationalError", "psycopg2.errors.OperationalError"}
NO_MODEL = "odoo.exceptions.UserError"
ERRORS = Errors(
    "$.error",
    code=CLASS,
    again={
        "psycopg2.errors.SerializationFailure",
        "psycopg2.errors.DeadlockDetected",
        "psycopg2.errors.LockNotAvailable",
        "odoo.exceptions.ConcurrencyError",
        "odoo.exceptions.LockError",
    },
    denied={"odoo.exceptions.AccessError"},
)


def refused() -> ConfigError:
    """Odoo does not know the login with this key."""
    cure = "renew api_key, and see that login and database are right"
    return ConfigError("tap-odoo", "Odoo refuses the login", cure)


def no_database(where: str) -> ConfigError:
    """Odoo has no such database."""
    cure = "set database to one that it has"
    return ConfigError(where, "the server has no such database, or does not reach it", cure)


def not_there(where: str, place: str) -> ConfigError:
    """Nothing answers to JSON-2 at this place."""
    cure = "check url and database; versions before 19 are read with interface: jsonrpc"
    return ConfigError(where, f"404 from {place}", cure)
