"""Where a result is told: one comment on a pull request, one issue for what a check finds, a status for the pin."""

from __future__ import annotations

from typing import Any

import texts
from github import ApiError, GitHub, patiently
from settings import Settings, WrongInput


def is_own(item: dict[str, Any], settings: Settings) -> bool:
    """Tells whether the action wrote something; anyone can write a text that looks the same."""
    start = texts.mark_start(settings.command, settings.name)
    written = (item.get("user") or {}).get("login") == settings.author
    return written and (item.get("body") or "").startswith(start)


def create(github: GitHub, settings: Settings, path: str, content: dict[str, Any]) -> dict[str, Any]:
    """Posts something that a later run must recognize."""
    made = github.call_once("POST", path, content)
    check_author(settings, made.get("user"))
    return made


def check_author(settings: Settings, user: dict[str, Any] | None) -> None:
    """Refuses a token of somebody else than the input author: what it leaves would not count as the action's own."""
    author = (user or {}).get("login")
    if author != settings.author:
        raise WrongInput(f"the token is that of {author!r}: set the input author to that, or nothing is found again")


def comment(github: GitHub, settings: Settings, number: int, body: str) -> str:
    """Writes the one comment of the action, and returns its address."""

    def work() -> str:
        # Looked for at each try: one that was made although its answer got lost is not made again.
        for found in github.pages(f"/issues/{number}/comments"):
            if is_own(found, settings):
                return github.call("PATCH", f"/issues/comments/{found['id']}", {"body": body})["html_url"]
        return create(github, settings, f"/issues/{number}/comments", {"body": body})["html_url"]

    return patiently(work)


def status(github: GitHub, settings: Settings, sha: str, content: dict[str, Any]) -> str:
    """Leaves a status on a commit, which nobody can change afterwards, and returns its address."""
    made = github.call("POST", f"/statuses/{sha}", content)
    check_author(settings, made.get("creator"))
    return made["url"]


def issue(github: GitHub, settings: Settings, clean: bool, body: str, news: str) -> str:
    """Opens, updates or closes the one issue of a check, and returns its address, if there is one.

    Only a clean result closes it, and that of `usage` a person. A comment tells of what is new, not of every run.
    """

    def work() -> str:
        query = {"labels": settings.label, "state": "all", "sort": "created", "direction": "desc"}
        listed = github.pages("/issues", **query)
        own = [item for item in listed if "pull_request" not in item and is_own(item, settings)]
        is_open = [item for item in own if item["state"] == "open"]
        if settings.command == "usage":
            return add(is_open)
        if clean:
            for item in is_open:
                say(github, item["number"], news)
                change = {"state": "closed", "state_reason": "completed"}
                github.call("PATCH", f"/issues/{item['number']}", change)
            return own[0]["html_url"] if own else ""
        found = is_open or own
        return update(found[0]) if found else open_one()

    def open_one() -> str:
        made = {"title": settings.title, "body": body, "labels": [settings.label]}
        made = create(github, settings, "/issues", made)
        if settings.label not in [label["name"] for label in made.get("labels", [])]:
            raise ApiError(f"#{made['number']} did not get the label {settings.label}, by which it is found again")
        return made["html_url"]

    def is_new(found: dict[str, Any]) -> bool:
        key = texts.key_of(body, settings.command, settings.name)
        return key != texts.key_of(found["body"], settings.command, settings.name)

    def update(found: dict[str, Any]) -> str:
        if found["state"] != "open" or is_new(found):
            say(github, found["number"], news)
        change = {"state": "open", "body": body}
        return github.call("PATCH", f"/issues/{found['number']}", change)["html_url"]

    def add(is_open: list[dict[str, Any]]) -> str:
        # A use that was found stays one when its day is over: a person closes the issue, and nothing in it is replaced.
        if not is_open:
            return "" if clean else open_one()
        if not clean and is_new(is_open[0]):
            say(github, is_open[0]["number"], body)
        return is_open[0]["html_url"]

    return patiently(work)


def say(github: GitHub, number: int, text: str) -> None:
    """Adds a comment to an issue."""
    github.call("POST", f"/issues/{number}/comments", {"body": text})
