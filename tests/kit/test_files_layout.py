from __future__ import annotations

from typing import Any

import pytest

from snello.errors import ConfigError
from snello.kit.configuration import settings_of
from snello.kit.files import FileSet, FileSettings

CSV: dict[str, Any] = {"stream": "cards", "path": "x/*.csv", "format": "csv", "columns": [{"name": "card_no"}]}


def fault_of(**changes: Any) -> str:
    with pytest.raises(ConfigError) as fault:
        settings_of(FileSettings, {"files": [CSV | changes]}, "tap-files")
    return str(fault.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"timezone": "Europe/Roma"},
            "setting files[0].timezone: 'Europe/Roma' is not a time zone. Next: did you mean 'Europe/Rome'?",
        ),
        ({"encoding": "latin1x"}, "'latin1x' is not an encoding. Next: did you mean 'latin-1'?"),
        ({"keys": ["card_nr"]}, "keys: no column is called 'card_nr'. Next: did you mean 'card_no'?"),
        ({"delimeter": ";"}, "unknown setting files[0].delimeter. Next: did you mean 'delimiter'?"),
        ({"date_format": "%d/%d/%Y"}, "setting files[0].date_format: a part is there twice"),
        ({"date_format": "%d/%Q"}, "setting files[0].date_format: a part of the format is unknown"),
        ({"date_format": "%d/%"}, "setting files[0].date_format: a part of the format is unknown"),
        ({"delimiter": ";;"}, "a delimiter is one character"),
        (
            {"format": "dbf"},
            "setting files[0].format: Input should be 'csv', 'tsv', 'fixed', 'jsonl', 'excel', 'parquet' or 'xml'",
        ),
        ({"columns": [{"name": "a"}, {"name": "a"}]}, "column a is there twice"),
        ({"columns": [{"name": "_sdc_line"}]}, "column _sdc_line is the tap's own"),
        (
            {"columns": [{"name": "a", "typ": "date"}]},
            "unknown setting files[0].columns[0].typ. Next: did you mean 'type'?",
        ),
        ({"columns": [{"name": "a", "type": "decimal", "decimal": ",", "thousands": ","}]}, "the same mark"),
        ({"columns": [{"name": "a", "type": "decimal", "precision": 2, "scale": 3}]}, "scale is larger than precision"),
        ({"columns": [], "format": "jsonl"}, "columns are missing"),
        ({"columns": [], "header": False}, "columns are missing"),
        ({"stream": "_quarantine"}, "stream _quarantine is taken"),
    ],
)
def test_a_wrong_layout_is_told_with_its_place_and_cure(changes: dict[str, Any], told: str) -> None:
    message = fault_of(**changes)
    assert message.startswith("tap-files: ")
    assert told in message
    assert message.count("Next: ") == 1


def test_two_entries_cannot_feed_one_stream() -> None:
    with pytest.raises(ConfigError, match="stream cards is taken"):
        settings_of(FileSettings, {"files": [CSV, CSV]}, "tap-files")


def test_columns_inherit_the_conventions_they_do_not_state() -> None:
    columns = [{"name": "a"}, {"name": "b", "decimal": "."}]
    settings = FileSet.model_validate(CSV | {"columns": columns, "keys": [], "decimal": ",", "null_values": ["-"]})
    assert [(column.decimal, column.null_values) for column in settings.resolved()] == [(",", ("-",)), (".", ("-",))]


def test_the_digest_changes_with_the_layout_and_not_with_the_path() -> None:
    settings = FileSet.model_validate(CSV)
    assert settings.digest() == FileSet.model_validate(CSV | {"path": "y", "required": True}).digest()
    assert settings.digest() != FileSet.model_validate(CSV | {"decimal": ","}).digest()


def test_a_tab_may_be_given_by_name() -> None:
    assert {FileSet.model_validate(CSV | {"delimiter": mark}).delimiter_mark for mark in ("tab", "\\t", "\t")} == {"\t"}
    assert FileSet.model_validate(CSV | {"format": "tsv"}).delimiter_mark == "\t"
