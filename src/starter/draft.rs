//! What a first spec says, and its text.

use super::SCHEMA_FILE;
use crate::ids::Partition;
use crate::spec::{Loaded, load_texts};
use crate::state::MfaKind;

/// Holds what a first spec says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The organization's id.
    pub organization_id: String,
    /// The account where the users live.
    pub emergency_account: String,
    /// The partition of the ARNs.
    pub partition: Partition,
    /// The users, at least two.
    pub users: Vec<DraftUser>,
    /// The kinds of MFA devices that count; not checked when empty.
    pub mfa: Vec<MfaKind>,
    /// The roles.
    pub roles: Vec<Preset>,
    /// The organizational units that have none of the roles, by `/Path/By/Name` or id.
    pub left_out: Vec<String>,
    /// Who hears of each use, as `PROTOCOL:ENDPOINT`; no alerts when empty.
    pub subscriptions: Vec<String>,
    /// The Region of the alerts' topic and bus.
    pub region: String,
}

/// The kinds of MFA devices, as specs name them.
pub(super) const MFA_KINDS: [(&str, MfaKind); 3] = [
    ("fido2", MfaKind::Fido2),
    ("hardware_totp", MfaKind::HardwareTotp),
    ("virtual_totp", MfaKind::VirtualTotp),
];

/// Holds a user and who keeps its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftUser {
    /// The user's name.
    pub name: String,
    /// Who keeps the password.
    pub password: String,
    /// Who keeps the MFA device.
    pub token: String,
}

impl DraftUser {
    /// Makes the user of a number, with a keeper for each of its credentials.
    #[must_use]
    pub fn new(number: usize, name: &str) -> Self {
        const KEEPERS: [(&str, &str); 2] = [
            ("security safe", "operations safe"),
            ("finance safe", "network safe"),
        ];
        let (password, token) = KEEPERS
            .get(number)
            .map(|(password, token)| ((*password).to_owned(), (*token).to_owned()))
            .unwrap_or_else(|| (format!("safe of {name}"), format!("token safe of {name}")));
        Self {
            name: name.to_owned(),
            password,
            token,
        }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            organization_id: "o-exampleorg1".to_owned(),
            emergency_account: "222233334444".to_owned(),
            partition: Partition::commercial(),
            users: vec![DraftUser::new(0, "bg-alice"), DraftUser::new(1, "bg-bob")],
            mfa: Vec::new(),
            roles: vec![Preset::Admin],
            left_out: Vec::new(),
            subscriptions: Vec::new(),
            region: "us-east-1".to_owned(),
        }
    }
}

/// Names a role to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Preset {
    /// Everything, everywhere, for the day when the identity provider is down.
    Admin,
    /// Reading everything, everywhere, to find out what is going on.
    ReadOnly,
    /// Networks: routes, firewalls, DNS.
    Network,
    /// The organization itself, in the management account: to mend a guardrail that has locked everyone out.
    Guardrails,
}

impl Preset {
    /// Lists every preset.
    pub const ALL: [Self; 4] = [Self::Admin, Self::ReadOnly, Self::Network, Self::Guardrails];

    /// The preset as it is typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ReadOnly => "read-only",
            Self::Network => "network",
            Self::Guardrails => "guardrails",
        }
    }

    /// The role's name, its failure mode, its policy of AWS, and what it is for.
    fn role(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Admin => (
                "BreakGlassAdmin",
                "identity_provider_down",
                "AdministratorAccess",
                "Everything, when nobody gets in the usual way.",
            ),
            Self::ReadOnly => (
                "BreakGlassReadOnly",
                "identity_provider_compromised",
                "ReadOnlyAccess",
                "Looking around without changing anything: the weakest role that will do is the right one.",
            ),
            Self::Network => (
                "BreakGlassNetwork",
                "network_lockout",
                "job-function/NetworkAdministrator",
                "Routes, firewalls and DNS that have cut everyone off.",
            ),
            Self::Guardrails => (
                "BreakGlassGuardrails",
                "guardrail_lockout",
                "AWSOrganizationsFullAccess",
                "An SCP or RCP that has locked everyone out: neither binds the management account.",
            ),
        }
    }
}

