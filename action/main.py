"""Runs breakglass in a GitHub workflow and tells the result where people look."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import publish
import texts
from github import ApiError, GitHub
from pin import NotReviewed, Pin, context, describe, find_pin
from settings import CHECKS, DIGEST, SHA, Settings, Workflow, WrongInput, read_settings, read_workflow

EXIT_DIFFERENCES = 2
EXIT_NOT_EXPECTED = 4

NOT_THE_PLAN = (
    "nothing was written: what would be applied now is not the reviewed plan, as live state or the spec moved since; the log "
    "has both digests. Have the plan as it is now reviewed in a pull request, or run this workflow by hand with its digest."
)


@dataclass(frozen=True)
class Run:
    """What a run of the tool left."""

    code: int
    said: str
    folder: Path

    def report(self, name: str) -> str:
        """Reads a report; one that there is not is empty."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def result(self) -> dict[str, Any]:
        """Reads the result as data."""
        return json.loads(self.report("report.json") or "{}")


def run_tool(settings: Settings, base: str, digest: str) -> Run:
    """Runs the tool once, with a report for each place that needs one."""
    folder = Path(tempfile.mkdtemp(prefix="breakglass-", dir=os.environ.get("RUNNER_TEMP")))
    arguments = [settings.binary, settings.command, "--no-progress", "--color", "never"]
    for file in settings.spec:
        arguments += ["--spec", file]
    if base:
        arguments += ["--base", base]
    if settings.command == "apply":
        arguments += ["--yes", "--expect-digest", digest]
        # A word of its own, which no gate's name can turn into another flag.
        arguments += [f"--allow={settings.allow}"] if settings.allow else []
    else:
        # Annotations go to stdout, where the runner reads them; an apply shows its plan there, whatever comes of it.
        arguments += ["--format", "github", "--report", f"text={folder / 'report.txt'}"]
    for form, name in (("json", "report.json"), ("markdown", "report.md"), ("step-summary", "summary.md")):
        arguments += ["--report", f"{form}={folder / name}"]
    arguments += settings.args
    # The token is for GitHub's API, not for the tool.
    environment = {name: value for name, value in os.environ.items() if name != "INPUT_TOKEN"}
    try:
        ended = subprocess.run(
            arguments,
            cwd=settings.working_directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise WrongInput(f"{settings.binary} can't be run in {settings.working_directory}: {error}") from None
    run = Run(ended.returncode, ended.stderr, folder)
    shown = ended.stdout if settings.command == "apply" else run.report("report.txt")
    show(f"breakglass {settings.command}", shown + ended.stderr)
    if settings.command != "apply":
        print(ended.stdout, flush=True)
    return run


def show(title: str, text: str) -> None:
    """Writes a text to the log, in which nothing is a workflow command."""
    end = secrets.token_hex(16)
    print(f"::group::{title}\n::stop-commands::{end}\n{text.rstrip()}\n::{end}::\n::endgroup::", flush=True)


def tell(kind: str, message: str) -> None:
    """Writes an annotation."""
    print(f"::{kind} title=breakglass::{texts.command_text(message)}", flush=True)


def append(variable: str, text: str) -> None:
    """Adds to one of the runner's files."""
    path = os.environ.get(variable)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


def output(name: str, value: str) -> None:
    """Sets an output of the action."""
    append("GITHUB_OUTPUT", f"{name}={' '.join(value.split())}\n")


def base_of(settings: Settings, workflow: Workflow) -> str:
    """Says by which revision of the spec a plan tells what the pull request causes."""
    pull_request = workflow.pull_request
    if settings.base or settings.command != "plan" or not pull_request:
        return settings.base
    # What is checked out is the merge of the pull request into its base, whose first parent is the base as it is now.
    parents = git(settings, "rev-list", "--parents", "--max-count=1", "HEAD").split()
    if len(parents) == 3 and parents[0] == workflow.sha:
        return parents[1]
    return pull_request["base"]["sha"]


def git(settings: Settings, *arguments: str) -> str:
    """Asks git; no answer is an empty one."""
    try:
        command = ["git", *arguments]
        ended = subprocess.run(command, cwd=settings.working_directory, capture_output=True, encoding="utf-8")
    except OSError:
        return ""
    return ended.stdout if ended.returncode == 0 else ""


def check_base(settings: Settings, pin: Pin) -> None:
    """Refuses a base that the pull request was not merged onto: by a commit of its own it would widen nothing."""
    if pin.base and pin.merged and git(settings, "merge-base", pin.base, f"{pin.merged}^1").strip() != pin.base:
        raise NotReviewed(
            f"the plan of #{pin.number} tells causes by {pin.base}, which is not among the commits that it was merged onto "
            "(check them all out, with fetch-depth: 0, or set the input base)"
        )


def publish_result(github: GitHub, settings: Settings, workflow: Workflow, run: Run, number: int | None) -> str:
    """Tells the result in the pull request or the issue that it belongs to, and returns the address."""
    report = run.report("report.md") or texts.failure(settings.command, run.code, run.said)
    pull_request = workflow.pull_request
    link = f"[the run]({workflow.run_url})"
    if pull_request or number:
        sha = pull_request["head"]["sha"] if pull_request else workflow.sha
        first = texts.mark(settings.command, settings.name, sha)
        body = texts.body(first, report, f"For commit {sha[:12]}, from {link}")
        return publish.comment(github, settings, number or pull_request["number"], body)
    if settings.command not in CHECKS:
        return ""
    key = hashlib.sha256(report.encode()).hexdigest()[:16]
    body = texts.body(texts.mark(settings.command, settings.name, key), report, f"From {link}")
    clean = run.code == 0
    news = "There is nothing to report any more" if clean else "What there is to report has changed, see above"
    return publish.issue(github, settings, clean, body, f"{news} ({link}).")


def publish_plan(github: GitHub, settings: Settings, workflow: Workflow, run: Run) -> str:
    """Notes the plan on the commit that it was made for, for the apply to find, and returns the address."""
    result = run.result()
    digest, base = result.get("digest", ""), result.get("base") or ""
    content = {"context": context(settings.name), "target_url": workflow.run_url}
    if was_planned(run):
        content.update(state="success", description=describe(digest, base if SHA.fullmatch(base) else ""))
    else:
        content.update(state="failure", description=f"no plan that can be applied: exit code {run.code}")
    return publish.status(github, settings, workflow.pull_request["head"]["sha"], content)


def was_planned(run: Run) -> bool:
    """Tells whether there is a whole plan."""
    return run.code in (0, EXIT_DIFFERENCES) and bool(DIGEST.fullmatch(run.result().get("digest", "")))


def told(work: Callable[[], str]) -> str | None:
    """Tells a result by the API; where the token may not, that is no failure of the run. None when it failed."""
    try:
        return work()
    except ApiError as error:
        if error.forbidden:
            tell("notice", f"the token may not do this, so the result is in the summary of the run alone: {error}")
            return ""
        tell("error", f"the result could not be told: {error}")
        return None


def write_outputs(settings: Settings, run: Run) -> None:
    """Sets the outputs that say what came of the run, and writes its summary."""
    result = run.result()
    output("exit-code", str(run.code))
    output("outcome", str(result.get("outcome", "failed")))
    output("digest", str(result.get("digest") or result.get("plan_digest") or ""))
    for name, file in (("json", "report.json"), ("markdown", "report.md")):
        output(name, str(run.folder / file) if (run.folder / file).exists() else "")
    summary = run.report("summary.md") or texts.failure(settings.command, run.code, run.said)
    append("GITHUB_STEP_SUMMARY", summary + "\n")


def act() -> int:
    """Does what the inputs say, and returns the exit code of the step."""
    settings, workflow = read_settings(), read_workflow()
    github = GitHub(workflow.api_url, workflow.repository, settings.token)
    pin = Pin("", base_of(settings, workflow), None)
    if settings.command == "apply":
        pin = find_pin(github, settings, workflow)
        check_base(settings, pin)
        tell("notice", f"applying the plan {pin.digest}" + (f", reviewed in #{pin.number}" if pin.number else ""))
    run = run_tool(settings, pin.base, pin.digest)
    write_outputs(settings, run)
    if settings.command == "apply" and run.code == EXIT_NOT_EXPECTED and not run.result():
        tell("error", NOT_THE_PLAN)
    failed = False
    if settings.publish:
        url = told(lambda: publish_result(github, settings, workflow, run, pin.number))
        output("url", url or "")
        failed = url is None
        # A plan counts as reviewed only where reviewers could see it.
        if settings.command == "plan" and workflow.pull_request and (url or not was_planned(run)):
            failed |= told(lambda: publish_plan(github, settings, workflow, run)) is None
    accepted = run.code == EXIT_DIFFERENCES and (settings.command == "plan" or not settings.fail_on_differences)
    if run.code != 0 and not accepted:
        return run.code
    return 1 if failed else 0


def main() -> int:
    """Runs the action; what is wrong with its inputs is told like any other error."""
    try:
        return act()
    except NotReviewed as error:
        tell("error", f"nothing was applied: {error}. Run this workflow by hand with the digest of a reviewed plan.")
        return EXIT_NOT_EXPECTED
    except (WrongInput, ApiError) as error:
        tell("error", str(error))
        return 1
    except (KeyError, TypeError, ValueError) as error:
        tell("error", f"an answer or a report is not what it should be: {error!r}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
