"""What has landed, by kind of log and day, and what of it is lost or altered."""

from datetime import timedelta
from itertools import islice

from rich.table import Table

from pullstats.output import err, out, say
from pullstats.warehouse import Warehouse


def run(warehouse: Warehouse) -> int:
    """Print the state of raw; returns 1 if it is not as it was when it landed."""
    table = Table("log", "day", "objects", "rows", "rejected lines")
    for column in table.columns[2:]:
        column.justify = "right"
    # in SQL that both engines speak; BigQuery does not know the rows of an object, only of a job
    days = warehouse.query(
        "select kind, cast(log_hour as date), count(distinct object_uri),"
        " cast(case when count(row_count) = count(*) then sum(row_count) end as int64),"
        f" cast(sum(rejected_count) as int64) from {warehouse.landed} group by 1, 2 order by 1, 2"
    )
    for kind, day, *counts in days:
        table.add_row(kind, f"{day}", *("" if x is None else f"{x:,}" for x in counts))
    out.print(table)
    # a log without a line tells nothing: fct_log_hours leaves it out as well
    found = warehouse.query(
        f"select distinct kind, log_hour from {warehouse.landed}"
        " where row_count is null or row_count + rejected_count > 0"
    )
    for kind, title in (("audit", "newest hour of audit logs"), ("usage", "newest hour")):
        hours = {hour.replace(minute=0, second=0) for of, hour in found if of == kind}
        if not hours:
            continue
        say(f"{title}: {max(hours):%Y-%m-%d %H:%M} UTC")
        if kind == "usage":
            count = int((max(hours) - min(hours)) / timedelta(hours=1)) + 1 - len(hours)
            say(f"hours without a log record: {count:,}")
            before = (max(hours) - timedelta(hours=number) for number in range(1, 10**9))
            missing = islice((hour for hour in before if hour not in hours), min(count, 10))
            for hour in reversed(list(missing)):
                say(f"  {hour:%Y-%m-%d %H:%M} UTC")
    faults = warehouse.faults()
    for fault in faults:
        say(f"pullstats: {fault}", err)
    return int(bool(faults))
