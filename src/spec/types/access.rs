//! Who gets in and what they may do: users, roles and policies.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::shapes::{Ability, Custodian};
use super::values::{
    Accounts, Duration, PolicyRef, Trusted, is_default, is_true, nullable, path_schema, yes,
};
use crate::ids::IamPath;
use crate::policy::{DocumentKind, library};
pub use crate::state::{FidoLevel, MfaKind};

/// Declares an IAM user of the emergency account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The user's name, unique whatever its case.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,64}$"), extend("examples" = ["bg-alice"]))]
    pub name: String,
    /// The user's IAM path; `defaults.path` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "path_schema")]
    pub path: Option<IamPath>,
    /// Who keeps the password and who keeps the MFA token; `validate` warns when nobody is named. Nothing of it is
    /// written to AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custodians: Option<Custodians>,
    /// Whether the user has a login profile, that is a password for the console. A missing one is a task for a person
    /// (`manual`); with `false`, one that is there is deleted.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    #[schemars(extend("default" = true))]
    pub console: bool,
    /// Whether the user gets the inline policies `break-glass-mfa`, to enrol a device and to deny everything else
    /// without MFA, and `break-glass-assume`, to assume the roles that trust it. With `false` it gets those of the spec
    /// only, as `import` writes it for what was made by hand.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    #[schemars(extend("default" = true))]
    pub generated_policies: bool,
    /// Whether the user may have access keys.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "forbidden"))]
    pub access_keys: AccessKeys,
    /// Which MFA devices the user must have; not checked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<UserMfa>,
    /// What the user may do besides what its generated policies allow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permissions: Permissions,
    /// Tags besides `defaults.tags`, which they override.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl User {
    /// Tells whether all its MFA devices shall be FIDO devices, which work in the console only.
    #[must_use]
    pub fn has_fido_only(&self) -> bool {
        let mfa = self.mfa.as_ref();
        mfa.is_some_and(|mfa| mfa.kinds == [MfaKind::Fido2])
    }
}

/// Names who keeps a user's password and who its token: two different ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Custodians {
    /// Who keeps the password.
    pub password: Custodian,
    /// Who keeps the MFA token.
    pub token: Custodian,
}

/// Tells whether a user may have access keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessKeys {
    /// None: every key is deleted.
    #[default]
    Forbidden,
    /// Keys are left as they are, locked away for the day the console is down; it is told when one was used.
    Vaulted,
}

/// Says which MFA devices a user must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserMfa {
    /// How many devices that count there must be, 1 to 8.
    #[serde(default = "one_device")]
    #[schemars(range(min = 1, max = 8))]
    pub at_least: u32,
    /// The kinds that count; every kind when empty. A device of another kind is a difference; SMS always is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<MfaKind>,
    /// The lowest level of the FIDO Alliance's certification that a FIDO device must prove; not checked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fido_certification: Option<FidoLevel>,
}

fn one_device() -> u32 {
    1
}

/// Lists the policies of a user or role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// Managed policies that are attached: `policy:NAME` of this spec, or an ARN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_policies: Vec<PolicyRef>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inline_policies: BTreeMap<String, PolicySource>,
    /// The managed policy that is the permissions boundary; null or absent for none.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    pub permissions_boundary: Option<PolicyRef>,
}

/// Says where a policy's text comes from: exactly one of its three keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = exactly_one_source)]
pub struct PolicySource {
    /// A JSON file beside or below the spec file that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The policy itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub document: Option<serde_json::Value>,
    /// The name of a policy that comes with breakglass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "library_schema")]
    pub library: Option<String>,
}

/// Declares a customer managed policy; its text comes from exactly one of `file`, `document` and `library`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = exactly_one_source)]
pub struct PolicyEntry {
    /// A JSON file beside or below the spec file that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The policy itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub document: Option<serde_json::Value>,
    /// The name of a policy that comes with breakglass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "library_schema")]
    pub library: Option<String>,
    /// The policy's IAM path; `defaults.path` when absent. A policy at another path is not recognised as managed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "path_schema")]
    pub path: Option<IamPath>,
    /// The policy's description, set when it is made. It can't be changed later, and is not compared; neither are a
    /// policy's tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn library_schema(_: &mut SchemaGenerator) -> Schema {
    let fits = |name: &&str| library::kind(name) == Some(DocumentKind::Identity);
    let names: Vec<&str> = library::names().filter(fits).collect();
    json_schema!({ "type": "string", "enum": names })
}

