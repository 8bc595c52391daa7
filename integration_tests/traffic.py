"""Writes usage logs of small stories: which client read which blobs of which image, and when."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

from pullstats.csv_log import USAGE_COLUMNS

FIRST_DAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
Blob = tuple[str, int]
# The config `{}` of artifacts, in every registry.
EMPTY_CONFIG = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Registry:
    """The log of a bucket in which a registry keeps the blobs of one image."""

    def __init__(self, project: str, host: str = "https://gcr.io", image: str = "app") -> None:
        self.project, self.host = project, host
        self.is_own = "gcr.io" not in host
        self.path = f"{project}/{image}"
        self.bucket = f"{project}-storage" if self.is_own else f"artifacts.{project}.appspot.com"
        self.image = f"{host.split('://')[1]}/{self.path}"
        self.rows: list[dict[str, object]] = []

    def blob_digest(self, blob: Blob) -> str:
        return blob[0] if blob[0] == EMPTY_CONFIG else digest(f"{self.project} {blob[0]}")

    def image_id(self, blob: Blob) -> str:
        return f"sha256:{self.blob_digest(blob)}"

    def read(
        self,
        at: float,
        address: str,
        agent: str,
        blob: Blob,
        *,
        part: int | None = None,
        status: int | None = None,
        names_image: bool = True,
        seconds: float = 0.05,
        operation: str = "GET_Object",
    ) -> None:
        """Log one request at a time in seconds; `part` bytes of a blob are a range of it."""
        sha = self.blob_digest(blob)
        self.log(
            at,
            address,
            agent,
            f"docker/registry/v2/blobs/sha256/{sha[:2]}/{sha}/data"
            if self.is_own
            else f"containers/images/sha256:{sha}",
            referer=f"{self.host}/v2/{self.path}/blobs/sha256:{sha}" if names_image else "",
            status=status or (200 if part is None else 206),
            size=blob[1] if part is None else part,
            seconds=seconds,
            operation=operation,
        )

    def fetch(
        self, at: float, address: str, agent: str, *blobs: Blob, every: float = 0.1, **more: object
    ) -> None:
        """Log a request for each blob, one after the other."""
        for number, blob in enumerate(blobs):
            self.read(at + number * every, address, agent, blob, **more)  # type: ignore[arg-type]

    def log(
        self,
        at: float,
        address: str,
        agent: str,
        name: str,
        *,
        referer: str = "",
        status: int = 200,
        size: int = 0,
        seconds: float = 0.05,
        operation: str = "GET_Object",
    ) -> None:
        self.rows.append(
            {
                "time_micros": FIRST_DAY + int(at * SECOND),
                "c_ip": address,
                "c_ip_type": 1,
                "cs_method": "GET",
                "cs_uri": f"/{self.bucket}/{name}",
                "sc_status": status,
                "cs_bytes": 0,
                "sc_bytes": size if status in (200, 206) else 0,
                "time_taken_micros": int(seconds * SECOND),
                "cs_host": "storage.googleapis.com",
                "cs_referer": referer,
                "cs_user_agent": agent,
                "s_request_id": f"{self.project} {len(self.rows)}",
                "cs_operation": operation,
                "cs_bucket": self.bucket,
                "cs_object": name,
            }
        )


def write(folder: Path, registries: list[Registry]) -> Path:
    """Write all stories as one log object."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(USAGE_COLUMNS), restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for each in registries:
        writer.writerows(each.rows)
    path = folder / "stories_usage_2026_03_02_00_00_00_00aaaa_v0"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path
