"""What has landed, by kind of log and day."""

import json
from datetime import timedelta

from rich.table import Table

from pullstats.loading import Warehouse
from pullstats.output import err, out, say

EXIT_NOTHING_NEW = 5
# Runs of dbt that have finished, as macros/incremental/build_days.sql writes them.
RUNS = "pullstats_intermediate.build_days"
NAMES = ("log", "day", "objects", "rows", "rejected_lines")


def run(warehouse: Warehouse, layout: str) -> int:
    """Print what has landed; returns 1 if nothing has."""
    # in SQL that both engines speak; BigQuery does not know the rows of an object, only of a job
    days = warehouse.query(
        "select kind, cast(cast(log_hour as date) as string), count(distinct object_uri),"
        " cast(case when count(row_count) = count(*) then sum(row_count) end as int64),"
        f" cast(sum(rejected_count) as int64) from {warehouse.landed} group by 1, 2 order by 1, 2"
    )
    if layout == "json":
        say(json.dumps([dict(zip(NAMES, day, strict=True)) for day in days]))
    elif days:
        table = Table(*NAMES)
        for column in table.columns[2:]:
            column.justify = "right"
        for kind, day, *counts in days:
            table.add_row(kind, day, *("" if x is None else f"{x:,}" for x in counts))
        out.print(table)
        _say_hours(warehouse)
    if not days:
        say("pullstats: nothing has landed yet", err)
    return int(not days)


def show_news(warehouse: Warehouse) -> int:
    """Say whether raw has changed since the last finished run of dbt began."""
    changed = warehouse.changed_at()
    last = None
    if warehouse.has_table(RUNS):
        ((last,),) = warehouse.query(
            f"select max(started_at) from {RUNS} where finished_at is not null"
            " and run_id != 'adopted'"
        )
    if changed and (last is None or changed >= last.replace(tzinfo=changed.tzinfo)):
        say(f"new: raw has changed since the last finished build, of {last or 'never'}")
        return 0
    say(f"nothing new since the build of {last}" if last else "nothing has landed yet")
    return EXIT_NOTHING_NEW


def _say_hours(warehouse: Warehouse) -> None:
    # a log without a line tells nothing: fct_log_hours leaves it out as well
    found = warehouse.query(
        f"select distinct kind, log_hour from {warehouse.landed}"
        " where row_count is null or row_count + rejected_count > 0"
    )
    for kind, title in (("audit", "newest hour of audit logs"), ("usage", "newest hour")):
        hours = {hour.replace(minute=0, second=0) for of, hour in found if of == kind}
        if hours:
            say(f"{title}: {max(hours):%Y-%m-%d %H:%M} UTC")
        if hours and kind == "usage":
            count = int((max(hours) - min(hours)) / timedelta(hours=1)) + 1 - len(hours)
            say(f"hours without a log record: {count:,}")
