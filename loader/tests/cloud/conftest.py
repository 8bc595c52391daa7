"""Emulators of BigQuery and Cloud Storage, and a bucket and a dataset for each test."""

import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from google.cloud.storage import Client

from integration_tests.emulators import PROJECT, start_bigquery, start_cloud_storage
from pullstats import csv_log, gcs, plan
from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.plan import BatchResult
from tests.test_rows import COLUMNS, changed

Row = tuple[object, ...]


class Cloud:
    """A log bucket and a dataset, both new, with what can be done to them."""

    def __init__(self) -> None:
        name = uuid.uuid4().hex[:12]
        self.storage = Client(PROJECT)
        self.bucket = self.storage.create_bucket(f"logs-{name}")
        self.dataset = os.environ["PULLSTATS_DATASET"] = f"raw_{name}"
        self.uri = f"gs://{self.bucket.name}/"
        self.warehouse = BigQueryWarehouse()
        self.client = self.warehouse.client

    def put(self, objects: Mapping[str, bytes]) -> None:
        for name, data in objects.items():
            self.bucket.blob(name).upload_from_string(data)

    def plan(self, ledger: dict[str, plan.Found] | None = None, since: str = "") -> plan.Plan:
        known = self.warehouse.ledger() if ledger is None else ledger
        return plan.make(gcs.find(self.storage, self.uri, since), known, by_uri=True)

    def load(self, objects: Mapping[str, bytes] | None = None) -> BatchResult:
        """Land the objects of the bucket in one batch; give what became of them by name."""
        self.put(objects or {})
        todo = self.plan().load
        result = self.warehouse.load(todo) if todo else BatchResult()
        for of_uri in (result.rejected, result.unreadable):
            for uri in list(of_uri):
                of_uri[uri.removeprefix(self.uri)] = of_uri.pop(uri)
        return result

    def query(self, columns: str, table: str) -> list[Row]:
        sql = f"select {columns} from `{self.dataset}`.{table} order by 1, 2"
        return [tuple(row.values()) for row in self.client.query(sql).result()]

    def rows(self) -> Counter[Row]:
        """All of raw, null as '': the emulator reads "" as null where BigQuery reads ''."""
        found = self.query(", ".join(COLUMNS), "usage")
        return Counter(tuple("" if value is None else value for value in row) for row in found)

    def landed(self) -> list[Row]:
        return self.query("object_uri, row_count, rejected_count, error", "loaded_objects")

    def drop(self) -> None:
        """Delete the dataset: the emulator looks at all tables whenever it looks for one."""
        self.client.delete_dataset(self.dataset, delete_contents=True, not_found_ok=True)


@pytest.fixture(scope="package")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("emulators")
    with (
        pytest.MonkeyPatch.context() as patch,
        start_cloud_storage(folder) as storage,
        start_bigquery(folder, storage) as bigquery,
    ):
        patch.setenv("STORAGE_EMULATOR_HOST", storage)
        patch.setenv("BIGQUERY_EMULATOR_HOST", bigquery)
        patch.setenv("PULLSTATS_PROJECT", PROJECT)
        yield


@pytest.fixture
def cloud(emulators: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("PULLSTATS_DATASET", "each sets its own")
    cloud = Cloud()
    yield cloud
    cloud.drop()


def environment(cloud: Cloud) -> dict[str, str]:
    return os.environ | {"PULLSTATS_DATASET": cloud.dataset}


def sound(count: int = 1, **fields: str) -> bytes:
    """An object of so many sound records."""
    return csv_log.write([changed(**fields)] * count, list(COLUMNS))


@pytest.fixture
def cloud_times(request: pytest.FixtureRequest) -> tuple[int, int]:
    """How often to kill a back-fill, and of how many objects."""
    return (200, 500) if request.config.getoption("--soak") else (10, 20)
