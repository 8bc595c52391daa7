"""What builds read on BigQuery: `python -m integration_tests.bigquery.cost` writes bigquery.md.

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from integration_tests.bigquery import inputs
from integration_tests.bigquery.conftest import recorded
from integration_tests.bigquery.googlesql import Table, decode, table
from integration_tests.bigquery.projects import RAW, BigQueryProject
from integration_tests.bigquery.rest import Api, Sent, serve
from integration_tests.bigquery.scans import columns_of, scans_of
from integration_tests.bigquery.test_cost import PARTITIONED_BY
from integration_tests.emulators import PROJECT
from integration_tests.project import ROOT, example_logs

DAYS = 6  # of the examples
# The hour that arrives, and the one before it, which is read again: it may have grown.
NEWEST = ("usage_2024_06_03_19", "usage_2024_06_03_21")
LATE = ("usage_2024_06_01_11", "usage_2024_06_01_12")
# The views over a table by day: the days that a statement asks of them are those that it reads.
VIEWS = {
    "usage": ["stg_gcs__usage_logs"],
    "int_gcs_request_records": ["int_gcs_requests", "int_registry_requests"],
    "int_blob_reads": ["int_bursts"],
    "int_blob_fetches": ["int_image_fetches"],
}
DAYS_OF = PARTITIONED_BY | {"int_registry_requests": "event_date"}
CONSTANT = {
    *("int_build_days", "int_changed_days", "client_salt"),
    *("user_agents", "client_tools", "tools_that_never_pull", "principals", "gcs_operations"),
    *("grpc_statuses", "artifact_registry_methods", "egress_prices", "fetch_kinds"),
    "image_owners",
}
MINIMUM = 10 * 2**20  # billed at least, for each table that a query reads
# List prices of the US, in USD.
PER_TEBIBYTE_READ, PER_GIBIBYTE_KEPT = 6.25, 0.02
PAGE = ROOT / "docs/bigquery.md"
BEGIN, END = "<!-- made by python -m integration_tests.bigquery.cost -->\n", "<!-- end -->\n"


@dataclass
class Read:
    """What a build read: bytes for each request, and tables, each time that a query named one."""

    size: float
    tables: int


@dataclass
class Kept:
    """What is kept of a request: bytes."""

    raw: float = 0
    built: float = 0


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
    gone = {scan.table for scan in mentions if "__dbt_tmp" in scan.table} - tables.keys()
    # what fills a temporary table is a statement of its own, and counted there
    for query in () if gone else warehouse.queries_of(sent.sql):
        needed |= columns_of(warehouse, query)
    for scan in mentions:
        if scan.table in tables and scan.condition.upper() != "FALSE":
            needed.setdefault(scan.table, set(tables[scan.table].types))
    for name in needed.keys() & tables.keys():
        scans = [scan for scan in mentions if scan.table in (name, *VIEWS.get(name, []))]
        column = DAYS_OF.get(name, "")
        is_pruned = bool(scans) and all(
            scan.table in DAYS_OF and scan.is_pruned_by(DAYS_OF[scan.table]) for scan in scans
        )
        days = set().union(*(scan.days() for scan in scans)) if is_pruned else None
        if name == "usage":
            # to find new days, a run repeats staging's SQL: the condition is outside, as of a view
            is_pruned = is_pruned or "loaded_at > timestamp" in sent.sql
            column, days = "_partitiontime", arrivals if is_pruned else None
        yield name, size(tables[name], needed[name], column, days)


def report(api: Api, title: str, statements: list[Sent], arrivals: set[str], unit: float) -> Read:
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
    print(f"seeds, list of days and so on, whatever the traffic: {sum(constant.values())} bytes")
    print(
        f"tables read by queries: {count}, so at least {count * MINIMUM / 2**20:.0f} MiB are billed"
    )
    return Read(sum(by_table.values()) / unit, count)


def kept(api: Api, requests: int) -> Kept:
    found = Kept()
    print("kept, bytes for each request:")
    for path, relation in api.warehouse.relations.items():
        if isinstance(relation, Table) and relation.rows:
            name = path.split(".")[-1]
            columns = set(relation.types) - relation.pseudo
            amount = size(relation, columns, "", None) / requests
            print(f"  {name:26} {amount:>8.1f}")
            if name in ("usage", "storage"):
                found.raw += amount
            elif name not in CONSTANT:
                found.built += amount
    return found


def arrival_of(hours: tuple[str, str], title: str) -> tuple[Kept, Read, Read]:
    """Build without an hour, then with it: what is kept, and what each build read."""
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
        first_build, second_build = api.sent[: starts[1]], api.sent[starts[1] :]
        return (
            kept(api, len(everything)),
            report(api, f"before {title}, for each request", first_build, set(), len(first)),
            report(
                api,
                f"{title}, for each request of a day",
                second_build,
                {str(early), str(late)},
                len(everything) / DAYS,
            ),
        )


def priced(keeps: Kept, first: Read, newest: Read, late: Read) -> str:
    """Give the table, for 1 million requests: what one has in bytes, all have in MB."""
    floor = newest.tables * MINIMUM / 10**6
    read = [
        ("first build, for 1M requests", _each(first.size), first.size),
        (
            "one run that brings the newest hour, at 1M requests a day",
            _each(newest.size),
            newest.size,
        ),
        ("… every hour of a day", f"24 of them: {_gigabytes(24 * newest.size)}", 24 * newest.size),
        ("… every six hours", f"4 of them: {_gigabytes(4 * newest.size)}", 4 * newest.size),
        ("one run that brings an hour two days late", _each(late.size), late.size),
        (
            "one run, however few requests",
            f"{newest.tables} tables, 10 MiB each: {_gigabytes(floor)}",
            floor,
        ),
        ("… every hour of a month", f"720 of them: {_gigabytes(720 * floor)}", 720 * floor),
    ]
    built = "… its requests, reads and marts"
    stored = [("a day of 1M requests kept, raw", keeps.raw), (built, keeps.built)]
    lines = [
        *((what, size, f"{mb * 10**6 / 2**40 * PER_TEBIBYTE_READ:.2g}") for what, size, mb in read),
        *(
            (what, _each(mb), f"{mb * 10**6 / 2**30 * PER_GIBIBYTE_KEPT:.2g} a month")
            for what, mb in stored
        ),
    ]
    rows = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return "| | bytes | USD |\n|---|---:|---:|\n" + rows


def _each(size: float) -> str:
    return f"{_gigabytes(size)} ({size:,.0f} B a request)"


def _gigabytes(megabytes: float) -> str:
    return f"{megabytes / 1000:,.{1 if megabytes < 10_000 else 0}f} GB"


def main() -> None:
    keeps, first, newest = arrival_of(NEWEST, "the newest hour")
    _, _, late = arrival_of(LATE, "a late hour")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    made = BEGIN + priced(keeps, first, newest, late) + END
    PAGE.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__":
    main()
