"""The command `pullstats`."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb

from pullstats import ask, loading, status
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.loading import Warehouse
from pullstats.output import err, say

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse

EXIT_INTERRUPTED = 130

_Command = Callable[..., Any]


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
        say("pullstats: interrupted; what has landed has landed", err)
        return EXIT_INTERRUPTED
    except ImportError as error:
        target = "dev" if error.name in ("requests", "maxminddb") else "bigquery"
        say(f"pullstats: {error}: `make {target}` in the checkout installs it", err)
        return 1
    except Exception as error:
        if not isinstance(error, _faults()):
            raise
        for line in f"pullstats: {error}".split("\n"):
            say(line, err)
        return 1
    finally:
        os.umask(umask)


def _faults() -> tuple[type[Exception], ...]:
    """Errors of files, networks and permissions; Google's are there once something needs them."""
    google = (("api_core", "GoogleAPIError"), ("auth", "GoogleAuthError"))
    modules = ((sys.modules.get(f"google.{part}.exceptions"), name) for part, name in google)
    found = (getattr(module, name) for module, name in modules if module)
    return (duckdb.Error, ask.AskError, OSError, ValueError, *found)


def _options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    return lambda command: reduce(lambda done, option: option(done), reversed(options), command)


on_duckdb = _options(
    click.option(
        "--database",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="PULLSTATS_DUCKDB",
        default="warehouse.duckdb",
        show_default=True,
        show_envvar=True,
        help="The DuckDB file.",
    ),
)
on_bigquery = _options(
    click.option("--project", help="Project of dataset and jobs.  [env: PULLSTATS_PROJECT]"),
    click.option("--location", help="Location of both.  [env: PULLSTATS_LOCATION; default: US]"),
    click.option("--dataset", help="Raw.  [env: PULLSTATS_DATASET; default: storageanalysis]"),
    click.option(
        "--label", "labels", multiple=True, help="k=v, repeatable.  [env: PULLSTATS_LABELS]"
    ),
    click.option(
        "--usage-days",
        type=click.IntRange(0),
        help="Days to keep raw, 0: all.  [env: PULLSTATS_USAGE_DAYS; default: 400]",
    ),
)
on_either = _options(
    click.option("--to", type=click.Choice(["duckdb", "bigquery"]), default="duckdb"),
    on_duckdb,
    on_bigquery,
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Start with:
  pullstats load DIR         land log objects, each once
  dbt build                  turn them into tables
  pullstats ask most_pulled_images
\b
Completion for bash, zsh or fish:
  eval "$(_PULLSTATS_COMPLETE=bash_source pullstats)"
\b
Exit codes: 0 success, 1 a file, network or permission failed, 2 wrong usage,
130 interrupted; load and inventory have more.""",
)
@click.version_option(package_name="pullstats")
def pullstats() -> None:
    """Who pulls which container image: land logs, see what landed, ask the marts."""


class Hour(click.ParamType[str]):
    """A day, or an hour of it, as 2024-05-29T07; or so many days before now, as 7d."""

    name = "YYYY-MM-DD[THH]|DAYSd"

    def convert(self, value: str, param: Any, context: Any) -> str:
        """Return the text if it is a day or an hour that there is, or the day that it means."""
        if re.fullmatch("[0-9]{1,4}d", value):
            return f"{datetime.now(UTC) - timedelta(days=int(value[:-1])):%Y-%m-%d}"
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H"):
            try:
                if datetime.strptime(value, form).strftime(form) == value:
                    return value
            except ValueError:
                pass
        forms = "a day (2024-05-29), an hour (2024-05-29T07) or a number of days (7d)"
        self.fail(f"{value} is not {forms}", param, context)


@pullstats.command(
    epilog="""\b
Examples:
  pullstats load --dry-run logs/
  pullstats load logs/ more_logs/
  pullstats load --to bigquery gs://my-logs/ --since 7d
\b
Exit codes:
  0  all landed
  1  a file, network or permission failed
  2  wrong usage
  3  lines were rejected: storageanalysis.rejected_lines has them; all others landed
  4  objects or folders could not be read, landed before with other content, or a source has no
     log object: each is named; all others landed"""
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--since", type=Hour(), help="First hour to load. Of gs://, no older is listed.")
@click.option("--until", type=Hour(), help="Last hour to load, included.")
@click.option("--allow-empty", is_flag=True, help="A source may have no log object.")
@click.option("--dry-run", is_flag=True, help="Say what would be loaded, and why not the rest.")
@on_either
def load(
    sources: tuple[str, ...],
    since: str | None,
    until: str | None,
    allow_empty: bool,
    dry_run: bool,
    to: str,
    database: Path,
    **settings: Any,
) -> int:
    """Land log objects, each once: of a folder, a file, or gs://BUCKET/PREFIX.

    Usage and storage logs of Cloud Storage, and audit logs that a Cloud Logging sink has written to
    a bucket. What has landed before is left alone.
    """
    if since and until and since > until + "~":
        raise click.UsageError(f"--since {since} is after --until {until}")
    hours = (since or "", (until or "") + "~")
    # nothing is made where nothing is to be written
    is_new = dry_run and to == "duckdb" and not database.exists()
    found = loading.find(sources, to, settings["project"], since or "")
    warehouse = None if is_new else _open(to, database, settings, read_only=dry_run)
    with closing(warehouse) if warehouse else nullcontext():
        return loading.run(found, warehouse, hours, allow_empty, dry_run)


def _open(to: str, database: Path, settings: dict[str, Any], read_only: bool = False) -> Warehouse:
    return DuckDBWarehouse(database, read_only) if to == "duckdb" else _connect(settings)


def _connect(settings: dict[str, Any]) -> "BigQueryWarehouse":
    from pullstats.bigquery_warehouse import BigQueryWarehouse

    return BigQueryWarehouse(**settings)


@pullstats.command("status")
@click.option("--format", "layout", type=click.Choice(["table", "json"]), default="table")
@click.option("--new", "is_news", is_flag=True, help="Only say if there is something to build.")
@on_either
def show_status(layout: str, is_news: bool, to: str, database: Path, **settings: Any) -> int:
    """Say what has landed, by day. Reads only.

    With --new, say only whether raw has changed since the last finished build.

    Exit codes: 0 success, 1 nothing has landed, 5 (with --new) nothing is new.
    """
    if to == "duckdb" and not database.exists():
        say(f"pullstats: no database at {database}: nothing has landed yet", err)
        return 1
    with closing(_open(to, database, settings, read_only=True)) as warehouse:
        return status.show_news(warehouse) if is_news else status.run(warehouse, layout)


class Questions(click.Group):
    """A command for each question of the checkout, and for SQL."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all questions."""
        return sorted(ask.questions(ask.project_folder()))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command that answers a question, or SQL."""
        is_sql = len(name.split()) > 1
        known = {} if is_sql else ask.questions(ask.project_folder())
        if not is_sql and name not in known:
            return None
        question = ask.Question(name, "SQL of your own.", {}) if is_sql else known[name]
        types = {"int64": click.INT, "string": click.STRING}
        options = [
            click.option(
                f"--{each.replace('_', '-')}",
                type=types[parameter.type],
                default=parameter.default,
                show_default=parameter.default is not None,
                help=parameter.description,
            )
            for each, parameter in question.parameters.items()
        ]
        answer = partial(_answer, question, is_sql)
        command: click.Command = click.command(name, help=question.description)(
            _options(*options, *_ANSWERS, on_either)(answer)
        )
        return command


_ANSWERS = (
    click.option("--format", "layout", type=click.Choice(ask.FORMATS), default="table"),
    click.option("--limit", type=click.IntRange(0), help="Rows to show at most."),
    click.option("--sql", "is_shown", is_flag=True, help="Print the SQL, and run nothing."),
)


@pullstats.group(
    "ask",
    cls=Questions,
    subcommand_metavar="QUESTION [OPTIONS]",
    epilog="""\b
Examples:
  pullstats ask images_not_used --unused-days 30 --format csv
  pullstats ask images_not_used --help
  pullstats ask "select image, pulls from dim_images order by pulls desc"
\b
json is one object a line. Exit codes: 0 success, 1 no answer, 2 wrong usage.""",
)
def show_questions() -> None:
    """Answer a question from the marts. A question is one of these names, or a SELECT."""


def _answer(
    question: ask.Question,
    is_sql: bool,
    layout: str,
    limit: int | None,
    is_shown: bool,
    to: str,
    database: Path,
    **settings: Any,
) -> int:
    target = "local" if to == "duckdb" else "bigquery"
    values = {name: settings.pop(name) for name in question.parameters}
    os.environ["PULLSTATS_DUCKDB"] = str(database)
    sql = question.name if is_sql else ask.sql_of(question.name, ask.project_folder(), target)
    if is_shown:
        click.echo(sql)
        return 0
    types = {name: parameter.type for name, parameter in question.parameters.items()}
    answering = (
        ask.on_duckdb(sql, values, database)
        if to == "duckdb"
        else ask.on_bigquery(sql, values, types, _connect(settings).client)
    )
    with answering as answer:
        if ask.write(answer, layout, limit, sys.stdout):
            say(f"pullstats: these are the first {limit} rows, and there are more", err)
    return 0


def _landing(to: str, database: Path, settings: dict[str, Any]) -> Any:
    from pullstats.registry_inventory.landing import DuckDBLanding

    if to == "duckdb":
        return DuckDBLanding(database)
    from pullstats.registry_inventory.bigquery_landing import BigQueryLanding

    warehouse = _connect(settings)
    return BigQueryLanding(warehouse.client, warehouse.dataset.dataset_id)


@pullstats.command(
    epilog="""\b
Examples:
  pullstats inventory --dry-run gcr.io/my-project
  pullstats inventory gcr.io/my-project registry.example.com/team 127.0.0.1:5000
\b
Exit codes:
  0  all landed
  1  a file, network or permission failed
  2  wrong usage
  3  something was set aside: storageanalysis.inventory_errors names it; all else landed
  4  a registry can't be reached or listed: nothing of it landed, the other targets did"""
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--plain-http", is_flag=True, help="No TLS, even if the registry is elsewhere.")
@click.option("--dry-run", is_flag=True, help="Name the repositories, land nothing.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(0, min_open=True),
    default=240,
    show_default=True,
    help="Give up a target after this time.",
)
@on_either
def inventory(
    targets: tuple[str, ...],
    plain_http: bool,
    dry_run: bool,
    max_minutes: float,
    to: str,
    database: Path,
    **settings: Any,
) -> int:
    """Land what registries hold: tags, manifests, blobs. TARGET is HOST[:PORT][/PATH].

    The variables PULLSTATS_REGISTRY_USER and PULLSTATS_REGISTRY_PASSWORD hold the login of one
    registry. If it gets its tokens from another host, PULLSTATS_REGISTRY_REALM names their URL.
    """
    from pullstats.registry_inventory import command

    open_landing = None if dry_run else lambda: _landing(to, database, settings)
    return command.run(targets, plain_http, max_minutes, open_landing)


@pullstats.command()
@click.argument("lists", nargs=-1, required=True, metavar="FILE...", type=Path)
@on_either
def networks(lists: tuple[Path, ...], to: str, database: Path, **settings: Any) -> None:
    """Land lists of networks, in place of those before: clouds, ASNs and countries of clients.

    A FILE is what Google, AWS or Azure publish (JSON), or an ASN or country database (MMDB).
    """
    from pullstats.network_lists import table

    table.land(lists, database, None if to == "duckdb" else _connect(settings))


if __name__ == "__main__":
    sys.exit(main())
