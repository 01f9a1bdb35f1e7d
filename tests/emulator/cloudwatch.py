"""A stand-in for CloudWatch, of which moto only speaks the old protocol: alarms, and the metrics of EventBridge and SNS.

The SDK speaks Smithy RPC v2 with CBOR. Alarms are kept as they are put. `GetMetricData` counts what `deviations` saw
of events: rules that matched, events that a target took, messages that a topic took.

Source: CloudWatch API reference; "smithy-rpc-v2-cbor"; RFC 8949.
"""

import re
import struct
from collections import Counter

OPERATION = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)$")

ALARMS: dict[tuple[str, str, str], dict] = {}
"""Alarms by account, Region and name."""
COUNTS: Counter = Counter()
"""How often something was counted, by account, Region, namespace, metric and dimensions."""


def reset() -> None:
    ALARMS.clear()
    COUNTS.clear()


def count(account: str, region: str, metric: str, **dimensions: str) -> None:
    """Counts one for a metric, which is written `NAMESPACE/NAME`."""
    namespace, name = metric.rsplit("/", 1)
    COUNTS[account, region, namespace, name, frozenset(dimensions.items())] += 1


def counts() -> dict[str, int]:
    """What was counted of rules on default buses, by `ACCOUNT/REGION/NAMESPACE/METRIC/RULE`."""
    found = {}
    for (account, region, namespace, name, dimensions), number in COUNTS.items():
        if set(dict(dimensions)) == {"RuleName"}:
            found[f"{account}/{region}/{namespace}/{name}/{dict(dimensions)['RuleName']}"] = number
    return found


def operation(path: str) -> str | None:
    """The operation that a request to CloudWatch asks for, by its path."""
    found = OPERATION.search(path)
    return found.group(1) if found else None


def answer(account: str, region: str, action: str, sent: dict) -> dict:
    """Carries out an operation."""
    match action:
        case "PutMetricAlarm":
            defaults = {"ActionsEnabled": True, "TreatMissingData": "missing", "AlarmActions": []}
            ALARMS[account, region, sent["AlarmName"]] = defaults | sent
            return {}
        case "DescribeAlarms":
            found = [ALARMS.get((account, region, name)) for name in sent["AlarmNames"]]
            return {"MetricAlarms": [alarm for alarm in found if alarm], "CompositeAlarms": []}
        case "DisableAlarmActions":
            for name in sent["AlarmNames"]:
                ALARMS[account, region, name]["ActionsEnabled"] = False
            return {}
        case "GetMetricData":
            return {"MetricDataResults": [result(account, region, query) for query in sent["MetricDataQueries"]]}
        case _:
            raise NotImplementedError(f"cloudwatch:{action}")


def result(account: str, region: str, query: dict) -> dict:
    metric = query["MetricStat"]["Metric"]
    dimensions = frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", []))
    counted = COUNTS[account, region, metric["Namespace"], metric["MetricName"], dimensions]
    values = [float(counted)] if counted else []
    return {"Id": query["Id"], "Label": query["Id"], "StatusCode": "Complete", "Values": values, "Timestamps": []}


def encode(value) -> bytes:
    """Writes CBOR."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            return _head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, form in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if number < 1 << 8 * struct.calcsize(form):
            return bytes([major << 5 | code]) + struct.pack(form, number)
    raise OverflowError(number)


def decode(data: bytes):
    """Reads CBOR."""
    return _item(data, 0)[0] if data else {}


def _item(data: bytes, at: int):
    first, at = data[at], at + 1
    major, low = first >> 5, first & 31
    if major == 7:
        simple = {20: False, 21: True, 22: None, 23: None}
        if low in simple:
            return simple[low], at
        if low == 31:
            return _item, at
        form = {25: ">e", 26: ">f", 27: ">d"}[low]
        end = at + struct.calcsize(form)
        return struct.unpack(form, data[at:end])[0], end
    number = low
    if 24 <= low < 28:
        end = at + (1 << low - 24)
        number, at = int.from_bytes(data[at:end]), end
    many = range(number) if low != 31 else iter(int, 1)
    match major:
        case 0:
            return number, at
        case 1:
            return -1 - number, at
        case 2 | 3:
            raw = data[at : at + number]
            return (raw.decode() if major == 3 else raw), at + number
        case 6:
            return _item(data, at)
    items = []
    for _ in many:
        item, at = _item(data, at)
        if item is _item:
            break
        if major == 5:
            value, at = _item(data, at)
            item = (item, value)
        items.append(item)
    return (dict(items) if major == 5 else items), at
