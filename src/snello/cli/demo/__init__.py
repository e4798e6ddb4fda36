"""The demo: a company to try the hub on, from its own databases and files to the channels and back."""
