"""As much of BigQuery's REST interface as dbt-bigquery uses, in front of a Warehouse.

Jobs run when they are inserted. A statement that fails gives GoogleSQL's own message.
"""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from integration_tests.bigquery.googlesql import Table, decode, table, type_name
from integration_tests.bigquery.warehouse import View, Warehouse

PARTS = ("projectId", "datasetId", "tableId")
BASE = "/bigquery/v2/projects/([^/]+)"


@dataclass(frozen=True)
class Sent:
    """A statement as it was sent, and dbt's id of the node that it is for."""

    node: str
    sql: str
    labels: tuple[tuple[str, str], ...]


class NotFoundError(Exception):
    """A dataset, table or job that is not there."""


class Api:
    """The methods of the interface; each gives the resource that the client is sent."""

    def __init__(self) -> None:
        self.warehouse = Warehouse()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.results: dict[str, Table] = {}
        self.sent: list[Sent] = []
        self.requests: list[str] = []  # whole, as they came
        self.descriptions: dict[str, str] = {}
        self.uploads: dict[str, dict[str, Any]] = {}  # load jobs whose data is yet to come

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        routes = [
            ("GET", "/datasets", self._list_datasets),
            ("POST", "/datasets", self._create_dataset),
            ("GET", "/datasets/([^/]+)", self._get_dataset),
            ("GET", "/datasets/([^/]+)/tables", self._list_tables),
            ("GET", "/datasets/([^/]+)/routines", lambda *_: {}),
            ("GET", "/datasets/([^/]+)/routines/([^/]+)", self._get_routine),
            ("GET|PATCH|PUT", "/datasets/([^/]+)/tables/([^/]+)", self._get_table),
            ("DELETE", "/datasets/([^/]+)/tables/([^/]+)", self._delete_table),
            ("POST", "/jobs", self._insert_job),
            ("GET", "/jobs/([^/]+)", self._get_job),
            ("GET", "/queries/([^/]+)", self._get_results),
        ]
        for methods, pattern, call in routes:
            found = re.fullmatch(BASE + pattern, path)
            if found and re.fullmatch(methods, method):
                return call(body, *found.groups())
        raise NotImplementedError(f"{method} {path}")

    def _list_datasets(self, body: dict[str, Any], project: str) -> dict[str, Any]:
        names = sorted(self.warehouse.datasets)
        return {"datasets": [self._get_dataset({}, project, name) for name in names]}

    def _create_dataset(self, body: dict[str, Any], project: str) -> dict[str, Any]:
        name = body["datasetReference"]["datasetId"]
        self.warehouse.datasets.add(name)
        return self._get_dataset({}, project, name)

    def _get_dataset(self, body: dict[str, Any], project: str, name: str) -> dict[str, Any]:
        if name not in self.warehouse.datasets:
            raise NotFoundError(f"dataset {name}")
        return {
            "id": f"{project}:{name}",
            "datasetReference": {"projectId": project, "datasetId": name},
            "location": "US",
        }

    def _list_tables(self, body: dict[str, Any], project: str, name: str) -> dict[str, Any]:
        self._get_dataset({}, project, name)
        prefix = f"{project}.{name}."
        paths = [path for path in self.warehouse.relations if path.startswith(prefix)]
        return {"tables": [self._get_table({}, *path.split(".")) for path in paths]}

    def _get_table(
        self, body: dict[str, Any], project: str, dataset: str, name: str
    ) -> dict[str, Any]:
        path = f"{project}.{dataset}.{name}"
        relation = self.results.get(name) or self.warehouse.relations.get(path)
        if relation is None:
            raise NotFoundError(f"table {path}")
        if "description" in body:
            self.descriptions[path] = body["description"]
        resource = {
            "id": f"{project}:{dataset}.{name}",
            "description": self.descriptions.get(path, ""),
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": name},
            "type": "VIEW" if isinstance(relation, View) else "TABLE",
            "location": "US",
        }
        resource["schema"] = _schema(relation)
        if isinstance(relation, View):
            return resource
        partitioned, clustered = self.warehouse.layouts.get(path, ([], []))
        if partitioned:
            resource["timePartitioning"] = {"type": "DAY", "field": partitioned[0]}
        if clustered:
            resource["clustering"] = {"fields": clustered}
        return resource | {"numRows": str(len(relation.rows))}

    def _get_routine(
        self, body: dict[str, Any], project: str, dataset: str, name: str
    ) -> dict[str, Any]:
        raise NotFoundError(f"routine {project}.{dataset}.{name}")

    def _delete_table(
        self, body: dict[str, Any], project: str, dataset: str, name: str
    ) -> dict[str, Any]:
        self.warehouse.put(f"{project}.{dataset}.{name}", None)
        return {}

    def _insert_job(self, body: dict[str, Any], project: str) -> dict[str, Any]:
        sql = body["configuration"]["query"]["query"]
        labels = body["configuration"].get("labels", {})
        node = re.search(r'"node_id": "([^"]*)"', sql)
        self.sent.append(Sent(node[1] if node else "", sql, tuple(sorted(labels.items()))))
        name = body["jobReference"]["jobId"]
        statistics: dict[str, Any] = {"totalBytesProcessed": "0"}
        job = {
            "id": f"{project}:US.{name}",
            "jobReference": {"projectId": project, "jobId": name, "location": "US"},
            "configuration": body["configuration"] | {"jobType": "QUERY"},
            "status": {"state": "DONE"},
            "statistics": {"query": statistics},
        }
        try:
            result = self.warehouse.run(sql)
        except Exception as error:
            problem = {"reason": "invalidQuery", "message": f"{type(error).__name__}: {error}"}
            job["status"] |= {"errorResult": problem, "errors": [problem]}
            self.jobs[name] = job
            return job
        statistics["statementType"] = result.kind
        if result.table or result.target:
            # a query's rows are a table too, without a name of its own
            parts = (result.target or f"{project}._results.{name}").split(".")
            reference = dict(zip(PARTS, parts, strict=True))
            job["configuration"]["query"]["destinationTable"] = reference
        self.results[name] = result.table or Table({})
        self.jobs[name] = job
        return job

    def load(self, configuration: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Run a load job of CSV, as dbt sends seeds."""
        load = configuration["configuration"]["load"]
        target = load["destinationTable"]
        types = {each["name"]: each["type"] for each in load["schema"]["fields"]}
        lines = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
        rows = [
            [_parse(value, kind) for value, kind in zip(line, types.values(), strict=True)]
            for line in lines
        ]
        path = ".".join(target[key] for key in PARTS)
        self.warehouse.put(path, table(types, rows))
        name = configuration["jobReference"]["jobId"]
        self.jobs[name] = configuration | {"status": {"state": "DONE"}, "statistics": {"load": {}}}
        return self.jobs[name]

    def _get_job(self, body: dict[str, Any], project: str, name: str) -> dict[str, Any]:
        if name not in self.jobs:
            raise NotFoundError(f"job {name}")
        return self.jobs[name]

    def _get_results(self, body: dict[str, Any], project: str, name: str) -> dict[str, Any]:
        found = self.results[name]
        kinds = list(found.types.values())
        return {
            "jobComplete": True,
            "jobReference": self.jobs[name]["jobReference"],
            "schema": _schema(found),
            "totalRows": str(len(found.rows)),
            "rows": [{"f": _cells(row, kinds)} for row in found.rows],
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {}
        self.api.requests.append(self.path + body.decode())
        try:
            if url.path.startswith("/upload"):
                # a resumable upload: first the job, then, at the address given, the data
                if self.command == "POST":
                    job = json.loads(body)
                    name = job["jobReference"]["jobId"]
                    self.api.uploads[name] = job
                    headers["Location"] = f"http://{self.headers['Host']}/upload/{name}"
                    answer = {}
                else:
                    answer = self.api.load(self.api.uploads[url.path.split("/")[-1]], body)
            else:
                answer = self.api.answer(self.command, url.path, json.loads(body or "{}"))
            status = 200
        except NotFoundError as error:
            status, answer = 404, _problem(404, "notFound", f"Not found: {error}")
        except Exception as error:
            status, answer = 501, _problem(501, "notImplemented", repr(error))
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@contextmanager
def serve() -> Iterator[tuple[str, Api]]:
    """Serve on a free port of 127.0.0.1 until the block ends; give address and contents."""
    api = Api()
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _problem(code: int, reason: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": [{"reason": reason}]}}


def _schema(found: Table | View) -> dict[str, Any]:
    fields = []
    for name, kind in found.types.items():
        if isinstance(found, View) or name not in found.pseudo:
            element = type_name(kind).removeprefix("ARRAY<").removesuffix(">")
            mode = "NULLABLE" if element == type_name(kind) else "REPEATED"
            fields.append({"name": name, "type": element, "mode": mode})
            if element == "STRUCT":
                fields[-1]["fields"] = _struct_fields(kind)
    return {"fields": fields}


def _struct_fields(kind: Any) -> list[dict[str, Any]]:
    fields = []
    for each in kind.struct_type.field:
        field = {"name": each.field_name, "type": type_name(each.field_type), "mode": "NULLABLE"}
        fields.append(field | {"fields": _struct_fields(each.field_type)})
    return fields


def _cells(row: Any, kinds: list[Any]) -> list[dict[str, Any]]:
    return [{"v": _shown(decode(cell, kind))} for cell, kind in zip(row.cell, kinds, strict=True)]


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [{"v": _shown(each)} for each in value]
    if isinstance(value, datetime):
        return str((value - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1))
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _parse(value: str, kind: str) -> Any:
    if not value:
        return None
    match kind.upper():
        case "INT64" | "INTEGER":
            return int(value)
        case "BOOL" | "BOOLEAN":
            return value.lower() == "true"
        case "DATE":
            return date.fromisoformat(value)
        case "STRING":
            return value
    raise NotImplementedError(f"a seed's column of type {kind}")
