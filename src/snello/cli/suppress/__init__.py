"""Whom no channel, or one, is to send to: entered, listed and lifted by hand."""
