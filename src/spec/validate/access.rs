//! Users and roles.

use std::collections::BTreeMap;

use super::super::problem::Problem;
use super::super::reliance::reliance;
use super::super::source::{element, entry};
use super::super::types::{
    AccessKeys, Custodian, Custodians, Incident, MfaKind, Role, Trusted, User, UserMfa,
};
use super::{Check, did_you_mean, limits};
use crate::credentials::Recipients;
use crate::ids::{Arn, Partition};
use crate::state::{DEVICES_TAG, OWNERSHIP_TAG, PASSWORD_TAG};

impl Check<'_> {
    pub(super) fn users(&mut self) {
        let spec = self.spec;
        let names = spec.users().iter().enumerate();
        self.distinct_names(
            "user",
            names
                .map(|(index, user)| (entry(&element("users", index), "name"), user.name.as_str())),
        );
        for (index, user) in spec.users().iter().enumerate() {
            self.user(&element("users", index), user);
        }
        let fewest = spec.safety.min_users;
        if spec.users.is_some() && (spec.users().len() as u64) < u64::from(fewest) {
            self.warn(
                "users",
                format!(
                    "{} of at least {fewest} users are declared",
                    spec.users().len()
                ),
                "declare more users, or lower safety.min_users",
            );
        }
    }

    fn user(&mut self, at: &str, user: &User) {
        self.name(&entry(at, "name"), "a user", &user.name, limits::NAME);
        if let Some(path) = &user.path {
            self.path(&entry(at, "path"), path);
        }
        match &user.custodians {
            Some(custodians) => self.custodians(&entry(at, "custodians"), custodians),
            None => self.warn(
                at,
                format!("the user {:?} has no custodians", user.name),
                "name who keeps the password and who keeps the token: two different ones",
            ),
        }
        if !user.console && user.access_keys == AccessKeys::Forbidden {
            self.warn(
                at,
                format!(
                    "the user {:?} can't sign in: it has neither a password nor access keys",
                    user.name
                ),
                "set console: true or access_keys: vaulted",
            );
        }
        if let Some(mfa) = &user.mfa {
            self.user_mfa(&entry(at, "mfa"), mfa);
        }
        self.permissions(at, "users", &user.permissions);
        let own = [OWNERSHIP_TAG, DEVICES_TAG, PASSWORD_TAG];
        self.object_tags(&entry(at, "tags"), &user.tags, &own);
    }

    fn custodians(&mut self, at: &str, custodians: &Custodians) {
        let Custodians { password, token } = custodians;
        for (key, custodian) in [("password", password), ("token", token)] {
            self.custodian(&entry(at, key), custodian);
        }
        let folded = |custodian: &Custodian| custodian.name.trim().to_lowercase();
        if folded(password) == folded(token) {
            self.error(
                entry(at, "token"),
                format!("{:?} keeps both the password and the token", token.name),
                "nobody may hold both: name another custodian",
            );
        }
    }

    fn custodian(&mut self, at: &str, custodian: &Custodian) {
        self.not_empty(at.to_owned(), &custodian.name);
        let list = entry(at, "recipients");
        self.distinct(&list, custodian.recipients.iter().map(String::as_str));
        for (index, key) in custodian.recipients.iter().enumerate() {
            let at = element(&list, index);
            if key.to_uppercase().contains("SECRET-KEY") || key.contains("PRIVATE KEY") {
                self.problems.push(
                    Problem::error(at, "this is a secret key, which must never be in a spec")
                        .hint("put the public key here, and replace the key: it is not secret any more")
                        .concealed(),
                );
            } else if let Err(wrong) = Recipients::parse(std::slice::from_ref(key)) {
                self.error(
                    at,
                    format!("{key:?} is not a public key that a password can be sealed to: {}", wrong.reason),
                    "write an age recipient (age1…) or an SSH public key (ssh-ed25519 …, ssh-rsa …)",
                );
            }
        }
    }

    fn user_mfa(&mut self, at: &str, mfa: &UserMfa) {
        if !(1..=limits::MFA_DEVICES).contains(&mfa.at_least) {
            self.error(
                entry(at, "at_least"),
                format!("{} devices can't be asked for", mfa.at_least),
                format!("a user has 1 to {} devices", limits::MFA_DEVICES),
            );
        }
        let kinds = entry(at, "kinds");
        for (index, kind) in mfa.kinds.iter().enumerate() {
            if mfa.kinds.iter().take(index).any(|earlier| earlier == kind) {
                self.error(
                    element(&kinds, index),
                    "the kind is listed twice",
                    "remove one of them",
                );
            }
        }
        if mfa.fido_certification.is_some()
            && !mfa.kinds.is_empty()
            && !mfa.kinds.contains(&MfaKind::Fido2)
        {
            self.warn(
                entry(at, "fido_certification"),
                "a certification is asked of FIDO keys, but fido2 is not among the kinds",
                "add fido2 to kinds, or leave fido_certification out",
            );
        }
        let fido = mfa.kinds.contains(&MfaKind::Fido2);
        if fido && !mfa.kinds.contains(&MfaKind::HardwareTotp) {
            self.warn(
                &kinds,
                "no hardware token is asked for beside FIDO, which the command line can't use",
                "add hardware_totp to kinds: one hardware token that shows codes beside the FIDO key",
            );
        }
        if fido && mfa.fido_certification.is_none() {
            self.warn(
                &kinds,
                "a passkey that is synced counts as fido2, as no certification is asked for",
                "set fido_certification: L1, so that only a device that proves it counts",
            );
        }
    }

    pub(super) fn roles(&mut self) {
        let spec = self.spec;
        let names = spec.roles().iter().enumerate();
        self.distinct_names(
            "role",
            names
                .map(|(index, role)| (entry(&element("roles", index), "name"), role.name.as_str())),
        );
        for (index, role) in spec.roles().iter().enumerate() {
            self.role(&element("roles", index), role);
        }
    }

    fn role(&mut self, at: &str, role: &Role) {
        self.name(&entry(at, "name"), "a role", &role.name, limits::NAME);
        if let Some(path) = &role.path {
            self.path(&entry(at, "path"), path);
        }
        let path = role.path.as_ref().unwrap_or(&self.spec.defaults.path);
        let length = path.as_str().len() + role.name.len();
        if length > limits::SWITCHABLE_ROLE {
            self.error(
                entry(at, "name"),
                format!(
                    "path and name have {length} characters ({path}{}); the console switches to {} at most",
                    role.name,
                    limits::SWITCHABLE_ROLE
                ),
                "shorten the name or the path",
            );
        }
        self.description(&entry(at, "description"), role.description.as_deref());
        if let Some(mode) = &role.failure_mode {
            self.not_empty(entry(at, "failure_mode"), mode);
        }
        self.accounts(&entry(at, "accounts"), &role.accounts);
        self.trusted(at, role);
        self.role_mfa(at, role);
        if let Some(incident) = &role.incident {
            self.incident(&entry(&entry(at, "incident"), "session_name"), incident);
        }
        if !limits::SESSION.contains(&role.max_session.seconds()) {
            self.error(
                entry(at, "max_session"),
                format!("a session of {} is not possible", role.max_session),
                "a role's sessions last 1h to 12h at most",
            );
        }
        self.permissions(at, "roles", &role.permissions);
        for (index, ability) in role.must_allow.iter().enumerate() {
            self.action(&element(&entry(at, "must_allow"), index), &ability.action);
        }
        self.distinct(
            &entry(at, "must_deny"),
            role.must_deny.iter().map(String::as_str),
        );
        for (index, action) in role.must_deny.iter().enumerate() {
            self.action(&element(&entry(at, "must_deny"), index), action);
        }
        self.object_tags(&entry(at, "tags"), &role.tags, &[OWNERSHIP_TAG]);
    }

    fn trusted(&mut self, role_at: &str, role: &Role) {
        let at = entry(role_at, "trusted");
        if role.trusted.is_empty() {
            self.error(
                at,
                format!("nobody may assume the role {:?}", role.name),
                "trust a user: user:NAME",
            );
            return;
        }
        let mut seen: BTreeMap<Arn, usize> = BTreeMap::new();
        for (index, trusted) in role.trusted.iter().enumerate() {
            let here = element(&at, index);
            match trusted {
                Trusted::User(name) if !self.users.contains_key(name.as_str()) => {
                    let hint = did_you_mean(name, self.users.keys().copied().collect());
                    self.error(&here, format!("the spec has no user {name:?}"), hint);
                }
                Trusted::User(name) => self.fido_path(&here, role, name),
                Trusted::Arn(arn) => self.path_by(&here, role, arn),
            }
            if let Some(first) = self.arn(trusted).and_then(|arn| seen.insert(arn, index)) {
                self.problems.push(
                    Problem::error(here, format!("{trusted} is trusted twice"))
                        .hint("remove one of them")
                        .also(element(&at, first), "first trusted here"),
                );
            }
        }
        self.trust_size(&at, role);
    }

    /// Warns of a way into a role that rests on something beside IAM, and of one that leads nowhere.
    fn path_by(&mut self, at: &str, role: &Role, arn: &Arn) {
        let Some(reliance) = reliance(arn.as_str()) else {
            return;
        };
        if role.mfa.required {
            self.warn(
                at,
                "nobody gets in this way: credentials of an assumed role carry no MFA, which mfa.required asks for",
                "trust the user itself, or make a role of its own with mfa: { required: false }",
            );
        }
        self.warn(
            at,
            reliance.words(arn.as_str(), role.failure_mode.as_deref()),
            "trust a user of this spec as well: it relies on IAM alone",
        );
    }

    /// Warns of a user that can't give what a role for the command line asks for.
    ///
    /// Source: STS API reference, `AssumeRole`: `SerialNumber` and `TokenCode` take devices that show codes only.
    fn fido_path(&mut self, at: &str, role: &Role, name: &str) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let keyless = user.access_keys != AccessKeys::Vaulted;
        let fido_only = user.has_fido_only();
        if keyless && role.incident.is_some() {
            self.warn(
                at,
                format!(
                    "{name} does not get in this way: incident is for the command line only, and it has no access key"
                ),
                "write access_keys: vaulted for the user, or trust it with a role without incident",
            );
        }
        if fido_only && role.mfa.required && role.incident.is_some() {
            self.warn(
                at,
                format!(
                    "{name} does not get in this way: incident is for the command line only, where FIDO devices don't work"
                ),
                "add hardware_totp to the user's mfa.kinds, or trust it with a role without incident",
            );
        }
    }

    /// The ARN of whom a role trusts, in the commercial partition if it is a user of this spec.
    pub(super) fn arn(&self, trusted: &Trusted) -> Option<Arn> {
        match trusted {
            Trusted::Arn(arn) => Some(arn.clone()),
            Trusted::User(name) => {
                let user = self.users.get(name.as_str())?;
                let path = user.path.as_ref().unwrap_or(&self.spec.defaults.path);
                let account = &self.spec.emergency_account;
                Some(Arn::iam(
                    &Partition::commercial(),
                    account,
                    "user",
                    path,
                    name,
                ))
            }
        }
    }

    fn role_mfa(&mut self, at: &str, role: &Role) {
        let users = |trusted: &Trusted| matches!(trusted, Trusted::User(_));
        if !role.mfa.required && role.trusted.iter().any(users) {
            self.problems.push(
                Problem::warning(
                    entry(&entry(at, "mfa"), "required"),
                    "users can assume this role without MFA",
                )
                .hint("set required: true; only a hop from another role can't carry MFA"),
            );
        }
        let at = entry(&entry(at, "mfa"), "max_age");
        match role.mfa.max_age {
            Some(age) if age.seconds() == 0 => {
                self.error(
                    at,
                    "MFA can't be 0 seconds old",
                    "write a longer time, such as 1h",
                );
            }
            Some(_) if !role.mfa.required => {
                self.error(
                    at,
                    "an age of MFA is asked for, but MFA is not required",
                    "set required: true, or leave max_age out",
                );
            }
            _ => {}
        }
    }

    fn incident(&mut self, at: &str, incident: &Incident) {
        let pattern = &incident.session_name;
        let valid = (1..=limits::SESSION_NAME).contains(&pattern.len())
            && pattern
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@*?-".contains(&byte));
        if valid {
            self.warn(
                at,
                "the console can't reach this role: there the session's name is the user's name",
                "keep another role without incident for the console",
            );
        } else {
            self.error(
                at,
                format!("no session's name can be like {pattern:?}"),
                "write up to 64 letters, digits and _+=,.@-, with * and ? as wildcards",
            );
        }
    }

    fn action(&mut self, at: &str, action: &str) {
        let valid = action == "*"
            || action.split_once(':').is_some_and(|(service, name)| {
                let service = service
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    && !service.is_empty();
                let name = name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"*?".contains(&byte))
                    && !name.is_empty();
                service && name
            });
        if !valid {
            self.error(
                at,
                format!("{action:?} is not an action"),
                "write it as ec2:RunInstances; * and ? are wildcards in the part after the colon",
            );
        }
    }
}
