"""Is there anyone at the other end of the plugins' settings? Nothing is written and nothing is read but a greeting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
        for name, value in _ends(plugin, ground):
            with findings.ask(f"{plugin.name}: {name}"):
                _greet(plugin, name, value, ground.root)
    yield from findings.found


def _ends(plugin: Plugin, ground: Ground) -> Iterator[tuple[str, str]]:
    for name in _URLS:
        url = plugin.settings.get(name)
        if isinstance(url, str) and not _own_ledger(url, ground):
            yield name, url
    files = plugin.settings.get("files")
    for entry in files if isinstance(files, list) else []:
        if isinstance(entry, dict) and "path" in entry:
            yield str(entry.get("stream", "file")), str(entry["path"])


def _own_ledger(url: str, ground: Ground) -> bool:
    """The hub's own ledger is read back as a source; the first run makes it."""
    return url == ground.hub.ledger or f"sqlite:///{ground.root / url.removeprefix('sqlite:///')}" == ground.hub.ledger


def _greet(plugin: Plugin, name: str, value: str, root: Path) -> None:
    where = f"{plugin.name}: {name}"
    scheme, separator, _ = value.partition("://")
    if name not in _URLS:
        _files(where, value, root)
    elif not separator:
        raise ConfigError(where, "it is not a URL", "write it as scheme://host/path")
    elif scheme in {"http", "https"}:
        _service(where, value)
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
    from snello.kit.sql.source import Source

    file = url.removeprefix("sqlite:///")
    if file != url:
        url = f"sqlite:///{root / file}"
    with Source(url, where).connect():
        return
