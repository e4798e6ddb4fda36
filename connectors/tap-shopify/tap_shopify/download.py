"""The file of a bulk operation, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from snello.kit.rest import ContractError, Row
from tap_shopify.pieces import Pieces

_decode = msgspec.json.Decoder().decode


class Download:
    """Reads the objects out of the pieces of a file."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces

    def lines(self, url: str | None) -> Iterator[Row]:
        """The objects of the file, one a line; none without an address, which means that nothing was found."""
        left = b""
        for content in self.pieces.each(url) if url else ():
            whole, mark, rest = (left + content).rpartition(b"\n")
            left = rest
            if mark:
                yield from (self._read(line) for line in whole.split(b"\n") if line.strip())
        if left.strip():
            yield self._read(left)

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            found = _decode(line)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            what = "the file of the bulk operation holds a line that is no object"
            raise ContractError(self.pieces.where, what, "run again; when it stays so, set bulk_above to 10000")
        return found
