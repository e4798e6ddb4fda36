"""What dbt needs of Snello: the lake's tables and the identifiers in its SQL, and publishing what passed."""
