from __future__ import annotations

from typing import Any

import pytest

from snello.activation import Sync
from snello.errors import ConfigError

GOOD = {"target": "target-webhook", "purpose": "profiling", "channel": "any"}


def test_a_sync_needs_a_target_a_purpose_and_a_channel_only() -> None:
    sync = Sync.read("webhook__loyal", GOOD)
    assert (sync.mode, sync.key, sync.table) == ("mirror", "customer_id", "activation/webhook__loyal")
    assert (sync.max_removal_share, sync.max_removals_floor) == (0.2, 10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"purpose": None}, "setting purpose"),
        ({"purpose": "fun"}, "it should be 'email_marketing'"),
        ({"channel": "fax"}, "setting channel: it should be 'email'"),
        ({"max_removal_share": 2}, "setting max_removal_share: it should be less than or equal to 1"),
        ({"max_removal_shares": 0.1}, "unknown setting max_removal_shares. Next: did you mean 'max_removal_share'?"),
        ({"holdout": {"share": 0.6}}, "setting holdout.share: it should be less than or equal to 0.5"),
        ({"holdout": {"shares": 0.1}}, "setting holdout.share is missing"),
        ({"holdout": {"share": 0.1, "nmae": "w"}}, "unknown setting holdout.nmae. Next: did you mean 'name'?"),
        ({"pressure": {"at_most": 1}}, "setting pressure.days is missing"),
        ({"pressure": {"at_most": 0, "days": 7}}, "setting pressure.at_most: it should be greater than or equal to 1"),
        ({"key": "Email"}, "setting key: Email tells who it is, and the ledger keeps every key for good"),
        ({"key": "contact", "valid": {"contact": "phone"}}, "setting key: contact tells who it is"),
        ({"customer": "tax_code", "key": "event_id"}, "setting customer: tax_code tells who it is"),
        ({"valid": {"email": "mail"}}, "setting valid.email: it should be 'email' or 'phone'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as fault:
        Sync.read("webhook__loyal", {**GOOD, **change})
    assert str(fault.value).startswith("sync webhook__loyal: ")
    assert words in str(fault.value)


def test_a_missing_purpose_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match="set purpose under meta: sync: of the model"):
        Sync.read("webhook__loyal", {"target": "target-webhook", "channel": "any"})


def test_an_unpublished_sync_is_told_with_the_nearest_published_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'webhook__loyal'"):
        Sync.find("webhook__loyl", {"webhook__loyal": GOOD})
    with pytest.raises(ConfigError, match="meltano run unify"):
        Sync.find("webhook__loyal", {})
