"""Snello, an integration hub: who is who, with whose consent, and what was delivered."""
