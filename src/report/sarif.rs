//! SARIF 2.1.0, for code scanning: one run, a result for each finding and account, at its line of the spec.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub, "SARIF support for code
//! scanning", for the limits and for `primaryLocationLineHash`.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::items::{Item, Level, Listing, Rule};
use crate::state::sha256;
use crate::text::visible;

/// The most results that GitHub takes in a run.
const MOST_RESULTS: usize = 25_000;
/// What a path is written with as it is: the unreserved characters and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Writes a listing as a SARIF log.
pub(super) fn sarif(listing: &Listing) -> String {
    let mut findings = listing.findings();
    findings.extend(listing.suppressed());
    let left_out = findings.len().saturating_sub(MOST_RESULTS);
    findings.truncate(MOST_RESULTS);
    let rules: BTreeSet<Rule> = findings.iter().map(|item| item.rule).collect();
    let rules: Vec<Rule> = rules.into_iter().collect();
    let descriptors = rules
        .iter()
        .map(|rule| json!({ "id": rule.id, "shortDescription": { "text": rule.text } }));
    let results = findings.iter().map(|item| result(listing, &rules, item));
    let mut invocation = json!({ "executionSuccessful": listing.complete });
    if left_out > 0
        && let Some(invocation) = invocation.as_object_mut()
    {
        let text = format!(
            "{left_out} of the least severe findings are left out: a run holds {MOST_RESULTS}"
        );
        let notification = json!([{ "level": "warning", "message": { "text": text } }]);
        invocation.insert("toolExecutionNotifications".to_owned(), notification);
    }
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "breakglass",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": descriptors.collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("breakglass/{}/", listing.kind) },
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "properties": { "organization": visible(&listing.organization), "verdict": visible(&listing.verdict) },
            "results": results.collect::<Vec<_>>(),
        }],
    });
    format!("{log:#}\n")
}

fn result(listing: &Listing, rules: &[Rule], item: &Item) -> Value {
    let address = item.address();
    let rule = item.rule.id;
    let fingerprint = sha256(format!("{rule} {address}").as_bytes());
    let fingerprint = fingerprint.trim_start_matches("sha256:").to_owned();
    let (file, line) = listing.place(item);
    let mut properties = Map::new();
    if let Some(account) = &item.account {
        properties.insert("account".to_owned(), json!(account.as_str()));
        properties.insert("accountName".to_owned(), json!(visible(&item.account_name)));
    }
    properties.insert("address".to_owned(), json!(visible(&address)));
    properties.extend(item.properties.clone());
    let mut result = json!({
        "ruleId": rule,
        "level": match item.level {
            Level::Critical | Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        "message": { "text": message(item) },
        "locations": [{
            "physicalLocation": physical(file, line),
            "logicalLocations": [{ "fullyQualifiedName": visible(&address), "kind": "resource" }],
        }],
        // GitHub goes by the first, which would else be made of the line: the same for every account.
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{fingerprint}:1"),
            "breakglassAddress/v1": fingerprint,
        },
        "properties": properties,
    });
    if let (Some(result), Some((why, place))) = (result.as_object_mut(), &item.suppression) {
        let mut suppression = json!({ "kind": "external", "justification": visible(why) });
        if let (Some(suppression), Some(place)) = (suppression.as_object_mut(), place) {
            let place = physical(&place.file, place.line);
            suppression.insert("location".to_owned(), json!({ "physicalLocation": place }));
        }
        result.insert("suppressions".to_owned(), json!([suppression]));
    }
    let index = rules.iter().position(|known| *known == item.rule);
    if let (Some(result), Some(index)) = (result.as_object_mut(), index) {
        result.insert("ruleIndex".to_owned(), json!(index));
    }
    result
}

fn physical(file: &str, line: usize) -> Value {
    json!({ "artifactLocation": artifact(file), "region": { "startLine": line } })
}

/// Says what was found where; nothing in it is a link to another place in the log.
fn message(item: &Item) -> String {
    let place = item.account_label();
    let place = place.map_or_else(String::new, |account| format!(" in {account}"));
    let text = format!("{}{place}: {}", item.title(), item.message);
    visible(&text).replace("](", "\\](")
}

/// Names a file as a URI, below the root of the repository unless its path is absolute.
fn artifact(file: &str) -> Value {
    let file = file.replace('\\', "/");
    let encoded = |path: &str| utf8_percent_encode(path, PATH).to_string();
    if file.starts_with('/') {
        return json!({ "uri": format!("file://{}", encoded(&file)) });
    }
    let drive = file.split_once(":/").filter(|(drive, _)| drive.len() == 1);
    if let Some((drive, path)) = drive {
        return json!({ "uri": format!("file:///{drive}:/{}", encoded(path)) });
    }
    let file = file.trim_start_matches("./");
    json!({ "uri": encoded(file), "uriBaseId": "%SRCROOT%" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_uris() {
        let cases = [
            ("breakglass.yaml", "breakglass.yaml", true),
            ("./a b/ü#.yaml", "a%20b/%C3%BC%23.yaml", true),
            (r"a\b.yaml", "a/b.yaml", true),
            ("../x.yaml", "../x.yaml", true),
            ("/srv/a:b.yaml", "file:///srv/a%3Ab.yaml", false),
            (r"C:\x\y.yaml", "file:///C:/x/y.yaml", false),
        ];
        for (file, uri, relative) in cases {
            let artifact = artifact(file);
            assert_eq!(artifact["uri"], uri);
            assert_eq!(artifact.get("uriBaseId").is_some(), relative, "{file}");
        }
    }
}
