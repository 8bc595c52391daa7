"""Asks the marts on DuckDB."""

import re
from pathlib import Path

import duckdb
from rich.table import Table

from commands.output import out, say


def run(question: str, database: Path) -> int:
    """Answer SQL, or a file of SQL statements, each titled by its first comment."""
    path = Path(question)
    text = path.read_text() if path.suffix == ".sql" else question
    with duckdb.connect(str(database), read_only=True) as connection:
        # The marts' names go without their schema: a database file named like it, as the default
        # is, makes `pullstats.dim_images` ambiguous for DuckDB.
        ((catalog,),) = connection.execute("select current_database()").fetchall()
        if connection.execute(
            "select 1 from duckdb_schemas() where schema_name = 'pullstats'"
        ).fetchall():
            connection.execute(f'use "{catalog}".pullstats')
        for statement in filter(str.strip, re.split(r";\s*(?:\n|$)", text)):
            result = connection.execute(statement)
            title = re.match(r"\s*-- (.*)", statement)
            if title:
                say(f"\n{title[1]}")
            found = result.fetchall()
            if [len(row) for row in found] == [1]:
                say(_cell(found[0][0]))
            else:
                out.print(_table([name for name, *_ in result.description], found))
    return 0


def _table(names: list[str], found: list[tuple[object, ...]]) -> Table:
    table = Table(*names)
    for column, value in zip(table.columns, found[0] if found else (), strict=False):
        if isinstance(value, int):
            column.justify = "right"
    for row in found:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value}"
