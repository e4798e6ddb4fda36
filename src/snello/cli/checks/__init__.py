"""Everything that can be known to be wrong before anything runs: each module asks one kind of question."""
