"""What the action was told: its inputs, and what the runner says of the workflow."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from typing import Any

COMMANDS = ("plan", "apply", "drift", "verify", "usage")
# Those that look for something wrong, and open an issue when they find it.
CHECKS = ("drift", "verify", "usage")

# What other inputs are for, or the action reads the result by.
OWN_FLAGS = {"--base", "--expect-digest", "--format", "--spec", "--yes", "-y"}

SHA = re.compile(r"[0-9a-f]{40}")
GATES = re.compile(r"[a-z-]+(,[a-z-]+)*")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# It stands in an HTML comment and in the context of a status.
NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9._/])*")


class WrongInput(Exception):
    """An input that the action can't work with."""


@dataclass(frozen=True)
class Settings:
    """The inputs, checked."""

    command: str
    spec: list[str]
    args: list[str]
    working_directory: str
    binary: str
    name: str
    base: str
    allow: str
    digest: str
    pull_request: str
    author: str
    publish: bool
    label: str
    title: str
    fail_on_differences: bool
    token: str


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Takes one of a few words."""
    if value not in choices:
        raise WrongInput(f"the input {name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def shaped(name: str, value: str, shape: re.Pattern[str], example: str) -> str:
    """Takes a value of a shape, or none."""
    if value and not shape.fullmatch(value):
        raise WrongInput(f"the input {name} is {value!r}; it must look like {example}")
    return value


def read_settings() -> Settings:
    """Reads the inputs from the environment, which the steps of action.yml put them into."""

    def text(name: str) -> str:
        return os.environ.get(f"INPUT_{name}", "").strip()

    try:
        args = shlex.split(text("ARGS"))
    except ValueError as error:
        raise WrongInput(f"the input args can't be split into words: {error}") from None
    settings = Settings(
        command=one_of("command", text("COMMAND"), COMMANDS),
        spec=[line.strip() for line in text("SPEC").splitlines() if line.strip()],
        args=args,
        working_directory=text("WORKING_DIRECTORY") or ".",
        binary=text("BINARY") or "breakglass",
        name=shaped("name", text("NAME") or "breakglass", NAME, "breakglass or team/prod"),
        base=text("BASE"),
        allow=shaped("allow", text("ALLOW"), GATES, "widen,removals"),
        digest=shaped("digest", text("DIGEST"), DIGEST, "sha256: and 64 hexadecimal digits"),
        pull_request=shaped("pull-request", text("PULL_REQUEST"), re.compile("[0-9]+"), "123"),
        author=text("AUTHOR"),
        publish=one_of("publish", text("PUBLISH") or "auto", ("auto", "none")) == "auto",
        label=text("LABEL"),
        title=text("TITLE"),
        fail_on_differences=one_of(
            "fail-on-differences", text("FAIL_ON_DIFFERENCES") or "true", ("true", "false")
        )
        == "true",
        token=text("TOKEN"),
    )
    own = OWN_FLAGS & {word.split("=")[0] for word in settings.args}
    if own:
        raise WrongInput(f"the input args has {', '.join(sorted(own))}, which the action sets itself")
    return settings


@dataclass(frozen=True)
class Workflow:
    """What the runner says of the run: GitHub's documented variables."""

    api_url: str
    repository: str
    event: str
    payload: dict[str, Any]
    sha: str
    branch: str
    run_url: str

    @property
    def pull_request(self) -> dict[str, Any] | None:
        """The pull request that the run is for."""
        return self.payload.get("pull_request") if self.event == "pull_request" else None


def read_workflow() -> Workflow:
    """Reads the runner's variables."""
    env = os.environ
    repository = env.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise WrongInput(f"GITHUB_REPOSITORY is {repository!r}: this only runs in a GitHub workflow")
    payload = {}
    if env.get("GITHUB_EVENT_PATH"):
        with open(env["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
            payload = json.load(file)
    server = env.get("GITHUB_SERVER_URL", "https://github.com")
    return Workflow(
        api_url=env.get("GITHUB_API_URL", "https://api.github.com"),
        repository=repository,
        event=env.get("GITHUB_EVENT_NAME", ""),
        payload=payload,
        sha=env.get("GITHUB_SHA", ""),
        branch=env.get("GITHUB_REF_NAME", ""),
        run_url=f"{server}/{repository}/actions/runs/{env.get('GITHUB_RUN_ID', '0')}",
    )
