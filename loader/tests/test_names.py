"""A name is a log object's only when all of it fits, whatever its prefix."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullstats.log_names import LogName, near_miss, parse
from tests.test_audit import audit

REAL = "accessLog_usage_2019_05_19_18_00_00_00cbe51e4b703105e9_v0"
TIME = "2019_05_19_18_00_00"
HOUR = datetime(2019, 5, 19, 18, tzinfo=UTC)


def build(prefix: str, kind: str, hour: datetime, shard: int, rest: str) -> str:
    time = f"{hour.year:04}_{hour:%m_%d_%H_%M_%S}"
    return f"{prefix}_{kind}_{time}_{shard:02}{rest}_v0"


def test_when_a_usage_log_is_real_then_all_its_parts_are_read() -> None:
    assert parse(f"gs://logs/of/{REAL}") == LogName("usage", HOUR, REAL)


def test_when_a_storage_log_is_real_then_all_its_parts_are_read() -> None:
    name = "accessLog_storage_2019_05_19_07_00_00_0137fa8e1b_v0"
    assert parse(name) == LogName("storage", HOUR.replace(hour=7), name)


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "logs\nof",
        "my_usage_log",
        "a_usage_2024_01_01_00_00_00_00ab_v0",
        "a_usage_2024_01_01",
        "a_storage_2024_01_01_00_00_00",
        "p" * 900,
    ],
)
def test_when_the_prefix_is_odd_then_only_the_end_of_the_name_counts(prefix: str) -> None:
    name = f"{prefix}_usage_{TIME}_07cbe5_v0"
    assert parse(name) == LogName("usage", HOUR, name)


@pytest.mark.parametrize("identity", ["99", "1702e6", "f3ab12", "0ab12", "1", "CBE51E", "x-y.z"])
def test_when_the_id_has_any_form_then_it_is_read(identity: str) -> None:
    """Cloud Storage documents `_usage_TIMESTAMP_ID_v0`, and no form of the id."""
    name = f"a_usage_{TIME}_{identity}_v0"
    assert parse(name) == LogName("usage", HOUR, name)
    assert near_miss(name.replace("_v0", "_v1"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "README.md",
        f"{REAL}.csv",
        f"{REAL}.gz",
        f"{REAL}\n",
        f"{REAL} ",
        f"{REAL} (1)",
        REAL.replace("_v0", "_v1"),
        REAL.replace("_v0", ""),
        REAL.replace("_usage_", "_Usage_"),
        REAL.replace("_usage_", "_audit_"),
        REAL.replace("accessLog_", ""),
        REAL.replace("2019", "٢٠١٩"),
        f"a_usage_{TIME}__v0",
        f"a_usage_{TIME}_v0",
        "a_usage_2019_05_19_18_00_00cbe5_v0",
        "a_usage_2019_05_19_00cbe5_v0",
        "a_usage_2019_02_29_18_00_00_00cbe5_v0",
        "a_usage_2019_13_01_18_00_00_00cbe5_v0",
        "a_usage_2019_05_19_24_00_00_00cbe5_v0",
        "a_usage_2019_05_19_18_60_00_00cbe5_v0",
        "a_usage_2019_05_19_18_00_61_00cbe5_v0",
        "a_usage_0000_05_19_18_00_00_00cbe5_v0",
        "a_usage_2019-05-19_18_00_00_00cbe5_v0",
        f"{REAL}/manifest",
    ],
)
def test_when_any_part_does_not_fit_then_it_is_no_log(name: str) -> None:
    assert parse(name) is None


NEARLY = "its name is nearly that of a log object"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("README.md", None),
        ("accessLog_usage.csv", None),
        ("gs://logs/run.googleapis.com/stdout/2024/12/28/00:00:00_00:59:59_S0.json", None),
        (f"{REAL}.csv", NEARLY),
        (f"logs/{REAL} (1)", NEARLY),
        (f"a_usage_{TIME}__v0", NEARLY),
        ("a_usage_2019_05_19_24_00_00_00cbe5_v0", NEARLY),
        (f"gs://logs/{audit(part='B0')}", NEARLY),
        (f"/data/{audit(hour=24)}", NEARLY),
        (f"{REAL}.gz", "it is compressed: decompress it first"),
        (f"/data/{audit()}.gz", "it is compressed: decompress it first"),
    ],
)
def test_when_a_name_is_nearly_a_logs_then_it_is_named(path: str, reason: str | None) -> None:
    assert parse(path) is None
    assert near_miss(path) == reason


@settings(max_examples=200, deadline=None)
@example("a_usage_2024_01_01_00_00_00_00ab_v0", "storage", HOUR, 3, "0")
@given(
    prefix=st.text(),
    kind=st.sampled_from(["usage", "storage"]),
    moment=st.datetimes(timezones=st.just(UTC)),
    shard=st.integers(0, 99),
    rest=st.text("0123456789abcdef", max_size=20),
)
def test_when_a_name_is_built_then_it_is_read_back(
    prefix: str, kind: str, moment: datetime, shard: int, rest: str
) -> None:
    hour = moment.replace(microsecond=0)
    name = build(prefix, kind, hour, shard, rest)
    assert parse(name) == LogName(kind, hour, name.rpartition("/")[2])


@settings(max_examples=200, deadline=None)
@given(st.text() | st.from_regex(r"_(usage|storage)_\d{4}(_\d{2}){5}_\d{2}[0-9a-f]?_v0\n?"))
def test_when_a_name_is_arbitrary_then_it_is_refused_or_wholly_understood(name: str) -> None:
    read = parse(name)
    if read:
        assert f"_{read.kind}_{read.hour:%Y_%m_%d_%H_%M_%S}_" in name
        assert name.endswith("_v0")
