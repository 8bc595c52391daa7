"""What `pullstats setup` makes, and that doing it twice changes nothing.

The emulator of Cloud Storage knows neither grants nor logging, so a server stands in here that
keeps buckets and policies as JSON and records what is asked of it. BigQuery is the emulator.
"""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pullstats import cli
from tests.cloud.conftest import Cloud

Capture = pytest.CaptureFixture[str]


class FakeStorage(BaseHTTPRequestHandler):
    """Buckets and their policies; a policy is only taken with the etag it was read with."""

    buckets: dict[str, dict[str, Any]]
    policies: dict[str, dict[str, Any]]
    calls: list[str]

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        found = re.fullmatch(r"/storage/v1/b(?:/([^/]+))?(/iam)?", path)
        assert found, path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = json.loads(body or "{}")
        name = found[1] or sent["name"]
        if self.command != "GET":
            self.calls.append(f"{self.command} {name}{found[2] or ''}")
        if self.command == "POST":
            self.buckets[name] = {"name": name, "metageneration": "1"} | sent
            self.policies[name] = {"version": 1, "etag": "AQ==", "bindings": []}
        elif name not in self.buckets:
            return self.say(404, {"error": {"code": 404, "message": "no such bucket"}})
        elif self.command == "PATCH":
            self.buckets[name] |= sent
        elif self.command == "PUT":
            if sent["etag"] != self.policies[name]["etag"]:
                return self.say(412, {"error": {"code": 412, "message": "etag"}})
            self.policies[name] = sent | {"etag": "Ag=="}
        return self.say(200, (self.policies if found[2] else self.buckets)[name])

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815

    def say(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> Iterator[type[FakeStorage]]:
    FakeStorage.buckets = {"images": {"name": "images", "metageneration": "7"}}
    FakeStorage.policies, FakeStorage.calls = {}, []
    server = HTTPServer(("127.0.0.1", 0), FakeStorage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("PULLSTATS_DATASET", cloud.dataset)
    yield FakeStorage
    server.shutdown()
    server.server_close()


def setup(*options: str) -> int:
    command = ["setup", "--log-bucket", "logs", "--bucket", "images", "--delete-logs-after", "400"]
    return cli.main([*command, *options])


def test_when_nothing_is_there_then_setup_makes_it_once(
    fake: type[FakeStorage], cloud: Cloud, capsys: Capture
) -> None:
    assert setup("--check") == 1
    assert capsys.readouterr().out.count("missing: ") == 5
    assert setup("--dry-run") == 0
    assert capsys.readouterr().out.count("would: ") == 5
    assert fake.calls == []

    assert setup("--label", "team=data") == 0
    assert fake.calls == ["POST logs", "PUT logs/iam", "PATCH logs", "PATCH images"]
    access = fake.buckets["logs"]["iamConfiguration"]["uniformBucketLevelAccess"]
    assert (access["enabled"], fake.buckets["logs"]["location"]) == (True, "US")
    assert fake.buckets["logs"]["lifecycle"] == {
        "rule": [{"action": {"type": "Delete"}, "condition": {"age": 400}}]
    }
    assert fake.policies["logs"]["bindings"] == [
        {
            "role": "roles/storage.objectCreator",
            "members": ["group:cloud-storage-analytics@google.com"],
        }
    ]
    logging = {"logBucket": "logs", "logObjectPrefix": "images"}
    assert fake.buckets["images"]["logging"] == logging
    assert len(list(cloud.client.list_tables(cloud.dataset))) == 5

    capsys.readouterr()
    assert setup() == setup("--check") == 0
    assert capsys.readouterr().out.count("ok: ") == 10
    assert len(fake.calls) == 4


def test_when_one_thing_is_missing_then_setup_mends_it(
    fake: type[FakeStorage], capsys: Capture
) -> None:
    setup()
    fake.policies["logs"]["bindings"] = [
        {"role": "roles/storage.admin", "members": ["user:me@example.com"]}
    ]
    assert setup("--check") == 1
    missing = [each for each in capsys.readouterr().out.splitlines() if "missing" in each]
    assert [each.partition(" write")[0] for each in missing] == [
        "missing: let group:cloud-storage-analytics@google.com"
    ]
    assert setup() == 0
    assert [each["role"] for each in fake.policies["logs"]["bindings"]] == [
        "roles/storage.admin",
        "roles/storage.objectCreator",
    ]


def test_when_something_else_is_in_the_place_then_setup_says_so(
    fake: type[FakeStorage], cloud: Cloud, capsys: Capture
) -> None:
    fake.buckets["images"]["logging"] = {"logBucket": "other", "logObjectPrefix": "x"}
    assert setup() == 1
    assert "gs://images logs to gs://other already" in capsys.readouterr().err
    del fake.buckets["images"]["logging"]
    cloud.client.create_dataset(cloud.dataset)
    cloud.client.query(f"create table {cloud.dataset}.usage (a int64)").result()
    capsys.readouterr()
    assert setup() == 1
    assert "usage is not partitioned by ingestion hour" in capsys.readouterr().err
