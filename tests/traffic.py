"""Writes usage logs of small, made-up stories: who read which blob of which image, when."""

import csv
import hashlib
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.raw_columns import USAGE_COLUMNS

DOCKER = "docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.8.0 os/linux arch/amd64"
DOCKER_29 = "docker/29.1.3 go/go1.25.5 git-commit/fbf3ed2 kernel/6.8.0 os/linux arch/amd64"
CONTAINERD = "containerd/2.1.4"
PODMAN = "containers/5.38.0 (github.com/containers/image)"
NIGHT = datetime(2026, 3, 3, tzinfo=UTC)
