"""docs/counting.md, the models and their unit tests name the same rules."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from integration_tests.project import ROOT

MODELS = ROOT / "models"


@cache
def rules() -> dict[str, tuple[set[str], set[str]]]:
    """The models and the unit tests that each rule names."""
    text = (ROOT / "docs/counting.md").read_text(encoding="utf-8")
    found = {}
    for rule, body in re.findall(r"^### ([A-Z]\d+)\. .*?\n(.*?)(?=^##)", text, re.M | re.S):
        line = re.findall(r"^(`int_[^\n]*(?:\n`[^\n]*)?`)$", body, re.M)[-1]
        models, tests = line.split(" ·")
        found[rule] = (set(re.findall(r"`(\w+)`", models)), set(re.findall(r"`(\w+)`", tests)))
    return found


@cache
def described() -> tuple[dict[str, set[str]], dict[str, str]]:
    """The rules that each model's description names, and the model of each unit test."""
    named: dict[str, set[str]] = {}
    tested: dict[str, str] = {}
    for path in MODELS.rglob("*.yml"):
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        for model in content.get("models", []):
            last = re.search(r"\bRules? ([A-Z]\d[^.]*)\.\s*$", model.get("description", ""))
            if last:
                named[model["name"]] = numbers(last[1])
        for test in content.get("unit_tests", []):
            tested[test["name"]] = test["model"]
    return named, tested


def numbers(text: str) -> set[str]:
    """The rules of a list such as `B6 to B8 and B10`."""
    found = set(re.findall(r"[A-Z]\d+", text))
    for kind, first, last in re.findall(r"([A-Z])(\d+) to [A-Z](\d+)", text):
        found |= {f"{kind}{number}" for number in range(int(first), int(last) + 1)}
    return found


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_rule_names_its_models_and_a_unit_test_of_one(rule: str) -> None:
    models, tests = rules()[rule]
    named, tested = described()
    assert models == {model for model, held in named.items() if rule in held}
    assert {tested.get(test) for test in tests} <= models
    assert tests


def test_a_model_names_no_rule_that_the_page_does_not_have() -> None:
    named, _ = described()
    assert set().union(*named.values()) <= set(rules())
