#!/usr/bin/env python3
"""Draws the lineage of folders of models from dbt's manifest, between two marks of README.

usage: scripts/lineage.py target/manifest.json README.md
"""

import json
import sys
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

BEGIN, END = "<!-- lineage: made by make screenshots -->\n", "<!-- end of lineage -->\n"
# Raw tables are left out: each folder of staging reads the source of its name.
LAYERS = ("staging", "intermediate", "marts")
Node = dict[str, Any]
Box = tuple[str, str]
Arrow = tuple[Box, Box]


def main() -> None:
    manifest, page = (Path(argument) for argument in sys.argv[1:])
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    drawn = draw(json.loads(manifest.read_text(encoding="utf-8")))
    page.write_text(before + BEGIN + drawn + END + after, encoding="utf-8")


def draw(manifest: Node) -> str:
    """Return a flow chart: a box for each folder, arrows for refs."""
    boxes = {
        key: box
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and (box := box_of(node))[0] in LAYERS
        # models read these only for the days that they restate
        and box[1] != "build_days"
    }
    arrows = without_detours(
        {
            (boxes[parent], boxes[child])
            for child, parents in manifest["parent_map"].items()
            for parent in parents
            if child in boxes and parent in boxes and boxes[child] != boxes[parent]
        }
    )
    lines = ["```mermaid", "flowchart LR"]
    for layer in LAYERS:
        names = {box for arrow in arrows for box in arrow if box[0] == layer}
        lines.append(f"    subgraph {layer}")
        lines += [f"        {name(box)}[{box[1].replace('_', ' ')}]" for box in sorted(names)]
        lines.append("    end")
    for start, found in groupby(arrows, key=itemgetter(0)):
        ends = " & ".join(name(end) for _, end in found)
        lines.append(f"    {name(start)} --> {ends}")
    return "\n".join([*lines, "```", ""])


def box_of(node: Node) -> Box:
    _, layer, *folders = PurePosixPath(node["original_file_path"]).parts
    return layer, folders[0].removesuffix(".sql")


def name(box: Box) -> str:
    return "_".join(box)


def without_detours(arrows: set[Arrow]) -> list[Arrow]:
    """Leave out an arrow where others lead to the same box."""
    kept = sorted(arrows, key=lambda arrow: [(LAYERS.index(box[0]), box[1]) for box in arrow])
    for arrow in list(kept):
        others = [each for each in kept if each != arrow]
        if is_reached(*arrow, others):
            kept = others
    return kept


def is_reached(start: Box, end: Box, arrows: list[Arrow]) -> bool:
    reached = {start}
    while more := {child for parent, child in arrows if parent in reached} - reached:
        reached |= more
    return end in reached


if __name__ == "__main__":
    main()