fn exactly_one_source(schema: &mut Schema) {
    let required = ["file", "document", "library"].map(|key| json!({ "required": [key] }));
    schema.insert("oneOf".to_owned(), required.to_vec().into());
}

/// Tells where a policy's text comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source<'a> {
    /// A JSON file, as named in the spec.
    File(&'a str),
    /// The text in the spec itself.
    Document(&'a serde_json::Value),
    /// A policy that comes with breakglass, by name.
    Library(&'a str),
}

/// Finds the one source that is given; none when there is none or more than one.
fn only_source<'a>(
    file: Option<&'a String>,
    document: Option<&'a serde_json::Value>,
    library: Option<&'a String>,
) -> Option<Source<'a>> {
    match (file, document, library) {
        (Some(file), None, None) => Some(Source::File(file)),
        (None, Some(document), None) => Some(Source::Document(document)),
        (None, None, Some(library)) => Some(Source::Library(library)),
        _ => None,
    }
}

impl PolicySource {
    /// Tells where the text comes from; always `Some` in a spec that was loaded.
    #[must_use]
    pub fn source(&self) -> Option<Source<'_>> {
        only_source(
            self.file.as_ref(),
            self.document.as_ref(),
            self.library.as_ref(),
        )
    }
}

impl PolicyEntry {
    /// Tells where the text comes from; always `Some` in a spec that was loaded.
    #[must_use]
    pub fn source(&self) -> Option<Source<'_>> {
        only_source(
            self.file.as_ref(),
            self.document.as_ref(),
            self.library.as_ref(),
        )
    }
}

/// The failure modes that the runbook knows by name.
pub const FAILURE_MODES: [&str; 6] = [
    "identity_provider_down",
    "federation_broken",
    "identity_center_down",
    "identity_provider_compromised",
    "guardrail_lockout",
    "team_unavailable",
];

/// Declares a role that exists in each selected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The role's name, unique whatever its case; the same in every account.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,64}$"), extend("examples" = ["BreakGlassAdmin"]))]
    pub name: String,
    /// The role's IAM path; `defaults.path` when absent. Path and name together have 64 characters at most, or the
    /// console can't switch to the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "path_schema")]
    pub path: Option<IamPath>,
    /// The role's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What has failed when this role is needed, in any words. `identity_provider_down`, `federation_broken`,
    /// `identity_center_down`, `identity_provider_compromised`, `guardrail_lockout` and `team_unavailable` have words
    /// of their own in the runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = FAILURE_MODES))]
    pub failure_mode: Option<String>,
    /// The accounts that have this role.
    #[serde(default)]
    pub accounts: Accounts,
    /// Who may assume it: `user:NAME` of this spec, or the ARN of a user or role.
    pub trusted: Vec<Trusted>,
    /// What the trust policy asks of MFA.
    #[serde(default)]
    pub mfa: RoleMfa,
    /// Ties each session to an incident. In the console the session's name is that of the user, so such a role is for
    /// the CLI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// The longest session, 1h to 12h.
    #[serde(default = "one_hour")]
    pub max_session: Duration,
    /// What the role may do.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permissions: Permissions,
    /// Actions that `verify` proves a session can do: on every resource of its account and in every context, unless
    /// `resource` and `context` narrow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_allow: Vec<Ability>,
    /// Actions that `verify` proves a session cannot do, on any resource in any context.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["cloudtrail:StopLogging"]]))]
    pub must_deny: Vec<String>,
    /// Tags besides `defaults.tags`, which they override.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

fn one_hour() -> Duration {
    Duration::from_seconds(3_600)
}

/// Says what a role's trust policy asks of MFA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleMfa {
    /// Whether the trust policy asks for MFA.
    #[serde(default = "yes")]
    pub required: bool,
    /// How long ago the MFA device may have been used; any time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
}

impl Default for RoleMfa {
    fn default() -> Self {
        Self {
            required: true,
            max_age: None,
        }
    }
}

/// Ties a role's sessions to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// What the session's name must be like, such as `INC-*`.
    #[schemars(extend("examples" = ["INC-*"]))]
    pub session_name: String,
}
