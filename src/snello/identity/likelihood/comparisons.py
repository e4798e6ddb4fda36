"""What two records are compared by, as Splink settings: words as they are typed, dates, addresses, numbers.

Each comparison is a list of levels ``(label, condition)``. The level *far* stands early: most pairs are far, and the
dear conditions behind it are then worked out for few.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

Levels = list[tuple[str, str]]


def _either_null(column: str) -> str:
    return f'"{column}_l" is null or "{column}_r" is null'


def _crossed() -> tuple[str, str]:
    """Conditions: a half of one name is the other half of the other name; and the halves that remain are alike too."""
    one = 'coalesce("first_word_l" = "last_word_r", false)'
    other = 'coalesce("last_word_l" = "first_word_r", false)'
    rest = 'jaro_winkler_similarity("last_word_l", "first_word_r") > 0.85'
    other_rest = 'jaro_winkler_similarity("first_word_l", "last_word_r") > 0.85'
    return f"({one} or {other})", f"({one} and {rest}) or ({other} and {other_rest})"


def _name(column: str) -> Levels:
    left, right = f'"{column}_l"', f'"{column}_r"'
    alike = f"jaro_winkler_similarity({left}, {right})"
    return [
        ("unknown", _either_null(column)),
        ("same", f"{left} = {right}"),
        ("shortened", f"starts_with({left}, {right}) or starts_with({right}, {left})"),
        ("far", f"{alike} < 0.75"),
        ("one slip", f"damerau_levenshtein({left}, {right}) <= 1"),
        ("alike", f"{alike} >= 0.9 or (length({left}) >= 6 and damerau_levenshtein({left}, {right}) <= 2)"),
        ("somewhat alike", "ELSE"),
    ]


def _given() -> Levels:
    crossed, both = _crossed()
    unknown, same, *rest = _name("first_word")
    exchanged = '"first_word_l" = "last_word_r" and "last_word_l" = "first_word_r"'
    return [
        (unknown[0], f"({unknown[1]}) and not {crossed}"),
        same,
        ("halves exchanged", exchanged),
        ("halves exchanged, one alike", both),
        ("found in the other half", crossed),
        ("nickname", 'coalesce(list_contains("nicknames_l", "first_word_r"), false)'),
        *rest,
    ]


def _family() -> Levels:
    crossed, _ = _crossed()
    unknown, same, *rest = _name("last_word")
    # Exchanged halves are one piece of evidence, told by the given name.
    apart = 'coalesce("first_word_l" <> "first_word_r", true)'
    return [(unknown[0], f"{unknown[1]} or ({crossed} and {apart})"), same, *rest]


def _text(column: str) -> Levels:
    left, right = f'"{column}_l"', f'"{column}_r"'
    return [
        ("unknown", _either_null(column)),
        ("same", f"{left} = {right}"),
        ("far", f"jaro_winkler_similarity({left}, {right}) < 0.75"),
        ("one slip", f"damerau_levenshtein({left}, {right}) <= 1"),
        ("alike", f"jaro_winkler_similarity({left}, {right}) >= 0.9"),
        ("somewhat alike", "ELSE"),
    ]


def _birth() -> Levels:
    left, right = '"birth_l"', '"birth_r"'
    turned = f"{left} = left({right}, 4) || right({right}, 2) || substring({right}, 5, 2)"
    # One slip leaves the year or the day as it was.
    far = f"left({left}, 4) <> left({right}, 4) and substring({left}, 5) <> substring({right}, 5)"
    return [
        ("unknown", _either_null("birth")),
        ("same", f"{left} = {right}"),
        ("far", far),
        ("one slip", f"{turned} or damerau_levenshtein({left}, {right}) <= 1"),
        ("same year or day", "ELSE"),
    ]


def _postcode() -> Levels:
    left, right = '"postcode_l"', '"postcode_r"'
    return [
        ("unknown", _either_null("postcode")),
        ("same", f"{left} = {right}"),
        ("far", f"left({left}, 2) <> left({right}, 2) and right({left}, 2) <> right({right}, 2)"),
        ("one slip", f"damerau_levenshtein({left}, {right}) <= 1"),
        ("one half same", "ELSE"),
    ]


def _street() -> Levels:
    def alike(one: str, other: str) -> str:
        return f'coalesce(jaro_winkler_similarity("{one}_l", "{other}_r"), 0)'

    def two(bound: float) -> str:
        straight = f"least({alike('line', 'line')}, {alike('line_two', 'line_two')}) > {bound}"
        return f"({straight} or least({alike('line', 'line_two')}, {alike('line_two', 'line')}) > {bound})"

    ends = ("line", "line_two")
    best = f"greatest({', '.join(alike(one, other) for one in ends for other in ends)})"
    shared = " or ".join(f'coalesce("{one}_l" = "{other}_r", false)' for one in ends for other in ends)
    both = (
        '("line_l" = "line_r" and "line_two_l" = "line_two_r") or ("line_l" = "line_two_r" and "line_two_l" = "line_r")'
    )
    return [
        ("unknown", _either_null("line")),
        ("same two lines", both),
        ("same line", f'({shared}) and "line_two_l" is null and "line_two_r" is null'),
        ("same line, one unknown", f'({shared}) and ("line_two_l" is null or "line_two_r" is null)'),
        ("far", f"{best} < 0.82"),
        ("same line, one alike", f"({shared}) and {two(0.85)}"),
        ("same line, one far", shared),
        ("two lines alike", two(0.85)),
        ("line alike", f"{best} >= 0.92"),
        ("line somewhat alike", "ELSE"),
    ]


def _number() -> Levels:
    left, right = '"numbers_l"', '"numbers_r"'
    one, other = f"{left}[1]", f"{right}[1]"

    def slips(count: int) -> str:
        # A swap is two slips to levenshtein, which costs a tenth: most pairs are settled by it.
        return (
            f"case when levenshtein({one}, {other}) > {2 * count} then false "
            f"else damerau_levenshtein({one}, {other}) <= {count} end"
        )

    return [
        ("unknown", f'{left} is null or {right} is null or "number_kind_l" <> "number_kind_r"'),
        ("same", f"list_has_any({left}, {right})"),
        ("one slip", slips(1)),
        ("two slips", slips(2)),
        ("far", "ELSE"),
    ]


def _set(column: str, slips: int | None) -> Levels:
    left, right = f'"{column}_l"', f'"{column}_r"'
    levels = [("unknown", _either_null(column)), ("shared", f"list_has_any({left}, {right})")]
    if slips:
        one, other = f"{left}[1]", f"{right}[1]"
        levels.append(("far", f"abs(length({one}) - length({other})) > {slips} or {one}[1:2] <> {other}[1:2]"))
        levels.append((f"{slips} slips at most", f"levenshtein({one}, {other}) <= {slips}"))
        return [*levels, ("as long", "ELSE")]
    return [*levels, ("far", "ELSE")]


PERSONAL: dict[str, Levels] = {
    "given name": _given(),
    "birth date": _birth(),
    # A name mostly says the sex: where the names are one, the sex says nothing more.
    "sex": [
        ("unknown", f'{_either_null("sex")} or coalesce("first_word_l" = "first_word_r", false)'),
        ("same", '"sex_l" = "sex_r"'),
        ("far", "ELSE"),
    ],
    "number": _number(),
}
"""What one person has and a relative does not."""

HOUSEHOLD: dict[str, Levels] = {
    "family name": _family(),
    "street": _street(),
    "civic number": _text("civic"),
    "town": _text("town"),
    "postcode": _postcode(),
    "e-mail": _set("emails", 2),
    "phone": _set("phones", 1),
    "card": _set("cards", None),
}
"""What people who live together share."""

PLACE = ("street", "civic number", "town", "postcode")
"""What neighbours share too: the parts of one address do not count each by itself."""

COMPARISONS: dict[str, Levels] = {**PERSONAL, **HOUSEHOLD}
TERMS = {"given name": "first_word", "family name": "last_word"}
"""Comparisons whose *same* counts more the rarer the value is, and the column that holds the value."""

OWN: dict[str, tuple[str, ...]] = {
    "birth date": ("same", "one slip"),
    "number": ("same", "one slip"),
    "e-mail": ("shared",),
    "phone": ("shared",),
    "card": ("shared",),
}
"""Levels that only the same person's records are on, but for chance."""
STREETS = ("same two lines", "same line", "same line, one unknown")
MARRIED: tuple[dict[str, tuple[str, ...]], ...] = (
    {name: levels for name, levels in OWN.items() if name != "birth date"},
    {"street": STREETS},
)
"""Levels of which two records with different surnames need one; the last ones where the birth date is one too. In a
large lake many who bear one given name are born on one day."""
ALIKE: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "e-mail": (("2 slips at most", "as long"), {}),
    "phone": (("1 slips at most",), OWN | {"e-mail": ("shared", "unknown"), "street": STREETS}),
}
"""Levels that do not speak for one person unless one of others does: mailboxes are made from names, and numbers are
handed out in rows to people who each have a mailbox of their own."""
CROSSED = ("halves exchanged", "halves exchanged, one alike", "found in the other half")
"""Levels of the given name that tell of the surname too."""


