"""Whether two values of one kind can belong to one person; ``None`` when either says nothing."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from snello.identifiers import tables
from snello.identifiers.name import fold_name, name_tokens, split_name
from snello.identifiers.near_names import near

_DOUBLED = re.compile(r"(.)\1+")
_BEGINNINGS = ("gian", "pier")  # of many names, and names of nobody
_STAND_IN_DATES = frozenset({"1900-01-01", "1901-01-01", "1970-01-01", "1911-11-11"})


@lru_cache(maxsize=65_536)
def _digits(value: str | None) -> str | None:
    """The date as ``YYYYMMDD``; ``None`` when it says nothing."""
    if value is None or value[:10] in _STAND_IN_DATES:
        return None
    try:
        found = date.fromisoformat(value[:10])
    except ValueError:
        return None
    return found.isoformat().replace("-", "") if found.year >= 1900 and found <= date.today() else None


def birth_dates_agree(left: str | None, right: str | None) -> bool | None:
    """Whether two ISO dates may be one birthday: equal, day and month exchanged, one digit wrong, or a century apart.

    - two neighbouring digits exchanged count as one mistake
    - dates typed to get past a form (``1900-01-01``), before 1900 or in the future say nothing
    """
    one, other = _digits(left), _digits(right)
    if one is None or other is None:
        return None
    if one[:4] == other[:4] and one[4:6] == other[6:] and one[6:] == other[4:6]:
        return True
    if one[2:] == other[2:] and abs(int(one[:4]) - int(other[:4])) == 100:
        return True
    return _one_mistake(one, other)


def _one_mistake(left: str, right: str) -> bool:
    differ = [i for i, a in enumerate(left) if a != right[i]]
    if len(differ) < 2:
        return True
    first, second = differ[:2]
    return len(differ) == 2 and second == first + 1 and left[first] == right[second] and left[second] == right[first]


def _halves(value: str | None) -> tuple[list[str], list[str]]:
    """Folded words of the given and of the family name in ``given|family``, or in a full name in either order."""
    given, bar, family = (value or "").partition("|")
    first, last = (given, family) if bar else split_name(given)
    return _words(first), _words(last)


@lru_cache(maxsize=131_072)
def _words(half: str | None) -> list[str]:
    return name_tokens(fold_name(half) or "")


def plain_name(value: str | None) -> str | None:
    """The name as ``names_agree`` compares it, ``given|family``; ``None`` when there is no letter in it."""
    given, bar, family = (value or "").partition("|")
    first, last = map(_plain, (given, family) if bar else split_name(given))
    return f"{first}|{last}" if first or last else None


@lru_cache(maxsize=131_072)
def _plain(half: str | None) -> str:
    return " ".join(_words(half))


@lru_cache(maxsize=262_144)
def names_agree(left: str | None, right: str | None) -> bool | None:
    """Whether two names, each ``given|family`` or a full name, may be one person's, judged by the given names.

    - each side's given name must be found among the other's names: halves may be exchanged, family names may change
    - nicknames, initials, shortened and mistyped names are alike; two different known names (Mario, Maria) are not, nor
      are two (Rosa Maria, Anna Maria) of which one word differs
    - ``None`` when either side has no given name
    """
    (given, family), (other_given, other_family) = _halves(left), _halves(right)
    if not given or not other_given:
        return None
    if "".join(given) == "".join(other_given):
        return True
    if _found(given, other_given):
        return not _two_people(given, other_given, family, other_family)
    called, other_called = any(map(_is_called, given)), any(map(_is_called, other_given))
    # Lucia Greco and Deledda Lucia: the halves of one are turned, and its family name is another
    if called and not other_called and _found(given, list(filter(_is_called, other_family))):
        return True
    if other_called and not called and _found(other_given, list(filter(_is_called, family))):
        return True
    if (len(given) > 1 or len(other_given) > 1) and _slip("".join(given), "".join(other_given)):
        return True
    return _crossed(given, other_family) and _crossed(other_given, family)


def _crossed(given: list[str], family: list[str]) -> bool:
    """Whether a given name is found among the words of another's family name, or is all of them run together."""
    return _found(given, family) or (len(given) > 1 and _slip("".join(given), "".join(family)))


