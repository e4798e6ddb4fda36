"""The suppression list on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from snello.activation import Ledger

Snello = Callable[..., Any]


def entries(snello: Snello) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(snello("suppress", "--list", "--json").out)
    return found


def test_an_address_is_suppressed_listed_and_lifted_by_its_hash_alone(hub: Any, snello: Snello) -> None:
    said = snello(
        "suppress", "ada@posta.example", "--channel", "email", "--reason", "asked by letter", "--author", "bea"
    )
    assert (
        said.out == "ok    the address is sent nothing more by email; what channels hold goes with their next runs.\n"
    )
    (row,) = entries(snello)
    assert (row["kind"], row["channel"], row["reason"], row["source"], row["why"]) == (
        "address", "email", "manual", "bea", "asked by letter",
    )  # fmt: skip
    assert len(row["value"]) == 64
    again = snello("suppress", " ADA@posta.example ", "--channel", "email", "--reason", "once more")
    assert again.out == "note  the address was suppressed for email already.\n"
    lifted = snello("suppress", "ada@posta.example", "--lift", "--reason", "asked to come back")
    assert lifted.out == "ok    the address may be sent by any channel again, as far as consent goes.\n"
    assert entries(snello) == []
    with closing(Ledger(hub.ledger)) as ledger, ledger.engine.connect() as connection:
        decisions = connection.exec_driver_sql(
            "select action, reason from suppression_decisions order by id"
        ).fetchall()
        told = connection.exec_driver_sql("select action from audit order by seq").scalars().all()
        everything = str(connection.exec_driver_sql("select * from suppression_decisions").fetchall())
    assert [action for action, _ in decisions] == ["suppress", "suppress", "lift"]
    assert told == ["suppress", "suppress", "lift"]
    assert "posta.example" not in everything


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody", "--reason", "x"], "nobody is called so. Next: give a customer_id"),
        (["ada@posta.example"], "a decision without a reason cannot be understood later. Next: give --reason"),
        (["ada@posta.example", "--reason", "ada@posta.example wrote"], "it names an address, and the ledger keeps it"),
        (
            ["ada@posta.example", "--channel", "emial", "--reason", "x"],
            "no channel 'emial'. Next: did you mean 'email'",
        ),
        ([], "give a person or --list"),
        (["ada@posta.example", "--list"], "give a person or --list"),
    ],
)
def test_a_wrong_call_is_told_with_its_cure_and_enters_nothing(
    hub: Any, snello: Snello, arguments: list[str], words: str
) -> None:
    said = snello("suppress", *arguments)
    assert said.code == 2
    assert words in said.err
    assert "posta.example" not in said.err
    assert entries(snello) == []
