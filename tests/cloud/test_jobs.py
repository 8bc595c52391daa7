"""Failures of jobs that the emulator never gives: a fake of two calls gives them, and records."""

import pytest
from google.api_core.exceptions import Conflict, ServiceUnavailable

from loader.bigquery_jobs import BadDataError, Jobs


class FakeJob:
    """Fails for a reason that the emulator never gives."""

    def __init__(self, reason: str | None) -> None:
        self.error_result = {"reason": reason} if reason else None

    def result(self) -> None:
        if self.error_result:
            raise ServiceUnavailable("not now")


class FakeBigQuery:
    """Stands in for jobs.insert and jobs.get, whose failures the emulator lacks; records ids."""

    def __init__(self, reasons: list[str | None]) -> None:
        self.reasons = reasons
        self.calls: list[str] = []

    def submit(self, job_id: str) -> FakeJob:
        self.calls.append(f"insert {job_id}")
        attempt = int(job_id.rpartition("_")[2])
        if attempt <= len(self.reasons):
            raise Conflict("exists")
        return FakeJob(None)

    def get_job(self, job_id: str) -> FakeJob:
        self.calls.append(f"get {job_id}")
        return FakeJob(self.reasons[int(job_id.rpartition("_")[2]) - 1])


def test_when_jobs_have_failed_for_a_while_then_the_next_attempt_has_a_new_id() -> None:
    fake = FakeBigQuery(["backendError", "accessDenied"])
    Jobs(fake, "x").run("1_ab", fake.submit)
    calls = ["insert x_1_ab_1", "get x_1_ab_1", "insert x_1_ab_2", "get x_1_ab_2"]
    assert fake.calls == [*calls, "insert x_1_ab_3"]


def test_when_a_job_fails_for_a_while_then_the_error_is_raised() -> None:
    with pytest.raises(ServiceUnavailable):
        Jobs(FakeBigQuery([]), "x").run("1_ab", lambda job_id: FakeJob("backendError"))


def test_when_data_is_bad_then_no_further_attempt_is_made() -> None:
    fake = FakeBigQuery(["invalid"])
    with pytest.raises(BadDataError):
        Jobs(fake, "x").run("1_ab", fake.submit)
    assert fake.calls == ["insert x_1_ab_1", "get x_1_ab_1"]
