"""Where the hub keeps its things: one small set of settings that every part reads alike."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from snello.errors import ConfigError

# as Meltano knows them: in braces any name, else one in capitals; a backslash before it leaves it as it is
_NAMED = re.compile(r"(\\)?(\$(?:\{(\w+)\}|([A-Z][A-Z0-9_]*)))")
QUICK: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it: ten times as quick


class Settings(BaseSettings):
    """Settings of the hub, from ``SNELLO_*`` variables, else from the active environment of ``meltano.yml``."""

    model_config = SettingsConfigDict(env_prefix="SNELLO_", extra="ignore")

    lake: str = Field(
        "lake", description="Root of the lake: a folder, or an object store URL such as s3://bucket/lake."
    )
    ledger: str = Field("sqlite:///state/ledger.db", description="SQLAlchemy URL of the ledger.")
    warehouse: Path = Field(Path("state/warehouse.duckdb"), description="DuckDB file in which dbt builds.")
    salt: SecretStr = Field(
        SecretStr(""), description="Secret that keys every fingerprint and hash; set it once, never change it."
    )
    refused_tolerance: float = Field(
        0.0, ge=0, le=1, description="Share of refused rows in a run up to which `snello status` still exits 0."
    )


# What is read from the environment alone, by whoever needs it.
VARIABLES = {
    "SNELLO_STATE": "Folder for what connectors keep beside the Singer state: what compared streams held last, "
    "rate limits, refreshed tokens, cached answers. Default: `state` in the project. It holds personal data.",
    "SNELLO_TRACE": "File to which connectors append a line of JSON for each request they make, secrets struck out.",
    "SNELLO_TRACEBACK": "Any value: an unforeseen fault shows its whole traceback, secrets struck out.",
    "SNELLO_TODAY": "The day (YYYY-MM-DD) that recency, ages and roles are reckoned from. Default: the day of the run.",
    "SNELLO_MEMORY": "Memory that the warehouse may use, such as `8GB` or `60%`; the rest goes to disk. Default: 80%.",
    "SNELLO_ALERT_WEBHOOK": "URL that `snello watch` posts alerts to, as JSON with the key `text`. A secret.",
    "SNELLO_ALERT_MAIL": "Where `snello watch` mails alerts: "
    "`smtp://user:password@host:587?from=hub@example.it&to=ops@example.it`. A secret.",
    "SNELLO_LATE_HOURS": "Hours without a publication, or a run of a sync, after which it is late. Default: 36.",
    "SNELLO_LIMIT": "Number of changes, the first ones, that a sync sends at most: for a first try.",
    "SNELLO_BATCHES": "Folder in which taps leave Parquet files for target-lake, if `meltano.yml` names one so: "
    "`snello subject erase` looks there too.",
    "SNELLO_ALLOW_BREAKER": "Lets one publication of a sync past the breaker, as `<sync>@<publication>`.",
}


def project_root(start: Path | None = None) -> Path:
    """Folder of the nearest ``meltano.yml`` at or above ``start``; ``MELTANO_PROJECT_ROOT`` wins.

    Raises ``ConfigError`` when there is none.
    """
    named = os.environ.get("MELTANO_PROJECT_ROOT")
    if named:
        return Path(named)
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "meltano.yml").exists():
            return folder
    raise ConfigError("snello", f"no meltano.yml in {here} or above", "run the command inside a Snello project")


def _project(path: Path) -> dict[str, Any]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise ConfigError("settings", f"no meltano.yml in {path.parent}", "run inside a Snello project") from None
    return _read(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@lru_cache(maxsize=4)
def _read(path: Path, _version: tuple[int, int, int]) -> dict[str, Any]:
    """The file, read once a process while it stays as it is: every variable is looked up in it."""
    try:
        found = yaml.load(path.read_text(), Loader=QUICK) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError("settings", f"{path} is not valid YAML{place}", "mend the file") from None
    if not isinstance(found, dict):
        raise ConfigError("settings", f"{path} holds no mapping", "mend the file")
    return found


def environment_name(root: Path) -> str | None:
    """The active environment of the project, as Meltano finds it: by variable, by ``.env``, else the default one."""
    told = os.environ.get("MELTANO_ENVIRONMENT") or _beside(root).get("MELTANO_ENVIRONMENT")
    return told or _project(root / "meltano.yml").get("default_environment")


def _beside(root: Path) -> dict[str, str]:
    try:
        found = dotenv_values(root / ".env")
    except (OSError, UnicodeDecodeError):
        raise ConfigError("settings", f"{root / '.env'} cannot be read", "make it readable, as UTF-8") from None
    return {name: value for name, value in found.items() if value is not None}


def _environment(root: Path) -> dict[str, str]:
    """The variables that Meltano would give its plugins: ``.env``, the project's ``env``, and its environment's.

    In the environment's alone, as in Meltano, names are filled in.
    """
    project: dict[str, Any] = _project(root / "meltano.yml")
    beside = _beside(root)
    found = {key: str(value) for key, value in (project.get("env") or {}).items()}
    known = {**os.environ, "MELTANO_PROJECT_ROOT": str(root), **found, **beside}
    wanted = environment_name(root)
    for environment in project.get("environments") or []:
        if environment["name"] == wanted:
            found |= {key: _filled(str(value), known) for key, value in (environment.get("env") or {}).items()}
    return beside | found


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda at: at[2] if at[1] else known.get(at[3] or at[4], ""), text)


def variable(name: str) -> str | None:
    """A variable that is no setting, from the shell, else from the `env` of the active environment of ``meltano.yml``.

    Raises ``ConfigError`` outside a project, or where its file is not valid.
    """
    return os.environ.get(name) or _environment(project_root()).get(name)


def load(root: Path | None = None) -> Settings:
    """The settings in force; relative paths are taken from the project root.

    Raises ``ConfigError`` naming the first wrong setting.
    """
    root = root or project_root()
    given = {
        key.removeprefix("SNELLO_").lower(): value
        for key, value in _environment(root).items()
        if key.startswith("SNELLO_") and key not in os.environ
    }
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic turns the texts into their types
    except ValidationError as error:
        first = error.errors()[0]
        name = "SNELLO_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError("settings", f"{name}: {first['msg']}", f"set {name} to a valid value") from None
    settings.warehouse = root / settings.warehouse
    if "://" not in settings.lake:
        settings.lake = str(root / settings.lake)
    if settings.ledger.startswith("sqlite:///") and not settings.ledger.startswith("sqlite:////"):
        settings.ledger = f"sqlite:///{root / settings.ledger.removeprefix('sqlite:///')}"
    return settings
