//! The notice that is handed to whoever runs incidents: the findings and the uses they are about, in a stable shape.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::result::{
    Audit, AuditOutcome, AuditSummary, FORMAT_VERSION, Finding, UnreadableSource, Use,
};

/// How many findings a notice holds at most.
const MOST: usize = 50;
/// How long its lists of a use may be: as long as there is room for.
const MOST_OF_A_USE: [usize; 3] = [20, 5, 1];
/// How many characters it holds of what somebody else chose the length of.
const MOST_OF_A_TEXT: usize = 300;
/// How many bytes it may have. SNS takes 262,144. Source: SNS API reference, "Publish".
const MOST_BYTES: usize = 240 << 10;

/// Tells of findings to another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `usage_notice`.
    pub kind: String,
    /// The same for the same findings, so that a receiver can drop what it has already.
    pub id: String,
    /// The organization it is about.
    pub organization_id: String,
    /// The verdict.
    pub outcome: AuditOutcome,
    /// When the audit was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The counts.
    pub summary: AuditSummary,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// How many findings more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub findings_left_out: usize,
    /// The uses that the findings are about.
    pub uses: Vec<Use>,
    /// How many uses more the findings are about.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uses_left_out: usize,
    /// What could not be read.
    pub unreadable: Vec<UnreadableSource>,
    /// How many sources more could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable_left_out: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Notice {
    /// Makes the notice of an audit; `None` when everything was read and nothing is wrong with it.
    #[must_use]
    pub fn of(audit: &Audit) -> Option<Self> {
        if audit.outcome == AuditOutcome::Clean {
            return None;
        }
        let mut findings = audit.findings.clone();
        findings.sort_by_key(|finding| finding.severity);
        let left_out = findings.len().saturating_sub(MOST);
        findings.truncate(MOST);
        for finding in &mut findings {
            finding.message = shortened(&finding.message);
        }
        let about: BTreeSet<&String> = findings
            .iter()
            .filter_map(|finding| finding.use_id.as_ref())
            .collect();
        let uses = audit.uses.iter().filter(|one| about.contains(&one.id));
        let unreadable = audit.unreadable.iter().take(MOST).map(|one| {
            let UnreadableSource { source, error } = one;
            UnreadableSource {
                source: shortened(source),
                error: shortened(error),
            }
        });
        let mut notice = Self {
            format_version: FORMAT_VERSION.to_owned(),
            kind: "usage_notice".to_owned(),
            id: id(audit),
            organization_id: audit.organization_id.clone(),
            outcome: audit.outcome,
            created_at: audit.created_at,
            summary: audit.summary.clone(),
            findings_left_out: left_out,
            uses: uses.cloned().collect(),
            uses_left_out: 0,
            findings,
            unreadable: unreadable.collect(),
            unreadable_left_out: audit.unreadable.len().saturating_sub(MOST),
        };
        notice.fit();
        Some(notice)
    }

    /// Shortens the lists of its uses, then leaves things out, until it can be sent.
    fn fit(&mut self) {
        for most in MOST_OF_A_USE {
            self.uses.iter_mut().for_each(|one| shorten(one, most));
            if self.body().len() <= MOST_BYTES {
                return;
            }
        }
        while self.body().len() > MOST_BYTES {
            if self.uses.pop().is_some() {
                self.uses_left_out += 1;
            } else if self.unreadable.pop().is_some() {
                self.unreadable_left_out += 1;
            } else if self.findings.pop().is_some() {
                self.findings_left_out += 1;
            } else {
                return;
            }
        }
    }

    /// The notice as it is sent.
    #[must_use]
    pub fn body(&self) -> String {
        // The type holds nothing that can't be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A line that says what it is about.
    #[must_use]
    pub fn subject(&self) -> String {
        let findings = self.findings.len() + self.findings_left_out;
        let incomplete = match self.outcome {
            AuditOutcome::Incomplete => ", incomplete",
            AuditOutcome::Clean | AuditOutcome::Findings => "",
        };
        format!(
            "Break-glass usage in {}: {findings} findings{incomplete}",
            self.organization_id
        )
    }
}

/// Keeps so much of every list of a use, and of every text in it that a caller chose.
fn shorten(one: &mut Use, most: usize) {
    one.addresses_left_out += one.addresses.len().saturating_sub(most);
    one.agents_left_out += one.agents.len().saturating_sub(most);
    one.actions.truncate(most);
    for list in [&mut one.addresses, &mut one.agents, &mut one.regions] {
        list.truncate(most);
        list.iter_mut().for_each(|text| *text = shortened(text));
    }
    one.went_on_to.truncate(most);
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_OF_A_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Makes the id: of what is wrong with which use, and not of words, which may count hours.
fn id(audit: &Audit) -> String {
    let mut digest = Sha256::new();
    digest.update(&audit.organization_id);
    for finding in &audit.findings {
        let code = finding.code.as_str();
        let incident = finding.incident.as_deref().unwrap_or_default();
        digest.update(match &finding.use_id {
            Some(id) => format!("\n{code} {id} {incident}"),
            // Tampering by others has no use.
            None => format!("\n{code} {} {:?}", finding.at, finding.account),
        });
    }
    for source in &audit.unreadable {
        digest.update(format!("\nunreadable {}", source.source));
    }
    let digest: [u8; 32] = digest.finalize().into();
    hex(digest.get(..16).unwrap_or_default())
}

/// Writes bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
