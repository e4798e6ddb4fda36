"""Mailchimp's audiences, their merge fields, and their static segments, which are tags."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import mailchimp_rules as rules
from snello.sandbox.emulators.mailchimp_members import Members


class Audiences:
    """The routes of audiences, merge fields and static segments, which are tags."""

    def __init__(self, members: Members) -> None:
        self.store, self.list_id = members.store, members.list_id

    def routes(self) -> list[Route]:
        """Their paths."""
        one = "/3.0/lists/{list}"
        segment = one + "/segments/{segment:int}"
        return [
            Route("/3.0/ping", self.ping, methods=["GET"]),
            Route("/3.0/lists", self.lists, methods=["GET"]),
            Route(one, self.one_list, methods=["GET"]),
            Route(one, self.delete_list, methods=["DELETE"]),
            Route(one + "/merge-fields", self.fields, methods=["GET"]),
            Route(one + "/merge-fields", self.add_field, methods=["POST"]),
            Route(one + "/segments", self.segments, methods=["GET"]),
            Route(one + "/segments", self.add_segment, methods=["POST"]),
            Route(segment, self.one_segment, methods=["GET"]),
            Route(segment, self.change_segment, methods=["POST"]),
            Route(segment, self.delete_segment, methods=["DELETE"]),
            Route(segment + "/members", self.segment_members, methods=["GET"]),
        ]

    async def ping(self, request: Request) -> Response:
        """Whether the key is good."""
        return JSONResponse({"health_status": "Everything's Chimpy!"})

    async def lists(self, request: Request) -> Response:
        """All audiences."""
        rows = self.store.rows("SELECT id FROM lists ORDER BY rowid LIMIT ? OFFSET ?", *rules.window(request))
        total = self.store.rows("SELECT count(*) n FROM lists")[0]["n"]
        return JSONResponse({"lists": [self._list(row["id"]) for row in rows], "total_items": total})

    def _list(self, number: str) -> dict[str, Any]:
        name = self.store.rows("SELECT name FROM lists WHERE id = ?", number)[0]["name"]
        counted = self.store.rows("SELECT status, count(*) n FROM members WHERE list_id = ? GROUP BY 1", number)
        by = {row["status"]: row["n"] for row in counted}
        stats = {"member_count": by.get("subscribed", 0), "unsubscribe_count": by.get("unsubscribed", 0)}
        stats |= {"cleaned_count": by.get("cleaned", 0), "total_contacts": sum(by.values())}
        return {"id": number, "name": name, "double_optin": False, "stats": stats}

    async def one_list(self, request: Request) -> Response:
        """One audience."""
        return JSONResponse(self._list(self.list_id(request)))

    async def delete_list(self, request: Request) -> Response:
        """An audience less, and its contacts."""
        number = self.list_id(request)
        with self.store.transaction():
            for table, column in (("members", "list_id"), ("segments", "list_id"), ("lists", "id")):
                self.store.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))
        return Response(status_code=204)

    async def fields(self, request: Request) -> Response:
        """The merge fields of an audience."""
        number, (count, offset) = self.list_id(request), rules.window(request)
        query = "SELECT merge_id, tag, name, type, required FROM fields WHERE list_id = ? ORDER BY 1"
        found = [{**row, "required": bool(row["required"])} for row in self.store.rows(query, number)]
        return JSONResponse({"merge_fields": found[offset : offset + count], "total_items": len(found)})

    async def add_field(self, request: Request) -> Response:
        """One merge field more."""
        number, given = self.list_id(request), await rules.body_of(request)
        if not given.get("name") or given.get("type") not in rules.KINDS:
            raise rules.bad("name and type are needed")
        given["tag"] = str(given.get("tag") or given["name"]).upper()
        if len(given["tag"]) > 10 or not self.store.add_field(number, given):
            raise rules.bad("A Merge Field with this tag already exists, or the tag is longer than 10 characters")
        return JSONResponse(given)

    async def segments(self, request: Request) -> Response:
        """The static segments of an audience."""
        number, (count, offset) = self.list_id(request), rules.window(request)
        found = self.store.rows("SELECT id FROM segments WHERE list_id = ? ORDER BY id", number)
        page = [self._segment(number, row["id"]) for row in found[offset : offset + count]]
        return JSONResponse({"segments": page, "list_id": number, "total_items": len(found)})

    def _segment(self, list_id: str, number: int) -> dict[str, Any]:
        rows = self.store.rows("SELECT id, name, type FROM segments WHERE id = ? AND list_id = ?", number, list_id)
        if not rows:
            raise rules.not_found()
        query = "SELECT count(*) n FROM tagged JOIN members ON member_id = id WHERE segment_id = ? AND status = ?"
        return {**rows[0], "member_count": self.store.rows(query, number, "subscribed")[0]["n"], "list_id": list_id}

    async def add_segment(self, request: Request) -> Response:
        """A new static segment."""
        number, given = self.list_id(request), await rules.body_of(request)
        if not given.get("name") or not isinstance(given.get("static_segment"), list):
            raise rules.bad("name and static_segment are needed")
        query = "INSERT INTO segments (list_id, name, type) VALUES (?, ?, 'static')"
        made = self.store.db.execute(query, (number, given["name"]))
        return JSONResponse(self._segment(number, int(made.lastrowid or 0)))

    async def one_segment(self, request: Request) -> Response:
        """One segment."""
        return JSONResponse(self._segment(self.list_id(request), request.path_params["segment"]))

    async def delete_segment(self, request: Request) -> Response:
        """A segment less; its contacts stay."""
        number = self._segment(self.list_id(request), request.path_params["segment"])["id"]
        self.store.db.execute("DELETE FROM tagged WHERE segment_id = ?", (number,))
        self.store.db.execute("DELETE FROM segments WHERE id = ?", (number,))
        return Response(status_code=204)

    async def change_segment(self, request: Request) -> Response:
        """Up to 500 contacts in, up to 500 out, by address; unknown ones are passed over."""
        list_id, given = self.list_id(request), await rules.body_of(request)
        number = self._segment(list_id, request.path_params["segment"])["id"]
        said: dict[str, list[Any]] = {"members_added": [], "members_removed": [], "errors": []}
        left: list[str] = []
        for field, part, on in (
            ("members_to_add", "members_added", True),
            ("members_to_remove", "members_removed", False),
        ):
            emails = given.get(field) or []
            if not isinstance(emails, list) or len(emails) > rules.MOST_MEMBERS:
                raise rules.bad(f"{field}: an array of at most {rules.MOST_MEMBERS} addresses is needed")
            for email in emails:
                member = self.store.find(list_id, str(email))
                if member and on and member["status"] not in ("subscribed", "pending", "transactional"):
                    left.append(str(email))
                elif member and self.store.tag(number, member, on):
                    said[part].append(self.store.document(member))
        if left:
            said["errors"].append({"email_addresses": left, "error": "Email addresses are not subscribed to the list"})
        sizes = {"total_added": len(said["members_added"]), "total_removed": len(said["members_removed"])}
        return JSONResponse({**said, **sizes, "error_count": len(said["errors"])})

    async def segment_members(self, request: Request) -> Response:
        """The contacts of a segment; those that left the audience only when asked for."""
        list_id = self.list_id(request)
        number = self._segment(list_id, request.path_params["segment"])["id"]
        wanted = ["subscribed", "pending"]
        for status in ("unsubscribed", "cleaned", "transactional"):
            if request.query_params.get(f"include_{status}") == "true":
                wanted.append(status)
        where = f"EXISTS (SELECT 1 FROM tagged WHERE segment_id = ? AND member_id = m.id) AND status IN ({', '.join('?' * len(wanted))})"  # noqa: E501
        total, page = self.store.page(where, [number, *wanted], rules.window(request))
        return JSONResponse({"members": page, "total_items": total})
