"""Who is who under attack: chains, crowds on one value, blanks and defaults, cycles, poison between two VIPs.

.venv/bin/python bench/identity/adversarial.py [SIZE]     default: 50,000 records where one value is shared

First the step that makes clusters alone, then the whole project; every attack has an outcome that must come of it, and
the exit code is 1 when one does not.
"""

from __future__ import annotations

import sys

import attacks_on_clusters
import attacks_on_hub

if __name__ == "__main__":
    size = int(sys.argv[1].replace(",", "")) if sys.argv[1:] else 50_000
    sys.exit(1 if attacks_on_clusters.attack(size) + attacks_on_hub.attack(size) else 0)
