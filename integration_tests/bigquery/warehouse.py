"""Datasets, tables and views in memory, and the statements that dbt-bigquery sends.

Each statement is analyzed as it was sent. Queries run in GoogleSQL's reference engine, and so do
the queries inside the others: the rows that a table is made of, that a DELETE leaves, that a MERGE
inserts. They are cut out where Google's parser finds their begin and end.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import RLock
from typing import Any

from zetasql.wasi._pb2.zetasql.public import value_pb2

from integration_tests.bigquery.googlesql import GoogleSQL, Table

MATCHED, BY_SOURCE, BY_TARGET = 1, 2, 3  # when matched, when not matched by source, by target
ANALYZED_BY_PARTS = (
    *("QueryStatement", "VariableDeclaration", "AssignmentFromStruct", "CreateTableStatement"),
)
QUOTED_PATH = re.compile(r"`([^`]+)`\.`([^`]+)`\.`([^`]+)`")


@dataclass
class View:
    query: str
    types: dict[str, Any]
    made_of: list[Table] | None = None  # the tables that it was last read from
    made: Table | None = None  # what it gave then


@dataclass
class Result:
    """What a statement gave: a query's rows, or the name of the table that it made or changed."""

    kind: str
    table: Table | None = None
    target: str | None = None


@dataclass
class Script:
    """A statement or several, with their variables."""

    sql: str
    variables: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def text(self, node: Any) -> str:
        """Give the part of the script of a node of its syntax tree."""
        while hasattr(node, "parent") or node.DESCRIPTOR.oneofs:
            node = node.parent if hasattr(node, "parent") else leaf(node)
        place = node.parse_location_range
        return self.sql.encode()[place.start : place.end].decode()

    def path(self, node: Any) -> str:
        return self.text(node).replace("`", "")


def leaf(node: Any) -> Any:
    """Unwrap a node of a syntax tree or of a resolved statement."""
    while node.DESCRIPTOR.oneofs:
        node = getattr(node, node.WhichOneof(node.DESCRIPTOR.oneofs[0].name))
    return node


