"""Jobs of BigQuery that are done once, whoever asks for them and however often.

The ids of jobs are the locks. BigQuery takes an id once and answers 409 from then on; so a job has
an id that says what it does, and asking for it again means waiting for the job that there is.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from google.api_core.exceptions import Conflict, GoogleAPICallError
from google.cloud import bigquery

Job = Any  # a LoadJob or a QueryJob


class BadDataError(Exception):
    """BigQuery has refused what was to be loaded, and will again."""


class Jobs:
    """Jobs whose ids begin alike: one lineage of tables."""

    def __init__(self, client: bigquery.Client, lineage: str) -> None:
        self._client = client
        self._lineage = lineage

    def run(self, name: str, submit: Callable[[str], Job]) -> Job:
        """Submit the job, or wait for the one that has its id; return it done.

        A failed id is spent: the next attempt, in a later run, has the next number. Not so if the
        data is bad: that raises BadDataError, again and again.
        """
        for attempt in count(1):
            job_id = f"{self._lineage}_{name}_{attempt}"
            is_mine = True
            try:
                job = submit(job_id)
            except Conflict:
                job, is_mine = self._client.get_job(job_id), False
            try:
                job.result()
                return job
            except GoogleAPICallError as error:
                # without a reason it is not the job that failed, but asking for it
                reason = (job.error_result or {}).get("reason")
                if reason in ("invalid", "notFound"):
                    raise BadDataError from error
                if is_mine or reason is None:
                    raise

    def run_next(self, name: str, last: int, submit: Callable[[str, int], Job]) -> None:
        """Submit a job under the first number after `last` that nobody has taken.

        Each number is tried in sight of all jobs before it: they are waited for.
        """
        for number in count(last + 1):
            job_id = f"{self._lineage}_{name}_{number}"
            try:
                submit(job_id, number).result()
                return
            except Conflict:
                # done or failed, the number is taken
                self._client.get_job(job_id).exception()  # type: ignore[no-untyped-call]
