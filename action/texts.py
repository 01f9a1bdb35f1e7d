"""What is posted and shown: marks, bodies, and what the log may hold."""

from __future__ import annotations

import re

# GitHub refuses a comment or an issue of more characters than this, counted in UTF-16 units.
MOST = 65_536
# How much of what the tool said is shown when there is no report.
SAID = 20_000

MEANINGS = {
    1: "an error",
    2: "something differs, or is not proven, or is a finding",
    3: "incomplete: something could not be read",
    4: "the plan is not the reviewed one, or is for another state, spec or organization",
    5: "stopped by a safety gate; nothing was written",
    6: "the apply ended part way; run it again to finish",
    64: "wrong usage",
    65: "the spec is wrong, or does not fit the organization",
}


def mark_start(command: str, name: str) -> str:
    """Begins the mark that nobody sees, by which a later run finds what this one wrote."""
    return f"<!-- breakglass-action {command} {name} "


def mark(command: str, name: str, key: str) -> str:
    """Marks a body; the key says of which commit or content it is."""
    return f"{mark_start(command, name)}{key} -->"


def key_of(body: str, command: str, name: str) -> str:
    """Reads the key in a body's mark."""
    start = mark_start(command, name)
    return body[len(start) :].split(" ")[0] if body.startswith(start) else ""


def size(text: str) -> int:
    """Counts a text as GitHub does."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def printable(text: str) -> str:
    """Leaves out colours and everything else that is not text."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    return "".join(character for character in text if character == "\n" or character.isprintable())


def fence(text: str) -> str:
    """Shows a text as it is, whatever is in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{text}\n{ticks}"


def failure(command: str, code: int, said: str) -> str:
    """Tells of a run that left no report."""
    meaning = MEANINGS.get(code, "it was ended" if code < 0 else "an error")
    said = printable(said).strip()
    if len(said) > SAID:
        said = "…\n" + said[-SAID:]
    parts = [f"## ❌ Break-glass {command}: no result", f"Exit code {code}: {meaning}."]
    return "\n\n".join(parts + ([fence(said)] if said else []))


def body(first: str, report: str, last: str) -> str:
    """Puts a comment or an issue together; a report that does not fit is left to the run's summary."""
    whole = f"{first}\n{report.strip()}\n\n---\n{last}\n"
    if size(whole) <= MOST:
        return whole
    return f"{first}\nThe report does not fit here: it is in the summary of the run.\n\n---\n{last}\n"


def command_text(text: str) -> str:
    """Escapes a message for a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
