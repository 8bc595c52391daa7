"""kill -9 of loads into BigQuery, at each step and at random: a plain re-run completes them."""

import os
import random
import signal
import sys
from collections import Counter

import pytest
import requests

from loader.bigquery_warehouse import BigQueryWarehouse
from loader.plan import LogObject
from tests.cloud.conftest import Cloud, environment
from tests.kill_loop import kill_at_random, run_to_end
from tests.test_load import BROKEN, SOUND, STORAGE, typed, usage
from tests.test_rows import GOOD

COMMAND = """
import sys
from commands.cli import main
from loader.bigquery_warehouse import BigQueryWarehouse
BigQueryWarehouse.max_objects = 50
sys.exit(main(["load", "--to", "bigquery", sys.argv[1]]))
"""


def load_until(dataset: str, objects: list[LogObject], last: int) -> int:
    """Load in a process that kills itself once a number of jobs is submitted; give its status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
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

    requests.Session.send = send_and_die
    try:
        BigQueryWarehouse(dataset=dataset).load(objects)
        os._exit(0)
    finally:
        os._exit(1)


def test_killed_at_each_step_nothing_is_lost_or_doubled(cloud: Cloud) -> None:
    """Plan, batch refused, halves, bad lines, good lines, storage log, record."""
    logs = {usage(hour=1): SOUND, usage(hour=2): BROKEN}
    logs[STORAGE] = b'"bucket","storage_byte_hours"\n"example","240"\n'
    cloud.load({"step0/" + name: data for name, data in logs.items()})
    killed_at = 0
    while True:
        step = f"step{killed_at + 1}/"
        cloud.put({step + name: data for name, data in logs.items()})
        todo = cloud.plan().load
        status = load_until(cloud.dataset, todo, killed_at + 1)
        if status == 0:
            break
        assert status == signal.SIGKILL
        killed_at += 1
        BigQueryWarehouse(dataset=cloud.dataset).load(todo)
    assert killed_at == 8
    assert cloud.rows() == typed([GOOD, GOOD] * 10)
    assert Counter(cloud.landed()) == Counter(
        (f"{cloud.uri}step{step}/{name}", 1, int(name == usage(hour=2)), None)
        for step in range(10)
        for name in logs
    )
    assert [each for _, each in cloud.query("object_uri, line_bytes", "rejected_lines")] == [
        b"broken"
    ] * 10
    assert len(cloud.query("object_uri, log_hour", "storage")) == 10


def test_killed_at_random_a_back_fill_lands_everything_once(
    emulators: None, cloud_times: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    kills, objects = cloud_times
    chance = random.Random(30)
    done = rounds = 0
    longest = 0.0
    while done < kills:
        # a new bucket and dataset whenever all has landed
        cloud = Cloud()
        rounds += 1
        names = [usage(f"log{day}", hour=day % 24, shard=day % 60) for day in range(objects)]
        cloud.put({name: SOUND if n % 100 else BROKEN for n, name in enumerate(names)})
        command = [sys.executable, "-c", COMMAND, cloud.uri]
        settings = environment(cloud)
        if not longest:
            timing = Cloud()
            timing.put(dict.fromkeys(names, SOUND))
            longest = run_to_end([*command[:-1], timing.uri], environment(timing))
            with capsys.disabled():
                print(f"\n{objects} objects in {longest:.1f} s")
        while done < kills and kill_at_random(command, settings, longest, chance):
            done += 1
        if todo := cloud.plan().load:
            cloud.warehouse.load(todo)
        assert cloud.rows() == typed([GOOD] * objects)
        landed = [uri.removeprefix(cloud.uri) for uri, *_ in cloud.landed()]
        assert sorted(landed) == sorted(names)
        with capsys.disabled():
            print(f"loads into BigQuery killed: {done} in {rounds} back-fills")
