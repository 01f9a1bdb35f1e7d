"""The AWS emulator of the tests: moto's own application behind a layer that makes it behave, and misbehave, like AWS.

    python server.py [--managed-policies]

prints one line, `{"url": "http://127.0.0.1:PORT"}`, when it is ready, and exits when its stdin closes, so that a killed
test run leaves no server behind. Every AWS call goes to that URL; what a test wants of the layer goes to `/_control`:

    GET    /_control/calls         every AWS call so far: account, role, region, service, action, params, status, fault, times
    POST   /_control/calls/reset   forgets them
    POST   /_control/faults        a list of rules, or {"seed": n, "rules": […]}, in place of the old; see faults.py
    GET    /_control/faults        the rules, with how often each matched, fired and held a call
    DELETE /_control/faults        no more faults
    POST   /_control/settings      changes settings, and answers with all of them; see deviations.Settings
    POST   /_control/events        a list of events for LookupEvents, in place of the old; see history.py
    GET    /_control/counts        what CloudWatch has counted; see cloudwatch.py
    DELETE /_control/counts        forgets it
    POST   /_control/seed          makes an organization; see seed.py
    POST   /_control/reset         forgets state, calls, faults and settings
"""

import argparse
import calendar
import io
import json
import os
import re
import sys
import threading
import time
import traceback
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

# moto reads these when it is imported. Nothing here may reach real AWS, so no real credentials, profile or endpoint.
for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}

# A test leaves nothing behind in the project's folder.
sys.dont_write_bytecode = True

from moto.core import DEFAULT_ACCOUNT_ID  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402

import cloudwatch  # noqa: E402
import deviations  # noqa: E402
import faults  # noqa: E402
import history  # noqa: E402
import people  # noqa: E402
import seed  # noqa: E402
import trust  # noqa: E402

REGIONS = ["eu-west-1", "us-east-1"]
"""The Regions that are enabled in every account; moto lacks the call that lists them."""
CBOR = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]*)/([^/]*)/aws4_request")


def is_in_time(signed: str) -> bool:
    """Whether a signature is at most 5 minutes off the clock of the server, as AWS wants it."""
    if not deviations.SETTINGS.clock_ahead:
        return True
    clock = time.time() + deviations.SETTINGS.clock_ahead
    return abs(calendar.timegm(time.strptime(signed, "%Y%m%dT%H%M%SZ")) - clock) <= 300


class Emulator:
    """The layer: what happens to a request before and after moto."""

    def __init__(self):
        self._moto = DomainDispatcherApplication(create_backend_app)
        # moto's state is not made for threads. Only its work is serial: an injected wait holds up nobody else.
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.faults = faults.Faults()
        self.calls: list[dict] = []

    def answer(self, environ: dict, body: bytes) -> faults.Reply:
        path = environ["PATH_INFO"]
        if path.startswith("/_control/"):
            return self._control(environ["REQUEST_METHOD"], path.removeprefix("/_control/"), body)
        if path.startswith("/moto-api"):
            return self._run_moto(environ, body)
        call = read_call(environ, body)
        began = self._seconds()
        reply, fault = self._call(call, environ, body)
        entry = {"account": call.account, "region": call.region, "service": call.service, "action": call.action}
        entry["role"] = trust.role_of(call.account, call.access_key)
        entry |= {"params": call.params, "status": reply.status or None, "fault": fault}
        self.calls.append(entry | {"began": began, "ended": self._seconds()})
        return reply

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 4)

    def _call(self, call: faults.Call, environ: dict, body: bytes) -> tuple[faults.Reply, str | None]:
        if not is_in_time(environ.get("HTTP_X_AMZ_DATE", "")):
            return faults.error(call, 403, "SignatureDoesNotMatch", "Signature expired"), "clock_ahead"
        seconds, rule = self.faults.next(call)
        if seconds:
            time.sleep(seconds)
        if rule and rule.kind == "hold":
            self.faults.hold(rule)
        if rule and rule.kind not in faults.CARRIED_OUT:
            return faults.failure(call, rule), rule.kind
        reply = self._carry_out(call, environ, body)
        if rule and rule.kind == "hold_answer":
            if reply.status >= 300:
                self.faults.spare(rule)
                return reply, None
            self.faults.hold(rule)
        return (faults.spoil(rule, reply), rule.kind) if rule else (reply, None)

    def _carry_out(self, call: faults.Call, environ: dict, body: bytes) -> faults.Reply:
        try:
            if deviations.SETTINGS.trust_check and (call.service, call.action) == ("sts", "AssumeRole"):
                with self._lock:
                    refused = trust.refusal(call.access_key, call.params)
                if refused:
                    return faults.error(call, *refused)
            if (call.service, call.action) == ("cloudtrail", "LookupEvents"):
                return json_reply(200, history.lookup(call.account, call.region, call.params))
            if (call.service, call.action) == ("account", "POST /listRegions"):
                return json_reply(200, {"Regions": [{"RegionName": name} for name in REGIONS]})
            if call.protocol == "cbor":
                with self._lock:
                    result = cloudwatch.answer(call.account, call.region, call.action, call.params)
                return faults.Reply(200, CBOR, cloudwatch.encode(result))
            return self._run_moto(environ, body)
        except NotImplementedError as missing:
            # A 500, which is moto's answer, would be retried by the SDK and hide what is missing.
            code = "InvalidAction" if call.protocol == "query" else "UnknownOperationException"
            return faults.error(call, 400, code, f"the emulator lacks this: {missing}")
        except Exception:
            traceback.print_exc()
            return faults.error(call, 500, "InternalFailure", traceback.format_exc(limit=-1))

    def _run_moto(self, environ: dict, body: bytes) -> faults.Reply:
        environ["wsgi.input"] = io.BytesIO(body)
        started = []
        with self._lock:
            chunks = self._moto(environ, lambda status, headers, _error=None: started.extend((status, headers)))
            content = b"".join(chunks)
        status, headers = started
        return faults.Reply(int(status.split()[0]), headers, content)

    def _control(self, method: str, path: str, body: bytes) -> faults.Reply:
        try:
            result = self._run_control(f"{method} {path}", json.loads(body or "null"))
        except Exception as wrong:
            return json_reply(400, {"error": f"{type(wrong).__name__}: {wrong}"})
        return json_reply(200, result) if result is not None else json_reply(404, {"error": f"no {method} {path}"})

    def _run_control(self, route: str, sent):
        match route:
            case "GET calls":
                return self.calls
            case "POST calls/reset":
                self.calls = []
            case "POST faults":
                self.faults.replace(**({"rules": sent} if isinstance(sent, list) else sent))
            case "GET faults":
                return [asdict(rule) for rule in self.faults.rules]
            case "DELETE faults":
                self.faults.replace([])
            case "GET counts":
                return cloudwatch.counts()
            case "DELETE counts":
                cloudwatch.COUNTS.clear()
            case "POST settings":
                change_settings(sent)
            case "GET settings":
                return asdict(deviations.SETTINGS)
            case "POST events":
                history.EVENTS[:] = sent
            case "POST seed":
                with self._lock:
                    return seed.seed(sent)
            case "POST reset":
                with self._lock:
                    seed.reset()
                    cloudwatch.reset()
                change_settings(asdict(deviations.Settings()))
                self.faults.replace([])
                self.calls = []
                history.EVENTS.clear()
            case _:
                return None
        return {"status": "ok"}


