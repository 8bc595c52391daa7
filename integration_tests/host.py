"""A project outside the checkout that installs pullstats: integration_tests/host_project."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import yaml
from dbt.cli.main import dbtRunner

from integration_tests.project import ROOT, WITHOUT_FILES, parsed, runner
from integration_tests.quick_dbt import silenced


class Host:
    def __init__(
        self, folder: Path, output: dict[str, object], settings: dict[str, object] | None = None
    ) -> None:
        self.folder = folder / "host"
        shutil.copytree(ROOT / "integration_tests/host_project", self.folder)
        if settings is None:
            self.own_models_of_our_names()
        else:
            self.configure(settings)
        packages = self.folder / "packages.yml"
        packages.write_text(packages.read_text().replace("../..", str(ROOT)))
        profile = {"analytics": {"target": "test", "outputs": {"test": {"threads": 2, **output}}}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        self.options = [
            *("--project-dir", str(self.folder), "--profiles-dir", str(self.folder)),
            *("--log-path", str(self.folder / "logs"), "--log-level", "none", *WITHOUT_FILES),
        ]
        assert dbtRunner().invoke(["deps", *self.options]).success
        self.manifest = parsed(self.options)

    def configure(self, settings: dict[str, object]) -> None:
        path = self.folder / "dbt_project.yml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))

    def own_models_of_our_names(self) -> None:
        """Give the project models and seeds that are named like all of pullstats'."""
        for path in (ROOT / "models").rglob("*.sql"):
            (self.folder / "models" / path.name).write_text("select 'theirs' as owner")
        (self.folder / "seeds").mkdir()
        for path in (ROOT / "seeds").glob("*.csv"):
            (self.folder / "seeds" / path.name).write_text("owner\ntheirs\n")

    def dbt(self, *arguments: str) -> None:
        with nullcontext() if "--warn-error" in arguments else silenced():
            result = runner(self.manifest).invoke([*arguments, *self.options])
        if not result.success:
            failed = [
                f"{each.node.name}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass", "skipped")
            ]
            raise AssertionError(failed or result.exception)
