"""Mailchimp's contacts: batches, single ones, their end."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import mailchimp_rules as rules
from snello.sandbox.emulators.mailchimp_rules import Problem, RowRefused
from snello.sandbox.emulators.mailchimp_store import MailchimpStore, Member

STATUSES = (*rules.STATUSES, "archived")


class Members:
    """The routes of contacts."""

    def __init__(self, store: MailchimpStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """Their paths."""
        many = "/3.0/lists/{list}/members"
        one = many + "/{hash}"
        return [
            Route("/3.0/lists/{list}", self.batch, methods=["POST"]),
            Route(many, self.members, methods=["GET"]),
            Route(one, self.member, methods=["GET"]),
            Route(one, self.change, methods=["PATCH"]),
            Route(one, self.archive, methods=["DELETE"]),
            Route(one + "/actions/delete-permanent", self.forget, methods=["POST"]),
            Route("/_inspect/members", self.everything, methods=["GET"]),
            Route("/_inspect/own-will", self.own_will, methods=["POST"]),
        ]

    async def batch(self, request: Request) -> Response:
        """Up to 500 contacts, new ones and, when asked, existing ones; who was refused stands in ``errors``."""
        list_id, given = self.list_id(request), await rules.body_of(request)
        members = given.get("members")
        if not isinstance(members, list) or not members or not all(isinstance(one, dict) for one in members):
            raise rules.bad("members: an array of objects is needed")
        if len(members) > rules.MOST_MEMBERS:
            raise rules.bad(f"members: at most {rules.MOST_MEMBERS} are taken at once")
        update = bool(given.get("update_existing"))
        skip = request.query_params.get("skip_merge_validation") == "true"
        said: dict[str, list[Any]] = {"new_members": [], "updated_members": [], "errors": []}
        seen: set[str] = set()
        with self.store.transaction():
            for one in members:
                email = str(one.get("email_address") or "")
                try:
                    if email.lower() in seen:
                        raise RowRefused("Duplicate items found for email_address in this request")
                    seen.add(email.lower())
                    new, member = self.store.batch_row(list_id, one, update, skip)
                    said["new_members" if new else "updated_members"].append(self.store.document(member))
                except RowRefused as error:
                    self.store.refused += 1
                    said["errors"].append(error.entry(email))
        sizes = {"total_created": len(said["new_members"]), "total_updated": len(said["updated_members"])}
        return JSONResponse({**said, **sizes, "error_count": len(said["errors"])})

    async def members(self, request: Request) -> Response:
        """The contacts of an audience; archived ones only when asked for."""
        where, values = "list_id = ?", [self.list_id(request)]
        query = request.query_params
        if "status" in query:
            if query["status"] not in STATUSES:
                raise rules.bad("status: not one of the accepted values")
            where, values = where + " AND status = ?", [*values, query["status"]]
        else:
            where += " AND status <> 'archived'"
        if "since_last_changed" in query:
            where, values = where + " AND last_changed >= ?", [*values, query["since_last_changed"]]
        total, page = self.store.page(where, values, rules.window(request))
        return JSONResponse({"members": page, "list_id": values[0], "total_items": total})

    async def member(self, request: Request) -> Response:
        """One contact, also an archived one."""
        return JSONResponse(self.store.document(self._named(request)))

    async def change(self, request: Request) -> Response:
        """Change the fields that are given."""
        member, given = self._named(request), await rules.body_of(request)
        if member["status"] == "archived" and not given.get("status"):
            raise Problem(400, "Invalid Resource", "This member is archived")
        skip = request.query_params.get("skip_merge_validation") == "true"
        with self.store.transaction():
            changed = self.store.write(member["list_id"], member, given, skip=skip)
        return JSONResponse(self.store.document(changed))

    async def archive(self, request: Request) -> Response:
        """Archive one contact; one that is archived already cannot be."""
        member = self._named(request)
        if member["status"] == "archived":
            raise Problem(405, "Method Not Allowed", "This list member cannot be removed.  Please contact support.")
        self.store.set_status(member, "archived", bool(member["own_will"]))
        return Response(status_code=204)

    async def forget(self, request: Request) -> Response:
        """Delete one contact for good."""
        self.store.forget(self._named(request))
        return Response(status_code=204)

    def list_id(self, request: Request) -> str:
        """The audience that the path names."""
        wanted = request.path_params["list"]
        if not self.store.rows("SELECT 1 FROM lists WHERE id = ?", wanted):
            raise rules.not_found()
        return str(wanted)

    def _named(self, request: Request) -> Member:
        member = self.store.find(self.list_id(request), request.path_params["hash"])
        if member is None:
            raise rules.not_found()
        return member

    async def everything(self, request: Request) -> Response:
        """All contacts at once, for tests."""
        return JSONResponse(self.store.page("1 = 1", [], (-1, 0))[1])

    async def own_will(self, request: Request) -> Response:
        """A contact unsubscribes, or a mail server says that there is none, for tests."""
        given = await request.json()
        member = self.store.find(given["list"], given["email"])
        assert member
        self.store.set_status(member, given["status"], True)
        return JSONResponse({})
