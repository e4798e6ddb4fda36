"""What people type to get past a form, what a till fills in, and the shop's own values; a share of all records each.

Some stand on any list of such values. Others look like a person's own (a mailbox of the shop, its telephone, the tax
code of the cashier's brother, the shop's address) and give themselves away only by how often they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from snello.sandbox.draw import Draw
from snello.sandbox.texts import patch

SHARES = {"tax_code": 0.02, "email": 0.025, "phone": 0.025, "birth_date": 0.025, "names": 0.006, "address": 0.006}
TAX_CODES = ("XXXXXXXXXXXXXXXX", "RSSMRA80A01H501U", "0000000000000000", "BNCLRD72T14F205C", "n/d", "NON FORNITO")
EMAILS = (
    "noemail@noemail.it", "nomail@nomail.com", "test@test.it", "info@negozio.example", "a@a.it", "n/d",
    "nessuna", "clienti.bottega@posta.example", "cassa3@rete.example", "nonha@mail.example",
)  # fmt: skip
PHONES = ("0000000000", "3333333333", "1234567890", "3400000000", "9999999999", "0512345678", "3391112233", "n/d", "-")
BIRTHS = (date(1900, 1, 1), date(1970, 1, 1), date(1901, 1, 1), date(2000, 1, 1), date(1980, 1, 1))
NAMES = (("CLIENTE", "GENERICO"), ("Test", "Test"), ("Nome", "Cognome"), ("N/D", "N/D"), ("xxx", "xxx"), ("-", "-"))
ADDRESSES = (("Via Roma 1", "20121", "Milano", "MI"), ("Via dell'Indipendenza 24", "40121", "Bologna", "BO"))


def place(frame: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """The records with placeholders in, and ``placeholder``: which have one."""
    size = frame.height
    touched = np.zeros(size, bool)
    fields: dict[str, tuple[Sequence[str], Sequence[tuple[object, ...]]]] = {
        "tax_code": (("tax_code",), [(code,) for code in TAX_CODES]),
        "email": (("email",), [(email,) for email in EMAILS]),
        "phone": (("phone",), [(phone,) for phone in PHONES]),
        "birth_date": (("birth_date",), [(birth,) for birth in BIRTHS]),
        "names": (("first_name", "last_name"), NAMES),
        "address": (("street", "postcode", "city", "province"), ADDRESSES),
    }
    for field, (columns, values) in fields.items():
        vague = draw.chance(size, SHARES[field])
        drawn = draw.ints(0, len(values) - 1, int(vague.sum()))
        touched |= vague
        for position, column in enumerate(columns):
            pool = pl.Series([value[position] for value in values], dtype=frame[column].dtype)
            frame = frame.with_columns(patch(frame[column], vague, pool.gather(drawn)).alias(column))
    return frame.with_columns(placeholder=pl.Series(touched))
