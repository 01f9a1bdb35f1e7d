//! The comparison of what users sign in with: whether there is a password, and whether it lasts in its envelope.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::by_hand::CONFIRM;
use super::difference::Difference;
use super::steps::Stage;
use super::{Differ, Finding, Standing, key};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{DesiredUser, Operation, PASSWORD_TAG, ResourceType, Wanted, password_mark};

/// Collects what a person has to do about what one user signs in with.
#[derive(Default)]
struct Task {
    difference: Difference,
    reasons: Vec<String>,
    steps: Vec<String>,
}

impl Differ<'_> {
    /// Tells whether a wanted user that is not ours yet becomes so by this plan; `None` when it never is our business.
    pub(super) fn takes_over(&self, name: &str, wanted: &Wanted<DesiredUser>) -> Option<bool> {
        let Some(user) = self.live.users.get(name) else {
            return Some(false);
        };
        if self.owns(&user.path, &user.tags) {
            return Some(false);
        }
        if self.leaves(ResourceType::IamUser, name, Action::Update) {
            return None;
        }
        let mut spec = wanted.value.user.clone();
        self.leave_user(name, &mut spec, user);
        let standing = self.standing((name, &spec.path), (name, &user.path, &user.tags));
        match standing.unless(self.dangling((&spec).into())) {
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
                let mut task = Task::default();
                if !self.is_left(ResourceType::Credential, name, "login_profile") {
                    task.difference
                        .field("login_profile", json!(false), json!(true))
                        .weigh(Risk::Medium, Access::None);
                    task.reasons.push(
                        "it has no password yet: `breakglass credentials issue` sets one and seals it to its custodian"
                            .to_owned(),
                    );
                }
                self.vaulted_keys(name, wanted, &mut task);
                self.by_hand(name, wanted, task);
            }
            (true, false) => {
                let finding = Finding {
                    adoption,
                    ..Finding::new(Action::Delete, &wanted.origin)
                        .because("the spec says `console: false`")
                };
                self.delete_login_profile(name, finding);
            }
            (true, true) => {
                let mut task = Task::default();
                self.password(name, wanted, &mut task);
                self.vaulted_keys(name, wanted, &mut task);
                self.by_hand(name, wanted, task);
            }
            (false, false) => {
                let mut task = Task::default();
                self.vaulted_keys(name, wanted, &mut task);
                self.by_hand(name, wanted, task);
            }
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

    /// Finds what tells that a password is no longer its custodian's alone, or keeps a sealed one from working on the
    /// day it is needed.
    fn password(&self, name: &str, wanted: &Wanted<DesiredUser>, task: &mut Task) {
        let Task {
            difference,
            reasons,
            steps,
        } = task;
        let Some(people) = &self.live.people else {
            return;
        };
        let person = people.users.get(name);
        let Some(password) = person.and_then(|person| person.password.as_ref()) else {
            return;
        };
        let is_left = |path: &str| self.is_left(ResourceType::Credential, name, path);
        let used = self.used_since_reset(name, wanted);
        if let Some((used, reset)) = used.filter(|_| !is_left("password_last_used")) {
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
            steps.push(format!(
                "where the password is set by hand, tag the user with {PASSWORD_TAG} and the time, such as {}",
                password_mark(self.context.now)
            ));
        }
        if password.reset_required && !is_left("password_reset_required") {
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
        let expiry = people.password_expiry.as_ref();
        if let Some(expiry) = expiry.filter(|_| !is_left("password_expires")) {
            let tags = self.live.users.get(name).map(|user| &user.tags);
            let set = tags.and_then(|tags| password.recorded(tags, self.context.now));
            let day = set.and_then(|set| expiry.day(set));
            let today = self.context.now.to_zoned(TimeZone::UTC).date();
            let (after, then) = match day {
                Some(day) if day < today => (
                    json!(day.to_string()),
                    format!(
                        "its password has expired on {day}, by a report that may be four hours old"
                    ),
                ),
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
            let risk = if expiry.hard || day.is_some_and(|day| day < today) {
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
                 its other settings), or issue a new password in time",
                self.context.id
            ));
        }
    }

    /// Finds keys kept in a vault that were used since they were made or last reset.
    fn vaulted_keys(&self, name: &str, wanted: &Wanted<DesiredUser>, task: &mut Task) {
        let people = self.live.people.as_ref();
        let person = people.and_then(|people| people.users.get(name));
        let Some(person) = person.filter(|_| wanted.value.vaulted_keys) else {
            return;
        };
        let recorded = wanted.value.reset_at.filter(|at| *at <= self.context.now);
        for (id, key) in &person.access_keys {
            let Some((used, reset)) = key.last_used.zip(key.created.max(recorded)) else {
                continue;
            };
            let path = format!("access_keys_last_used.{id}");
            if used <= reset || self.is_left(ResourceType::Credential, name, &path) {
                continue;
            }
            let since = format!("not since it was made or reset at {reset}");
            task.difference
                .field(path, json!(used), json!(since))
                .weigh(Risk::High, Access::None);
            task.reasons.push(format!(
                "its key {id}, which is kept in a vault, was used at {used}"
            ));
            task.steps.push(format!(
                "when that use is over, make another key for the vault and delete {id}: `aws iam delete-access-key \
                 --user-name {name} --access-key-id {id}`"
            ));
        }
    }

    /// Records what a person has to do about what a user signs in with, if there is anything.
    fn by_hand(&mut self, name: &str, wanted: &Wanted<DesiredUser>, task: Task) {
        let mut steps = task.steps;
        if !steps.is_empty() {
            steps.push(CONFIRM.to_owned());
        }
        let finding = Finding::new(Action::Manual, &wanted.origin)
            .because(task.reasons.join("; "))
            .steps(steps);
        self.record(
            &key(ResourceType::Credential, name),
            finding,
            task.difference,
        );
    }
}
