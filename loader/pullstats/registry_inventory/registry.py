"""Asks a registry's API v2 for repositories, tags and manifests, and never for a blob.

The read of a blob would appear in the very log that pullstats counts.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple
from urllib.parse import urljoin

import requests
from pydantic import BeforeValidator, Field
from requests.adapters import HTTPAdapter
from requests.utils import parse_dict_header
from urllib3.util import Retry

from pullstats.registry_inventory.manifests import (
    DIGEST,
    IMAGES,
    INDEXES,
    AnswerError,
    Content,
    Manifest,
    NoneIfEmpty,
    parse,
)

# Limits of what is read from a registry, decompressed; a list is all of its pages.
MAX_MANIFEST_BYTES = 8 * 2**20
MAX_LIST_BYTES = 64 * 2**20
MAX_PAGES = 10_000
RETRIES = Retry(
    total=3,
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=1,
    retry_after_max=30,
    raise_on_status=False,
)
ACCEPT = ", ".join((*IMAGES, *INDEXES, "application/json"))
# the API's own grammar; a name that matches it needs no quoting in a URL
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(f"(?=.{{1,255}}$){_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?/")
# registries write null for an empty list
_Names = Annotated[list[str], BeforeValidator(lambda value: value or []), Field(default=[])]


class UnavailableError(Exception):
    """The registry can't be reached or listed, so nothing of the target lands."""


class _Tagged(Content):
    tag: _Names


class _Page(Content):
    """A page of a list. gcr.io lists more than tags: digests, and the repositories below."""

    repositories: _Names
    tags: _Names
    child: list[str] | None = None
    manifest: Annotated[dict[str, _Tagged] | None, NoneIfEmpty] = None


class _Token(Content):
    token: Annotated[str | None, NoneIfEmpty] = None
    access_token: str | None = Field(default=None, alias="access_token")


class _Answer(NamedTuple):
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    next_page: str | None


@dataclass
class Listing:
    """What tags/list shows: tags, with their digest where gcr.io gives it, and other manifests."""

    tags: dict[str, str | None] = field(default_factory=dict)
    untagged: list[str] = field(default_factory=list)
    children: list[str] | None = None


class Login(NamedTuple):
    """A user with a password, and where tokens are given for it, if not at the registry itself."""

    user: str
    password: str
    realm: str | None = None

    @property
    def authorization(self) -> str:
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()


