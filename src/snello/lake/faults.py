"""What goes wrong below the lake, told as what the reader does next."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
_OS_ERROR = re.compile(r"os error (\d+)")


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn faults of the disk, the object store and delta-rs into one sentence about ``where``."""
    try:
        yield
    except SnelloError:
        raise
    except CommitFailedError as error:
        raise _fault(error, where) or RetryLater(
            where, "other writers kept committing first", "run again when they are done: nothing is lost"
        ) from None
    except DeltaProtocolError:
        raise ContractError(
            where, "another engine gave the table features that this writer lacks", "write it with that engine"
        ) from None
    except (OSError, DeltaError) as error:
        fault = _fault(error, where)
        if fault is None:
            raise
        raise fault from None


def _fault(error: Exception, where: str) -> SnelloError | None:
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        found = _OS_ERROR.search(str(error))
        number = int(found.group(1)) if found else None
    if number in _FULL:
        return RetryLater(where, "no space left on the disk of the lake", "free some, then run again: nothing is lost")
    if number in _CLOSED:
        return ConfigError(where, "the lake may not be written", "name a folder that this user may write to")
    if "Generic S3 error" in str(error) or "Generic MicrosoftAzure" in str(error) or "Generic GCS" in str(error):
        return RetryLater(where, "the object store does not answer as it should", "check its address and credentials")
    return None
