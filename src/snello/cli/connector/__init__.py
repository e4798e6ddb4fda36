"""What an author of connectors asks for: a new one from a template, its schemas from what it reads, a first look."""