class Registry:
    def __init__(self, host: str, plain_http: bool = False, login: Login | None = None) -> None:
        self._host, self._plain_http, self._login = host, plain_http, login
        self._is_local = bool(_LOOPBACK.match(f"http://{host}/"))
        self._authorizations: dict[str, str] = {}
        self.url = f"http{'' if self._is_local or plain_http else 's'}://{host}/v2/"
        self._session = requests.Session()
        self._session.headers.update({"Accept": ACCEPT, "User-Agent": "pullstats-inventory"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    def check(self) -> None:
        """Raise UnavailableError unless a registry answers; a 401 is an answer, too."""
        try:
            status = self._request("GET", self.url).status
        except (requests.RequestException, AnswerError) as error:
            raise UnavailableError(f"{self.url}: {_reason(error)}") from error
        if status not in (200, 401):
            raise UnavailableError(f"{self.url}: HTTP {status}, no API v2 of a registry")

    def catalog(self) -> list[str]:
        pages = self._pages(f"{self.url}_catalog?n=1000", "")
        return [name for page in pages for name in page.repositories]

    def listing(self, repository: str) -> Listing:
        if not REPOSITORY.fullmatch(repository):
            raise AnswerError("no name of a repository")
        found = Listing()
        for page in self._pages(f"{self.url}{repository}/tags/list", repository):
            found.tags |= dict.fromkeys(page.tags)
            if page.child is not None:
                found.children = (found.children or []) + page.child
            for digest, manifest in (page.manifest or {}).items():
                found.tags |= dict.fromkeys(manifest.tag, digest)
                found.untagged += [] if manifest.tag else [digest]
        return found

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest of a tag, or None if only the manifest itself shows it."""
        answer = self._send("HEAD", self._manifest_url(repository, tag), repository)
        digest = answer.headers.get("Docker-Content-Digest", "")
        return digest if answer.status == 200 and DIGEST.fullmatch(digest) else None

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Fetch a manifest by tag or digest; its bytes must have the digest that names it."""
        answer = self._get(self._manifest_url(repository, reference), repository)
        header = answer.headers.get("Docker-Content-Digest")
        digest = reference if DIGEST.fullmatch(reference) else header
        return parse(answer.body, answer.headers.get("Content-Type", ""), digest)

    def _manifest_url(self, repository: str, reference: str) -> str:
        if not (_TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise AnswerError("neither a tag nor a digest")
        return f"{self.url}{repository}/manifests/{reference}"

    def _pages(self, url: str, area: str) -> Iterator[_Page]:
        seen: set[str] = set()
        left = MAX_LIST_BYTES
        while url not in seen:
            seen.add(url)
            if len(seen) > MAX_PAGES:
                raise AnswerError(f"{url}: more than {MAX_PAGES:,} pages")
            answer = self._get(url, area, left)
            left -= len(answer.body)
            yield _Page.read(answer.body)
            if not answer.next_page:
                return
            try:
                url = urljoin(url, answer.next_page)
            except ValueError as error:
                raise AnswerError(f"no URL: {answer.next_page!r:.90}") from error
            if not url.startswith(self.url):
                raise AnswerError(f"{answer.url}: its next page is elsewhere: {url}")
        raise AnswerError(f"{url}: its pages repeat")

    def _get(self, url: str, area: str, max_bytes: int = MAX_MANIFEST_BYTES) -> _Answer:
        answer = self._send("GET", url, area, max_bytes)
        if answer.status != 200:
            raise AnswerError(f"{url}: HTTP {answer.status}")
        return answer

    def _send(
        self, method: str, url: str, area: str, max_bytes: int = MAX_MANIFEST_BYTES
    ) -> _Answer:
        """Send a request with the authorization of its area, a repository.

        The authorization is fetched when the registry asks for it. After an error that can concern
        the whole registry, check that it still answers.
        """
        try:
            answer = self._request(method, url, self._authorizations.get(area), max_bytes)
            if answer.status == 401:
                self._authorizations[area] = self._authorize(answer)
                answer = self._request(method, url, self._authorizations[area], max_bytes)
        except requests.RequestException as error:
            self.check()
            raise AnswerError(f"{url}: {_reason(error)}") from error
        if answer.status in RETRIES.status_forcelist:
            self.check()
        return answer

    def _authorize(self, refusal: _Answer) -> str:
        """Return what the refusal asks for: the login, or a token from its realm."""
        scheme, _, text = refusal.headers.get("WWW-Authenticate", "").partition(" ")
        login = self._login.authorization if self._login else None
        if scheme.lower() == "basic" and login:
            return login
        if scheme.lower() != "bearer":
            raise AnswerError(f"{refusal.url}: HTTP 401: it requires a user and a password")
        challenge = parse_dict_header(text)
        realm = challenge.get("realm") or ""
        self._check_realm(refusal.url, realm)
        query = [("service", challenge.get("service") or "")]
        query += [("scope", scope) for scope in (challenge.get("scope") or "").split()]
        answer = self._request("GET", realm, login, query=query)
        if answer.status != 200:
            raise AnswerError(f"{answer.url}: HTTP {answer.status}, so no token")
        found = _Token.read(answer.body)
        token = found.token or found.access_token or ""
        if not (token and token.isascii() and token.isprintable()):
            raise AnswerError(f"{answer.url}: no token in its answer")
        return f"Bearer {token}"

    def _check_realm(self, url: str, realm: str) -> None:
        """Refuse a place for tokens that is not safe, or must not see the login."""
        if _LOOPBACK.match(realm):
            is_safe = self._is_local
        else:
            is_safe = realm.startswith(("https://", "http://") if self._plain_http else "https://")
        if not is_safe:
            raise AnswerError(f"{url}: HTTP 401: no safe place for tokens: {realm}")
        is_own = realm.startswith(self.url.removesuffix("v2/"))
        if self._login and not is_own and realm != self._login.realm:
            raise AnswerError(
                f"{url}: HTTP 401: its tokens are at {realm}, which gets no login"
                " unless PULLSTATS_REGISTRY_REALM names it"
            )

    def _request(
        self,
        method: str,
        url: str,
        authorization: str | None = None,
        max_bytes: int = MAX_MANIFEST_BYTES,
        query: list[tuple[str, str]] | None = None,
    ) -> _Answer:
        with self._session.request(
            method,
            url,
            params=query,
            headers={"Authorization": authorization} if authorization else None,
            # without it, requests would take what ~/.netrc holds
            auth=lambda request: request,
            timeout=(10, 60),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for part in response.iter_content(2**16):
                body += part
                if len(body) > max_bytes:
                    raise AnswerError(f"{url}: more than {max_bytes:,} bytes")
            link = response.links.get("next", {}).get("url")
            return _Answer(url, response.status_code, response.headers, bytes(body), link)


def _reason(error: Exception) -> str:
    """Return the cause without the wrappings of urllib3's retries."""
    cause: Any = error.args[0] if error.args else error
    return str(getattr(cause, "reason", cause))
