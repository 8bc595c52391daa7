"""What is in use is not listed as unused: every kind of read of both logs counts."""

import csv
from collections.abc import Iterator

import duckdb
import pytest

from integration_tests.project import ROOT, Project, copied
from integration_tests.traffic import Registry, write

# Lists every image that the logs name, with a tag for each build that they name.
INVENTORY = """
create table storageanalysis.inventories as
select 'i1' as inventory_id, 'all' as target, timestamp '2025-01-03' as listed_at,
    timestamp '2025-01-03 00:01:00' as completed_at, 0::int64 as repositories,
    0::int64 as manifests, 0::int64 as errors;
create table storageanalysis.manifests as
select 'i1' as inventory_id, timestamp '2025-01-03' as listed_at, image.registry_host,
    regexp_extract(image.image, '^[^/]+/(.+)$', 1) as repository,
    'build-' || row_number() over () as tag, coalesce(build.manifest, 'none') as manifest_digest,
    'application/vnd.oci.image.manifest.v1+json' as media_type, null::string as artifact_type,
    null::string as index_digest, null::string as platform, build.config as config_digest,
    null::string as config_media_type, null::int64 as config_bytes, 1::int64 as layer_count,
    500::int64 as manifest_bytes
from pullstats_intermediate.int_images as image
left join (
    select distinct image, image_id as config, 'of ' || image_id as manifest
    from pullstats_intermediate.int_blob_fetches where image_id is not null
    union
    select distinct image, null, coalesce(manifest_digest, index_digest)
    from pullstats_intermediate.int_manifest_fetches
) as build on image.image = build.image;
"""
FETCHES = """
    select image, fetch_kind, image_id as digest, traffic_class, 'gcs_usage' as log_source,
        to_timestamp(started_micros // 1000000)::date as use_date
    from pullstats_intermediate.int_blob_fetches
    union all
    select image, fetch_kind, coalesce(manifest_digest, index_digest), traffic_class, 'cloud_audit',
        to_timestamp(started_micros // 1000000)::date
    from pullstats_intermediate.int_manifest_fetches
"""


@pytest.fixture(scope="module")
def listed(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = copied(demo, tmp_path_factory.mktemp("uses"))
    # two days after a pull, a node that has the config reads a layer
    registry, agent, layer = Registry("acme-node"), "containerd/2.1.9", ("layer", 9_000_000)
    registry.fetch(0, "192.0.2.7", agent, ("config", 5_000), layer)
    registry.read(2 * 86_400, "198.51.100.7", agent, layer)
    project.load([write(project.folder, [registry])])
    project.dbt("run")
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(INVENTORY)
    below = ("stg_registry_inventory", "int_listed_manifests", "int_known_tags")
    models = [*(f"{model}*" for model in below), "dim_images", "dim_image_tags"]
    project.dbt("run", "--select", *models)
    yield project


def kinds() -> dict[str, bool]:
    with (ROOT / "seeds/fetch_kinds.csv").open(encoding="utf-8") as file:
        return {row["fetch_kind"]: row["is_use"] == "true" for row in csv.DictReader(file)}


def test_the_recordings_hold_every_kind_of_fetch(listed: Project) -> None:
    found = {kind for (kind,) in listed.query(f"select distinct fetch_kind from ({FETCHES})")}
    assert found == kinds().keys()


@pytest.mark.parametrize("kind", kinds())
def test_an_image_is_in_use_by_each_kind_that_is_a_use(kind: str, listed: Project) -> None:
    """Each kind alone: whatever else used the image that day is left out."""
    is_use = kinds()[kind]
    alone = (
        f"select image, log_source, max(use_date) as use_date from ({FETCHES})"
        " where image is not null and traffic_class != 'scanner'"
        f" and fetch_kind = '{kind}' group by all"
    )
    found = listed.query(
        "select image, use_date, last_requested_at::date, unused_days, logged_through - use_date"
        f" from ({alone}) join pullstats.dim_images using (image)"
        " join pullstats.dim_projects using (registry_host, project_id)"
    )
    assert found or not is_use
    for image, used, last, unused, days in found:
        if is_use:
            assert str(last) >= str(used), image
            assert unused is not None and unused <= days, image


@pytest.mark.parametrize("kind", [kind for kind, is_use in kinds().items() if is_use])
def test_a_tag_is_in_use_if_its_build_is(kind: str, listed: Project) -> None:
    found = listed.query(
        "select tags.image, tag, unused_days, logged_through - use_date"
        f" from ({FETCHES}) as fetches join pullstats.dim_image_tags as tags"
        "   on tags.image = fetches.image"
        "   and fetches.digest in (tags.image_id, tags.manifest_digest)"
        " join pullstats.dim_projects as projects using (registry_host, project_id)"
        f" where fetch_kind = '{kind}' and traffic_class != 'scanner'"
    )
    assert found or kind == "partial"  # layers alone name no build
    for image, tag, unused, days in found:
        assert unused is not None and unused <= days, (image, tag)


def test_who_reads_an_image_uses_it_that_day(listed: Project) -> None:
    """By single requests, whatever fetch they are part of; HEAD of a blob is part of a push."""
    unused = listed.query(
        "select log_source, operation, object_kind, client_tool, image, event_date,"
        " last_requested_at"
        " from pullstats_intermediate.int_registry_requests"
        " join pullstats.dim_images using (image)"
        " where (operation, object_kind) in"
        "   (('read', 'blob'), ('read', 'manifest'), ('head', 'manifest'))"
        " and package_format = 'docker' and status_code in (200, 206, 304)"
        " and 'scanner' not in (traffic_class, client_class)"
        " and (last_requested_at is null or last_requested_at::date < event_date)"
    )
    assert not unused


def test_scanned_images_age(listed: Project) -> None:
    ((scanned,),) = listed.query(
        "select count(*) from pullstats.dim_images"
        f" where image in (select image from ({FETCHES}) where fetch_kind = 'scan')"
        f" and image not in (select image from ({FETCHES}) where fetch_kind != 'scan'"
        "   and traffic_class != 'scanner' and image is not null)"
        " and last_requested_at is not null"
    )
    assert scanned == 0
