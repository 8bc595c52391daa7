"""Objects in Cloud Storage."""

import base64
from collections.abc import Iterable, Iterator

from google.api_core.exceptions import NotFound
from google.cloud.storage import Client

from loader.plan import Found


def found(client: Client, uri: str, generation: int, size: int, checksum: str) -> Found:
    """Describe one generation of an object; reading it raises FileNotFoundError when it is gone."""

    def read() -> bytes:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        try:
            return bytes(
                client.bucket(bucket).blob(name, generation=generation).download_as_bytes()
            )
        except NotFound:
            raise FileNotFoundError(f"generation {generation} is gone") from None

    return Found(uri, size, read, generation, checksum)


def hexadecimal(crc32c: str) -> str:
    """Write the API's base64 of a CRC32C as the ledger does."""
    return base64.b64decode(crc32c).hex()


def find(client: Client, sources: Iterable[str]) -> Iterator[Found]:
    """List the objects whose uris begin with a source, page by page."""
    for source in sources:
        bucket, _, prefix = source.removeprefix("gs://").partition("/")
        fields = "items(name,generation,size,crc32c),nextPageToken"
        for blob in client.list_blobs(bucket, prefix=prefix, fields=fields):
            uri = f"gs://{bucket}/{blob.name}"
            yield found(client, uri, blob.generation, blob.size, hexadecimal(blob.crc32c))
