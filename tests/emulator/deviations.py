"""Makes moto's IAM and Organizations answer as AWS does, where a difference would hide a bug.

`install()` patches moto's classes once, before the first request. What is patched: paging (moto ignores most page
sizes), permissions boundaries of users, names that are unique whatever their case, refusals to delete what is still in
use, UpdateRole, principals in trust policies, SCPs and RCPs (limits, refusals, what is AWS's own), a few AWS managed
policies, and some missing fields and operations.
`SETTINGS` switches the behaviours that a test asks for.
"""

import base64
import copy
import functools
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from moto.cloudtrail import models as cloudtrail
from moto.core import responses
from moto.core.responses import ActionResult, EmptyResult
from moto.core.serialize import never_return
from moto.core.utils import utcnow
from moto.events import models as events
from moto.iam import models as iam
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    MalformedPolicyDocument,
    NoSuchEntity,
)
from moto.iam.responses import IamResponse
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.organizations import models as organizations
from moto.organizations.exceptions import (
    ConstraintViolationException,
    DuplicatePolicyException,
    InvalidInputException,
    OrganizationsClientError,
    PolicyTypeNotEnabledException,
    TargetNotFoundException,
)
from moto.organizations.responses import OrganizationsResponse
from moto.organizations.utils import DEFAULT_RCP_POLICY_ID

import cloudwatch


@dataclass
class Settings:
    """Behaviours a test can switch with `POST /_control/settings`; these are the defaults."""

    trust_check: bool = False
    """AssumeRole is refused as AWS would: unknown role, suspended account, trust policy, too long a session."""
    check_principals: bool = False
    """A trust policy that names a user or role which does not exist is refused."""
    fresh_principal_seconds: float = 0
    """For so long after its creation a user or role is refused as a principal."""
    page_size: int | None = None
    """No page is longer than this, whatever the caller asks for."""
    empty_pages: bool = False
    """The first page of an Organizations listing is empty and has a NextToken."""
    account_paths: bool = False
    """Accounts carry `Paths`, which moto lacks."""
    encode_documents: bool = False
    """Every policy document is percent-encoded; otherwise moto's mix of encoded and raw JSON."""
    clock_ahead: float = 0
    """By so many seconds the server's clock is ahead of the caller's; a signature 5 minutes off is refused."""
    certifications: dict = field(default_factory=dict)
    """What FIDO devices are certified for, by serial: `{"FIDO": "L1"}`; the others for nothing."""
    password_changed: dict = field(default_factory=dict)
    """By user what the credential report says of when the password was changed."""
    password_used: dict = field(default_factory=dict)
    """By user when the password was last used, which moto does not keep: `{"bg-alice": "2026-01-01T00:00:00Z"}`."""
    root_users: dict = field(default_factory=dict)
    """By account what GetAccountSummary says of the root user, such as `{"AccountMFAEnabled": 1}`."""


SETTINGS = Settings()

IAM_PAGE, ORGANIZATIONS_PAGE = 100, 20
UNPAGED = 1_000_000

IAM_LISTINGS = {
    "get_account_authorization_details": ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
    "get_group": ("Users",),
    "list_access_keys": ("AccessKeyMetadata",),
    "list_attached_group_policies": ("AttachedPolicies",),
    "list_attached_role_policies": ("AttachedPolicies",),
    "list_attached_user_policies": ("AttachedPolicies",),
    "list_entities_for_policy": ("PolicyGroups", "PolicyUsers", "PolicyRoles"),
    "list_group_policies": ("PolicyNames",),
    "list_groups": ("Groups",),
    "list_groups_for_user": ("Groups",),
    "list_mfa_devices": ("MFADevices",),
    "list_policies": ("Policies",),
    "list_policy_tags": ("Tags",),
    "list_policy_versions": ("Versions",),
    "list_role_policies": ("PolicyNames",),
    "list_role_tags": ("Tags",),
    "list_roles": ("Roles",),
    "list_user_policies": ("PolicyNames",),
    "list_user_tags": ("Tags",),
    "list_users": ("Users",),
    "list_virtual_mfa_devices": ("VirtualMFADevices",),
}
ORGANIZATIONS_LISTINGS = {
    "list_accounts": "Accounts",
    "list_accounts_for_parent": "Accounts",
    "list_children": "Children",
    "list_delegated_administrators": "DelegatedAdministrators",
    "list_organizational_units_for_parent": "OrganizationalUnits",
    "list_parents": "Parents",
    "list_policies": "Policies",
    "list_policies_for_target": "Policies",
    "list_roots": "Roots",
    "list_tags_for_resource": "Tags",
    "list_targets_for_policy": "Targets",
}

