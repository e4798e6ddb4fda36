"""The colours of the report: charts are drawn in the light ones, and the page swaps them in the dark by name."""

from __future__ import annotations

LIGHT = {
    "paper": "#fdfdfb",
    "ink": "#1c2226",
    "muted": "#5b666c",
    "rule": "#dadedb",
    "accent": "#0a6b5c",
    "soft": "#b4d6ce",
    "quiet": "#9aa5a9",
}
DARK = {
    "paper": "#13181a",
    "ink": "#e9eceb",
    "muted": "#9eaaae",
    "rule": "#303a3d",
    "accent": "#46bfa6",
    "soft": "#24574d",
    "quiet": "#6c787c",
}
