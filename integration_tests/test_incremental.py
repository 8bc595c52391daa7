"""Builds on top of builds: in parts, again, restated, refreshed, two at once."""

import csv
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.bigquery import audit_inputs
from integration_tests.kill_loop import start
from integration_tests.project import Project, example_logs
from integration_tests.test_hostile_input import audit_object
from integration_tests.test_inventory_models import land_inventory
from integration_tests.test_whole_days import statements
from integration_tests.traffic import Registry, write
from pullstats.csv_log import USAGE_COLUMNS

WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")


def test_building_again_changes_nothing_and_forgets_runs_of_long_ago(
    built: Project, examples: Project
) -> None:
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(
            "insert into pullstats_intermediate.int_build_days"
            " (run_id, log_source, loaded_through, started_at, finished_at) values"
            " ('old', 'gcs_usage', timestamp '2020-01-01', timestamp '2020-01-01',"
            " timestamp '2020-01-01')"
        )
    sent: list[str] = []
    with statements(before=sent.append):
        built.run()
    assert sent
    assert not [sql for sql in sent if re.search(r"in \(date '", sql)]
    assert built.marts() == examples.marts()
    runs = {
        run for (run,) in built.query("select run_id from pullstats_intermediate.int_build_days")
    }
    assert runs
    assert "old" not in runs


def test_restating_days_by_variables_changes_nothing_that_was_right(
    landed: Project, examples: Project
) -> None:
    days = '{"restate_from": "2024-05-29", "restate_to": "2024-05-31"}'
    landed.dbt("build", *WITHOUT_TESTS, "--vars", days)
    landed.run()
    assert landed.marts() == examples.marts()


def test_a_changed_rule_reaches_restated_days_only(built: Project) -> None:
    requests = (
        "select event_date::varchar, count(*) from pullstats_intermediate.int_gcs_requests"
        " where client_tool = '{}' group by 1 order by 1"
    )
    before = built.query(requests.format("docker"))
    table = f"{built.database.stem}.pullstats_seeds.user_agents"
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(f"update {table} set tool = 'moby' where tool = 'docker'")
    built.dbt("run", "--vars", '{"restate_from": "2024-05-30"}')
    renamed = built.query(requests.format("moby"))
    assert renamed == [row for row in before if row[0] == "2024-05-30"]
    built.dbt("test", "--select", "test_type:data", "--exclude", "client_tools", "user_agents")


def test_a_rule_that_changes_during_a_session_ends_it(project: Project, tmp_path: Path) -> None:
    project.dbt("seed")
    registry = Registry("acme-node")
    parts = [("config", 5_000), ("layer", 9_000_000)], [("other layer", 8_000_000)]
    for part, blobs in enumerate(parts):
        registry.rows.clear()
        registry.fetch(60 * part, "192.0.2.7", "containerd/2.1.9", *blobs)
        log = write(tmp_path, [registry])
        project.load([log.rename(tmp_path / log.name.replace("aaaa", f"aaa{part}"))])
        project.dbt("run")
        with duckdb.connect(str(project.database)) as connection:
            connection.execute(
                f"update {project.database.stem}.pullstats_seeds.user_agents"
                " set tool = 'x' where tool = 'containerd'"
            )
    project.dbt("test", "--select", "assert_a_session_has_one_client")
    pulls = project.query("select client_tool, blobs from pullstats.fct_image_pulls")
    assert pulls == [("containerd", 2)]


def read(folder: Path, day: int, image: str, client: str, start: int = 9 * 3600) -> Path:
    """Write a log with one pull, of a config and, a second later, of a layer that all images share.

    Only docker names the image.
    """
    path = folder / f"read_usage_2024_06_{day:02d}_09_00_00_{len(client)}{len(image)}ab_v0"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(USAGE_COLUMNS), restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for place, digest in enumerate((f"{image[0]}c", "b0")):
            uri = f"gcr.io/v2/acme/{image}/blobs/sha256:{digest:0>64}"
            size = 1000 if place == 0 else 1_000_000
            midnight = int(datetime(2024, 6, day, tzinfo=UTC).timestamp())
            micros = (midnight + start + place) * 1_000_000
            writer.writerow(
                {
                    "time_micros": micros,
                    "c_ip": f"192.0.2.{len(client)}",
                    "cs_method": "GET",
                    "sc_status": 200,
                    "sc_bytes": size,
                    "cs_referer": f"https://{uri}" if client == "docker" else "",
                    "cs_user_agent": f"{client}/1.0",
                    "cs_operation": "GET_Object",
                    "cs_bucket": "artifacts.acme.appspot.com",
                    "cs_object": f"containers/images/sha256:{digest:0>64}",
                }
            )
    return path