impl Draft {
    /// Checks the draft as `validate` checks a spec.
    ///
    /// # Errors
    /// What is wrong, the first thing and how to mend it.
    pub fn check(&self) -> Result<Loaded, String> {
        if self.users.len() < 2 {
            return Err("at least two users are needed: one can be lost".to_owned());
        }
        let none = |_: &str, _: &str| Err("a first spec names no files".to_owned());
        let files = vec![("breakglass.yaml".to_owned(), self.text())];
        load_texts(files, &none).map_err(|error| {
            let problem = error.problems.first();
            problem.map_or_else(String::new, |problem| match &problem.hint {
                Some(hint) => format!("{}: {hint}", problem.message),
                None => problem.message.clone(),
            })
        })
    }

    /// Writes the spec, with comments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.head();
        text.push_str(&self.users_text());
        text.push_str(&self.roles_text());
        text.push_str(&self.alerts_text());
        text.push_str(ENDING);
        text
    }

    fn head(&self) -> String {
        let (id, account) = (quoted(&self.organization_id), &self.emergency_account);
        format!(
            r#"# yaml-language-server: $schema={SCHEMA_FILE}
# $schema: {SCHEMA_FILE}
# Emergency access to AWS, as code. `breakglass validate` checks this file without credentials;
# `breakglass plan` shows what it would change; `breakglass drift` tells when reality has moved away from it.
version: 1

organization:
  id: {id} # any other organization is refused
  # The role that is assumed in each member account. {{plan: ReadRole, apply: WriteRole}} splits reading from writing.
  member_role: OrganizationAccountAccessRole

# The account where the break-glass users live: one that nothing else depends on.
emergency_account: {account}

defaults:
  path: /break-glass/ # everything under this IAM path belongs to this tool
  tags:
    owner: platform-security
"#,
            account = json(account)
        )
    }

    fn users_text(&self) -> String {
        let mut text = "
# At least two, one person each. The password and the MFA device are kept by different people, so that
# nobody can use the account alone. A new password is sealed to keys of its keeper:
#   password: { name: security safe, recipients: [\"age1…\"] }
users:
"
        .to_owned();
        let kinds = MFA_KINDS.iter().filter(|(_, kind)| self.mfa.contains(kind));
        let kinds: Vec<&str> = kinds.map(|(name, _)| *name).collect();
        for DraftUser {
            name,
            password,
            token,
        } in &self.users
        {
            text.push_str(&format!(
                "  - name: {}\n    custodians:\n      password: {}\n      token: {}\n",
                quoted(name),
                quoted(password),
                quoted(token)
            ));
            if !kinds.is_empty() {
                // A passkey that is synced proves no certification.
                let proven = if self.mfa.contains(&MfaKind::Fido2) {
                    ", fido_certification: L1"
                } else {
                    ""
                };
                let kinds = kinds.join(", ");
                text.push_str(&format!(
                    "    mfa: {{ at_least: 2, kinds: [{kinds}]{proven} }} # enrolled by a person\n"
                ));
            }
        }
        text
    }

    fn roles_text(&self) -> String {
        let mut text = "
# Customer managed policies, created in every account where something refers to them.
policies:
  break-glass-baseline:
    library: break-glass-baseline # or `file: policies/mine.json`, or `document: {...}`

roles:
"
        .to_owned();
        let trusted: Vec<String> = self
            .users
            .iter()
            .map(|user| json(&format!("user:{}", user.name)))
            .collect();
        let left_out: Vec<String> = self
            .left_out
            .iter()
            .map(|unit| json(&unit_selector(unit)))
            .collect();
        for preset in &self.roles {
            let (name, mode, policy, what) = preset.role();
            let accounts = match preset {
                Preset::Guardrails => "      include: [management]\n".to_owned(),
                _ if left_out.is_empty() => "      include: [\"*\"] # or account ids, account:NAME, ou:/Path, tag:KEY=VALUE, management, emergency\n      # exclude: [\"ou:/Sandbox\"]\n".to_owned(),
                _ => format!("      include: [\"*\"]\n      exclude: [{}]\n", left_out.join(", ")),
            };
            text.push_str(&format!(
                r#"  # {what}
  - name: {name}
    failure_mode: {mode}
    accounts:
{accounts}    trusted: [{trusted}]
    mfa:
      required: true
      max_age: 12h # how long ago the device may have been used
    max_session: 1h
    permissions:
      managed_policies:
        - arn:{partition}:iam::aws:policy/{policy}
        - policy:break-glass-baseline
      inline_policies:
        deny-tamper: {{ library: deny-break-glass-tampering }} # the role can't change the break-glass setup itself
    tags:
      severity: critical
"#,
                trusted = trusted.join(", "),
                partition = self.partition,
            ));
        }
        text
    }

    fn alerts_text(&self) -> String {
        if self.subscriptions.is_empty() {
            return String::new();
        }
        let subscriptions: Vec<String> = self.subscriptions.iter().map(|one| json(one)).collect();
        format!(
            r#"
# Every use of the above raises an alert; `breakglass alerts test` tries it.
alerts:
  topic:
    name: break-glass-alerts
    subscriptions: [{}]
  bus:
    account: emergency
    region: {}
    name: break-glass
"#,
            subscriptions.join(", "),
            quoted(&self.region)
        )
    }
}

