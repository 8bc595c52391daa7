"""Collects the pages of the documentation in build/docs, from which `make docs` builds the site.

The pages are those of docs/, some of the repository's root, and the reference of tables and
columns, which comes from the manifest that dbt writes.

usage: scripts/docs_site.py target/manifest.json build/docs
"""

import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ROOT_PAGES = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
LAYERS = {
    "marts": ("Marts", "The marts are public: their columns don't change without notice."),
    "intermediate": ("Intermediate models", "Private: any release can change these models."),
    "staging": ("Staging models", "Private: these models rename and type the raw tables."),
}
DRAWING = re.compile(r"```mermaid.*?```", re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
Node = dict[str, Any]


def main() -> None:
    manifest, site = (Path(argument) for argument in sys.argv[1:])
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(ROOT / "docs", site)
    for name in ROOT_PAGES:
        shutil.copy(ROOT / name, site)
    about = (ROOT / "README.md").read_text(encoding="utf-8")
    (site / "about.md").write_text(DRAWING.sub("[The lineage](lineage.html)", about), "utf-8")
    pages = {path.name for path in site.iterdir()}
    for path in site.glob("*.md"):
        path.write_text(with_links_on_site(path.read_text(encoding="utf-8"), pages), "utf-8")
    (site / "reference").mkdir()
    for name, text in reference(json.loads(manifest.read_text(encoding="utf-8"))).items():
        (site / "reference" / f"{name}.md").write_text(text, "utf-8")


def with_links_on_site(markdown: str, pages: set[str]) -> str:
    """Point links of the repository to pages of the site; keep the text of those to other files."""

    def on_site(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        name = re.sub(r"^(\.\./|docs/)+", "", target)
        if name == "README.md":
            return f"[{text}](about.md{anchor})"
        if name == "lineage.html":  # dbt's page is no source of the site
            return f'<a href="{name}">{text}</a>'
        is_page = name in pages or name.startswith("reference/")
        return f"[{text}]({name}{anchor})" if is_page else text

    return LINK.sub(on_site, markdown)


def reference(manifest: Node) -> dict[str, str]:
    """Return the text of each page of the reference."""
    nodes = [node for node in manifest["nodes"].values() if node["package_name"] == "pullstats"]
    models = {
        layer: [
            node
            for node in nodes
            if node["resource_type"] == "model"
            and node["original_file_path"].startswith(f"models/{layer}/")
        ]
        for layer in LAYERS
    }
    seeds = [node for node in nodes if node["resource_type"] == "seed"]
    places = {
        node["unique_id"]: (node["name"], page)
        for page, found in {
            **models,
            "seeds": seeds,
            "sources": list(manifest["sources"].values()),
        }.items()
        for node in found
    }

    def tables(found: Iterable[Node]) -> str:
        ordered = sorted(found, key=lambda node: str(node["name"]))
        return "\n".join(entry(node, manifest, places) for node in ordered)

    questions = [node for node in nodes if node["original_file_path"].startswith("analyses/")]
    return {
        **{
            layer: f"# {title}\n\n{note}\n\n{tables(models[layer])}"
            for layer, (title, note) in LAYERS.items()
        },
        "seeds": f"# Seeds\n\nSeeds hold rules that you can edit.\n\n{tables(seeds)}",
        "sources": "# Raw tables\n\nThe loader or a sink of Cloud Logging writes these tables.\n\n"
        + tables(manifest["sources"].values()),
        "questions": "# All questions\n\nAsk a question with `pullstats ask NAME`.\n\n"
        "| question | answers | options |\n|---|---|---|\n"
        + "".join(
            f"| `{each['name']}` | {cell(each['description'])} | {options(each)} |\n"
            for each in sorted(questions, key=lambda node: str(node["name"]))
        ),
    }


def entry(node: Node, manifest: Node, places: dict[str, tuple[str, str]]) -> str:
    """Return one table's section: description, neighbors, columns."""

    def links(ids: Iterable[str]) -> str:
        found = sorted({places[each] for each in ids if each in places})
        return ", ".join(f"[{name}]({page}.md#{name})" for name, page in found)

    lines = [f"## {node['name']} {{ #{node['name']} }}", "", node["description"].strip(), ""]
    reads = links(manifest["parent_map"].get(node["unique_id"], []))
    readers = links(manifest["child_map"].get(node["unique_id"], []))
    lines += [f"Reads: {reads}.", ""] if reads else []
    lines += [f"Read by: {readers}.", ""] if readers else []
    if node["columns"]:
        lines += ["| column | type | description |", "|---|---|---|"]
        lines += [
            f'| <span id="{node["name"]}.{column["name"]}">`{column["name"]}`</span>'
            f" | {column['data_type'] or ''} | {cell(column['description'])} |"
            for column in node["columns"].values()
        ]
    return "\n".join([*lines, ""])


def options(question: Node) -> str:
    parameters = question["config"].get("meta", {}).get("parameters", {})
    return "<br>".join(
        f"`--{name.replace('_', '-')}`: {cell(each['description'])}"
        for name, each in parameters.items()
    )


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
