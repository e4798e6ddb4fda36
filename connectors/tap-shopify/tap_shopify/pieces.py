"""A file fetched in pieces from the storage that its address names, without the shop's token."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.http import Client
from snello.kit.rest import RetryLater

PIECE = 1024 * 1024
GONE = (400, 403, 404, 410)  # how storages say that an address holds no longer
PAST_THE_END = 416


class Pieces:
    """Pieces of a file at an address that is good for some days.

    - ``client``: sends requests without credentials
    - ``piece``: bytes of one request
    """

    def __init__(self, where: str, client: Client, piece: int = PIECE) -> None:
        self.where, self.client, self.piece = where, client, piece

    def each(self, url: str) -> Iterator[bytes]:
        """What stands at the address, piece by piece."""
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
