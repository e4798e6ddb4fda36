from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field, SecretStr
from singer_sdk import Stream, Tap

from snello.errors import BreakerOpen, ConfigError, ContractError, RetryLater, RowsRefused
from snello.kit import redact
from snello.kit.configuration import schema_of
from snello.kit.entry import entry
from snello.kit.testing import Run, run

CANARY = "canary.person@aurora.example"
FAULTS: dict[str, BaseException] = {
    "config": ConfigError("tap-probe: rows", "bad", "mend"),
    "contract": ContractError("tap-probe: rows", "bad", "mend"),
    "later": RetryLater("tap-probe: rows", "bad", "mend"),
    "refused": RowsRefused("tap-probe: rows", "bad", "mend"),
    "breaker": BreakerOpen("tap-probe: rows", "bad", "mend"),
    "unforeseen": ValueError(f"row of {CANARY}"),
    "pipe": BrokenPipeError(),
    "interrupt": KeyboardInterrupt(),
}


class Settings(BaseModel):
    """Settings of the probe."""

    password: SecretStr = Field(description="A secret.")
    fault: str | None = Field(None, description="What goes wrong.")
    rows: int = Field(1, description="How many rows.")
    tags: list[str] = Field([], description="Words.")


class Rows(Stream):
    """Rows, or a fault."""

    name = "rows"
    schema: ClassVar[dict[str, Any]] = {"properties": {"n": {"type": "integer"}}}

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:
        self.logger.warning("signing in with %s for %s", self.config["password"], CANARY)
        fault = self.config.get("fault")
        if fault == "nested":
            try:
                raise FAULTS["contract"]
            except ContractError as error:
                raise RuntimeError(f"while reading {CANARY}") from error
        if fault:
            raise FAULTS[fault]
        yield from ({"n": n} for n in range(self.config["rows"]))


class TapProbe(Tap):
    """A tap that fails as told."""

    name = "tap-probe"
    settings = Settings
    config_jsonschema = schema_of(Settings)

    def discover_streams(self) -> list[Stream]:
        return [Rows(self)]


main = entry(TapProbe)
GOOD = {"password": "hunter22-secret"}


def probe(fault: str | None = None, *arguments: str, **changes: Any) -> Run:
    return run(main, GOOD | ({"fault": fault} if fault else {}) | changes, *arguments)


def test_a_good_run_exits_with_0_and_writes_singer_messages() -> None:
    done = probe(rows=2)
    assert done.code == 0
    assert done.records("rows") == [{"n": 0}, {"n": 1}]


@pytest.mark.parametrize(
    ("fault", "code"), [("config", 2), ("contract", 3), ("later", 4), ("refused", 5), ("breaker", 6)]
)
def test_a_foreseeable_fault_is_one_line_and_an_exit_code(fault: str, code: int) -> None:
    done = probe(fault)
    assert (done.code, done.last_line) == (code, "tap-probe: rows: bad. Next: mend.")
    assert "Traceback" not in done.err


def test_a_fault_wrapped_by_the_sdk_is_still_told() -> None:
    done = probe("nested")
    assert (done.code, done.last_line) == (3, "tap-probe: rows: bad. Next: mend.")


def test_an_unforeseen_fault_is_told_by_type_and_place_without_its_text() -> None:
    done = probe("unforeseen")
    assert done.code == 1
    assert done.last_line.startswith("tap-probe: unforeseen ValueError at ")
    assert "test_entry.py" in done.last_line
    assert "Traceback" not in done.err


def test_the_traceback_is_there_for_who_asks_and_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_TRACEBACK", "1")
    done = probe("unforeseen")
    assert "Traceback" in done.err
    assert "ValueError: row of ***" in done.err


@pytest.mark.parametrize("fault", [None, *FAULTS, "nested"])
def test_no_secret_and_no_address_reaches_the_log(fault: str | None) -> None:
    done = probe(fault)
    assert "signing in with *** for ***" in done.err
    assert CANARY not in done.err
    assert GOOD["password"] not in done.err


def test_the_structured_log_that_meltano_asks_for_is_scrubbed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logging.yml").write_text(
        "{version: 1, disable_existing_loggers: false, root: {level: INFO, handlers: [console]}, "
        "formatters: {structured: {(): singer_sdk.logging.StructuredFormatter}}, "
        "handlers: {console: {class: logging.StreamHandler, formatter: structured, stream: ext://sys.stderr}}}"
    )
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tmp_path / "logging.yml"))
    done = probe()
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert "signing in with *** for ***" in [line["message"] for line in lines]
    assert any(line["message"] == "METRIC" for line in lines)
    assert CANARY not in done.err
    assert GOOD["password"] not in done.err


def test_a_loader_that_went_away_is_a_fault_of_the_moment() -> None:
    assert (probe("pipe").code, probe("pipe").last_line) == (
        4,
        "tap-probe: the loader stopped reading. Next: read the loader's own message, then run again.",
    )


@contextmanager
def process_of(folder: Path, **changes: Any) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "config.json").write_text(json.dumps(GOOD | changes))
    command = [sys.executable, __file__, "--config", str(folder / "config.json")]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        yield process


