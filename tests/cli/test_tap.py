"""A tap is looked at, and its schemas are written from what it reads."""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from snello.cli import reference
from snello.cli.connector.described import limits, way
from snello.cli.connector.face import Parameter, described, parts
from snello.cli.connector.masks import masked
from snello.cli.connector.names import names
from snello.cli.connector.rendering import render
from snello.kit.rest import Compare, Errors, RestStream, Values

CANARY = "canary.person@aurora.example"
NUMBERS = itertools.count(1)  # a module is imported once in a process: each test has a tap of its own


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{next(NUMBERS)}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Bench:
    """A project with a rendered tap, its example running, and the command line."""

    name: str
    folder: Path
    example: Any
    config: Path
    snello: Callable[..., Any]

    @property
    def module(self) -> Path:
        return self.folder / self.name.replace("-", "_") / "__init__.py"

    def schema_file(self, stream: str) -> Path:
        return self.module.parent / "schemas" / f"{stream}.json"

    def schema(self, stream: str = "customers") -> dict[str, Any]:
        properties: dict[str, Any] = json.loads(self.schema_file(stream).read_text())["properties"]
        return properties

    def settings(self, **changes: Any) -> None:
        self.config.write_text(json.dumps(json.loads(self.config.read_text()) | changes))

    def edit(self, old: str, new: str) -> None:
        text = self.module.read_text()
        assert old in text
        self.module.write_text(text.replace(old, new))

    def tap(self, verb: str, *arguments: str) -> Any:
        return self.snello("tap", verb, self.name, "--config", str(self.config), *arguments)

    def tried(self, *arguments: str) -> list[dict[str, Any]]:
        looks: list[dict[str, Any]] = json.loads(self.tap("try", "--json", *arguments).out)["looks"]
        return looks


@pytest.fixture
def bench(empty: Any, snello: Callable[..., Any]) -> Iterator[Bench]:
    named = names("tap", f"bench{next(NUMBERS)}")
    folder = empty.root / "connectors" / named.name
    render(named, "rest", folder)
    example = loaded(folder / "conformance.py")
    config = empty.root / "example.json"
    with example.serving() as url:
        config.write_text(json.dumps(example.config(url)))
        yield Bench(named.name, folder, example, config, snello)


# ---------------------------------------------------------------- try


def test_the_first_rows_of_each_stream_are_shown_with_types_and_requests(bench: Bench) -> None:
    told = bench.tap("try", "--rows", "3")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert "customers: 3 rows, key id" in lines
    assert any(line.split() == ["id", "integer", "1", "2", "3"] for line in lines)
    assert any(re.match("updated_at +string .date-time. or null +2026-01-02T08:00:00Z", line) for line in lines)
    assert any(line.split()[:4] == ["GET", "/v1/customers", "limit=100", "200"] for line in lines)
    assert "orders: 3 rows, key id" in lines


def test_nothing_that_tells_of_a_person_is_shown(bench: Bench) -> None:
    bench.example.CUSTOMERS[0] |= {"name": "Canary Rossi", "email": CANARY, "tax_code": "RSSCNR80A01L781X"}
    told = bench.tap("try", "--rows", "2", "--stream", "customers", "--json")
    assert told.code == 0
    assert f"e-mail({len(CANARY)})" in told.out
    for personal in ("Canary", CANARY, "RSSCNR80A01L781X", bench.example.TOKEN):
        assert personal not in told.out + told.err


