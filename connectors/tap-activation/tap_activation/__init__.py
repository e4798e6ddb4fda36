"""Upserts and removals of a published audience since it was last delivered, as ordinary Singer records."""

from __future__ import annotations

from snello.kit.activation_tap import ActivationTap
from snello.kit.entry import entry


class TapActivation(ActivationTap):
    """Singer tap for one sync: what its channel shall hold, compared with what the ledger says it holds."""

    name = "tap-activation"


main = entry(TapActivation)
