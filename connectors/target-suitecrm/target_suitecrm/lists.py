"""Target lists: the one to keep, who is on it, and contacts put on it and taken off."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.channel import BatchRefused, ConfigError
from target_suitecrm.crm import A_PAGE, Crm, Record, record_of
from target_suitecrm.faults import GONE, UNRELATED, WHERE

LISTS = "ProspectLists"
CONTACTS_ON = "module/ProspectLists/{id}/relationships/contacts"
LISTS_OF = "module/Contacts/{id}/relationships"


class TargetList:
    """One target list, by its id."""

    def __init__(self, crm: Crm, number: str) -> None:
        self.crm, self.id = crm, number

    def join(self, contact: str) -> None:
        """Put a contact on it; one that is on it stays so. Raises ``ConfigError`` when the list is gone."""
        try:
            self.crm.call("POST", LISTS_OF.format(id=contact), LISTS_OF, {"type": LISTS, "id": self.id})
        except BatchRefused as fault:
            if fault.code == GONE and self.crm.read(LISTS, self.id, ["name"]) is None:
                what = "the target list was deleted while the run was under way"
                raise ConfigError(WHERE, what, "name another list, or set create_list: true") from None
            raise

    def part(self, contact: str) -> None:
        """Take a contact off it; who is gone, or was not on it, is off it.

        From the contact's side: from the list's, SuiteCRM would read all its members for each of them.
        """
        try:
            self.crm.call(
                "DELETE",
                f"{LISTS_OF.format(id=contact)}/prospect_lists/{self.id}",
                f"{LISTS_OF}/prospect_lists/{{list}}",
            )
        except BatchRefused as fault:
            if fault.code not in (UNRELATED, GONE):
                raise

    def members(self) -> Iterator[Record]:
        """The contacts on it; a page may hold fewer than it could, of those that the user may see."""
        seen: set[str] = set()
        page = 1
        while True:
            query = {"page[size]": A_PAGE, "page[number]": page}
            found = self.crm.call("GET", CONTACTS_ON.format(id=self.id), CONTACTS_ON, **query)
            new = [one for one in map(record_of, found.get("data") or ()) if one.id not in seen]
            yield from new
            seen |= {one.id for one in new}
            if not new or page >= int((found.get("meta") or {}).get("total-pages") or page + 1):
                return
            page += 1

    def counted(self) -> int | None:
        """How many contacts are on it; None where the version does not tell."""
        try:
            query = {"page[size]": 1, "page[number]": 1}
            found = self.crm.call("GET", CONTACTS_ON.format(id=self.id), CONTACTS_ON, **query)
        except BatchRefused:
            return None
        told = (found.get("meta") or {}).get("total-records")
        return int(told) if told is not None else None if found.get("data") else 0


def list_called(crm: Crm, name: str, create: bool) -> TargetList:
    """The target list of this name, made when it may be. Raises ``ConfigError``."""
    found = crm.having(LISTS, "name", [name], ["name"]).get(name, [])
    if len(found) > 1:
        raise ConfigError(WHERE, f"{len(found)} target lists are called {name!r}", "set list_id instead of list_name")
    if found:
        return TargetList(crm, found[0].id)
    if not create:
        cure = "set create_list: true, or another list_name"
        raise ConfigError(WHERE, f"SuiteCRM has no target list called {name!r}", cure)
    made = crm.make(LISTS, name, {"name": name, "list_type": "default"}, ["name"], anew=True)
    return TargetList(crm, made.id)


def check_list(crm: Crm, number: str) -> TargetList:
    """The target list of this id, when it is there. Raises ``ConfigError``."""
    if crm.read(LISTS, number, ["name"]) is None:
        raise ConfigError(WHERE, "SuiteCRM has no target list with the id in list_id", "set list_id to one that it has")
    return TargetList(crm, number)
