"""What a stream remembers of its files, so that only new and changed ones are read."""

from __future__ import annotations

import time
from collections.abc import Collection, MutableMapping
from typing import Any

from snello.kit.files.places import Found

GONE_SECONDS = 31 * 24 * 3600  # a file that is put back within a month is not read again


class KnownFiles:
    """Fingerprints in a stream's state: size, time of change and content version of every file read to its end.

    - ``layout``: digest of what decides the rows; fingerprints taken under another one do not count
    """

    def __init__(self, state: MutableMapping[str, Any], layout: str) -> None:
        self._state, self._layout = state, layout

    def _files(self) -> dict[str, dict[str, Any]]:
        return self._state.get("files", {}) if self._state.get("layout") == self._layout else {}

    def names(self) -> dict[str, float]:
        """The files that were read, with the time of change that they had."""
        return {name: seen["modified"] for name, seen in self._files().items()}

    def unchanged(self, found: Found) -> bool:
        """Whether what the store tells is enough to know the content: same tag, or same size and time of change."""
        seen = self._files().get(found.name)
        if seen is None or seen["size"] != found.size:
            return False
        if found.tag:
            return bool(seen["version"] == found.tag)
        return bool(found.modified and seen["modified"] == found.modified)

    def is_read(self, found: Found, version: str) -> bool:
        """Whether the content is the one read before under this name: then only the time of change is noted."""
        seen = self._files().get(found.name)
        if seen is None or seen["version"] != version:
            return False
        seen.update(size=found.size, modified=found.modified)  # or a large file would be hashed again in every run
        return True

    def remember(self, found: Found, version: str, present: Collection[str]) -> None:
        """Note a file that was read to its end, and forget those that have long been gone."""
        now = int(time.time())
        files: dict[str, dict[str, Any]] = {}
        for name, seen in self._files().items():
            lasting = {key: value for key, value in seen.items() if key != "gone"}
            if name in present:
                files[name] = lasting
            elif now - seen.get("gone", now) < GONE_SECONDS:
                files[name] = {**lasting, "gone": seen.get("gone", now)}
        files[found.name] = {"size": found.size, "modified": found.modified, "version": version}
        self._state.update(layout=self._layout, files=files)
