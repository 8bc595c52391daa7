"""Whatever a manifest holds, it is read whole or refused; what is read lands as it is."""

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullstats import schemas
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.registry_inventory.manifests import IMAGES, INDEXES, AnswerError, Manifest, parse
from pullstats.registry_inventory.walk import TABLES
from tests.inventory.registries import digest_of, image, index, query

# what str.isprintable takes
TEXT = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1)
DIGEST = st.binary(max_size=4).map(digest_of)
SIZE = st.integers(0, 2**50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
BLOB = st.fixed_dictionaries({"digest": DIGEST, "mediaType": TEXT, "size": SIZE})
PLATFORM = st.fixed_dictionaries({"os": TEXT, "architecture": TEXT}, optional={"variant": TEXT})
CHILD = st.fixed_dictionaries(
    {"digest": DIGEST, "mediaType": st.sampled_from(IMAGES + INDEXES), "size": SIZE},
    optional={"platform": PLATFORM},
)


def strings(value: object) -> list[str]:
    if isinstance(value, dict | list | tuple):
        items = value.values() if isinstance(value, dict) else value
        return [text for item in items for text in strings(item)]
    return [value] if isinstance(value, str) else []


def read(body: bytes) -> Manifest | None:
    try:
        found = parse(body, "", None)
    except AnswerError:
        return None
    assert all(text.isprintable() for text in strings(found))
    return found


@settings(max_examples=200, deadline=None)
@given(
    media_type=st.sampled_from(IMAGES),
    config=BLOB,
    layers=st.lists(BLOB, max_size=4),
    artifact_type=st.none() | TEXT,
    indent=st.none() | st.integers(0, 3),
)
def test_when_an_image_is_written_then_it_is_read_back(
    media_type: str,
    config: dict[str, object],
    layers: list[dict[str, object]],
    artifact_type: str | None,
    indent: int | None,
) -> None:
    content = {"mediaType": media_type, "config": config, "layers": layers}
    body = json.dumps(content | {"artifactType": artifact_type}, indent=indent).encode()
    found = parse(body, "text/plain", digest_of(body))
    assert found.columns == {
        "manifest_digest": digest_of(body),
        "media_type": media_type,
        "artifact_type": artifact_type,
        "config_digest": config["digest"],
        "config_media_type": config["mediaType"],
        "config_bytes": config["size"],
        "layer_count": len(layers),
        "manifest_bytes": len(body),
    }
    assert found.children == []
    keys = ("digest", "media_type", "size_bytes")
    assert [tuple(blob[key] for key in keys) for blob in found.blobs] == [
        (each["digest"], each["mediaType"], each["size"]) for each in (config, *layers)
    ]
    places = [(blob["role"], blob["position"]) for blob in found.blobs]
    assert places == [("config", 0), *(("layer", n) for n in range(1, len(layers) + 1))]


@settings(max_examples=100, deadline=None)
@given(media_type=st.sampled_from(INDEXES), children=st.lists(CHILD, max_size=4))
def test_when_an_index_is_written_then_it_is_read_back(
    media_type: str, children: list[dict[str, Any]]
) -> None:
    body = json.dumps({"mediaType": media_type, "manifests": children}).encode()
    found = parse(body, "", None)
    assert (found.blobs, found.columns["config_digest"]) == ([], None)
    names = ("os", "architecture", "variant")
    assert found.children == [
        (
            child["digest"],
            "/".join(child["platform"][name] for name in names if name in child["platform"])
            if "platform" in child
            else None,
        )
        for child in children
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary() | JSON.map(lambda content: json.dumps(content).encode()))
def test_when_bytes_are_arbitrary_then_they_are_refused(body: bytes) -> None:
    assert read(body) is None


def places(value: object) -> list[Callable[[object], None]]:
    """List what sets each place inside a JSON value."""
    if not isinstance(value, dict | list):
        return []
    found = []
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append(lambda new, key=key: value.__setitem__(key, new))
        found += places(inner)
    return found


@settings(max_examples=500, deadline=None)
@given(
    body=st.sampled_from([image("x", artifactType="a/b"), index(image("x"), image("y"))]),
    new=JSON,
    data=st.data(),
)
def test_when_any_place_holds_anything_then_it_is_read_or_refused(
    body: bytes, new: object, data: st.DataObject
) -> None:
    content = json.loads(body)
    data.draw(st.sampled_from(places(content)))(new)
    changed = json.dumps(content).encode()
    found = read(changed)
    if found:
        assert found.digest == digest_of(changed)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                name: SIZE if kind == "INT64" else TEXT
                for name, kind in schemas.columns("manifest_blobs").items()
            }
        ),
        min_size=1,
    )
)
def test_when_rows_land_then_they_are_as_they_were(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a [b] *.json"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with closing(DuckDBWarehouse(Path(":memory:"), tables=TABLES)) as warehouse:
            warehouse.load_rows({"manifest_blobs": file})
            found = warehouse.query("from storageanalysis.manifest_blobs")
    assert sorted(found, key=repr) == sorted(
        (tuple(map(row.get, schemas.columns("manifest_blobs"))) for row in rows), key=repr
    )


def test_when_a_table_can_not_be_landed_then_none_is(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.json" for name in TABLES}
    for name, file in files.items():
        row = {column: "2024-05-29" if "_at" in column else 1 for column in schemas.columns(name)}
        file.write_text(json.dumps(row))
    database = tmp_path / "test.duckdb"
    with closing(DuckDBWarehouse(database, tables=TABLES)) as warehouse:
        warehouse.load_rows(files)
        files["inventories"].write_text("{}")
        with pytest.raises(duckdb.ConstraintException):
            warehouse.load_rows(files)
    for name in TABLES:
        assert query(database, f"select count(*) from {name}") == [(1,)]
