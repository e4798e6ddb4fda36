"""Consent: nobody is sent without a yes to the sync's purpose and channel that holds today."""

from __future__ import annotations

from snello.activation.gates.case import Case, Gate

CODE = "no_consent"
LEFT = "select (select count(*) from audience) - (select count(*) from printed)"


def kept_back(case: Case) -> str | None:
    """Every member without consent; ``printed`` holds the others alone."""
    if not case.connection.execute(LEFT).fetchall()[0][0]:
        return None
    return (
        f"select _key as key, _customer as customer, '{CODE}' as code, false as keep "
        "from audience anti join consented on consented.key = _customer"
    )


def barred(case: Case) -> str:
    """Whoever withdrew, whether still a member or not."""
    return f"select key, '{CODE}' as code from leavers anti join consented on consented.key = leavers.customer"


GATE = Gate("consent", kept_back, barred)
