"""kill -9 of loads into BigQuery, at each step and at random: a plain re-run completes them."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import requests

from integration_tests.kill_loop import killed_after, start
from pullstats import cli, loading
from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.plan import LogObject
from tests.cloud.conftest import Cloud
from tests.test_audit import audit, entry
from tests.test_load import BROKEN, SOUND, STORAGE, typed, usage
from tests.test_rows import GOOD


def load_until(objects: list[LogObject], last: int) -> int:
    """Load in a process that kills itself once a number of jobs is submitted; give its status."""
    send, submitted = requests.Session.send, 0

    def send_and_die(*arguments: object, **options: object) -> requests.Response:
        nonlocal submitted
        answer = send(*arguments, **options)
        # the loader's own ids, which begin so, are in the requests that submit jobs
        body = answer.request.body or ""
        if "pullstats_raw" in (body if isinstance(body, str) else body.decode()):
            submitted += 1
            if submitted == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def load() -> None:
        requests.Session.send = send_and_die
        BigQueryWarehouse().load(objects)

    return os.waitpid(start(load), 0)[1]


def load_for(cloud: Cloud, batch: int, seconds: float) -> bool:
    """Run the command and kill it after a time; True if it was still running."""

    def load() -> None:
        BigQueryWarehouse.max_objects = batch
        options = ["--to", "bigquery"]
        assert cli.main(["load", *options, cloud.uri]) in (0, loading.EXIT_REJECTED_LINES)

    return killed_after(seconds, load)


def test_killed_at_each_step_nothing_is_lost_or_doubled(cloud: Cloud) -> None:
    """Batch refused, bad lines, good lines, storage log, audit log, ledger."""
    logs = {usage(hour=1): SOUND, usage(hour=2): BROKEN}
    logs[STORAGE] = b'"bucket","storage_byte_hours"\n"example","240"\n'
    logs[audit()] = entry()
    cloud.load({"step0/" + name: data for name, data in logs.items()})
    killed_at = 0
    while True:
        step = f"step{killed_at + 1}/"
        cloud.put({step + name: data for name, data in logs.items()})
        todo = cloud.plan().load
        status = load_until(todo, killed_at + 1)
        if status == 0:
            break
        assert status == signal.SIGKILL
        killed_at += 1
        BigQueryWarehouse().load(todo)
    assert killed_at == 6
    assert cloud.rows() == typed([GOOD, GOOD] * 8)
    assert Counter(cloud.landed()) == Counter(
        (f"{cloud.uri}step{step}/{name}", 1, int(name == usage(hour=2)), None)
        for step in range(8)
        for name in logs
    )
    assert [each for _, each in cloud.query("object_uri, line_bytes", "rejected_lines")] == [
        b"broken"
    ] * 8
    assert len(cloud.query("object_uri, log_hour", "storage")) == 8
    assert len(cloud.query("insertId, 1", "audit_logs")) == 8


def test_killed_at_random_a_back_fill_lands_everything_once(
    emulators: None, cloud_times: tuple[int, int], record_property: Callable[[str, object], None]
) -> None:
    kills, objects = cloud_times
    batch = max(10, objects // 10)
    chance = random.Random(30)
    usage_logs = {
        usage(f"log{n}", hour=n % 24, shard=n % 60): SOUND if n % 100 else BROKEN
        for n in range(objects)
    }
    audit_logs = {
        audit(n % 24, f"{'SA'[n % 2]}{n}{':1735351500' * (n % 2)}"): entry(insertId=f"id{n}")
        + b"broken\n" * (n % 50 == 0)
        for n in range(objects // 2)
    }
    done = rounds = 0
    longest = 0.0
    while done < kills:
        # a new bucket and dataset whenever all has landed
        cloud = Cloud()
        cloud.put(usage_logs | audit_logs)
        if longest:
            while done < kills and load_for(cloud, batch, chance.uniform(0, longest)):
                done += 1
        begin = time.monotonic()
        assert not load_for(cloud, batch, 600)
        longest = longest or time.monotonic() - begin
        rounds += 1
        assert cloud.rows() == typed([GOOD] * objects)
        landed = [uri.removeprefix(cloud.uri) for uri, *_ in cloud.landed()]
        assert sorted(landed) == sorted(usage_logs | audit_logs)
        found = [insert_id for insert_id, _ in cloud.query("insertId, 1", "audit_logs")]
        assert sorted(found) == sorted(f"id{n}" for n in range(objects // 2))
        cloud.drop()
        record_property(f"loads of {objects} objects killed", f"{done}, back-fills: {rounds}")
