"""Which tables a statement scans, by which days or arrivals, and which of their columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bigquery.warehouse import Script, View, Warehouse, leaf

PROJECT_PREFIX = "example-project."


@dataclass(frozen=True)
class Scan:
    """A table in a FROM, DELETE or MERGE, and the condition that stands beside it."""

    table: str
    condition: str

    def is_pruned_by(self, column: str) -> bool:
        """Tell if constants limit the partitions, or nothing is read at all."""
        by_days = rf"\b{column} in \(\s*date '"
        by_order = rf"\b{column} >=? (date|timestamp) '"
        pattern = rf"{by_days}|{by_order}|(^|where\s+|and\s+)false\b"
        return bool(re.search(pattern, self.condition, re.IGNORECASE))

    def days(self) -> set[str]:
        return set(re.findall(r"date '([0-9-]+)'", self.condition))


def scans_of(warehouse: Warehouse, sql: str) -> list[Scan]:
    """Give the scans of a statement or script, one for each mention of a table."""
    script = Script(warehouse.named(sql))
    found = []
    for statement in warehouse.parse(script.sql):
        node = leaf(statement)
        kind = node.DESCRIPTOR.name
        if kind == "ASTDeleteStatementProto":
            found.append(Scan(script.path(node.target_path), script.text(node.where)))
        if kind == "ASTMergeStatementProto":
            conditions = [
                script.text(clause.search_condition)
                for clause in node.when_clauses.clause_list
                if clause.HasField("search_condition")
            ]
            # a MERGE that only inserts, ON FALSE, reads nothing of its target
            conditions = conditions or [script.text(node.merge_condition)]
            found.append(Scan(script.path(node.target_path), " and ".join(conditions)))
        if kind != "ASTCreateViewStatementProto":  # a view reads when it is read
            for select in _nodes(node, "ASTSelectProto"):
                condition = (
                    script.text(select.where_clause) if select.HasField("where_clause") else ""
                )
                found += [Scan(path, condition) for path in _tables(select.from_clause, script)]
    return [
        Scan(scan.table.removeprefix(PROJECT_PREFIX).split(".")[-1], scan.condition)
        for scan in found
        if "." in scan.table
    ]


def columns_of(warehouse: Warehouse, sql: str) -> dict[str, set[str]]:
    """Give the columns that a query reads of each table, seen through the views."""
    sql = warehouse.named(sql)
    views = {path: each for path, each in warehouse.relations.items() if isinstance(each, View)}
    while any(f"`{path}`" in sql for path in views):
        for path, view in views.items():
            sql = sql.replace(f"`{path}`", f"({view.query})")
    found: dict[str, set[str]] = {}
    for scan in _nodes(warehouse.resolve(sql), "ResolvedTableScanProto"):
        name = scan.table.name.split(".")[-1]
        found.setdefault(name, set()).update(column.name for column in scan.parent.column_list)
    return found


def _nodes(node: Any, name: str, but: str = "") -> Iterator[Any]:
    """Walk a tree for nodes of a kind, not into those of another."""
    if node.DESCRIPTOR.name == name:
        yield node
    for field, value in node.ListFields():
        if field.message_type and field.message_type.name != (but or None):
            for each in value if field.is_repeated else [value]:
                yield from _nodes(each, name, but)


def _tables(from_clause: Any, script: Script) -> Iterator[str]:
    for each in _nodes(from_clause, "ASTTablePathExpressionProto", but="ASTQueryProto"):
        if each.HasField("path_expr"):
            yield script.path(each.path_expr)