def test_a_closed_pipe_does_not_end_in_a_traceback(tmp_path: Path) -> None:
    with process_of(tmp_path, rows=200_000) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
    assert process.returncode == RetryLater.exit_code
    assert "Traceback" not in err
    assert err.strip().endswith("read the loader's own message, then run again.")


def test_a_run_stopped_by_a_signal_does_not_pass_for_a_whole_one(tmp_path: Path) -> None:
    with process_of(tmp_path, rows=10**9) as process:
        assert process.stdout is not None
        for _ in range(1000):
            process.stdout.readline()
        process.terminate()
        out, err = process.communicate()
    assert process.returncode == 130
    assert err.decode().strip().endswith("tap-probe: stopped by a signal. Next: run again: nothing is lost.")
    assert json.loads(out.splitlines()[-1])["type"] == "STATE"


def test_an_interrupt_exits_as_shells_expect() -> None:
    assert probe("interrupt").code == 130


def test_an_unknown_setting_is_refused_before_anything_runs() -> None:
    done = probe(pasword="x")
    assert done.code == 2
    assert done.last_line.startswith("tap-probe: unknown setting pasword. Next: did you mean 'password'?")
    assert done.messages == []


@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--test",)])
def test_a_wrong_value_is_refused_and_not_repeated(arguments: tuple[str, ...]) -> None:
    done = probe(None, *arguments, rows="hunter22-wrong")
    assert done.code == 2
    assert done.last_line.startswith("tap-probe: setting rows: Input should be a valid integer")
    assert "hunter22-wrong" not in done.err


def test_a_missing_setting_is_named() -> None:
    done = run(main, {})
    assert (done.code, done.last_line) == (2, "tap-probe: setting password is missing. Next: set password.")
    assert run(main).code == 2


def test_settings_come_from_the_environment_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_PROBE_PASSWORD", "from-environment")
    monkeypatch.setenv("TAP_PROBE_ROWS", "3")
    done = run(main, None, "--config", "ENV")
    assert len(done.records("rows")) == 3
    assert "from-environment" not in done.err


def test_a_variable_that_is_not_set_is_read_from_the_projects_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TAP_PROBE_PASSWORD=from-the-file\nTAP_PROBE_ROWS=3\n")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("TAP_PROBE_ROWS", "2")
    done = run(main, None, "--config", "ENV")
    assert len(done.records("rows")) == 2
    assert "signing in with *** for ***" in done.err
    assert "TAP_PROBE_PASSWORD" not in os.environ


@pytest.mark.parametrize("fault", [None, "unforeseen"])
def test_a_secret_given_by_name_is_fetched_and_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    (tmp_path / "token").write_text("secret-of-the-file\n")
    monkeypatch.setenv("SNELLO_TRACEBACK", "1")
    done = probe(fault, password=f"file:{tmp_path / 'token'}")
    assert done.code == (1 if fault else 0)
    assert "signing in with *** for ***" in done.err
    assert "secret-of-the-file" not in done.err + done.out


def test_a_secret_that_is_not_where_it_should_be_is_told_before_anything_runs() -> None:
    done = probe(password="env:NO_SUCH_NAME")
    assert (done.code, done.messages) == (2, [])
    assert done.last_line.startswith(
        "tap-probe: setting password names the variable NO_SUCH_NAME, which is not set. Next: set"
    )


def test_the_description_of_a_connector_holds_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_PROBE_PASSWORD", "secret-of-the-shell")
    for form in ("json", "markdown"):
        about = run(main, GOOD, "--about", "--format", form)
        assert about.code == 0
        assert GOOD["password"] not in about.out + about.err
        assert "secret-of-the-shell" not in about.out + about.err


def test_an_environment_variable_that_does_not_parse_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_PROBE_ROWS", "hunter22-many")
    done = run(main, None, "--config", "ENV")
    assert (done.code, done.last_line) == (
        2,
        "tap-probe: TAP_PROBE_ROWS does not parse. Next: give TAP_PROBE_ROWS a valid value.",
    )
    assert "hunter22-many" not in done.err


def test_a_config_file_that_is_missing_or_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"password": "hunter22-secret"')
    assert "does not exist" in run(main, None, "--config", str(tmp_path / "absent.json")).last_line
    broken = run(main, None, "--config", str(tmp_path / "broken.json"))
    assert (broken.code, broken.last_line) == (
        2,
        "tap-probe: the --config file is not valid JSON. Next: mend the file.",
    )


def test_a_wrong_option_points_to_the_help() -> None:
    done = run(main, None, "--nonsense")
    assert done.code == 2
    assert done.last_line.endswith("Next: tap-probe --help.")


def test_about_and_version_need_no_settings() -> None:
    about = run(main, None, "--about", "--format", "json")
    assert json.loads(about.out)["settings"]["properties"]["password"]["secret"] is True
    assert run(main, None, "--version").out.startswith("tap-probe v")
    assert about.code == 0


@pytest.fixture(autouse=True)
def _nothing_hidden() -> Iterable[None]:
    yield
    redact.forget()


if __name__ == "__main__":
    main()
