"""OpenRTB 2.6: what a bid request or response says of a user, one row an id and segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from snello.kit.files import FileSet


class OpenRtbSet(FileSet):
    """JSON lines, each an OpenRTB object, or an object that holds one as ``request`` or ``response``."""

    def rows_of(self, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """One row an id of the user and segment that somebody's data puts the user in."""
        objects = [record, *(record[name] for name in ("request", "response") if _is_object(record.get(name)))]
        for held in objects:
            ids = list(_ids(held))
            for segment in _segments(held):
                for kind, value in ids:
                    yield {**record, **segment, "id_type": kind, "id": value}


def _ids(held: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The ids of the user with their types: those of the exchange and the buyer, others by the domain of their source.

    The id of the device is left out where the device asks not to be tracked.
    """
    user, device = _object(held.get("user")), _object(held.get("device"))
    named = {"user.id": user.get("id"), "user.buyeruid": user.get("buyeruid")}
    if not (device.get("lmt") or device.get("dnt")):
        named["device.ifa"] = device.get("ifa")
    yield from ((kind, str(value)) for kind, value in named.items() if value)
    # before 2.6 they stood in the extension
    for eid in _objects(user.get("eids") or _object(user.get("ext")).get("eids")):
        for uid in _objects(eid.get("uids")):
            if eid.get("source") and uid.get("id"):
                yield str(eid["source"]), str(uid["id"])


def _segments(held: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The segments, each id with who says it and the number of its taxonomy before it: `data.example/4/123`."""
    for data in _objects(_object(held.get("user")).get("data")):
        before = (data.get("name") or data.get("id"), _object(data.get("ext")).get("segtax"))
        for segment in _objects(data.get("segment")):
            name = segment.get("id") or segment.get("name")
            if name:
                whole = "/".join(str(part) for part in (*before, name) if part is not None and part != "")
                yield {"segment_id": whole, "segment_name": segment.get("name"), "value": segment.get("value")}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
