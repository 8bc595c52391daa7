"""A project outside the checkout that installs pullstats: integration_tests/host_project."""

import shutil
from pathlib import Path

import yaml
from dbt.cli.main import dbtRunner

from integration_tests.project import ROOT, WITHOUT_FILES, parsed, runner


class Host:
    def __init__(self, folder: Path, output: dict[str, object]) -> None:
        self.folder = folder / "host"
        shutil.copytree(ROOT / "integration_tests/host_project", self.folder)
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

    def dbt(self, *arguments: str) -> None:
        result = runner(self.manifest).invoke([*arguments, *self.options])
        if not result.success:
            failed = [
                f"{each.node.name}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass", "skipped")
            ]
            raise AssertionError(failed or result.exception)
