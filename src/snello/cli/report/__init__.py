"""The report of one run: a single page that needs no network and holds no personal data."""
