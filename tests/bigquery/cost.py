"""What builds read on BigQuery, for docs/bigquery.md: `python -m tests.bigquery.cost`.

Builds the examples twice in GoogleSQL's reference engine, first without an hour, then that hour:
once the newest hour, as a scheduled build does, and once an hour that is two days late. Each
statement that dbt sent is resolved: its tables, the columns that it needs of them, the days and
arrivals that it names as constants. The bytes are BigQuery's logical sizes of those columns in
those partitions. A DELETE or a MERGE that deletes reads whole partitions, a MERGE that only inserts
nothing of its target.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bigquery import inputs
from tests.bigquery.conftest import RAW, BigQueryProject, recorded
from tests.bigquery.googlesql import Table, decode, table
from tests.bigquery.rest import Api, Sent, serve
from tests.bigquery.scans import columns_of, scans_of
from tests.bigquery.test_cost import PARTITIONED_BY
from tests.conftest import example_logs
from tests.emulators import PROJECT

DAYS = 6  # of the examples
# The hour that arrives, and the one before it, which is read again: it may have grown.
NEWEST = ("usage_2024_06_03_19", "usage_2024_06_03_21")
LATE = ("usage_2024_06_01_11", "usage_2024_06_01_12")
VIEWS = {"usage": "stg_gcs__usage_logs", "int_gcs_request_records": "int_gcs_requests"}
CONSTANT = {
    *("build_log", "build_locks", "client_salt", "dim_dates"),
    *("user_agents", "client_tools", "principals", "gcs_operations", "grpc_statuses"),
    *("artifact_registry_methods", "egress_prices"),
}
MINIMUM = 10 * 2**20  # billed at least, for each table that a query reads


def logical_bytes(value: object) -> int:
    """Size a value as BigQuery bills it."""
    if value is None:
        return 0
    if isinstance(value, str):
        return 2 + len(value.encode())
    return 1 if isinstance(value, bool) else 8


def size(found: Table, columns: set[str], day: str | None, days: set[str] | None) -> int:
    """Size these columns, of the partitions of these days only."""
    total = 0
    kinds = list(found.types.items())
    for row in found.rows:
        cells = {
            name: decode(cell, kind) for (name, kind), cell in zip(kinds, row.cell, strict=True)
        }
        if days is None or str(cells[day]) in days:
            total += sum(logical_bytes(cells[name]) for name in columns)
    return total


def reads(api: Api, sent: Sent, arrivals: set[str]) -> Iterator[tuple[str, int]]:
    """Give the tables that a statement reads, and how much of each."""
    warehouse = api.warehouse
    tables = {
        path.split(".")[-1]: found
        for path, found in warehouse.relations.items()
        if isinstance(found, Table)
    }
    mentions = scans_of(warehouse, sent.sql)
    needed: dict[str, set[str]] = {}
    for query in warehouse.queries_of(sent.sql):
        needed |= columns_of(warehouse, query)
    for scan in mentions:
        if scan.table in tables and scan.condition.upper() != "FALSE":
            needed.setdefault(scan.table, set(tables[scan.table].types))
    for name in needed.keys() & tables.keys():
        scans = [scan for scan in mentions if scan.table in (name, VIEWS.get(name))]
        column = PARTITIONED_BY.get(VIEWS.get(name, name), "")
        is_pruned = bool(column) and all(scan.is_pruned_by(column) for scan in scans)
        days = set().union(*(scan.days() for scan in scans)) if is_pruned else None
        if name == "usage":
            column, days = "_partitiontime", arrivals if is_pruned else None
        yield name, size(tables[name], needed[name], column, days)


def report(api: Api, title: str, statements: list[Sent], arrivals: set[str], unit: float) -> None:
    by_table: Counter[str] = Counter()
    constant: Counter[str] = Counter()
    count = 0
    for sent in statements:
        if "where false and current_timestamp()" in " ".join(sent.sql.split()):
            continue  # dbt asks for a query's columns: nothing is read
        for name, amount in reads(api, sent, arrivals):
            (constant if name in CONSTANT else by_table)[name] += amount
            count += 1
    print(f"\n{title}: {sum(by_table.values()) / unit:.0f} bytes")
    for name, amount in by_table.most_common():
        print(f"  {name:26} {amount / unit:>8.1f}")
    print(f"seeds, build log and the like, whatever the traffic: {sum(constant.values())} bytes")
    print(
        f"tables read by queries: {count}, so at least {count * MINIMUM / 2**20:.0f} MiB are billed"
    )


def arrival_of(hours: tuple[str, str], is_first: bool) -> None:
    """Build without an hour, then with it; print what that read, and what the first build did."""
    logs = example_logs()
    arrivals = {
        datetime(2024, 6, 4, tzinfo=UTC): [p for p in logs if not any(h in p.name for h in hours)],
        datetime(2024, 6, 4, 1, tzinfo=UTC): [p for p in logs if hours[0] in p.name],
        datetime(2024, 6, 4, 2, tzinfo=UTC): [p for p in logs if hours[1] in p.name],
    }
    _, early, late = arrivals
    lines = [recorded(arrival, paths) for arrival, paths in arrivals.items()]
    first = lines[0] + lines[1]
    everything = first + lines[2]
    with serve() as (address, api):
        project = BigQueryProject(Path(tempfile.mkdtemp()), address)
        api.warehouse.datasets.add(RAW)
        storage = table(inputs.STORAGE_COLUMNS, inputs.storage(early, late)[0], "_partitiontime")
        api.warehouse.put(f"{PROJECT}.{RAW}.storage", storage)
        starts = [0]
        for usage in (first, everything):
            made = table(inputs.COLUMNS, usage, "_partitiontime")
            api.warehouse.put(f"{PROJECT}.{RAW}.usage", made)
            project.dbt("build", "--exclude-resource-type", "test", "unit_test")
            starts.append(len(api.sent))
        builds = api.sent[: starts[1]], api.sent[starts[1] :]
        if is_first:
            print("kept, bytes for each request:")
            for path, found in api.warehouse.relations.items():
                if isinstance(found, Table) and found.rows:
                    kept = size(found, set(found.types) - found.pseudo, "", None)
                    print(f"  {path.split('.')[-1]:26} {kept / len(everything):>8.1f}")
            report(api, "first build, for each request", builds[0], set(), len(first))
        title = "the newest hour" if is_first else "a late hour"
        report(
            api,
            f"{title}, for each request of a day",
            builds[1],
            {str(early), str(late)},
            len(everything) / DAYS,
        )


def main() -> None:
    arrival_of(NEWEST, is_first=True)
    arrival_of(LATE, is_first=False)


if __name__ == "__main__":
    main()
