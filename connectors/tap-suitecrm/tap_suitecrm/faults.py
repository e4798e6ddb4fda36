"""What SuiteCRM refuses. Its own sentences quote values and queries: they are read, and never shown."""

from __future__ import annotations

from snello.kit.http import Answer, Expired
from snello.kit.rest import ConfigError, ContractError, Transient

INVALID_SESSION, NO_MODULE, NO_ACCESS = 11, 20, 40
WRONG_PLACE = "check the URL; for version 8 it ends in /legacy"


def _no_right(where: str, module: str) -> ConfigError:
    cure = "give the user of the interface the right to list and view it, or deselect the stream"
    return ConfigError(where, f"no right to read {module}", cure)


def _no_module(where: str, module: str) -> ConfigError:
    return ConfigError(where, f"this SuiteCRM has no module {module}", "deselect the stream")


def of_v8(answer: Answer, where: str, module: str) -> None:
    """Raise for a refusal of V8, told by its sentence: its status is 400 whatever the fault."""
    errors = answer.document.get("errors") if isinstance(answer.document, dict) else None
    if not isinstance(errors, dict):
        return
    detail = str(errors.get("detail"))
    if detail.startswith("[SuiteCRM]"):
        raise _no_right(where, module)
    if detail.startswith("Module ") and detail.endswith(" does not exist"):
        raise _no_module(where, module)
    if f"{module} module with id " in detail and detail.endswith(" is not found"):
        raise Transient(f"{answer.status} from {answer.place}: a record went while the page was made")


def of_legacy(answer: Answer, where: str, module: str) -> None:
    """Raise for a fault of the elder interface, told by its number inside a 200."""
    number = answer.document.get("number") if isinstance(answer.document, dict) else None
    if number is None:
        return
    if number == INVALID_SESSION:
        raise Expired(f"{answer.status} from {answer.place}: the session has ended")
    if number == NO_ACCESS:
        raise _no_right(where, module)
    if number == NO_MODULE:
        raise _no_module(where, module)
    what = f"{answer.status} from {answer.place} holds an error" + (f", {number}" if type(number) is int else "")
    raise ContractError(where, what, "check that the server's version of the interface fits")
