"""The command `pullstats status`: what has landed, and whether that is new."""

import sys
from contextlib import closing
from pathlib import Path

import click

from pullstats.output import FORMATS, say, write
from pullstats.warehouses import Warehouse, on_either, open_warehouse

EXIT_NOTHING_NEW = 5
# Runs of dbt that have finished, as models/intermediate/build_days records them.
RUNS = "pullstats_intermediate.int_build_days"
# BigQuery does not know the rows of an object, only of a job.
_DAYS = """
    select
        kind as log, cast(cast(log_hour as date) as string) as day,
        count(distinct object_uri) as objects,
        cast(case when count(row_count) = count(*) then sum(row_count) end as int64) as row_count,
        cast(sum(rejected_count) as int64) as rejected_lines,
        count(distinct case
            when row_count is null or row_count + rejected_count > 0 then log_hour
        end) as hours,
        max(log_hour) as newest_hour
    from {}
    group by 1, 2
    order by 1, 2
"""
COLUMNS = ("log", "day", "objects", "rows", "rejected_lines", "hours", "newest_hour")


@click.command()
@click.option("--format", "layout", type=click.Choice(FORMATS), default="table")
@click.option("--new", "is_news", is_flag=True, help="Only show if there is something to build.")
@on_either
def command(layout: str, is_news: bool, to: str, database: Path) -> int:
    """Show what has landed, by day.

    The column `hours` has the number of hours with a record. With --new, the command shows only
    whether raw has changed since the last finished build.

    Exit codes: 0 success, 1 nothing has landed, 5 (with --new) nothing is new.
    """
    if to == "duckdb" and not database.exists():
        say(f"pullstats: no database at {database}: nothing has landed yet", err=True)
        return 1
    with closing(open_warehouse(to, database, read_only=True)) as warehouse:
        if is_news:
            return _show_news(warehouse)
        days = warehouse.query(_DAYS.format(warehouse.landed))
    if not days:
        say("pullstats: nothing has landed yet", err=True)
        return 1
    write(COLUMNS, iter(days), layout, sys.stdout)
    return 0


def _show_news(warehouse: Warehouse) -> int:
    changed = warehouse.changed_at()
    last = None
    if warehouse.has_table(RUNS):
        ((last,),) = warehouse.query(
            f"select max(started_at) from {RUNS} where finished_at is not null"
        )
    if changed and (last is None or changed >= last.replace(tzinfo=changed.tzinfo)):
        say(f"new: raw has changed since the last finished build, of {last or 'never'}")
        return 0
    say(f"nothing new since the build of {last}" if last else "nothing has landed yet")
    return EXIT_NOTHING_NEW
