"""A severe Italian set for who is who: families that share everything but the person, with the truth about each record.

- ``make_families(people, seed)``: as many records as asked, two and a half a person
- every share of a trait and of a fault stands in ``people``, ``records`` and ``slips``, and tests hold them
"""

from snello.sandbox.families.generate import Families, make_families

__all__ = ["Families", "make_families"]
