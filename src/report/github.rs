//! Workflow commands of GitHub Actions: annotations at the lines of the spec, within GitHub's limits.
//!
//! Source: GitHub, "Workflow commands for GitHub Actions"; the limits are those of the runner: ten annotations of each
//! kind in a step, fifty in a run.

use std::collections::BTreeMap;

use super::group::{Accounts, explained, generic_text};
use super::items::{Item, Level, Listing};
use super::words::{count, few};
use crate::state::Origin;
use crate::text::visible;

/// The most annotations of a kind that a step shows.
const MOST: usize = 10;
/// The most characters of a message: what is longer is read in the report.
const LONGEST: usize = 1_000;

/// Writes a listing as annotations: the verdict, then what was found, the same of many accounts once.
pub(super) fn github(listing: &Listing) -> String {
    let verdict = if listing.complete { "notice" } else { "error" };
    let title = format!("breakglass {}", listing.kind);
    let mut text = command(verdict, None, &title, &listing.verdict);
    let groups = fold(listing);
    for name in ["error", "warning", "notice"] {
        let own = groups
            .iter()
            .filter(|group| command_name(group.level) == name);
        let own: Vec<&Group<'_>> = own.collect();
        let room = MOST - usize::from(name == verdict);
        // The last one says how many there are more.
        let shown = if own.len() > room {
            room - 1
        } else {
            own.len()
        };
        for group in own.iter().take(shown) {
            text.push_str(&annotation(group));
        }
        if own.len() > shown {
            let left = own.iter().skip(shown).map(|group| group.title.clone());
            let left: Vec<String> = left.collect();
            let more = format!(
                "{} more not shown here, GitHub takes {MOST} of a kind: {}",
                count(left.len(), "finding"),
                few(&left, 10)
            );
            text.push_str(&command(name, None, &title, &more));
        }
    }
    text
}

fn command_name(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

/// Holds a finding with every account that it is the same in.
struct Group<'a> {
    level: Level,
    title: String,
    message: String,
    source: Option<&'a Origin>,
    accounts: Accounts,
}

fn fold(listing: &Listing) -> Vec<Group<'_>> {
    let mut folded: BTreeMap<_, Vec<&Item>> = BTreeMap::new();
    for item in listing.findings() {
        let message = match &item.account {
            Some(account) => generic_text(&item.message, account.as_str()),
            None => item.message.clone(),
        };
        let bad = (item.level, !item.first);
        let key = (bad, item.rule, item.title(), message, &item.source);
        folded.entry(key).or_default().push(item);
    }
    folded
        .into_iter()
        .map(|(((level, _), _, title, message, source), items)| {
            let accounts = items
                .iter()
                .filter_map(|item| Some((item.account_name.clone(), item.account.clone()?)));
            Group {
                level,
                title,
                message: match items.as_slice() {
                    [single] => single.message.clone(),
                    _ => explained(message),
                },
                source: source.as_ref(),
                accounts: Accounts::new(accounts),
            }
        })
        .collect()
}

fn annotation(group: &Group<'_>) -> String {
    let place = if group.accounts.len() == 0 {
        String::new()
    } else {
        format!("{}: ", group.accounts.words())
    };
    let message = format!("{place}{}", group.message);
    command(
        command_name(group.level),
        group.source,
        &group.title,
        &message,
    )
}

/// Writes one workflow command.
fn command(name: &str, source: Option<&Origin>, title: &str, message: &str) -> String {
    let place = source.map_or_else(String::new, |source| {
        format!("file={},line={},", property(&source.file), source.line)
    });
    let mut message = visible(message).into_owned();
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push('…');
    }
    format!(
        "::{name} {place}title={}::{}\n",
        property(title),
        data(&message)
    )
}

/// Escapes what stands behind the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
