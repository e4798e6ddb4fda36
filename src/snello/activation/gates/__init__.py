"""Who of an audience may be sent today: each member passes every gate, or is kept back by the first that says no.

1. ``consent``: a yes for the sync's purpose and channel
2. ``suppression``: bounces, complaints, unsubscriptions, and what was suppressed by hand
3. ``holdout``: customers kept back to measure what the channel brings
4. ``pressure``: contacts that the person had lately, and those that other syncs are about to make
5. ``quality``: columns that must be filled, addresses that must be ones
6. ``size``: audiences that the platform would not take

A gate only ever keeps back; what one has said no other takes away.
"""

from snello.activation.gates.case import Case
from snello.activation.gates.passage import admit, remember
from snello.activation.gates.reserved import turn
from snello.activation.gates.words import reason_of, word_of

__all__ = ["Case", "admit", "reason_of", "remember", "turn", "word_of"]
