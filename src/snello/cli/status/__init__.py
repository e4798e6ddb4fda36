"""What ran last, what came in and went out, and how fresh it is."""
