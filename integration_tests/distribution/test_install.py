"""What the Makefile installs with, where pip is configured: a mirror, a proxy that inspects TLS.

All of it is on this machine: an index and a proxy, with a certificate of their own.
"""

import datetime as dt
import hashlib
import io
import ipaddress
import os
import shutil
import ssl
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration_tests.project import ROOT

PYTHON = Path(sys.executable).parent / "python"
UV = (str(PYTHON), str(ROOT / "scripts/uv_as_pip.py"))
NAME = "pullstats-test-of-an-index"
STORE = Path("/etc/ssl/certs/ca-certificates.crt")


def wheel(version: str) -> tuple[str, bytes]:
    module = NAME.replace("-", "_")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = f"{module}-{version}.dist-info"
        archive.writestr(f"{module}.py", "")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return f"{module}-{version}-py3-none-any.whl", content.getvalue()


WHEELS = {version: wheel(version) for version in ("1.0", "2.0")}


@dataclass
class Certificates:
    """An authority, and a certificate of it for a host."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.authority = self._sign("the test's authority", None, self.key)
        self.bundle = self.folder / "authority.pem"
        self.bundle.write_bytes(self.authority.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / f"{host}.pem"
        file.write_bytes(
            self._sign(host, host, key).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self, title: str, host: str | None, key: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.authority.subject if host else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host:
            is_address = host.replace(".", "").isdigit()
            general = (
                x509.IPAddress(ipaddress.ip_address(host)) if is_address else x509.DNSName(host)
            )
            builder = builder.add_extension(x509.SubjectAlternativeName([general]), critical=False)
            server = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(server, critical=False)
        return builder.sign(self.key, hashes.SHA256())


class Index(BaseHTTPRequestHandler):
    """An index of packages; as a proxy, it answers for the host that it should connect to."""

    certificates: Certificates
    versions: tuple[str, ...] = ("1.0", "2.0")
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        host = self.path.partition(":")[0]
        self.asked.append(f"CONNECT {host}")
        self.connection = self.certificates.context(host).wrap_socket(
            self.connection, server_side=True
        )
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        files = dict(WHEELS[version] for version in self.versions)
        name = self.path.rpartition("/")[2]
        if name in files:
            self._answer(200, "application/octet-stream", files[name])
        elif self.path.endswith(f"/{NAME}/"):
            links = (f'<a href="/files/{each}">{each}</a>' for each in files)
            page = f"<!DOCTYPE html><html><body>{' '.join(links)}</body></html>"
            self._answer(200, "text/html", page.encode())
        else:
            self._answer(404, "text/plain", b"")

    def _answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Log nothing: clients that don't trust the certificate hang up."""


@dataclass
class Served:
    port: int
    asked: list[str]


def serve(certificates: Certificates, *versions: str, has_tls: bool = True) -> Iterator[Served]:
    asked: list[str] = []
    made = {"certificates": certificates, "versions": versions, "asked": asked}
    server = Server(("127.0.0.1", 0), type("Made", (Index,), made))
    if has_tls:
        context = certificates.context("127.0.0.1")
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(server.server_address[1], asked)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def mirror(certificates: Certificates) -> Iterator[Served]:
    yield from serve(certificates, "1.0", "2.0")


@pytest.fixture
def old_mirror(certificates: Certificates) -> Iterator[Served]:
    yield from serve(certificates, "1.0")


@pytest.fixture
def proxy(certificates: Certificates) -> Iterator[Served]:
    yield from serve(certificates, "1.0", "2.0", has_tls=False)


