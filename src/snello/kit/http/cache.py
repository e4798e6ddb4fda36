"""Answers kept on disk and asked about again each time: a 304 costs no content, and nothing is taken for fresh."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import requests
import urllib3
from cachecontrol.caches import FileCache
from cachecontrol.controller import CacheController
from filelock import FileLock
from requests.adapters import HTTPAdapter

KEPT = 30 * 86400.0  # seconds without use after which an answer is thrown away
FAR = "Fri, 31 Dec 9999 23:59:59 GMT"
DROPPED = ("Content-Encoding", "Content-Length", "Transfer-Encoding", "Set-Cookie", "Vary")


class AnswerCache:
    """Answers of one account to GET, in a folder of its own.

    One file an answer, replaced at once: a mark of the new content beside the old content would hide a change for ever.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revalidated = 0
        self._controller = CacheController(FileCache(folder, lock_class=cast(Any, _lock)))

    def ask(self, request: requests.PreparedRequest) -> None:
        """Put on a request what the server needs to say that nothing has changed."""
        if request.method == "GET":
            request.headers.update(self._controller.conditional_headers(request))

    def settled(self, request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        """The answer, with the kept content when nothing has changed; a new one is kept."""
        if request.method != "GET":
            return response
        if response.status_code == 200:
            self._keep(request, response)
        if response.status_code != 304:
            return response
        known = self._controller.update_cached_response(request, _copy(response.headers, response.content, 304))
        if known.status != 200:
            return response
        found = HTTPAdapter().build_response(request, known)
        found._content, found._content_consumed = known.read(), True  # type: ignore[attr-defined]
        self.revalidated += 1
        return found

    def _keep(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        if "ETag" not in response.headers and "Last-Modified" not in response.headers:
            return
        # a far end, for what has no ETag is kept by its end alone; it is never trusted, for each request asks anew
        headers = {**response.headers, "Expires": FAR}
        self._controller.cache_response(request, _copy(headers, response.content, 200), response.content)

    def close(self) -> None:
        """Throw away what nobody asked for in a month."""
        old = time.time() - KEPT
        for path in self.folder.rglob("*"):
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < old:
                    path.unlink()


def _lock(path: str) -> FileLock:
    return FileLock(path, mode=0o600)


def _copy(headers: Mapping[str, str], content: bytes, status: int) -> urllib3.HTTPResponse:
    """An answer as the cache wants it: decoded, without cookies, and alike for whatever header it may vary by.

    What a request of this account varies by is the same each time, and a kept ``Authorization`` would be a secret.
    """
    kept = {name: value for name, value in headers.items() if name.title() not in DROPPED}
    return urllib3.HTTPResponse(io.BytesIO(content), kept, status, preload_content=False)
