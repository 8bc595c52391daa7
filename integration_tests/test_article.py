"""The worked example of the 2019 article: one image, four rows of its config, one a duplicate."""

from datetime import UTC, datetime
from pathlib import Path

from integration_tests.project import Project
from pullstats import csv_log

BUCKET = "artifacts.mineral-minutia-820.appspot.com"
CONFIG = "7e19786cadab9f8ac0819c12ca0cc6abdf6fe5a75b876b130b77db0f42bdedd9"
LAYER = "80109b13f4eea8a61e83b07188c972b9cf7dee9fd8ac576e3b7243f3d34653d0"
AGENT = "docker/18.09.6 go/go1.10.8 git-commit/481bc77 kernel/4.19.28 os/linux arch/amd64"


def read(digest: str, micros: int, size: int, taken: int) -> list[str]:
    uri = f"/{BUCKET}/containers/images/sha256:{digest}"
    return [
        *(str(micros), "192.0.2.10", "1", "", "GET", uri, "200", "0", str(size), str(taken)),
        "storage.googleapis.com",
        f"https://gcr.io/v2/mineral-minutia-820/distroless/blobs/sha256:{digest}",
        *(AGENT, f"id{micros}", "GET_Object", BUCKET, uri.split("/", 2)[2]),
    ]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_the_article_gives_one_image_and_three_reads(project: Project, tmp_path: Path) -> None:
    first = 1558291766787464
    records = [
        # the pull that the article watched: the largest layer was asked for 4 ms before the config
        read(LAYER, first - 3700, 65188275, 17106000),
        read(CONFIG, first, 734, 123000),
        read(CONFIG, at("2019-05-19 20:07:13"), 734, 123000),
        read(CONFIG, first, 734, 123000),
        read(CONFIG, at("2019-05-20 03:46:24"), 734, 123000),
    ]
    log = tmp_path / "accessLog_usage_2019_05_19_18_00_00_00cbe51e4b703105e9_v0"
    log.write_bytes(csv_log.write(records, list(csv_log.USAGE_COLUMNS)))
    project.load([log])
    project.run()
    assert project.query("select image, builds, pulls from pullstats.dim_images") == [
        ("gcr.io/mineral-minutia-820/distroless", 1, 3)
    ]
    project.dbt("compile", "--select", "reads_of_a_build")
    compiled = project.folder / "target/compiled/pullstats/analyses"
    reads = project.query((compiled / "reads_of_a_build.sql").read_text())
    assert [f"{moment:%Y-%m-%d %H:%M:%S}" for moment, *_ in reads] == [
        "2019-05-19 18:49:26",
        "2019-05-19 20:07:13",
        "2019-05-20 03:46:24",
    ]
    assert project.query("select distinct image_id from pullstats.fct_image_pulls") == [
        (f"sha256:{CONFIG}",)
    ]