MANAGED_POLICIES = ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess")

GUARDRAIL_LIMITS = {"SERVICE_CONTROL_POLICY": (10_240, 10), "RESOURCE_CONTROL_POLICY": (5_120, 5)}
"""By policy type the most characters of a document, and the most policies attached to one target."""

DOCUMENTS = (
    "GetAccountAuthorizationDetailsResponse.RoleDetailList.RoleDetail.AssumeRolePolicyDocument",
    "GetPolicyVersionResponse.PolicyVersion.Document",
    "ListPolicyVersionsResponse.Versions.PolicyVersion.Document",
    "ListRolesResponse.Roles.Role.AssumeRolePolicyDocument",
)

PRINCIPAL_ARN = re.compile(r"^arn:aws[\w-]*:iam::(\d{12}):(user|role)/")

KEY_ACCOUNTS: dict[str, str] = {}
"""The account of each access key: moto walks every account and partition for each request to find it."""


def install() -> None:
    """Patches moto; call it once, before the first request."""
    _page_iam()
    _page_organizations()
    _be_quick()
    _add_managed_policies()
    _add_boundaries()
    _keep_names_unique()
    _refuse_deleting_what_is_in_use()
    _check_trust_policies()
    _complete_details()
    _guard_guardrails()
    _trust_buckets()
    _count_events()


def override(owner: type, name: str):
    """Replaces a method; the replacement gets the original as its first argument."""

    def decorate(replacement):
        original = getattr(owner, name)

        @functools.wraps(original)
        def method(self, *args, **kwargs):
            return replacement(functools.partial(original, self), self, *args, **kwargs)

        setattr(owner, name, method)
        return replacement

    return decorate


def _trust_buckets() -> None:
    """A trail's bucket is taken on trust: there is no S3 here to look it up in."""
    cloudtrail.Trail.check_bucket_exists = lambda self: None


def _count_events() -> None:
    """Disabled rules match nothing, topics take messages, and CloudWatch counts what goes where."""

    @override(events.Rule, "send_to_targets")
    def send_to_targets(original, rule, event, _transform=True):
        if rule.state == "DISABLED" or not rule.event_pattern.matches_event(event):
            return
        place = rule.arn.split(":")
        account, region = place[4], place[3]
        bus = rule.event_bus_name
        dimensions = {"RuleName": rule.name} | ({} if bus == "default" else {"EventBusName": bus})
        cloudwatch.count(account, region, "AWS/Events/MatchedEvents", **dimensions)
        targets = rule.targets
        topics = [target["Arn"] for target in targets if ":sns:" in target["Arn"]]
        for arn in topics:
            name = arn.rsplit(":", 1)[1]
            cloudwatch.count(account, region, "AWS/SNS/NumberOfMessagesPublished", TopicName=name)
        for _ in targets:
            cloudwatch.count(account, region, "AWS/Events/Invocations", **dimensions)
        rule.targets = [target for target in targets if target["Arn"] not in topics]
        try:
            # What a transformer makes of it only shows in queues and logs, which no test has as a target.
            original(event, False)
        finally:
            rule.targets = targets


def page_length(asked: int | None, most: int) -> int:
    """How many items the next page holds."""
    return max(1, min(asked or most, SETTINGS.page_size or most))


