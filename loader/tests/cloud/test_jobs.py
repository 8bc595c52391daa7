"""Failures of jobs that the emulator never gives: a fake of two calls gives them, and records."""

import pytest
from google.api_core.exceptions import Conflict, ServiceUnavailable

from pullstats.bigquery_warehouse import BadDataError, BigQueryWarehouse


class FakeJob:
    """Fails for a reason that the emulator never gives."""

    def __init__(self, reason: str | None) -> None:
        self.error_result = {"reason": reason} if reason else None

    def result(self) -> None:
        if self.error_result:
            raise ServiceUnavailable("not now")


class FakeBigQuery:
    """The calls jobs.insert and jobs.get, whose failures the emulator lacks; records attempts."""

    def __init__(self, reasons: list[str | None]) -> None:
        self.reasons = reasons
        self.calls: list[str] = []

    def submit(self, job_id: str) -> FakeJob:
        attempt = job_id.rpartition("_")[2]
        self.calls.append(f"insert {attempt}")
        if int(attempt) <= len(self.reasons):
            raise Conflict("exists")
        return FakeJob(None)

    def get_job(self, job_id: str) -> FakeJob:
        attempt = job_id.rpartition("_")[2]
        self.calls.append(f"get {attempt}")
        return FakeJob(self.reasons[int(attempt) - 1])


def warehouse(fake: FakeBigQuery) -> BigQueryWarehouse:
    made = BigQueryWarehouse.__new__(BigQueryWarehouse)
    made.client, made._lineage = fake, "pullstats_raw"
    return made


def test_when_jobs_have_failed_for_a_while_then_the_next_attempt_has_a_new_id() -> None:
    fake = FakeBigQuery(["backendError", "accessDenied"])
    warehouse(fake)._run("usage", [], fake.submit)
    assert fake.calls == ["insert 1", "get 1", "insert 2", "get 2", "insert 3"]


def test_when_a_job_fails_for_a_while_then_the_error_is_raised() -> None:
    with pytest.raises(ServiceUnavailable):
        warehouse(FakeBigQuery([]))._run("usage", [], lambda job_id: FakeJob("backendError"))


def test_when_data_is_bad_then_no_further_attempt_is_made() -> None:
    fake = FakeBigQuery(["invalid"])
    with pytest.raises(BadDataError):
        warehouse(fake)._run("usage", [], fake.submit)
    assert fake.calls == ["insert 1", "get 1"]
