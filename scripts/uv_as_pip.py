#!/usr/bin/env python3
"""Runs uv with what pip is configured to use: indexes, certificates, proxy.

uv reads neither pip's files nor its variables, and trusts a list of certificates of its own: where
pip works behind a proxy that inspects TLS, or with a mirror of packages, uv alone fails. Variables
of uv that are set already stay.

usage: .venv/bin/python scripts/uv_as_pip.py ARGUMENTS…    by the Python beside pip and uv
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

# pip's setting, and the variables of uv for the same; uv's lists have another separator
SAME = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}
SECTIONS = ("global", "install", ":env:")  # the last that has a setting counts


def settings_of_pip() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in found:
            found[section][name] = ast.literal_eval(value)
    return {name: value for section in SECTIONS for name, value in found[section].items()}


def environment(settings: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Return the variables that uv runs with."""
    # what pip's library for HTTP reads itself
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if given.get(name):
            settings = {"cert": given[name]} | settings
    of_pip = {"UV_SYSTEM_CERTS": "true"}
    for name, (variable, separator) in SAME.items():
        if settings.get(name):
            of_pip[variable] = separator.join(settings[name].split())
    if "UV_INDEX" in of_pip:
        # as pip does, look for a version in all indexes; what is installed has its hash in a lock
        of_pip["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return of_pip | given


def main(arguments: list[str]) -> None:
    uv = Path(sys.executable).with_name("uv")
    settings = settings_of_pip()
    if settings.get("no-index") in {"1", "true", "yes", "on"} and "install" in arguments:
        arguments = [*arguments, "--no-index"]
    os.execve(uv, [str(uv), *arguments], environment(settings, dict(os.environ)))  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
