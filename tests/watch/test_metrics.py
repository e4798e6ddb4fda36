from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.watch.conftest import SYNC, Runs

from snello.activation import Ledger
from snello.lake import Lake
from snello.watch import Terms, judge, metrics, observe
from snello.watch.metrics import NAMES


def test_the_metrics_say_what_the_ledger_says(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "rows refused", a="delivered", b="delivered", c="refused", d="retrying")
    kept = {"key": "e", "customer": "e", "gate": "consent", "code": "no_consent", "run_id": "r1"}
    ledger.exclude(SYNC, [kept], [])
    seen = observe(ledger, lake)
    families = text_string_to_metric_families(metrics(seen, judge(seen, Terms())))
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
    assert found["snello_sync_rows", "upsert", "delivered", SYNC] == 2
    assert found["snello_sync_held", SYNC] == 2
    assert (found["snello_sync_dead", SYNC], found["snello_sync_waiting", SYNC]) == (1, 1)
    assert found["snello_sync_excluded", "no_consent", "consent", SYNC] == 1
    assert found["snello_sync_last_run_ok", SYNC] == 1
    assert (found["snello_alerts", "refused"], found["snello_alerts", "breaker"]) == (1, 0)


def test_every_metric_says_what_it_is(ledger: Ledger, lake: Lake) -> None:
    text = metrics(observe(ledger, lake), [])
    assert all(f"# HELP {name} {about}" in text for name, about in NAMES.items())


def test_the_guide_names_every_metric() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "watching.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in guide] == []
