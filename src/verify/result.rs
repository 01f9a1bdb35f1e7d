//! What verification found, as a value that can be written and read again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::{CoverageFinding, Exempt};
use crate::ids::AccountId;
use crate::org::Tree;
use crate::plan::{Scope, Skipped, Unreadable};
use crate::policy::evaluate::LayerName;
use crate::state::{Address, Origin};

/// Holds what was proven of every declared role, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `verify`.
    pub kind: String,
    /// The organization it is about.
    pub organization_id: String,
    /// The verdict.
    pub outcome: VerificationOutcome,
    /// The digest of the spec, with every document it refers to.
    pub spec_digest: String,
    /// The first file of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_file: Option<String>,
    /// The digest of the plan whose result was looked at; absent when it was live state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_plan: Option<String>,
    /// When live state was read.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// What part of the organization was looked at.
    pub scope: Scope,
    /// The counts.
    pub summary: VerificationSummary,
    /// What the reader should know beside the results.
    pub notes: Vec<String>,
    /// Every declared role in every account, by account, then by role.
    pub results: Vec<RoleResult>,
    /// The accounts without a proven path that the spec asks for.
    pub coverage: Vec<CoverageFinding>,
    /// The accounts that the spec exempts from coverage.
    pub exempt: Vec<Exempt>,
    /// The accounts of which not everything could be read: nothing is proven of them.
    pub unreadable: Vec<Unreadable>,
    /// Why the organization's guardrails are not known; absent when they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails_unknown: Option<String>,
    /// The accounts that are not active, and so not looked at.
    pub skipped: Vec<Skipped>,
    /// The accounts that were looked at, under their units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
}

/// Tells how verification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerificationOutcome {
    /// Everything was read, and everything is proven.
    Proven,
    /// Everything was read, and something is not proven.
    Findings,
    /// Something could not be read.
    Incomplete,
}

/// Counts what was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationSummary {
    /// The accounts that were selected.
    pub accounts: usize,
    /// Of these, those that could not be read.
    pub unreadable: usize,
    /// Declared roles in accounts that are proven.
    pub proven: usize,
    /// Those that cannot be used.
    pub blocked: usize,
    /// Those that are open to somebody or something else.
    pub open: usize,
    /// Those of which it is not known.
    pub not_proven: usize,
    /// Those that are not there, or whose user is not.
    pub missing: usize,
    /// Required roles that an account has no proven path by.
    pub uncovered: usize,
    /// Situations that were proven; equal ones are proven once.
    pub situations: usize,
}

/// Says what became of a proof, the best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds, whatever is not known.
    Proven,
    /// It may hold: a context key, a document or a layer is not known, and it matters.
    NotProven,
    /// What must be allowed is denied.
    Blocked,
    /// What must be denied is allowed.
    Open,
    /// The role or the user is not there.
    Missing,
}

impl Verdict {
    /// The verdict in a word or two.
    #[must_use]
    pub fn as_words(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::NotProven => "not proven",
            Self::Blocked => "blocked",
            Self::Open => "open",
            Self::Missing => "missing",
        }
    }
}

/// Names what is to be proven.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    /// The role is there and was read.
    Present,
    /// A trusted principal can assume it with MFA.
    Assume,
    /// The same principal cannot without MFA.
    ClosedWithoutMfa,
    /// Nobody else can assume it.
    ClosedToOthers,
    /// A session can do an action that `must_allow` lists.
    MustAllow,
    /// A session cannot do an action that `must_deny` lists.
    MustDeny,
}

impl Obligation {
    /// What is to be proven, in a few words.
    #[must_use]
    pub fn as_words(self) -> &'static str {
        match self {
            Self::Present => "is there",
            Self::Assume => "can be assumed with MFA",
            Self::ClosedWithoutMfa => "is closed without MFA",
            Self::ClosedToOthers => "is closed to others",
            Self::MustAllow => "allows what it must",
            Self::MustDeny => "denies what it must",
        }
    }
}

/// Holds what is proven of one role in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleResult {
    /// The role: `ACCOUNT/iam_role/NAME`.
    pub address: Address,
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The role's name.
    pub role: String,
    /// Where the spec asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
    /// The worst of the proofs.
    pub verdict: Verdict,
    /// What was to be proven, each with what came out.
    pub proofs: Vec<Proof>,
}

/// Holds one obligation and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What was to be proven.
    pub obligation: Obligation,
    /// The trusted principal that it is about, by ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The action that it is about, as the spec writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The worst of the findings.
    pub verdict: Verdict,
    /// Why it is not proven; empty when it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Says what keeps an obligation from being proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// The same in a sentence for people.
    pub message: String,
    /// The Regions it is so in; empty when the Region makes no difference.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// An action that shows it, where the spec names many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// A resource that shows it, where it is about many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What stands in the way, or may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
    /// The context keys whose values are not known, and matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_keys: Vec<String>,
    /// The policies and layers that are not known, and matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_policies: Vec<String>,
    /// Who else gets in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<OpenCaller>,
    /// The exceptions that would let it through, as `guardrails.exceptions` takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionProposal>,
    /// What exceptions alone leave in the way, so that none is proposed; only where a guardrail is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remainder: Option<Remainder>,
}

/// Holds what exceptions to guardrails leave in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remainder {
    /// What stands in the way, or may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
    /// The context keys whose values are not known, and matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_keys: Vec<String>,
    /// The policies and layers that are not known, and matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_policies: Vec<String>,
}

/// Names what stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocker {
    /// The layer of policies.
    pub layer: LayerName,
    /// How it stands in the way.
    pub kind: BlockerKind,
    /// The level of an SCP or RCP, counted from 1 at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// The root (`r-…`), unit (`ou-…`) or account of that level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where that is by name: `root`, `/Path/By/Name`, or the account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// The policy, by name or ARN; absent where it is the want of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The id of an SCP or RCP (`p-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// Which statement of the policy, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<usize>,
    /// Its Sid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Why no exception can be made there; only of what exceptions leave in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// Says how something stands in the way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BlockerKind {
    /// A statement denies it.
    Deny,
    /// A statement may deny it.
    MayDeny,
    /// No statement allows it.
    NoAllow,
    /// A statement allows it, which it must not.
    Allow,
    /// A statement may allow it.
    MayAllow,
}

/// Names somebody who can assume a role and is not among those that the spec trusts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCaller {
    /// Who: an ARN or name that stands for all like it.
    pub who: String,
    /// What kind of principal that is, in words.
    pub what: String,
    /// The request, in words.
    pub request: String,
    /// Which statement of the trust policy lets them in, counted from 1.
    pub statement: usize,
    /// Its Sid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// Proposes an exception, as narrow as can be; why, who, and how long are for people to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionProposal {
    /// An id for it.
    pub id: String,
    /// The policy's name.
    pub policy: String,
    /// The Sids of the Deny statements; empty when one has none, so that all that block are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    /// The roles to let through.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// The users to let through.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<String>,
    /// The accounts in which they are let through.
    pub accounts: BTreeSet<AccountId>,
}
