"""CloudTrail's event history, which moto lacks: what a test puts in is found by LookupEvents.

An entry is `{"account": …, "region": …, "record": {…}, "resources": ["name or ARN", …]}`; the record is what CloudTrail would
write. Source: CloudTrail API reference, LookupEvents.
"""

import json
from datetime import datetime

import deviations

EVENTS: list[dict] = []


def seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def username(record: dict) -> str:
    """The name that LookupEvents gives for the caller: a user's, a role session's, or root."""
    identity = record.get("userIdentity", {})
    if identity.get("type") == "Root":
        return "root"
    if identity.get("type") == "AssumedRole":
        return identity.get("arn", "").rsplit("/", 1)[-1]
    return identity.get("userName", "")


def lookup(account: str, region: str, params: dict) -> dict:
    [attribute] = params["LookupAttributes"]
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]

    def is_found(event: dict) -> bool:
        record = event["record"]
        found = {
            "EventName": [record["eventName"]],
            "Username": [username(record)],
            "ResourceName": event.get("resources", []),
        }[key]
        at = seconds(record["eventTime"])
        here = (event["account"], event["region"]) == (account, region)
        return here and value in found and params["StartTime"] <= at <= params["EndTime"]

    found = [event["record"] for event in EVENTS if is_found(event)]
    size = min(params.get("MaxResults", 50), deviations.SETTINGS.page_size or 50)
    start = int(params.get("NextToken", 0))
    page = [
        {
            "EventId": record["eventID"],
            "EventName": record["eventName"],
            "EventTime": seconds(record["eventTime"]),
            "Username": username(record),
            "CloudTrailEvent": json.dumps(record),
        }
        for record in found[start : start + size]
    ]
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"Events": page} | more