@lru_cache(maxsize=65_536)
def _is_called(word: str) -> bool:
    """Whether people are called so: a given name or a short form of one."""
    return word in tables.given_names() or word in tables.nicknames()


@lru_cache(maxsize=65_536)
def names_share(left: str | None, right: str | None) -> bool | None:
    """Whether two names that may be one person's, written as for ``names_agree``, have a word or a nickname in common.

    A slip, an initial or a beginning is not enough: Jan and Jana are one letter apart. ``None`` when either side has no
    given name.
    """
    (given, family), (other_given, other_family) = _halves(left), _halves(right)
    if not given or not other_given:
        return None
    if not names_agree(left, right):
        return False
    if "".join(given) == "".join(other_given) or _common(given, other_given):
        return True
    return _common(given, other_family) and _common(other_given, family)


def _common(names: list[str], others: list[str]) -> bool:
    """Whether a word, or a nickname of a word, stands among both."""
    forms = tables.nicknames()
    return any(one in others or any(form in others for form in forms.get(one, ())) for one in names)


def _two_people(given: list[str], others: list[str], family: list[str], other_family: list[str]) -> bool:
    """Whether names with a word in common go on with known names that differ: Rosa Maria and Anna Maria."""
    known = tables.given_names()
    whole, other = "".join(given), "".join(others)
    if whole[:4] == other[:4] and whole[:4] in _BEGINNINGS and whole in known and other in known:
        return not _alike(whole, other)
    if len(given) == 1 or len(others) == 1:
        return False
    return _alone(given, others + other_family) and _alone(others, given + family)


def _alone(names: list[str], others: list[str]) -> bool:
    """Whether one of the names is known, and none of the others is alike."""
    return any(name in tables.given_names() and not _found([name], others) for name in names)


def _found(names: list[str], others: list[str]) -> bool:
    # plain loops: this is asked for every pair of people
    for one in names:
        for other in others:
            if _alike(one, other):
                return True
    return False


@lru_cache(maxsize=262_144)
def _alike(one: str, other: str) -> bool:
    short, long = (one, other) if (len(one), one) <= (len(other), other) else (other, one)
    if short == long:
        return True
    if len(short) == 1:
        return long.startswith(short) or any(name.startswith(short) for name in tables.nicknames().get(long, ()))
    known = tables.given_names()
    if long.startswith(short) and len(short) >= 3 and (short not in known or long[len(short) :] in known):
        return True
    if short in known and long in known:
        return long in tables.nicknames().get(short, ())
    return _stands_for(short, long) or _slip(short, long) or _meant(short, long)


def _meant(one: str, other: str) -> bool:
    """Whether two words that are no names may both be slips of one name, or of two that stand for one another."""
    if not near(one) or not near(other) or _is_called(one) or _is_called(other):
        return False
    forms = tables.nicknames()
    meant = {name for name in near(other) if _slip(name, other)}
    return any(name in meant or not meant.isdisjoint(forms.get(name, ())) for name in near(one) if _slip(name, one))


def _stands_for(one: str, other: str) -> bool:
    """Whether one is a short form of the other; one that is no name is read as the form that it was meant to be."""
    forms, names = tables.nicknames(), tables.given_names()
    if other in forms.get(one, ()):
        return True
    for written, whole in ((one, other), (other, one)):
        if written not in names and written not in forms and any(_slip(written, form) for form in forms.get(whole, ())):
            return True
    return False


def _slip(one: str, other: str) -> bool:
    """One letter wrong, missing, added or exchanged, or letters typed once or twice, in a name of three or more."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    # Letters typed twice leave the ends as they are: most names differ there and need no closer look.
    if short[:1] == long[:1] and short[-1:] == long[-1:] and _once(short) == _once(long):
        return True
    return len(short) >= 3 and len(long) >= 4 and len(long) - len(short) <= 1 and _one_edit(short, long)


@lru_cache(maxsize=65_536)
def _once(name: str) -> str:
    """The name with every letter that is typed several times running typed once."""
    return _DOUBLED.sub(r"\1", name)


def _one_edit(short: str, long: str) -> bool:
    """One letter wrong, missing or added, or two neighbours exchanged."""
    if len(short) == len(long):
        return _one_mistake(short, long)
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    return short[at:] == long[at + 1 :]
