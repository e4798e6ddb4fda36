from __future__ import annotations

from pathlib import Path

import pytest

from snello.errors import ConfigError
from snello.identity.rules import check_seeds, read_blocklist, read_rules

SEEDS = Path(__file__).parents[2] / "transform" / "seeds"
HEADER = "rule,share,name,birth_date,tax_code,home,strength,max_people,half_life_days,description"
GOOD = "email_and_name,email,like,not_different,not_different,any,0.95,8,,Same e-mail and like names"


def refusal(folder: Path, *lines: str, header: str = HEADER) -> str:
    """What is said of a seed of these rules."""
    seed = folder / "identity_rules.csv"
    seed.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as fault:
        read_rules(seed)
    return str(fault.value)


def test_the_rules_of_the_project_can_be_read() -> None:
    rules = {rule.rule: rule for rule in read_rules(SEEDS / "identity_rules.csv")}
    assert rules["tax_code"].tax_code == "same"
    assert rules["tax_code"].half_life_days is None
    assert all(0 < rule.strength < 1 for rule in rules.values())
    check_seeds(SEEDS)


def test_a_folder_without_rules_has_nothing_to_check(tmp_path: Path) -> None:
    check_seeds(tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (",like,", ",lke,", "row 2: name cannot be 'lke'; did you mean 'like'?"),
        (",email,", ",emial,", "row 2: share: unknown kind 'emial'; did you mean 'email'?"),
        (",any,", ",sme,", "row 2: home cannot be 'sme'; did you mean 'same'?"),
        ("0.95", "1", "row 2: strength cannot be '1': input should be less than 1"),
        ("0.95", "-1", "row 2: strength cannot be '-1': input should be greater than 0"),
        (",8,", ",,", "row 2: max_people cannot be ''"),
        (",8,,", ",8,soon,", "row 2: half_life_days cannot be 'soon'"),
        ("email_and_name", "Email and name", "row 2: rule cannot be 'Email and name'"),
        ("email_and_name", "likelihood", "row 2: rule: 'likelihood' is how the hub names evidence that no rule gave"),
        ("like names", "like names, no more", "row 2: more cells than columns"),
    ],
)
def test_a_rule_that_cannot_be_is_told_with_file_row_and_the_right_word(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    found = refusal(tmp_path, GOOD.replace(right, wrong, 1))
    assert found.startswith("seeds/identity_rules.csv " + said)
    assert ". Next: " in found
    assert "\n" not in found


def test_a_rule_that_stands_twice_names_both_rows(tmp_path: Path) -> None:
    assert "row 3: 'email_and_name' stands in row 2 already" in refusal(tmp_path, GOOD, GOOD)


def test_an_unknown_column_is_told_with_the_right_one(tmp_path: Path) -> None:
    found = refusal(tmp_path, GOOD, header=HEADER.replace("max_people", "max_peple"))
    assert "unknown column 'max_peple'; did you mean 'max_people'?" in found


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    assert "no column description" in refusal(tmp_path, GOOD, header=HEADER.replace(",description", ""))


def test_a_kind_that_only_a_source_knows_may_be_shared(tmp_path: Path) -> None:
    seed = tmp_path / "identity_rules.csv"
    seed.write_text(f"{HEADER}\n{GOOD.replace(',email,', ',passport,')}\n", encoding="utf-8")
    assert [rule.share for rule in read_rules(seed)] == ["passport"]


def test_a_blocked_value_without_a_reason_is_told(tmp_path: Path) -> None:
    seed = tmp_path / "blocklist.csv"
    seed.write_text("kind,value,reason\nemail,info@%,\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"blocklist\.csv row 2: reason cannot be ''"):
        read_blocklist(seed)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("email", "Nessuno@Mail.IT", "nessuno@mail.it"),
        ("email", "Prova@%", "prova@%"),
        ("phone", "0800 123456", "+390800123456"),
        ("birth_date", "1/1/1900", "1900-12-31"),
    ],
)
def test_a_blocked_value_that_the_hub_writes_otherwise_is_told_for_it_would_block_nothing(
    tmp_path: Path, kind: str, value: str, kept: str
) -> None:
    seed = tmp_path / "blocklist.csv"
    seed.write_text(f"kind,value,reason\n{kind},{value},typed\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"blocklist\.csv row 2: value: ") as told:
        read_blocklist(seed)
    assert kept in str(told.value)
