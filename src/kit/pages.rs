//! The runbook in words: what to do, in the order in which it is needed.

mod access;
mod closing;
mod modes;

use super::block::{Block, Line, name, names, words};
use super::facts::{Facts, Person};
use crate::spec::MfaKind;

/// How much of a digest is enough to tell two specs apart on paper.
const SHORT_DIGEST: usize = "sha256:".len() + 16;

/// Writes every part of the runbook.
pub(super) fn blocks(facts: &Facts) -> Vec<Block> {
    let mut blocks = cover(facts);
    blocks.extend(people(facts));
    blocks.extend(access::every_emergency(facts));
    blocks.extend(modes::every_mode(facts));
    blocks.extend(modes::accounts(facts));
    blocks.extend(closing::close(facts));
    blocks.extend(closing::log());
    blocks
}

fn cover(facts: &Facts) -> Vec<Block> {
    let (id, account) = &facts.emergency;
    let row = |what: &str, value: Line| vec![words(what), value];
    vec![
        Block::Text(words(
            "For the day when nobody gets into AWS the usual way. Keep it on paper, with the envelopes. It holds no passwords and no keys, and it is only as good as the day it was printed: print it again whenever the spec changes.",
        )),
        Block::Table {
            head: vec!["", "This copy"],
            rows: vec![
                row(
                    "Organization",
                    name(&facts.organization)
                        .words(" in partition ")
                        .name(facts.partition.as_str()),
                ),
                row(
                    "Emergency account, where you sign in",
                    named_account(account, id.as_str()),
                ),
                row("Printed", name(&facts.made_at.to_string())),
                row(
                    "Spec",
                    name(
                        facts
                            .spec_digest
                            .get(..SHORT_DIGEST)
                            .unwrap_or(&facts.spec_digest),
                    ),
                ),
            ],
        },
        Block::Section("What to use when".to_owned()),
        Block::Table {
            head: vec!["What has failed", "Role", "Users", "Accounts"],
            rows: facts
                .modes()
                .into_iter()
                .flat_map(|(mode, roles)| {
                    let title = modes::title(mode);
                    roles.into_iter().filter_map(move |number| {
                        let role = facts.roles.get(number)?;
                        let accounts =
                            format!("{} of {}", role.accounts.len(), facts.accounts.len());
                        Some(vec![
                            words(&title),
                            name(&role.name),
                            names(role.users.iter().map(String::as_str)),
                            words(&accounts),
                        ])
                    })
                })
                .collect(),
        },
        Block::Text(words(
            "Read the part that every emergency has in common first, then the one for what has failed. Tick each step.",
        )),
    ]
}

fn people(facts: &Facts) -> Vec<Block> {
    let keeper = |keeper: &Option<String>| match keeper {
        Some(keeper) => words(keeper),
        None => Line::default(),
    };
    let rows = facts.people.iter().map(|person| {
        vec![
            name(&person.name),
            if person.console {
                keeper(&person.password)
            } else {
                words("none: no console")
            },
            keeper(&person.token),
            words(&devices(person)),
            names(
                person
                    .roles
                    .iter()
                    .filter_map(|number| facts.roles.get(*number))
                    .map(|role| role.name.as_str()),
            ),
        ]
    });
    let mut blocks = vec![
        Block::Section("Who keeps what".to_owned()),
        Block::Table {
            head: vec![
                "User",
                "Password is kept by",
                "Token is kept by",
                "Devices",
                "Roles",
            ],
            rows: rows.collect(),
        },
    ];
    if facts.people.is_empty() {
        blocks.push(Block::Warning(words(
            "The spec names no users, so nobody can sign in by this runbook.",
        )));
    }
    let sealed: Vec<&str> = facts
        .people
        .iter()
        .filter(|person| person.sealed)
        .map(|person| person.name.as_str())
        .collect();
    if !sealed.is_empty() {
        blocks.push(Block::Text(
            words("Where an envelope is missing, the custodian can print another one from the sealed file (")
                .name("USER.password.age")
                .words(") with the private key: ")
                .name("age -d -i KEY USER.password.age")
                .words(". Sealed passwords are kept of ")
                .then(names(sealed))
                .words("."),
        ));
    }
    blocks
}

fn devices(person: &Person) -> String {
    let Some(mfa) = &person.mfa else {
        return "as enrolled".to_owned();
    };
    let kinds = mfa.kinds.iter().map(|kind| match kind {
        MfaKind::Fido2 => "FIDO key",
        MfaKind::HardwareTotp => "token with codes",
        MfaKind::VirtualTotp => "app with codes",
    });
    let kinds: Vec<&str> = kinds.collect();
    let kinds = if kinds.is_empty() {
        "any kind".to_owned()
    } else {
        kinds.join(" or ")
    };
    format!("at least {}: {kinds}", mfa.at_least)
}

/// An account by name and id.
fn named_account(account: &str, id: &str) -> Line {
    words(account).words(" ").name(id)
}