def _page_iam() -> None:
    def paged(keys, original, response):
        start = int(base64.b64decode(response.params.pop("Marker", "") or "MA=="))
        stop = start + page_length(response.params.pop("MaxItems", None), IAM_PAGE)
        # The backend gets no marker and a limit out of reach, so that all slicing is done here.
        response.params["MaxItems"] = UNPAGED
        action_result = original()
        result, offset = action_result.result, 0
        for key in keys:
            items = list(result[key])
            result[key] = items[max(0, start - offset) : max(0, stop - offset)]
            offset += len(items)
        result["IsTruncated"] = offset > stop
        result["Marker"] = base64.b64encode(str(stop).encode()).decode() if offset > stop else None
        return action_result

    for name, keys in IAM_LISTINGS.items():
        override(IamResponse, name)(functools.partial(paged, keys))


def _page_organizations() -> None:
    def paged(key, original, response):
        request = response.request_params
        token, asked = request.pop("NextToken", None), request.pop("MaxResults", None)
        start = int(token or 0)
        length = page_length(asked, ORGANIZATIONS_PAGE)
        if SETTINGS.empty_pages and token is None:
            length = 0
        response.body = json.dumps(request)
        answer = json.loads(original())
        items = answer[key]
        answer[key] = items[start : start + length]
        answer.pop("NextToken", None)
        if start + length < len(items):
            answer["NextToken"] = str(start + length)
        return json.dumps(answer)

    for name, key in ORGANIZATIONS_LISTINGS.items():
        override(OrganizationsResponse, name)(functools.partial(paged, key))
    for model in organizations.PAGINATION_MODEL.values():
        model["limit_default"] = UNPAGED


def _be_quick() -> None:
    @override(iam.AccessKey, "__init__")
    def remember(original, key, user_name, prefix, account_id, status="Active"):
        original(user_name, prefix, account_id, status)
        KEY_ACCOUNTS[key.access_key_id] = account_id

    iam.get_account_id_from = lambda access_key: KEY_ACCOUNTS.get(access_key, iam.DEFAULT_ACCOUNT_ID)

    # Two look-ups that moto makes anew for each request, one of them over its folders on disk.
    lookup = DomainDispatcherApplication.get_backend_for_host
    DomainDispatcherApplication.get_backend_for_host = functools.cache(lookup)
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


def _add_managed_policies() -> None:
    templates = [_managed_policy(name) for name in MANAGED_POLICIES]

    @override(iam.IAMBackend, "_init_aws_policies")
    def load(original, backend):
        # With moto's own loading switched on there is nothing to add.
        added = original() or [copy.copy(template) for template in templates]
        for policy in added:
            policy.account_id, policy.partition = backend.account_id, backend.partition
        return added

    @override(iam.ManagedPolicy, "attach_to")
    def attach_once(original, policy, holder):
        if policy.arn not in holder.managed_policies:
            original(holder)


def _managed_policy(name: str) -> iam.AWSManagedPolicy:
    """One AWS managed policy of the thousand and more in moto's text, without decoding the others."""
    start = aws_managed_policies_data.index("{", aws_managed_policies_data.index(f'\n "{name}":'))
    data = json.JSONDecoder().raw_decode(aws_managed_policies_data, start)[0]
    policy = iam.AWSManagedPolicy.from_data(name, iam.DEFAULT_ACCOUNT_ID, "aws", data)
    # As in AWS the same in every account, and in every run.
    policy.id = f"ANPA{name.upper():A<17}"[:21]
    return policy


