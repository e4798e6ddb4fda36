"""Which partner a customer is: by the external id that says so, else by what both sides know, never by a guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snello.kit.channel import BatchRefused, Change, ConfigError, choices
from target_odoo.calling import WHERE, Odoo

MODULE, PARTNER, LINKS, TAGS, BLACKLIST = (
    "snello",
    "res.partner",
    "ir.model.data",
    "res.partner.category",
    "mail.blacklist",
)
ALL = {"active_test": False}
PAGE = 1_000


@dataclass(frozen=True)
class Found:
    """A partner, and whether it stands in the archive."""

    id: int
    active: bool


class Partners:
    """Partners with an external id ``snello.<customer_id>``, and the search for those that have none yet."""

    def __init__(self, odoo: Odoo, match: Sequence[tuple[str, str]]) -> None:
        self.odoo, self.match = odoo, match

    def linked(self, keys: Iterable[str]) -> dict[str, Found]:
        """Partners by customer_id; an external id whose partner is gone counts for nothing."""
        by_key = {name: link["res_id"] for name, link in self._links([["name", "in", list(keys)]]).items()}
        there = self._there(by_key.values())
        return {key: there[number] for key, number in by_key.items() if number in there}

    def _links(self, domain: list[Any]) -> dict[str, dict[str, Any]]:
        ours = [["module", "=", MODULE], ["model", "=", PARTNER], *domain]
        found = self.odoo.call(LINKS, "search_read", domain=ours, fields=["name", "res_id"])
        return {link["name"]: link for link in found}

    def _there(self, ids: Iterable[int]) -> dict[int, Found]:
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        found = self.odoo.call(PARTNER, "search_read", domain=[["id", "in", wanted]], fields=["active"], context=ALL)
        return {row["id"]: Found(row["id"], row["active"]) for row in found}

    def matched(self, changes: Sequence[Change]) -> tuple[dict[str, Found], dict[str, str]]:
        """Partners of customers without an external id, and why others have none that is theirs alone.

        - the first pair of ``match`` that finds a partner decides
        - ``ambiguous``: several partners have the value; ``taken``: the partner is another customer's
        """
        found: dict[str, Found] = {}
        refused: dict[str, str] = {}
        for column, field in self.match:
            values = {
                change.key: value
                for change in changes
                if change.key not in found.keys() | refused.keys()
                and (value := wanted(field, change.payload.get(column))) is not None
            }
            if not values:
                continue
            holders = self._holders(field, set(values.values()))
            for key, value in values.items():
                held = holders.get(value, [])
                if len(held) > 1:
                    refused[key] = "ambiguous"
                elif held:
                    found[key] = held[0]
        return self._free(found, refused)

    def _holders(self, field: str, values: set[Any]) -> dict[Any, list[Found]]:
        domain = [[field, "in", sorted(values)]]
        rows = self.odoo.call(PARTNER, "search_read", domain=domain, fields=["active", field], context=ALL)
        holders: dict[Any, list[Found]] = {}
        for row in rows:
            holders.setdefault(row[field], []).append(Found(row["id"], row["active"]))
        return holders

    def _free(self, found: dict[str, Found], refused: dict[str, str]) -> tuple[dict[str, Found], dict[str, str]]:
        """Without partners that are another's already, or wanted by two."""
        if not found:
            return found, refused
        links = self._links([["res_id", "in", sorted({one.id for one in found.values()})]])
        owner = {link["res_id"]: name for name, link in links.items()}
        free: dict[str, Found] = {}
        for key, one in found.items():
            if owner.setdefault(one.id, key) == key:
                free[key] = one
            else:
                refused[key] = "taken"
        return free, refused

    def link(self, found: Mapping[str, Found]) -> None:
        """Write down whose partners these are; before anything else is written, so that they can be found again."""
        if not found:
            return
        stale = self._links([["name", "in", list(found)]])
        for key, link in stale.items():
            self.odoo.call(LINKS, "write", ids=[link["id"]], vals={"res_id": found[key].id})
        new = [
            {"module": MODULE, "name": key, "model": PARTNER, "res_id": one.id, "noupdate": True}
            for key, one in found.items()
            if key not in stale
        ]
        if new:
            self.odoo.call(LINKS, "create", vals_list=new)

    def rename(self, old: str, new: str) -> bool:
        """The partner of one customer as another's; False when the other has one already, or the first has none."""
        links = self._links([["name", "in", [old, new]]])
        if old not in links or new in links:
            return False
        self.odoo.call(LINKS, "write", ids=[links[old]["id"]], vals={"name": new})
        return True

    def forget(self, keys: Iterable[str]) -> None:
        """No partner is known to be these customers' any more."""
        if links := [link["id"] for link in self._links([["name", "in", list(keys)]]).values()]:
            self.odoo.call(LINKS, "unlink", ids=links)

    def tagged(self, tag: int) -> Iterator[tuple[str, int]]:
        """Customers and their partners with this tag, archived ones too, page by page."""
        last = 0
        while True:
            domain = [["category_id", "in", [tag]], ["id", ">", last]]
            more: dict[str, Any] = {"fields": ["active"], "order": "id", "limit": PAGE, "context": ALL}
            rows = self.odoo.call(PARTNER, "search_read", domain=domain, **more)
            links = self._links([["res_id", "in", [row["id"] for row in rows]]]) if rows else {}
            yield from ((name, link["res_id"]) for name, link in links.items())
            if len(rows) < PAGE:
                return
            last = max(row["id"] for row in rows)


