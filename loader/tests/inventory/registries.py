"""Registries on 127.0.0.1: Debian's docker-registry, and one that answers as a test wants."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import duckdb
import pytest

from pullstats import cli

TOOLS = Path(__file__).parents[3] / ".venv/registry"
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution.manifest."


Row = tuple[object, ...]


def inventory(database: Path, *arguments: str) -> int:
    return cli.main(["inventory", "--database", str(database), *arguments])


def query(database: Path, sql: str) -> list[Row]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set schema = 'storageanalysis'")
        return connection.execute(sql).fetchall()


def landed(database: Path) -> list[Row]:
    return query(database, "select repository, tag from manifests order by all")


def errors(database: Path) -> dict[tuple[object, object], str]:
    found = query(database, "select repository, reference, reason from inventory_errors")
    return {(repository, reference): str(reason) for repository, reference, reason in found}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(media_type: str, text: str, **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(text.encode()), "size": len(text)} | more


def image(name: str, **changes: object) -> bytes:
    content = {
        "schemaVersion": 2,
        "mediaType": f"{DOCKER}v2+json",
        "config": descriptor("application/vnd.docker.container.image.v1+json", f"{name} config"),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", name)],
    }
    return json.dumps(content | changes).encode()


def index(*children: bytes, media_type: str = f"{OCI}manifest.v1+json") -> bytes:
    listed = [descriptor(media_type, child.decode()) for child in children]
    content = {"schemaVersion": 2, "mediaType": f"{OCI}index.v1+json", "manifests": listed}
    return json.dumps(content).encode()


class Layout:
    """A folder in OCI's layout, with known content: what skopeo pushes is known to the byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.names: list[dict[str, object]] = []

    def blob(self, media_type: str, content: bytes) -> dict[str, object]:
        digest = digest_of(content)
        (self.folder / "blobs" / digest.replace(":", "/")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def read(self, descriptor: dict[str, object]) -> dict[str, Any]:
        digest = str(descriptor["digest"])
        content: dict[str, Any] = json.loads(
            (self.folder / "blobs" / digest.replace(":", "/")).read_bytes()
        )
        return content

    def json(self, name: str, content: dict[str, object]) -> dict[str, object]:
        """Add a manifest or an index under a name."""
        descriptor = self.blob(str(content["mediaType"]), json.dumps(content).encode())
        named = descriptor | {"annotations": {"org.opencontainers.image.ref.name": name}}
        self.names.append(named)
        index = {"schemaVersion": 2, "manifests": self.names}
        (self.folder / "index.json").write_text(json.dumps(index))
        return descriptor

    def image(self, name: str, architecture: str, *layers: bytes) -> dict[str, object]:
        described = [
            self.blob(f"{OCI}layer.v1.tar+gzip", gzip.compress(each, mtime=0)) for each in layers
        ]
        config = {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(each) for each in layers]},
        }
        return self.json(
            name,
            {
                "schemaVersion": 2,
                "mediaType": f"{OCI}manifest.v1+json",
                "config": self.blob(f"{OCI}config.v1+json", json.dumps(config).encode()),
                "layers": described,
            },
        )


