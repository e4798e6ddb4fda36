"""dbt-duckdb plugin: the lake's tables as views, the identifiers as SQL functions.

In ``profiles.yml``: ``plugins: [{module: snello.dbt.plugin}]``, ``config: {lake: …}`` where ``SNELLO_LAKE`` is unset.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note
from dbt_common.exceptions import DbtRuntimeError

from snello import settings
from snello.dbt.declared import declared_sources
from snello.dbt.functions import register
from snello.dbt.policies import check_consents, check_policies
from snello.dbt.salted import check_salt
from snello.dbt.surroundings import check_surroundings
from snello.dbt.version import register_version
from snello.dbt.views import Views
from snello.errors import ConfigError, SnelloError
from snello.identity.rules import check_seeds
from snello.lake import Lake


class Plugin(BasePlugin):
    """Makes ready every connection that dbt opens.

    - schema ``raw_<source>``: a view a raw table; ``published``: a view a table of the last publication
    - a rule of identity, or a policy of golden record or consent, that cannot be is a fault before anything is built,
      and so is another salt than that of the refusals that were published
    - a declared table that has not arrived is an empty view of its declared columns, told as a warning, not a fault;
      sources of which no table has arrived are told in one line, without a warning: not every company has them
    - all connections of one dbt run see the lake as it was at the first one
    """

    _views: Views | None

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Keep the profile's configuration; the lake is opened at the first connection."""
        self._config = plugin_config
        self._views = None

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the functions and make the views."""
        try:
            register(conn)
            register_version(conn, self._project())
            if self._views is None:
                check_surroundings(conn)
                check_seeds(self._project() / "seeds")
                check_policies(self._project() / "seeds")
                check_consents(self._project() / "seeds")
                self._views = Views.of(Lake(self._lake()), declared_sources(self._project()))
                for gap in self._views.create(conn):
                    fire_event(Note(msg=gap), level=EventLevel.WARN)
                if unheard := self._views.unheard():
                    fire_event(Note(msg=_nothing_from(unheard)), level=EventLevel.INFO)
                check_salt(conn)
            else:
                self._views.create(conn)
        except SnelloError as error:
            raise DbtRuntimeError(str(error)) from None

    def _lake(self) -> str:
        given = self._config.get("lake")
        if given:
            return str(given)
        try:
            return settings.load().lake
        except ConfigError:
            # dbt alone, outside a Snello project, still reads the lake that the variable names.
            if not os.environ.get("SNELLO_LAKE"):
                raise
            return os.environ["SNELLO_LAKE"]

    def _project(self) -> Path:
        flags = get_flags()  # type: ignore[no-untyped-call]
        return Path(self._config.get("project") or getattr(flags, "PROJECT_DIR", None) or ".")


def _nothing_from(sources: list[str]) -> str:
    named = ", ".join(sources)
    return f"Nothing was ever loaded from {named}. Next: run the taps of those that you have; the others stay empty."
