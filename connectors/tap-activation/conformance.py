"""tap-activation tried on a published audience and a ledger of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.conformance.taps import Subject, starts

CANARY = "canary.person@aurora.example"
SYNC, MEMBERS = "webhook__loyal", 25


@starts(
    {
        "http": "the lake and the ledger do not speak HTTP",
        "authenticates": "the lake and the ledger are its own",
        "renews": "the lake and the ledger are its own",
        "changes": "what counts is what the ledger says was delivered: until then a change comes again",
        "ties": "audiences are compared whole, without a moment",
        "again": "a run holds its sync until its process ends",
        "grows": "what is held of an audience is measured by the tests of its differences",
        "removes": "a removal is a row with _op, proven by the suite for targets",
    }
)
def audience() -> Iterator[Subject]:
    """Nothing was delivered yet: each member is a change."""
    with TemporaryDirectory() as folder:
        stage = Rehearsal(Path(folder), SYNC)
        stage.publish([{"customer_id": f"c{n:03}", "email": CANARY} for n in range(MEMBERS)])
        hub = {"SNELLO_LAKE": str(stage.lake.root), "SNELLO_LEDGER": stage.ledger_url, "SNELLO_SALT": SALT}
        with patch.dict("os.environ", hub):
            yield Subject(
                command="tap_activation:main",
                plugin="tap_activation:TapActivation",
                config=lambda _: {"sync": SYNC},
                rows={SYNC: MEMBERS},
                canaries=(CANARY, SALT),
                volatile=("_run_id",),
            )
