#!/usr/bin/env python3
"""Refuses words of scripts/prose_vocabulary.txt in docs, comments, messages and names of tests.

usage: scripts/lint_prose.py [FILE…]    default: all text files that git tracks
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VOCABULARY = ROOT / "scripts/prose_vocabulary.txt"
KINDS = {".md", ".yml", ".yaml", ".sql", ".py", ".toml", ".html", ".js", ".example", ".tf", ""}
DATA = ("examples/logs/", "examples/recorded/", "requirements/", "LICENSE")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
TEST_NAME = re.compile(r"\btest_\w+")
# what may come between two words of a phrase: a line's end, indentation, a comment mark
GAP = r"\s+(?:(?:#|--|//|\*|>)\s+)?"


def rules() -> list[tuple[re.Pattern[str], str]]:
    lines = VOCABULARY.read_text().splitlines()
    pairs = [re.split(r"\s{2,}", line) for line in lines if line and not line.startswith("#")]
    return [
        (re.compile(rf"(?<![\w-])(?:{phrase.replace(' ', GAP)})(?![\w-])", re.IGNORECASE), instead)
        for phrase, instead in pairs
    ]


def tracked() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    allowed = (ROOT / "scripts/prose_allow.txt").read_text().split()
    return [
        Path(name)
        for name in listed
        if Path(name).suffix in KINDS and not name.startswith(DATA) and name not in allowed
    ]


def blank(code: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", code.group())


def main(names: list[str]) -> int:
    found = 0
    patterns = rules()
    for path in map(Path, names) if names else tracked():
        if (ROOT / path).resolve() == VOCABULARY.resolve():
            continue
        text = (ROOT / path).read_text()
        if path.suffix == ".md":
            text = CODE.sub(blank, text)
        text = TEST_NAME.sub(lambda name: name.group().replace("_", " "), text)
        for pattern, instead in patterns:
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                words = " ".join(match.group().split())
                print(f"{path}:{line}: {words!r}: {instead}")
                found += 1
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
