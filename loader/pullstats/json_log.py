"""Audit logs as a Cloud Logging sink writes them: a log entry of JSON on each line."""

import json
from codecs import BOM_UTF8
from typing import NoReturn

from pullstats import schemas
from pullstats.schemas import Field

# Cloud Logging takes entries of up to 256 KiB.
MAX_ENTRY_BYTES = 512 * 1024
REQUIRED = {"insertId": str, "timestamp": str, "logName": str, "protoPayload": dict}
# A BigQuery sink's names of what a Cloud Storage sink writes.
_ENTRY_NAMES = {"protopayload_auditlog": "protoPayload", "requestJson": "request"}


def count(data: bytes) -> int | None:
    """Count the lines of an object; null if Python has to separate them."""
    if b"\r" in data or data.startswith(BOM_UTF8):
        return None
    return data.count(b"\n") + (data[-1:] not in (b"", b"\n"))


def fault(line: bytes) -> str:
    """Return why a line is no entry of an audit log. DuckDB, which reads them, gives no reason."""
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


def select(source: str, columns: str = "") -> str:
    """Write the entries among lines as rows of the audit log's table, or as `columns` of theirs."""
    paths: list[str] = []
    values = [_value(each, paths, "$") for each in schemas.fields("audit_logs")]
    types = [{str: "VARCHAR", dict: "OBJECT"}[type_] for type_ in REQUIRED.values()]
    required = f"try(json_type(line, {[f'$.{key}' for key in REQUIRED]})) = {types}"
    # DuckDB takes long to try what is no JSON
    may_be = f"strlen(line) <= {MAX_ENTRY_BYTES} and ltrim(line, ' \t\r') ^@ '{{'"
    is_row = f"coalesce(case when {may_be} then {required} end, false)"
    parts = f"select *, json_extract_string(line, {paths}) as parts from {source} where {is_row}"
    return f"select {columns or ', '.join(values)} from ({parts})"


def _value(field: Field, paths: list[str], above: str) -> str:
    """Write a column of the audit log's table, or a field of one, as a value of the entry.

    Add the path of what the value is made of: it has the same place among the parts.
    """
    path = f"{above}.{_ENTRY_NAMES.get(field['name'], field['name'])}"
    if "fields" in field:
        values = (f"'{x['name']}': {_value(x, paths, path)}" for x in field["fields"])
        return f"{{{', '.join(values)}}}"
    paths.append(path)
    part = f"parts[{len(paths)}]"
    if field["name"] == "requestJson":
        return f"case when starts_with({part}, '{{') then {part} end"
    if field["type"] == "TIMESTAMP":
        time = f"try_cast({part} as timestamptz)"  # which honors an offset
        is_bigquerys = f"year({time}) between 1970 and 8999"
        return f"case when {is_bigquerys} then make_timestamp(epoch_us({time})) end"
    # the text of an object or a list is none of its fields'
    is_json = f"(starts_with({part}, '[') or starts_with({part}, '{{'))"
    is_inner = f"{is_json} and json_type(line, '{path}') <> 'VARCHAR'"
    text = f"case when {is_inner} then null else {part} end"
    if field["type"] == "INT64":
        number = f"try_cast(regexp_extract({text}, '^[0-9]{{1,9}}$') as bigint)"
        return f"case when nullif({text}, '') is not null then coalesce({number}, -1) end"
    return text
