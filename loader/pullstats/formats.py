"""What of a log object lands, and in which table: the same for every warehouse."""

from dataclasses import dataclass, field

from pullstats import csv_log, json_log
from pullstats.csv_log import NotALogError, ParsedObject, RejectedLine
from pullstats.log_names import Kind
from pullstats.plan import LogObject, fingerprint


@dataclass(frozen=True)
class Table:
    """A table of raw: its columns by type, and how the values of its rows are separated."""

    name: str
    columns: dict[str, str]
    delimiter: str = ","
    quote: str = '"'


# The day of a storage log stands only in its name. A log entry is one value a row: no quote, and a
# delimiter that never occurs in JSON.
_NAMED = {"object_uri": "STRING", "log_hour": "TIMESTAMP"}
TABLES: dict[Kind, Table] = {
    "usage": Table("usage", csv_log.USAGE_COLUMNS),
    "storage": Table("storage", csv_log.STORAGE_COLUMNS | _NAMED),
    "audit": Table("audit_logs", {"log_entry": "STRING"}, "\x01", ""),
}


@dataclass(frozen=True)
class Content:
    """What lands of an object: rows in their table's form."""

    rows: bytes | memoryview
    row_count: int
    fingerprint: tuple[int, str]
    rejected: list[RejectedLine] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int]:
        return self.row_count, len(self.rejected)


def read(each: LogObject, parse_json: bool = True) -> Content:
    """Read an object; raises OSError or NotALogError when nothing of it can be read.

    Without `parse_json` the caller checks the lines of an audit log, if there is no more to check.
    """
    data, kind = each.read(), each.name.kind
    if not each.landed_bytes and (kind == "usage" or (kind == "audit" and not parse_json)):
        count = csv_log.count_plain(data) if kind == "usage" else json_log.count_plain(data)
        if count is not None:
            # a view: copying the rows would take a tenth of the load
            plain = memoryview(data)[data.find(b"\n") + 1 if kind == "usage" else 0 :]
            if count and not data.endswith(b"\n"):
                plain = memoryview(bytes(plain) + b"\n")
            return Content(plain if count else b"", count, fingerprint(data))
    parsed = _parse(data, kind)
    if each.landed_bytes:
        landed = _parse(data[: each.landed_bytes], kind)
        count = len(landed.records)
        if landed.records != parsed.records[:count]:
            raise NotALogError("what has landed of it is not how it begins")
        rejected = [line for line in parsed.rejected if line not in landed.rejected]
        parsed = ParsedObject(parsed.records[count:], rejected)
    records = parsed.records
    if kind == "audit":
        rows = "".join(f"{entry}\n" for (entry,) in records).encode()
    else:
        more = [each.uri, f"{each.name.hour:%Y-%m-%d %H:%M:%S}"] if kind == "storage" else []
        rows = csv_log.write([*record, *more] for record in records)
    return Content(rows, len(records), fingerprint(data), parsed.rejected)


def _parse(data: bytes, kind: Kind) -> ParsedObject:
    return json_log.parse(data) if kind == "audit" else csv_log.parse(data, csv_log.COLUMNS[kind])
