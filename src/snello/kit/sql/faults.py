"""What a database says when it fails, told in one sentence of ours: its own words carry URLs and values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError


@dataclass(frozen=True)
class Place:
    """Where a database is, without its secrets."""

    plugin: str
    server: str
    user: str
    database: str

    def at(self, table: str | None) -> str:
        """The plugin, and the table when the fault is in one."""
        return f"{self.plugin}: {table}" if table else self.plugin


@dataclass(frozen=True)
class _Sign:
    pattern: re.Pattern[str]
    fault: type[SnelloError]
    what: str
    cure: str


def _sign(pattern: str, fault: type[SnelloError], what: str, cure: str) -> _Sign:
    return _Sign(re.compile(pattern, re.IGNORECASE | re.DOTALL), fault, what, cure)


_AGAIN = "run again: the read goes on where the state ends"

# Codes of PostgreSQL (and of the SQL standard), MySQL, SQL Server, Oracle and the words of drivers that give no code.
_SIGNS = (
    _sign(
        r"does not support SSL|SSL is required but",
        ConfigError,
        "{server} does not offer the encryption that setting url demands",
        "turn TLS on at the server, or choose another sslmode in setting url",
    ),
    _sign(
        r"certificate.verify.failed|certificate for .* does not match|hostname mismatch|root certificate file|"
        r"mysql 2026",
        ConfigError,
        "{server} shows a certificate that cannot be verified",
        "name the file of its authority in setting url (sslrootcert for PostgreSQL, ssl_ca for MySQL), and the host "
        "as the certificate does",
    ),
    _sign(
        r"28P01|28000|password authentication failed|no password supplied|role \S+ does not exist|"
        r"mysql 1045|ORA-01017|login failed",
        ConfigError,
        "{server} refused user {user}: wrong user or password",
        "check the user and password in setting url",
    ),
    _sign(
        r"no pg_hba\.conf entry|mysql 1130",
        ConfigError,
        "{server} does not let user {user} in from this machine",
        "allow this machine in the server's access rules",
    ),
    _sign(
        r"could not translate host|name or service not known|failed to resolve|getaddrinfo|unknown host|"
        r"nodename nor servname|temporary failure in name resolution|mysql 2005|ORA-12154",
        ConfigError,
        "unknown host in {server}",
        "check the host in setting url",
    ),
    _sign(
        r"3D000|database \S+ does not exist|mysql 1049|ORA-12514",
        ConfigError,
        "{server} has no database {database}",
        "check the database in setting url",
    ),
    _sign(
        r"unable to open database file|file is not a database",
        ConfigError,
        "{database} is not a database that can be read",
        "check the path in setting url",
    ),
    _sign(
        r"42P01|no such table|mysql 1146|42S02|ORA-00942",
        ContractError,
        "the table is gone",
        "deselect it, or run discovery again",
    ),
    _sign(
        r"42703|no such column|mysql 1054|42S22|ORA-00904",
        ContractError,
        "a column is gone since the table was read last",
        "deselect it, or run discovery again",
    ),
    _sign(
        r"42501|permission denied|mysql 1142|mysql 1044|ORA-01031|permission was denied",
        ConfigError,
        "user {user} may not read it",
        "grant select to that user, or deselect the table",
    ),
    _sign(
        r"57014|canceling statement|query timeout|mysql (1317|1969|3024)\b",
        RetryLater,
        "{server} cancelled the query",
        "raise the server's statement timeout for this user, then run again",
    ),
    _sign(
        r"57P0\d|\b08\d\w\w\b|53\d\d\d|40001|40P01|server closed the connection|terminating connection|"
        r"lost connection|database is locked|too many (clients|connections)|ORA-03113|ssl syscall|"
        r"mysql (1040|1053|1205|1213|1927|2006|2013|2055)\b",
        RetryLater,
        "{server} broke off or is busy",
        _AGAIN,
    ),
    _sign(
        r"connection refused|could not connect|is the server running|timeout expired|timed out|connection failed|"
        r"no such file or directory|no route to host|network is unreachable|mysql 2002|mysql 2003|ORA-12541|HYT00",
        RetryLater,
        "{server} does not answer",
        "start it, or check host and port in setting url, then run again",
    ),
)


def told(error: BaseException, place: Place, table: str | None = None) -> SnelloError:
    """The fault in our words: never the database's own, which hold the URL, the statement or a value."""
    if isinstance(error, SnelloError):
        return error
    cause = getattr(error, "orig", None) or error
    code = code_of(cause)
    text = f"{code} {cause}"
    for sign in _SIGNS:
        if sign.pattern.search(text):
            words = {"server": place.server, "user": place.user, "database": place.database}
            return sign.fault(place.at(table), sign.what.format(**words), sign.cure)
    name = type(cause).__name__ + (f" {code}" if code else "")
    what = f"{place.server} answered with {name}"
    return ContractError(place.at(table), what, "look the code up in the server's log")


def code_of(cause: BaseException) -> str:
    """The vendor's or the standard's code of a driver's exception, as text."""
    first = cause.args[0] if cause.args else None
    if isinstance(first, int):  # before the standard's code, which for most of MySQL's faults says nothing
        return f"mysql {first}"
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state:
        return str(state)
    return first if isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first) else ""
