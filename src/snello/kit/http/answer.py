"""What a server said: status, headers, content, and the document in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    - ``url``: where it came from in the end; may hold secrets in its query, so messages name the ``place``
    - ``headers``: by name in any case
    - ``document``: the content, decoded; None when there is no content
    - ``response``: what the session made of it
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    document: Any = field(default=None, repr=False)
    response: requests.Response | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> str:
        """Path of the address, for messages; never the query."""
        return urlsplit(self.url).path or "/"

    @property
    def place(self) -> str:
        """Method and path, as in ``GET /v1/things``."""
        return f"{self.method} {self.path}"

    @cached_property
    def links(self) -> Mapping[str, str]:
        """Absolute addresses of the ``Link`` header, by their relation."""
        found = requests.utils.parse_header_links(self.headers.get("Link", ""))
        return {link["rel"]: urljoin(self.url, link["url"]) for link in found if "rel" in link and "url" in link}
