"""Where the commands print what they do."""

import sys

from rich.console import Console

out = Console(
    highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200
)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str, to: Console = out) -> None:
    """Print a line, however long. Names come from outside, so nothing in it moves the cursor."""
    to.print(shown(text), soft_wrap=True)


def shown(text: str) -> str:
    """Escape what a terminal or a table must not get from a stranger."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
