"""pullstats as a package of another project, on GoogleSQL's reference engine."""

from pathlib import Path

from integration_tests.bigquery import inputs
from integration_tests.bigquery.conftest import EARLY, LATE
from integration_tests.bigquery.googlesql import table
from integration_tests.bigquery.projects import RAW
from integration_tests.bigquery.rest import serve
from integration_tests.emulators import PROJECT
from integration_tests.host import Host

DBTS_OWN_PREDICATE = "in unnest(dbt_partitions_for_replacement)"


def test_dbts_macros_are_overridden_for_pullstats_only(tmp_path: Path) -> None:
    first, second = inputs.usage(EARLY, LATE)
    with serve() as (address, api):
        place = {"project": PROJECT, "dataset": "analytics", "location": "US"}
        login = {"method": "oauth-secrets", "token": "none", "api_endpoint": address}
        host = Host(tmp_path, {"type": "bigquery", **place, **login})
        api.warehouse.datasets.add(RAW)
        for arrived in (first[:200], first[:200] + second[:200]):
            raw = table(inputs.COLUMNS, arrived, "_partitiontime")
            api.warehouse.put(f"{PROJECT}.{RAW}.usage", raw)
            start = len(api.sent)
            without_tests = ["--exclude-resource-type", "test", "unit_test"]
            host.dbt("build", "--select", "+requests_per_day", *without_tests)
        daily = ["fct_registry_requests_daily", "requests_per_day"]
        host.dbt("test", "--select", *daily, "--exclude", "test_type:unit")
    merges = [each for each in api.sent[start:] if "when not matched" in each.sql.lower()]
    dbts_own = {each.node.split(".")[-1] for each in merges if DBTS_OWN_PREDICATE in each.sql}
    ours = {each.node.split(".")[-1] for each in merges} - dbts_own
    assert dbts_own == {"requests_per_day"}
    assert ours >= {"int_gcs_request_records", "fct_registry_requests_daily"}
    tests = [each for each in api.sent[start:] if each.node.startswith("test.")]
    bounded = {each.node.split(".")[1] for each in tests if "request_date >= date" in each.sql}
    assert bounded == {"pullstats"} < {each.node.split(".")[1] for each in tests}
