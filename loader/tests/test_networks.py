"""Lists of networks as they are published, and what becomes of them."""

import json
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import mmdb_writer
import netaddr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_tests.project import EXAMPLES, Project, example_logs
from pullstats import cli
from pullstats.networks import Facts, UnknownListError, in_blocks, read, write

LISTS = sorted((EXAMPLES / "networks").iterdir())
GCP, AZURE = Facts("gcp", "us-east1"), Facts("azure", "westeurope")
EXPECTED = {
    "cloud.json": {
        "192.0.2.0/24": GCP,
        "2001:db8:22::/48": Facts("gcp", "europe-west1"),
        "2001:db8:28::/48": Facts("gcp"),
    },
    "goog.json": {"192.0.2.0/23": Facts("google"), "2001:db8:20::/44": Facts("google")},
    "ip-ranges.json": {
        "198.51.100.0/24": Facts("aws", "eu-west-1"),
        "2001:db8:15::/48": Facts("aws"),
    },
    "ServiceTags_Public_20240527.json": {"203.0.113.0/24": AZURE, "2001:db8:17::/48": AZURE},
    "asn.mmdb": {
        "192.0.2.0/24": Facts(asn=64496, as_organization="Globex, Inc."),
        "198.51.100.0/24": Facts(asn=64497, as_organization="Initech"),
        "203.0.113.0/24": Facts(asn=64498, as_organization="Hooli"),
    },
    "country.mmdb": {"2001:db8::/32": Facts(country="CH")},
}


def google(prefix: str) -> str:
    return f'{{"prefixes": [{prefix}]}}'


def found(path: Path) -> dict[str, Facts]:
    return {str(network): facts for network, facts in read(path)}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_a_published_list_is_read(path: Path) -> None:
    assert found(path) == EXPECTED[path.name]


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (
            {"autonomous_system_number": 64496, "autonomous_system_organization": "Globex"},
            Facts(asn=64496, as_organization="Globex"),
        ),
        ({"country_code": "CH"}, Facts(country="CH")),
        ({"country": {"iso_code": "CH", "geoname_id": 1}}, Facts(country="CH")),
    ],
)
def test_an_mmdb_is_read(record: dict[str, object], facts: Facts, tmp_path: Path) -> None:
    networks = ["192.0.2.0/24", "198.51.100.0/23", "2001:db8::/40"]
    path = mmdb(tmp_path / "database.mmdb", record, *networks)
    assert found(path) == dict.fromkeys(networks, facts)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.json", ""),
        ("no_region.json", '{"prefixes": [{"ip_prefix": "192.0.2.0/24"}], "ipv6_prefixes": []}'),
        ("deep.json", "[" * 100_000),
        ("text.mmdb", "192.0.2.0,192.0.2.255,CH"),
        ("other.json", '{"prefixes": ["192.0.2.0/24"]}'),
        ("list.json", "[]"),
        ("broken.json", '{"prefixes": ['),
        ("latin.json", b'{"prefixes": "\xff"}'),
        ("surrogate.json", google('{"ipv4Prefix": "192.0.2.0/24", "scope": "\\ud800"}')),
        ("number.json", google('{"ipv4Prefix": "192.0.2.0/24", "scope": 1}')),
        ("text.json", google('{"ipv4Prefix": "192.0.2.0/24", "scope": "a\\u001b[2Jb"}')),
        ("long.json", google('{"ipv4Prefix": "192.0.2.0/24", "scope": "' + "x" * 256 + '"}')),
        ("address.json", google('{"ipv4Prefix": 3221225984, "scope": "x"}')),
        ("none.json", google('{"ipv4Prefix": null, "ipv6Prefix": {}, "scope": "x"}')),
        ("prefix.json", google('{"ipv4Prefix": "192.0.2.0/99", "scope": "x"}')),
        (
            "aws.json",
            '{"prefixes": [{"ip_prefix": "192.0.2.0/24", "region": []}], "ipv6_prefixes": 1}',
        ),
        (
            "azure.json",
            '{"cloud": 1, "values": [{"properties": {"addressPrefixes": ["192.0.2.0/24"],'
            ' "region": {"a": 1}}}]}',
        ),
    ],
)
def test_a_file_that_is_no_list_is_named(
    name: str, text: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert cli.main(["networks", str(path), "--database", str(tmp_path / "x.duckdb")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"pullstats: {path}: ")
    assert line.isprintable()
    assert not (tmp_path / "x.duckdb").exists()


def mmdb(path: Path, record: object, *networks: str) -> Path:
    writer = mmdb_writer.MMDBWriter(6, ipv4_compatible=True)
    writer.insert_network(netaddr.IPSet(networks), record)
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    "record",
    [
        *({"autonomous_system_number": number} for number in ("64496", -1, 2**32, 1.5)),
        {"autonomous_system_number": 1, "autonomous_system_organization": "a\nb"},
        *({"country_code": code} for code in (7, "CHE", "ch", "\x1b[")),
        {"country": {"iso_code": ["CH"]}},
        {"continent": {"code": "EU"}},
    ],
)
def test_an_mmdb_with_other_types_is_named(record: dict[str, object], tmp_path: Path) -> None:
    path = mmdb(tmp_path / "x.mmdb", record, "192.0.2.0/24")
    with pytest.raises(UnknownListError, match=r"x[.]mmdb") as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_parts_of_a_block_count_where_they_agree_and_nothing_larger_is_listed() -> None:
    def blocks(*listed: tuple[str, Facts]) -> dict[str, Facts]:
        networks = in_blocks((ip_network(text), facts) for text, facts in listed)
        return {str(network): facts for network, facts in networks}

    part, other = ("192.0.2.0/26", GCP), ("192.0.2.64/26", AZURE)
    assert blocks(part) == {"192.0.2.0/24": GCP}
    assert blocks(part, ("192.0.2.192/32", GCP)) == {"192.0.2.0/24": GCP}
    assert blocks(part, other) == {}
    assert blocks(other, ("192.0.0.0/16", GCP)) == {"192.0.0.0/16": GCP}


def test_all_facts_of_a_network_are_kept_for_the_models_to_choose() -> None:
    listed = [(ip_network("192.0.2.0/24"), facts) for facts in (GCP, AZURE, GCP)]
    assert in_blocks(listed) == listed[:2]


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(0, 128))
def test_the_blocks_of_a_network_are_those_that_it_touches(
    tmp_path_factory: pytest.TempPathFactory, address: IPv4Address | IPv6Address, length: int
) -> None:
    network = ip_network((address, min(length, address.max_prefixlen)), strict=False)
    folder = tmp_path_factory.mktemp("networks")
    key = f"ipv{network.version}Prefix"
    (folder / "goog.json").write_text(google(f'{{"{key}": "{network}"}}'))
    write(folder / "rows.json", [folder / "goog.json"])
    (row,) = (json.loads(line) for line in (folder / "rows.json").read_text().splitlines())
    shift = {4: 8, 6: 80}[network.version]
    assert row["first_block"] == int(network[0]) >> shift
    assert row["first_block"] + row["block_count"] == (int(network[-1]) >> shift) + 1
    assert row["first_block"] % row["block_count"] == 0
    assert network.subnet_of(ip_network(row["network"]))


