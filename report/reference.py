"""Writes the reference of all tables and columns as one page, from dbt's manifest: `make docs`.

usage: python -m report.reference target/manifest.json target/reference.html
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PAGE = Path(__file__).parent / "page"
# title, what it holds, and where its nodes are
LAYERS = [
    ("Marts", "Public: columns are a promise.", "models/marts/"),
    ("Seeds", "Rules that you can edit.", "seeds/"),
    ("Intermediate models", "Private: they can change with any release.", "models/intermediate/"),
    ("Staging models", "Private: rows of raw, renamed and typed.", "models/staging/"),
]
Node = dict[str, Any]


def main() -> int:
    manifest, output = (Path(argument) for argument in sys.argv[1:])
    html = render(json.loads(manifest.read_text(encoding="utf-8")))
    output.write_text(html, encoding="utf-8")
    print(f"{output}: {len(html.encode()):,} bytes")
    return 0


def render(manifest: Node) -> str:
    """Return the page, with style and script inside."""
    nodes = sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
    tables = [node for node in nodes if node["resource_type"] in ("model", "seed")]
    sources = sorted(manifest["sources"].values(), key=lambda node: str(node["name"]))
    names = {node["unique_id"]: node["name"] for node in [*tables, *sources]}
    layers = [
        (title, note, [described(node, manifest, names) for node in tables if is_in(node, path)])
        for title, note, path in LAYERS
    ]
    raw = [described(node, manifest, names) for node in sources]
    jinja = Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined)
    return jinja.get_template("reference.html").render(
        style=(PAGE / "style.css").read_text(encoding="utf-8"),
        layers=[*layers, ("Raw tables", "What the loader lands.", raw)],
        metrics=sorted(manifest["metrics"].values(), key=lambda metric: str(metric["name"])),
        questions=[
            (node["name"], question(node["raw_code"]))
            for node in nodes
            if node["resource_type"] == "analysis" and is_in(node, "analyses/")
        ],
    )


def is_in(node: Node, path: str) -> bool:
    return str(node["original_file_path"]).startswith(path)


def described(node: Node, manifest: Node, names: dict[str, str]) -> Node:
    """Return what the page shows of a table."""

    def linked(found: Iterable[str]) -> list[str]:
        return sorted(names[each] for each in found if each in names)

    return {
        "name": node["name"],
        "description": node["description"],
        "columns": list(node["columns"].values()),
        "reads": linked(manifest["parent_map"].get(node["unique_id"], [])),
        "read_by": linked(manifest["child_map"].get(node["unique_id"], [])),
    }


def question(sql: str) -> str:
    """Return the comment that begins an analysis."""
    comment = re.match(r"(?:-- .*\n)+", sql)
    return " ".join(line.removeprefix("-- ") for line in comment[0].splitlines()) if comment else ""


if __name__ == "__main__":
    sys.exit(main())
