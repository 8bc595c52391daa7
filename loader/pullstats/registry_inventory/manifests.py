"""Reads configs, layers and platforms from the JSON of manifests. No network."""

import hashlib
import re
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from pullstats.validation import Text, fault

IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DIGEST = re.compile(r"(sha256):[0-9a-f]{64}|(sha512):[0-9a-f]{128}")
# No blob is larger, but a manifest can claim any size.
MAX_SIZE = 2**50


class AnswerError(Exception):
    """An answer of a registry can't be used. It is set aside, and the inventory continues."""


Digest = Annotated[str, Field(pattern=f"^(?:{DIGEST.pattern})$")]
NoneIfEmpty = BeforeValidator(lambda value: value or None)
Model = TypeVar("Model", bound="Content")


class Content(BaseModel, strict=True, alias_generator=to_camel):
    """JSON of a registry; of its fields only those that are named are read."""

    @classmethod
    def read(cls: type[Model], body: bytes) -> Model:
        """Read JSON of this shape; else raise AnswerError."""
        try:
            return cls.model_validate(from_json(body))
        except ValidationError as error:
            raise AnswerError(fault(error)) from error
        except ValueError as error:
            raise AnswerError(f"no JSON: {error}") from error


class Platform(Content):
    os: Text
    architecture: Text
    variant: Annotated[Text | None, NoneIfEmpty] = None


class Descriptor(Content):
    media_type: Text
    digest: Digest
    size: Annotated[int, Field(ge=0, le=MAX_SIZE)]
    platform: Annotated[Platform | None, NoneIfEmpty] = None

    @property
    def on(self) -> str | None:
        return "/".join(value for _, value in self.platform if value) if self.platform else None


class _ManifestContent(Content):
    media_type: Any = None
    artifact_type: Annotated[Text | None, NoneIfEmpty] = None
    config: Descriptor | None = None
    layers: list[Descriptor] = []
    manifests: list[Descriptor] = []


class Manifest(NamedTuple):
    """An image, an artifact or an index, as values of the columns of two tables.

    `blobs`: the config at position 0, then the layers; `children`: digest and platform of what an
    index lists.
    """

    digest: str
    columns: dict[str, Any]
    blobs: list[dict[str, Any]]
    children: list[tuple[str, str | None]]


def parse(body: bytes, content_type: str, digest: str | None) -> Manifest:
    """Read a manifest that must have this digest, if one is known; else raise AnswerError."""
    content = _ManifestContent.read(body)
    # the digest covers the body, but no header
    media_type = content.media_type or content_type.partition(";")[0].strip()
    if media_type not in IMAGES + INDEXES:
        raise AnswerError(f"unknown media type {media_type!r:.90}")
    if media_type in IMAGES and not content.config:
        raise AnswerError("an image without a config")
    algorithm = digest.partition(":")[0] if digest and DIGEST.fullmatch(digest) else "sha256"
    found = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    if digest and found != digest:
        raise AnswerError(f"its bytes have the digest {found}, not {digest:.150}")
    config, layers = content.config, content.layers
    children: list[Descriptor] = []
    for each in content.manifests:
        # BuildKit keeps its cache as an index of layers
        is_manifest = ".manifest." in each.media_type or ".index." in each.media_type
        (children if is_manifest else layers).append(each)
    columns = {
        "manifest_digest": found,
        "media_type": media_type,
        "artifact_type": content.artifact_type,
        "config_digest": config and config.digest,
        "config_media_type": config and config.media_type,
        "config_bytes": config and config.size,
        "layer_count": len(layers),
        "manifest_bytes": len(body),
    }
    blobs = [
        {
            "role": "layer" if position else "config",
            "position": position,
            "digest": each.digest,
            "media_type": each.media_type,
            "size_bytes": each.size,
        }
        for position, each in enumerate([config, *layers])
        if each
    ]
    return Manifest(found, columns, blobs, [(each.digest, each.on) for each in children])
