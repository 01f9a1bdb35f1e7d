//! Getting in: what every emergency has in common, and what to do when a way in fails.

use super::super::block::{Block, Line, name, names, words};
use super::super::facts::Facts;

pub(super) fn every_emergency(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![
        Block::Part("In every emergency".to_owned()),
        Block::Steps(vec![
            words("Name the incident. Its id is ")
                .strong("____________________")
                .words(" and it was opened at ")
                .strong("____________")
                .words(" by ")
                .strong("____________________")
                .words("."),
            words(
                "Tell the security team that break-glass is about to be used: alerts will come, and must be told from an attack.",
            ),
            words(
                "Two people fetch what they keep: one the password, another the token. Nobody holds both alone.",
            ),
            words("Sign in and switch to the role, as below."),
            words(
                "Do what ends the emergency, and nothing else. Write each thing down on the last page.",
            ),
            words("Close the incident as soon as it is over: see ")
                .strong("How to close")
                .words("."),
        ]),
    ];
    blocks.extend(sign_in(facts));
    blocks.extend(switch(facts));
    blocks.extend(command_line(facts));
    blocks.extend(fido(facts));
    blocks.extend(failures(facts));
    blocks
}

fn sign_in(facts: &Facts) -> Vec<Block> {
    let (id, _) = &facts.emergency;
    let mut blocks = vec![Block::Section("Sign in".to_owned())];
    let anywhere = match facts.console {
        Some(console) => {
            let rows = facts.regions.iter().map(|region| {
                vec![
                    name(region),
                    Line::default().address(&console.sign_in(id, region)),
                ]
            });
            blocks.push(Block::Text(words(
                "Each Region has a sign-in page of its own. Any of them will do: when one does not answer, take the next.",
            )));
            blocks.push(Block::Table {
                head: vec!["Region", "Sign-in page"],
                rows: rows.collect(),
            });
            Line::default().address(console.anywhere)
        }
        None => words("the sign-in page of your partition"),
    };
    blocks.push(Block::Steps(vec![
        words("Open the page in a new private window of a computer that you trust. If none answers: ").then(anywhere).words(", IAM user."),
        words("Account ").name(id.as_str()).words(", and the name of the user."),
        words("Type the password with its hyphens, upper and lower case as printed. Passwords made by breakglass never hold ").name("0 O o 1 I l i").words("."),
        words("Touch the FIDO key, or type the code of the token."),
    ]));
    blocks
}

fn switch(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![Block::Section("Switch to the role".to_owned())];
    let example = facts.roles.iter().find(|role| role.switchable());
    let Some(example) = example else {
        blocks.push(Block::Text(words(
            "The console can switch to none of the roles: use the command line.",
        )));
        return blocks;
    };
    let direct = match facts.console {
        Some(console) => words("In the same window open the address that stands with the role, with the account in it: ")
            .address(&console.switch("ACCOUNT", &example.full))
            .words("."),
        None => words("In the same window open the menu at the top right and choose Switch role."),
    };
    blocks.push(Block::Steps(vec![
        direct,
        words("Or by hand: menu at the top right, Switch role, the account id, and the role with its path, such as ").name(&example.full).words("."),
        words("Look at the top right: it must show the role and the account that you mean."),
        words("For another account, switch again from there: it is always the user that switches, never the role."),
    ]));
    blocks
}

fn command_line(facts: &Facts) -> Vec<Block> {
    let vaulted: Vec<&str> = facts
        .people
        .iter()
        .filter(|person| person.vaulted)
        .map(|person| person.name.as_str())
        .collect();
    let mut blocks = vec![Block::Section("On the command line".to_owned())];
    if vaulted.is_empty() {
        blocks.push(Block::Text(words(
            "No user has an access key, so the console is the only way in. Once switched to a role, CloudShell has the AWS command line, with what the role may do.",
        )));
        return blocks;
    }
    blocks.push(Block::Text(
        words("With an access key from the vault, which only ")
            .then(names(vaulted))
            .words(" may have: ")
            .name("aws configure --profile USER")
            .words("."),
    ));
    blocks.push(Block::Text(words(
        "AWS takes codes here, and no FIDO key: it needs a token that shows codes. SERIAL is the number on a hardware token.",
    )));
    let longest = facts
        .roles
        .iter()
        .map(|role| role.max_session.seconds())
        .min();
    let region = facts.regions.first().map_or("REGION", String::as_str);
    blocks.push(Block::Command(format!(
        "aws sts assume-role --region {region} \\\n  --role-arn arn:{}:iam::ACCOUNT:role/ROLE \\\n  --role-session-name INCIDENT --duration-seconds {} \\\n  --serial-number SERIAL --token-code CODE",
        facts.partition,
        longest.unwrap_or(3_600),
    )));
    blocks.push(Block::Steps(vec![
        words("ROLE is the role with its path, INCIDENT the id of the incident. Wait for a new code after each one."),
        words("Set ").name("AWS_ACCESS_KEY_ID").words(", ").name("AWS_SECRET_ACCESS_KEY").words(" and ").name("AWS_SESSION_TOKEN").words(" to what it prints."),
        words("Check with ").name("aws sts get-caller-identity").words("."),
    ]));
    blocks
}

fn fido(facts: &Facts) -> Vec<Block> {
    let two = facts
        .people
        .iter()
        .filter(|person| person.mfa.as_ref().is_some_and(|mfa| mfa.at_least > 1));
    let spare: Vec<&str> = two.map(|person| person.name.as_str()).collect();
    let mut steps = vec![
        words(
            "Take the key out, and put it in again; another port, another browser, no remote desktop between.",
        ),
        words(
            "At the question for the key choose another device, and use the token that shows codes.",
        ),
        words("No other device: take another user, with other custodians."),
        words(
            "No user is left: the root user of the management account is the last way. It has an envelope and a token of its own.",
        ),
    ];
    if !spare.is_empty() {
        let more = words("More than one device is enrolled for ")
            .then(names(spare))
            .words(".");
        steps.insert(1, more);
    }
    vec![
        Block::Section("If a FIDO key fails".to_owned()),
        Block::Steps(steps),
    ]
}

fn failures(facts: &Facts) -> Vec<Block> {
    let row = |what: &str, answer: Line| vec![words(what), answer];
    let ages: Vec<String> = facts
        .roles
        .iter()
        .filter_map(|role| Some(format!("{} after {}", role.name, role.max_age?)))
        .collect();
    let mut switching = words(
        "Compare account and role with the tables, path included. Did you sign in with the key or token?",
    );
    if !ages.is_empty() {
        switching = switching
            .words(" Some roles refuse a sign-in that is too old, so sign out and in again: ");
        switching = switching
            .then(names(ages.iter().map(String::as_str)))
            .words(".");
    }
    vec![
        Block::Section("If something else fails".to_owned()),
        Block::Table {
            head: vec!["What you see", "What to do"],
            rows: vec![
                row("The sign-in page does not come", words("Take the page of another Region, another network, another computer.")),
                row("The password is refused", words("Type it once more, with the hyphens. Is it the newest envelope? When a run to set it was broken off, one of two is valid: ask for the pending one. Then take another user.")),
                row("Switching is refused", switching),
                row("The role may not do what it should", words("An SCP or RCP is in the way: those of the management account bind nobody there. ").name("breakglass verify").words(" names the one, as far as it was known beforehand.")),
                row("Signed out while at work", words("Sessions end by themselves. Switch again; sign in again if that is refused.")),
                row("A change to users, roles or SCPs fails", words("IAM and Organizations are run from one Region of the partition. Work with what is there until it is back.")),
            ],
        },
    ]
}
