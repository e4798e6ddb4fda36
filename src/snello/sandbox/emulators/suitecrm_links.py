"""Links between SuiteCRM's records over its V8 interface: contacts on target lists, above all."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from snello.sandbox.emulators import suitecrm_rules as rules
from snello.sandbox.emulators.suitecrm_documents import document_of, links_of
from snello.sandbox.emulators.suitecrm_fields import LINKS, OBJECTS
from snello.sandbox.emulators.suitecrm_modules import V8, Modules
from snello.sandbox.emulators.suitecrm_store import SuiteStore


class Links:
    """The routes of relationships."""

    def __init__(self, store: SuiteStore, modules: Modules) -> None:
        self.store, self.modules = store, modules

    def routes(self) -> list[Route]:
        """Their paths."""
        root = V8 + "/module/{module}/{id}/relationships"
        return [
            Route(root, self.join, methods=["POST"]),
            Route(root + "/{link}", self.join, methods=["POST"]),
            Route(root + "/{link}", self.page, methods=["GET"]),
            Route(root + "/{link}/{related}", self.part, methods=["DELETE"]),
        ]

    def _source(self, request: Request) -> tuple[str, str]:
        """The record that a call is about."""
        module, number = self.store.module(request.path_params["module"]), request.path_params["id"]
        if not rules.ID.fullmatch(number):
            raise rules.invalid("id", number)
        self.store.there(module, number)
        return module, number.lower()

    def _other(self, module: str, link: str) -> str:
        if link not in LINKS[module]:
            raise rules.Refused(f"Cannot load relationship {link} for {OBJECTS[module]} module")
        return LINKS[module][link]

    async def page(self, request: Request) -> Response:
        """The records at the other end of a link."""
        module, number = self._source(request)
        link, asked = request.path_params["link"], rules.nested(request)
        rules.known(asked, ("moduleName", "id", "linkFieldName", "page", "sort", "filter"))
        other, paging = self._other(module, link), asked.get("page") or {}
        size, at = rules.number_in(paging, "size"), rules.number_in(paging, "number")
        self.modules.allowed(module, "view", "list")
        found = self.store.linked(number, other, size or -1, max(at - 1, 0) * size)
        if not found:
            told = f"There is no relationship set in {OBJECTS[module]} module with {link} link field"
            return rules.answer({"meta": {"message": told}, "data": []})
        shown = [document_of(other, one, None, f"V8/module/{OBJECTS[other]}/{one['id']}") for one in found]
        every = self.store.linked_count(number, other) if size else len(found)
        pages = -(-every // size) if size else 1
        meta = {"total-records": every, "total-pages": pages, "records-on-this-page": len(found)}
        path = f"V8/module/{module}/{number}/relationships/{link}"
        more = {"links": links_of(path, asked, pages, at)} if size else {}
        return rules.answer({"meta": meta, "data": shown, **more})

    async def join(self, request: Request) -> Response:
        """Link a record with another; without the link's name it follows from the two modules."""
        module, number = self._source(request)
        data = await rules.body_of(request)
        rules.resource(data, "type", "id")
        other = self.store.module(data["type"])
        related = self.store.there(other, data["id"])
        named = request.path_params.get("link")
        if named is not None and self._other(module, named) != other:
            raise rules.Refused(f"Cannot create relationship {named} between module {module} and {other}")
        if other not in LINKS[module].values():
            told = f"Link field has not found in {OBJECTS[module]} to determine relationship for {OBJECTS[other]}"
            raise rules.Refused(told)
        self.modules.allowed(module, "view", "save", "list")
        self.modules.allowed(other, "view", "list")
        self.store.link(number, related["id"])
        told = f"{OBJECTS[other]} with id {related['id']} has been added to {OBJECTS[module]} with id {number}"
        return rules.answer({"meta": {"message": told}, "data": []}, 201)

    async def part(self, request: Request) -> Response:
        """Take a link away; one that is not there is refused."""
        module, number = self._source(request)
        other, related = self._other(module, request.path_params["link"]), request.path_params["related"].lower()
        self.modules.allowed(module, "view", "save", "list")
        if not self.store.unlink(number, related):
            raise rules.Refused(f"Module with {related} id is not related to {OBJECTS[module]}")
        between = f"{OBJECTS[module]} with id {number} and {OBJECTS[other]} with id {related}"
        return rules.answer({"meta": {"message": f"Relationship has been deleted between {between}"}, "data": []})
