//! Organizations of many accounts, made of two accounts of the example.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// How many of them one unit holds.
const IN_A_UNIT: usize = 50;
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");

/// What is wrong with an account, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// The administrators' role lets in without MFA.
    NoMfa,
    /// A role is not there.
    Missing,
    /// A session may last longer, each account another time.
    Longer,
    /// It can't be read.
    Unreadable,
}

impl Wrong {
    pub fn of(number: usize) -> Self {
        match number {
            number if number % 1000 == 7 => Self::NoMfa,
            number if number % 200 == 11 => Self::Missing,
            number if number % 125 == 3 => Self::Longer,
            number if number % 625 == 19 => Self::Unreadable,
            _ => Self::Nothing,
        }
    }

    /// With how many of so many accounts it is so.
    pub fn count(self, accounts: usize) -> usize {
        (0..accounts)
            .filter(|number| Self::of(*number) == self)
            .count()
    }
}

/// The id of an account.
pub fn id(number: usize) -> String {
    format!("3{number:011}")
}

/// Writes a snapshot of so many accounts, beside the management and the emergency account, into a folder.
pub fn snapshot(folder: &Path, accounts: usize) -> PathBuf {
    let text = std::fs::read_to_string(format!("{EXAMPLE}/org.json")).unwrap();
    let mut snapshot: Value = serde_json::from_str(&text).unwrap();
    // One with every role, put right, and one without the network's role.
    let attached = &mut snapshot["accounts"]["200000000009"]["complete"]["roles"]["BreakGlassReadOnly"]
        ["managed_policies"];
    *attached = json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    let [prod, dev] = ["200000000009", "200000000008"].map(|id| {
        let text = snapshot["accounts"][id].to_string();
        (id, text)
    });
    let keep = |value: &mut Value| {
        let accounts = value.as_object_mut().unwrap();
        accounts.retain(|id, _| ["200000000001", "200000000002"].contains(&id.as_str()));
    };
    keep(&mut snapshot["accounts"]);
    keep(&mut snapshot["organization"]["accounts"]);
    for number in 0..accounts {
        let id = id(number);
        let in_prod = number % 2 == 0;
        let ((template, text), above) = if in_prod {
            (&prod, "ou-acme-prd00001")
        } else {
            (&dev, "ou-acme-dev00001")
        };
        let team = format!("ou-team-{:08}", number / IN_A_UNIT * 2 + number % 2);
        snapshot["organization"]["units"][&team] =
            json!({ "name": format!("Team {:03}", number / IN_A_UNIT), "parent": above });
        snapshot["organization"]["accounts"][&id] =
            json!({ "name": format!("workload-{number:04}"), "state": "active", "parent": team });
        let mut account: Value = serde_json::from_str(&text.replace(template, &id)).unwrap();
        let roles = &mut account["complete"]["roles"];
        match Wrong::of(number) {
            Wrong::Nothing => {}
            Wrong::NoMfa => {
                let trust = &mut roles["BreakGlassAdmin"]["trust_policy"];
                trust["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Condition");
            }
            Wrong::Missing => drop(roles.as_object_mut().unwrap().remove("BreakGlassReadOnly")),
            Wrong::Longer => roles["BreakGlassAdmin"]["max_session"] = json!(7200 + number),
            Wrong::Unreadable => {
                account = json!({ "unreadable": { "error": "AccessDenied: sts:AssumeRole" } })
            }
        }
        snapshot["accounts"][&id] = account;
    }
    let path = folder.join(format!("{accounts}.json"));
    std::fs::write(&path, snapshot.to_string()).unwrap();
    path
}

/// Runs the program on a snapshot, and gives the page that it writes.
pub fn page(folder: &Path, command: &str, snapshot: &Path) -> PathBuf {
    let page = folder.join(format!("{command}.html"));
    let output = Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args([command, "--no-progress", "--spec"])
        .arg(format!("{EXAMPLE}/breakglass.yaml"))
        .arg("--org")
        .arg(snapshot)
        .arg("--report")
        .arg(format!("html={}", page.display()))
        .output()
        .unwrap();
    // Some accounts can't be read.
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    page
}