@pytest.mark.parametrize(
    ("declared", "value", "shown"),
    [
        ({"type": "boolean"}, True, "yes"),
        ({"type": "string"}, None, "-"),
        ({"type": "integer"}, 1980, "1980"),
        ({"type": "integer"}, 3471234567, "number(10)"),
        ({"type": "number"}, 12.5, "12.5"),
        ({"type": "number"}, 45.438418, "number(9)"),
        ({"type": "string", "format": "date-time"}, "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:00+00:00"),
        ({"type": "string", "format": "date-time"}, CANARY, "e-mail(28)"),
        ({"type": "string", "format": "date"}, "1980-05-01", "date"),
        ({"type": "string", "format": "singer.decimal"}, "12.50", "12.50"),
        ({"type": "string"}, "12.50", "text(5)"),
        ({"type": "object"}, {"city": "Verona"}, "object(1)"),
        ({}, ["a", "b"], "list(2)"),
    ],
)
def test_a_value_is_shown_only_where_it_is_harmless(declared: dict[str, Any], value: Any, shown: str) -> None:
    assert masked({"x": value}, {"properties": {"x": declared}}, ()) == {"x": shown}


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (3471234567, "3471234567"),
        ("6f1c1ed0-9c1b-4b1e-8a3c-0d7f3b1f2a11", "6f1c1ed0-9c1b-4b1e-8a3c-0d7f3b1f2a11"),
        ("RSSMRA80A01L781X", "text(16)"),
    ],
)
def test_a_key_is_shown_unless_it_may_be_a_persons(key: Any, shown: str) -> None:
    assert masked({"id": key}, {}, ("id",)) == {"id": shown}


def test_values_are_refused_where_no_terminal_is(bench: Bench) -> None:
    told = bench.tap("try", "--show")
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "--show: values are shown on a terminal only. Next: leave --show out, or run it by hand.\n"
    )  # fmt: skip


def test_the_tap_is_stopped_when_there_are_rows_enough(bench: Bench) -> None:
    first = bench.example.CUSTOMERS[0]
    bench.example.CUSTOMERS[:] = [first | {"id": number} for number in range(1, 20_001)]
    (look,) = bench.tried("--stream", "customers", "--rows", "5")
    assert len(look["rows"]) == 5
    assert 0 < len(look["requests"]) < 100  # of two hundred pages


def test_a_fault_of_the_tap_is_its_own_sentence_and_exit_code(bench: Bench) -> None:
    bench.settings(token="wrong-token")
    told = bench.tap("try", "--stream", "customers")
    assert told.code == 2
    assert told.err.splitlines() == [
        f"{bench.name}: customers: 401 from GET /v1/customers. Next: renew token, or give them the right to read."
    ]
    assert any(line.split()[:4] == ["GET", "/v1/customers", "limit=100", "401"] for line in told.out.splitlines())


def test_settings_that_the_tap_refuses_are_told_in_its_words(bench: Bench) -> None:
    bench.settings(tokn="x")
    told = bench.tap("try")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"{bench.name}: unknown setting tokn. Next: did you mean 'token'?")


def test_refused_rows_are_counted_with_their_reason(bench: Bench) -> None:
    bench.example.CUSTOMERS[1]["newsletter"] = CANARY
    told = bench.tap("try", "--rows", "3", "--stream", "customers")
    assert "note  1 row refused: field 'newsletter' is not a boolean" in told.out.splitlines()
    assert CANARY not in told.out + told.err


def test_undeclared_fields_are_announced(bench: Bench) -> None:
    bench.example.CUSTOMERS[0]["loyal"] = True
    told = bench.tap("try", "--rows", "1", "--stream", "customers")
    assert f"note  in _extra, undeclared: loyal; `snello tap infer {bench.name}` adds them" in told.out.splitlines()


def test_undeclared_fields_that_sound_secret_are_announced_with_what_keeps_them_out(bench: Bench) -> None:
    bench.example.CUSTOMERS[0] |= {"passwordHash": CANARY, "nothing": None}
    told = bench.tap("try", "--rows", "1", "--stream", "customers")
    assert (
        "note  in _extra, and sounds secret: passwordHash; leave out what nobody needs: Values(left_out=…)" in told.out
    )
    assert "undeclared" not in told.out
    assert CANARY not in told.out


def test_no_more_rows_are_shown_than_a_screen_can_hold(bench: Bench) -> None:
    told = bench.tap("try", "--rows", "101")
    assert (told.code, told.out) == (2, "")
    assert "--rows" in told.err
    assert "100" in told.err


def test_rows_come_one_by_one_whatever_the_plugin_says_of_batches(bench: Bench) -> None:
    storage = {"root": bench.config.parent.as_uri()}
    bench.settings(batch_config={"encoding": {"format": "parquet"}, "storage": storage})
    (look,) = bench.tried("--stream", "customers", "--rows", "4")
    assert len(look["rows"]) == 4