def test_clients_have_the_cloud_system_and_country_of_their_network(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.load(example_logs())
    paths = [str(path) for path in LISTS]
    assert cli.main(["networks", *paths, "--database", str(project.database)]) == 0
    assert "cloud.json: 3 networks" in capsys.readouterr().out
    project.run()
    matched = project.query(
        "select distinct client_network, client_cloud, client_cloud_region, client_asn,"
        " client_as_organization, client_country from pullstats.dim_clients order by all"
    )
    assert matched == [
        ("192.0.2.0/24", "gcp", "us-east1", 64496, "Globex, Inc.", None),
        ("198.51.100.0/24", "aws", "eu-west-1", 64497, "Initech", None),
        ("2001:db8:15::/48", "aws", None, None, None, "CH"),
        ("2001:db8:22::/48", "gcp", "europe-west1", None, None, "CH"),
        ("2001:db8:28::/48", "gcp", None, None, None, "CH"),
        ("2001:db8:33::/48", None, None, None, None, "CH"),
        ("2001:db8:48::/48", None, None, None, None, "CH"),
        ("203.0.113.0/24", "azure", "westeurope", 64498, "Hooli", None),
        (None, None, None, None, None, None),
    ]
    pulls = project.query(
        "select count(*), count(client_cloud), count(client_asn) from pullstats.fct_image_pulls"
    )
    assert pulls[0][0] > pulls[0][1] > pulls[0][2] > 0


def test_lists_replace_those_before(project: Project) -> None:
    for name in ("cloud.json", "asn.mmdb"):
        path = str(EXAMPLES / "networks" / name)
        assert cli.main(["networks", path, "--database", str(project.database)]) == 0
        lists = project.query("select distinct list_name from storageanalysis.networks")
        assert lists == [(name,)]


def test_a_broken_list_leaves_the_table_as_it_was(project: Project, tmp_path: Path) -> None:
    good, broken = str(EXAMPLES / "networks/cloud.json"), tmp_path / "broken.json"
    broken.write_text(json.dumps({"prefixes": []}))
    database = ["--database", str(project.database)]
    assert cli.main(["networks", good, *database]) == 0
    assert cli.main(["networks", good, str(broken), *database]) == 1
    assert project.query("select count(*) from storageanalysis.networks") == [(3,)]
