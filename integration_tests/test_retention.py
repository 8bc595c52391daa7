"""Old days are deleted, and what is left agrees."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration_tests.project import MARTS, Project, built_examples, example_logs

# The examples begin on 29 May 2024: whole months are kept, so May is old.
KEPT = (datetime.now(UTC) - datetime(2024, 6, 15, tzinfo=UTC)).days
KEEP = ("--vars", f"{{keep_days: {KEPT}}}")
PULLS = "from pullstats.fct_image_pulls where pull_date >= '2024-06-01' order by all"


def dates(project: Project) -> dict[str, object]:
    """The first day or month of each table that has one."""
    columns = project.query(
        "select table_schema, table_name, column_name from information_schema.columns"
        " join duckdb_tables() using (table_name)"
        " where table_schema in ('pullstats', 'pullstats_intermediate')"
        " and regexp_matches(column_name, '^(event|session|pull|use|request|traffic|activity)_')"
        " and data_type = 'DATE'"
    )
    return {
        f"{table}.{column}": project.query(f"select min({column}) from {schema}.{table}")[0][0]
        for schema, table, column in columns
    }


def test_old_days_are_deleted_and_the_rest_agrees(tmp_path: Path) -> None:
    project = built_examples(tmp_path)
    before = project.query(f"select * {PULLS}")
    old = {each for each, first in dates(project).items() if first and str(first) < "2024-06"}
    assert len(old) > 10

    project.dbt("run-operation", "delete_old_days", *KEEP)
    # the tests compare the marts with each other, with the requests and with raw
    project.dbt("build", "--exclude-resource-type", "unit_test", *KEEP)

    left = {each for each, first in dates(project).items() if first and str(first) < "2024-06"}
    assert left
    assert all("_votes_" in each for each in left)
    assert project.query(f"select * {PULLS}") == before
    assert project.query("select min(last_seen_at) >= '2024-06-01' from pullstats.dim_clients") == [
        (True,)
    ]
    pulls = "select (select sum(pulls) from pullstats.dim_images), (select count(*) filter (where"
    (total, counted), *_ = project.query(f"{pulls} is_complete) from pullstats.fct_image_pulls)")
    assert total == counted > 0

    marts = {mart: project.query(f"select count(*) from pullstats.{mart}") for mart in MARTS}
    project.dbt("run-operation", "delete_old_days", *KEEP)
    project.dbt("run", *KEEP)
    again = {mart: project.query(f"select count(*) from pullstats.{mart}") for mart in MARTS}
    assert again == marts


def test_nothing_is_deleted_without_the_variable(tmp_path: Path) -> None:
    project = built_examples(tmp_path)
    before = dates(project)
    with pytest.raises(AssertionError):
        project.dbt("run-operation", "delete_old_days")
    assert dates(project) == before


def test_one_persons_data_is_deleted_and_nobody_elses(tmp_path: Path) -> None:
    project = built_examples(tmp_path)
    address = "select c_ip from storageanalysis.usage group by c_ip order by count(*) desc limit 1"
    ((person,),) = project.query(address)
    of = "select distinct requests.client_id from pullstats_intermediate.int_gcs_request_records"
    everyone = {row[0] for row in project.query(of + " as requests")}
    pulls = "select * from pullstats.fct_image_pulls order by all"
    before = project.query(pulls)

    project.dbt("run-operation", "forget_person", "--args", f"{{address: {person}}}")
    project.dbt("build", "--full-refresh", "--exclude-resource-type", "unit_test")

    left = {row[0] for row in project.query(of + " as requests")}
    gone = everyone - left
    assert gone
    assert project.query(f"select count(*) from storageanalysis.usage where c_ip = '{person}'") == [
        (0,)
    ]
    tables = project.query(
        "select table_schema, table_name from information_schema.columns"
        " where column_name = 'client_id' and table_schema like 'pullstats%'"
    )
    assert len(tables) > 10
    for schema, table in tables:
        found = {
            row[0] for row in project.query(f"select distinct client_id from {schema}.{table}")
        }
        assert not found & gone
    kept = [row for row in before if not gone & set(row)]
    assert len(kept) < len(before)
    assert {row[0] for row in project.query(pulls)} == {row[0] for row in kept}
    project.load(example_logs())
    assert project.query(f"select count(*) from storageanalysis.usage where c_ip = '{person}'") == [
        (0,)
    ]