def test_an_unknown_stream_is_told_with_the_nearest(bench: Bench) -> None:
    told = bench.tap("try", "--stream", "custmers")
    assert told.code == 3
    assert told.err == (
        f"{bench.name}: it has no stream 'custmers'. Next: did you mean 'customers'? valid: customers, orders.\n"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tap-nobody", "tap-nobody: it is neither a folder nor a plugin of meltano.yml. Next: "),
        ("./nowhere", "./nowhere: the folder has no pyproject.toml. Next: "),
    ],
)
def test_a_name_that_is_no_connector_is_told(empty: Any, snello: Callable[..., Any], name: str, told: str) -> None:
    found = snello("tap", "try", name)
    assert found.code == 2
    assert found.err.startswith(told)


def test_a_module_that_cannot_be_imported_is_told_with_its_line(bench: Bench) -> None:
    bench.edit("from pydantic import", "from pydantik import")
    told = bench.tap("try")
    assert told.code == 2
    assert told.err.startswith(
        f"{bench.name}: its module cannot be imported: ModuleNotFoundError in __init__.py, line 5. Next: mend it"
    )


def test_a_plugin_of_meltano_is_read_with_its_own_settings(empty: Any, snello: Callable[..., Any]) -> None:
    (empty.root / "people.csv").write_text("id,name\n1,Canary\n2,Ada\n")
    layout = {"stream": "people", "path": str(empty.root / "people.csv"), "format": "csv", "keys": ["id"]}
    plugin = {"name": "tap-files--people", "namespace": "tap_files", "executable": "tap-files",
              "settings": [{"name": "files", "kind": "array"}], "config": {"files": [layout]}}  # fmt: skip
    (empty.root / "meltano.yml").write_text(json.dumps({"project_id": "x", "plugins": {"extractors": [plugin]}}))
    told = snello("tap", "try", "tap-files--people")
    assert told.code == 0
    assert "people: 2 rows, key id" in told.out
    assert "Canary" not in told.out
    refused = snello("tap", "infer", "tap-files--people")
    assert refused.code == 2
    assert refused.err == (
        "tap-files--people: its streams are not declared, so its types come from the source. "
        "Next: `snello tap try tap-files--people` shows them.\n"
    )


# ---------------------------------------------------------------- infer


def test_schemas_are_written_from_what_the_tap_reads(bench: Bench) -> None:
    declared = bench.schema()
    for stream in ("customers", "orders"):
        bench.schema_file(stream).unlink()
    told = bench.tap("infer")
    assert (told.code, told.err) == (0, "")
    assert f"ok    customers: 110 rows, {bench.module.parent.name}/schemas/customers.json written" in told.out
    found = bench.schema()
    assert {name: (each["type"], each.get("format")) for name, each in found.items()} == {
        name: (each["type"], each.get("format")) for name, each in declared.items()
    }
    assert found["email"]["description"] == "Text, in 90 % of 110 records, up to 23 characters."
    assert bench.schema("orders")["total"]["format"] == "singer.decimal"
    assert bench.schema("orders")["customer_id"]["type"] == ["integer", "null"]


def test_a_second_time_nothing_is_written(bench: Bench) -> None:
    before = bench.schema_file("customers").read_text()
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 0
    assert "schemas/customers.json stays as it is" in told.out
    assert bench.schema_file("customers").read_text() == before


def test_a_file_is_only_extended(bench: Bench) -> None:
    before = bench.schema()
    bench.example.CUSTOMERS[7] |= {"loyal": True, "address": {"city": CANARY}}
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 0
    found = bench.schema()
    assert found.pop("loyal")["type"] == ["boolean", "null"]
    assert found.pop("address")["type"] == ["object", "null"]
    assert found == before
    assert "  loyal: boolean or null" in told.out.splitlines()
    assert CANARY not in told.out + bench.schema_file("customers").read_text()


def test_a_changed_type_is_told_and_written_only_when_asked(bench: Bench) -> None:
    before = bench.schema()
    bench.example.CUSTOMERS[3]["newsletter"] = "sometimes"
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 3
    difference = "newsletter: declared as boolean or null, found boolean or string or null"
    assert f"FAULT   {difference}; not written" in told.out
    assert bench.schema() == before
    told = bench.tap("infer", "--stream", "customers", "--replace")
    assert told.code == 0
    found = bench.schema()["newsletter"]
    assert found["type"] == ["boolean", "string", "null"]
    assert found["description"] == before["newsletter"]["description"]


