"""The files of the container image, worked out from Dockerfile and .dockerignore without Docker."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path, PurePosixPath


def copies(dockerfile: Path) -> list[tuple[str, str]]:
    """Return source and destination of each COPY of the last stage, the environment's aside."""
    stage = dockerfile.read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    found = [shlex.split(line) for line in re.findall(r"^COPY (?!--from)(.*)$", stage, re.M)]
    return [(source, words[-1]) for words in found for source in words[:-1]]


def is_sent(path: str, patterns: list[str]) -> bool:
    """Return whether a file is in the build context; the last pattern that matches decides."""
    sent = True
    places = [str(each) for each in (PurePosixPath(path), *PurePosixPath(path).parents)]
    for pattern in patterns:
        form = re.escape(pattern.removeprefix("!"))
        form = form.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(form, place) for place in places):
            sent = pattern.startswith("!")
    return sent


def lay_out(repository: Path, folder: Path) -> None:
    """Copy what the image holds below its working directory."""
    ignore = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in ignore if line and not line.startswith("#")]
    sent = [path for path in tracked(repository) if is_sent(path, patterns)]
    for source, destination in copies(repository / "Dockerfile"):
        files = [path for path in sent if path == source or path.startswith(f"{source}/")]
        if not files:
            raise FileNotFoundError(f"COPY {source}: not in the build context")
        for path in files:
            inside = path.removeprefix(source).lstrip("/")
            name = f"{destination}/{inside}" if inside else destination
            place = folder / (name + PurePosixPath(path).name if name.endswith("/") else name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(repository / path, place)


def tracked(repository: Path) -> list[str]:
    """Return the files that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return [path for path in found.stdout.splitlines() if (repository / path).is_file()]
