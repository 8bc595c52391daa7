#!/usr/bin/env python3
"""Refuses words of scripts/prose_vocabulary.txt in docs, comments, messages and names of tests.

In pages, which are the Markdown files outside models/, and in descriptions of dbt's resources, it
also refuses sentences of more than LONGEST words.

usage: scripts/lint_prose.py [FILE…]    default: all text files that git tracks
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
VOCABULARY = ROOT / "scripts/prose_vocabulary.txt"
KINDS = {".md", ".yml", ".yaml", ".sql", ".py", ".toml", ".html", ".js", ".example", ".tf", ""}
OF_DBT = ("models", "macros", "seeds", "tests", "analyses")
DATA = ("examples/logs/", "examples/recorded/", "requirements/", "LICENSE")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LONGEST = 30
NOT_PROSE = re.compile(r"```.*?```|<!-- made by .*?<!-- end|\([^()]*\)", re.DOTALL)
ENTRY = r"[ ]*(?:[-*]|\d+\.)[ ]"
NO_TEXT = r"[ ]*(?:[|#<]|!?\[!|$)"
PARAGRAPH = re.compile(rf"^(?!{NO_TEXT})(?:{ENTRY})?.+(?:\n(?!{NO_TEXT}|{ENTRY}).+)*", re.MULTILINE)
SENTENCE = re.compile(r"(?:[^.!?]|[.!?](?![*\")]*(?:\s|$)))+")
DOCS_BLOCK = re.compile(r"{% docs (\w+) %}(.*?){% enddocs %}", re.DOTALL)
TEST_NAME = re.compile(r"\btest_\w+")
# what may come between two words of a phrase: a line's end, indentation, a comment mark
GAP = r"\s+(?:(?:#|--|//|\*|>)\s+)?"


def rules() -> list[tuple[re.Pattern[str], str, str]]:
    """Return the patterns, what to write instead, and "page" if a pattern is for pages only."""
    lines = VOCABULARY.read_text().splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines if line and not line.startswith("#")]
    return [
        (
            re.compile(rf"(?<![\w-])(?:{phrase.replace(' ', GAP)})(?![\w-])", re.IGNORECASE),
            instead,
            "".join(scope),
        )
        for phrase, instead, *scope in rows
    ]


def tracked() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    return [
        Path(name) for name in listed if Path(name).suffix in KINDS and not name.startswith(DATA)
    ]


def blank(code: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", code.group())


def long_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place and the number of words of each sentence that is too long."""
    text = NOT_PROSE.sub(blank, text)
    for paragraph in PARAGRAPH.finditer(text):
        for sentence in SENTENCE.finditer(text, *paragraph.span()):
            words = len(sentence.group().split())
            if words > LONGEST:
                yield sentence.start(), words


def described(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of a file's descriptions of models, columns, macros, and so on."""
    if path.suffix == ".md":
        yield from DOCS_BLOCK.findall(text)
    elif path.suffix == ".yml" and path.parts[0] in OF_DBT:
        yield from in_yaml(yaml.safe_load(text), path.name)


def in_yaml(node: Any, name: str) -> Iterator[tuple[str, str]]:
    children = node if isinstance(node, list) else node.values() if isinstance(node, dict) else []
    if isinstance(node, dict):
        name = str(node.get("name", name))
        if "description" in node:
            yield name, str(node["description"])
    for child in children:
        yield from in_yaml(child, name)


def main(names: list[str]) -> int:
    found = 0
    patterns = rules()
    for path in map(Path, names) if names else tracked():
        if (ROOT / path).resolve() == VOCABULARY.resolve():
            continue
        text = (ROOT / path).read_text()
        is_page = path.suffix == ".md" and path.parts[0] != "models"
        if is_page:
            for start, length in long_sentences(text):
                line = text.count("\n", 0, start) + 1
                print(f"{path}:{line}: a sentence of {length} words: write several")
                found += 1
        for name, description in described(path, text):
            for _, length in long_sentences(description):
                print(f"{path}: {name}: a sentence of {length} words: write several")
                found += 1
            for pattern, instead, scope in patterns:
                if scope == "page" and (match := pattern.search(description)):
                    print(f"{path}: {name}: {match.group()!r}: {instead}")
                    found += 1
        if path.suffix == ".md":
            text = CODE.sub(blank, text)
        text = TEST_NAME.sub(lambda name: name.group().replace("_", " "), text)
        for pattern, instead, scope in patterns:
            if scope == "page" and not is_page:
                continue
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                words = " ".join(match.group().split())
                print(f"{path}:{line}: {words!r}: {instead}")
                found += 1
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
