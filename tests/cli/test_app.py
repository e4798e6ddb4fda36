"""The command line itself: faults, help, suggestions, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer

from snello import errors
from snello.cli import app

Snello = Callable[..., Any]
EXECUTABLE = Path(sys.executable).with_name("snello")
COMMANDS = {
    "apply",
    "audit",
    "check",
    "dead",
    "demo",
    "link",
    "new",
    "plan",
    "publish",
    "quality",
    "receipts",
    "review",
    "status",
    "subject",
    "suppress",
    "sync",
    "tap",
    "unlink",
    "watch",
    "why",
}


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EXECUTABLE, *arguments], capture_output=True, text=True, check=False)


def test_every_module_of_commands_is_a_command() -> None:
    found = {path.stem for path in Path(app.__file__).with_name("commands").glob("[a-z]*.py")}
    assert found == COMMANDS
    listed = called("--help").stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)


def test_help_in_a_pipe_has_no_boxes() -> None:
    assert not set(called("why", "--help").stdout) & set("╭│╰─")


def test_help_does_not_load_what_commands_run_on() -> None:
    code = "import sys; from snello.cli.app import build; build(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "deltalake", "pyarrow", "sqlalchemy", "altair", "meltano", "pydantic"} & set(loaded)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_explains_itself(command: str) -> None:
    group = typer.main.get_command(app.build())
    found = group.commands[command]  # type: ignore[attr-defined]
    for each in [found, *getattr(found, "commands", {}).values()]:
        assert each.help
        assert all(getattr(parameter, "help", None) for parameter in each.params), each.name


def test_the_version_is_that_of_the_package() -> None:
    assert called("--version").stdout == f"snello {metadata.version('snello')}\n"


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    told = called("statsu")
    assert told.returncode == 2
    assert "Did you mean 'status'?" in told.stderr


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    told = called("receipts", "x", "--limt", "3")
    assert told.returncode == 2
    assert "--limit" in told.stderr


@pytest.mark.parametrize(
    "kind", [errors.ConfigError, errors.ContractError, errors.RetryLater, errors.RowsRefused, errors.BreakerOpen]
)
def test_a_fault_is_one_line_on_stderr_and_its_exit_code(
    kind: type[errors.SnelloError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build() -> Callable[..., None]:
        def fail(*_: object, **__: object) -> None:
            raise kind("here", "it broke", "mend it")

        return fail

    monkeypatch.setattr(app, "build", build)
    assert app.run([]) == kind.exit_code
    out, err = capsys.readouterr()
    assert (out, err) == ("", "here: it broke. Next: mend it.\n")


def test_outside_a_project_the_next_step_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snello: Snello
) -> None:
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    told = snello("status")
    assert told.code == 2
    assert "no meltano.yml" in told.err


def test_ctrl_c_leaves_with_130_and_no_traceback(empty: Any) -> None:
    (empty.root / "meltano.yml").unlink()
    os.mkfifo(empty.root / "meltano.yml")  # reading it waits for ever
    process = subprocess.Popen(
        [EXECUTABLE, "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    writer = os.open(empty.root / "meltano.yml", os.O_WRONLY)  # opens once the command reads
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    os.close(writer)
    assert process.returncode == 130
    assert "Traceback" not in told


@pytest.mark.parametrize("command", [["status"], ["receipts", "webhook__loyal"], ["why", "c1"], ["why", "c3"]])
def test_json_is_the_only_thing_on_stdout(hub: Any, snello: Snello, command: list[str]) -> None:
    assert json.loads(snello(*command, "--json").out)


@pytest.mark.parametrize("command", [["status"], ["receipts", "brevo__long_absent"]])
def test_no_personal_data_is_shown_unless_one_customer_is_asked_for(
    hub: Any, snello: Snello, canary: str, command: list[str]
) -> None:
    for arguments in (command, [*command, "--json"]):
        told = snello(*arguments)
        assert canary not in told.out + told.err
