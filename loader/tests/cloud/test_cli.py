"""`pullstats load` and `status` on gs:// objects, into either warehouse."""

from pathlib import Path

import duckdb
import pytest

from integration_tests.project import example_logs
from pullstats import cli, csv_log, loading
from tests.cloud.conftest import Cloud
from tests.test_load import BROKEN, SOUND, STORAGE, typed, usage
from tests.test_rows import GOOD, HEADER, parsed

Capture = pytest.CaptureFixture[str]
STORAGE_LOG = b'"bucket","storage_byte_hours"\n"example","240"\n'


@pytest.fixture
def logs(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(tmp_path / "test.duckdb"))
    hours = {"a/" + usage(hour=hour): SOUND for hour in (1, 2, 5)}
    cloud.put({**hours, "a/" + STORAGE: STORAGE_LOG, "a/README.txt": b"", "b/x": b""})
    return cloud


def load(cloud: Cloud, *options: str, to: str = "bigquery") -> int:
    return cli.main(["load", f"{cloud.uri}a/", "--to", to, *options])


def test_when_a_back_fill_is_run_then_it_is_reported_and_resumed(
    logs: Cloud, capsys: Capture
) -> None:
    assert load(logs, "--dry-run", "--since", "2024-05-29T02", "--until", "2024-05-29T05") == 0
    assert set(capsys.readouterr().out.splitlines()) == {
        f"would load {logs.uri}a/{usage(hour=2)}: {len(SOUND)} bytes",
        f"would load {logs.uri}a/{usage(hour=5)}: {len(SOUND)} bytes",
        f"skipped {logs.uri}a/{usage(hour=1)}: its hour is not asked for",
        f"skipped {logs.uri}a/{STORAGE}: its hour is not asked for",
        f"skipped {logs.uri}a/README.txt: its name is not that of a log object",
    }
    assert [each.dataset_id for each in logs.client.list_datasets()].count(logs.dataset) == 0

    assert load(logs, "--until", "2024-05-29T02") == 0
    assert "2 objects, 2 rows landed" in capsys.readouterr().out
    logs.put({"a/" + usage(hour=3): BROKEN, "a/" + usage("wrong"): b"a,b\n1,2\n"})
    assert load(logs) == loading.EXIT_UNREADABLE
    said = capsys.readouterr()
    assert "skipped 2 objects that landed before" in said.out
    assert "3 objects, 3 rows landed" in said.out
    assert f"{logs.uri}a/{usage(hour=3)}: 1 line rejected" in said.err
    assert f"{logs.uri}a/{usage('wrong')}: not loaded: its first line is not" in said.err
    assert logs.rows() == typed([GOOD] * 4)

    # 1 and 2 landed in one job, so the day's rows are not known
    assert cli.main(["status", "--to", "bigquery"]) == 0
    lines = [each.split() for each in capsys.readouterr().out.splitlines()]
    assert ["storage", "2024-05-29", "1", "1", "0", "1", "2024-05-29", "07:00:00"] in lines
    assert ["usage", "2024-05-29", "4", "1", "4", "2024-05-29", "05:00:00"] in lines


def test_when_duckdb_loads_a_bucket_then_a_copy_of_it_lands_nothing(
    logs: Cloud, tmp_path: Path, capsys: Capture
) -> None:
    assert load(logs, to="duckdb") == 0
    assert "4 objects, 4 rows landed" in capsys.readouterr().out
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / usage(hour=1)).write_bytes(SOUND)
    assert cli.main(["load", str(copy), f"{logs.uri}a/"]) == 0
    said = capsys.readouterr().out
    assert f"skipped {logs.uri}a/{usage(hour=1)}: duplicate of {copy / usage(hour=1)}" in said
    assert "0 objects, 0 rows landed" in said
    logs.put({"a/" + usage(hour=1): HEADER})
    assert load(logs, to="duckdb") == loading.EXIT_UNREADABLE
    assert "has landed before with other content" in capsys.readouterr().err
    with duckdb.connect(str(tmp_path / "test.duckdb")) as connection:
        found = connection.execute("select count(*) from storageanalysis.usage").fetchall()
    assert found == [(3,)]


def test_when_the_examples_are_loaded_then_raw_holds_their_rows(cloud: Cloud) -> None:
    """The step of the README, with 'pullstats load' as it is there."""
    logs = {path.name: path.read_bytes() for path in example_logs()}
    cloud.put(logs)
    assert cli.main(["load", "--to", "bigquery", cloud.uri]) == 0
    usage_logs = [data for name, data in logs.items() if "_usage_" in name]
    written = [record for data in usage_logs for record in parsed(data).records]
    assert cloud.rows() == typed(written)
    assert len(cloud.query("object_uri, log_hour", "storage")) == sum(
        len(parsed(data, csv_log.STORAGE_COLUMNS).records)
        for name, data in logs.items()
        if "_storage_" in name
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["load", ".", "--to", "bigquery"], 2, "BigQuery loads from gs:// only, not from ."),
        (["load", "gs://nowhere/logs", "--to", "bigquery"], 1, "404"),
        (["load", "gs://nowhere/logs"], 1, "404"),
        (["status", "--to", "bigquery"], 1, "Not found: Dataset"),
    ],
)
def test_when_it_cannot_be_done_then_the_reason_is_said(
    logs: Cloud, arguments: list[str], code: int, message: str, capsys: Capture
) -> None:
    assert cli.main(arguments) == code
    assert message in capsys.readouterr().err