const ENDING: &str = "
safety:
  max_removals: 25% # `apply` stops when it would remove more than this share of what is managed
  min_users: 2
";

/// A unit as a selector has it.
fn unit_selector(unit: &str) -> String {
    if unit.starts_with("ou-") || unit.starts_with("ou:") {
        unit.to_owned()
    } else {
        format!("ou:{unit}")
    }
}

/// A text in YAML: bare where that can't be taken for anything else.
fn quoted(text: &str) -> String {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-. ".contains(letter);
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if begins
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !word.contains(&text.to_lowercase().as_str())
    {
        text.to_owned()
    } else {
        json(text)
    }
}

/// A text in quotes, as JSON and YAML both have it.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draft_is_a_spec_with_nothing_to_warn_of() {
        let draft = Draft {
            users: ["bg-alice", "bg-bob", "bg-carol"]
                .iter()
                .enumerate()
                .map(|(number, name)| DraftUser::new(number, name))
                .collect(),
            mfa: vec![MfaKind::Fido2, MfaKind::HardwareTotp],
            roles: Preset::ALL.to_vec(),
            left_out: vec!["/Sandbox".to_owned(), "ou-acme-12345678".to_owned()],
            subscriptions: vec!["email:soc@example.com".to_owned()],
            region: "eu-west-1".to_owned(),
            partition: "aws-us-gov".parse().unwrap(),
            ..Draft::default()
        };
        for draft in [draft, Draft::default()] {
            let loaded = draft.check().unwrap();
            assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
            assert_eq!(loaded.spec.roles().len(), draft.roles.len());
            assert!(draft.text().starts_with("# yaml-language-server: $schema="));
        }
    }

    #[test]
    fn no_answer_becomes_more_than_a_text() {
        for name in [
            "a: b",
            "x # y",
            "\"",
            "[z",
            "true",
            "1",
            "- a",
            "a\nroles: []",
            "*a",
            "é ",
        ] {
            let mut draft = Draft::default();
            draft.users[0].password = name.to_owned();
            let loaded = draft
                .check()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let user = &loaded.spec.users()[0];
            assert_eq!(user.custodians.as_ref().unwrap().password.name, name);
        }
    }
}
