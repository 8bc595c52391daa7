"""What the models make of an inventory: the examples' registry, listed as its truth has it."""

import re

import duckdb
import pytest

from integration_tests import accuracy
from integration_tests.project import Project, example_logs

# As `pullstats inventory` lands it, at the end of the examples.
TABLES = """
create schema if not exists storageanalysis;
create table storageanalysis.inventories as
select 'i1' as inventory_id, 'the examples' as target, timestamp '2024-06-04' as listed_at,
    timestamp '2024-06-04 00:01:00' as completed_at, 0::int64 as repositories,
    0::int64 as manifests, 0::int64 as errors;
create temporary table listed as
from read_csv('examples/truth/truth_images.csv', all_varchar = true);
create table storageanalysis.manifests as
select 'i1' as inventory_id, timestamp '2024-06-04' as listed_at, host as registry_host,
    project || '/' || image as repository,
    case when index_digest is null and valid_to is null then tag end as tag,
    manifest_digest, media_type, null::string as artifact_type, index_digest, platform,
    config_digest, config_media_type, config_size::int64 as config_bytes,
    n_layers::int64 as layer_count, 500::int64 as manifest_bytes
from listed
union all
select distinct 'i1', timestamp '2024-06-04', host, project || '/' || image, tag, index_digest,
    'application/vnd.oci.image.index.v1+json', null, null, null, null, null, null::int64,
    null::int64, 500
from listed where index_digest is not null and valid_to is null;
create table storageanalysis.manifest_blobs as
select distinct 'i1' as inventory_id, host as registry_host, project || '/' || image as repository,
    manifest_digest, 'config' as role, 0::int64 as position, config_digest as digest,
    config_media_type as media_type, config_size::int64 as size_bytes
from listed
union all
select distinct 'i1', host, project || '/' || image, manifest_digest, 'layer', position,
    string_split(layer_digests, ';')[position],
    case when starts_with(media_type, 'application/vnd.docker')
        then 'application/vnd.docker.image.rootfs.diff.tar.gzip'
        else 'application/vnd.oci.image.layer.v1.tar+gzip' end,
    string_split(layer_sizes, ';')[position]::int64
from listed, unnest(range(1, n_layers::int64 + 1)) as layers (position)
"""


def land_inventory(project: Project) -> None:
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(TABLES)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("listed"))
    project.load(example_logs())
    land_inventory(project)
    project.dbt("build", "--exclude-resource-type", "unit_test")
    return project


def test_an_inventory_tells_nearly_all_image_ids_and_counts_no_worse(listed: Project) -> None:
    measured = accuracy.measure(listed.query)
    assert (measured.overall.over, measured.overall.under) == (0, 0)
    assert measured.image_ids["wrong"] == 0
    # an export reads no config
    assert measured.image_ids["none"] <= 2
    ((sources,),) = listed.query(
        "select list(distinct image_id_source order by image_id_source)"
        " from pullstats.fct_image_pulls"
    )
    assert sources == ["inventory", "none"]


def test_tags_and_images_that_nobody_pulled_are_there(listed: Project) -> None:
    truth = accuracy.read_truth("truth_images.csv")
    current = {
        (accuracy.image_of(each), each["tag"])
        for each in truth
        if not each["valid_to"] and not re.match("sha256-[0-9a-f]{64}", each["tag"])
    }
    assert set(listed.query("select image, tag from pullstats.dim_image_tags")) == current
    idle = {
        image for (image,) in listed.query("select image from pullstats.dim_images where pulls = 0")
    }
    pulled = {
        accuracy.image_of(each)
        for each in accuracy.read_truth("truth_pulls.csv")
        if accuracy.is_observable_pull(each)
    }
    assert idle == {image for image, _ in current} - pulled
    assert idle


def test_every_listed_blob_has_its_kind_and_size(listed: Project) -> None:
    kinds = {
        (str(digest), str(kind), size)
        for digest, kind, size in listed.query(
            "select digest, blob_kind, size_bytes from pullstats.dim_blobs"
            " where blob_kind_source = 'inventory'"
        )
    }
    expected = set()
    for each in accuracy.read_truth("truth_images.csv"):
        is_image = "image" in each["config_media_type"] and not each["tag"].endswith(".sig")
        config, layer = ("config", "layer") if is_image else ("artifact", "artifact")
        expected.add((each["config_digest"], config, int(each["config_size"])))
        layers = zip(each["layer_digests"].split(";"), each["layer_sizes"].split(";"), strict=True)
        expected |= {(digest, layer, int(size)) for digest, size in layers if digest}
    assert kinds == expected


def test_a_pull_has_the_platform_of_its_config(listed: Project) -> None:
    listed_platforms = {
        each["config_digest"]: each["platform"]
        for each in accuracy.read_truth("truth_images.csv")
        if each["platform"]
    }
    found = listed.query("select distinct image_id, platform from pullstats.fct_image_pulls")
    assert {platform for _, platform in found} >= {"linux/amd64", None}
    assert {(each, listed_platforms.get(str(each))) for each, _ in found} == set(found)


def test_an_inventory_that_comes_later_restates_what_it_tells(
    half_built: Project, listed: Project
) -> None:
    land_inventory(half_built)
    half_built.run()
    # no log has landed since, but what it lists is there
    unnamed = "select count(*) from pullstats.dim_images where registry_host is null"
    assert half_built.query(unnamed) == [(0,)]
    idle = "select count(*) > 0 from pullstats.dim_images where pulls = 0"
    assert half_built.query(idle) == [(True,)]
    of_listed = "select count(*) from pullstats.dim_blobs where blob_kind_source = 'inventory'"
    assert half_built.query(of_listed) == listed.query(of_listed)
    half_built.load(example_logs()[1::2])
    half_built.run()
    expected = listed.marts()
    for mart, rows in half_built.marts().items():
        assert rows == expected[mart], mart
