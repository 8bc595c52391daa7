"""Reads manifests: what their JSON says of configs, layers and platforms. No network."""

import hashlib
import json
import re
from typing import Any, NamedTuple

IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DIGEST = re.compile(r"(sha256):[0-9a-f]{64}|(sha512):[0-9a-f]{128}")


class ManifestError(Exception):
    """These bytes are no manifest that can be understood; the text says why."""


class Manifest(NamedTuple):
    """An image, an artifact or an index, as values of the columns of two tables.

    `blobs`: the config at position 0, then the layers; `children`: digest and platform of what an
    index lists.
    """

    columns: dict[str, Any]
    blobs: list[dict[str, Any]]
    children: list[tuple[str, str | None]]

    @property
    def digest(self) -> str:
        return str(self.columns["manifest_digest"])


def parse(body: bytes, content_type: str, digest: str | None) -> Manifest:
    """Read a manifest that must have this digest, if one is known; else raise ManifestError."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ManifestError("no JSON object")
    # the bytes that the digest vouches for are surer than a header
    media_type = content.get("mediaType") or content_type.partition(";")[0].strip()
    if media_type not in IMAGES + INDEXES:
        raise ManifestError(f"unknown media type {media_type!r:.90}")
    algorithm = _digest({"digest": digest}).split(":")[0] if digest else "sha256"
    found = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    if digest and found != digest:
        raise ManifestError(f"its bytes have the digest {found}, not {digest}")
    if media_type in IMAGES:
        config = _blob(0, _member(content, "config", dict))
        children, layers = [], _descriptors(content, "layers")
    else:
        config, listed = None, _descriptors(content, "manifests")
        children = [each for each in listed if _is_manifest(each)]
        # BuildKit keeps its cache as an index of layers
        layers = [each for each in listed if not _is_manifest(each)]
    columns = {
        "manifest_digest": found,
        "media_type": media_type,
        "artifact_type": _text(content, "artifactType") if content.get("artifactType") else None,
        "config_digest": config and config["digest"],
        "config_media_type": config and config["media_type"],
        "config_bytes": config and config["size_bytes"],
        "layer_count": len(layers),
        "manifest_bytes": len(body),
    }
    blobs = [config] if config else []
    blobs += [_blob(position, layer) for position, layer in enumerate(layers, 1)]
    return Manifest(columns, blobs, [_child(each) for each in children])


def _is_manifest(descriptor: dict[str, Any]) -> bool:
    media_type = _text(descriptor, "mediaType")
    return ".manifest." in media_type or ".index." in media_type


def _blob(position: int, descriptor: dict[str, Any]) -> dict[str, Any]:
    size = _member(descriptor, "size", int)
    if isinstance(size, bool) or not 0 <= size < 2**63:
        raise ManifestError(f"size is out of range: {size!r:.40}")
    return {
        "role": "layer" if position else "config",
        "position": position,
        "digest": _digest(descriptor),
        "media_type": _text(descriptor, "mediaType"),
        "size_bytes": size,
    }


def _child(descriptor: dict[str, Any]) -> tuple[str, str | None]:
    platform = None
    if descriptor.get("platform"):
        about = _member(descriptor, "platform", dict)
        names = ("os", "architecture", *(["variant"] if about.get("variant") else []))
        platform = "/".join(_text(about, name) for name in names)
    return _digest(descriptor), platform


def _descriptors(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_member({name: each}, name, dict) for each in _member(content, name, list)]


def _digest(descriptor: dict[str, Any]) -> str:
    digest = _text(descriptor, "digest")
    if not DIGEST.fullmatch(digest):
        raise ManifestError(f"no digest: {digest!r:.90}")
    return digest


def _text(place: dict[str, Any], name: str) -> str:
    value: str = _member(place, name, str)
    if not value or not value.isprintable():
        raise ManifestError(f"{name} is no readable text: {value!r:.90}")
    return value


def _member(place: dict[str, Any], name: str, kind: type) -> Any:
    value = place.get(name)
    if not isinstance(value, kind):
        raise ManifestError(f"{name} is no {kind.__name__}: {value!r:.90}")
    return value
