"""A bucket with usage logs, for a self-hosted registry: S3's interface is the one that Cloud
Storage's XML API speaks, so the registry's S3 driver writes the objects that its GCS driver does.

The bucket is moto's. A proxy before it writes a usage log record of each request.
"""

import csv
import itertools
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from moto.server import ThreadedMotoServer

NAME = "registry-storage"
REGISTRY_ADDRESS = "203.0.113.80"
HEADER = (
    *("time_micros", "c_ip", "c_ip_type", "c_ip_region", "cs_method", "cs_uri", "sc_status"),
    *("cs_bytes", "sc_bytes", "time_taken_micros", "cs_host", "cs_referer", "cs_user_agent"),
    *("s_request_id", "cs_operation", "cs_bucket", "cs_object"),
)


class Bucket:
    """What has been asked of it is in `records`; `client` is the address of who asks now."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = "192.0.2.1"
        self.records: list[list[str]] = []

    def storage(self) -> dict[str, object]:
        """Storage section of the registry's configuration."""
        s3 = {
            "region": "us-east-1",
            "regionendpoint": f"http://{self.address}",
            "bucket": NAME,
            "accesskey": "example",
            "secretkey": "example",
            "secure": False,
        }
        return {"s3": s3, "delete": {"enabled": True}}

    def write_log(self, folder: Path) -> Path:
        hour = time.strftime("%Y_%m_%d_%H_00_00", time.gmtime())
        log = folder / f"{NAME}_usage_{hour}_00d157_v0"
        with log.open("w", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([HEADER, *self.records])
        return log


@contextmanager
def logged_bucket() -> Iterator[Bucket]:
    numbers = itertools.count()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def forward(self) -> None:
            started = time.time()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = requests.request(
                self.command,
                store + self.path,
                data=body,
                headers={name: value for name, value in self.headers.items() if name != "Host"},
                timeout=30,
                allow_redirects=False,
            )
            with lock:
                bucket.records.append(self.record(started, len(body), answer))
            self.send_response(answer.status_code)
            length = answer.headers.get("Content-Length", "0")
            if self.command != "HEAD":
                length = str(len(answer.content))
            hop_by_hop = ("content-length", "connection", "transfer-encoding", "date", "server")
            for name, value in answer.headers.items():
                if name.lower() not in hop_by_hop:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815

        def record(self, started: float, sent: int, answer: requests.Response) -> list[str]:
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            _, _, name = path.lstrip("/").partition("/")
            agent = self.headers.get("User-Agent", "")
            return [
                str(int(started * 1_000_000)),
                REGISTRY_ADDRESS if agent.startswith("aws-sdk-go") else bucket.client,
                *("1", "", self.command, self.path, str(answer.status_code), str(sent)),
                str(len(answer.content)),
                str(int((time.time() - started) * 1000) * 1000),
                *(bucket.address, self.headers.get("Referer", ""), agent),
                f"request{next(numbers)}",
                f"{self.command}_{'Object' if name else 'Bucket'}",
                *(NAME, name),
            ]

        def log_message(self, *_: object) -> None:
            pass

    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    store = "http://{}:{}".format(*moto.get_host_and_port())
    requests.put(f"{store}/{NAME}", timeout=10).raise_for_status()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bucket = Bucket(f"127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        moto.stop()
