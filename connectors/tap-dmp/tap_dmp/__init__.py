"""Audience memberships, taxonomies and id links that a data management platform drops as files."""

from __future__ import annotations

from functools import cached_property

from snello.kit.configuration import schema_of, settings_of
from snello.kit.entry import entry
from snello.kit.files import FileSettings, FileTap
from tap_dmp.settings import DmpSettings


class TapDmp(FileTap):
    """Singer tap for data management platforms: memberships, taxonomies and id links as files."""

    name = "tap-dmp"
    settings = DmpSettings
    config_jsonschema = schema_of(DmpSettings)

    @cached_property
    def options(self) -> FileSettings:
        """The drops as layouts of files."""
        return settings_of(DmpSettings, self.config, self.name).as_files()


main = entry(TapDmp)
