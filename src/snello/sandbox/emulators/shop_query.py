"""The query parameters of WooCommerce's collections: which there are, what they may be, what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

SITE_ZONE = ZoneInfo("Europe/Rome")
PER_PAGE, MOST_PER_PAGE = 10, 100


class Refused(Exception):
    """An answer in WordPress's error envelope."""

    def __init__(self, status: int, code: str, message: str, params: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.data = {"status": status} | ({"params": params} if params else {})


@dataclass(frozen=True)
class Collection:
    """One collection: where it is, how it may be ordered and filtered, what an unknown id gets.

    - ``orderings``: values of ``orderby``, the default first, each with its column
    - ``dated``: whether ``after`` and ``before`` filter it; ``modified``: whether ``modified_after`` and ``_before`` do
    """

    name: str
    path: str
    orderings: Mapping[str, str]
    descending: bool
    dated: bool
    modified: bool
    filters: Mapping[str, str]
    unknown: tuple[str, str]


COLLECTIONS = (
    Collection(
        "customers",
        "customers",
        {"name": "username", "id": "id", "include": "id", "registered_date": "date_created_gmt"},
        descending=False,
        dated=False,
        # The parameter is not known here: WordPress ignores it, as it does any unknown one.
        modified=False,
        filters={"email": "email"},
        unknown=("woocommerce_rest_invalid_id", "Invalid resource ID."),
    ),
    Collection(
        "orders",
        "orders",
        {"date": "date_created_gmt", "modified": "date_modified_gmt", "id": "id", "include": "id"},
        descending=True,
        dated=True,
        modified=True,
        filters={"status": "status", "customer": "customer_id"},
        unknown=("woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
    ),
    Collection(
        "product_reviews",
        "products/reviews",
        dict.fromkeys(("date_gmt", "date"), "date_created_gmt")
        | {"id": "id", "include": "id", "product": "product_id"},
        descending=True,
        dated=True,
        modified=False,
        filters={"status": "status", "product": "product_id", "reviewer_email": "reviewer_email"},
        unknown=("woocommerce_rest_review_invalid_id", "Invalid review ID."),
    ),
)


@dataclass(frozen=True)
class Params:
    """A valid query."""

    page: int
    per_page: int
    offset: int | None
    orderby: str
    descending: bool
    bounds: dict[str, datetime]
    filters: dict[str, str]
    include: tuple[int, ...]
    exclude: tuple[int, ...]

    @classmethod
    def read(cls, query: Mapping[str, str], collection: Collection) -> Params:
        """Check the query against the collection; every wrong parameter is named in one refusal."""
        wrong: dict[str, str] = {}
        orderby = query.get("orderby", next(iter(collection.orderings)))
        if orderby not in collection.orderings:
            wrong["orderby"] = f"orderby is not one of {', '.join(collection.orderings)}."
        order = query.get("order", "desc" if collection.descending else "asc")
        if order not in ("asc", "desc"):
            wrong["order"] = "order is not one of asc and desc."
        params = cls(
            page=_whole(query, "page", 1, (1, None), wrong) or 1,
            per_page=_whole(query, "per_page", PER_PAGE, (1, MOST_PER_PAGE), wrong) or PER_PAGE,
            offset=_whole(query, "offset", None, (0, None), wrong),
            orderby=orderby,
            descending=order == "desc",
            bounds=_bounds(query, collection, wrong),
            filters={name: query[name] for name in collection.filters if name in query},
            include=_ids(query, "include", wrong),
            exclude=_ids(query, "exclude", wrong),
        )
        if wrong:
            raise Refused(400, "rest_invalid_param", f"Invalid parameter(s): {', '.join(wrong)}", wrong)
        return params


def _whole(
    query: Mapping[str, str], name: str, default: int | None, bounds: tuple[int, int | None], wrong: dict[str, str]
) -> int | None:
    text = query.get(name)
    if text is None:
        return default
    low, high = bounds
    if not text.lstrip("-").isdigit():
        wrong[name] = f"{name} is not of type integer."
    elif high is not None and not low <= int(text) <= high:
        wrong[name] = f"{name} must be between {low} (inclusive) and {high} (inclusive)"
    elif int(text) < low:
        wrong[name] = f"{name} must be greater than or equal to {low}"
    else:
        return int(text)
    return default


def _ids(query: Mapping[str, str], name: str, wrong: dict[str, str]) -> tuple[int, ...]:
    texts = [text for text in query.get(name, "").split(",") if text]
    if not all(text.strip().isdigit() for text in texts):
        wrong[name] = f"{name}[0] is not of type integer."
        return ()
    return tuple(int(text) for text in texts)


def _bounds(query: Mapping[str, str], collection: Collection, wrong: dict[str, str]) -> dict[str, datetime]:
    """Moments to filter by, in the site's zone unless ``dates_are_gmt`` is true; an offset in the text is ignored."""
    gmt = query.get("dates_are_gmt", "false").lower() in ("true", "1")
    names = [name for name in ("after", "before") if collection.dated]
    names += [f"modified_{name}" for name in ("after", "before") if collection.modified]
    found: dict[str, datetime] = {}
    for name in names:
        if name not in query:
            continue
        try:
            moment = datetime.fromisoformat(query[name].replace(" ", "+"))
        except ValueError:
            wrong[name] = "Invalid date."
            continue
        found[name] = moment.replace(tzinfo=ZoneInfo("UTC") if gmt else SITE_ZONE)
    return found
