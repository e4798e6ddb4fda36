"""The commands: a module a command; a body is at most a dozen lines over the library, which it imports when it runs."""
