"""Why the hub holds and does what it does about one customer."""