def _add_boundaries() -> None:
    def boundary(user):
        arn = getattr(user, "permissions_boundary_arn", None)
        return arn and {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}

    iam.User.permissions_boundary = property(boundary)

    def must_exist(backend, arn):
        if arn and arn not in backend.managed_policies:
            raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")

    def put_user(response):
        user = response.backend.get_user(response._get_param("UserName"))
        must_exist(response.backend, response._get_param("PermissionsBoundary"))
        user.permissions_boundary_arn = response._get_param("PermissionsBoundary")
        return EmptyResult()

    def delete_user(response):
        user = response.backend.get_user(response._get_param("UserName"))
        if not user.permissions_boundary:
            raise NoSuchEntity(f"User {user.name} does not have a permissions boundary.")
        user.permissions_boundary_arn = None
        return EmptyResult()

    IamResponse.put_user_permissions_boundary = put_user
    IamResponse.delete_user_permissions_boundary = delete_user

    @override(IamResponse, "create_user")
    def create_user(original, response):
        must_exist(response.backend, response._get_param("PermissionsBoundary"))
        result = original()
        result.result["User"].permissions_boundary_arn = response._get_param("PermissionsBoundary")
        return result

    @override(IamResponse, "create_role")
    def create_role(original, response):
        must_exist(response.backend, response._get_param("PermissionsBoundary"))
        return original()

    @override(IamResponse, "put_role_permissions_boundary")
    def put_role(original, response):
        must_exist(response.backend, response._get_param("PermissionsBoundary"))
        return original()


def _keep_names_unique() -> None:
    def refuse_taken(kind, name, existing):
        if any(entity.name.lower() == name.lower() for entity in existing):
            raise EntityAlreadyExists(f"{kind} with name {name} already exists.")

    @override(IamResponse, "create_user")
    def create_user(original, response):
        refuse_taken("User", response._get_param("UserName"), response.backend.users.values())
        return original()

    @override(IamResponse, "create_role")
    def create_role(original, response):
        refuse_taken("Role", response._get_param("RoleName"), response.backend.roles.values())
        return original()

    @override(IamResponse, "create_group")
    def create_group(original, response):
        refuse_taken("Group", response._get_param("GroupName"), response.backend.groups.values())
        return original()

    @override(IamResponse, "create_policy")
    def create_policy(original, response):
        local = [p for p in response.backend.managed_policies.values() if not isinstance(p, iam.AWSManagedPolicy)]
        refuse_taken("Policy", response._get_param("PolicyName"), local)
        return original()


