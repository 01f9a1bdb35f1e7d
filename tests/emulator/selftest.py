"""Checks that the emulator behaves as its documentation says: `python selftest.py` prints "N passed, 0 failed"."""

import http.client
import json
import os
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

# What the surroundings say about AWS or a proxy must not reach the clients.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["NO_PROXY"] = "127.0.0.1"

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ORGANIZATION = {
    "ous": ["/Workloads", "/Workloads/Prod", "/Sandbox"],
    "accounts": [
        {"name": "prod-pay", "ou": "/Workloads/Prod", "tags": {"stage": "prod"}, "id": "111122223333"},
        {"name": "lab", "ou": "/Sandbox"},
        {"name": "closed", "ou": "/Sandbox", "suspended": True},
        {"name": "invited", "role": None},
    ],
}


class Emulator:
    """A running server, and clients for it."""

    def __init__(self, *flags):
        self.began = time.monotonic()
        command = [sys.executable, str(Path(__file__).with_name("server.py")), *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.start_up = time.monotonic() - self.began
        self.session = boto3.Session(region_name="us-east-1")

    def stop(self):
        """Ends the server as the end of a test run does; answers whether it went."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=5) == 0

    def control(self, method, path, value=None):
        request = urllib.request.Request(f"{self.url}/_control/{path}", method=method)
        request.data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def client(self, service, credentials=None, attempts=1):
        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test", "SessionToken": None}
        return self.session.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )

    def iam(self, account):
        return self.client("iam", self.assume(account))

    def assume(self, account, role="OrganizationAccountAccessRole", **more):
        arn = f"arn:aws:iam::{account}:role/{role}"
        return self.client("sts").assume_role(RoleArn=arn, RoleSessionName="selftest", **more)["Credentials"]


def trust(*principals, **condition):
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response
    raise AssertionError(f"expected {code}, but it was carried out")


def test_seed(emulator, made):
    assert made["management_account"] == "123456789012" and made["organization_id"].startswith("o-")
    assert made["accounts"]["prod-pay"] == "111122223333"
    assert emulator.control("POST", "seed", ORGANIZATION) == made, "the same description gives the same ids"
    organizations = emulator.client("organizations")
    assert organizations.describe_organization()["Organization"]["FeatureSet"] == "ALL"
    states = {account["Name"]: account["State"] for account in organizations.list_accounts()["Accounts"]}
    assert states == dict.fromkeys(("master", "prod-pay", "lab", "invited"), "ACTIVE") | {"closed": "SUSPENDED"}
    parent = organizations.list_parents(ChildId="111122223333")["Parents"][0]["Id"]
    assert parent == made["ous"]["/Workloads/Prod"]
    assert organizations.list_parents(ChildId=parent)["Parents"][0]["Id"] == made["ous"]["/Workloads"]
    tags = organizations.list_tags_for_resource(ResourceId="111122223333")["Tags"]
    assert tags == [{"Key": "stage", "Value": "prod"}]
    attached = emulator.iam("111122223333").list_attached_role_policies(RoleName="OrganizationAccountAccessRole")
    assert [policy["PolicyArn"] for policy in attached["AttachedPolicies"]] == [ADMINISTRATOR]
    assert emulator.iam(made["accounts"]["invited"]).list_roles()["Roles"] == []
    emulator.control("POST", "settings", {"account_paths": True})
    account = organizations.describe_account(AccountId="111122223333")["Account"]
    units = [made["root_id"], made["ous"]["/Workloads"], made["ous"]["/Workloads/Prod"]]
    assert account["Paths"] == ["/".join([made["organization_id"], *units, "111122223333", ""])]


def test_guardrails(emulator, made):
    emulator.control("POST", "seed", ORGANIZATION | {"policy_types": ["SERVICE_CONTROL_POLICY"]})
    organizations = emulator.client("organizations")
    scp, rcp = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"

    def create(name, kind):
        made = organizations.create_policy(Name=name, Description="", Type=kind, Content=ALLOW)
        return made["Policy"]["PolicySummary"]["Id"]

    first, same = create("x", scp), create("x", rcp)
    refused("DuplicatePolicyException", create, name="x", kind=rcp)
    target = {"TargetId": "111122223333"}
    organizations.attach_policy(PolicyId=first, **target)
    refused("DuplicatePolicyAttachmentException", organizations.attach_policy, PolicyId=first, **target)
    refused("PolicyTypeNotEnabledException", organizations.attach_policy, PolicyId=same, **target)
    refused("TargetNotFoundException", organizations.attach_policy, PolicyId=first, TargetId="999999999999")
    for number in range(8):
        organizations.attach_policy(PolicyId=create(str(number), scp), **target)
    refused("ConstraintViolationException", organizations.attach_policy, PolicyId=create("more", scp), **target)
    refused("PolicyNotAttachedException", organizations.detach_policy, PolicyId=first, TargetId=made["root_id"])
    last = {"PolicyId": "p-FullAWSAccess", "TargetId": made["root_id"]}
    refused("ConstraintViolationException", organizations.detach_policy, **last)
    refused("InvalidInputException", organizations.detach_policy, PolicyId="p-RCPFullAWSAccess", **target)
    refused("InvalidInputException", organizations.delete_policy, PolicyId="p-FullAWSAccess")
    refused("MalformedPolicyDocumentException", organizations.update_policy, PolicyId=first, Content="no JSON")
    refused("ConstraintViolationException", organizations.update_policy, PolicyId=first, Content=" " * 10_241)
    refused("PolicyInUseException", organizations.delete_policy, PolicyId=first)


def test_throttling_by_rate(emulator, made):
    rule = {"kind": "throttle", "action": "organizations:ListRoots", "per_second": 5, "after": 2}
    emulator.control("POST", "faults", [rule])
    organizations = emulator.client("organizations")
    for _ in range(2):
        organizations.list_roots()
    refused("TooManyRequestsException", organizations.list_roots)
    time.sleep(0.3)
    organizations.list_roots()


def test_calls(emulator, made):
    emulator.iam("111122223333").list_roles(PathPrefix="/x/")
    refused("NoSuchEntity", emulator.client("iam").get_role, RoleName="none")
    emulator.client("organizations").list_roots()
    calls = emulator.control("GET", "calls")
    seen = [(call["account"], call["service"], call["action"], call["status"]) for call in calls]
    assert seen == [
        ("123456789012", "sts", "AssumeRole", 200),
        ("111122223333", "iam", "ListRoles", 200),
        ("123456789012", "iam", "GetRole", 404),
        ("123456789012", "organizations", "ListRoots", 200),
    ], seen
    assert calls[1]["params"] == {"PathPrefix": "/x/"} and calls[1]["began"] <= calls[1]["ended"]
    emulator.control("POST", "calls/reset")
    assert emulator.control("GET", "calls") == []


def test_fault_codes(emulator, made):
    iam, sts, organizations = (emulator.client(name) for name in ("iam", "sts", "organizations"))
    expected = {
        "throttle": ("Throttling", "Throttling", "TooManyRequestsException"),
        "access_denied": ("AccessDenied", "AccessDenied", "AccessDeniedException"),
        "expired_token": ("ExpiredToken", "ExpiredToken", "ExpiredTokenException"),
        "error500": ("ServiceFailure", "InternalFailure", "ServiceException"),
    }
    for kind, codes in expected.items():
        emulator.control("POST", "faults", [{"kind": kind}])
        for code, call in zip(codes, (iam.list_users, sts.get_caller_identity, organizations.list_roots), strict=True):
            status = refused(code, call)["ResponseMetadata"]["HTTPStatusCode"]
            assert status == (500 if kind == "error500" else 403 if code in ("AccessDenied", "ExpiredToken") else 400)
    emulator.control("POST", "faults", [{"kind": "error", "code": "ConcurrentModificationException"}])
    refused("ConcurrentModificationException", organizations.list_roots)
    emulator.control("DELETE", "faults")
    iam.list_users()


def test_fault_connections(emulator, made):
    def broken(kind, name, errors):
        emulator.control("POST", "faults", [{"kind": kind, "action": "iam:CreateUser"}])
        try:
            emulator.client("iam").create_user(UserName=name)
        except errors:
            pass
        else:
            raise AssertionError(f"{kind} went unnoticed")
        return name in [user["UserName"] for user in emulator.client("iam").list_users()["Users"]]

    assert not broken("drop", "dropped", HTTPClientError)
    assert broken("lost_answer", "lost", HTTPClientError)
    assert broken("half_body", "half", ResponseParserError)
    assert broken("malformed", "malformed", ResponseParserError)
    assert [call["fault"] for call in emulator.control("GET", "calls") if call["action"] == "CreateUser"] == [
        "drop",
        "lost_answer",
        "half_body",
        "malformed",
    ]


def test_fault_rules(emulator, made):
    def pattern(rule, calls=6, account="111122223333"):
        emulator.control("POST", "faults", rule)
        iam, seen = emulator.client("iam", credentials[account]), ""
        for _ in range(calls):
            try:
                iam.list_users()
                seen += "."
            except ClientError:
                seen += "x"
        return seen

    lab = made["accounts"]["lab"]
    credentials = {account: emulator.assume(account) for account in ("111122223333", lab)}
    assert pattern([{"kind": "throttle", "after": 1, "times": 2}]) == ".xx..."
    counted = emulator.control("GET", "faults")[0]
    assert (counted["matched"], counted["fired"]) == (6, 2)
    assert pattern([{"kind": "throttle", "action": "iam:Get*"}]) == "......"
    assert pattern([{"kind": "throttle", "account": lab}]) == "......"
    assert pattern([{"kind": "throttle", "account": lab}], account=lab) == "xxxxxx"
    assert pattern([{"kind": "throttle", "params": {"RoleArn": "*"}}]) == "......"
    into_lab = {"kind": "access_denied", "action": "sts:AssumeRole", "params": {"RoleArn": f"*:{lab}:*"}}
    emulator.control("POST", "faults", [into_lab])
    refused("AccessDenied", emulator.assume, account=lab)
    emulator.assume("111122223333")
    half = [{"kind": "throttle", "probability": 0.5}]
    drawn = pattern({"seed": 7, "rules": half}, 40)
    assert 8 < drawn.count("x") < 32
    assert drawn == pattern({"seed": 7, "rules": half}, 40) != pattern({"seed": 8, "rules": half}, 40)
    emulator.control("POST", "faults", [{"kind": "throttle", "action": "iam:ListRoles", "times": 2}])
    emulator.client("iam", attempts=3).list_roles()
    emulator.control("POST", "faults", [{"kind": "latency", "ms": 300}])
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: emulator.client("sts").get_caller_identity(), range(4)))
    assert 0.3 <= time.monotonic() - began < 1.1, "waits do not add up"
    for wrong in ([{"kind": "nonsense"}], [{"kind": "drop", "what": 1}]):
        try:
            emulator.control("POST", "faults", wrong)
        except urllib.error.HTTPError as error:
            assert error.code == 400
        else:
            raise AssertionError("a wrong rule was taken")


def test_trust_check(emulator, made):
    emulator.assume("111122223333", "NoSuchRole")
    emulator.control("POST", "settings", {"trust_check": True})
    denied = refused("AccessDenied", emulator.assume, account="111122223333", role="NoSuchRole")
    assert denied["ResponseMetadata"]["HTTPStatusCode"] == 403
    refused("AccessDenied", emulator.assume, account=made["accounts"]["closed"])
    refused("AccessDenied", emulator.assume, account=made["accounts"]["invited"])
    member = emulator.iam("111122223333")
    management = "arn:aws:iam::123456789012:root"
    member.create_role(RoleName="Outside", AssumeRolePolicyDocument=trust("arn:aws:iam::999999999999:root"))
    refused("AccessDenied", emulator.assume, account="111122223333", role="Outside")
    document = trust("123456789012", StringEquals={"sts:ExternalId": "abc"})
    member.create_role(RoleName="External", AssumeRolePolicyDocument=document)
    refused("AccessDenied", emulator.assume, account="111122223333", role="External")
    emulator.assume("111122223333", "External", ExternalId="abc")
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}
    member.create_role(RoleName="Mfa", AssumeRolePolicyDocument=trust(management, **condition))
    refused("AccessDenied", emulator.assume, account="111122223333", role="Mfa")
    emulator.assume("111122223333", "Mfa", SerialNumber="GAHT12345678", TokenCode="123456")
    condition = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}
    member.create_role(RoleName="Unknown", AssumeRolePolicyDocument=trust(management, **condition))
    refused("AccessDenied", emulator.assume, account="111122223333", role="Unknown")
    document = json.loads(trust(management))
    document["Statement"].append(document["Statement"][0] | {"Effect": "Deny", "Condition": condition})
    member.create_role(RoleName="Deny", AssumeRolePolicyDocument=json.dumps(document))
    refused("AccessDenied", emulator.assume, account="111122223333", role="Deny")
    user = member.create_user(UserName="alice")["User"]["Arn"]
    key = member.create_access_key(UserName="alice")["AccessKey"]
    member.create_role(RoleName="Alice", AssumeRolePolicyDocument=trust(user))
    refused("AccessDenied", emulator.assume, account="111122223333", role="Alice")
    role = {"RoleArn": "arn:aws:iam::111122223333:role/Alice", "RoleSessionName": "selftest"}
    emulator.client("sts", key).assume_role(**role)
    refused("ValidationError", emulator.assume, account="111122223333", DurationSeconds=7200)


def test_principals(emulator, made):
    iam, member = emulator.client("iam"), emulator.iam("111122223333")
    iam.create_role(RoleName="Old", AssumeRolePolicyDocument=trust("arn:aws:iam::123456789012:user/none"))
    emulator.control("POST", "settings", {"fresh_principal_seconds": 1, "check_principals": True})
    document = trust(iam.create_user(UserName="bg-alice", Path="/break-glass/")["User"]["Arn"], "123456789012")
    create = {"RoleName": "BreakGlassAdmin", "AssumeRolePolicyDocument": document}
    message = refused("MalformedPolicyDocument", member.create_role, **create)["Error"]["Message"]
    assert message == 'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/break-glass/bg-alice"'
    update = {"RoleName": "OrganizationAccountAccessRole", "PolicyDocument": document}
    refused("MalformedPolicyDocument", member.update_assume_role_policy, **update)
    time.sleep(1.1)
    member.create_role(**create)
    member.update_assume_role_policy(**update)
    unknown = trust("arn:aws:iam::123456789012:role/none")
    refused("MalformedPolicyDocument", member.create_role, RoleName="x", AssumeRolePolicyDocument=unknown)
    user = iam.get_user(UserName="bg-alice")["User"]["UserId"]
    assert user.startswith("AIDA")
    iam.delete_user(UserName="bg-alice")
    stored = member.get_role(RoleName="BreakGlassAdmin")["Role"]["AssumeRolePolicyDocument"]
    assert stored["Statement"][0]["Principal"]["AWS"] == [user, "123456789012"]


def test_boundaries(emulator, made):
    iam = emulator.client("iam")
    iam.create_user(UserName="alice")
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    bounded = {"UserName": "alice", "PermissionsBoundary": boundary}
    refused("NoSuchEntity", iam.put_user_permissions_boundary, **bounded)
    refused("NoSuchEntity", iam.create_user, UserName="bob", PermissionsBoundary=boundary)
    role = {"RoleName": "R", "AssumeRolePolicyDocument": trust("123456789012")}
    refused("NoSuchEntity", iam.create_role, PermissionsBoundary=boundary, **role)
    iam.create_policy(PolicyName="boundary", PolicyDocument=ALLOW)
    iam.put_user_permissions_boundary(**bounded)
    iam.create_user(UserName="bob", PermissionsBoundary=boundary)
    expected = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary}
    assert iam.get_user(UserName="alice")["User"]["PermissionsBoundary"] == expected
    details = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
    assert [user["PermissionsBoundary"] for user in details] == [expected, expected]
    assert not any("PermissionsBoundary" in user for user in iam.list_users()["Users"])
    refused("DeleteConflict", iam.delete_policy, PolicyArn=boundary)
    for name in ("alice", "bob"):
        iam.delete_user_permissions_boundary(UserName=name)
    refused("NoSuchEntity", iam.delete_user_permissions_boundary, UserName="alice")
    assert "PermissionsBoundary" not in iam.get_user(UserName="alice")["User"]
    iam.delete_policy(PolicyArn=boundary)


def test_paging(emulator, made):
    iam, keys = emulator.client("iam"), ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    for number in range(5):
        iam.create_user(UserName=f"user{number}")
        iam.create_policy(PolicyName=f"policy{number}", PolicyDocument=ALLOW)
    iam.create_group(GroupName="group")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust("123456789012"))

    def pages(operation, **arguments):
        found, arguments = [], dict(arguments)
        while True:
            found.append(getattr(iam, operation)(**arguments))
            assert found[-1]["IsTruncated"] == ("Marker" in found[-1])
            if not found[-1]["IsTruncated"]:
                return found
            arguments["Marker"] = found[-1]["Marker"]

    everything = {"Filter": ["User", "Group", "Role", "LocalManagedPolicy"]}
    whole = iam.get_account_authorization_details(**everything)
    assert not whole["IsTruncated"] and sum(len(whole[key]) for key in keys) == 12
    assert {(p["PolicyName"], p["PolicyId"][:1]) for p in whole["Policies"]} == {(f"policy{n}", "A") for n in range(5)}
    for limits, setting in (({"MaxItems": 5}, None), ({}, 5), ({"MaxItems": 500}, 5)):
        emulator.control("POST", "settings", {"page_size": setting})
        split = pages("get_account_authorization_details", **everything, **limits)
        assert [sum(len(page[key]) for key in keys) for page in split] == [5, 5, 2]
        assert all([item for page in split for item in page[key]] == whole[key] for key in keys)
    emulator.control("POST", "settings", {"page_size": 2})
    assert [len(page["Users"]) for page in pages("list_users")] == [2, 2, 1]
    assert [len(page["Policies"]) for page in pages("list_policies", Scope="Local")] == [2, 2, 1]
    assert [len(page["Roles"]) for page in pages("list_roles")] == [1]


def test_organizations_paging(emulator, made):
    emulator.control("POST", "seed", {"accounts": [{"name": f"a{number:02}"} for number in range(44)]})
    organizations = emulator.client("organizations")

    def lengths(**arguments):
        found = list(organizations.get_paginator("list_accounts").paginate(**arguments))
        assert len({account["Id"] for page in found for account in page["Accounts"]}) == 45
        return [len(page["Accounts"]) for page in found]

    assert lengths() == [20, 20, 5]
    assert lengths(MaxResults=15) == [15, 15, 15]
    emulator.control("POST", "settings", {"page_size": 18, "empty_pages": True})
    assert lengths() == [0, 18, 18, 9]
    targets = organizations.get_paginator("list_targets_for_policy").paginate(PolicyId="p-FullAWSAccess")
    assert [len(page["Targets"]) for page in targets] == [0, 18, 18, 10]


def test_managed_policies(emulator, made):
    iam = emulator.iam("111122223333")
    iam.create_user(UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=ADMINISTRATOR)
    iam.attach_user_policy(UserName="alice", PolicyArn=ADMINISTRATOR)
    attached = [{"PolicyName": "AdministratorAccess", "PolicyArn": ADMINISTRATOR}]
    assert iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"] == attached
    details = iam.get_account_authorization_details(Filter=["User", "AWSManagedPolicy"])
    assert details["UserDetailList"][0]["AttachedManagedPolicies"] == attached
    named = {policy["PolicyName"]: policy for policy in details["Policies"]}
    assert named["AdministratorAccess"]["PolicyId"] == "ANPAADMINISTRATORACCE"
    assert set(named) == {"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess"}
    assert named["AdministratorAccess"]["AttachmentCount"] == 2, "the access role and alice"
    version = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId="v1")["PolicyVersion"]["Document"]
    assert version["Statement"] == [{"Action": "*", "Effect": "Allow", "Resource": "*"}]
    unknown = "arn:aws:iam::aws:policy/NoSuchPolicy"
    refused("NoSuchEntity", iam.attach_user_policy, UserName="alice", PolicyArn=unknown)


def test_all_managed_policies(emulator, made):
    other = Emulator("--managed-policies")
    policies = other.client("iam").get_paginator("list_policies").paginate(Scope="AWS")
    assert sum(len(page["Policies"]) for page in policies) > 1000
    assert other.stop()


def test_conflicts(emulator, made):
    iam = emulator.client("iam")
    user = {"UserName": "alice"}
    policy = iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.create_user(**user)
    iam.create_group(GroupName="g")
    key = iam.create_access_key(**user)["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(**user, Password="correct-Horse-1")
    device = {"UserName": "alice", "SerialNumber": "GAHT12345678"}
    iam.enable_mfa_device(**device, AuthenticationCode1="123456", AuthenticationCode2="654321")
    iam.add_user_to_group(**user, GroupName="g")
    iam.put_user_policy(**user, PolicyName="inline", PolicyDocument=ALLOW)
    iam.attach_user_policy(**user, PolicyArn=policy)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=policy)
    refused("DeleteConflict", iam.delete_group, GroupName="g")
    steps = (
        lambda: iam.delete_access_key(**user, AccessKeyId=key),
        lambda: iam.delete_login_profile(**user),
        lambda: iam.deactivate_mfa_device(**device),
        lambda: iam.remove_user_from_group(**user, GroupName="g"),
        lambda: iam.delete_user_policy(**user, PolicyName="inline"),
        lambda: iam.detach_user_policy(**user, PolicyArn=policy),
    )
    for step in steps:
        refused("DeleteConflict", iam.delete_user, **user)
        step()
    iam.delete_user(**user)
    iam.delete_group(GroupName="g")

    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW, SetAsDefault=True)
    refused("LimitExceeded", iam.create_policy_version, PolicyArn=policy, PolicyDocument=ALLOW)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=policy)
    for version in range(1, 5):
        iam.delete_policy_version(PolicyArn=policy, VersionId=f"v{version}")

    role = {"RoleName": "R"}
    iam.create_role(**role, AssumeRolePolicyDocument=trust("123456789012"), Description="why")
    iam.attach_role_policy(**role, PolicyArn=policy)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=policy)
    refused("DeleteConflict", iam.delete_role, **role)
    iam.detach_role_policy(**role, PolicyArn=policy)
    iam.delete_policy(PolicyArn=policy)
    iam.put_role_policy(**role, PolicyName="inline", PolicyDocument=ALLOW)
    refused("DeleteConflict", iam.delete_role, **role)
    iam.delete_role_policy(**role, PolicyName="inline")
    iam.update_role(**role, MaxSessionDuration=7200)
    updated = iam.get_role(**role)["Role"]
    assert (updated["Description"], updated["MaxSessionDuration"]) == ("why", 7200)
    iam.update_role(**role, Description="")
    assert not iam.get_role(**role)["Role"].get("Description")
    iam.delete_role(**role)


def test_names(emulator, made):
    iam = emulator.client("iam")
    for name in ("Name", "NAME"):
        calls = (
            (iam.create_user, {"UserName": name}),
            (iam.create_group, {"GroupName": name}),
            (iam.create_role, {"RoleName": name, "AssumeRolePolicyDocument": trust("123456789012")}),
            (iam.create_policy, {"PolicyName": name, "Path": f"/{name}/", "PolicyDocument": ALLOW}),
        )
        for call, arguments in calls:
            if name == "Name":
                call(**arguments)
            else:
                refused("EntityAlreadyExists", call, **arguments)


def test_documents(emulator, made):
    def raw():
        keys = emulator.assume("111122223333")
        authorization = f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/20260101/us-east-1/iam/aws4_request"
        headers = {"Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"))
        for action in ("ListRoles", "GetAccountAuthorizationDetails"):
            connection.request("POST", "/", f"Action={action}&Version=2010-05-08", headers)
            answer = connection.getresponse()
            assert (answer.version, answer.status) == (11, 200)
            yield answer.read().decode().split("<AssumeRolePolicyDocument>")[1][:4]
        assert connection.sock, "the connection stays open"
        connection.close()

    assert [start[0] for start in raw()] == ["{", "{"]
    emulator.control("POST", "settings", {"encode_documents": True})
    assert list(raw()) == ["%7B%", "%7B%"]


def test_missing_operation(emulator, made):
    iam = emulator.client("iam")
    refused("InvalidAction", iam.simulate_principal_policy, PolicySourceArn="arn:aws:iam::1:user/x", ActionNames=["a:B"])


def test_service_credentials(emulator, made):
    iam = emulator.client("iam")
    refused("NoSuchEntity", iam.list_service_specific_credentials, UserName="alice")
    iam.create_user(UserName="alice")
    listed = lambda: iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"]
    assert listed() == []
    made = iam.create_service_specific_credential(UserName="alice", ServiceName="codecommit.amazonaws.com")
    identifier = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    assert [one["ServiceSpecificCredentialId"] for one in listed()] == [identifier]
    refused("DeleteConflict", iam.delete_user, UserName="alice")
    iam.delete_service_specific_credential(UserName="alice", ServiceSpecificCredentialId=identifier)
    assert listed() == []


def test_devices_and_passwords(emulator, made):
    iam = emulator.client("iam")
    iam.create_user(UserName="alice")
    key = "arn:aws:iam::123456789012:u2f/user/alice/key-A"
    for serial in (key, "GAHT12345678"):
        iam.enable_mfa_device(
            UserName="alice", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    device = {"UserName": "alice", "SerialNumber": key}
    assert not iam.get_mfa_device(**device).get("Certifications")
    emulator.control("POST", "settings", {"certifications": {key: {"FIDO": "L1"}}})
    assert iam.get_mfa_device(**device)["Certifications"] == {"FIDO": "L1"}
    refused("ValidationError", iam.get_mfa_device, UserName="alice", SerialNumber="GAHT12345678")

    def required():
        return iam.get_login_profile(UserName="alice")["LoginProfile"]["PasswordResetRequired"]

    iam.create_login_profile(UserName="alice", Password="Secret-0123456789", PasswordResetRequired=True)
    assert required()
    iam.update_login_profile(UserName="alice", PasswordResetRequired=False)
    assert not required()


def test_root_users(emulator, made):
    iam = emulator.client("iam")
    refused("ServiceAccessNotEnabledException", iam.list_organizations_features)
    refused("ServiceAccessNotEnabledException", iam.enable_organizations_root_sessions)
    emulator.client("organizations").enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    iam.enable_organizations_root_sessions()
    assert iam.list_organizations_features()["EnabledFeatures"] == ["RootSessions"]
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 0
    emulator.control("POST", "settings", {"root_users": {"123456789012": {"AccountMFAEnabled": 1}}})
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1


def test_concurrency(emulator, made):
    iam = emulator.client("iam")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: iam.create_user(UserName=f"user{number}"), range(100)))
    assert len(iam.list_users()["Users"]) == 100


def main():
    emulator, failed = Emulator(), 0
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    for name, test in tests:
        emulator.control("POST", "reset")
        made = emulator.control("POST", "seed", ORGANIZATION)
        try:
            test(emulator, made)
        except Exception:
            failed += 1
            print(f"{name} failed", file=sys.stderr)
            traceback.print_exc()
    if not emulator.stop():
        failed += 1
        print("the server did not exit when its stdin closed", file=sys.stderr)
    seconds = time.monotonic() - emulator.began
    print(f"{len(tests) - failed} passed, {failed} failed (ready in {emulator.start_up:.1f} s, all in {seconds:.1f} s)")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