def test_what_was_read_before_a_fault_is_learned_from(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.schema_file("customers").unlink()
    handler, page = bench.example.Handler, bench.example.Handler.page

    def first_page(self: Any, rows: list[Any], query: dict[str, str]) -> None:
        if "after" in query:
            self.answer(403, {})
        else:
            page(self, rows, query)

    monkeypatch.setattr(handler, "page", first_page)
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 2
    assert told.err.startswith(f"{bench.name}: customers: 403 from GET /v1/customers. Next: ")
    assert "customers: 100 rows" in told.out
    assert "in 90 % of 100 records" in bench.schema()["email"]["description"]


def test_the_manifest_decides_what_values_mean_before_they_are_typed(bench: Bench) -> None:
    for number, customer in enumerate(bench.example.CUSTOMERS):
        customer |= {"credit": 1250 + number, "code": number, "seen": 1_700_000_000, "contact": {"phone": "045"}}
    values = 'minor_units={"credit": 2}, texts=("code",), moments={"seen": "epoch"}, nested={"phone": "contact.phone"}'
    bench.edit("RestStream, RestTap,", "RestStream, RestTap, Values,")
    bench.edit("    replication_key, since =", f"    values = Values({values})\n    replication_key, since =")
    assert bench.tap("infer", "--stream", "customers").code == 0
    found = bench.schema()
    assert (found["credit"]["format"], found["credit"]["scale"]) == ("singer.decimal", 2)
    assert found["code"]["type"] == ["string", "null"]
    assert found["seen"]["format"] == "date-time"
    assert found["phone"]["type"] == ["string", "null"]


def test_values_that_are_not_what_they_look_like_are_told(bench: Bench) -> None:
    for customer in bench.example.CUSTOMERS:
        customer["phone"] = "045" if customer["newsletter"] else False
    told = bench.tap("infer", "--stream", "customers")
    assert "note    phone: false stands for no value: values = Values(empty=(False,))" in told.out


def test_without_a_row_nothing_is_written(bench: Bench) -> None:
    bench.schema_file("customers").unlink()
    bench.example.CUSTOMERS.clear()
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 0
    assert "customers: 0 rows: nothing is known, nothing written" in told.out
    assert not bench.schema_file("customers").exists()


def test_what_never_had_a_value_and_what_sounds_secret_is_told_and_not_written(bench: Bench) -> None:
    bench.edit("RestStream, RestTap,", "RestStream, RestTap, Values,")
    bench.edit("    replication_key, since =", '    values = Values(left_out=("etag",))\n    replication_key, since =')
    before = bench.schema()
    for number, customer in enumerate(bench.example.CUSTOMERS):
        customer |= {"fax": None, "telex": None, "apiKey": number, "password_hash": CANARY, "has_password": True}
    told = bench.tap("infer", "--stream", "customers")
    assert told.code == 0
    found = bench.schema()
    assert found.pop("has_password")["type"] == ["boolean", "null"]
    assert found == before
    lines = told.out.splitlines()
    assert "  never filled, so not written; in _extra until there is a value: fax, telex" in lines
    left_out = 'values = Values(left_out=("etag", "apiKey", "password_hash"))'
    assert f"note    sounds secret, so not written: apiKey, password_hash. Next: {left_out}" in lines
    assert CANARY not in told.out


def test_a_field_that_the_manifest_names_is_written_without_a_value_too(bench: Bench) -> None:
    bench.schema_file("customers").unlink()
    for customer in bench.example.CUSTOMERS:
        customer["orders_count"] = None
    assert bench.tap("infer", "--stream", "customers").code == 0
    assert "orders_count" in bench.schema()  # the orders are asked for by it


def test_a_schema_that_no_stream_has_is_told_and_removed_when_asked(bench: Bench) -> None:
    old, document = bench.schema_file("refunds"), bench.schema_file("openapi")
    old.write_text("{}")
    document.write_text("{}")
    bench.edit('"""One row a customer;', '"""One row a customer, as openapi.json has it;')
    place = f"{bench.module.parent.name}/schemas/refunds.json"
    told = bench.tap("infer", "--stream", "customers")
    line = f"note  {place}: no stream has it; it stays. Next: snello tap infer {bench.name} --prune"
    assert line in told.out.splitlines()
    assert old.exists()
    told = bench.tap("infer", "--stream", "customers", "--prune")
    assert f"note  {place}: no stream has it; removed" in told.out.splitlines()
    assert sorted(path.stem for path in old.parent.glob("*.json")) == ["customers", "openapi", "orders"]


def test_a_stream_of_an_openapi_document_keeps_the_documents_types(bench: Bench) -> None:
    schemas = {"Customer": {"properties": {"id": {"type": "integer"}, "updated_at": {"type": "string"}}}}
    bench.schema_file("openapi").write_text(json.dumps({"openapi": "3.0.0", "components": {"schemas": schemas}}))
    bench.edit(
        "    replication_key, since =", '    openapi = ("openapi.json", "Customer")\n    replication_key, since ='
    )
    told = bench.tap("infer", "--stream", "customers", "--rows", "5")
    assert told.code == 0
    assert "customers: 5 rows, schemas/openapi.json stays as it is" in told.out


def test_what_is_learned_is_one_document(bench: Bench) -> None:
    bench.example.CUSTOMERS[0]["loyal"] = True
    told = bench.tap("infer", "--stream", "customers", "--json")
    (found,) = json.loads(told.out)
    assert (found["stream"], found["rows"], found["written"]) == ("customers", 110, True)
    assert found["differences"] == [{"field": "loyal", "kind": "new", "was": "", "now": "boolean or null"}]


# ---------------------------------------------------------------- the reference


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({}, "whole, every run"),
        ({"replication_key": "at", "since": "from"}, "what changed since the last run, by `at`"),
        ({"replication_key": "at"}, "what changed since the last run, by `at`"),
        ({"replication_key": "at", "newest_first": True}, "from the newest to what was seen, by `at`"),
        ({"compare": Compare()}, "whole, every run; what changed goes on, rows that are gone among it"),
        ({"compare": Compare(proof="never")}, "whole, every run; what changed goes on"),
        ({"parent": type("Orders", (RestStream,), {"name": "orders"})}, "for each row of `orders` that was read"),
    ],
)
def test_the_reference_tells_how_changes_of_a_stream_are_noticed(declared: dict[str, Any], told: str) -> None:
    assert way(type("Things", (RestStream,), {"name": "things", **declared})) == told


