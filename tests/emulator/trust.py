"""Decides whether AssumeRole is let in: moto lets anyone into any role, even one that does not exist.

It covers what trust policies of this project hold. What it does not know, such as another condition operator or key,
counts against the caller, so that no test passes on a check that was not made. The caller's own permissions, SCPs and
RCPs are not evaluated.
"""

from fnmatch import fnmatchcase

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends

from deviations import KEY_ACCOUNTS, PRINCIPAL_ARN, find_principal, principals, statements

OPERATORS = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "Bool": lambda actual, wanted: actual == wanted.lower(),
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericLessThanEquals": lambda actual, wanted: float(actual) <= float(wanted),
}

CHAINED_SESSION_LIMIT = 3600


def refusal(access_key: str, params: dict) -> tuple[int, str, str] | None:
    """The HTTP status, code and message AWS would refuse this AssumeRole with, or nothing if it would let it in."""
    account = KEY_ACCOUNTS.get(access_key, DEFAULT_ACCOUNT_ID)
    caller = _caller(account, access_key)
    role_arn = params.get("RoleArn", "")
    role = find_principal(role_arn) if PRINCIPAL_ARN.match(role_arn) else None
    if role is None or _suspended(role.account_id) or not _trusted(role, account, caller, params):
        message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        return 403, "AccessDenied", message
    duration = int(params.get("DurationSeconds", CHAINED_SESSION_LIMIT))
    if ":role/" in caller and duration > CHAINED_SESSION_LIMIT:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        return 400, "ValidationError", message
    if duration > int(role.max_session_duration):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        return 400, "ValidationError", message
    return None


def role_of(account: str, access_key: str) -> str | None:
    """The name of the role behind a key; none for the keys of users and for a key that moto did not mint."""
    key = iam_backends[account]["aws"].access_keys.get(access_key)
    return key.role_arn.rpartition("/")[2] if key and key.role_arn else None


def _caller(account: str, access_key: str) -> str:
    """The ARN of the user or role behind a key; the account's root for a key that moto did not mint."""
    backend = iam_backends[account]["aws"]
    key = backend.access_keys.get(access_key)
    if key is None:
        return f"arn:aws:iam::{account}:root"
    return key.role_arn or backend.get_user(key.user_name).arn


def _suspended(account: str) -> bool:
    management, partition = organizations_backends.master_accounts.get(account, (account, "aws"))
    members = organizations_backends[management][partition].accounts
    return any(member.id == account and member.state != "ACTIVE" for member in members)


def _trusted(role, account: str, caller: str, params: dict) -> bool:
    context = {
        "sts:ExternalId": params.get("ExternalId"),
        "sts:RoleSessionName": params.get("RoleSessionName"),
        "sts:SourceIdentity": params.get("SourceIdentity"),
        "aws:PrincipalArn": caller,
        "aws:PrincipalAccount": account,
    }
    # A token with the call is the only MFA that reaches here; without one AWS leaves both keys out.
    mfa = params.get("TokenCode") and params.get("SerialNumber")
    context |= {
        "aws:MultiFactorAuthPresent": "true" if mfa else None,
        "aws:MultiFactorAuthAge": "0" if mfa else None,
    }
    context = {key.lower(): value for key, value in context.items()}
    callers = {"*", account, f"arn:aws:iam::{account}:root", caller}
    document = statements(role.assume_role_policy_document)
    effects = [statement["Effect"] for statement in document if _applies(statement, callers, context)]
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: dict, callers: set[str], context: dict) -> bool:
    denies = statement["Effect"] == "Deny"
    if statement.keys() & {"NotAction", "NotPrincipal"}:
        return denies
    actions = _listed(statement.get("Action", []))
    return (
        any(fnmatchcase("sts:assumerole", action.lower()) for action in actions)
        and not callers.isdisjoint(principals(statement))
        and all(
            _holds(operator, key.lower(), _listed(wanted), context, unknown=denies)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: list, context: dict, unknown: bool) -> bool:
    met = OPERATORS.get(operator.removesuffix("IfExists"))
    if met is None or key not in context:
        return unknown
    if context[key] is None:
        return operator.endswith("IfExists")
    return any(met(context[key], str(value)) for value in wanted)


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]
