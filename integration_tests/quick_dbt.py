"""All that tests change in dbt, which makes for each node again what is the same for all.

Besides, `runner` in project.py gives dbt what it has parsed, and test_whole_days.py watches its
statements.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType
from typing import Any
from unittest.mock import patch

import parsedatetime
from dbt import compilation
from dbt.clients.jinja import MacroGenerator
from dbt.context import macros
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.events.base_types import BaseEvent
from dbt_common.events.event_manager import EventManager
from dbt_common.tests import enable_test_caching

compile_template = MacroFuzzEnvironment.compile
compiled: dict[tuple[Any, ...], CodeType] = {}


def compiled_once(self: MacroFuzzEnvironment, source: Any, *options: Any) -> CodeType:
    key = (type(self), source, *options)
    if key not in compiled:
        compiled[key] = compile_template(self, source, *options)
    return compiled[key]


class Macros(dict[str, Any]):
    """A `MacroNamespace` that copies its macros at once."""

    get_from_package = macros.MacroNamespace.get_from_package

    packages: dict[str, Any]
    global_project_namespace: dict[str, Any]


def namespace(
    self: macros.MacroNamespaceBuilder, packages: dict[str, dict[str, Any]], context: dict[str, Any]
) -> Macros:
    made = {
        package: {
            name: MacroGenerator(macro, context, self.node, self.thread_ctx)
            for name, macro in members.items()
        }
        for package, members in packages.items()
    }
    dbts: dict[str, Any] = {}
    for package in reversed(self.internal_package_names_order):
        dbts |= made.pop(package, {})
    root, own = (made.get(package, {}) for package in (self.root_package, self.search_package))
    found = Macros({**dbts, "dbt": dbts, **made, **root, **own})
    found.packages, found.global_project_namespace = made, dbts
    return found


def macro_generator(
    self: MacroGenerator, macro: Any, context: Any = None, node: Any = None, stack: Any = None
) -> None:
    """Make it without a call of each class above: there are 700 for each node."""
    self.macro, self.context, self.node, self.stack = macro, context, node, stack


inject = compilation.inject_ctes_into_sql
BEGIN = re.compile(r"(\s|--.*\n|/\*[\s\S]*?\*/)*with(\s+recursive)?\s+", re.IGNORECASE)


def injected(sql: str, fixtures: list[Any]) -> str:
    """Let dbt parse no more of a unit test than the `with` that it looks for."""
    begin = BEGIN.match(sql)
    return inject(begin[0], fixtures) + sql[begin.end() :] if begin else inject(sql, fixtures)


enable_test_caching()  # dbt's own, for its tests
parsedatetime.Constants = cache(parsedatetime.Constants)
compilation.inject_ctes_into_sql = injected
MacroGenerator.__init__ = macro_generator
MacroFuzzEnvironment.compile = compiled_once
macros.MacroNamespaceBuilder.build_namespace = namespace


@contextmanager
def silenced() -> Iterator[None]:
    """Let dbt make no events: no option keeps it from them, and they take a fifth of a build."""

    def without_content(self: BaseEvent, *_: object, **__: object) -> None:
        self.pb_msg = getattr(self.PROTO_TYPES_MODULE, type(self).__name__)()

    with (
        patch.object(BaseEvent, "__init__", without_content),
        patch.object(EventManager, "fire_event", lambda *_, **__: None),
    ):
        yield
