//! The questions for a first spec, one after the other, and what becomes of their answers.

use std::collections::VecDeque;

use super::draft::{Draft, DraftUser, MFA_KINDS, Preset};
use crate::org::Organization;

/// How many names a question lists.
const LISTED: usize = 10;

/// Holds what is known of the organization before anything is asked.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Its accounts, as `ID NAME`.
    accounts: Vec<String>,
    /// The one account that is called after an emergency, by id.
    pub emergency: Option<String>,
    /// Its organizational units by path.
    units: Vec<String>,
}

impl Found {
    /// Takes from an organization what an answer may be.
    #[must_use]
    pub fn of(organization: &Organization) -> Self {
        let accounts = organization.active_accounts();
        let accounts: Vec<(&str, &str)> = accounts
            .map(|(id, account)| (id.as_str(), account.name.as_str()))
            .collect();
        let is_meant = |name: &str| {
            let name = name.to_lowercase();
            ["emergency", "break-glass", "breakglass", "break glass"]
                .iter()
                .any(|word| name.contains(word))
        };
        let mut meant = accounts.iter().filter(|(_, name)| is_meant(name));
        let emergency = match (meant.next(), meant.next()) {
            (Some((id, _)), None) => Some((*id).to_owned()),
            _ => None,
        };
        let units = organization.units.keys();
        let mut units: Vec<String> = units.map(|id| organization.unit_path(id)).collect();
        units.sort();
        Self {
            accounts: accounts
                .iter()
                .map(|(id, name)| format!("{id} {name}"))
                .collect(),
            emergency,
            units,
        }
    }
}

/// Holds a question as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// What the answer is for, in a line.
    pub why: String,
    /// What holds when the answer is empty; none when it must not be.
    pub default: Option<String>,
}

/// Names what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Organization,
    Emergency,
    Users,
    Password(usize),
    Token(usize),
    Mfa,
    Roles,
    LeftOut,
    Subscription,
    Region,
}

/// Asks for what a draft lacks.
#[derive(Debug)]
pub struct Interview {
    draft: Draft,
    found: Found,
    steps: VecDeque<Step>,
}

/// Says which parts of a draft are decided already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given {
    /// The organization's id.
    pub organization: bool,
    /// The emergency account.
    pub emergency: bool,
    /// The users.
    pub users: bool,
    /// The roles.
    pub roles: bool,
}

impl Interview {
    /// Begins with a draft, of which some parts are not asked for.
    #[must_use]
    pub fn new(draft: Draft, given: Given, found: Found) -> Self {
        let asked = [
            (Step::Organization, given.organization),
            (Step::Emergency, given.emergency),
            (Step::Users, given.users),
            (Step::Mfa, false),
            (Step::Roles, given.roles),
            (Step::LeftOut, false),
            (Step::Subscription, false),
        ];
        let mut interview = Self {
            draft,
            found,
            steps: VecDeque::new(),
        };
        for (step, decided) in asked {
            if !decided {
                interview.steps.push_back(step);
            }
            if step == Step::Users && decided {
                let keepers = interview.keepers();
                interview.steps.extend(keepers);
            }
        }
        interview
    }

