"""Lands registry logs, unchanged, where dbt reads them."""
