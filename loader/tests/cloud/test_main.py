"""The function behind functions-framework: CloudEvents over HTTP, as Eventarc delivers them."""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from google.cloud.storage import Blob

from integration_tests.project import ROOT
from tests.cloud.conftest import Cloud, environment
from tests.test_audit import audit, entry
from tests.test_load import BROKEN, SOUND, STORAGE, typed, usage
from tests.test_rows import GOOD


class Function:
    """functions-framework with the function, and what it has logged."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    def post(self, data: object, event_id: str = "1") -> int:
        headers = {
            "ce-id": event_id,
            "ce-source": "//storage.googleapis.com/projects/_/buckets/logs",
            "ce-specversion": "1.0",
            "ce-type": "google.cloud.storage.object.v1.finalized",
            "Content-Type": "application/json",
        }
        body = json.dumps(data).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def logged(self) -> list[dict[str, str]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(each) for each in lines if each.startswith("{")]


@contextmanager
def serve(variables: dict[str, str], folder: Path) -> Iterator[Function]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(str(Path(sys.executable).with_name("functions-framework")), "--host", "127.0.0.1"),
        *("--source", str(ROOT / "examples/function/main.py"), "--target", "load_log_object"),
        *("--signature-type", "cloudevent", "--port", str(port)),
    ]
    log = folder / "function.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        yield Function(port, log)
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def function(cloud: Cloud, tmp_path: Path) -> Iterator[Function]:
    with serve(environment(cloud), tmp_path) as function:
        yield function


def event(blob: Blob) -> dict[str, str]:
    """Cloud Storage's event for a finalized object: numbers as text."""
    return {
        "bucket": blob.bucket.name,
        "name": blob.name,
        "generation": str(blob.generation),
        "size": str(blob.size),
        "crc32c": blob.crc32c,
        "contentType": "application/octet-stream",
    }


def finalized(cloud: Cloud, name: str, data: bytes) -> dict[str, str]:
    cloud.put({name: data})
    return event(cloud.bucket.get_blob(name))


def test_when_events_come_then_each_object_lands_once(cloud: Cloud, function: Function) -> None:
    same = finalized(cloud, usage(), SOUND)
    assert [function.post(same) for _ in range(3)] == [200] * 3
    assert cloud.rows() == typed([GOOD])
    assert [each["message"] for each in function.logged()] == [
        "1 object, 1 row landed",
        "skipped: has landed before",
        "skipped: has landed before",
    ]
    # ten at once, one of them delivered twice
    events = [finalized(cloud, usage(hour=hour), SOUND) for hour in range(1, 11)]
    with ThreadPoolExecutor(11) as pool:
        assert set(pool.map(function.post, [*events, events[0]])) == {200}
    assert cloud.rows() == typed([GOOD] * 11)
    assert len(cloud.landed()) == 11
    # audit logs in the same bucket: an hour, what was late of it, and another hour twice
    parts = [audit(), audit(part="A0:1735351500"), audit(hour=1)]
    events = [finalized(cloud, name, entry(insertId=name)) for name in parts]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(function.post, [*events, events[2]])) == {200}
    entries = cloud.query("insertId, 1", "audit_logs")
    assert sorted(insert_id for insert_id, _ in entries) == sorted(parts)
    assert len(cloud.landed()) == 14
    # a back-fill finds nothing left to do
    assert cloud.load().objects == 0


def test_when_an_event_is_odd_then_it_is_not_retried(cloud: Cloud, function: Function) -> None:
    storage_log = b'"bucket","storage_byte_hours"\n"example","240"\n'
    wrong = finalized(cloud, usage("wrong"), b"a,b\n1,2\n")
    other_log = "run.googleapis.com/stdout/" + audit().split("/", 2)[2]
    for data in (
        finalized(cloud, "README.txt", b""),
        finalized(cloud, other_log, b'{"textPayload": "x"}\n'),
        finalized(cloud, audit(), entry() + b"broken\n" + entry(protoPayload=None)),
        finalized(cloud, STORAGE, storage_log),
        finalized(cloud, usage(), BROKEN),
        *(wrong, wrong),
        {"bucket": "no name"},
        "nothing",
    ):
        assert function.post(data) == 200
    said = [(each["severity"], each["message"][:30]) for each in function.logged()]
    no_header = ("ERROR", "not loaded: its first line is ")
    no_event = ("ERROR", "the event 1 describes no objec")
    assert said == [
        ("INFO", "skipped: its name is not that "),
        ("INFO", "skipped: its name is not that "),
        ("WARNING", "2 lines rejected; see rejected"),
        ("INFO", "1 object, 1 row landed"),
        ("INFO", "1 object, 1 row landed"),
        ("WARNING", "1 line rejected; see rejected_"),
        ("INFO", "1 object, 1 row landed"),
        *(no_header, no_header, no_event, no_event),
    ]
    assert [error is None for *_, error in cloud.landed()] == [True, True, True, False]
    assert cloud.rows() == typed([GOOD])


class Refusal(BaseHTTPRequestHandler):
    """A BigQuery that refuses: the emulator knows no permissions."""

    def do_GET(self) -> None:
        body = b'{"error": {"code": 403, "errors": [{"reason": "accessDenied"}], "message": "no"}}'
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def test_when_it_is_not_the_object_then_the_event_is_retried(cloud: Cloud, tmp_path: Path) -> None:
    data = finalized(cloud, usage(), SOUND)
    server = HTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with serve(environment(cloud) | {"BIGQUERY_EMULATOR_HOST": address}, tmp_path) as function:
            assert function.post(data) == 500
    finally:
        server.shutdown()
        server.server_close()
