"""Is there anyone at the other end of the plugins' settings? Nothing is written and nothing is read but a greeting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snello.cli.checks.finding import Finding, Findings
from snello.cli.checks.ground import Ground, Plugin
from snello.errors import ConfigError, RetryLater, SnelloError

_SECONDS = 5
_URLS = ("url", "api_url")


def check(ground: Ground) -> Iterator[Finding]:
    """One greeting for each database, service and set of files that a job of the project reads or writes."""
    findings = Findings("connections")
    try:
        plugins = ground.in_use
    except SnelloError:
        return  # told under meltano.yml
    for plugin in plugins:
        for name, value in _ends(plugin):
            with findings.ask(f"{plugin.name}: {name}"):
                _greet(f"{plugin.name}: {name}", value, ground.root)
    yield from findings.found


def _ends(plugin: Plugin) -> Iterator[tuple[str, str]]:
    for name in _URLS:
        if isinstance(plugin.settings.get(name), str):
            yield name, plugin.settings[name]
    files = plugin.settings.get("files")
    for entry in files if isinstance(files, list) else []:
        if isinstance(entry, dict) and "path" in entry:
            yield str(entry.get("stream", "file")), str(entry["path"])


def _greet(where: str, value: str, root: Path) -> None:
    scheme, separator, _ = value.partition("://")
    if not separator:
        _files(where, value, root)
    elif scheme in {"http", "https"}:
        _service(where, value)
    elif scheme in {"s3", "gs", "gcs", "az", "abfs", "sftp", "ftp", "file", "memory"}:
        _files(where, value, root)
    else:
        _database(where, value, root)


def _files(where: str, pattern: str, root: Path) -> None:
    from fsspec.core import url_to_fs

    try:
        store, path = url_to_fs(pattern if "://" in pattern else str(root / pattern))
        found = store.glob(path)
    except (OSError, ImportError, ValueError) as error:
        raise RetryLater(where, f"the file store does not answer ({type(error).__name__})", "check the path") from None
    if not found:
        raise ConfigError(where, f"no file matches {pattern}", "correct the path, or put the files there")


def _service(where: str, url: str) -> None:
    import requests

    try:
        answer = requests.head(url, timeout=_SECONDS, allow_redirects=True)
    except requests.RequestException as error:
        what = f"nobody answers ({type(error).__name__})"
        raise RetryLater(where, what, "check the address, start the service, run again") from None
    if answer.status_code >= 500:
        raise RetryLater(where, f"it answers with {answer.status_code}", "run again when the service is well")


def _database(where: str, url: str, root: Path) -> None:
    import sqlalchemy as sa

    try:
        parsed = sa.make_url(url)
        arguments: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            file = root / (parsed.database or "")
            if not file.is_file():
                raise ConfigError(where, f"no database file {parsed.database}", "correct the path")
            parsed = parsed.set(database=f"file:{file}", query={"mode": "ro", "uri": "true"})
        elif parsed.get_backend_name() == "postgresql":
            arguments["connect_timeout"] = _SECONDS
        with sa.create_engine(parsed, connect_args=arguments).connect() as connection:
            connection.execute(sa.text("select 1"))
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError):
        raise ConfigError(where, "its URL does not parse, or has no driver here", "correct the URL") from None
    except sa.exc.DBAPIError as error:
        raise _refused(where, error) from None


def _refused(where: str, error: Any) -> SnelloError:
    words = str(error.orig).lower()
    if "password" in words or "authentication" in words or "access denied" in words:
        return ConfigError(where, "user or password refused", "correct them in the URL")
    if "does not exist" in words or "unknown database" in words:
        return ConfigError(where, "no such database or user", "correct the URL")
    return RetryLater(where, "the database does not answer", "check the address, start the server, run again")
