"""What somebody set up once in the company's Odoo, whoever its people are: companies, places, stages, products."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.atlas import atlas
from snello.sandbox.catalogue import PRODUCTS

COMPANIES = ("Aurora Accessori S.r.l.", "Aurora Ricarica S.r.l.")
CURRENCIES = ("EUR", "CHF")
COUNTRIES = {"IT": "Italia", "CH": "Svizzera", "SM": "San Marino"}
STAGES = ("Nuovo", "Sopralluogo", "Offerta", "Vinto")
ITALY = 1


def provinces() -> pl.Series:
    """Codes of Italy's provinces, in the order of the numbers that they have in Odoo."""
    return atlas().towns["province"].unique().sort()


def masters() -> dict[str, pl.DataFrame]:
    """The records by model, each numbered from one on."""
    codes = provinces()
    italy = pl.repeat(ITALY, len(codes), dtype=pl.Int64, eager=True)
    numbers = pl.Series([product.sku for product in PRODUCTS])
    return {
        "res.company": _named(pl.Series(COMPANIES)),
        "res.currency": _named(pl.Series(CURRENCIES)),
        "res.country": _named(pl.Series(list(COUNTRIES.values())), code=pl.Series(list(COUNTRIES))),
        "res.country.state": _named(codes, code=codes, country_id=italy),
        "crm.stage": _named(pl.Series(STAGES)),
        "product.product": _named(pl.Series([product.name for product in PRODUCTS]), default_code=numbers),
    }


def _named(names: pl.Series, **more: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"id": np.arange(len(names)) + 1, "name": names, **more})
