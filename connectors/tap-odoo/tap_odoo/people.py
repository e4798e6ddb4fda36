"""Whom the company deals with, who may become a customer, and who wants no letters."""

from __future__ import annotations

from snello.kit.rest import Compare
from tap_odoo.stream import OdooStream


class Partners(OdooStream):
    """One row a person, organisation or further address, archived ones too."""

    name, model = "partners", "res.partner"


class Leads(OdooStream):
    """One row a lead or opportunity, lost ones too: they are archived."""

    name, model = "leads", "crm.lead"


class Blacklist(OdooStream):
    """One row an e-mail address that gets no mailings; one that was taken off the list again is archived."""

    name, model = "blacklist", "mail.blacklist"


class Places(OdooStream):
    """What addresses point to, set up with Odoo itself: read whole and compared, whenever it was changed.

    Some 1,500 states are of one moment, more than a bookmark tells apart, and all lie before any ``start_date``.
    """

    compare = Compare(proof="end")


class Countries(Places):
    """One row a country, to which addresses point."""

    name, model = "countries", "res.country"


class CountryStates(Places):
    """One row a state or province of a country, to which addresses point."""

    name, model = "country_states", "res.country.state"