def test_the_reference_shows_the_kits_names_with_their_parameters() -> None:
    found = {module: dict(names) for module, _, names in parts()}
    rest = found["snello.kit.rest"]
    assert rest["basic"].called == "basic(user: str, password: str) -> Auth"
    assert rest["basic"].meaning.startswith("HTTP Basic authentication")
    assert all(named.meaning for names in found.values() for named in names.values())


def test_the_reference_tells_of_a_value_each_field_with_type_default_and_meaning() -> None:
    fields = {each.name: each for each in described("Values", Values).parameters}
    assert fields["minor_units"] == Parameter(
        "minor_units",
        "Mapping[str, int]",
        "{}",
        'decimal fields that count the smallest coin, and how many digits that is: ``{"total": 2}``',
    )
    assert fields["zone"].default == "'UTC'"
    assert described("Errors", Errors).parameters[0].default == "required"


def test_the_reference_tells_all_points_of_a_class_to_inherit_from() -> None:
    told = described("RestStream", RestStream)
    assert (told.called, told.meaning) == ("RestStream", "What every endpoint shares.")
    assert any(point.startswith("``overlap``: how far behind the bookmark") for point in told.points)
    page = reference.kit(Path())
    assert "### `RestStream`\n\nWhat every endpoint shares.\n\n- ``url_base``" in page
    assert "| `more` | `str \\| None` | `None` | where the answer says whether there is another page |" in page


def test_the_limits_of_a_connector_are_the_points_of_its_readme(bench: Bench) -> None:
    assert limits(bench.folder)[0] == "Deleted customers and orders are not noticed: absence is never a delete."
    assert len(limits(bench.folder)) == 3


