"""The options for the places of raw and marts, shared by the commands."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import click

from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.schemas import TABLES

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse

Warehouse = Union[DuckDBWarehouse, "BigQueryWarehouse"]
_BIGQUERY = """The engine. BigQuery takes its settings from the variables PULLSTATS_PROJECT,
PULLSTATS_LOCATION (US), PULLSTATS_DATASET (storageanalysis) and PULLSTATS_USAGE_DAYS (400: days to
keep raw, 0 for all)."""


def on_either(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name a warehouse."""
    to = click.option(
        "--to",
        type=click.Choice(["duckdb", "bigquery"]),
        default="duckdb",
        show_default=True,
        help=_BIGQUERY,
    )
    database = click.option(
        "--database",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="PULLSTATS_DUCKDB",
        default="warehouse.duckdb",
        show_default=True,
        show_envvar=True,
        help="The DuckDB file.",
    )
    return to(database(command))


def open_warehouse(
    to: str, database: Path, read_only: bool = False, tables: Sequence[str] = ()
) -> Warehouse:
    """Open raw; with tables of an inventory or of networks, those are made if missing."""
    if to == "duckdb":
        return DuckDBWarehouse(database, read_only, tables or TABLES)
    # takes most of a second to import
    from pullstats.bigquery_warehouse import BigQueryWarehouse

    warehouse = BigQueryWarehouse()
    if tables:
        warehouse.create(tables)
    return warehouse
