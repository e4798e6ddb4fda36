"""Values as a language writes them: days and numbers in letters, by the Unicode locale data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def day(context: Context, value: Any, form: str = "long") -> str:
    """A day, or the day of a moment, in the letter's language: ``{{ last_order_on|day }}``; short medium long full."""
    if not isinstance(value, date):
        value = datetime.fromisoformat(str(value))
    return format_date(value, form, _locale(context))


@pass_context
def number(context: Context, value: Any) -> str:
    """A number in the letter's language: ``{{ points|number }}``."""
    return format_decimal(value, locale=_locale(context))


def _locale(context: Context) -> Locale:
    try:
        return Locale.parse(str(context.get("language")))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


FILTERS = {"day": day, "number": number}