@dataclass
class RealRegistry:
    """docker-registry with an access log, and skopeo to push to it."""

    host: str
    log: Path
    skopeo: Path
    folder: Path

    def push(self, layout: Layout, name: str, target: str, *options: str) -> None:
        source = f"oci:{layout.folder}:{name}"
        self.copy("--dest-tls-verify=false", *options, source, f"docker://{self.host}/{target}")

    def pull(self, image: str, folder: Path, *options: str) -> None:
        source = f"docker://{self.host}/{image}"
        self.copy("--src-tls-verify=false", *options, source, f"dir:{folder}")

    def inspect(self, image: str, *options: str) -> str:
        url = f"docker://{self.host}/{image}"
        return self._skopeo("inspect", "--tls-verify=false", *options, url)

    def copy(self, *arguments: str) -> None:
        self._skopeo("copy", "--quiet", *arguments)

    def _skopeo(self, *arguments: str) -> str:
        libraries = TOOLS.glob("usr/lib/*-linux-gnu*")
        return subprocess.run(
            [self.skopeo, "--insecure-policy", "--tmpdir", self.folder, *arguments],
            env=os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def delete(self, repository: str, digest: str) -> None:
        url = f"http://{self.host}/v2/{repository}/manifests/{digest}"
        with urllib.request.urlopen(urllib.request.Request(url, method="DELETE")):
            pass


def tool(name: str) -> Path:
    """Find a program of Debian's; only where there is no apt-get may it be missing."""
    unpacked = TOOLS / "usr/bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    if not found and not shutil.which("apt-get") and not os.environ.get("CI"):
        pytest.skip(f"there is no {name} on this machine, and no apt-get to get it with")
    assert found, f"no {name}: run make .venv/registry/.ready"
    return Path(found)


@contextmanager
def real_registry(folder: Path, storage: dict[str, object] | None = None) -> Iterator[RealRegistry]:
    """Debian's registry; keeps its content in the folder, or in the storage of that section."""
    program, skopeo = tool("docker-registry"), tool("skopeo")
    with create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    files = {"filesystem": {"rootdirectory": str(folder)}, "delete": {"enabled": True}}
    settings = {
        "version": 0.1,
        "storage": storage or files,
        "http": {"addr": host},
    }
    (folder / "config.yml").write_text(json.dumps(settings))
    log = folder / "registry.log"
    with log.open("w") as output:
        # the S3 driver refuses to start with it
        environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
        command = [program, "serve", folder / "config.yml"]
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        for _ in range(1000):
            try:
                urllib.request.urlopen(f"http://{host}/v2/").close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.05)
        yield RealRegistry(host, log, skopeo, folder)
    finally:
        server.terminate()
        server.wait(10)


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    authorization: str | None


class FakeRegistry:
    """Answers each path with what it was given; several answers to a path come in turn.

    `intercept` may answer before all that.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.seen: list[Request] = []
        self.answers: dict[str, list[Answer]] = {"/v2/": [Answer(b"{}")]}
        self.intercept: Callable[[Request], Answer | None] = lambda _: None

    def give(self, path: str, *answers: Answer | object) -> None:
        """Set what a path answers: Answers, or content for JSON."""
        self.answers[path] = [
            each if isinstance(each, Answer) else Answer(json.dumps(each).encode())
            for each in answers
        ]

    def repository(self, name: str, **tags: bytes) -> None:
        """Hold a repository whose tags name manifests."""
        self.give(f"/v2/{name}/tags/list", {"name": name, "tags": list(tags)})
        for tag, content in tags.items():
            self.manifest(name, content, tag)

    def manifest(self, name: str, content: bytes, *tags: str) -> str:
        digest = digest_of(content)
        try:
            media_type = json.loads(content)["mediaType"]
        except ValueError:
            media_type = f"{DOCKER}v2+json"
        headers = {"Docker-Content-Digest": digest, "Content-Type": media_type}
        for reference in (*tags, digest):
            self.give(f"/v2/{name}/manifests/{reference}", Answer(content, 200, headers))
        return digest

    def catalog(self, *names: str) -> None:
        self.give("/v2/_catalog?n=1000", {"repositories": list(names)})

    def answer(self, request: Request) -> Answer:
        self.seen.append(request)
        if answer := self.intercept(request):
            return answer
        answers = self.answers.get(request.path, [Answer(b"{}", 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def paths(self, method: str = "GET") -> list[str]:
        return [each.path for each in self.seen if each.method == method]


@contextmanager
def fake_registry() -> Iterator[FakeRegistry]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: in two, each answer takes 40 ms

        def do_GET(self) -> None:
            request = Request(self.command, self.path, self.headers["Authorization"])
            answer = fake.answer(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = FakeRegistry(f"127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
