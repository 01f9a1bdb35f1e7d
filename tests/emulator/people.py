"""Makes moto's IAM answer for what people hold: MFA devices, passwords, service-specific credentials, root users.

Stand-ins for calls that moto lacks, written from AWS's API reference, and what moto's own leave out. `install()` patches
moto's classes once, after `deviations.install()`.
"""

from datetime import datetime

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam import models as iam
from moto.iam.exceptions import IAMException, NoSuchEntity, ValidationError
from moto.iam.responses import IamResponse
from moto.moto_api._internal import mock_random
from moto.organizations.responses import OrganizationsResponse

from deviations import SETTINGS, override

ROOT_FEATURES: set[str] = set()
"""What the organization manages of its members' root users."""

IAM_SERVICE = "iam.amazonaws.com"

TRUSTED_SERVICES: set[str] = set()
"""The services that the organization trusts."""


def install() -> None:
    """Patches moto; call it once, before the first request."""
    _add_service_credentials()
    _complete_passwords()
    _add_device_certifications()
    _add_root_users()


def forget() -> None:
    """Forgets what is kept here and not in moto's backends."""
    ROOT_FEATURES.clear()
    TRUSTED_SERVICES.clear()


def service_credentials(user) -> list[dict]:
    """The service-specific credentials of a user."""
    return user.__dict__.setdefault("service_credentials", [])


def _add_service_credentials() -> None:
    def owner(response):
        return response.backend.get_user(response._get_param("UserName"))

    def create(response):
        user = owner(response)
        identifier = "ACCA" + "".join(mock_random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        made = {
            "CreateDate": utcnow(),
            "ServiceName": response._get_param("ServiceName"),
            "ServiceUserName": f"{user.name}-at-{response.current_account}",
            "ServiceSpecificCredentialId": identifier,
            "UserName": user.name,
            "Status": "Active",
        }
        service_credentials(user).append(made)
        return ActionResult({"ServiceSpecificCredential": made | {"ServicePassword": "not-a-secret"}})

    def listed(response):
        return ActionResult({"ServiceSpecificCredentials": service_credentials(owner(response)), "IsTruncated": False})

    def delete(response):
        held, identifier = service_credentials(owner(response)), response._get_param("ServiceSpecificCredentialId")
        found = [one for one in held if one["ServiceSpecificCredentialId"] == identifier]
        if not found:
            raise NoSuchEntity(f"Service specific credential {identifier} cannot be found.")
        held.remove(found[0])
        return EmptyResult()

    IamResponse.create_service_specific_credential = create
    IamResponse.list_service_specific_credentials = listed
    IamResponse.delete_service_specific_credential = delete


def _complete_passwords() -> None:
    @override(IamResponse, "create_login_profile")
    def create(original, response):
        result = original()
        required = response._get_param("PasswordResetRequired") in (True, "true")
        response.backend.get_user(response._get_param("UserName")).password_reset_required = required
        result.result["LoginProfile"]["PasswordResetRequired"] = required
        return result

    @override(IamResponse, "update_login_profile")
    def update(original, response):
        user = response.backend.get_login_profile(response._get_param("UserName"))
        user.password = response._get_param("Password") or user.password
        if response._get_param("PasswordResetRequired") is not None:
            user.password_reset_required = response._get_param("PasswordResetRequired") in (True, "true")
        return EmptyResult()

    @override(iam.IAMBackend, "get_user")
    def last_used(original, backend, name):
        user = original(name)
        used = SETTINGS.password_used.get(name)
        user.password_last_used = used and datetime.fromisoformat(used)
        return user

    @override(iam.IAMBackend, "get_credential_report")
    def report(original, backend):
        """moto's report, with the columns of which it holds nothing else than a guess as a test has set them."""
        rows = []
        for row in original().splitlines():
            name = row.split(",")[0]
            changed = SETTINGS.password_changed.get(name)
            columns = row.split(",")
            if name == "user":
                place = columns.index("password_last_changed")
            elif changed:
                columns[place] = changed
            rows.append(",".join(columns))
        return "\n".join(rows)


def _add_device_certifications() -> None:
    def get_mfa_device(response):
        serial, name = response._get_param("SerialNumber"), response._get_param("UserName")
        if ":u2f/" not in serial:
            raise ValidationError("The specified value for serialNumber is invalid: only FIDO security keys are accepted.")
        device = response.backend.get_user(name).mfa_devices.get(serial)
        if device is None:
            raise NoSuchEntity(f"MFA Device with serial number {serial} does not exist.")
        return ActionResult(
            {
                "UserName": name,
                "SerialNumber": serial,
                "EnableDate": device.enable_date,
                "Certifications": SETTINGS.certifications.get(serial, {}),
            }
        )

    IamResponse.get_mfa_device = get_mfa_device


def _add_root_users() -> None:
    def features(response):
        if response.current_account != iam.DEFAULT_ACCOUNT_ID:
            code = "AccountNotManagementOrDelegatedAdministratorException"
            raise IAMException(code, "The account is not the management account or a delegated administrator.")
        if IAM_SERVICE not in TRUSTED_SERVICES:
            raise IAMException("ServiceAccessNotEnabledException", "Trusted access is not enabled for IAM.")
        return ActionResult({"OrganizationId": "o-unknown", "EnabledFeatures": sorted(ROOT_FEATURES)})

    def enabler(feature):
        def enable(response):
            features(response)
            ROOT_FEATURES.add(feature)
            return features(response)

        return enable

    IamResponse.list_organizations_features = features
    IamResponse.enable_organizations_root_credentials_management = enabler("RootCredentialsManagement")
    IamResponse.enable_organizations_root_sessions = enabler("RootSessions")

    @override(OrganizationsResponse, "enable_aws_service_access")
    def enable_service(original, response):
        if response.request_params["ServicePrincipal"] != IAM_SERVICE:
            return original()
        # moto does not know this one.
        TRUSTED_SERVICES.add(IAM_SERVICE)
        return "{}"

    @override(IamResponse, "get_account_summary")
    def summary(original, response):
        result = original()
        told = result.result["SummaryMap"]
        told |= {"AccountPasswordPresent": 0} | SETTINGS.root_users.get(response.current_account, {})
        return result
