"""Consent: nobody is sent without a yes to the sync's purpose and channel that holds today."""

from __future__ import annotations

from snello.activation.gates.case import Case, Gate

CODE = "no_consent"
WITHOUT = f"select key, customer, '{CODE}' as code, false as keep from members where not consents"


def kept_back(_case: Case) -> str:
    """Every member without consent."""
    return WITHOUT


def barred(case: Case) -> str:
    """Whoever withdrew, whether still a member or not."""
    return f"select key, '{CODE}' as code from leavers anti join consented on consented.key = leavers.customer"


GATE = Gate("consent", kept_back, barred)