class Warehouse:
    def __init__(self) -> None:
        self._engines: SimpleQueue[GoogleSQL] = SimpleQueue()
        for _ in range(2):  # dbt has more threads than that, but few machines more cores to spare
            self._engines.put(GoogleSQL())
        self._writing = RLock()
        self.datasets: set[str] = set()
        self.relations: dict[str, Table | View] = {}
        self.layouts: dict[str, tuple[list[str], list[str]]] = {}  # partitioned, clustered by

    @contextmanager
    def engine(self) -> Iterator[GoogleSQL]:
        engine = self._engines.get()
        try:
            yield engine
        finally:
            self._engines.put(engine)

    def put(self, path: str, relation: Table | View | None) -> None:
        """Make or replace a table or a view; None drops it."""
        if relation:
            self.relations[path] = relation
        else:
            self.relations.pop(path, None)
            self.layouts.pop(path, None)

    def table(self, path: str) -> Table:
        """Give a table, or the rows that a view has now."""
        found = self.relations[path]
        if isinstance(found, Table):
            return found
        tables = list(self._tables_of(found.query).values())
        if found.made_of != tables:
            found.made_of, found.made = tables, self._query(found.query, Script(""))
        return found.made

    def run(self, sql: str) -> Result:
        """Run a statement or a script; those that change rows of tables one after the other."""
        script = Script(self.named(sql))
        statements = [leaf(each) for each in self.parse(script.sql)]
        kinds = " ".join(each.DESCRIPTOR.name for each in statements)
        is_writing = re.search("Insert|Delete|Merge|Update|Truncate", kinds)
        with self._writing if is_writing else nullcontext():
            results = [self._run(each, script) for each in statements]
        return results[0] if len(results) == 1 else Result("SCRIPT")

    def named(self, sql: str) -> str:
        """Give each table one name, however it is written: the engine's rows go by such names."""
        sql = QUOTED_PATH.sub(r"`\1.\2.\3`", sql)
        for path in list(self.relations):
            name = re.escape(path.split(".", 1)[1])
            sql = re.sub(rf"(?<![\w`.]){name}(?![\w`.])", f"`{path}`", sql)
        return sql

    def _run(self, node: Any, script: Script) -> Result:
        sql, text = script.text(node), script.text
        kind = node.DESCRIPTOR.name.removeprefix("AST").removesuffix("Proto")
        analyzed = None
        if kind not in ANALYZED_BY_PARTS:
            analyzed = self._analyze(sql, self._tables_of(sql), script)
        match kind:
            case "QueryStatement":
                return Result("SELECT", self._query(sql, script))
            case "VariableDeclaration":
                null = self._query(f"select cast(null as {text(node.type)})", script)
                for name in node.variable_list.identifier_list:
                    script.variables[name.id_string] = (null.types["f0_"], null.rows[0].cell[0])
                return Result("DECLARE")
            case "AssignmentFromStruct":
                value = f"select s.* from (select {text(node.struct_expression)} as s)"
                found = self._query(value, script)
                names = [name.id_string for name in node.variables.identifier_list]
                values = zip(found.types.values(), found.rows[0].cell, strict=True)
                script.variables |= dict(zip(names, values, strict=True))
                return Result("ASSIGN")
            case "CreateSchemaStatement":
                self.datasets.add(script.path(node.parent.name).split(".")[-1])
                return Result("CREATE_SCHEMA")
            case "CreateViewStatement":
                path = script.path(node.parent.name)
                columns = analyzed.parent.output_column_list
                types = {column.name: column.column.type for column in columns}
                self.put(path, View(text(node.parent.query), types))
                return Result("CREATE_VIEW", target=path)
            case "CreateTableStatement":
                return self._create_table(node, sql, script)
            case "AlterTableStatement":
                return Result("ALTER_TABLE")  # descriptions, which change no row
            case "DropStatement":
                self.put(script.path(node.name), None)
                return Result("DROP_TABLE")
            case "InsertStatement":
                path = script.path(node.target_path)
                columns = [name.id_string for name in node.column_list.identifiers]
                table = self.table(path)
                lists = [", ".join(map(text, row.values)) for row in node.rows.rows]
                query = text(node.query) if node.HasField("query") else ""
                query = query or " union all ".join(f"select {values}" for values in lists)
                added = self._aligned(path, columns, query, script)
                self.put(path, Table(table.types, table.rows + added))
                return Result("INSERT", target=path)
            case "DeleteStatement":
                path = script.path(node.target_path)
                types, pseudo = self.table(path).types, self.table(path).pseudo
                columns = ", ".join(f"`{name}`" for name in types)
                alias = text(node.alias) if node.HasField("alias") else ""
                kept = (
                    f"select {columns} from `{path}` {alias}"
                    f" where not coalesce({text(node.where)}, false)"
                )
                self.put(path, Table(types, self._query(kept, script).rows, pseudo))
                return Result("DELETE", target=path)
            case "UpdateStatement":
                path, items = script.path(node.target_path), node.update_item_list.update_items
                values = {
                    script.path(item.set_value.path): f"if(coalesce({text(node.where)}, false),"
                    f" {text(item.set_value.value)}, {script.path(item.set_value.path)})"
                    for item in items
                }
                types = self.table(path).types
                changed = (
                    f"select {', '.join(values.get(each, each) for each in types)} from `{path}`"
                )
                rows = _converted(self._query(changed, script), types)
                self.put(path, Table(types, rows))
                return Result("UPDATE", target=path)
            case "MergeStatement":
                return self._merge(node, script)
        raise NotImplementedError(f"{kind} is not executed here")

    def _create_table(self, node: Any, sql: str, script: Script) -> Result:
        path = script.path(node.parent.name)
        kind, given = "CREATE_TABLE", {}
        if node.HasField("query"):
            # the query is analyzed where it is run; around it is a table of its columns
            kind, query = "CREATE_TABLE_AS_SELECT", script.text(node.query)
            given = {"its query": self._query(query, script)}
            sql = sql.replace(query, "select * from `its query`")
        columns = self._analyze(sql, given, script).parent.column_definition_list
        types = {column.name: column.type for column in columns}
        if not (node.parent.parent.is_if_not_exists and path in self.relations):
            rows = _converted(given["its query"], types) if given else []
            self.put(path, Table(types, rows))
            self.layouts[path] = (
                [script.text(each) for each in node.partition_by.partitioning_expressions],
                [script.text(each) for each in node.cluster_by.clustering_expressions],
            )
        return Result(kind, target=path)

    def _merge(self, node: Any, script: Script) -> Result:
        """Run the clauses one by one: at most one of each kind, as dbt writes them."""
        text, path = script.text, script.path(node.target_path)
        clauses = {each.match_type: each for each in node.when_clauses.clause_list}
        if len(clauses) != len(node.when_clauses.clause_list):
            raise NotImplementedError("a MERGE with two clauses of one kind")
        given = leaf(node.table_expression)
        old, new = node.alias.identifier.id_string, given.alias.identifier.id_string
        target = f"(select *, true as is_old from `{path}`) as {old}"
        source = f"(select *, true as is_new from ({text(given.subquery)})) as {new}"
        condition = text(node.merge_condition)
        is_never = condition.lower() == "false"

        def unmatched(side: str, other: str, mark: str) -> str:
            join = f"left join {other} on {condition} where {mark} is null"
            return f"from {side} {'where true' if is_never else join}"

        kept = f"select {old}.* except (is_old) {unmatched(target, source, f'{new}.is_new')}"
        if BY_SOURCE in clauses:
            kept += f" and not coalesce({text(clauses[BY_SOURCE].search_condition)}, false)"
        rows = self._query(kept, script).rows
        if MATCHED in clauses:
            items = clauses[MATCHED].action.update_item_list.update_items
            values = {
                script.path(item.set_value.path): text(item.set_value.value) for item in items
            }
            columns = [values.get(name, f"{old}.{name}") for name in self.table(path).types]
            updated = f"select {', '.join(columns)} from {target} join {source} on {condition}"
            rows = rows + _converted(self._query(updated, script), self.table(path).types)
            if len(rows) != len(self.table(path).rows):
                raise ValueError("MERGE must match at most one source row for each target row")
        action = clauses[BY_TARGET].action
        columns = [name.id_string for name in action.insert_column_list.identifiers]
        values = ", ".join(text(each) for each in action.insert_row.values)
        fresh = f"select {new}.* {unmatched(source, target, f'{old}.is_old')}"
        inserted = f"select {values} from ({fresh}) as {new}"
        added = self._aligned(path, columns, inserted, script)
        self.put(path, Table(self.table(path).types, rows + added))
        return Result("MERGE", target=path)

    def _aligned(self, path: str, columns: list[str], query: str, script: Script) -> list[Any]:
        """Give a query's rows as rows of a table; columns that are not named are null."""
        types = self.table(path).types
        given = self._query(query, script)
        places = [columns.index(name) if name in columns else None for name in types]
        null = value_pb2.ValueProto()
        return [
            type(row)(cell=[null if place is None else row.cell[place] for place in places])
            for row in _converted(given, {name: types[name] for name in columns})
        ]

    def parse(self, sql: str) -> list[Any]:
        with self.engine() as engine:
            return engine.parse(sql)

    def _analyze(self, sql: str, tables: dict[str, Table], script: Script) -> Any:
        with self.engine() as engine:
            return leaf(engine.analyze(sql, tables, script.variables))

    def _query(self, sql: str, script: Script) -> Table:
        tables = self._tables_of(sql)
        with self.engine() as engine:
            return engine.query(sql, tables, script.variables)

    def queries_of(self, sql: str) -> Iterator[str]:
        """Give the queries that a script's statements run, but those of views."""
        script = Script(self.named(sql))
        for node in map(leaf, self.parse(script.sql)):
            if node.DESCRIPTOR.name == "ASTMergeStatementProto":
                yield script.text(leaf(node.table_expression).subquery)
            has_query = "query" in node.DESCRIPTOR.fields_by_name and node.HasField("query")
            if has_query and node.DESCRIPTOR.name != "ASTCreateViewStatementProto":
                yield script.text(node.query)

    def resolve(self, sql: str) -> Any:
        """Resolve a query that may name no view, with the columns that it needs of each table."""
        tables = self._tables_of(sql)
        with self.engine() as engine:
            engine.options.prune_unused_columns = True
            try:
                return leaf(engine.analyze(sql, tables))
            finally:
                engine.options.prune_unused_columns = False

    def _tables_of(self, sql: str) -> dict[str, Table]:
        with self.engine() as engine:
            paths = engine.tables_of(sql)
        return {path: self.table(path) for path in paths if path in self.relations}


def _converted(found: Table, types: dict[str, Any]) -> list[Any]:
    """Give a query's rows for columns of these types, which its own must be already."""
    for place, (name, kind) in enumerate(types.items()):
        given = list(found.types.values())[place]
        if given != kind and any(row.cell[place].WhichOneof("value") for row in found.rows):
            raise TypeError(f"{name} would need a conversion, which is not done here")
    return found.rows