def column(comparison: str) -> str:
    """A comparison's name as Splink's columns bear it."""
    return comparison.replace(" ", "_").replace("-", "_")


def gammas(comparison: str) -> list[int]:
    """The number that Splink gives each level of a comparison: -1 for unknown, then down to 0."""
    return [-1, *range(len(COMPARISONS[comparison]) - 2, -1, -1)]


def settings(m: dict[str, list[float]], u: dict[str, list[float]], prior: float) -> dict[str, Any]:
    """Splink settings with the probabilities of each level among matches (``m``) and others (``u``)."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "comparisons": [
            {
                "output_column_name": column(name),
                "comparison_levels": [
                    _level(name, level, m[name][place], u[name][place]) for place, level in enumerate(levels)
                ],
            }
            for name, levels in COMPARISONS.items()
        ],
    }


def _level(comparison: str, level: tuple[str, str], m: float, u: float) -> dict[str, Any]:
    label, condition = level
    if label == "unknown":
        return {"sql_condition": condition, "label_for_charts": label, "is_null_level": True}
    said = {"sql_condition": condition, "label_for_charts": label, "m_probability": m, "u_probability": u}
    if label == "same" and comparison in TERMS:
        said |= {"tf_adjustment_column": TERMS[comparison]}
    return said


def settings_print() -> str:
    """A short hash of what is compared and how: a model made for other comparisons does not fit."""
    return hashlib.sha256(json.dumps(COMPARISONS, sort_keys=True).encode()).hexdigest()[:16]
