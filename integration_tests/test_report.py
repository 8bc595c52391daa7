"""The report's making; what the page then shows is in test_report_page.py."""

import pytest

from integration_tests.project import PROFILES, Project
from report import __main__ as report


def test_the_exposure_names_what_the_report_reads(examples: Project) -> None:
    manifest = examples.manifest
    assert manifest
    read = {
        mart
        for node in manifest.nodes.values()
        if node.original_file_path.startswith(("report/", "models/report/"))
        for mart in node.depends_on_nodes
        if not mart.startswith("model.pullstats.rpt_")
    }
    assert read == set(manifest.exposures["exposure.pullstats.report"].depends_on.nodes)


def test_a_target_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--target", "nowhere", "--profiles-dir", str(PROFILES)]) == 1
    shown = capsys.readouterr().err
    assert "'nowhere'" in shown
    assert "dbt build" not in shown


def test_a_database_without_marts_asks_for_a_build(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(project.database))
    assert report.main(["--profiles-dir", str(PROFILES)]) == 1
    assert "Run dbt build first" in capsys.readouterr().err


def test_images_beyond_the_limit_are_summed_up(examples: Project) -> None:
    name = "report_failed_requests"
    examples.dbt("compile", "--select", name, "--vars", "{report_images: 1}")
    path = examples.folder / f"target/compiled/pullstats/report/queries/{name}.sql"
    found = examples.query(
        "select is_rest, count(distinct image), sum(failed_requests)::bigint"
        f" from ({path.read_text()}) group by is_rest order by is_rest"
    )
    (expected,) = examples.query(
        "select count(distinct image), sum(failed_requests)::bigint"
        " from pullstats.fct_failed_requests_daily"
        " where operation = 'read' and package_format = 'docker'"
    )
    (_, named, failures), (_, others, rest) = found
    # the image that fails most, and the one that is pulled most if it fails, too
    assert named in (1, 2)
    assert others == 0
    assert expected[0] > named
    assert (failures + rest, rest > 0) == (expected[1], True)
