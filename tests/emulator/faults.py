"""Faults that a test injects, and error answers in the wire format of the service."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from xml.sax.saxutils import escape

REFUSED = ("throttle", "access_denied", "expired_token", "error500", "error", "drop", "hold")
"""The call is not carried out. `error` is any other code, with `code`, and optionally `status` and `message`; `drop`
closes the connection; `hold` does so when the rules are replaced, and until then the caller waits."""

CARRIED_OUT = ("lost_answer", "half_body", "malformed", "hold_answer")
"""The call is carried out, but no answer arrives, or half of it, or one that cannot be parsed; with `hold_answer` the
caller waits for one until the rules are replaced, unless it is a refusal, which arrives and does not count."""

KINDS = (*REFUSED, *CARRIED_OUT, "latency")
"""`latency` answers `ms` later, and lets the other rules apply as well."""

NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


@dataclass
class Call:
    """One AWS call, as read from its request."""

    service: str
    action: str
    account: str
    region: str
    access_key: str
    protocol: str  # "query", "json" or "cbor"
    params: dict

    def writes(self) -> bool:
        """Whether it changes something."""
        reads = ("Get", "List", "Describe", "Lookup", "Generate")
        return self.service != "sts" and not self.action.startswith(reads)


@dataclass
class Reply:
    """An HTTP answer; `sent` is how much of the body really goes out before the connection is closed."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    sent: int | None = None


DROPPED = Reply(0, [], b"", sent=0)
"""Stands for a connection that is closed without any answer."""


@dataclass
class Rule:
    """When, and with what, calls fail. `after` matching calls pass first, and at most `times` fail.

    With `per_second`, only the calls beyond so many a second fail, of which `after` may come at once, as AWS throttles.
    `action`, `account` and the values of `params` are patterns; a call without such a parameter does not match. With
    `writes` only calls that change something do.
    """

    kind: str
    action: str = "*"
    account: str = "*"
    params: dict[str, str] = field(default_factory=dict)
    writes: bool = False
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    ms: int = 0
    per_second: float | None = None
    code: str | None = None
    status: int = 400
    message: str = "injected by the test"
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)
    held: int = field(default=0, init=False)
    passes: float = field(default=0, init=False)
    refilled: float | None = field(default=None, init=False)

    def lets_pass(self) -> bool:
        """Whether this matching call is one that passes."""
        if self.per_second is None:
            return self.matched <= self.after
        now = time.monotonic()
        if self.refilled is None:
            self.passes, self.refilled = max(1, self.after), now
        self.passes = min(max(1, self.after), self.passes + (now - self.refilled) * self.per_second)
        self.refilled = now
        if self.passes < 1:
            return False
        self.passes -= 1
        return True


class Faults:
    """The rules in force. The same seed and calls give the same faults, in whatever order accounts are read."""

    def __init__(self):
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.replace([])

    def replace(self, rules: list[dict], seed: int = 0) -> None:
        """Puts these rules in place of the old ones."""
        new = [Rule(**rule) for rule in rules]
        for rule in new:
            if rule.kind not in KINDS:
                raise ValueError(f"unknown kind of fault: {rule.kind}")
        with self._lock:
            self.rules, self._seed, self._seen = new, seed, Counter()
            self._released.set()
            self._released = threading.Event()

    def spare(self, rule: Rule) -> None:
        """Takes back that a rule has fired."""
        with self._lock:
            rule.matched -= 1
            rule.fired -= 1

    def hold(self, rule: Rule) -> None:
        """Waits until the rules are replaced."""
        with self._lock:
            if rule not in self.rules:
                return
            rule.held += 1
            released = self._released
        released.wait()

    def next(self, call: Call) -> tuple[float, Rule | None]:
        """The seconds to wait before this call, and the first rule that makes it fail."""
        seconds, failing = 0.0, None
        with self._lock:
            for index, rule in enumerate(self.rules):
                if failing and rule.kind != "latency":
                    continue
                if self._fires(index, rule, call):
                    rule.fired += 1
                    if rule.kind == "latency":
                        seconds += rule.ms / 1000
                    else:
                        failing = rule
        return seconds, failing

    def _fires(self, index: int, rule: Rule, call: Call) -> bool:
        name = f"{call.service}:{call.action}"
        if not (fnmatchcase(name, rule.action) and fnmatchcase(call.account, rule.account)):
            return False
        if rule.writes and not call.writes():
            return False
        sent = {key: str(value) for key, value in call.params.items()}
        if not all(key in sent and fnmatchcase(sent[key], wanted) for key, wanted in rule.params.items()):
            return False
        rule.matched += 1
        if rule.lets_pass() or (rule.times is not None and rule.fired >= rule.times):
            return False
        # Each account and action draws from a sequence of its own, so that concurrency does not change what is drawn.
        key = (index, call.account, name)
        self._seen[key] += 1
        return random.Random(f"{self._seed} {key} {self._seen[key]}").random() < rule.probability


def failure(call: Call, rule: Rule) -> Reply:
    """The answer to a call that is not carried out."""
    if rule.kind in ("drop", "hold"):
        return DROPPED
    query, organizations = call.protocol == "query", call.service == "organizations"
    if rule.kind == "throttle":
        code = "Throttling" if query else "TooManyRequestsException" if organizations else "ThrottlingException"
        status, message = 400, "Rate exceeded"
    elif rule.kind == "access_denied":
        status, code = (403, "AccessDenied") if query else (400, "AccessDeniedException")
        message = f"User is not authorized to perform: {call.service}:{call.action} in account {call.account}"
    elif rule.kind == "expired_token":
        status, code = (403, "ExpiredToken") if query else (400, "ExpiredTokenException")
        message = "The security token included in the request is expired"
    elif rule.kind == "error500":
        own = {"iam": "ServiceFailure", "organizations": "ServiceException"}
        status, code, message = 500, own.get(call.service, "InternalFailure"), "Service temporarily failed."
    else:
        status, code, message = rule.status, "", rule.message
    return error(call, status, rule.code or code, message)


def spoil(rule: Rule, reply: Reply) -> Reply:
    """The answer to a call that is carried out, as it arrives."""
    if rule.kind in ("lost_answer", "hold_answer"):
        return DROPPED
    if rule.kind == "half_body":
        return Reply(reply.status, reply.headers, reply.body, sent=len(reply.body) // 2)
    return Reply(reply.status, reply.headers, b"<html><body>not what was asked for")


def error(call: Call, status: int, code: str, message: str) -> Reply:
    """An error as the service itself would write it."""
    request_id = str(uuid.uuid4())
    if call.protocol == "query":
        body = (
            f'<ErrorResponse xmlns="{NAMESPACES.get(call.service, "")}"><Error>'
            f"<Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        content_type = "text/xml"
    else:
        body, content_type = json.dumps({"__type": code, "Message": message}), "application/x-amz-json-1.1"
    headers = [("Content-Type", content_type), ("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", code)]
    return Reply(status, headers, body.encode())
