"""Objects in Cloud Storage."""

import base64
import gzip
import zlib
from collections.abc import Iterator

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption

from pullstats.plan import Found


def found(
    client: Client, uri: str, generation: int, stored: tuple[int, str], encoding: str | None
) -> Found:
    """Describe one generation of an object; reading it raises FileNotFoundError when it is gone.

    `stored` are size and CRC32C, in the API's base64; not those of the content of what is stored
    compressed.
    """

    def read() -> bytes:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        blob = client.bucket(bucket).blob(name, generation=generation)
        try:
            # as it is stored: the client's own decompression fails with urllib3 2.8
            data = blob.download_as_bytes(raw_download=True)
            return gzip.decompress(data) if encoding == "gzip" else bytes(data)
        except NotFound:
            raise FileNotFoundError(f"generation {generation} is gone") from None
        except DataCorruption as error:
            raise GoogleAPIError(f"{uri}: {error}") from error
        except (EOFError, zlib.error) as error:
            raise OSError(f"its gzip encoding is damaged: {error}") from error

    checksum = None if encoding == "gzip" else base64.b64decode(stored[1]).hex()
    return Found(uri, stored[0], read, generation, checksum)


def find(client: Client, source: str) -> Iterator[Found]:
    """List the objects whose uris begin with a source, page by page."""
    bucket, _, prefix = source.removeprefix("gs://").partition("/")
    fields = "items(name,generation,size,crc32c,contentEncoding),nextPageToken"
    for blob in client.list_blobs(bucket, prefix=prefix, fields=fields):
        about = blob.generation, (blob.size, blob.crc32c), blob.content_encoding
        yield found(client, f"gs://{bucket}/{blob.name}", *about)
