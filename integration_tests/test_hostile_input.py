"""Raw that is damaged or made up to do harm: builds stay green, and all else counts as before."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from integration_tests import hostile
from integration_tests.bigquery import audit_inputs
from integration_tests.bigquery.contents import MODELS
from integration_tests.hostile import DIGEST
from integration_tests.project import ROOT, Project, copied, example_logs
from integration_tests.test_inventory_models import land_inventory
from pullstats import csv_log, networks
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.registry_inventory.walk import TABLES

BUCKET = "artifacts.example-hostile.appspot.com"
HOST = "hostile.example.com"
NOBODY = "2001:db8:bad::1"
NOON = 1717243200 * 10**6  # 2024-06-01, a day of the examples
DAY = 86_400 * 10**6


def record(number: int, **values: object) -> list[str]:
    """Give a read of a blob by a client of its own."""
    blob = f"containers/images/{DIGEST}"
    plain = {
        "time_micros": NOON + number,
        "c_ip": NOBODY,
        "cs_method": "GET",
        "sc_status": 200,
        "sc_bytes": 1500,
        "cs_referer": f"https://gcr.io/v2/example-hostile/app/blobs/{DIGEST}",
        "cs_user_agent": "hostile/1.0",
        "s_request_id": f"hostile {number}",
        "cs_operation": "GET_Object",
        "cs_bucket": BUCKET,
        "cs_object": blob,
    }
    found = [(plain | values).get(name) for name in csv_log.USAGE_COLUMNS]
    return ["" if value is None else str(value) for value in found]


def usage(folder: Path, buckets: Sequence[str] = ("cs_bucket",)) -> Path:
    texts = ("c_ip", "cs_referer", "cs_user_agent", "s_request_id", "cs_object", *buckets)
    # together they are more than int64 holds
    large = [{name: 2**50} for name in ("cs_bytes", "sc_bytes") for _ in range(8200)]
    changed = [*large, *hostile.changes(texts)]
    rows = [record(number, **each) for number, each in enumerate(changed)]
    path = folder / "x_usage_2024_06_01_12_00_00_00aaaa_v0"
    path.write_bytes(csv_log.write(rows, list(csv_log.USAGE_COLUMNS)))
    return path


def storage(folder: Path) -> list[Path]:
    paths = []
    for year, hours in hostile.STORAGE_DAYS:
        path = folder / f"x_storage_{year}_06_01_12_00_00_00aaaa_v0"
        path.write_bytes(csv_log.write([[BUCKET, str(hours)]], list(csv_log.STORAGE_COLUMNS)))
        paths.append(path)
    return paths


def audit(folder: Path) -> Path:
    nobody = {
        "requestMetadata": {"callerIp": NOBODY, "callerSuppliedUserAgent": "hostile/1.0"},
        "authenticationInfo": {"principalEmail": "hostile@example.iam.gserviceaccount.com"},
    }
    elsewhere = {
        "resourceName": "projects/example-hostile/locations/us/repositories/apps/dockerImages/app",
        "request": {"requestUrl": "/v2/example-hostile/apps/app/manifests/v1"},
    }
    entries = [
        audit_inputs.entry(number, number, **nobody, **elsewhere) | {"timestamp": text}
        for number, text in enumerate(hostile.TIMESTAMPS)
    ]
    return audit_object(folder, "2024/07/02/13:00:00_13:59:59_S0.json", entries)


def audit_object(folder: Path, name: str, entries: list[audit_inputs.Entry]) -> Path:
    path = folder / "cloudaudit.googleapis.com/data_access" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(each)}\n" for each in entries))
    return path


def land_hostile_rows(project: Project) -> None:
    """Land an inventory and networks, as an earlier release or another program may have."""
    for tables, rows in (
        (TABLES, hostile.inventory(HOST, largest=8200)),
        (networks.TABLES, {"networks": hostile.networks()}),
    ):
        files = {table: project.folder / f"{table}.json" for table in rows}
        for table, file in files.items():
            file.write_text(hostile.lines(rows[table]))
        with closing(DuckDBWarehouse(project.database, tables=tables)) as warehouse:
            warehouse.load_rows({table: files[table] for table in tables if table in files})


def audit_logs(folder: Path) -> list[Path]:
    """Three sessions with a break of a day."""
    return [
        audit_object(
            folder,
            f"2024/07/0{day}/12:00:00_12:59:59_S0.json",
            audit_inputs.sequence("Hv1=1 G1 B11 B12", (day - 2) * 86_400_000_000),
        )
        for day in (2, 3)
    ]


Rows = dict[str, Counter[tuple[object, ...]]]


def rows(project: Project) -> Rows:
    # hours are those of all records together
    return {mart: Counter(found) for mart, found in project.marts().items() if "hour" not in mart}


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What all builds must count: the examples, audit logs and an inventory."""
    project = Project(tmp_path_factory.mktemp("innocent"))
    project.load([*example_logs(), *audit_logs(project.folder / "logs")])
    land_inventory(project)
    project.run()
    return project


