"""Which plan the reviewers of a merged pull request saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from github import GitHub
from settings import DIGEST, SHA, Settings, Workflow

# The description of the status that `plan` leaves on the commit it was made for: at most 140 characters.
DESCRIPTION = re.compile(rf"digest ({DIGEST.pattern})(?: base ({SHA.pattern}))?")


class NotReviewed(Exception):
    """There is no plan that may be applied."""


@dataclass(frozen=True)
class Pin:
    """The reviewed plan, what its causes were told by, and the pull request it was reviewed in."""

    digest: str
    base: str
    number: int | None
    # The commit that the base must come before: the merge of the pull request, where a status named the base.
    merged: str = ""


def describe(digest: str, base: str) -> str:
    """Writes what [`find_pin`] reads."""
    return f"digest {digest} base {base}" if base else f"digest {digest}"


def context(name: str) -> str:
    """Names the status of the plan."""
    return f"{name}/plan"


def find_pin(github: GitHub, settings: Settings, workflow: Workflow) -> Pin:
    """Finds the plan to apply: the one given, or the last one that was told of before the merge."""
    if settings.digest:
        number = int(settings.pull_request) if settings.pull_request else None
        return Pin(settings.digest, settings.base, number)
    merged = find_merged(github, settings, workflow)
    number, head = merged["number"], merged["head"]["sha"]
    for status in github.pages(f"/commits/{head}/statuses"):
        # Newest first. Anyone who may push can leave a status; only the action's own identity counts.
        own = (status.get("creator") or {}).get("login") == settings.author
        before = status["created_at"] <= merged["merged_at"]
        if own and before and status["context"].lower() == context(settings.name).lower():
            found = DESCRIPTION.fullmatch(status.get("description") or "")
            if status["state"] != "success" or not found:
                raise NotReviewed(f"the last plan for {head} in #{number} did not succeed before it was merged")
            if settings.base:
                return Pin(found.group(1), settings.base, number)
            return Pin(found.group(1), found.group(2) or "", number, merged["merge_commit_sha"])
    raise NotReviewed(
        f"#{number} has no plan of {settings.author} for its last commit {head} from before it was merged "
        f"(a status {context(settings.name)})"
    )


def find_merged(github: GitHub, settings: Settings, workflow: Workflow) -> dict[str, Any]:
    """Finds the pull request that brought the commit."""
    if settings.pull_request:
        found = github.call("GET", f"/pulls/{settings.pull_request}")
        if not found.get("merged_at") or found["base"]["ref"] != workflow.branch:
            raise NotReviewed(f"#{settings.pull_request} is not merged into {workflow.branch}")
        return found
    if not SHA.fullmatch(workflow.sha):
        raise NotReviewed("the run is for no commit; give the input pull-request or digest")
    for found in github.pages(f"/commits/{workflow.sha}/pulls"):
        is_it = found.get("merge_commit_sha") == workflow.sha and found["base"]["ref"] == workflow.branch
        if is_it and found.get("merged_at"):
            return found
    raise NotReviewed(f"no pull request into {workflow.branch} was merged as {workflow.sha}: nobody reviewed a plan for it")
