"""Asks a registry's API v2 for repositories, tags and manifests, and never for a blob.

The read of a blob would appear in the very log that pullstats counts.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import parse_dict_header
from urllib3.util import Retry

from pullstats.registry_inventory.manifests import (
    DIGEST,
    IMAGES,
    INDEXES,
    Manifest,
    ManifestError,
    parse,
)

RETRIES = Retry(
    total=5,
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=0.5,
    retry_after_max=120,
    raise_on_status=False,
)
ACCEPT = ", ".join((*IMAGES, *INDEXES, "application/json"))
# the API's own grammar: what fits it needs no quoting in a URL
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(f"{_PART}(?:/{_PART})*")
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?/")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


def shown(text: str) -> str:
    """Escape what a terminal or a table must not get from a stranger."""
    return text if text.isprintable() else repr(text)[1:-1]


class _EscapedError(Exception):
    def __str__(self) -> str:
        return shown(super().__str__())


class RegistryError(_EscapedError):
    """One answer is of no use: it is set aside, the rest goes on."""


class UnavailableError(_EscapedError):
    """The registry can't be reached, or lets nobody see what it has: the run ends."""


@dataclass
class Listing:
    """What tags/list says: tags with their digest, if it tells; None for `children` if it doesn't.

    gcr.io tells more than the API asks for: digests, and the repositories below this one.
    """

    tags: dict[str, str | None] = field(default_factory=dict)
    untagged: list[str] = field(default_factory=list)
    children: list[str] | None = None


