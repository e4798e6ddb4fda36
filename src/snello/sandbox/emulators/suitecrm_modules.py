"""SuiteCRM's modules over its V8 interface: records read by page and by filter, made, changed, deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from snello.sandbox.emulators import suitecrm_rules as rules
from snello.sandbox.emulators.suitecrm_documents import document_of, links_of
from snello.sandbox.emulators.suitecrm_fields import OBJECTS
from snello.sandbox.emulators.suitecrm_store import SuiteStore

V8 = "/Api/V8"
SHOWN = ("type", "dbType", "source", "len", "required")
HIDDEN = ("ProspectLists",)  # modules that SuiteCRM's list of modules leaves out
NOTHING = "Request was successful, but there is no result"


@dataclass(frozen=True)
class Version:
    """What a version's filters can do: ``in``, own fields at all, and count their pages."""

    filter_in: bool = True
    filter_custom: bool = True
    counts_custom: bool = True


NEWEST = Version()
ELDER = Version(filter_in=False, counts_custom=False)
ELDEST = Version(filter_in=False, filter_custom=False, counts_custom=False)


class Modules:
    """The routes of records. Rights that the user is ``lacking`` read as *Module/right*: access, view, save, delete."""

    def __init__(self, store: SuiteStore, lacking: Collection[str], version: Version) -> None:
        self.store, self.lacking, self.version = store, lacking, version

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route(V8 + "/meta/modules", self.modules, methods=["GET"]),
            Route(V8 + "/meta/fields/{module}", self.fields, methods=["GET"]),
            Route(V8 + "/module", self.create, methods=["POST"]),
            Route(V8 + "/module", self.update, methods=["PATCH"]),
            Route(V8 + "/module/{module}", self.page, methods=["GET"]),
            Route(V8 + "/module/{module}/{id}", self.one, methods=["GET"]),
            Route(V8 + "/module/{module}/{id}", self.delete, methods=["DELETE"]),
        ]

    def allowed(self, module: str, *rights: str) -> None:
        """See that the user may. Raises ``Refused``."""
        for right in ("access", *rights):
            if f"{module}/{right}" in self.lacking:
                raise rules.NoAccess(right)

    async def modules(self, request: Request) -> Response:
        """The modules that are to be seen."""
        shown = {name: {"label": name, "access": ["access", "view"]} for name in OBJECTS if name not in HIDDEN}
        return rules.answer({"data": {"type": "modules", "id": "", "attributes": shown}})

    async def fields(self, request: Request) -> Response:
        """The fields of a module, each as far as SuiteCRM tells of it."""
        module = request.path_params["module"]
        self.allowed(module)
        if module not in OBJECTS or module in HIDDEN:
            raise rules.NoAccess("access")
        known = self.store.fields[module]
        shown = {name: {part: field[part] for part in SHOWN if part in field} for name, field in known.items()}
        return rules.answer({"data": {"type": "fields", "id": "", "attributes": shown}})

    async def page(self, request: Request) -> Response:
        """The records that fit a filter; all of them where no size is given, then without a word on pages."""
        module, asked = self.store.module(request.path_params["module"]), rules.nested(request)
        rules.known(asked, ("moduleName", "fields", "page", "sort", "filter"))
        shown, paging = self._shown(module, asked), asked.get("page") or {}
        rules.known(paging, ("size", "number"))
        size, number = rules.number_in(paging, "size"), rules.number_in(paging, "number")
        known = self.store.fields[module]
        where, values, gone = rules.EVERYTHING
        if "filter" in asked:
            column = lambda name: self.store.column(module, name)  # noqa: E731
            where, values, gone = rules.where_of(asked["filter"], known, module, column, self.version.filter_in)
        self.allowed(module, "view")
        custom = "_c'" in where
        if custom and not self.version.filter_custom:
            raise rules.Refused(rules.DATABASE)
        order = self._order(module, asked.get("sort"))
        offset = max(number - 1, 0) * size
        found = self.store.find(module, where, values, deleted=gone, order=order, limit=size or -1, offset=offset)
        path = f"V8/module/{request.path_params['module']}"
        document: dict[str, Any] = {"data": [document_of(module, one, shown, f"{path}/{one['id']}") for one in found]}
        if not found:
            return rules.answer({"meta": {"message": NOTHING}, "data": []})
        if size:
            counted = self.version.counts_custom or not custom
            total = -(-self.store.count(module, where, values, gone) // size) if counted else 0
            document["meta"] = {"total-pages": total, "records-on-this-page": len(found)}
            document["links"] = links_of(path, asked, total, number)
        return rules.answer(document)

    def _shown(self, module: str, asked: Mapping[str, Any]) -> Sequence[str] | None:
        """The fields to be shown, None for all; the first name among ``fields`` is taken for the module."""
        given = asked.get("fields")
        if given is None:
            return None
        if not isinstance(given, dict) or not given:
            raise rules.invalid("fields", given)
        of, names = next(iter(given.items()))
        known = self.store.fields[self.store.module(of)]
        wanted = str(names).split(",")
        if missing := [name for name in wanted if name not in known]:
            told = f"The following field{'s' if len(missing) > 1 else ''} in {OBJECTS[module]} module"
            raise rules.Refused(f"{told} {'are' if len(missing) > 1 else 'is'} not found: {', '.join(missing)}")
        return wanted

    def _order(self, module: str, sort: str | None) -> str:
        if not sort:
            return ""
        name = sort.removeprefix("-")
        if name not in self.store.fields[module]:
            raise rules.Refused(f"Sort field {name} in {OBJECTS[module]} module is not found")
        value = "id" if name == "id" else f"json_extract(body, '$.{name}')"
        return f"ORDER BY {value} {'DESC' if sort.startswith('-') else 'ASC'}"

    async def one(self, request: Request) -> Response:
        """One record."""
        module, number = self.store.module(request.path_params["module"]), _id(request)
        asked = rules.nested(request)
        rules.known(asked, ("moduleName", "id", "fields"))
        shown, record = self._shown(module, asked), self.store.there(module, number)
        self.allowed(module, "view")
        return rules.answer({"data": document_of(module, record, shown, f"V8/module/{module}/{number}")})

    async def create(self, request: Request) -> Response:
        """A new record, under the id that was sent with it if any; an id that even a deleted one has is refused."""
        data = await rules.body_of(request)
        rules.resource(data, "type", also=("id", "attributes"))
        module, number = self.store.module(data["type"]), data.get("id")
        if number is not None and self.store.get(module, number, deleted=True):
            raise rules.Refused(f"Bean {data['type']} with id {number} is already exist")
        self.allowed(module, "save")
        record = self.store.write(module, None, data.get("attributes") or {}, number)
        return rules.answer({"data": document_of(module, record, None, f"V8/module/{record['id']}")}, 201)

    async def update(self, request: Request) -> Response:
        """Change a record; attributes that are not sent stay as they are, empty ones are emptied."""
        data = await rules.body_of(request)
        rules.resource(data, "type", "id", also=("attributes",))
        module = self.store.module(data["type"])
        record = self.store.there(module, data["id"])
        self.allowed(module, "save")
        record = self.store.write(module, record, data.get("attributes") or {})
        return rules.answer({"data": document_of(module, record, None, f"V8/module/{record['id']}")})

    async def delete(self, request: Request) -> Response:
        """Mark a record as deleted."""
        module, number = self.store.module(request.path_params["module"]), _id(request)
        self.store.there(module, number)
        self.allowed(module, "delete")
        self.store.delete(module, number)
        return rules.answer({"meta": {"message": f"Record with id {number} is deleted"}, "data": []})


def _id(request: Request) -> str:
    number = str(request.path_params["id"])
    if not rules.ID.fullmatch(number):
        raise rules.invalid("id", number)
    return number.lower()
