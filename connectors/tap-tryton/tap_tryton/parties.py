"""Who the company deals with, and how they are reached."""

from __future__ import annotations

from tap_tryton.stream import TrytonStream


class Parties(TrytonStream):
    """One row a person or organisation, archived ones too; a merged one names the party that took its place."""

    name, model = "parties", "party.party"
    related = ("lang.code",)


class Addresses(TrytonStream):
    """One row an address of a party."""

    name, model = "addresses", "party.address"
    related = ("subdivision.code", "country.code")


class ContactMechanisms(TrytonStream):
    """One row an e-mail address, telephone number or other way to reach a party."""

    name, model = "contact_mechanisms", "party.contact_mechanism"
    related = ("language.code",)


class Identifiers(TrytonStream):
    """One row a number by which others know a party: for taxes, in registers."""

    name, model = "identifiers", "party.identifier"
