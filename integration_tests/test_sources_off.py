"""A user who has one of the two logs can switch the models of the other off."""

from pathlib import Path

import pytest

from integration_tests.project import MARTS, Project, example_logs
from integration_tests.test_hostile_input import audit_logs
from integration_tests.test_inventory_models import land_inventory

OFF = {"using_audit_logs": set[str](), "using_bucket_logs": {"dim_blobs"}}
OWN_MODELS = {
    "using_audit_logs": ("artifact_registry", "manifest"),
    "using_bucket_logs": ("blob", "burst", "gcs", "object"),
}
ADDRESSES = {
    "using_audit_logs": "select c_ip from storageanalysis.usage where c_ip != ''",
    "using_bucket_logs": "select address from (select"
    " protopayload_auditlog.requestMetadata.callerIp as address from storageanalysis.audit_logs)"
    " where address like '%.%.%.%'",
}


@pytest.mark.parametrize("variable", OFF)
def test_a_log_that_is_off_has_no_models_and_all_others_have_the_same_rows(
    variable: str, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "both").mkdir()
    both = Project(tmp_path / "both")
    logs = example_logs() if variable == "using_audit_logs" else audit_logs(tmp_path / "logs")
    for each in (both, project):
        land_inventory(each)
    both.load(logs)
    both.run()
    off = ("--vars", f"{{{variable}: false}}")
    for part, tests in ((logs[::2], ("test",)), (logs[1::2], ())):
        project.load(part)
        project.dbt("build", "--exclude-resource-type", "unit_test", *tests, *off)
    built = {
        name
        for (name,) in project.query(
            "select table_name from information_schema.tables where table_schema like 'pullstats%'"
        )
    }
    assert set(MARTS) - built == OFF[variable]
    assert not [
        name for name in built for word in OWN_MODELS[variable] if name.startswith(f"int_{word}")
    ]
    for mart in set(MARTS) & built:
        rows = (
            "select columns(lambda name: name not in ('late_rows', 'last_loaded_at'))"
            f" from pullstats.{mart} order by all"
        )
        assert project.query(rows) == both.query(rows), mart
    (person,), *_ = project.query(ADDRESSES[variable])
    project.dbt("run-operation", "forget_person", "--args", f"{{address: {person}}}", *off)
    assert (person,) not in project.query(ADDRESSES[variable])
