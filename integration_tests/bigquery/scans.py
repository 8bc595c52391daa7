"""Which tables a statement scans, by which days or arrivals, and which of their columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from integration_tests.bigquery.warehouse import Script, View, Warehouse, leaf

PROJECT_PREFIX = "example-project."


@dataclass(frozen=True)
class Scan:
    """A table in a FROM, DELETE or MERGE, and the condition beside it."""

    table: str
    condition: str

    def is_pruned_by(self, column: str) -> bool:
        """Return whether constants limit the partitions, or nothing is read at all."""
        by_days = rf"\b{column} in \(\s*date '"
        by_order = rf"\b{column} >=? (date|timestamp) '"
        pattern = rf"{by_days}|{by_order}|(^|where\s+|and\s+)false\b"
        return bool(re.search(pattern, self.condition, re.IGNORECASE))

    def days(self) -> set[str]:
        return set(re.findall(r"date '([0-9-]+)'", self.condition))


@cache
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
    """Give the columns that a query reads of each table, seen through the views.

    A column that a common table expression selects and nothing behind it uses is not read.
    """
    sql = warehouse.named(sql)
    views = {path: each for path, each in warehouse.relations.items() if isinstance(each, View)}
    while any(f"`{path}`" in sql for path in views):
        for path, view in views.items():
            sql = sql.replace(f"`{path}`", f"({view.query})")
    query = warehouse.resolve(sql)
    used = _used_columns(query)
    found: dict[str, set[str]] = {}
    for scan in _nodes(query, "ResolvedTableScanProto"):
        names = {column.name for column in scan.parent.column_list if column.column_id in used}
        found.setdefault(scan.table.name.split(".")[-1], set()).update(names)
    return found


def _used_columns(query: Any) -> set[int]:
    """Give the ids of the columns that an expression or the result of a query refers to."""
    used = {ref.column.column_id for ref in _nodes(query, "ResolvedColumnRefProto")}
    used |= {each.column.column_id for each in query.output_column_list}
    for each in _nodes(query, "ResolvedSubqueryExprProto"):
        used |= set(_column_ids(leaf(each.subquery)))
    # columns that are another's by their place: of a CTE and its mentions, of the parts of a UNION
    places: list[tuple[int, int]] = []
    entries = {each.with_query_name: each for each in _nodes(query, "ResolvedWithEntryProto")}
    for mention in _nodes(query, "ResolvedWithRefScanProto"):
        inner = leaf(entries[mention.with_query_name].with_subquery)
        places += zip(_column_ids(mention), _column_ids(inner), strict=True)
    for union in _nodes(query, "ResolvedSetOperationScanProto"):
        for item in union.input_item_list:
            inside = [column.column_id for column in item.output_column_list]
            places += zip(_column_ids(union), inside, strict=True)
    while more := {inner for outer, inner in places if outer in used} - used:
        used |= more
    return used


def _column_ids(scan: Any) -> list[int]:
    while "column_list" not in scan.DESCRIPTOR.fields_by_name:
        scan = scan.parent
    return [column.column_id for column in scan.column_list]


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
