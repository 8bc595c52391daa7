"""Runs local-bigquery 0.3.2 with three of its faults fixed; started by emulators.py.

It leaves out the geography functions, which would need one more extension of DuckDB.
"""

import threading

import sqlglot
from local_bigquery.cli import main
from local_bigquery.engine import database
from local_bigquery.jobs import query, runner, store
from local_bigquery.sql import script
from sqlglot import exp

_execute, _set = query.execute, script.Interpreter.set


def _execute_and_name_the_table(*arguments, dry_run=False, **options):
    """BigQuery names the table that a CREATE TABLE AS SELECT has made as the job's destination.

    dbt-bigquery asks for that table.
    """
    statistics, children, destination = _execute(*arguments, dry_run=dry_run, **options)
    if statistics.statementType == "CREATE_TABLE_AS_SELECT" and not dry_run:
        destination = destination or statistics.ddlTargetTable
    return statistics, children, destination


def _set_from_struct(self, statement):
    """BigQuery assigns `set (a, b) = (select as struct …)` field by field.

    dbt-bigquery's insert_overwrite does it.
    """
    tree = sqlglot.parse_one(statement.text, dialect=script.BigQueryDialect)
    target, value = tree.expressions[0].this.this, tree.expressions[0].this.expression
    select = value.unnest() if value is not None else None
    if not (
        isinstance(target, exp.Paren | exp.Tuple)
        and isinstance(select, exp.Select)
        and select.args.get("kind") == "STRUCT"
    ):
        _set(self, statement)
        return
    names = [target.this] if isinstance(target, exp.Paren) else target.expressions
    for name, field in zip(names, select.expressions, strict=True):
        one = select.copy()
        one.set("kind", None)
        one.set("expressions", [field.copy()])
        self.assign(self.variable(name.name), exp.Subquery(this=one))


def _extract_group(arguments, dialect):
    """BigQuery extracts the group of a pattern, if it has one, wherever the pattern comes from.

    The emulator looks for a group in literals only; ours from columns (seeds) have one.
    """
    node = _regexp_extract(arguments, dialect)
    if not isinstance(node.expression, exp.Literal | exp.RawString):
        node.set("group", exp.Literal.number(1))
    return node


functions = script.BigQueryDialect.Parser.FUNCTIONS
_regexp_extract = functions["REGEXP_EXTRACT"]
functions["REGEXP_EXTRACT"] = _extract_group


def _one_at_a_time(function):
    """BigQuery takes the id of a job once, however many ask for it in the same moment."""

    def locked(*arguments, **options):
        with _lock:
            return function(*arguments, **options)

    return locked


_lock = threading.RLock()
runner.submit = _one_at_a_time(runner.submit)
store.save = _one_at_a_time(store.save)
database.FUNCTIONS[:] = [path for path in database.FUNCTIONS if path.stem != "geography"]
query.execute = _execute_and_name_the_table
script.Interpreter.set = _set_from_struct
main()
