"""Whether a mailbox or a mobile that is somebody's own may be another one, written with a slip."""

from __future__ import annotations


def one_slip(one: str, other: str) -> bool:
    """One sign lost, added or replaced, or two neighbours exchanged.

    - before the ``@`` of a mailbox nothing may differ that it is named with: ``mario.rossi2`` is another person's
      than ``mario.rossi``, ``carlos.rossi`` than ``carlo.rossi``, and who finds ``mario.rossi`` taken is ``mariorossi``
    """
    if "@" in one and "@" in other and _named(one) != _named(other):
        return False
    if len(one) > len(other):
        one, other = other, one
    at = next((place for place, sign in enumerate(one) if sign != other[place]), len(one))
    if len(other) - len(one) > 1:
        return False
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return swapped or one[at + 1 :] == other[at + 1 :]


def _named(mailbox: str) -> str:
    return "".join(sign for sign in mailbox.partition("@")[0] if sign.isalnum() or sign in "._-")
