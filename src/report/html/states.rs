//! The states that a role can be in, each with a sign and a word, so that none is told by colour alone.

use super::super::verification::symbol;
use super::Tone;
use crate::apply::ChangeStatus;
use crate::plan::{Action, Risk};
use crate::verify::Verdict;

/// Names a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    /// What filters call it, in the page and in links to it.
    pub(super) code: &'static str,
    /// What stands for it where there is little room.
    pub(super) sign: &'static str,
    /// What it is called.
    pub(super) words: &'static str,
    /// How much it matters, where nothing more is known.
    pub(super) tone: Tone,
}

const fn state(code: &'static str, sign: &'static str, words: &'static str, tone: Tone) -> State {
    State {
        code,
        sign,
        words,
        tone,
    }
}

/// It is as the spec says.
pub(super) const IN_SYNC: State = state("in-sync", "✓", "in sync", Tone::Good);
/// A rule of the spec covers what differs.
pub(super) const IGNORED: State = state("ignored", "≈", "ignored", Tone::None);
/// Nothing is known of it.
pub(super) const UNREADABLE: State = state("unreadable", "?", "unreadable", Tone::Unknown);
/// The spec does not ask for it here.
pub(super) const UNDECLARED: State = state("undeclared", "·", "not declared here", Tone::None);
/// Beside the roles nothing is declared, and nothing differs.
pub(super) const NOTHING_ELSE: State = state("nothing-else", "·", "nothing else", Tone::None);
/// There was nothing to do.
pub(super) const UNTOUCHED: State = state("untouched", "=", "nothing to do", Tone::None);
/// A required path is proven.
pub(super) const COVERED: State = state("covered", "✓", "covered", Tone::Good);
/// No required path is proven.
pub(super) const UNCOVERED: State = state("uncovered", "✗", "not covered", Tone::Critical);
/// No path is required.
pub(super) const EXEMPT: State = state("exempt", "○", "exempt", Tone::None);

/// How live state stands to the spec, by what becomes of it.
pub(super) fn of_action(action: Action) -> State {
    match action {
        Action::Create => state("missing", "+", "missing", Tone::Medium),
        Action::Update => state("differs", "~", "differs", Tone::Medium),
        Action::Delete => state("extra", "−", "extra", Tone::Medium),
        Action::Manual => state("by-hand", "!", "by hand", Tone::Medium),
    }
}

/// What became of a change.
pub(super) fn of_status(status: ChangeStatus) -> State {
    match status {
        ChangeStatus::Failed => state("failed", "✗", "failed", Tone::Critical),
        ChangeStatus::Stale => state("stale", "≠", "changed meanwhile", Tone::Critical),
        ChangeStatus::Blocked => state("blocked", "⊘", "blocked", Tone::High),
        ChangeStatus::Skipped => state("not-begun", "○", "not begun", Tone::High),
        ChangeStatus::Manual => state("by-hand", "!", "by hand", Tone::Medium),
        ChangeStatus::Done => state("done", "✓", "done", Tone::Good),
        ChangeStatus::AlreadyDone => state("so-already", "=", "so already", Tone::Good),
    }
}

/// What was proven.
pub(super) fn of_verdict(verdict: Verdict) -> State {
    let (code, tone) = match verdict {
        Verdict::Proven => ("proven", Tone::Good),
        Verdict::NotProven => ("not-proven", Tone::Unknown),
        Verdict::Blocked => ("blocked", Tone::Critical),
        Verdict::Open => ("open", Tone::Critical),
        Verdict::Missing => ("missing", Tone::Critical),
    };
    state(code, symbol(Some(verdict)), verdict.as_words(), tone)
}

/// How much a difference of this risk matters.
pub(super) fn of_risk(risk: Risk) -> Tone {
    match risk {
        Risk::Low => Tone::Low,
        Risk::Medium => Tone::Medium,
        Risk::High => Tone::High,
        Risk::Critical => Tone::Critical,
    }
}