def _refuse_deleting_what_is_in_use() -> None:
    def refuse(*reasons):
        for holds, reason in reasons:
            if holds:
                raise DeleteConflictException(f"Cannot delete entity, must {reason} first.")

    @override(iam.IAMBackend, "delete_user")
    def delete_user(original, backend, user_name):
        user = backend.get_user(user_name)
        refuse(
            (user.access_keys, "delete access keys"),
            (user.password, "delete login profile"),
            (user.mfa_devices, "delete MFA device"),
            (user.signing_certificates, "delete signing certificates"),
            (user.ssh_public_keys, "delete SSH public keys"),
            (getattr(user, "service_credentials", []), "delete service-specific credentials"),
            (user.group_list, "remove users from group"),
        )
        original(user_name)
        _forget_principal(user)

    @override(iam.IAMBackend, "update_user")
    def update_user(original, backend, user_name, new_path=None, new_user_name=None):
        user = backend.get_user(user_name)
        tags, before = user.tags or [], user.arn
        original(user_name, new_path, new_user_name)
        # moto keeps tags by the ARN, which has just become another.
        backend.tagger.delete_all_tags_for_resource(before)
        backend.tagger.tag_resource(user.arn, tags)

    @override(iam.IAMBackend, "delete_role")
    def delete_role(original, backend, role_name):
        role = backend.get_role(role_name)
        original(role_name)
        _forget_principal(role)

    @override(iam.IAMBackend, "delete_group")
    def delete_group(original, backend, group_name):
        group = backend.get_group(group_name)
        refuse(
            (group.users, "remove users from group"),
            (group.managed_policies, "detach all policies"),
            (group.policies, "delete policies"),
        )
        original(group_name)

    @override(iam.IAMBackend, "delete_policy")
    def delete_policy(original, backend, policy_arn):
        holders = [*backend.users.values(), *backend.roles.values(), *backend.groups.values()]
        if any(policy_arn in holder.managed_policies or _bounded_by(holder, policy_arn) for holder in holders):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(backend.get_policy(policy_arn).versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        original(policy_arn)


def _bounded_by(holder, policy_arn: str) -> bool:
    return getattr(holder, "permissions_boundary_arn", None) == policy_arn


def _forget_principal(deleted) -> None:
    """Trust policies that name a deleted user or role show its unique ID from then on, as in AWS."""
    for account in iam.iam_backends.values():
        for role in account["aws"].roles.values():
            role.assume_role_policy_document = role.assume_role_policy_document.replace(
                f'"{deleted.arn}"', f'"{deleted.id}"'
            )


def find_principal(arn: str):
    """The user or role with this ARN, in any account, or nothing."""
    account, kind = PRINCIPAL_ARN.match(arn).groups()
    backend = iam.iam_backends[account]["aws"]
    entities = backend.users if kind == "user" else backend.roles
    return next((entity for entity in entities.values() if entity.arn == arn), None)


def principals(statement: dict) -> list[str]:
    """The AWS principals a statement names."""
    named = statement.get("Principal") or {}
    listed = named if isinstance(named, str) else named.get("AWS", [])
    return [listed] if isinstance(listed, str) else listed


def statements(document: str) -> list[dict]:
    """The statements of a policy document."""
    listed = json.loads(document)["Statement"]
    return [listed] if isinstance(listed, dict) else listed


def _check_trust_policies() -> None:
    def check(document):
        if not (SETTINGS.check_principals or SETTINGS.fresh_principal_seconds):
            return
        for statement in statements(document):
            for arn in filter(PRINCIPAL_ARN.match, principals(statement)):
                found = find_principal(arn)
                fresh = found and (utcnow() - found.create_date).total_seconds() < SETTINGS.fresh_principal_seconds
                if fresh or (not found and SETTINGS.check_principals):
                    raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{arn}"')

    @override(IamResponse, "create_role")
    def create_role(original, response):
        check(response._get_param("AssumeRolePolicyDocument"))
        return original()

    @override(IamResponse, "update_assume_role_policy")
    def update_assume_role_policy(original, response):
        check(response._get_param("PolicyDocument"))
        return original()


def _complete_details() -> None:
    transformers = IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER
    transformers["ListUsersResponse.Users.User.PermissionsBoundary"] = never_return
    for path in DOCUMENTS:
        transformers[path] = lambda text: quote(text, safe="") if SETTINGS.encode_documents else text

    # Of these, moto finds the names under other attributes for Policy, but not for ManagedPolicyDetail.
    iam.Policy.policy_name = property(lambda policy: policy.name)
    iam.Policy.policy_id = property(lambda policy: policy.id)

    @override(iam.User, "__init__")
    def user(original, user, *args, **kwargs):
        original(*args, **kwargs)
        user.id = "AIDA" + "".join(mock_random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))

    @override(iam.IAMBackend, "get_account_authorization_details")
    def details(original, backend, policy_filter):
        found = original(policy_filter)
        # moto lists these out of a set: pages need an order that stays.
        found["managed_policies"] = sorted(found["managed_policies"], key=lambda policy: policy.arn)
        return found

    @override(iam.IAMBackend, "update_role")
    def update_role(original, backend, role_name, role_description, max_session_duration):
        if role_description is None:
            role_description = backend.get_role(role_name).description
        return original(role_name, role_description, max_session_duration)

    @override(organizations.FakeAccount, "describe")
    def describe(original, account):
        if not SETTINGS.account_paths:
            return original()
        backend = organizations.organizations_backends[account.master_account_id]["aws"]
        parents = {unit.id: unit.parent_id for unit in backend.ou}
        path, unit = [account.id], account.parent_id
        while unit:
            path.insert(0, unit)
            unit = parents[unit]
        return original() | {"Paths": ["/".join([account.organization_id, *path, ""])]}


