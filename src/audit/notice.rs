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

/// How many findings a notice holds at most: SNS takes 256 KB.
const MOST: usize = 50;
/// How many actions and other lists of a use it holds at most.
const MOST_OF_A_USE: usize = 20;

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
    /// What could not be read.
    pub unreadable: Vec<UnreadableSource>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Notice {
    /// Makes the notice of an audit; `None` when nothing is wrong with it.
    #[must_use]
    pub fn of(audit: &Audit) -> Option<Self> {
        if audit.outcome == AuditOutcome::Clean {
            return None;
        }
        let mut findings = audit.findings.clone();
        findings.sort_by_key(|finding| finding.severity);
        let left_out = findings.len().saturating_sub(MOST);
        findings.truncate(MOST);
        let about: BTreeSet<&String> = findings
            .iter()
            .filter_map(|finding| finding.use_id.as_ref())
            .collect();
        let uses = audit.uses.iter().filter(|one| about.contains(&one.id));
        Some(Self {
            format_version: FORMAT_VERSION.to_owned(),
            kind: "usage_notice".to_owned(),
            id: id(audit),
            organization_id: audit.organization_id.clone(),
            outcome: audit.outcome,
            created_at: audit.created_at,
            summary: audit.summary.clone(),
            findings_left_out: left_out,
            uses: uses.cloned().map(shortened).collect(),
            findings,
            unreadable: audit.unreadable.iter().take(MOST).cloned().collect(),
        })
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
        format!(
            "Break-glass usage in {}: {findings} findings",
            self.organization_id
        )
    }
}

fn shortened(mut one: Use) -> Use {
    one.actions.truncate(MOST_OF_A_USE);
    for list in [&mut one.addresses, &mut one.agents, &mut one.regions] {
        list.truncate(MOST_OF_A_USE);
    }
    one.went_on_to.truncate(MOST_OF_A_USE);
    one
}

fn id(audit: &Audit) -> String {
    let mut digest = Sha256::new();
    digest.update(&audit.organization_id);
    for finding in &audit.findings {
        let use_id = finding.use_id.as_deref().unwrap_or_default();
        digest.update(format!(
            "\n{} {} {use_id} {}",
            finding.code.as_str(),
            finding.at,
            finding.message
        ));
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
