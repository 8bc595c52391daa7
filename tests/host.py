"""A project outside the checkout that installs pullstats: tests/host_project."""

import shutil
from pathlib import Path

import yaml
from dbt.cli.main import dbtRunner

from tests.conftest import ROOT


class Host:
    def __init__(self, folder: Path, output: dict[str, object]) -> None:
        self.folder = folder / "host"
        shutil.copytree(ROOT / "tests/host_project", self.folder)
        packages = self.folder / "packages.yml"
        packages.write_text(packages.read_text().replace("../..", str(ROOT)))
        profile = {"analytics": {"target": "test", "outputs": {"test": {"threads": 2, **output}}}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        self.dbt("deps")

    def dbt(self, *arguments: str) -> None:
        folders = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        paths = ["--log-path", str(self.folder / "logs"), "--quiet"]
        result = dbtRunner().invoke([*arguments, *folders, *paths])
        if not result.success:
            failed = [
                f"{each.node.name}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass", "skipped")
            ]
            raise AssertionError(failed or result.exception)
