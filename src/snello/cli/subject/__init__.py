"""One person in all that the hub holds: shown to them, or forgotten."""
