//! Closing an incident, and the sheets to write on.

use super::super::block::{Block, Line, words};
use super::super::facts::Facts;

/// How many lines there are to write on.
const LOG_LINES: usize = 14;

pub(super) fn close(facts: &Facts) -> Vec<Block> {
    let file = facts.incidents.as_deref().unwrap_or("incidents.yaml");
    vec![
        Block::Part("How to close".to_owned()),
        Block::Text(words(
            "Close when people get in the usual way again, on the same day. From a machine with the spec and credentials of the management account:",
        )),
        Block::Steps(vec![
            words(
                "Sign out of the console, close the window, and unset the variables of the command line.",
            ),
            words("Write the incident into ")
                .name(file)
                .words(": its id, when it was opened, which accounts, roles and users were used."),
            words(
                "Run the command below. It sets new passwords, sealed to their custodians, ends every session of the roles and users, takes back the exceptions made for the incident, and lists what is not as the spec says.",
            ),
            words("Mend what the report lists, and run it again until it ends without a finding."),
            words(
                "Each custodian opens the new sealed password, prints it, and puts it into a new envelope; the old one is burnt.",
            ),
            words("Tokens and keys go back to where they are kept. Count them."),
            words("Put the log into the incident's record."),
        ]),
        Block::Command("breakglass close INCIDENT --report markdown=close.md".to_owned()),
        Block::Section("By hand, where breakglass can't be run".to_owned()),
        Block::Steps(vec![
            words("IAM, Roles, the role, Revoke sessions: in each account that was used."),
            words("Emergency account, IAM, Users, the user, Permissions: add the inline policy below, with the time of this moment. Without it, a window that is still open switches to the roles again."),
            words(
                "Emergency account, IAM, Users, the user, Security credentials: set a new password, without a reset at the next sign-in.",
            ),
            words("There, too: no access keys that were not there before, and no new device."),
            words("Run ")
                .name("breakglass drift")
                .words(" as soon as you can: it shows what was left behind."),
        ]),
        Block::Command(
            r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*",
  "Condition": { "DateLessThan": { "aws:TokenIssueTime": "2026-01-31T23:59:00Z" } } }] }"#
                .to_owned(),
        ),
    ]
}

pub(super) fn log() -> Vec<Block> {
    let empty = |cells: usize| vec![Line::default(); cells];
    let signing = |who: &str| {
        let mut row = vec![words(who)];
        row.extend(empty(3));
        row
    };
    vec![
        Block::Part("Log and signatures".to_owned()),
        Block::Table {
            head: vec!["Time (UTC)", "Who", "Account and role", "What was done"],
            rows: (0..LOG_LINES).map(|_| empty(4)).collect(),
        },
        Block::Table {
            head: vec!["", "Name", "Signature", "Date and time"],
            rows: vec![
                signing("Decided to break the glass"),
                signing("Gave out the password"),
                signing("Gave out the token"),
                signing("Did the work"),
                signing("Closed the incident"),
                signing("New envelope in the safe"),
            ],
        },
    ]
}
