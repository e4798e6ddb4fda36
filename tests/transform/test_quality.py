from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import yaml
from deltalake import write_deltalake

from snello.identifiers import hash_key
from snello.lake import quarantine

if TYPE_CHECKING:
    from conftest import Hub, Rows

BAD_INPUT = Path(__file__).parent / "quality" / "bad_input.yml"
STORIES = Path(__file__).parent / "stories"
NOTHING = (
    *("N/A", "n.a.", "null", "NULL", "None", "nan", "-", "--", "—", "."),
    *("?", "xxx", "n.d.", "non disponibile", "sconosciuto", "unknown", "undefined", "#N/A", "(null)", "***"),
)
LONG = 10_000_000
BUILD = ("build", "--exclude-resource-type", "unit_test")  # that no row of this lake decides


def bad_input() -> Rows:
    """The rows of the file, twenty spellings of nothing, and a name of ten million characters."""
    rows: Rows = yaml.safe_load(BAD_INPUT.read_text(encoding="utf-8"))
    rows["crm.customers"] += [
        {"customer_no": 100 + n, "first_name": spelling, "last_name": spelling, "email": spelling, "tax_code": spelling}
        for n, spelling in enumerate(NOTHING)
    ]
    rows["crm.customers"].append({"customer_no": 2, "first_name": "Lunga " * (LONG // 6), "last_name": "Lunga"})
    return rows


@pytest.fixture(scope="module")
def bad(make_hub: Callable[..., Hub]) -> Hub:
    hub = make_hub(bad_input())
    reasons = ("its key is that of line 2", "its key is that of line 9", "7 cells instead of 8")
    refused = [{"id": f"r{n}", "stream": "cards", "reason": reason} for n, reason in enumerate(reasons)]
    write_deltalake(str(hub.lake / "raw" / "loyalty" / "_quarantine"), pa.Table.from_pylist(refused, quarantine.SCHEMA))
    return hub.make(*BUILD)


def found(hub: Hub, rule: str, stream: str = "customers") -> set[str]:
    """The keys that a rule found, out of the warehouse."""
    return {
        key
        for (key,) in hub.query(
            "select record_key from quality.quality_findings where rule = ? and stream = ?", [rule, stream]
        )
    }


def test_twenty_spellings_of_nothing_are_nothing_and_join_nobody(bad: Hub) -> None:
    keys = {str(100 + n) for n in range(len(NOTHING))}
    assert found(bad, "null_like_text") == keys
    assert bad.query("select count(*) from marts.customers where lower(first_name) in ('n/a', 'null')") == [(0,)]
    together = [group for group in bad.partition() if len(group) > 1]
    assert together == []


def test_the_good_row_comes_out_unharmed(bad: Hub) -> None:
    customer = bad.customer("crm/customers/1")
    assert bad.query("select first_name, last_name from marts.customers where customer_id = ?", [customer]) == [
        ("Piera", "Sana")
    ]
    assert bad.query("select rule from quality.quality_findings where stream = 'customers' and record_key = '1'") == []


def test_ten_megabytes_in_a_name_are_cut_for_comparison_and_kept_in_the_lake(bad: Hub) -> None:
    assert found(bad, "text_too_long") == {"2"}
    longest = "select max(length(first_name)), max(length(first_key)) from identity.person_records"
    [(shown, compared)] = bad.query(longest)
    assert shown <= 200
    assert compared <= 200
    [(kept,)] = bad.query("select max(length(first_name)) from canonical.person_observed")
    assert kept > LONG - 6


def test_odd_names_are_told_and_still_names(bad: Hub) -> None:
    assert found(bad, "name_emoji") == {"30"}
    assert found(bad, "name_right_to_left") == {"31"}
    assert found(bad, "name_digits") == {"32"}
    names = dict(
        bad.query("select record_key, first_name from identity.person_records where record_key in ('30', '31')")
    )
    assert names == {"30": "Carla", "31": "مريم"}


def test_dates_in_the_future_are_told(bad: Hub) -> None:
    assert found(bad, "birth_in_future") == {"33"}
    assert found(bad, "birth_too_long_ago") == {"34"}
    assert found(bad, "order_in_future", "orders") == {"1"}


def test_a_birth_that_cannot_be_counts_for_nothing(bad: Hub) -> None:
    people = [customer for customer in bad.customers("crm/customers/33", "crm/customers/34") if customer]
    assert len(people) == 2
    assert bad.query(
        "select count(*) from marts.customers where birth_date is not null and customer_id in (?, ?)", people
    ) == [(0,)]
    assert bad.query(
        "select count(*) from marts.customer_values where attribute = 'birth_date' and customer_id in (?, ?)", people
    ) == [(0,)]


def test_a_consent_dated_tomorrow_is_told(bad: Hub) -> None:
    assert found(bad, "consent_in_future", "consents") == {"1"}


def test_a_purpose_that_nobody_knows_is_told_with_its_gravity_count_and_examples(bad: Hub) -> None:
    rule = "rule = 'consent_purpose_unknown'"
    told = bad.query(f"select source, stream, severity, findings, examples from marts.data_quality where {rule}")
    assert told == [("crm", "consents", "error", 1, hash_key("2", "salt"))]
    assert bad.query("select count(distinct purpose) from marts.consents where record_key = '2'") == [(5,)]


def test_a_tax_code_of_the_wrong_century_for_its_birthplace_is_told(bad: Hub) -> None:
    assert found(bad, "tax_code_other_century") == {"35"}
    assert found(bad, "tax_code_impossible_birth") == {"36"}


def test_a_tax_code_that_contradicts_its_record_says_in_what(bad: Hub) -> None:
    for part in ("surname", "given_name", "birth_date", "sex"):
        assert found(bad, f"tax_code_other_{part}") == {"37"}, part


def test_tax_codes_that_are_none_are_told_by_their_fault(bad: Hub) -> None:
    assert found(bad, "tax_code_mistyped") == {"38"}
    assert found(bad, "tax_code_malformed") == {"39"}


def test_the_postcode_of_a_merged_municipality_is_told_and_the_new_town_known(bad: Hub) -> None:
    assert found(bad, "town_merged") == {"40", "41"}
    assert found(bad, "postcode_retired") == {"41"}
    assert found(bad, "postcode_other_town") & {"40", "41"} == set()


def test_postcodes_that_do_not_fit_are_told_and_those_of_other_countries_left_alone(bad: Hub) -> None:
    assert found(bad, "postcode_other_province") == {"42"}
    assert found(bad, "postcode_other_town") == {"45"}
    assert found(bad, "postcode_unknown") == {"43"}
    assert found(bad, "postcode_not_valid") == {"44"}


def test_identifiers_that_are_none_or_speak_of_nobody_are_told(bad: Hub) -> None:
    assert found(bad, "email_not_valid") == {"47"}
    assert found(bad, "phone_not_valid") == {"47"}
    assert found(bad, "email_placeholder") == {"48"}
    assert found(bad, "phone_placeholder") == {"48"}
    assert found(bad, "identifier_blocked") == {"49"}
    assert found(bad, "card_not_valid", "cards") == {"8.00123E+12"}


def test_of_rows_with_one_key_the_latest_counts_and_the_others_are_counted(bad: Hub) -> None:
    assert bad.query("select first_name, email from canonical.person_observed where record_key = '50'") == [
        ("Nuova", "dopo@doppia.example")
    ]
    counted = bad.query(
        "select source, stream, findings from marts.data_quality where rule = 'key_repeated' order by all"
    )
    assert ("crm", "customers", 1) in counted
    assert bad.query("select count(*) from marts.orders where record_key = '2'") == [(1,)]


def test_rows_that_loading_refused_are_told_those_with_a_key_that_was_taken_apart(bad: Hub) -> None:
    assert found(bad, "key_refused", "cards") == {"r0", "r1"}
    assert found(bad, "row_refused", "cards") == {"r2"}


def test_a_source_whose_clock_runs_ahead_is_told(bad: Hub) -> None:
    assert found(bad, "clock_ahead") == {"51", "52"}
    assert found(bad, "record_in_future") == {"52"}


def test_the_report_names_rows_by_a_salted_hash_alone_and_three_at_most(bad: Hub) -> None:
    [(findings, examples)] = bad.query(
        "select findings, examples from marts.data_quality where rule = 'null_like_text' and source = 'crm'"
    )
    assert findings == len(NOTHING)
    assert examples.split(" ") == [hash_key(key, "salt") for key in ("100", "101", "102")]


def test_every_kind_of_bad_input_has_its_row_in_the_report_with_a_count_and_examples(bad: Hub) -> None:
    told = bad.query("select distinct rule from marts.data_quality where findings > 0 and length(examples) > 0")
    assert {rule for (rule,) in told} >= {
        "null_like_text", "name_emoji", "name_right_to_left", "text_too_long", "birth_in_future", "order_in_future",
        "tax_code_other_century", "town_merged", "postcode_retired", "consent_in_future", "record_in_future",
        "clock_ahead", "key_repeated", "key_refused", "row_refused", "consent_purpose_unknown",
    }  # fmt: skip


def test_every_finding_says_how_grave_it_is_and_what_to_do(bad: Hub) -> None:
    assert bad.query("select count(*) from marts.data_quality where severity is null or next_step is null") == [(0,)]


def test_good_data_gives_an_empty_report(make_hub: Callable[..., Hub]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    row = bad_input()["crm.customers"][0] | {"updated_at": now, "_sdc_extracted_at": now}
    hub = make_hub({"crm.customers": [row]}).make(*BUILD, "--select", "+data_quality")
    assert hub.query("select * from marts.data_quality") == []


def test_every_row_twice_changes_nothing_but_the_report(make_hub: Callable[..., Hub], hub: Hub) -> None:
    rows: Rows = {}
    for path in sorted(STORIES.glob("*.yml")):
        for table, told in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            rows.setdefault(table, []).extend(told + told)
    twice = make_hub(rows).make(*BUILD)
    assert twice.partition() == hub.partition()
    for (table,) in hub.query("select table_name from information_schema.tables where table_schema = 'marts'"):
        if table != "data_quality":
            count = f"select count(*) from marts.{table}"
            assert twice.query(count) == hub.query(count), table
