"""Audit logs as a Cloud Logging sink writes them: a log entry of JSON on each line."""

import json
from typing import NoReturn

# Cloud Logging takes entries of up to 256 KiB.
MAX_ENTRY_BYTES = 512 * 1024
REQUIRED = {"insertId": str, "timestamp": str, "logName": str, "protoPayload": dict}


def fault(line: bytes) -> str:
    """Say why a line is no log entry of an audit log. DuckDB, which reads them, gives no reason."""
    if len(line) > MAX_ENTRY_BYTES:
        return f"longer than {MAX_ENTRY_BYTES} bytes"
    try:
        entry = json.loads(line.decode(), parse_constant=_refuse)
        # an escaped surrogate without its partner is no text
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
    return "not JSON: DuckDB can't read it"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
