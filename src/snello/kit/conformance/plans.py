"""Plans: which call meets which fault.

once(BrokenAfter(), when=lambda seen: seen.method == "POST")
first_of(at(3, Unauthorized()), chance(0.1, seed=7, fault=Limited(1)))
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import count

from snello.kit.conformance.faults import Fault, Seen

RUNNING = 3
Plan = Callable[[Seen, int], Fault | None]
"""Which fault a call meets, by the call and its number from 0; None for none. Asked once a call, one at a time."""


def calm(seen: Seen, number: int) -> Fault | None:
    """Nothing goes wrong."""
    return None


def always(fault: Fault, when: Callable[[Seen], bool] = lambda _: True) -> Plan:
    """Every call that fits."""
    return lambda seen, _: fault if when(seen) else None


def at(number: int, fault: Fault, when: Callable[[Seen], bool] = lambda _: True) -> Plan:
    """The call of this number, from 0, among those that fit."""
    fitting = count()
    return lambda seen, _: fault if when(seen) and next(fitting) == number else None


def every(n: int, fault: Fault) -> Plan:
    """Each n-th call: of n = 3 the numbers 2, 5, 8…

    One that met it three times running is let through: of calls made at once the same one could meet it at every try.
    """
    running: Counter[tuple[str, str]] = Counter()

    def plan(seen: Seen, number: int) -> Fault | None:
        call = (seen.method, seen.path)
        if number % n != n - 1 or running[call] == RUNNING:
            running[call] = 0
            return None
        running[call] += 1
        return fault

    return plan


def once(fault: Fault, when: Callable[[Seen], bool] = lambda _: True) -> Plan:
    """The first call that fits, and no other."""
    return times(1, fault, when)


def times(n: int, fault: Fault, when: Callable[[Seen], bool] = lambda _: True) -> Plan:
    """The first n calls that fit."""
    left = n

    def plan(seen: Seen, _: int) -> Fault | None:
        nonlocal left
        if left and when(seen):
            left -= 1
            return fault
        return None

    return plan


def chance(share: float, seed: int, fault: Fault) -> Plan:
    """This share of the calls; which ones follows from the seed."""
    luck = random.Random(seed)
    return lambda _, __: fault if luck.random() < share else None


def first_of(*plans: Plan) -> Plan:
    """What the first of the plans that has something says; all are asked, so that their counts stay true."""

    def plan(seen: Seen, number: int) -> Fault | None:
        found = [each(seen, number) for each in plans]
        return next((fault for fault in found if fault is not None), None)

    return plan
