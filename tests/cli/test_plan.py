"""A plan that dbt could not build, or that would change more than agreed; what one plan leaves for the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from snello.cli.plan.page import page
from snello.cli.plan.plan import Plan
from snello.cli.plan.workshop import Workshop, sentence

LOG = """\
05:54:12  Concurrency: 4 threads (target='lake')
05:54:13  an older warning. Next: nothing.
05:54:15  Encountered an error:
Database Error
  Runtime Error
    seeds/identity_rules.csv row 2: share: unknown kind 'tax_cod'. Next: mend the row.
"""


def test_a_wrong_word_in_a_seed_is_told_with_its_row_and_its_cure() -> None:
    what = "seeds/identity_rules.csv row 2: share: unknown kind 'tax_cod'"
    assert sentence(LOG) == (what, "mend the row")


def test_what_dbt_says_of_itself_is_left_in_its_log() -> None:
    assert sentence("Encountered an error:\nDatabase Error\n  Catalog Error: no such table\n") is None
    assert sentence("05:54:13  a warning. Next: nothing.\nEncountered an error:\nRuntime Error\n") is None


def test_a_plan_that_is_too_large_does_not_name_the_command_that_would_publish_it() -> None:
    people = {"people": 9, "new": 0, "gone": 0, "merged": 0, "split": 3, "records_moved": 3}
    plan = Plan(datetime(2026, 11, 1, tzinfo=UTC), "b1", "", "", people)
    assert "snello apply" in str(list(page(plan)))
    assert "snello apply" not in str(list(page(replace(plan, limits={"split": 2}))))


def test_a_new_plan_begins_with_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, tmp_path / "transform")
    (workshop.target / "compiled").mkdir(parents=True)
    for path in (workshop.file, workshop.warehouse, workshop.target / "partial_parse.msgpack"):
        path.touch()
    workshop.clear()
    assert list(tmp_path.rglob("*")) == []
