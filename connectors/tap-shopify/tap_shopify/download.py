"""The file of a bulk operation, fetched in pieces from the storage that its address names, without the shop's token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from snello.kit.http import Client
from snello.kit.rest import ContractError, RetryLater, Row

PIECE = 1024 * 1024
GONE = (400, 403, 404, 410)  # how storages say that an address holds no longer
PAST_THE_END = 416

_decode = msgspec.json.Decoder().decode


class Download:
    """Lines of a file at an address that is good for some days.

    - ``client``: sends requests without credentials
    - ``piece``: bytes of one request
    """

    def __init__(self, where: str, client: Client, piece: int = PIECE) -> None:
        self.where, self.client, self.piece = where, client, piece

    def lines(self, url: str | None) -> Iterator[Row]:
        """The objects of the file, one a line; none without an address, which means that nothing was found."""
        left = b""
        for content in self._pieces(url) if url else ():
            whole, mark, rest = (left + content).rpartition(b"\n")
            left = rest
            if mark:
                yield from (self._read(line) for line in whole.split(b"\n") if line.strip())
        if left.strip():
            yield self._read(left)

    def _pieces(self, url: str) -> Iterator[bytes]:
        start = 0
        while True:
            headers = {"Range": f"bytes={start}-{start + self.piece - 1}", "Accept-Encoding": "identity"}
            answer = self.client.send(
                "GET",
                url,
                headers=headers,
                where=self.where,
                place="the file of the bulk operation",
                decode=bytes,
                accept=(*GONE, PAST_THE_END),
            )
            if answer.status in GONE:
                what = "the address of the bulk operation's file has expired"
                raise RetryLater(self.where, what, "run again: a new operation is begun")
            if answer.status == PAST_THE_END:
                return
            yield answer.content
            start += len(answer.content)
            if answer.status != 206 or len(answer.content) < self.piece:
                return

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            found = _decode(line)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            what = "the file of the bulk operation holds a line that is no object"
            raise ContractError(self.where, what, "run again; when it stays so, set bulk_above to 10000")
        return found
