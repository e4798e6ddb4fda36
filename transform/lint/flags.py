"""Stands for dbt's ``flags`` while sqlfluff reads the models."""

FULL_REFRESH = False
