"""The command of a connector: the SDK's own command line, with every foreseeable fault told in one line.

    main = entry(TapAcme)           # [project.scripts] tap-acme = "tap_acme:main"

Faults leave by their exit code (see ``snello.errors``). An unforeseen exception leaves with exit code 1, its type and
its place, without its text, which may hold personal data; ``SNELLO_TRACEBACK=1`` writes the whole traceback.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from snello.errors import ConfigError, RetryLater, SnelloError
from snello.kit import redact
from snello.kit.configuration import check_names, resolved, secrets_in, settings_of, variable

INTERRUPTED = 130


def entry(plugin: type[PluginBase]) -> Callable[[], None]:
    """The ``main`` function of a connector.

    - runs the SDK's command with the process arguments
    - refuses unknown settings and, when the class has a pydantic model in ``settings``, wrong values
    - keeps secrets, e-mail addresses and URL passwords out of the logs
    - exits with the code of the fault
    """

    def main() -> None:
        command = plugin.cli
        redact.install()
        logging.captureWarnings(True)
        _check_config_of(command, plugin)
        code = _run(command, plugin.name)
        _flush(code)

    return main


def _run(command: click.Command, name: str) -> int:
    try:
        with command.make_context(name, sys.argv[1:]) as context:
            # not SingerCommand.invoke, which writes wrong values of settings to the log
            click.Command.invoke(command, context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return _tell(f"{name}: {error.format_message().rstrip('.')}. Next: {name} --help.", ConfigError.exit_code)
    except SystemExit as done:
        return _exit_code(done, name)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BaseException as error:
        return _tell_fault(error, name)
    return 0


def _exit_code(done: SystemExit, name: str) -> int:
    """The SDK leaves with 0 when a signal stops it, as if all had been read."""
    if any(frame.name == "_handle_termination" for frame in traceback.extract_tb(done.__traceback__)):
        return _tell(f"{name}: stopped by a signal. Next: run again: nothing is lost.", INTERRUPTED)
    return done.code if isinstance(done.code, int) else int(done.code is not None)


def _tell_fault(error: BaseException, name: str) -> int:
    if os.environ.get("SNELLO_TRACEBACK"):
        sys.stderr.write(redact.scrub("".join(traceback.format_exception(error))))
    fault = _known(error, name)
    if fault is not None:
        return _tell(str(fault), fault.exit_code)
    frames = traceback.extract_tb(error.__traceback__)
    trail = " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames[-5:]))
    what = f"{name}: unforeseen {type(error).__name__} at {trail}"
    return _tell(f"{what}. Next: run again with SNELLO_TRACEBACK=1 and report what it shows.", 1)


def _known(error: BaseException | None, name: str) -> SnelloError | None:
    """The fault in a chain of exceptions that a user can act on, if any."""
    while error is not None:
        if isinstance(error, SnelloError):
            return error
        if isinstance(error, ConfigValidationError):
            return _wrong_config(error, name)
        if isinstance(error, BrokenPipeError):
            return RetryLater(name, "the loader stopped reading", "read the loader's own message, then run again")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _wrong_config(error: ConfigValidationError, name: str) -> ConfigError:
    """The SDK's words end with the wrong value's place; the value in front of them is not repeated."""
    first = error.errors[0] if error.errors else ""
    if first.endswith("is a required property"):
        missing = first.split("'")[1]
        return ConfigError(name, f"setting {missing} is missing", f"set {missing}")
    _, _, place = first.rpartition(" in config")
    return ConfigError(name, f"setting {place or 'values'} does not fit its type", f"see {name} --about")


def _short(filename: str) -> str:
    for mark in ("site-packages", "connectors", "src"):
        _, found, rest = filename.rpartition(f"{os.sep}{mark}{os.sep}")
        if found:
            return rest
    return os.path.basename(filename)


def _tell(line: str, code: int) -> int:
    sys.stderr.write(redact.scrub(" ".join(line.split())) + "\n")
    return code


def _flush(code: int) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader is gone: the interpreter must not try once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = code or RetryLater.exit_code
    sys.exit(code)


def _check_config_of(command: click.Command, plugin: type[PluginBase]) -> None:
    """Check the configuration as soon as click has read it: before discovery, tests and the run alike."""
    for option in command.params:
        if option.name == "config":
            option.callback = _read_config(plugin)


def _read_config(plugin: type[PluginBase]) -> Callable[..., _ConfigInput]:
    def callback(_context: click.Context, _option: click.Option, paths: tuple[str, ...]) -> _ConfigInput:
        return config_from(plugin, paths)

    return callback


def config_from(plugin: type[PluginBase], paths: tuple[str, ...]) -> _ConfigInput:
    """The checked configuration out of files and, where a path is ``ENV``, environment variables.

    A secret may be given by name, as ``file:``, ``env:`` or ``keyring:`` (see ``configuration.resolved``).
    Raises ``ConfigError`` for an unreadable file, an unknown or missing setting, and a wrong value.
    """
    schema = plugin.config_jsonschema
    plugin.append_builtin_config(schema)
    try:
        given = _ConfigInput.from_cli_args(*(path for path in paths if path != "ENV"))
    except FileNotFoundError:
        raise ConfigError(plugin.name, "the --config file does not exist", "name an existing file") from None
    except ValueError:
        raise ConfigError(plugin.name, "the --config file is not valid JSON", "mend the file") from None
    config: dict[str, Any] = given.config
    if "ENV" in paths:
        config |= _environment(plugin, schema)
    config = resolved(schema, config, plugin.name)
    for secret in secrets_in(schema, config):
        redact.hide(secret)
    check_names(schema, config, plugin.name)
    model = getattr(plugin, "settings", None)
    if paths and model is not None:
        settings_of(model, config, plugin.name)
    return _ConfigInput(config=config)


def _environment(plugin: type[PluginBase], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in schema.get("properties", {}).items():
        title = plugin._env_var_prefix + name.upper().replace("-", "_")
        try:
            with _set(title):
                found |= parse_environment_config({"properties": {name: kind}}, plugin._env_var_prefix, os.devnull)
        except ValueError:
            raise ConfigError(plugin.name, f"{title} does not parse", f"give {title} a valid value") from None
    return found


@contextmanager
def _set(title: str) -> Iterator[None]:
    """Set a variable for a while to what the project's ``.env`` says of it; one that is set stays as it is.

    The SDK looks for a ``.env`` above its own folder, and lets it win.
    """
    value = None if title in os.environ else variable(title)
    if value is not None:
        os.environ[title] = value
    try:
        yield
    finally:
        if value is not None:
            del os.environ[title]
