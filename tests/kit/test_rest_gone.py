"""Rows that an interface itself lists as deleted."""

from __future__ import annotations

from tests.kit.http_server import Reply, serving
from tests.kit.rest_probe import read, stream, thing

from snello.kit.rest import Values

GONE = "2026-03-01T10:00:00Z"


def test_a_stream_that_tells_what_is_gone_hands_out_when_and_the_column_is_no_extra_field() -> None:
    rows = [thing(1), {"id": 2, "_deleted_at": GONE}]
    with serving(lambda call: Reply(rows)) as server:
        done = read(server.url, stream(values=Values(tells_gone=True)))
    assert [(row["id"], row["_deleted_at"], row["_extra"]) for row in done.records("things")] == [
        (1, None, None),
        (2, GONE, None),
    ]
    assert done.schema("things")["schema"]["properties"]["_deleted_at"]["format"] == "date-time"


def test_of_any_other_stream_such_a_field_is_a_field_like_others() -> None:
    with serving(lambda call: Reply([{"id": 2, "_deleted_at": GONE}])) as server:
        done = read(server.url, stream())
    assert [row["_extra"] for row in done.records("things")] == [{"_deleted_at": GONE}]
    assert "_deleted_at" not in done.schema("things")["schema"]["properties"]
