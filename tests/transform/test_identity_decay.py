"""Evidence fades: what two records shared long ago weighs less, and in the end joins nobody by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
HALF_LIFE = 3650  # of a mobile, in days, in seeds/identity_rules.csv
CODE = "MRCMRC80D11G273K"
APART = {"at once": 0, "a half-life": HALF_LIFE, "two half-lives": 2 * HALF_LIFE}


@pytest.fixture(scope="module")
def edges(make_hub: Callable[..., Hub]) -> Hub:
    """Pairs of records that share a mobile, seen ever further apart; and two that share a tax code long ago."""
    rows = []
    for place, days in enumerate(APART.values()):
        said = {"first_name": "Davide", "last_name": "Moretti", "mobile": f"340777000{place}"}
        rows += [
            {"customer_no": 10 * place, **said, "updated_at": NOW - timedelta(days=days)},
            {"customer_no": 10 * place + 1, **said, "updated_at": NOW},
        ]
    marco = {"first_name": "Marco", "last_name": "Marchetti", "tax_code": CODE}
    rows += [
        {"customer_no": 90, **marco, "updated_at": NOW - timedelta(days=3 * HALF_LIFE)},
        {"customer_no": 91, **marco, "updated_at": NOW},
    ]
    only = ("--select", "+person_edges", "--exclude-resource-type", "test", "unit_test")
    return make_hub({"crm.customers": rows}).make("build", *only, "--vars", "{likelihood: false}")


def strength(hub: Hub, first: int, rule: str) -> float | None:
    found = hub.query(
        "select strength from identity.rule_edges where left_record = ? and right_record = ? and rule = ?",
        [f"crm/customers/{first}", f"crm/customers/{first + 1}", rule],
    )
    return found[0][0] if found else None


@pytest.mark.parametrize("rule", ["mobile_and_name", "mobile_and_given"])
def test_after_each_half_life_the_evidence_of_a_rule_is_worth_half(edges: Hub, rule: str) -> None:
    fresh, once, twice = (strength(edges, 10 * place, rule) for place in range(len(APART)))
    assert fresh
    assert once == pytest.approx(fresh / 2)
    assert twice == pytest.approx(fresh / 4)


def test_a_rule_without_a_half_life_does_not_fade(edges: Hub) -> None:
    [(told,)] = edges.query("select strength from seeds.identity_rules where rule = 'tax_code'")
    assert strength(edges, 90, "tax_code") == pytest.approx(told)


def test_evidence_that_has_faded_too_far_joins_nobody(edges: Hub) -> None:
    joined = {left for (left,) in edges.query("select distinct left_record from identity.person_edges")}
    assert {"crm/customers/0", "crm/customers/10", "crm/customers/90"} <= joined
    assert "crm/customers/20" not in joined
