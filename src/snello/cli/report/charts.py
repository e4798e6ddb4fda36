"""The charts of the report, as inline SVG with a title and a description that a screen reader speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import vl_convert

from snello.cli.report.palette import LIGHT
from snello.cli.summary.figures import Count, Delivery, Summary

WIDTH, STEP, BAR, GUTTER = 440, 42, 10, 150
_FONT = "system-ui, sans-serif"
_CONFIG = {
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelColor": LIGHT["ink"],
        "labelFontSize": 13,
        "labelPadding": 8,
        "title": None,
    },
    "text": {"font": _FONT, "fontSize": 13, "color": LIGHT["ink"]},
}

Value = dict[str, Any]


def _data(values: Sequence[Value]) -> Any:
    return alt.InlineData(values=list(values))


def _svg(chart: Any, name: str, title: str, description: str) -> str:
    """Draw ``chart``; ``name`` keeps its ids apart from those of the other charts on the page."""
    name = f"chart-{name}"
    spec = {**chart.configure(**_CONFIG).to_dict(), "padding": 2, "background": None}
    drawn = vl_convert.vegalite_to_svg(spec)
    inside = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    size = drawn[drawn.index("viewBox=") : drawn.index('"', drawn.index("viewBox=") + 9) + 1]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" id="{name}" role="img" {size}'
    spoken = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    return f'{head} aria-labelledby="{name}-title {name}-desc">{spoken}{inside}'.replace(
        'clip-path="url(#', f'clip-path="url(#{name}-'
    ).replace('<clipPath id="', f'<clipPath id="{name}-')


@dataclass(frozen=True)
class _Rows:
    """Rows of a name and its figure over a bar; ``whole`` is what a full bar stands for, by default the longest."""

    values: Sequence[Value]
    whole: float | None = None

    def words(self) -> Any:
        base = self._base()
        name = base.mark_text(align="left", yOffset=-9).encode(text="name:N", x=alt.value(0))
        told = base.mark_text(align="right", yOffset=-9, fontWeight=600).encode(text="told:N", x=alt.value(WIDTH))
        return name + told

    def bar(self, colour: str, field: str = "rows") -> Any:
        whole = self.whole or max((value["rows"] for value in self.values), default=0) or 1
        along = alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, whole], nice=False))
        return self._base().mark_bar(color=LIGHT[colour], height=BAR, yOffset=9).encode(x=along)

    def spoken(self) -> str:
        return "; ".join(f"{value['name']}: {value['told']}" for value in self.values)

    def _base(self) -> Any:
        chart = alt.Chart(_data(self.values), width=WIDTH, height=alt.Step(STEP))
        return chart.encode(y=alt.Y("name:N", sort=None, axis=None))


def people_by_source(summary: Summary) -> str:
    """How many people stand behind the records of each source, and of all of them."""
    rows = [(source.source, source.records, source.customers) for source in summary.sources if source.records]
    rows.append(("all sources together", summary.people.records, summary.people.customers))
    values = [
        {
            "name": name.replace("_", " "),
            "rows": records,
            "people": people,
            "told": f"{people:,} people in {records:,} records",
        }
        for name, records, people in rows
    ]
    drawn = _Rows(values)
    chart = alt.layer(drawn.bar("soft"), drawn.bar("accent", "people"), drawn.words())
    return _svg(chart, "people-by-source", "People behind the records", drawn.spoken())


def counts(name: str, title: str, rows: Sequence[Count]) -> str:
    """One bar a count."""
    values = [{"name": row.name.replace("_", " "), "rows": row.rows, "told": f"{row.rows:,}"} for row in rows]
    drawn = _Rows(values)
    return _svg(alt.layer(drawn.bar("accent"), drawn.words()), name, title, drawn.spoken())


def shares(name: str, title: str, rows: Sequence[tuple[str, float]]) -> str:
    """Shares of one, each on a track that shows the whole."""
    values = [{"name": label, "rows": share, "whole": 1, "told": f"{share:.4f}"} for label, share in rows]
    drawn = _Rows(values, whole=1)
    chart = alt.layer(drawn.bar("soft", "whole"), drawn.bar("accent"), drawn.words())
    return _svg(chart, name, title, drawn.spoken())


def seconds(summary: Summary) -> str:
    """How long each phase of the loop took."""
    values = [
        {"name": phase.phase, "rows": phase.seconds, "told": f"{phase.seconds:,.1f} s"} for phase in summary.phases
    ]
    drawn = _Rows(values)
    return _svg(alt.layer(drawn.bar("accent"), drawn.words()), "seconds", "Seconds by phase", drawn.spoken())


def delivery(sync: Delivery) -> str:
    """What became of the rows of one sync, a bar an outcome; grey ones did not reach the channel."""
    values = [
        {"name": name, "rows": rows, "told": f"{rows:,}", "colour": LIGHT["accent" if reached else "quiet"]}
        for name, rows, reached in outcomes(sync)
    ]
    drawn = _Rows(values)
    bars = drawn.bar("accent").encode(color=alt.Color("colour:N", scale=None, legend=None))
    return _svg(alt.layer(bars, drawn.words()), f"sync-{sync.sync}", f"Outcomes of {sync.sync}", drawn.spoken())


def outcomes(sync: Delivery) -> list[tuple[str, int, bool]]:
    """Name, rows and whether they reached the channel, for each way in which rows of a sync ended."""
    ended = [("delivered", sync.delivered, True)]
    ended += [("removed", sync.removed, True)] if sync.removed else []
    ended += [("unchanged", sync.unchanged, True)] if sync.unchanged else []
    left = [row for row in sync.outcomes if row.status != "delivered"]
    return ended + [
        (", ".join(filter(None, (row.status, row.code))).replace("_", " "), row.rows, False) for row in left
    ]


def consent(summary: Summary) -> str:
    """The share of customers with a known yes, purpose by channel."""
    everyone = summary.people.customers or 1
    values = [
        {
            "name": row.purpose.replace("_", " "),
            "channel": row.channel,
            "rows": row.yes / everyone,
            "told": f"{row.yes / everyone:.0%}",
        }
        for row in summary.consents
    ]
    channels = len({value["channel"] for value in values}) or 1
    beside = alt.Axis(minExtent=GUTTER, maxExtent=GUTTER, labelLimit=GUTTER - 20)
    step = (WIDTH - GUTTER) / channels
    base = alt.Chart(_data(values), width=WIDTH - GUTTER, height=alt.Step(36)).encode(
        x=alt.X("channel:N", axis=alt.Axis(orient="top", labelAngle=0, labelLimit=step)),
        y=alt.Y("name:N", axis=beside),
    )
    cells = base.mark_rect(color=LIGHT["accent"], stroke=LIGHT["paper"], strokeWidth=3).encode(
        fillOpacity=alt.FillOpacity("rows:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.06, 0.55]))
    )
    words = base.mark_text(fontWeight=600).encode(text="told:N")
    told = "; ".join(f"{value['name']} by {value['channel']}: {value['told']}" for value in values)
    return _svg(alt.layer(cells, words), "consent", "Customers who consented, by purpose and channel", told)
