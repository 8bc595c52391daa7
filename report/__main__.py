"""Reads the marts of a target and writes the page.

usage: python -m report [--target local|bigquery] [--vars YAML] [--output target/report.html]
"""

import argparse
import base64
import gzip
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dbt.cli.main import dbtRunner
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from report import charts, data

PAGE = Path(__file__).parent / "page"
SCRIPTS = (
    *("rows.js", "tables.js", "plots.js"),
    *("sections.js", "more_sections.js", "egress_failures_tags.js", "page.js"),
)
COUNTING = data.ROOT / "docs/counting.md"


def main(arguments: Sequence[str] | None = None, dbt: dbtRunner | None = None) -> int:
    """Write the page; exit codes: 0 well, 1 the marts can't be read or the page not written."""
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    parser.add_argument("--target", help="target of profiles.yml (else its default)")
    parser.add_argument("--profiles-dir", help="folder of profiles.yml")
    parser.add_argument("--vars", help="variables of the dbt project, as YAML")
    parser.add_argument("--output", type=Path, default=data.ROOT / "target/report.html")
    options = parser.parse_args(arguments)
    dbt_options = [
        *(("--target", options.target) if options.target else ()),
        *(("--profiles-dir", options.profiles_dir) if options.profiles_dir else ()),
        *(("--vars", options.vars) if options.vars else ()),
    ]
    try:
        tables, sql = data.read(dbt or dbtRunner(), dbt_options)
    except data.QueryError as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    html = render(tables, sql, datetime.now(UTC))
    unfinished = options.output.with_suffix(".unfinished")
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(html, encoding="utf-8")
        unfinished.replace(options.output)
    except OSError as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    print(f"{os.path.relpath(options.output)}: {len(html.encode()):,} bytes")
    return 0


def render(tables: dict[str, data.Table], sql: dict[str, str], made_at: datetime) -> str:
    """Return the page, with its style, scripts and data inside."""
    jinja = Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined)
    moment = f"{made_at:%Y-%m-%d %H:%M}"
    content = {"tables": tables, "charts": charts.specifications(), "made_at": moment}
    return jinja.get_template("page.html").render(
        style=(PAGE / "style.css").read_text(encoding="utf-8"),
        scripts=[(PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS],
        library=charts.library().replace("</script", "<\\/script"),
        data=packed(content),
        sql=dict(sorted(sql.items())),
        made_at=moment,
        counting_error=counting_error(),
    )


def packed(content: object) -> str:
    """Return JSON as base64 of gzip: a fifth of its size, and nothing in it can end a script."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def counting_error() -> dict[str, str]:
    """Return the measured error as docs/counting.md has it, which a test keeps true."""
    found = re.search(
        r"(?P<truth>[\d,]+) of these are pulls that the log shows, (?P<counted>[\d,]+) are counted:"
        r" (?P<over>\d+) too many and (?P<under>\d+) too few.* \*\*(?P<error>[\d.]+%)\*\*",
        COUNTING.read_text(encoding="utf-8"),
    )
    if not found:
        raise ValueError(f"{COUNTING}: the measured error is not where `make accuracy` writes it")
    return found.groupdict()


if __name__ == "__main__":
    sys.exit(main())