def wanted(field: str, value: Any) -> Any:
    """A value to look for, in the form in which the field holds it; None when there is nothing to look for."""
    text = str(value).strip() if value is not None else ""
    if not text:
        return None
    if field == "id":
        return int(text) if text.isdigit() else None
    return text.lower() if field == "email_normalized" else text


def tag_called(odoo: Odoo, name: str, create: bool) -> int:
    """The tag of this name, made when it may be. Raises ``ConfigError``."""
    tags = odoo.call(TAGS, "search_read", domain=[], fields=["name"])
    found = [tag["id"] for tag in tags if tag["name"] == name]
    if len(found) > 1:
        raise ConfigError(WHERE, f"{len(found)} tags are called {name!r}", "set tag_id instead of tag")
    if found:
        return int(found[0])
    if not create:
        cure = f"set create_tag: true, or another tag; {choices(name, [tag['name'] for tag in tags])}"
        raise ConfigError(WHERE, f"Odoo has no tag called {name!r}", cure)
    return int(odoo.call(TAGS, "create", vals_list=[{"name": name}])[0])


def check_tag(odoo: Odoo, number: int) -> int:
    """The tag, when it is there. Raises ``ConfigError``."""
    if odoo.call(TAGS, "search_count", domain=[["id", "=", number]]):
        return number
    raise ConfigError(WHERE, f"Odoo has no tag {number}", "set tag_id to a tag that it has")


def check_blacklist(odoo: Odoo) -> None:
    """See that there is one. Raises ``ConfigError``."""
    try:
        odoo.call(BLACKLIST, "search_count", domain=[["id", "=", 0]])
    except BatchRefused:
        raise ConfigError(WHERE, "Odoo has no blacklist", "install its module mail, or leave blacklist out") from None


def block(odoo: Odoo, emails: Sequence[str]) -> None:
    """Put addresses on the blacklist, also those that somebody took off; none is ever taken off."""
    if not emails:
        return
    ask: dict[str, Any] = {"domain": [["email", "in", list(emails)]], "fields": ["email", "active"], "context": ALL}
    there = {row["email"]: row for row in odoo.call(BLACKLIST, "search_read", **ask)}
    if off := [row["id"] for row in there.values() if not row["active"]]:
        odoo.call(BLACKLIST, "write", ids=off, vals={"active": True})
    if new := [{"email": email} for email in emails if email not in there]:
        odoo.call(BLACKLIST, "create", vals_list=new)
