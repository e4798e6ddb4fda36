"""What a reverse-ETL target is made of: a sink says what one channel's API takes, this package does the rest.

    class Contacts(ActivationSink[Settings]):
        name, purpose, max_size = "contacts", "email_marketing", 500
        def upsert(self, changes): ...      # a verdict a row
        def remove(self, changes): ...

    class TargetAcme(ActivationTarget):
        name, sinks, settings = "target-acme", (Contacts,), Settings

The rest is: consent checked again row by row, intent written before a call and outcome after it, idempotency keys,
batches, pacing, retries, bisection of a refused batch, a receipt a row, and state only after the ledger.
"""

from snello.activation import Bounce, Change, Held, Size, Verdict
from snello.errors import ConfigError, ContractError, RetryLater, RowsRefused, choices
from snello.kit.channel.http import BatchRefused, Http, Pace, Retry, code_of
from snello.kit.channel.settings import ChannelSettings
from snello.kit.channel.sink import ActivationSink
from snello.kit.channel.target import ActivationTarget
from snello.kit.http import Transient

__all__ = [
    "ActivationSink",
    "ActivationTarget",
    "BatchRefused",
    "Bounce",
    "Change",
    "ChannelSettings",
    "ConfigError",
    "ContractError",
    "Held",
    "Http",
    "Pace",
    "Retry",
    "RetryLater",
    "RowsRefused",
    "Size",
    "Transient",
    "Verdict",
    "choices",
    "code_of",
]
