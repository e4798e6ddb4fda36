"""A plan that dbt could not build."""

from __future__ import annotations

from snello.cli.plan.workshop import sentence

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
