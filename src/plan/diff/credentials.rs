//! The comparison of what users sign in with: whether there is a password, and whether it lasts in its envelope.

use jiff::Timestamp;
use serde_json::json;

use super::by_hand::CONFIRM;
use super::difference::Difference;
use super::steps::Stage;
use super::{Differ, Finding, Standing, key};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{DesiredUser, Operation, ResourceType, Wanted};

impl Differ<'_> {
    /// Tells whether a wanted user that is not ours yet becomes so by this plan; `None` when it never is our business.
    pub(super) fn takes_over(&self, name: &str, wanted: &Wanted<DesiredUser>) -> Option<bool> {
        let Some(user) = self.live.users.get(name) else {
            return Some(false);
        };
        if self.owns(&user.path, &user.tags) {
            return Some(false);
        }
        let spec = &wanted.value.user;
        let standing = self.standing((name, &spec.path), (name, &user.path, &user.tags));
        match self.unless_dangling(standing, spec.into()) {
            Standing::Owned | Standing::Moved | Standing::Adoptable => Some(true),
            Standing::InTheWay(_) | Standing::Dangling(_) => None,
        }
    }

    /// Compares the login profile. Making one needs a password, so a plan leaves that to a person.
    pub(super) fn login_profile(&mut self, name: &str, wanted: &Wanted<DesiredUser>) {
        let Some(adoption) = self.takes_over(name, wanted) else {
            return;
        };
        match (
            self.live.login_profiles.contains(name),
            wanted.value.console,
        ) {
            (false, true) => {
                let mut difference = Difference::default();
                difference
                    .field("login_profile", json!(false), json!(true))
                    .weigh(Risk::Medium, Access::None);
                let finding = Finding::new(Action::Manual, &wanted.origin).because(
                    "it has no password yet: `breakglass credentials issue` sets one and seals it to its custodian",
                );
                self.record(&key(ResourceType::Credential, name), finding, difference);
            }
            (true, false) => {
                let finding = Finding {
                    adoption,
                    ..Finding::new(Action::Delete, &wanted.origin)
                        .because("the spec says `console: false`")
                };
                self.delete_login_profile(name, finding);
            }
            (true, true) => self.password(name, wanted),
            (false, false) => {}
        }
    }

    pub(super) fn delete_login_profile(&mut self, name: &str, finding: Finding<'_>) {
        if !self.live.login_profiles.contains(name) {
            return;
        }
        let operation = Operation::DeleteLoginProfile {
            user: name.to_owned(),
        };
        let mut difference = Difference::default();
        difference
            .field("login_profile", json!(true), json!(false))
            .weigh(Risk::High, Access::Narrower)
            .step(Stage::Credentials, operation);
        self.record(&key(ResourceType::Credential, name), finding, difference);
    }

    /// Tells when a password was last used and when it was reset before that; `None` when it was not used since.
    fn used_since_reset(
        &self,
        name: &str,
        wanted: &Wanted<DesiredUser>,
    ) -> Option<(Timestamp, Timestamp)> {
        let person = self.live.people.as_ref()?.users.get(name)?;
        let tags = &self.live.users.get(name)?.tags;
        let set = person.password.as_ref()?.set_at(tags, self.context.now);
        let recorded = wanted.value.reset_at.filter(|at| *at <= self.context.now);
        let reset = recorded.map_or(set, |at| at.max(set));
        let used = person.last_used.filter(|used| *used > reset)?;
        Some((used, reset))
    }

    /// Finds what tells that a password is no longer its custodian's alone, or keeps a sealed one from working on the day it is needed.
    fn password(&mut self, name: &str, wanted: &Wanted<DesiredUser>) {
        let Some(people) = &self.live.people else {
            return;
        };
        let person = people.users.get(name);
        let Some(password) = person.and_then(|person| person.password.as_ref()) else {
            return;
        };
        let mut difference = Difference::default();
        let (mut reasons, mut steps) = (Vec::new(), Vec::new());
        if let Some((used, reset)) = self.used_since_reset(name, wanted) {
            let reset = format!("not since it was reset at {reset}");
            difference
                .field("password_last_used", json!(used), json!(reset))
                .weigh(Risk::High, Access::None);
            reasons.push(format!(
                "its password was used at {used}, {reset}: whoever knows it can use it again"
            ));
            steps.push(format!(
                "when that use is over, run `breakglass close INCIDENT`; after a drill, or when that is done already, run \
                 `breakglass credentials issue {name}`"
            ));
        }
        if password.reset_required {
            difference
                .field("password_reset_required", json!(true), json!(false))
                .weigh(Risk::High, Access::None);
            reasons.push(
                "a new password must be chosen at the next sign-in, which needs IAM's control plane".to_owned(),
            );
            steps.push(format!(
                "run `aws iam update-login-profile --user-name {name} --no-password-reset-required`, or issue a new password"
            ));
        }
        if let Some(expiry) = &people.password_expiry {
            let (after, then) = match expiry.day(password) {
                Some(day) => (
                    json!(day.to_string()),
                    format!(
                        "its password expires on {day}, by a report that may be four hours old"
                    ),
                ),
                None => (
                    json!(format!("{} days after it was set", expiry.days)),
                    format!(
                        "its password expires {} days after it was set, and AWS does not say when that was",
                        expiry.days
                    ),
                ),
            };
            let risk = if expiry.hard {
                Risk::High
            } else {
                Risk::Medium
            };
            difference
                .field("password_expires", after, json!(null))
                .weigh(risk, Access::None);
            let hard = if expiry.hard {
                "; only an administrator can then set a new one"
            } else {
                ""
            };
            reasons.push(format!("{then}{hard}"));
            steps.push(format!(
                "take the expiry out of account {}'s password policy (`aws iam update-account-password-policy` with all \
                 its other settings), or issue a new password before that day",
                self.context.id
            ));
        }
        steps.push(CONFIRM.to_owned());
        let finding = Finding::new(Action::Manual, &wanted.origin)
            .because(reasons.join("; "))
            .steps(steps);
        self.record(&key(ResourceType::Credential, name), finding, difference);
    }
}