    /// What is to be asked next; `None` when everything is known.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        self.steps.front().map(|step| self.ask(*step))
    }

    /// Takes an answer; an empty one stands for the default.
    ///
    /// # Errors
    /// What is wrong with it; the question then stays.
    pub fn answer(&mut self, answer: &str) -> Result<(), String> {
        let Some(step) = self.steps.front().copied() else {
            return Ok(());
        };
        let answer = match (answer.trim(), self.ask(step).default) {
            ("", Some(default)) => default,
            ("", None) => return Err("this has no default: an answer is needed".to_owned()),
            (answer, _) => answer.to_owned(),
        };
        let mut draft = self.draft.clone();
        take(&mut draft, step, &answer)?;
        draft.check()?;
        if let Some(unknown) = self.unknown(step, &draft) {
            return Err(unknown);
        }
        self.draft = draft;
        self.steps.pop_front();
        let next = match step {
            Step::Users => self.keepers(),
            Step::Subscription if !self.draft.subscriptions.is_empty() => vec![Step::Region],
            _ => Vec::new(),
        };
        for step in next.into_iter().rev() {
            self.steps.push_front(step);
        }
        Ok(())
    }

    /// What came out.
    #[must_use]
    pub fn into_draft(self) -> Draft {
        self.draft
    }

    /// Says what an answer names that the organization, where that is known, does not have.
    fn unknown(&self, step: Step, draft: &Draft) -> Option<String> {
        let Found {
            accounts,
            emergency: _,
            units,
        } = &self.found;
        match step {
            Step::Emergency if !accounts.is_empty() => {
                let id = &draft.emergency_account;
                let known = accounts.iter().any(|account| account.starts_with(id));
                (!known).then(|| format!("the organization has no active account {id}"))
            }
            Step::LeftOut if !units.is_empty() => {
                let is_known = |unit: &&String| {
                    !unit.starts_with('/')
                        || unit.contains(['*', '?', '[', '{'])
                        || units.contains(unit)
                };
                let unknown = draft.left_out.iter().find(|unit| !is_known(unit));
                unknown.map(|unit| format!("the organization has no OU {unit}"))
            }
            _ => None,
        }
    }

    fn keepers(&self) -> Vec<Step> {
        let users = 0..self.draft.users.len();
        users
            .flat_map(|number| [Step::Password(number), Step::Token(number)])
            .collect()
    }

    fn ask(&self, step: Step) -> Question {
        let example = Draft::default();
        let known = |value: &str, example: &str| (value != example).then(|| value.to_owned());
        let user = |number: usize| self.draft.users.get(number);
        let name = |number| user(number).map_or("", |user| user.name.as_str());
        let (text, why, default) = match step {
            Step::Organization => (
                "The organization's id".to_owned(),
                "`aws organizations describe-organization` tells it; every other organization is refused."
                    .to_owned(),
                known(&self.draft.organization_id, &example.organization_id),
            ),
            Step::Emergency => (
                "The account for the break-glass users, by id".to_owned(),
                format!(
                    "One that nothing else depends on.{}",
                    listed(" There are: ", &self.found.accounts)
                ),
                self.found.emergency.clone(),
            ),
            Step::Users => (
                "The users, with commas between".to_owned(),
                "At least two, so that one can be lost; they are not anybody's daily user.".to_owned(),
                Some(join(self.draft.users.iter().map(|user| user.name.as_str()))),
            ),
            Step::Password(number) => (
                format!("Who keeps the password of {}", name(number)),
                "A safe, a team or a person.".to_owned(),
                user(number).map(|user| user.password.clone()),
            ),
            Step::Token(number) => (
                format!("Who keeps the MFA device of {}", name(number)),
                "Somebody else: nobody can then use the account alone.".to_owned(),
                user(number).map(|user| user.token.clone()),
            ),
            Step::Mfa => (
                "The kinds of MFA devices that count, with commas between, or none".to_owned(),
                "Of fido2 (a key, for the console), hardware_totp and virtual_totp (codes, for the console and the CLI). \
                 With none, devices are not compared."
                    .to_owned(),
                Some("fido2, hardware_totp".to_owned()),
            ),
            Step::Roles => (
                "The roles, with commas between".to_owned(),
                "Of admin (everything), read-only, network (routes and firewalls) and guardrails (mends SCPs, in the \
                 management account)."
                    .to_owned(),
                Some("admin, read-only".to_owned()),
            ),
            Step::LeftOut => (
                "OUs without these roles, as /Path/By/Name or ou-…, with commas between, or none".to_owned(),
                format!(
                    "Every other account has them.{}",
                    listed(" There are: ", &self.found.units)
                ),
                Some("none".to_owned()),
            ),
            Step::Subscription => (
                "Who hears of each use, as PROTOCOL:ENDPOINT with commas between, or none".to_owned(),
                "Such as email:soc@example.com. With none, uses raise no alert.".to_owned(),
                Some("none".to_owned()),
            ),
            Step::Region => (
                "The Region of the alerts' topic".to_owned(),
                "Every account and Region sends its alerts there.".to_owned(),
                Some(self.draft.region.clone()),
            ),
        };
        Question { text, why, default }
    }
}

/// Puts an answer into a draft.
fn take(draft: &mut Draft, step: Step, answer: &str) -> Result<(), String> {
    match step {
        Step::Organization => draft.organization_id = answer.to_owned(),
        Step::Emergency => {
            // Chosen from the list, its name may have come along.
            let id = answer.split_whitespace().next().unwrap_or_default();
            draft.emergency_account = id.to_owned();
        }
        Step::Users => {
            let names = list(answer);
            let users = names.iter().enumerate();
            draft.users = users
                .map(|(number, name)| DraftUser::new(number, name))
                .collect();
        }
        Step::Password(number) => {
            if let Some(user) = draft.users.get_mut(number) {
                user.password = answer.to_owned();
            }
        }
        Step::Token(number) => {
            if let Some(user) = draft.users.get_mut(number) {
                user.token = answer.to_owned();
            }
        }
        Step::Mfa => draft.mfa = chosen(answer, &MFA_KINDS)?,
        Step::Roles => {
            draft.roles = chosen(answer, &Preset::ALL.map(|one| (one.as_str(), one)))?;
            if draft.roles.is_empty() {
                return Err("at least one role is needed".to_owned());
            }
        }
        Step::LeftOut => draft.left_out = list(answer),
        Step::Subscription => draft.subscriptions = list(answer),
        Step::Region => draft.region = answer.to_owned(),
    }
    Ok(())
}

/// Splits an answer at its commas; `none` is an empty list.
fn list(answer: &str) -> Vec<String> {
    let parts = answer.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty() && *part != "none");
    parts.map(str::to_owned).collect()
}

/// Finds what is named, each once.
fn chosen<T: Copy + PartialEq>(answer: &str, known: &[(&str, T)]) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    for name in list(answer) {
        let one = known.iter().find(|(word, _)| *word == name);
        let Some((_, one)) = one else {
            let words = join(known.iter().map(|(word, _)| *word));
            return Err(format!("{name:?} is none of {words}"));
        };
        if !found.contains(one) {
            found.push(*one);
        }
    }
    Ok(found)
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Lists names behind some words, as many as a person reads.
fn listed(before: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown = join(names.iter().take(LISTED).map(String::as_str));
    match names.len().checked_sub(LISTED).filter(|more| *more > 0) {
        Some(more) => format!("{before}{shown} and {more} more."),
        None => format!("{before}{shown}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interview() -> Interview {
        Interview::new(Draft::default(), Given::default(), Found::default())
    }

    /// Answers every question; gives what was asked.
    fn answered(interview: &mut Interview, answers: &[&str]) -> Vec<String> {
        let mut asked = Vec::new();
        for answer in answers {
            asked.push(interview.question().unwrap().text);
            interview
                .answer(answer)
                .unwrap_or_else(|error| panic!("{answer}: {error}"));
        }
        assert_eq!(interview.question(), None);
        asked
    }

    #[test]
    fn an_interview_ends_in_a_spec_of_its_answers() {
        let mut interview = interview();
        let asked = answered(
            &mut interview,
            &[
                "o-acme1example",
                "200000000002",
                "ann, bea, cy",
                "north safe",
                "",
                "",
                "",
                "",
                "",
                "fido2,virtual_totp",
                "admin, guardrails",
                "/Sandbox",
                "email:soc@example.com",
                "eu-west-1",
            ],
        );
        assert_eq!(asked[3], "Who keeps the password of ann");
        let draft = interview.into_draft();
        let spec = draft.check().unwrap().spec;
        assert_eq!(spec.organization.id, "o-acme1example");
        let names: Vec<&str> = spec.users().iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["ann", "bea", "cy"]);
        let kept = &spec.users()[0].custodians.as_ref().unwrap().password.name;
        assert_eq!(kept, "north safe");
        assert_eq!(spec.roles().len(), 2);
        let bus = spec.alerts.unwrap().bus.unwrap();
        assert_eq!(bus.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn a_wrong_answer_is_told_at_once_and_asked_for_again() {
        let mut interview = interview();
        for (wrong, told) in [("acme", "organization"), ("", "an answer is needed")] {
            let error = interview.answer(wrong).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        interview.answer("o-acme1example").unwrap();
        for wrong in ["12", "emergency", "2000000000021"] {
            assert!(interview.answer(wrong).is_err(), "{wrong}");
        }
        interview.answer("200000000002 emergency").unwrap();
        for wrong in ["ann", "ann, ann", "ann, b b", "ann, Ann"] {
            assert!(interview.answer(wrong).is_err(), "{wrong}");
        }
        interview.answer("ann, bea").unwrap();
        interview.answer("one safe").unwrap();
        let error = interview.answer("One Safe").unwrap_err();
        assert!(error.contains("nobody may hold both"), "{error}");
        for answer in ["other safe", "", ""] {
            interview.answer(answer).unwrap();
        }
        assert!(interview.answer("smartcard").unwrap_err().contains("fido2"));
        interview.answer("none").unwrap();
        assert!(
            interview
                .answer("none")
                .unwrap_err()
                .contains("at least one")
        );
        assert!(interview.answer("root").unwrap_err().contains("read-only"));
        interview.answer("").unwrap();
        interview.answer("").unwrap();
        assert!(interview.answer("soc@example.com").is_err());
        interview.answer("").unwrap();
        assert_eq!(interview.question(), None);
    }

    #[test]
    fn what_is_given_is_not_asked_and_what_is_found_is_offered() {
        let organization = Organization {
            id: "o-acme1example".to_owned(),
            partition: "aws".parse().unwrap(),
            management_account: "200000000001".parse().unwrap(),
            units: [(
                "ou-x-12345678".to_owned(),
                crate::org::Unit {
                    name: "Sandbox".to_owned(),
                    parent: "r-x".to_owned(),
                },
            )]
            .into(),
            accounts: [
                ("200000000001", "management"),
                ("200000000002", "Emergency Access"),
            ]
            .map(|(id, name)| {
                let account = crate::org::Account {
                    name: name.to_owned(),
                    state: crate::org::AccountState::Active,
                    parent: "r-x".to_owned(),
                    tags: None,
                };
                (id.parse().unwrap(), account)
            })
            .into(),
        };
        let draft = Draft {
            organization_id: organization.id.clone(),
            ..Draft::default()
        };
        let given = Given {
            users: true,
            roles: true,
            ..Given::default()
        };
        let mut interview = Interview::new(draft, given, Found::of(&organization));
        let first = interview.question().unwrap();
        assert_eq!(first.default.as_deref(), Some("o-acme1example"));
        interview.answer("").unwrap();
        let second = interview.question().unwrap();
        assert_eq!(second.default.as_deref(), Some("200000000002"));
        assert!(second.why.contains("200000000001 management"), "{second:?}");
        let error = interview.answer("200000000003").unwrap_err();
        assert!(error.contains("no active account"), "{error}");
        for _ in 0..6 {
            interview.answer("").unwrap();
        }
        // The roles are given.
        let error = interview.answer("/Sandbx").unwrap_err();
        assert!(error.contains("no OU /Sandbx"), "{error}");
        answered(&mut interview, &["/Sandbox, /Sand*, ou-x-12345678", ""]);
        assert_eq!(interview.into_draft().emergency_account, "200000000002");
    }
}
