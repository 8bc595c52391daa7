"""Audit logs as a Cloud Logging sink writes them: a log entry of JSON on each line."""

import json
from typing import NoReturn

from pullstats.csv_log import ParsedObject, RejectedLine

# Cloud Logging takes entries of up to 256 KiB.
MAX_ENTRY_BYTES = 512 * 1024
REQUIRED = {"insertId": str, "timestamp": str, "logName": str, "protoPayload": dict}


def count_plain(data: bytes) -> int | None:
    """Count the lines, if all that is left to check is each line by itself; else None."""
    if not data or b"\r" in data:
        return None
    return data.count(b"\n") + (not data.endswith(b"\n"))


def parse(data: bytes) -> ParsedObject:
    """Split an object into entries, unchanged, and rejected lines."""
    result = ParsedObject()
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            if reason := _fault(line):
                result.rejected.append(RejectedLine(number, reason, line))
            else:
                result.records.append([line.decode().removesuffix("\r")])
    return result


def _fault(line: bytes) -> str | None:
    if len(line) > MAX_ENTRY_BYTES:
        return f"longer than {MAX_ENTRY_BYTES} bytes"
    if b"\r" in line.removesuffix(b"\r"):
        return "a carriage return"
    try:
        entry = json.loads(line.decode(), parse_constant=_refuse)
        # an escaped surrogate without its partner is no text
        if b"\\u" in line:
            json.dumps(entry, ensure_ascii=False).encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        return f"not UTF-8: {error.reason}"
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    if not isinstance(entry, dict):
        return "no JSON object"
    for key, kind in REQUIRED.items():
        if not isinstance(entry.get(key), kind):
            return f"no log entry of an audit log: {key} is missing"
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
