"""Objects in Cloud Storage."""

import base64
from collections.abc import Iterator

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption

from pullstats import log_names
from pullstats.plan import Found


def found(
    client: Client, uri: str, generation: int, stored: tuple[int, str], encoding: str | None
) -> Found:
    """Describe one generation of an object; reading it raises FileNotFoundError when it is gone.

    `stored` are size and CRC32C, in the API's base64.
    """

    def read() -> bytes:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        blob = client.bucket(bucket).blob(name, generation=generation)
        try:
            return bytes(blob.download_as_bytes(raw_download=True))
        except NotFound:
            raise FileNotFoundError(f"generation {generation} is gone") from None
        except DataCorruption as error:
            raise GoogleAPIError(f"{uri}: {error}") from error

    fault = None
    if encoding == "gzip" and log_names.parse(uri):
        fault = "it is stored compressed: upload it decompressed"
    checksum = base64.b64decode(stored[1]).hex()
    return Found(uri, stored[0], read, generation, checksum, fault=fault)


def find(client: Client, source: str, since: str) -> Iterator[Found]:
    """List the objects whose uris begin with a source, page by page.

    Names begin alike up to the hour. At one before `since` the listing starts again at that hour,
    so that it costs what is new, not what has been there for years.
    """
    bucket, _, prefix = source.removeprefix("gs://").partition("/")
    fields = "items(name,generation,size,crc32c,contentEncoding),nextPageToken"
    start: str | None = ""
    while start is not None:
        blobs = client.list_blobs(bucket, prefix=prefix, start_offset=start, fields=fields)
        start = None
        for blob in blobs:
            uri = f"gs://{bucket}/{blob.name}"
            about = blob.generation, (blob.size, blob.crc32c), blob.content_encoding
            yield found(client, uri, *about)
            if later := log_names.at_hour(uri, since):
                start = later.removeprefix(f"gs://{bucket}/")
                break
