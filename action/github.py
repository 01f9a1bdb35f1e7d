"""The part of GitHub's REST API that the action uses, by the standard library alone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Iterator, TypeVar

Result = TypeVar("Result")

# How often a call is tried, and how long one wait may be; GitHub asks for a minute when it limits what writes.
TRIES = 5
LONGEST_WAIT = 90.0
# A page holds a hundred; a conversation that is longer than this is not searched to its end.
PAGES = 100


class ApiError(Exception):
    """A call that GitHub refused, or that got no answer."""

    def __init__(self, message: str, status: int = 0, wait: float | None = None, passing: bool = False):
        super().__init__(message)
        self.status = status
        # How long to wait before the next try; None where another try is no use.
        self.wait = wait
        # Whether it would pass by itself, however often it was tried already.
        self.passing = passing or wait is not None

    @property
    def forbidden(self) -> bool:
        """Tells whether the token lacks the permission; GitHub says "not found" of what a token must not see."""
        return not self.passing and self.status in (401, 403, 404)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the token along, wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None


class GitHub:
    """Calls the API for one repository."""

    def __init__(self, url: str, repository: str, token: str):
        self.base = f"{url.rstrip('/')}/repos/{repository}"
        self.token = token
        self.opener = urllib.request.build_opener(NoRedirects)

    def call_once(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Makes one call and returns what is answered."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", "breakglass-action")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        what = f"{method} {path.split('?')[0]}"
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise refused(what, error) from None
        except (OSError, ValueError) as error:
            raise ApiError(f"{what}: no answer that can be read: {error}", wait=1.0) from None

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Makes a call that does no harm when it is made twice."""
        return patiently(lambda: self.call_once(method, path, body))

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Goes through a list, page by page."""
        for page in range(1, PAGES + 1):
            text = urllib.parse.urlencode({**query, "per_page": "100", "page": str(page)})
            items = self.call("GET", f"{path}?{text}")
            yield from items
            if len(items) < 100:
                return


def patiently(work: Callable[[], Result]) -> Result:
    """Does something, and again where trying again may help."""
    attempt = 0
    while True:
        try:
            return work()
        except ApiError as error:
            attempt += 1
            if error.wait is None:
                raise
            if error.wait > LONGEST_WAIT or attempt == TRIES:
                raise ApiError(f"{error} (tried {attempt} times)", error.status, passing=True) from None
            # A failure takes longer to pass each time; a limit says itself how long it takes.
            time.sleep(error.wait * 2 ** (attempt - 1) if error.status in (0, 500, 502, 503, 504) else error.wait)


def refused(what: str, error: urllib.error.HTTPError) -> ApiError:
    """Tells a refusal that lasts from one that passes."""
    try:
        message = str(json.load(error).get("message", ""))
    except (OSError, ValueError, AttributeError):
        message = ""
    limited = error.code == 429 or (
        error.code == 403
        and (
            error.headers.get("retry-after") is not None
            or error.headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in message.lower()
        )
    )
    wait = None
    if limited or error.code >= 500:
        wait = seconds(error.headers, 60.0 if limited else 1.0)
    return ApiError(f"{what}: {error.code} {message or error.reason}", error.code, wait)


def seconds(headers: Any, default: float) -> float:
    """Reads how long GitHub asks to wait."""
    for name, now in (("retry-after", 0.0), ("x-ratelimit-reset", time.time())):
        text = headers.get(name, "")
        if text.isdigit() and (name == "retry-after" or headers.get("x-ratelimit-remaining") == "0"):
            return max(float(text) - now, 0.0)
    return default
