"""What the engines write differently is in macros/ only."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from integration_tests.bigquery.googlesql import GoogleSQL
from integration_tests.project import ROOT

OUTSIDE = [
    path
    for folder in ("models", "analyses", "tests")
    for kind in ("sql", "yml")
    for path in sorted((ROOT / folder).rglob(f"*.{kind}"))
]
# Words before a parenthesis that are no functions; what both engines build in as syntax.
SYNTAX = """
all and any as by case cast coalesce count distinct else except exists extract filter from
grouping if in intersect interval join limit not nullif on or order over partition rollup select
sets then union unnest using values when where with int64
"""
# Both know the name, and mean something else by it.
FALSE_FRIENDS = {"regexp_extract", "format", "round", "substr", "split", "date_trunc", "date_diff"}

# In a package, dbt looks for the name in the project that installs it first.
BARE_REF = re.compile(r"""\bref\(\s*(?:'[^']*'|"[^"]*")\s*\)""")


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.name)
def test_each_reference_names_its_package(path: Path) -> None:
    assert not BARE_REF.findall(path.read_text())


@pytest.fixture(scope="module")
def common() -> set[str]:
    """Functions that both engines know by the same name."""
    on_duckdb = duckdb.sql(
        "select distinct lower(function_name) from duckdb_functions()"
    ).fetchall()
    on_bigquery = {name.split(".")[-1].removeprefix("$") for name in GoogleSQL().functions()}
    return {name for (name,) in on_duckdb} & on_bigquery - FALSE_FRIENDS | set(SYNTAX.split())


def sql_of(path: Path) -> str:
    """Give a file's SQL without Jinja, comments and strings; of YAML, only what Jinja is in it."""
    text = path.read_text()
    if path.suffix == ".yml":
        return ""
    text = re.sub(r"{{.*?}}|{%.*?%}|{#.*?#}", " ", text, flags=re.DOTALL)
    return re.sub(r"--[^\n]*|'[^']*'", " ", text)


def faults(path: Path, common: set[str]) -> Iterator[str]:
    for name in re.findall(r"(?:target|adapter)[.]type\b", path.read_text()):
        yield f"{name}: dispatch a macro instead"
    sql = sql_of(path)
    if "::" in sql:
        yield ":: is a cast of DuckDB only"
    for name in sorted(set(re.findall(r"\b([a-z_0-9.]+)\s*[(]", sql.lower())) - common):
        yield f"{name}() is not one function on both engines"
    for kind in re.findall(r"cast\([^()]* as ([a-z0-9 ]+)\)", sql.lower()):
        if kind not in ("string", "int64", "date", "timestamp", "boolean"):
            yield f"{kind} is not a type on both engines"


def test_nothing_outside_macros_names_an_engine(common: set[str]) -> None:
    found = {
        str(path.relative_to(ROOT)): faults_found
        for path in OUTSIDE
        if (faults_found := list(faults(path, common)))
    }
    assert not found


@pytest.mark.parametrize(
    "sql",
    [
        "select regexp_extract(a, 'b')",
        "select a::date",
        "select timestamp_micros(a)",
        "select make_timestamp(a)",
        "select safe_cast(a as int64)",
        "select cast(a as varchar)",
        "{% if target.type == 'duckdb' %} select 1 {% endif %}",
    ],
)
def test_sql_of_one_engine_is_found(sql: str, common: set[str], tmp_path: Path) -> None:
    path = tmp_path / "model.sql"
    path.write_text(sql)
    assert list(faults(path, common))


def test_few_macros_are_dispatched(record_property: Callable[[str, object], None]) -> None:
    text = "".join(path.read_text() for path in sorted((ROOT / "macros").rglob("*.sql")))
    dispatched = set(re.findall(r"adapter[.]dispatch\('(\w+)', 'pullstats'\)", text))
    for name in dispatched:
        assert f"macro duckdb__{name}(" in text
        assert f"macro bigquery__{name}(" in text
    figure = f"{len(dispatched)} ({', '.join(sorted(dispatched))})"
    record_property("macros that differ by engine", figure)
    assert len(dispatched) <= 24
