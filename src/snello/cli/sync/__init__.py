"""One sync by its name: which connectors carry it, what it would send, and sending it."""
