"""What Aurora's online shop sells."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """An accessory with its price in cents, tax included."""

    sku: str
    name: str
    cents: int


NAMES_AND_PRICES = (
    ("Cavo di ricarica tipo 2", 18900), ("Cavo di ricarica domestico", 24900), ("Wallbox 7 kW", 69900),
    ("Tappetini in gomma", 4900), ("Tappetini in velluto", 6900), ("Seggiolino Isofix", 19900),
    ("Seggiolino con schienale", 12900), ("Coprisedili", 8900), ("Portabici da gancio", 27900),
    ("Barre portatutto", 15900), ("Box da tetto", 38900), ("Vasca baule", 5900), ("Rete divisoria per cani", 9900),
    ("Collare riflettente", 1900),
    ("Catene da neve", 7900), ("Kit emergenza", 3500), ("Triangolo e giubbino", 1500), ("Cover chiave", 1200),
    ("Portachiavi Aurora", 900), ("Modellino Lampo 1:43", 3900), ("Modellino Vento 1:43", 3900), ("Felpa Aurora", 5500),
    ("Cappellino Aurora", 1900), ("Ombrello Aurora", 2400), ("Zaino Aurora", 6400), ("Borraccia termica", 2200),
    ("Profumatore abitacolo", 1100), ("Kit pulizia interni", 2900), ("Shampoo auto", 1400), ("Panno microfibra", 800),
    ("Supporto smartphone", 2700), ("Caricatore USB-C", 2900), ("Dashcam", 12900), ("Tendine parasole", 3200),
    ("Telo copriauto", 8400), ("Cerchi in lega 17", 64900), ("Pneumatico invernale", 11900), ("Adesivi racing", 4500),
    ("Poggiatesta da viaggio", 2600), ("Buono tagliando", 14900),
)  # fmt: skip

PRODUCTS = tuple(Product(f"AUR-{n:04}", name, cents) for n, (name, cents) in enumerate(NAMES_AND_PRICES, 1))
FIRST_PRODUCT_ID = 201
VAT = 0.22
