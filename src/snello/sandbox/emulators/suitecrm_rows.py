"""Generated records of a SuiteCRM: deterministic, with ties, empty values, escaped texts, deleted ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from snello.sandbox.emulators.suitecrm_fields import Field

Record = dict[str, str]
BEGAN = datetime(2026, 1, 5, 8)
ONE_GO = 7  # records that were saved within one second, as an import does
NEVER = 13  # one in so many was deleted
FIRST = ("Ada", "Niccolò", "José", "M&#039;hamed", "Zoë", "Elena", "", "Björn")
LAST = (
    "Rossi",
    "O&#039;Neill",
    "D&#039;Amico",
    "Müller",
    "Verdi",
    "Smith &amp; Co",
    "Conti",
    "&quot;Ruy&quot;",
)
BASES = ("", "^consent^", "^contract^", "^consent^,^legitimate_interest^", "^withdrawn^", "", "^legal_obligation^")
STAGES = ("Prospecting", "Negotiation/Review", "Closed Won", "Closed Lost")
PARENTS = ("Contacts", "Leads", "Accounts", "")
SHARES = {"Accounts": 4, "Leads": 2, "Opportunities": 3, "Cases": 3, "Calls": 2, "Meetings": 5}


def records_of(contacts: int, fields: Mapping[str, Mapping[str, Field]]) -> dict[str, list[Record]]:
    """So many contacts, and what belongs to them; the same for the same number. Every field is there, as text."""
    if not contacts:
        return {}
    many = {"Contacts": contacts, **{module: max(3, contacts // share) for module, share in SHARES.items()}}
    many["Campaigns"] = 4
    ids = {module: [_id(module, number) for number in range(count)] for module, count in many.items()}
    made = _Made(ids)
    return {
        module: [_whole(made, module, number, fields[module]) for number in range(len(ids[module]))] for module in ids
    }


def _id(module: str, number: int) -> str:
    return str(UUID(int=Random(f"{module} {number}").getrandbits(128), version=4))


def _whole(made: _Made, module: str, number: int, fields: Mapping[str, Field]) -> Record:
    empty = {name: "0" if kind["type"] == "bool" else "" for name, kind in fields.items()}
    changed = BEGAN + timedelta(hours=3 * (number // ONE_GO))
    common = {
        "id": made.ids[module][number],
        "date_entered": _text(changed - timedelta(days=number % 5)),
        "date_modified": _text(changed),
        "deleted": "1" if number % NEVER == NEVER - 1 else "0",
    }
    given = getattr(made, module.lower())(number)
    return {**empty, **common, **given}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


class _Made:
    """What the records of each module say; a method a module."""

    def __init__(self, ids: Mapping[str, list[str]]) -> None:
        self.ids = ids

    def _of(self, module: str, number: int) -> str:
        return self.ids[module][number % len(self.ids[module])]

    def _person(self, kind: str, number: int) -> Iterator[tuple[str, str]]:
        first, last = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
        yield from {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}.items()
        yield "email1", "" if number % 6 == 5 else f"{kind}{number}@example.org"
        yield "email_opt_out", "1" if number % 5 == 4 else "0"
        yield "invalid_email", "1" if number % 17 == 16 else "0"
        yield "phone_mobile", "" if number % 4 == 3 else f"+39 347 {5550000 + number:07}"
        yield "do_not_call", "1" if number % 11 == 10 else "0"
        yield "lawful_basis", BASES[number % len(BASES)]
        yield "lawful_basis_source", "website" if BASES[number % len(BASES)] else ""
        yield "date_reviewed", "2026-02-11" if number % 3 else ""
        yield "birthdate", "1980-02-29" if number % 9 == 1 else ""
        yield "primary_address_city", ("Milano", "L&#039;Aquila", "")[number % 3]
        yield "primary_address_country", ("IT", "Italia", "")[number % 3]
        yield "campaign_id", self._of("Campaigns", number) if number % 2 else ""

    def contacts(self, number: int) -> Record:
        account = number if number % 3 else -1
        of = {"account_id": self._of("Accounts", account), "account_name": self._name(account)} if account > 0 else {}
        return {**dict(self._person("contact", number)), **of, "lead_source": "Web Site"}

    def leads(self, number: int) -> Record:
        converted = number % 4 == 0
        became = {"contact_id": self._of("Contacts", number), "opportunity_id": self._of("Opportunities", number)}
        told = {"status": "Converted" if converted else "New", "converted": str(int(converted))}
        return {**dict(self._person("lead", number)), **told, **(became if converted else {})}

    def _name(self, number: int) -> str:
        return f"Casa n°{number % len(self.ids['Accounts'])} &amp; Figli"

    def accounts(self, number: int) -> Record:
        return {"name": self._name(number), "industry": "Retail", "website": "http://", "billing_address_city": "Bari"}

    def opportunities(self, number: int) -> Record:
        amount = ("1234.500000", "", "0.00", "-15", "99999999999999.99")[number % 5]
        about = {"name": f"Offer {number}", "amount": amount, "currency_id": "-99", "probability": str(number % 101)}
        closed = {"sales_stage": STAGES[number % 4], "date_closed": "2026-09-30" if number % 4 else ""}
        return {**about, **closed, "account_id": self._of("Accounts", number), "account_name": self._name(number)}

    def cases(self, number: int) -> Record:
        about = {"name": "It doesn&#039;t work", "case_number": str(number + 1), "priority": f"P{number % 3 + 1}"}
        by = {"contact_created_by_id": self._of("Contacts", number) if number % 4 else ""}
        return {**about, **by, "status": "Open_New", "state": "Open", "account_id": self._of("Accounts", number)}

    def _meeting(self, number: int) -> Record:
        starts, parent = BEGAN + timedelta(hours=number), PARENTS[number % len(PARENTS)]
        status = ("Held", "Planned", "Not Held")[number % 3]
        about = {"parent_type": parent, "parent_id": self._of(parent, number) if parent else "", "status": status}
        times = {
            "date_start": _text(starts),
            "date_end": "" if number % 8 == 7 else _text(starts + timedelta(minutes=15)),
        }
        return {**about, **times, "duration_hours": "0", "duration_minutes": "15"}

    def calls(self, number: int) -> Record:
        return {**self._meeting(number), "name": f"Call {number}", "direction": ("Inbound", "Outbound", "")[number % 3]}

    def meetings(self, number: int) -> Record:
        return {**self._meeting(number), "name": f"Meeting {number}", "location": "Roma"}

    def campaigns(self, number: int) -> Record:
        named: dict[str, Any] = {"name": f"Spring {number}", "status": "Active", "campaign_type": "Email"}
        return {**named, "start_date": "2026-03-01", "end_date": "", "budget": "1000.000000", "currency_id": "-99"}