def days_of_changed_blobs(project: Project, *options: str) -> list[str]:
    """Build, and give the days that were restated since blobs have changed."""
    project.dbt("run", *options)
    return [
        f"{day}"
        for (day,) in project.query(
            "select changed_date from pullstats_intermediate.int_changed_days order by 1"
        )
    ]


def test_a_second_image_restates_the_reads_that_name_none(project: Project, tmp_path: Path) -> None:
    project.dbt("seed")
    project.load([read(tmp_path, day, "app", "docker") for day in (1, 3, 5)])
    project.load([read(tmp_path, day, "app", "curl") for day in (2, 4)])
    # a session over midnight, which is one of the day of its start: the layer is read on the 7th
    project.load([read(tmp_path, 6, "app", "curl", start=24 * 3600 - 1)])
    days_of_changed_blobs(project)
    project.load([read(tmp_path, 9, "base", "docker")])
    # the new image's config was read on the 9th for the first time; the layer has two images now
    changed = [f"2024-06-0{day}" for day in (2, 4, 6, 9)]
    assert days_of_changed_blobs(project) == changed
    assert days_of_changed_blobs(project) == []


def test_days_beyond_the_limit_are_named(project: Project, tmp_path: Path) -> None:
    project.dbt("seed")
    project.load([read(tmp_path, day, "app", "curl") for day in (2, 4, 6)])
    project.load([read(tmp_path, 1, "app", "docker")])
    days_of_changed_blobs(project)
    project.load([read(tmp_path, 9, "base", "docker")])
    limit = ("--vars", "{max_restated_days: 2}")
    sent: list[str] = []
    with statements(before=sent.append):
        changed = days_of_changed_blobs(project, *limit)
    assert changed == [f"2024-06-0{day}" for day in (2, 4, 6, 9)]
    (replaced,) = {
        days
        for sql in sent
        for days in re.findall(r"delete from \S+.int_blob_fetches\S+ where session_date (.*)", sql)
    }
    assert "2024-06-06" in replaced
    assert "2024-06-04" not in replaced
    left_out = ("--warn-error", "test", "--select", "assert_changed_days_are_restated")
    with pytest.raises(AssertionError, match="Got 1 result"):
        project.dbt(*left_out, *limit)
    project.dbt("run", "--vars", "{restate_from: 2024-06-02, restate_to: 2024-06-04}")
    project.dbt(*left_out, *limit)


def test_an_inventory_names_the_builds_of_pulls_without_blobs(
    project: Project, tmp_path: Path
) -> None:
    """Nothing but the inventory shows the config: the log's sink leaves out blobs."""
    pulls = "select manifest_digest, image_id from pullstats.fct_image_pulls"
    without_blobs = ("--vars", "{audit_log_has_blobs: false}")
    entries = audit_inputs.sequence("Hv1=1 G1", 0)
    project.dbt("seed")
    project.load([audit_object(tmp_path / "logs", "2024/07/02/12:00:00_12:59:59_S0.json", entries)])
    project.dbt("run", *without_blobs)
    assert project.query(pulls) == [(audit_inputs.DIGESTS[1], None)]
    land_inventory(project)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(
            "insert into storageanalysis.manifests select * replace"
            f" ('{audit_inputs.DIGESTS[1]}' as manifest_digest,"
            f" '{audit_inputs.DIGESTS[11]}' as config_digest)"
            " from storageanalysis.manifests where config_digest is not null limit 1"
        )
    project.dbt("run", *without_blobs)
    assert project.query(pulls) == [(audit_inputs.DIGESTS[1], audit_inputs.DIGESTS[11])]


