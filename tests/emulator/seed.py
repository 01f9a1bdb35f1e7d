"""Makes an organization out of a short description, on moto's backends: quicker than one request for each step.

    {"ous": ["/Workloads/Prod", "/Sandbox"],
     "accounts": [{"name": "prod-pay", "ou": "/Workloads/Prod", "tags": {"stage": "prod"}, "suspended": false,
                   "id": "111122223333", "role": "OrganizationAccountAccessRole"}],
     "policy_types": ["SERVICE_CONTROL_POLICY"], "random_seed": 42}

Only the accounts' names are required. Missing parents of an OU are made; `ou` is the root if left out; `"role": null`
makes an account as if invited, without an access role. The same description always gives the same ids.
"""

from unittest.mock import patch

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random
from moto.organizations import utils
from moto.organizations.models import organizations_backends

import people
from deviations import KEY_ACCOUNTS

ACCESS_ROLE = "OrganizationAccountAccessRole"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def reset() -> None:
    """Forgets all that moto holds."""
    BackendDict.reset()
    reset_model_data()
    # moto's own reset keeps the membership of accounts in organizations that are gone.
    organizations_backends.master_accounts.clear()
    KEY_ACCOUNTS.clear()
    people.forget()


def seed(description: dict) -> dict:
    """Puts this organization in place of everything there was."""
    reset()
    mock_random.seed(description.get("random_seed", 42))
    backend = organizations_backends[DEFAULT_ACCOUNT_ID]["aws"]
    organization = backend.create_organization(region="us-east-1", FeatureSet="ALL")["Organization"]
    root = backend.org.root_id
    for policy_type in description.get("policy_types", ["SERVICE_CONTROL_POLICY"]):
        backend.enable_policy_type(RootId=root, PolicyType=policy_type)

    units = {"/": root}
    for path in description.get("ous", []):
        _unit(backend, units, path)
    accounts = {}
    for account in description.get("accounts", []):
        identifier = _account(backend, account)
        backend.move_account(
            AccountId=identifier, SourceParentId=root, DestinationParentId=_unit(backend, units, account.get("ou", "/"))
        )
        if account.get("suspended"):
            backend.close_account(AccountId=identifier)
        accounts[account["name"]] = identifier
    return {
        "organization_id": organization["Id"],
        "management_account": DEFAULT_ACCOUNT_ID,
        "root_id": root,
        "ous": units,
        "accounts": accounts,
    }


def _unit(backend, units: dict[str, str], path: str) -> str:
    """The id of an OU by its path of names; makes it and its parents where they are missing."""
    path = path.rstrip("/") or "/"
    if path not in units:
        parent, _, name = path.rpartition("/")
        made = backend.create_organizational_unit(ParentId=_unit(backend, units, parent), Name=name)
        units[path] = made["OrganizationalUnit"]["Id"]
    return units[path]


def _account(backend, account: dict) -> str:
    role = account.get("role", ACCESS_ROLE)
    identifier = account.get("id") or utils.make_random_account_id()
    with patch.object(utils, "make_random_account_id", return_value=identifier):
        backend.create_account(
            AccountName=account["name"],
            Email=account.get("email", f"{account['name']}@example.com"),
            RoleName=role or ACCESS_ROLE,
            Tags=[{"Key": key, "Value": value} for key, value in account.get("tags", {}).items()],
        )
    iam = iam_backends[identifier]["aws"]
    if role:
        iam.attach_role_policy(ADMINISTRATOR, role)
    else:
        iam.delete_role(ACCESS_ROLE)
    return identifier