class Registry:
    def __init__(
        self, host: str, plain_http: bool = False, credentials: tuple[str, str] | None = None
    ) -> None:
        self._plain_http = plain_http
        self._login: _Auth | None = None
        if credentials:
            self._login = HTTPBasicAuth(*(each.encode() for each in credentials))
        self._auth: dict[str, _Auth] = {}
        self.url = f"http://{host}/v2/"
        if not self._is_safe(self.url):
            self.url = f"https://{host}/v2/"
        self._session = requests.Session()
        self._session.headers.update({"Accept": ACCEPT, "User-Agent": "pullstats-inventory"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    def check(self) -> None:
        """Raise UnavailableError unless a registry answers; a 401 is an answer, too."""
        try:
            response = self._request("GET", self.url)
        except requests.RequestException as error:
            raise UnavailableError(f"{self.url}: {_reason(error)}") from error
        if response.status_code not in (200, 401):
            raise UnavailableError(
                f"{self.url}: HTTP {response.status_code}, no API v2 of a registry"
            )

    def catalog(self) -> list[str]:
        pages = self._pages(f"{self.url}_catalog?n=1000", "")
        return [name for page in pages for name in _names(page, "repositories")]

    def listing(self, repository: str) -> Listing:
        if not REPOSITORY.fullmatch(repository):
            raise RegistryError("no name of a repository")
        found = Listing()
        for page in self._pages(f"{self.url}{repository}/tags/list", repository):
            found.tags |= dict.fromkeys(_names(page, "tags"))
            if "child" in page:
                found.children = (found.children or []) + _names(page, "child")
            for digest, facts in _dict(page.get("manifest") or {}).items():
                tags = _names(_dict(facts), "tag")
                found.tags |= dict.fromkeys(tags, digest)
                found.untagged += [] if tags else [digest]
        return found

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest of a tag, or None if the registry tells it with the manifest only."""
        response = self._send("HEAD", self._manifest_url(repository, tag), repository)
        digest = response.headers.get("Docker-Content-Digest", "")
        return digest if response.status_code == 200 and DIGEST.fullmatch(digest) else None

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Fetch a manifest by tag or digest; its bytes must have the digest that names it."""
        response = self._get(self._manifest_url(repository, reference), repository)
        header = response.headers.get("Docker-Content-Digest")
        digest = reference if DIGEST.fullmatch(reference) else header
        try:
            return parse(response.content, response.headers.get("Content-Type", ""), digest)
        except ManifestError as error:
            raise RegistryError(str(error)) from error

    def _manifest_url(self, repository: str, reference: str) -> str:
        if not (_TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise RegistryError("neither a tag nor a digest")
        return f"{self.url}{repository}/manifests/{reference}"

    def _pages(self, url: str, area: str) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        while url not in seen:
            seen.add(url)
            response = self._get(url, area)
            yield _content(response)
            link = response.links.get("next", {}).get("url")
            if not link:
                return
            url = _join(url, link)
            if not url.startswith(self.url):
                raise RegistryError(f"{response.url}: its next page is elsewhere: {url}")
        raise RegistryError(f"{url}: its pages go round in a circle")

    def _get(self, url: str, area: str) -> requests.Response:
        response = self._send("GET", url, area)
        if response.status_code != 200:
            raise RegistryError(f"{url}: HTTP {response.status_code}")
        return response

    def _send(self, method: str, url: str, area: str) -> requests.Response:
        """Send a request with the authorization of its area, a repository, got when asked for it.

        When it fails in a way in which a whole registry may, ask whether that is still there.
        """
        try:
            response = self._request(method, url, self._auth.get(area))
            if response.status_code == 401:
                self._auth[area] = self._authorize(response)
                response = self._request(method, url, self._auth[area])
        except requests.RequestException as error:
            self.check()
            raise RegistryError(f"{url}: {_reason(error)}") from error
        if response.status_code in RETRIES.status_forcelist:
            self.check()
        return response

    def _authorize(self, refusal: requests.Response) -> _Auth:
        """Return what the refusal asks for: the login, or a token from its realm."""
        scheme, _, text = refusal.headers.get("WWW-Authenticate", "").partition(" ")
        challenge = parse_dict_header(text)
        if scheme.lower() == "basic" and self._login:
            return self._login
        if scheme.lower() != "bearer":
            raise RegistryError(f"{refusal.url}: HTTP 401: it wants a user and a password")
        realm = challenge.get("realm") or ""
        if not self._is_safe(realm):
            raise RegistryError(f"{refusal.url}: HTTP 401: no safe place for tokens: {realm}")
        query = [("service", challenge.get("service") or "")]
        query += [("scope", scope) for scope in (challenge.get("scope") or "").split()]
        response = self._request("GET", realm, self._login, query)
        if response.status_code != 200:
            raise RegistryError(f"{response.url}: HTTP {response.status_code}, so no token")
        answer = _content(response)
        token = answer.get("token") or answer.get("access_token")
        if not (isinstance(token, str) and token.isascii() and token.isprintable()):
            raise RegistryError(f"{response.url}: no token in its answer")
        return _bearer(token)

    def _request(
        self,
        method: str,
        url: str,
        auth: _Auth | None = None,
        query: list[tuple[str, str]] | None = None,
    ) -> requests.Response:
        return self._session.request(
            method,
            url,
            params=query,
            # with none at all, requests would take what ~/.netrc holds
            auth=auth or (lambda request: request),
            timeout=(10, 60),
            allow_redirects=False,
        )

    def _is_safe(self, url: str) -> bool:
        may_be_plain = self._plain_http or _LOOPBACK.match(url)
        return url.startswith("https://") or bool(url.startswith("http://") and may_be_plain)


def _bearer(token: str) -> _Auth:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _join(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError as error:
        raise RegistryError(f"no URL: {link!r:.90}") from error


def _content(response: requests.Response) -> dict[str, Any]:
    try:
        return _dict(response.json())
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{response.url}: no JSON: {error}") from error


def _dict(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise RegistryError(f"no JSON object: {content!r:.90}")
    return content


def _names(place: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts; registries write null for an empty one."""
    names = place.get(name) or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise RegistryError(f"{name} is no list of names: {names!r:.90}")
    return names


def _reason(error: requests.RequestException) -> str:
    """Return the cause without the wrappings of urllib3's retries."""
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "reason", cause))
