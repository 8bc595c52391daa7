"""Lands Cloud Storage usage and storage logs, unchanged, where dbt reads them."""
