"""The seeds that decide about golden values are refused with one sentence when a word in them is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from snello.dbt.policies import CRITERIA, PURPOSES, check_consents, check_policies
from snello.errors import ConfigError

PROJECT = Path(__file__).parents[2] / "transform"
SEEDS = (
    "survivorship.csv", "source_trust.csv", "source_policies.csv", "purpose_channels.csv", "purpose_bases.csv",
    "notice_policies.csv", "quality_rules.csv",
)  # fmt: skip


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the policies beside the folders of the sources."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in SEEDS:
        shutil.copy(PROJECT / "seeds" / name, folder / name)
    for path in PROJECT.glob("models/staging/*/_*__shapes.sql"):
        staged = tmp_path / path.relative_to(PROJECT)
        staged.parent.mkdir(parents=True)
        shutil.copy(path, staged)
    return folder


def test_the_policies_that_are_shipped_pass() -> None:
    check_policies(PROJECT / "seeds")
    check_consents(PROJECT / "seeds")


def test_the_purposes_are_those_of_the_models() -> None:
    macro = (PROJECT / "macros" / "permits.sql").read_text(encoding="utf-8")
    assert f"    {','.join(PURPOSES)}\n" in macro


def test_the_words_of_the_seed_are_those_that_the_models_reckon_with() -> None:
    macro = (PROJECT / "macros" / "survivorship.sql").read_text(encoding="utf-8")
    assert all(f"{word}=" in macro for word in CRITERIA)


@pytest.mark.parametrize(
    ("seed", "row", "fault"),
    [
        ("survivorship.csv", "shoe_size,recencey,,", "no criterion 'recencey'. Next: did you mean 'recency'?"),
        ("survivorship.csv", "adress,trust,,", "no part 'adress'. Next: did you mean 'address'?"),
        ("survivorship.csv", 'shoe_size,"trust,trust",,', "a criterion stands twice"),
        ("survivorship.csv", "shoe_size,,,", "no criterion. Next: name one or more of validity"),
        ("survivorship.csv", "shoe_size,trust,soon,", "max_age_days is 'soon'"),
        ("survivorship.csv", "email,trust,,", "part 'email' is governed twice"),
        ("source_trust.csv", "loyality,email,50,", "no source 'loyality'. Next: did you mean 'loyalty'?"),
        ("source_trust.csv", "loyalty,email,lots,", "trust is 'lots'. Next: give a whole number from 0 to 100"),
        ("source_policies.csv", 'gym,50,"servize",latest,', "no purpose 'servize'. Next: did you mean 'service'?"),
        ("source_policies.csv", "gym,50,service,newest,", "no survivorship 'newest'"),
        ("source_policies.csv", "gym,101,service,latest,", "trust is '101'"),
    ],
)
def test_a_wrong_word_is_told_with_its_line_and_the_right_one(seeds: Path, seed: str, row: str, fault: str) -> None:
    path = seeds / seed
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + f"\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        check_policies(seeds)
    assert fault in str(refused.value)
    assert str(refused.value).startswith(f"seeds/{seed}, line ")


def test_a_column_that_is_missing_is_named(seeds: Path) -> None:
    (seeds / "survivorship.csv").write_text("part,criterion,max_age_days\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no column 'criteria'\. Next: did you mean 'criterion'"):
        check_policies(seeds)


def test_a_part_and_a_source_of_ones_own_are_allowed(seeds: Path) -> None:
    for name, row in (
        ("survivorship.csv", "shoe_size,recency,365,"),
        ("source_policies.csv", "gym,50,service,latest,"),
    ):
        (seeds / name).write_text((seeds / name).read_text(encoding="utf-8") + f"{row}\n", encoding="utf-8")
    check_policies(seeds)


@pytest.mark.parametrize(
    ("seed", "row", "fault"),
    [
        ("purpose_channels.csv", "emial_marketing,email", "did you mean 'email_marketing'?"),
        ("purpose_channels.csv", "service,emial", "no channel 'emial'. Next: did you mean 'email'?"),
        ("purpose_bases.csv", "service,contact", "no legal basis 'contact'. Next: did you mean 'contract'?"),
        ("purpose_bases.csv", "profilling,consent", "no purpose 'profilling'. Next: did you mean 'profiling'?"),
        ("notice_policies.csv", "loyality,*,service,,,14,,false,,", "did you mean 'loyalty'?"),
        ("notice_policies.csv", "gym,*,servize,,,14,,false,,", "no purpose 'servize'. Next: did you mean 'service'?"),
        ("notice_policies.csv", "gym,*,service,31/12/2026,,14,,false,,", "valid_from is '31/12/2026'. Next: write"),
        ("notice_policies.csv", "gym,*,service,2026-12-31,2026-01-01,,,,,", "valid_to is before valid_from"),
        ("notice_policies.csv", "gym,*,service,,,young,,false,,", "minimum_age is 'young'. Next: give a whole number"),
        ("notice_policies.csv", "gym,*,service,,,14,,flase,,", "no double_opt_in 'flase'. Next: did you mean 'false'?"),
        ("quality_rules.csv", "sock_size,warnning,,", "no severity 'warnning'. Next: did you mean 'warning'?"),
    ],
)  # fmt: skip
def test_a_wrong_word_about_consents_or_findings_is_told_too(seeds: Path, seed: str, row: str, fault: str) -> None:
    path = seeds / seed
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + f"\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        check_consents(seeds)
    assert f"seeds/{seed}, line " in str(refused.value)
    assert fault in str(refused.value)