def land_all_hostile(project: Project) -> None:
    folder = project.folder / "hostile"
    folder.mkdir()
    project.load([usage(folder), *storage(folder), audit(folder / "bad")])
    land_hostile_rows(project)


@pytest.mark.parametrize("hostile_at", [0, 1], ids=["first", "second"])
def test_hostile_input_stops_no_build_and_changes_no_other_row(
    hostile_at: int, innocent: Project, project: Project
) -> None:
    logs, audit_objects = example_logs(), audit_logs(project.folder / "logs")
    land_inventory(project)
    for build in (0, 1):
        project.load([*logs[build::2], audit_objects[build]])
        if build == hostile_at:
            land_all_hostile(project)
        tests = () if build >= hostile_at else ("test",)
        project.dbt("build", "--exclude-resource-type", "unit_test", *tests)
    found, expected = rows(project), rows(innocent)
    for mart in expected:
        assert not expected[mart] - found[mart], mart
    ((largest,),) = project.query(
        "select max(response_bytes) from pullstats.fct_registry_requests_daily"
    )
    assert largest == 2**63 - 1
    with pytest.raises(AssertionError, match="assert_no_invalid_numbers"):
        project.dbt("--warn-error", "test", "--select", "assert_no_invalid_numbers")


def test_refused_requests_make_nothing_known(project: Project, tmp_path: Path) -> None:
    """Each has an image, a blob and a program, so a client, of its own."""
    count = 1500
    refused = [
        record(
            number,
            sc_status=403 if number % 2 else 404,
            sc_bytes=250,
            cs_referer=f"https://gcr.io/v2/acme/x{number}/blobs/sha256:{number:064x}",
            cs_object=f"containers/images/sha256:{number:064x}",
            cs_user_agent=f"x{number}/1.0",
        )
        for number in range(count)
    ]
    app = {"cs_referer": f"https://gcr.io/v2/acme/app/blobs/{DIGEST}"}
    served = record(count, **app, time_micros=NOON - 2 * DAY)
    attempt = record(count + 1, **app, sc_status=404)
    path = tmp_path / "x_usage_2024_06_01_12_00_00_00aaaa_v0"
    path.write_bytes(csv_log.write([*refused, served, attempt], list(csv_log.USAGE_COLUMNS)))
    project.load([path])
    project.run()
    for model in ("int_images", "int_blobs", "dim_blobs", "dim_clients"):
        assert project.query(f"select count(*) from {MODELS[model]}.{model}") == [(1,)], model
    # the others keep a day's requests, or what they are of
    large = project.query(
        "select table_name from duckdb_tables() where schema_name like 'pullstats%'"
        f" and estimated_size >= {count} and table_name != 'dim_dates' order by all"
    )
    assert [name for (name,) in large] == [
        "int_blob_fetches",
        "int_blob_reads",
        "int_blob_votes_daily",
        "int_burst_votes",
        "int_gcs_request_records",
    ]
    # an attempt on an image that was served once is a sign of use, however many others there are
    assert project.query(
        "select count(*), count(distinct image),"
        " count(distinct use_date) filter (image = 'gcr.io/acme/app')"
        " from pullstats_intermediate.int_image_uses_daily"
    ) == [(1002, 1001, 2)]
    failed = project.query(
        "select count(*), count(distinct image), count(distinct client_tool), sum(failed_requests)"
        " from pullstats.fct_failed_requests_daily"
    )
    # 500 images beyond the limit, and their programs, are counted together: by two statuses
    assert failed == [(1002, 1000, 1001, count + 1)]


def runbook() -> tuple[list[list[str]], list[str]]:
    """What takes out raw rows: commands of dbt, and statements on requests and inventories."""
    text = (ROOT / "docs/runbook.md").read_text()
    section = text.partition("## Take out raw rows that are wrong\n")[2].partition("\n## ")[0]
    examples = {
        "wrong-bucket": BUCKET,
        "wrong-project": "example-hostile",
        "0123456789abcdef0123456789abcdef": "hostile",
    }
    for example, name in examples.items():
        assert example in section
        section = section.replace(example, name)
    commands = re.findall("^dbt (run-operation .+)$", section.replace("\\\n", " "), re.MULTILINE)
    statements = re.findall("```sql\n(.*?)```", section, re.DOTALL)
    return [shlex.split(each) for each in commands], statements


def test_the_runbook_takes_wrong_rows_out(innocent: Project, tmp_path: Path) -> None:
    project = copied(innocent, tmp_path)
    project.load([usage(tmp_path, buckets=()), audit(tmp_path / "bad")])
    land_hostile_rows(project)
    project.run()
    assert rows(project) != rows(innocent)
    commands, statements = runbook()
    for command in commands:
        project.dbt(*command)
    with duckdb.connect(str(project.database)) as connection:
        for each in statements:
            connection.execute(each)
    project.dbt("build", "--full-refresh", "--exclude-resource-type", "unit_test")
    assert rows(project) == rows(innocent)