def install(
    folder: Path, *command: str, before: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Ask for a package with its hash, as the Makefile does, and install nothing."""
    lock = folder / "requirements.lock"
    lock.write_text(f"{NAME}==2.0 --hash=sha256:{hashlib.sha256(WHEELS['2.0'][1]).hexdigest()}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "VIRTUAL_ENV": sys.prefix,
        "UV_CACHE_DIR": str(folder / "cache"),
        "PIP_NO_CACHE_DIR": "1",
        "NO_PROXY": "",
        **variables,
    }
    options = ("install", "--dry-run", "--no-deps", "--require-hashes", "-r", str(lock))
    return subprocess.run(
        [*before, *command, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def with_uv(folder: Path, **given: object) -> None:
    done = install(folder, *UV, "pip", **given)
    assert done.returncode == 0, done.stderr
    assert f"+ {NAME}==2.0" in done.stderr


def test_a_mirror_in_variables(tmp_path: Path, certificates: Certificates, mirror: Served) -> None:
    settings = {
        "PIP_INDEX_URL": f"https://127.0.0.1:{mirror.port}/simple",
        "PIP_CERT": str(certificates.bundle),
    }
    pip = install(tmp_path, str(PYTHON), "-m", "pip", **settings)
    assert f"Would install {NAME}-2.0" in pip.stdout
    mirror.asked.clear()
    with_uv(tmp_path, **settings)
    assert f"/simple/{NAME}/" in mirror.asked


def test_a_mirror_in_the_file_of_pip(
    tmp_path: Path, certificates: Certificates, mirror: Served
) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        f"[global]\nindex-url = https://127.0.0.1:{mirror.port}/simple\n"
        f"cert = {certificates.bundle}\n"
    )
    with_uv(tmp_path)


def test_a_version_that_only_the_second_index_has(
    tmp_path: Path, certificates: Certificates, mirror: Served, old_mirror: Served
) -> None:
    both = [f"https://127.0.0.1:{each.port}/simple" for each in (old_mirror, mirror)]
    cert = {"REQUESTS_CA_BUNDLE": str(certificates.bundle), "PIP_CONFIG_FILE": os.devnull}
    with_uv(tmp_path, PIP_INDEX_URL=both[0], PIP_EXTRA_INDEX_URL=both[1], **cert)
    with_uv(tmp_path, PIP_INDEX_URL=both[1], PIP_EXTRA_INDEX_URL=both[0], **cert)


def test_variables_of_uv_stay(
    tmp_path: Path, certificates: Certificates, mirror: Served, old_mirror: Served
) -> None:
    with_uv(
        tmp_path,
        PIP_INDEX_URL=f"https://127.0.0.1:{old_mirror.port}/simple",
        UV_DEFAULT_INDEX=f"https://127.0.0.1:{mirror.port}/simple",
        SSL_CERT_FILE=str(certificates.bundle),
    )


def test_a_proxy_that_inspects_tls(
    tmp_path: Path, certificates: Certificates, proxy: Served
) -> None:
    """Its authority is in the system's store, and nowhere else."""
    bundle = tmp_path / "store.pem"
    bundle.write_bytes(certificates.bundle.read_bytes())
    mount = f'mount --bind {bundle} {STORE.resolve()} && exec "$@"'
    possible = [
        before
        for options in (("--mount",), ("-r", "--mount"))
        for before in [("unshare", *options, "sh", "-c", mount, "sh")]
        if shutil.which("unshare") and STORE.exists()
        if subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0
    ]
    if not possible:
        pytest.skip("no right to put an authority into the system's store for one process")
    before = possible[0]
    settings = {
        "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://packages.example/simple",
    }
    plain = install(
        tmp_path,
        *(str(PYTHON.with_name("uv")), "pip"),
        before=before,
        UV_DEFAULT_INDEX=settings["PIP_INDEX_URL"],
        **settings,
    )
    assert "invalid peer certificate" in plain.stderr
    with_uv(tmp_path, before=before, **settings)
    assert "CONNECT packages.example" in proxy.asked


def test_the_makefile_has_no_other_way() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "/uv " in line] == []
    assert any(line.startswith("INSTALL = $(UV) pip install ") for line in lines)


def test_only_the_owner_can_read_dbts_logs() -> None:
    assert stat.S_IMODE((ROOT / "logs").stat().st_mode) == 0o700
