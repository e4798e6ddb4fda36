"""The report, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from snello.cli.report.page import render, write
from snello.cli.summary.figures import Summary

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
CHARTS = [
    "chart-people-by-source",
    "chart-truth",
    "chart-joins",
    "chart-segments",
    "chart-consent",
    "chart-sync-brevo__long_absent",
    "chart-sync-webhook__loyal",
    "chart-seconds",
]
HEADINGS = [
    "What was read",
    "Who is who",
    "Whom to speak to, and whether one may",
    "What reached the channels",
    "How long it took",
]
TITLE = "Aurora: who is who, and what was delivered"


@pytest.fixture(scope="module")
def report(summary: Summary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(summary, TITLE, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    opened = context.new_page()
    opened.told = []  # type: ignore[attr-defined]
    opened.on("console", lambda message: opened.told.append(message.text))  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.told.append(str(error)))  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.told.append(request.url))  # type: ignore[attr-defined]
    opened.goto(report.as_uri())
    yield opened
    context.close()


def test_the_page_asks_the_network_for_nothing_and_has_no_error(page: Any, report: Path) -> None:
    page.wait_for_load_state("networkidle")
    assert [told for told in page.told if told != report.as_uri() and not told.startswith("data:")] == []


def test_every_chart_is_seen_and_can_be_heard(page: Page) -> None:
    assert page.locator("svg.chart").evaluate_all("all => all.map(svg => svg.id)") == CHARTS
    for name in CHARTS:
        chart = page.locator(f"[id='{name}']")
        box = chart.bounding_box()
        assert chart.is_visible()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 60
        assert chart.get_attribute("role") == "img"
        assert page.locator(f"[id='{name}-title']").text_content()
        assert re.search(r"\d", page.locator(f"[id='{name}-desc']").text_content() or "")


def test_no_two_things_on_the_page_share_an_id(page: Page) -> None:
    ids = page.locator("[id]").evaluate_all("all => all.map(node => node.id)")
    assert len(ids) == len(set(ids))


def test_the_headings_tell_the_story_in_order(page: Page) -> None:
    assert page.locator("h1").all_inner_texts() == [TITLE]
    assert page.locator("h2").all_inner_texts() == HEADINGS


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    wide, there = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= there


def test_no_word_of_a_chart_leaves_its_box_or_covers_another(page: Page) -> None:
    boxes = page.locator("svg.chart").evaluate_all(
        """all => all.flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            const words = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim());
            const seen = words.map(text => [text.textContent, text.getBoundingClientRect()]);
            const out = seen.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1);
            const over = seen.filter(([, a], i) => seen.some(([, b], j) => i < j && a.left < b.right && b.left < a.right
                && a.top + 2 < b.bottom && b.top + 2 < a.bottom));
            return [...out, ...over].map(([text]) => svg.id + ': ' + text);
        })"""
    )
    assert boxes == []


def test_the_figures_are_those_of_the_run(page: Page, summary: Summary) -> None:
    people = summary.people
    headline = page.locator(".headline .value").all_inner_texts()
    delivered = sum(sync.delivered for sync in summary.deliveries)
    rows = sum(source.rows for source in summary.sources)
    expected = (rows, people.customers, people.joined, people.households, delivered)
    assert headline == [f"{value:,}" for value in expected]
    for source in summary.sources:
        row = page.locator("#sources tbody tr", has_text=source.source.replace("_", " ")).first
        assert f"{source.rows:,}" in row.inner_text()
    chart = page.locator("#chart-people-by-source").text_content() or ""
    assert f"{people.customers:,} people in {people.records:,} records" in chart
    brevo = page.locator("[id='chart-sync-brevo__long_absent']").text_content() or ""
    assert all(text in brevo for text in ("delivered", "803", "suppressed, no consent", "729", "12"))


def test_every_chart_has_its_figures_as_a_table(page: Page, summary: Summary) -> None:
    for details in page.locator("details").all():
        details.locator("summary").click()
    segments = page.locator("figure", has=page.locator("#chart-segments")).locator("tbody td").all_inner_texts()
    assert segments == [text for count in summary.segments for text in (count.name, f"{count.rows:,}")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_in_dark(browser: Browser, report: Path, scheme: Any) -> None:
    opened = browser.new_page(color_scheme=scheme)
    opened.goto(report.as_uri())
    texts = opened.locator("svg.chart text, p, td, h2").evaluate_all(
        """all => all.map(node => getComputedStyle(node))
            .map(style => style.fill !== 'rgb(0, 0, 0)' ? style.fill : style.color)"""
    )
    paper = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    worst = min(contrast(colour, paper) for colour in set(texts))
    opened.close()
    assert worst >= 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as the web's accessibility guidelines reckon it."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_page_is_one_file_that_names_no_other(report: Path) -> None:
    text = report.read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert "<script" not in text
    assert "@import" not in text
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_a_name_is_text_and_never_markup(summary: Summary) -> None:
    odd = replace(summary.segments[0], name="<b>a & b</b>")
    text = render(replace(summary, segments=(odd,)), "<i>title</i>")
    assert "<b>a" not in text
    assert "<i>title" not in text


def test_a_run_without_syncs_segments_or_truth_has_a_report(summary: Summary) -> None:
    bare = replace(summary, truth=None, joins=(), segments=(), consents=(), deliveries=(), phases=(), refusals=())
    text = render(bare, "Bare")
    assert "No sync has run." in text
    assert "How long it took" not in text
