"""Old days are deleted by statements of GoogleSQL."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from integration_tests.bigquery.contents import MODELS
from integration_tests.bigquery.googlesql import table
from integration_tests.bigquery.projects import BigQueryProject
from integration_tests.bigquery.rest import serve
from integration_tests.emulators import PROJECT

TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=100)


def test_months_older_than_keep_days_are_deleted(tmp_path: Path) -> None:
    with serve() as (address, api):
        project = BigQueryProject(tmp_path, address)
        project.dbt("parse")
        days: dict[str, str] = {}
        for node in BigQueryProject.manifest.nodes.values():
            key = node.config.get("unique_key") or ""
            if node.resource_type == "model" and node.config.materialized == "incremental":
                column, kind, values = key, "DATE", [OLD, TODAY]
                if key.endswith("_id"):
                    column, kind, values = "last_seen_at", "TIMESTAMP", [at(OLD), at(TODAY)]
                elif not key.endswith(("_date", "_month")):
                    continue
                path = f"{PROJECT}.{MODELS[node.name]}.{node.name}"
                api.warehouse.put(path, table({column: kind}, [(value,) for value in values]))
                days[path] = node.name
        project.dbt("run-operation", "delete_old_days", "--vars", "{keep_days: 40}")
        kept = {name: api.warehouse.table(path).values() for path, name in days.items()}
    whole = {name for name, rows in kept.items() if len(rows) == 2}
    assert whole == {name for name in kept if "_votes_" in name}
    assert len(kept) > 20
    assert all(rows[-1][0] in (TODAY, at(TODAY)) for rows in kept.values())


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
