"""What a stream remembers of its files, so that only new and changed ones are read."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Any

from snello.kit.files.places import Found


class KnownFiles:
    """Fingerprints in a stream's state: size, time of change and content version of every file read to its end.

    - ``layout``: digest of what decides the rows; fingerprints taken under another one do not count
    """

    def __init__(self, state: MutableMapping[str, Any], layout: str) -> None:
        self._state, self._layout = state, layout

    def _files(self) -> dict[str, dict[str, Any]]:
        return self._state.get("files", {}) if self._state.get("layout") == self._layout else {}

    def unchanged(self, found: Found) -> bool:
        """Whether the file's content is the one read before; a mere touch or copy does not make it new."""
        seen = self._files().get(found.name)
        if seen is None or seen["size"] != found.size:
            return False
        if seen["modified"] == found.modified and (not found.tag or seen["version"] == found.tag):
            return True
        if not seen["version"] or seen["version"] != found.version():
            return False
        seen["modified"] = found.modified  # or a large file would be hashed again in every run
        return True

    def remember(self, found: Found, version: str, present: Collection[str]) -> None:
        """Note a file that was read to its end, and forget those that are no longer there."""
        files = {name: seen for name, seen in self._files().items() if name in present}
        files[found.name] = {"size": found.size, "modified": found.modified, "version": version}
        self._state.update(layout=self._layout, files=files)
