"""The 29 rules of dbt-project-evaluator, by its names and defaults, over dbt's manifest.

The package itself comes from dbt's hub and brings dbt_utils; here the rules are functions over the
graph. Each yields the names of what breaks it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

LAYERS = {
    "stg_": "staging",
    "int_": "intermediate",
    "fct_": "marts",
    "dim_": "marts",
    "rpt_": "report",
}
LEAVES_PER_MODEL = 3
PARENTS_PER_MODEL = 7
VIEWS_IN_A_CHAIN = 5
HARD_CODED = re.compile(
    r"""\b(?:from|join)\s+(?:\{\{\s*var\s*\(|[`"\[]?\w+-?\w*[`"\]]?\.[`"\[]?\w+|[`"\[]\w)""", re.I
)

Node = dict[str, Any]
Rule = Callable[["Graph"], Iterator[str]]


class Graph:
    """What the project defines, without its tests, and what depends on what."""

    def __init__(self, manifest: Node) -> None:
        project = manifest["metadata"]["project_name"]
        kinds = ("nodes", "sources", "exposures")
        nodes = {
            key: node
            for kind in kinds
            for key, node in manifest[kind].items()
            if node["package_name"] == project
        }
        self.tests = [node for node in nodes.values() if node["resource_type"] == "test"]
        self.nodes = {
            key: node
            for key, node in nodes.items()
            if node["resource_type"] in ("model", "seed", "source", "exposure")
        }
        self.parents = {
            key: [
                one
                for one in node.get("depends_on", {}).get("nodes", [])
                if one in self.nodes and not self.lists_days(one)
            ]
            for key, node in self.nodes.items()
        }
        self.children = defaultdict(list)
        for child, parents in self.parents.items():
            for parent in parents:
                self.children[parent].append(child)

    def lists_days(self, key: str) -> bool:
        """Whether models read it for the days that they restate, and join none of its rows."""
        return self.nodes[key]["original_file_path"].startswith("models/intermediate/build_days/")

    def of(self, kind: str) -> Iterator[tuple[str, Node]]:
        return ((key, node) for key, node in self.nodes.items() if node["resource_type"] == kind)

    def kind(self, key: str) -> str:
        return str(self.nodes[key]["resource_type"])

    def layer(self, key: str) -> str | None:
        if self.kind(key) != "model":
            return None
        path = PurePosixPath(self.nodes[key]["original_file_path"])
        prefix = self.nodes[key]["name"].split("_")[0] + "_"
        folders = [part for part in path.parent.parts if part in LAYERS.values()]
        return LAYERS.get(prefix) or (folders[-1] if folders else "other")

    def name(self, key: str) -> str:
        node = self.nodes[key]
        source = f"{node['source_name']}." if node["resource_type"] == "source" else ""
        return f"{source}{node['name']}"

    def edges(self, parent: str, child: str) -> Iterator[tuple[str, str]]:
        for key, parents in self.parents.items():
            for one in parents:
                if child in (self.kind(key), self.layer(key)) and parent in (
                    self.kind(one),
                    self.layer(one),
                ):
                    yield one, key

    @cached_property
    def tests_of(self) -> dict[str, list[Node]]:
        tests = defaultdict(list)
        for test in self.tests:
            tests[test.get("attached_node") or ""].append(test)
        return tests


def direct_join_to_source(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("model"):
        if {"model", "source"} <= {graph.kind(parent) for parent in graph.parents[key]}:
            yield graph.name(key)


def duplicate_sources(graph: Graph) -> Iterator[str]:
    seen = set()
    for key, node in graph.of("source"):
        place = (node["database"], node["schema"], node["identifier"])
        if place in seen:
            yield graph.name(key)
        seen.add(place)


def hard_coded_references(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        if HARD_CODED.search(re.sub(r"--.*", "", node["raw_code"])):
            yield graph.name(key)


def marts_or_intermediate_dependent_on_source(graph: Graph) -> Iterator[str]:
    for layer in ("marts", "intermediate"):
        for _, child in graph.edges("source", layer):
            yield graph.name(child)


def model_fanout(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("model"):
        leaves = [
            child
            for child in graph.children[key]
            if graph.kind(child) == "model" and not graph.children[child]
        ]
        if len(leaves) >= LEAVES_PER_MODEL:
            yield graph.name(key)


def multiple_sources_joined(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("model"):
        if sum(graph.kind(parent) == "source" for parent in graph.parents[key]) > 1:
            yield graph.name(key)


def rejoining_of_upstream_concepts(graph: Graph) -> Iterator[str]:
    tables = ("model", "seed", "source")
    for child, parents in graph.parents.items():
        for between in parents:
            users = [one for one in graph.children[between] if graph.kind(one) in tables]
            if users == [child]:
                for parent in set(graph.parents[between]) & set(parents):
                    yield " → ".join(map(graph.name, (parent, between, child)))


def root_models(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        if not graph.parents[key] and not node.get("time_spine"):
            yield graph.name(key)


def source_fanout(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("source"):
        if sum(graph.kind(child) == "model" for child in graph.children[key]) > 1:
            yield graph.name(key)


def staging_dependent_on_marts_or_intermediate(graph: Graph) -> Iterator[str]:
    for layer in ("marts", "intermediate"):
        for _, child in graph.edges(layer, "staging"):
            yield graph.name(child)


def staging_dependent_on_staging(graph: Graph) -> Iterator[str]:
    for _, child in graph.edges("staging", "staging"):
        yield graph.name(child)


def too_many_joins(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("model"):
        if len(set(graph.parents[key])) >= PARENTS_PER_MODEL:
            yield graph.name(key)


def unused_sources(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("source"):
        if not graph.children[key]:
            yield graph.name(key)


def undocumented_models(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        if not node["description"]:
            yield graph.name(key)


def documentation_coverage(graph: Graph) -> Iterator[str]:
    yield from undocumented_models(graph)  # the target is 100 %


def undocumented_source_tables(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("source"):
        if not node["description"]:
            yield graph.name(key)


def undocumented_sources(graph: Graph) -> Iterator[str]:
    for _, node in graph.of("source"):
        if not node["source_description"]:
            yield node["source_name"]


def exposures_dependent_on_private_models(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("exposure"):
        for parent in graph.parents[key]:
            if graph.kind(parent) != "model" or graph.nodes[parent]["access"] != "public":
                yield f"{graph.name(parent)} → {graph.name(key)}"


def public_models_without_contract(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        if node["access"] == "public" and not node["contract"]["enforced"]:
            yield graph.name(key)


def undocumented_public_models(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        described = [column["description"] for column in node["columns"].values()]
        documented = node["description"] and described and all(described)
        if node["access"] == "public" and not documented:
            yield graph.name(key)


def counts_that_are_no_plurals(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        for column in node["columns"]:
            if node["access"] == "public" and re.search(r"(^|_)(count|num|number|n)$", column):
                yield f"{graph.name(key)}.{column}"


def chained_views_dependencies(graph: Graph) -> Iterator[str]:
    def views_above(key: str) -> int:
        parents = [
            parent
            for parent in graph.parents[key]
            if graph.nodes[parent].get("config", {}).get("materialized") in ("view", "ephemeral")
        ]
        return max((1 + views_above(parent) for parent in parents), default=0)

    for key, _ in graph.of("model"):
        if views_above(key) > VIEWS_IN_A_CHAIN:
            yield graph.name(key)


def exposure_parents_materializations(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("exposure"):
        for parent in graph.parents[key]:
            materialized = graph.nodes[parent].get("config", {}).get("materialized")
            if graph.kind(parent) == "source" or materialized in ("view", "ephemeral"):
                yield f"{graph.name(parent)} → {graph.name(key)}"


def model_directories(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        folders = PurePosixPath(node["original_file_path"]).parent.parts
        layers = [part for part in folders if part in LAYERS.values()]
        sources = {
            graph.nodes[parent]["source_name"]
            for parent in graph.parents[key]
            if graph.kind(parent) == "source"
        }
        misplaced = graph.layer(key) == "staging" and not sources <= set(folders)
        if misplaced or layers[-1:] != [graph.layer(key)]:
            yield graph.name(key)


def model_naming_conventions(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        fits = LAYERS.get(node["name"].split("_")[0] + "_") == graph.layer(key)
        if not fits and not node.get("time_spine"):
            yield graph.name(key)


def source_directories(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("source"):
        if node["source_name"] not in PurePosixPath(node["original_file_path"]).parent.parts:
            yield graph.name(key)


def test_directories(graph: Graph) -> Iterator[str]:
    for key, tests in graph.tests_of.items():
        if key and graph.kind(key) == "model":
            folder = PurePosixPath(graph.nodes[key]["original_file_path"]).parent
            if any(PurePosixPath(test["original_file_path"]).parent != folder for test in tests):
                yield graph.name(key)


def missing_primary_key_tests(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("model"):
        tests = [
            (test["test_metadata"]["name"], test["column_name"]) for test in graph.tests_of[key]
        ]
        required = {column for name, column in tests if name == "not_null"} | {
            column["name"]
            for column in node["columns"].values()
            if any(constraint["type"] == "not_null" for constraint in column["constraints"])
        }
        has_key = any(name == "unique" and column in required for name, column in tests)
        if not has_key and "unique_combination" not in dict(tests):
            yield graph.name(key)


def sources_without_freshness(graph: Graph) -> Iterator[str]:
    for key, node in graph.of("source"):
        freshness = node["freshness"] or {}
        limits = [freshness.get("warn_after") or {}, freshness.get("error_after") or {}]
        if not any(limit.get("count") for limit in limits):
            yield graph.name(key)


def test_coverage(graph: Graph) -> Iterator[str]:
    for key, _ in graph.of("model"):
        if not graph.tests_of[key]:
            yield graph.name(key)


RULES: list[Rule] = [
    # modeling
    direct_join_to_source,
    duplicate_sources,
    hard_coded_references,
    marts_or_intermediate_dependent_on_source,
    model_fanout,
    multiple_sources_joined,
    rejoining_of_upstream_concepts,
    root_models,
    source_fanout,
    staging_dependent_on_marts_or_intermediate,
    staging_dependent_on_staging,
    too_many_joins,
    unused_sources,
    # documentation
    documentation_coverage,
    undocumented_models,
    undocumented_source_tables,
    undocumented_sources,
    # governance
    exposures_dependent_on_private_models,
    public_models_without_contract,
    undocumented_public_models,
    counts_that_are_no_plurals,
    # performance
    chained_views_dependencies,
    exposure_parents_materializations,
    # structure
    model_directories,
    model_naming_conventions,
    source_directories,
    test_directories,
    # testing
    missing_primary_key_tests,
    sources_without_freshness,
    test_coverage,
]
