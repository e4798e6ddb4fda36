"""One run of the loop in figures: from records to people, segments and deliveries. No personal data."""
