//! The spec's types, as written: each field's comment is its description in the JSON Schema.

mod access;
mod sections;
mod shapes;
mod values;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, IamPath};

pub use access::{
    AccessKeys, Custodians, FAILURE_MODES, FidoLevel, Incident, MfaKind, Permissions, PolicyEntry,
    PolicySource, Role, RoleMfa, Source, User, UserMfa,
};
pub use sections::{
    AlertUse, Alerts, Bus, Coverage, Drills, Exception, Exemption, Guardrails, Ignore, Incidents,
    Notify, Protection, RootAccess, RootMfa, Safety, SecondPath, Topic, Webhook,
};
pub use shapes::{Ability, Custodian, MemberRole, OneOrMany};
pub use values::{
    AccountSelector, Accounts, BusAccount, Duration, Percent, PolicyRef, Trusted, Version,
};

/// Describes all of an organization's emergency access.
///
/// A section that is absent is neither read nor compared: `users: []` says that there are none, no `users` says nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The version of the spec's format: 1.
    pub version: Version,
    /// The organization that this spec is for; any other one is refused, with exit code 4.
    pub organization: OrganizationSettings,
    /// The id of the account where break-glass users live; may be the management account. Quote it: YAML would read a
    /// number.
    #[schemars(schema_with = "values::account_id_schema")]
    pub emergency_account: AccountId,
    /// What holds for everything that says nothing else.
    #[serde(default)]
    pub defaults: Defaults,
    /// The people's users, in the emergency account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<User>>,
    /// Customer managed policies by name, created wherever something refers to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeMap<String, PolicyEntry>>,
    /// The roles that break-glass users assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    /// What service and resource control policies must let through, and the policy that protects all this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails: Option<Guardrails>,
    /// Which accounts must have a proven path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// How the root users of member accounts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_access: Option<RootAccess>,
    /// Who hears of each use, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Alerts>,
    /// The record of incidents, which uses are matched with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidents: Option<Incidents>,
    /// The record of drills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drills: Option<Drills>,
    /// What `apply` stops at.
    #[serde(default)]
    pub safety: Safety,
    /// Differences that are somebody else's business until a date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Ignore>,
}

impl Spec {
    /// The declared users; none when the section is absent.
    #[must_use]
    pub fn users(&self) -> &[User] {
        self.users.as_deref().unwrap_or_default()
    }

    /// The declared roles; none when the section is absent.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        self.roles.as_deref().unwrap_or_default()
    }

    /// Iterates over the declared policies by name; none when the section is absent.
    pub fn policies(&self) -> impl Iterator<Item = (&String, &PolicyEntry)> {
        self.policies.iter().flatten()
    }
}

/// Says which organization this is and how its accounts are entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSettings {
    /// The organization's id, such as `o-exampleorg1`.
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"), extend("examples" = ["o-exampleorg1"]))]
    pub id: String,
    /// The role that is assumed in each account but the caller's own: a name, `path/name`, or `{plan, apply}` to keep
    /// reading apart from writing.
    #[serde(default)]
    pub member_role: MemberRole,
    /// What differs in single accounts, by account id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "values::by_account_schema::<AccountOverride>")]
    pub overrides: BTreeMap<AccountId, AccountOverride>,
    /// The Regions where alert rules live, and in which `verify` proves, beside that of global services; every enabled
    /// Region when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [["us-east-1", "eu-west-1"]]))]
    pub regions: Option<Vec<String>>,
}

/// Says how one account is entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountOverride {
    /// The role assumed in this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_role: Option<MemberRole>,
    /// The external id that the role's trust policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// Holds what holds for everything that says nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The IAM path of what is made here; everything under it is managed.
    #[serde(default = "IamPath::break_glass")]
    #[schemars(schema_with = "values::path_schema")]
    pub path: IamPath,
    /// Tags on every user, role and policy; an object's own `tags` override them. `breakglass:managed` is added to all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whether what lies under the path must carry the tag `breakglass:managed`; what is made here always does.
    #[serde(default, skip_serializing_if = "values::is_default")]
    #[schemars(extend("default" = "required"))]
    pub ownership_tag: OwnershipTag,
}

/// Says whether the ownership tag may be missing under the managed path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnershipTag {
    /// It is a difference when it is missing.
    #[default]
    Required,
    /// It may be missing: for what was made by hand and imported.
    Optional,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            path: IamPath::break_glass(),
            tags: BTreeMap::new(),
            ownership_tag: OwnershipTag::default(),
        }
    }
}
