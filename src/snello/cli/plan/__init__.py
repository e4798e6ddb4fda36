"""What would change if dbt's models were built and published now, and publishing exactly that."""
