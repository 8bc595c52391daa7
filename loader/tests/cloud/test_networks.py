"""Lists of networks on BigQuery: each command's lists replace those before."""

import pytest

from integration_tests.project import EXAMPLES
from pullstats import cli
from tests.cloud.conftest import Cloud


def test_lists_land_in_place_of_those_before(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, organization in (("cloud.json", None), ("asn.mmdb", "Globex, Inc.")):
        assert cli.main(["networks", str(EXAMPLES / "networks" / name), "--to", "bigquery"]) == 0
        found = cloud.client.query_and_wait(
            "select list_name, network, first_block, as_organization"
            f" from {cloud.dataset}.networks where network = '192.0.2.0/24'"
        )
        assert [row.values() for row in found] == [
            (name, "192.0.2.0/24", 0xC00002, organization),
        ]
