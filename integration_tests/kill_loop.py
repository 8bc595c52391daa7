"""Work in a process of its own, which is killed after a time."""

import os
import signal
import time
from collections.abc import Callable


def start(work: Callable[[], object]) -> int:
    """Begin without the seconds that imports take; give the process's id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def killed_after(seconds: float, work: Callable[[], object]) -> bool:
    """Do the work and kill -9 it after a time; True if it was still running."""
    child = start(work)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            return False
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL
