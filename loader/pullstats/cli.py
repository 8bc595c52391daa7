"""The command `pullstats`."""

import importlib
import os
import sys
from collections.abc import Sequence

import click
import duckdb

from pullstats.output import say

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; expected errors print one line."""
    # logs hold addresses: what a command creates is for its owner only
    umask = os.umask(0o077)
    try:
        return int(pullstats.main(arguments, "pullstats", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("pullstats: interrupted; what has landed stays", err=True)
        return EXIT_INTERRUPTED
    except ImportError as error:
        extra, target = "bigquery", "bigquery"
        if error.name == "maxminddb":
            extra, target = "networks", "dev"
        what = f"install pullstats[{extra}], or run make {target} in a checkout"
        say(f"pullstats: {error}: {what}", err=True)
        return 1
    except Exception as error:
        # files, networks, permissions, and what comes from outside
        is_expected = isinstance(error, duckdb.Error | OSError | ValueError)
        if not is_expected and not type(error).__module__.startswith("google."):
            raise
        for line in f"pullstats: {error}".split("\n"):
            say(line, err=True)
        return 1
    finally:
        os.umask(umask)


MODULES = {
    "ask": "pullstats.ask",
    "inventory": "pullstats.registry_inventory.command",
    "load": "pullstats.loading",
    "networks": "pullstats.networks",
    "status": "pullstats.status",
}


class Commands(click.Group):
    """Commands in modules that are imported when they are needed."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*MODULES]

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in MODULES:
            return None
        command: click.Command = importlib.import_module(MODULES[name]).command
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Start with:
  pullstats load DIR         land log objects, each once
  dbt build                  make tables of them: in a checkout of pullstats, or in a dbt
                             project that has it as a package
  pullstats ask "from dim_images"

\b
Completion for bash, zsh or fish:
  eval "$(_PULLSTATS_COMPLETE=bash_source pullstats)"

\b
Exit codes: 0 success, 1 a file, network or permission failed, 2 wrong usage,
130 interrupted; load and inventory have more.""",
)
@click.version_option(package_name="pullstats")
def pullstats() -> None:
    """Show who pulls which container image: land logs, and ask the marts."""


if __name__ == "__main__":
    sys.exit(main())
