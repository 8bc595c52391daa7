"""Where the commands say what they do."""

import sys

from rich.console import Console

out = Console(
    highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200
)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str, to: Console = out) -> None:
    """Print a line as it is, however long."""
    to.print(text, soft_wrap=True)
