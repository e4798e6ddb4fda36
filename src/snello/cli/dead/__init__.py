"""Dead letters: what a channel would not take, why, and what a person decides of it."""
