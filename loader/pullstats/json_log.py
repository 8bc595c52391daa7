"""Audit logs as a Cloud Logging sink writes them: a log entry of JSON on each line."""

import json
from functools import cache
from io import BytesIO
from typing import NoReturn

from pullstats import schemas
from pullstats.csv_log import ParsedObject, is_utf8
from pullstats.schemas import Field

# Cloud Logging takes entries of up to 256 KiB.
MAX_ENTRY_BYTES = 512 * 1024
REQUIRED = {"insertId": str, "timestamp": str, "logName": str, "protoPayload": dict}
# A BigQuery sink's names of what a Cloud Storage sink writes.
_ENTRY_NAMES = {"protopayload_auditlog": "protoPayload", "requestJson": "request"}


def read(data: bytes) -> ParsedObject:
    """Leave the lines to DuckDB, which finds the entries; set aside what is no text."""
    parsed = ParsedObject(lines=data)
    if not is_utf8(data):
        texts = BytesIO()
        for number, line in enumerate(BytesIO(data), 1):
            if is_utf8(line):
                texts.write(line)
            else:
                content = line.removesuffix(b"\n")
                parsed.reject(number, fault(content), content)
                texts.write(b"\n")
        parsed.lines = texts.getvalue()
    return parsed


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


@cache
def sql() -> tuple[str, str, str]:
    """Write in SQL whether a line is a row, its parts, and the table's columns made of them."""
    fields = schemas.fields("audit_logs")
    paths = [path for each in fields for path in _paths(each)]
    types = [{str: "VARCHAR", dict: "OBJECT"}[type_] for type_ in REQUIRED.values()]
    required = f"try(json_type(line, {[f'$.{key}' for key in REQUIRED]})) = {types}"
    # DuckDB takes long to try what is no JSON
    may_be = f"strlen(line) <= {MAX_ENTRY_BYTES} and ltrim(line, ' \t\r') ^@ '{{'"
    is_row = f"coalesce(case when {may_be} then {required} end, false)"
    columns = ", ".join(_value(each, paths) for each in fields)
    return is_row, f"try(json_extract_string(line, {paths}))", columns


def _path(field: Field, at: str) -> str:
    return f"{at}.{_ENTRY_NAMES.get(field['name'], field['name'])}"


def _paths(field: Field, at: str = "$") -> list[str]:
    path = _path(field, at)
    return [each for x in field.get("fields", ()) for each in _paths(x, path)] or [path]


def _value(field: Field, paths: list[str], at: str = "$") -> str:
    """Write a column of the audit log's table, or a field of one, as a value of the entry."""
    path = _path(field, at)
    if "fields" in field:
        values = (f"'{x['name']}': {_value(x, paths, path)}" for x in field["fields"])
        return f"{{{', '.join(values)}}}"
    part = f"parts[{paths.index(path) + 1}]"
    if field["name"] == "requestJson":
        return f"case when starts_with({part}, '{{') then {part} end"
    if field["type"] == "TIMESTAMP":
        time = f"try_cast({part} as timestamptz)"  # which honors an offset
        is_bigquerys = f"year({time}) between 1970 and 8999"
        return f"case when {is_bigquerys} then make_timestamp(epoch_us({time})) end"
    # the text of an object or a list is none of its fields'
    is_text = f"json_type(line, '{path}') = 'VARCHAR'"
    text = (
        f"case when left({part}, 1) in ('[', '{{') then case when {is_text} then {part} end"
        f" else {part} end"
    )
    if field["type"] == "INT64":
        number = f"try_cast(regexp_extract({text}, '^[0-9]{{1,9}}$') as bigint)"
        return f"case when nullif({text}, '') is not null then coalesce({number}, -1) end"
    return text