# ---------------------------------------------------------------- settings

ONE_PLUGIN = """# a hub
plugins:
  extractors:
  - name: tap-other
    namespace: tap_other
    executable: tap-other
    settings:
    - {name: url, label: Other}
  - name: NAME   # ours
    namespace: NAMESPACE
    executable: NAME
    settings:
    # where it is
    - {name: url, kind: string, label: Shop}  # as the shop calls it
    - {name: gone_now, kind: string}
    - name: token
      label: Key
      # a comment at the end
    - name: left_behind
      kind: options
      options:
      - {label: a, value: a}
    - {name: timeout, kind: decimal}

    config:
      url: https://shop.example
jobs: [] # none
"""


def plugged(bench: Bench, text: str) -> Path:
    file = bench.config.parent / "meltano.yml"
    file.write_text(text.replace("NAMESPACE", bench.name.replace("-", "_")).replace("NAME", bench.name))
    return file


def test_settings_in_meltano_yml_follow_the_connector_and_no_other_line_changes(bench: Bench) -> None:
    file = plugged(bench, ONE_PLUGIN)
    before = file.read_text().splitlines()
    told = bench.snello("tap", "settings", bench.name)
    assert (told.code, told.err) == (0, "")
    after = file.read_text().splitlines()
    gone = {line.strip() for line in before} - {line.strip() for line in after}
    assert gone == {
        "- {name: gone_now, kind: string}",
        "- name: left_behind",
        "kind: options",
        "options:",
        "- {label: a, value: a}",
    }
    kept = [line for line in after if line in before]
    assert kept == [line for line in before if line.strip() not in gone]
    plugin = yaml.safe_load(file.read_text())["plugins"]["extractors"][1]
    names = [each["name"] for each in plugin["settings"]]
    assert [name for name in names if name in ("url", "token", "timeout")] == ["url", "token", "timeout"]
    assert {"start_date", "workers", "fail_on_refused", "batch_config"} <= set(names)
    assert {"name": "token", "label": "Key", "sensitive": True} in plugin["settings"]
    assert plugin["config"] == {"url": "https://shop.example"}
    assert f"ok    meltano.yml: {bench.name}: removed: gone_now, left_behind" in told.out.splitlines()
    again = bench.snello("tap", "settings", bench.name, "--check")
    assert (again.code, file.read_text().splitlines()) == (0, after)


def test_settings_are_checked_without_a_word_being_written(bench: Bench) -> None:
    file = plugged(bench, ONE_PLUGIN)
    before = file.read_text()
    told = bench.snello("tap", "settings", bench.name, "--check")
    assert told.code == 3
    assert f"FAULT meltano.yml: {bench.name}: not sensitive: token" in told.out.splitlines()
    assert f"Next: snello tap settings {bench.name}" in told.out.splitlines()
    assert file.read_text() == before


def test_a_secret_in_one_line_is_marked_in_that_line(bench: Bench) -> None:
    file = plugged(bench, ONE_PLUGIN.replace("- {name: timeout, kind: decimal}", "- {name: token} # renew in May"))
    text = file.read_text().replace("- name: token\n      label: Key\n", "")
    file.write_text(text)
    assert bench.snello("tap", "settings", bench.name).code == 0
    assert "    - {name: token, sensitive: true} # renew in May\n" in file.read_text()


@pytest.mark.parametrize(
    ("plugin", "code", "told"),
    [
        ("{name: tap-else}", 2, "meltano.yml has no plugin of that name. Next: "),
        ("{name: NAME, inherit_from: tap-up}", 2, "it has its settings from tap-up. Next: snello tap settings tap-up."),
        ("{name: NAME, settings: []}", 3, "are not written one below the other, so they cannot be changed line by"),
        ("{name: NAME}", 3, "are not written one below the other, so they cannot be changed line by line. Next: "),
    ],
)
def test_settings_that_cannot_be_changed_line_by_line_are_told(bench: Bench, plugin: str, code: int, told: str) -> None:
    file = plugged(bench, f"plugins:\n  extractors:\n  - {plugin}\n")
    before = file.read_text()
    found = bench.snello("tap", "settings", bench.name)
    assert found.code == code
    assert told in found.err
    assert file.read_text() == before