def _guard_guardrails() -> None:
    """The refusals of policy writes that moto lacks. Its own calls, for new accounts and units, go past them."""

    def check_document(kind, content):
        most = GUARDRAIL_LIMITS.get(kind, (UNPAGED,))[0]
        if content is not None and len(content) > most:
            raise ConstraintViolationException("You have exceeded the maximum policy size.")
        try:
            json.loads(content or "{}")
        except ValueError:
            raise OrganizationsClientError(
                "MalformedPolicyDocumentException", "The provided policy document does not meet the requirements."
            ) from None

    def attached(target, kind):
        return [policy for policy in target.attached_policies if policy.type == kind]

    def addressed(response):
        """The policy and the target of a request; in AWS either may be what does not exist."""
        backend, sent = response.organizations_backend, response.request_params
        policy = backend.get_policy_by_id(sent["PolicyId"])
        nodes = [*backend.ou, *backend.accounts]
        target = next((node for node in nodes if node.id == sent["TargetId"]), None)
        if target is None:
            raise TargetNotFoundException
        return policy, target

    def changeable(response, key="PolicyId"):
        backend, identifier = response.organizations_backend, response.request_params[key]
        policy = next((policy for policy in backend.policies if policy.id == identifier), None)
        if policy and policy.aws_managed:
            raise InvalidInputException("You specified a policy that is managed by AWS and can't be modified.")
        return policy

    @override(OrganizationsResponse, "create_policy")
    def create_policy(original, response):
        backend, sent = response.organizations_backend, response.request_params
        check_document(sent["Type"], sent["Content"])
        if any((policy.name, policy.type) == (sent["Name"], sent["Type"]) for policy in backend.policies):
            raise DuplicatePolicyException
        # A name is taken among policies of the same type; moto compares it with all.
        others = [policy for policy in backend.policies if policy.type != sent["Type"]]
        backend.policies = [policy for policy in backend.policies if policy.type == sent["Type"]]
        try:
            return original()
        finally:
            backend.policies = [*others, *backend.policies]

    @override(OrganizationsResponse, "update_policy")
    def update_policy(original, response):
        policy = changeable(response)
        check_document(policy and policy.type, response.request_params.get("Content"))
        return original()

    @override(OrganizationsResponse, "delete_policy")
    def delete_policy(original, response):
        changeable(response)
        return original()

    @override(OrganizationsResponse, "tag_resource")
    def tag_resource(original, response):
        changeable(response, "ResourceId")
        return original()

    @override(OrganizationsResponse, "untag_resource")
    def untag_resource(original, response):
        changeable(response, "ResourceId")
        return original()

    @override(OrganizationsResponse, "attach_policy")
    def attach_policy(original, response):
        policy, target = addressed(response)
        root = next(unit for unit in response.organizations_backend.ou if unit.type == "ROOT")
        if all(enabled["Type"] != policy.type for enabled in root.policy_types):
            raise PolicyTypeNotEnabledException
        if policy in target.attached_policies:
            raise OrganizationsClientError(
                "DuplicatePolicyAttachmentException",
                "The selected policy is already attached to the specified target.",
            )
        if len(attached(target, policy.type)) >= GUARDRAIL_LIMITS[policy.type][1]:
            raise ConstraintViolationException("You have exceeded the maximum number of policies for the target.")
        return original()

    @override(OrganizationsResponse, "detach_policy")
    def detach_policy(original, response):
        policy, target = addressed(response)
        if policy.id == DEFAULT_RCP_POLICY_ID:
            raise InvalidInputException("You specified a policy that can't be detached.")
        if policy not in target.attached_policies:
            raise OrganizationsClientError(
                "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root."
            )
        if policy.type == "SERVICE_CONTROL_POLICY" and len(attached(target, policy.type)) == 1:
            raise ConstraintViolationException("You can't remove the last policy from a target.")
        return original()