def test_a_view_reads_the_days_that_are_asked_for(examples: Project) -> None:
    """Not the whole history: a window or a group without the day would."""
    manifest = json.loads((examples.folder / "target/manifest.json").read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    days = {node["name"]: node["config"]["unique_key"] for node in models}
    views = [node for node in models if "day" in node["config"]["meta"]]
    assert len(views) > 3
    for view in views:
        day = view["config"]["meta"]["day"]
        ((_, plan),) = examples.query(
            f"explain (format json) select * from {view['schema']}.{view['name']}"
            f" where {day} = date '2024-06-01'"
        )
        steps, scans = json.loads(str(plan)), []
        while steps:
            step = steps.pop()
            steps += step["children"]
            scans.append(step["extra_info"])
        for scan in scans:
            table = scan.get("Table", "").split(".")[-1]
            if str(days.get(table)).endswith("_date"):
                assert days[table] in str(scan.get("Filters")), (view["name"], table)


def test_a_model_restates_what_the_models_that_it_reads_restate(examples: Project) -> None:
    nodes = json.loads((examples.folder / "target/manifest.json").read_text())["nodes"]
    changes = {"int_blobs": {"blobs": [0, 0]}, "int_manifest_configs": {"manifests": [0, 0]}}

    def restated(node: dict[str, Any]) -> dict[str, list[int]]:
        # a model with another key is read for all time
        has_days = str(node["config"].get("unique_key")).endswith(("_date", "_month"))
        days = node["config"]["meta"].get("restates", {}) if has_days else {}
        return days | changes.get(node["name"], {})

    def tables_read(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for name in node["depends_on"]["nodes"]:
            if name.startswith("model.") and nodes[name]["config"]["materialized"] == "view":
                yield from tables_read(nodes[name])
            elif name.startswith("model."):
                yield nodes[name]

    models = [node for node in nodes.values() if restated(node)]
    assert len(models) > 20
    for model in models:
        own = model["config"]["meta"].get("restates")
        for read in tables_read(model) if own else ():
            for reason, (first, last) in restated(read).items():
                assert reason in own, (model["name"], read["name"], reason)
                assert own[reason][0] <= first <= last <= own[reason][1], (model["name"], reason)


def test_a_first_build_on_nothing_does_not_hinder_the_next(
    project: Project, examples: Project
) -> None:
    project.load([])
    project.run()
    project.load(example_logs())
    project.run()
    assert project.marts() == examples.marts()


def test_a_full_refresh_spares_the_requests_unless_they_are_meant(
    project: Project, examples: Project
) -> None:
    logs = example_logs()
    project.load([log for log in logs if "_2024_05_" in log.name])
    project.load([log for log in logs if "_2024_05_" not in log.name])
    project.run()
    # as when raw has expired
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(
            "delete from storageanalysis.usage where _partitiontime"
            " = (select min(_partitiontime) from storageanalysis.usage)"
        )
    project.dbt("run", "--full-refresh")
    # these depend on the ledger, too
    assert project.marts() | {"fct_log_hours": []} == examples.marts() | {"fct_log_hours": []}
    rebuild = ("--full-refresh", "--vars", "{rebuild_requests: true}")
    project.dbt("run", "--select", "+fct_image_pulls", *rebuild)
    ((first_day,),) = project.query("select min(pull_date) from pullstats.fct_image_pulls")
    assert f"{first_day}" == "2024-06-01"


def test_a_second_build_at_once_is_refused_and_harms_nothing(
    built: Project, examples: Project
) -> None:
    ready, is_open = os.pipe()

    def build() -> None:
        with duckdb.connect(str(built.database)):
            os.write(is_open, b".")
            time.sleep(600)

    first = start(build)
    try:
        os.read(ready, 1)
        with pytest.raises(AssertionError, match="Could not set lock on file"):
            built.dbt("run")
    finally:
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
    assert built.marts() == examples.marts()


def test_rows_that_land_between_a_model_and_its_test_fail_nothing(built: Project) -> None:
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(
            "insert into storageanalysis.usage select * replace (_partitiontime + interval 1 hour"
            " as _partitiontime) from storageanalysis.usage order by _partitiontime desc limit 1"
        )
    built.dbt("test", "--select", "assert_raw_rows_are_requests_and_redeliveries")
