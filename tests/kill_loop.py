"""Kills a command at random moments, until it has been killed often enough, then lets it end."""

import random
import signal
import subprocess
import time
from collections.abc import Sequence


def run_to_end(command: Sequence[str], environment: dict[str, str]) -> float:
    """Run a command and return its wall time; it must succeed."""
    start = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - start


def kill_at_random(
    command: Sequence[str], environment: dict[str, str], longest: float, chance: random.Random
) -> bool:
    """Start a command and kill -9 it at a random moment; True if it was still running."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(chance.uniform(0.1, longest))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL
