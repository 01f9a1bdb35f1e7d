//! One part for each failure mode, and the table of accounts.

use super::super::block::{Block, Line, name, names, words};
use super::super::facts::{Facts, RoleFacts};

/// What is known of a failure mode: its name in a spec, what it is called, and what to mind.
const KNOWN: [(&str, &str, &str); 6] = [
    (
        "identity_provider_down",
        "The identity provider is down",
        "Nobody can sign in the usual way; AWS itself works. Break-glass users need no identity provider.",
    ),
    (
        "federation_broken",
        "Federation with AWS is broken",
        "The identity provider works, but AWS does not take its word: a certificate has expired, or a provider in IAM was changed. Mend that first.",
    ),
    (
        "identity_center_down",
        "IAM Identity Center is down",
        "Neither its portal nor its permission sets work. Roles for break-glass do not depend on it.",
    ),
    (
        "identity_provider_compromised",
        "The identity provider is in the hands of somebody else",
        "Trust no session that came through it. Cut it off from AWS first, then look at what it was used for.",
    ),
    (
        "guardrail_lockout",
        "A guardrail has locked everyone out",
        "An SCP or RCP denies what is needed. It does not bind the management account: mend or detach it from there.",
    ),
    (
        "team_unavailable",
        "The people who run the cloud can't be reached",
        "Do only what is written down here, and keep a log for them.",
    ),
];

/// What a failure mode is called.
pub(super) fn title(mode: Option<&str>) -> String {
    let Some(mode) = mode else {
        return "Anything else".to_owned();
    };
    if let Some((_, title, _)) = KNOWN.iter().find(|(known, _, _)| *known == mode) {
        return (*title).to_owned();
    }
    let spaced = mode.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

pub(super) fn every_mode(facts: &Facts) -> Vec<Block> {
    facts
        .modes()
        .into_iter()
        .flat_map(|(mode, roles)| one_mode(facts, mode, &roles))
        .collect()
}

fn one_mode(facts: &Facts, mode: Option<&str>, numbers: &[usize]) -> Vec<Block> {
    let mut blocks = vec![Block::Part(title(mode))];
    if let Some((_, _, advice)) = KNOWN.iter().find(|(known, _, _)| Some(*known) == mode) {
        blocks.push(Block::Text(words(advice)));
    }
    let roles: Vec<&RoleFacts> = numbers
        .iter()
        .filter_map(|number| facts.roles.get(*number))
        .collect();
    let users = facts.users_of(numbers);
    let keepers = facts
        .people
        .iter()
        .filter(|person| users.contains(person.name.as_str()));
    let keepers = keepers.map(|person| {
        let keeper = |keeper: &Option<String>| keeper.clone().unwrap_or_else(|| "–".to_owned());
        vec![
            name(&person.name),
            words(&keeper(&person.password)),
            words(&keeper(&person.token)),
        ]
    });
    blocks.push(Block::Table {
        head: vec!["Any of these users", "Password", "Token"],
        rows: keepers.collect(),
    });
    let choose = match roles.as_slice() {
        [only] => words("Switch to ")
            .name(&only.full)
            .words(" in the account that needs it."),
        _ => words(
            "Switch to the weakest of the roles below that will do, in the account that needs it.",
        ),
    };
    blocks.push(Block::Steps(vec![
        words("Do the first steps of ")
            .strong("In every emergency")
            .words(": name the incident, warn the security team."),
        words("Fetch password and token of one user, from two people."),
        words("Sign in to account ")
            .name(facts.emergency.0.as_str())
            .words("."),
        choose,
        words("Put right what has failed. Write down what you do."),
        words("Check that people get in the usual way again, then close."),
    ]));
    for role in roles {
        blocks.extend(one_role(facts, role));
    }
    blocks
}

fn one_role(facts: &Facts, role: &RoleFacts) -> Vec<Block> {
    let mut blocks = vec![Block::Section(format!("Role {}", role.name))];
    if let Some(description) = &role.description {
        blocks.push(Block::Text(words(description)));
    }
    let mut points = vec![
        words("Typed as ")
            .name(&role.full)
            .words("; for ")
            .then(names(role.users.iter().map(String::as_str)))
            .words("."),
    ];
    match facts.console {
        Some(console) if role.switchable() => {
            points.push(words("Switch: ").address(&console.switch("ACCOUNT", &role.full)));
        }
        _ => {}
    }
    let mut limits = words("A session lasts up to ").name(&role.max_session.to_string());
    if role.mfa_required {
        limits = limits.words(", and needs the key or token at sign-in");
    }
    if let Some(age) = role.max_age {
        limits = limits
            .words(", not longer ago than ")
            .name(&age.to_string());
    }
    points.push(limits.words("."));
    if !role.others.is_empty() {
        let others = names(role.others.iter().map(String::as_str));
        points.push(words("It trusts these, too: ").then(others).words("."));
    }
    blocks.push(Block::Points(points));
    if let Some(pattern) = &role.session_name {
        blocks.push(Block::Warning(
            words("The console can't switch to this role: it wants a session that is named like ")
                .name(pattern)
                .words(", and the console names it after the user. Use the command line, with the incident as the name and the access key of a user from the vault."),
        ));
    }
    let accounts = role.accounts.iter();
    let everywhere = role.accounts.len() == facts.accounts.len();
    blocks.push(Block::Text(if everywhere {
        words("It is in every account.")
    } else if role.accounts.is_empty() {
        words("It is in no account.")
    } else {
        let accounts = accounts.map(|(account, id)| super::named_account(account, id.as_str()));
        words("It is in ").then(Line::list(accounts)).words(".")
    }));
    blocks
}

pub(super) fn accounts(facts: &Facts) -> Vec<Block> {
    let rows = facts.accounts.iter().map(|account| {
        let roles = account
            .roles
            .iter()
            .filter_map(|number| facts.roles.get(*number));
        let roles = roles.map(|role| match facts.console {
            Some(console) if role.switchable() => {
                let address = console.switch(account.id.as_str(), &role.full);
                Line::default().link(&role.name, &address)
            }
            _ => name(&role.name),
        });
        let roles = Line::list(roles);
        let roles = if roles.0.is_empty() {
            words("–")
        } else {
            roles
        };
        vec![words(&account.name), name(account.id.as_str()), roles]
    });
    vec![
        Block::Part("Accounts".to_owned()),
        Block::Table {
            head: vec!["Account", "Id", "Roles"],
            rows: rows.collect(),
        },
        Block::Text(words(
            "An account without a role is reached by no way in this runbook. Closed and suspended accounts are left out.",
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modes_that_a_spec_is_completed_with_are_known() {
        let known = KNOWN.map(|(name, _, _)| name);
        assert_eq!(known, crate::spec::FAILURE_MODES);
    }

    #[test]
    fn modes_have_names_to_read() {
        for (mode, expected) in [
            (
                Some("identity_provider_down"),
                "The identity provider is down",
            ),
            (Some("dns_is_gone"), "Dns is gone"),
            (Some("Élan vital"), "Élan vital"),
            (None, "Anything else"),
        ] {
            assert_eq!(title(mode), expected);
        }
    }
}