def change_settings(changes: dict) -> None:
    unknown = changes.keys() - asdict(deviations.SETTINGS).keys()
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        setattr(deviations.SETTINGS, name, value)


def read_call(environ: dict, body: bytes) -> faults.Call:
    """Which AWS call a request is, and whose."""
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    # The calls made without a signature are those that exchange an assertion or a token for credentials.
    access_key, region, service = signed.groups() if signed else ("", "us-east-1", "sts")
    account = deviations.KEY_ACCOUNTS.get(access_key, DEFAULT_ACCOUNT_ID)
    account = environ.get("HTTP_X_MOTO_ACCOUNT_ID", account)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if not target and environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        params = dict(parse_qsl(body.decode(), keep_blank_values=True))
        params.pop("Version", None)
        return faults.Call(service, params.pop("Action", ""), account, region, access_key, "query", params)
    action = cloudwatch.operation(environ["PATH_INFO"])
    if action:
        return faults.Call("cloudwatch", action, account, region, access_key, "cbor", cloudwatch.decode(body))
    try:
        params = json.loads(body or "{}")
    except ValueError:
        params = {}
    action = target.split(".")[-1] if target else f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    return faults.Call(service, action, account, region, access_key, "json", params)


def json_reply(status: int, value) -> faults.Reply:
    return faults.Reply(status, [("Content-Type", "application/json")], json.dumps(value).encode())


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open, as AWS has and werkzeug's own server has not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Head and body leave in one packet.

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.emulator.answer(self._environ(), body)
        if reply.status:
            self.send_response(reply.status)
            for name, value in reply.headers:
                if name.lower() not in ("content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.sent])
        self.close_connection = self.close_connection or reply.sent is not None

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(timestamp or time.time() + deviations.SETTINGS.clock_ahead)

    def _environ(self) -> dict:
        url = urlsplit(self.path)
        host, port = self.server.server_address
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "RAW_URI": self.path,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", "0"),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        return environ | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}

    def log_message(self, *_) -> None:
        """Says nothing: the calls are on `/_control/calls`."""


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, emulator: Emulator):
        super().__init__(("127.0.0.1", 0), Handler)
        self.emulator = emulator

    def handle_error(self, *_) -> None:
        """A client that goes away in the middle is an ordinary thing in these tests."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


def main() -> None:
    parser = argparse.ArgumentParser(description="The AWS emulator of the tests; see the top of server.py.")
    parser.add_argument("--managed-policies", action="store_true", help="all AWS managed policies, not just a few")
    if parser.parse_args().managed_policies:
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    deviations.install()
    people.install()
    server = Server(Emulator())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
    while sys.stdin.buffer.read(1024):
        pass
    # Without waiting for the threads of connections that are still open.
    os._exit(0)


if __name__ == "__main__":
    main()
