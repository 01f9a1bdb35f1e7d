//! Traces to sums: what each session did, in whatever order its records come in, each record once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::capped::Capped;
use super::trace::{Activity, Caller, Entry, Event, Mark, SessionKey, Trace};

/// How many callers, and source identities, of one session or of attempts that were refused are kept.
const FEW: usize = 20;

/// Sums up traces. Its size goes with the records of break-glass, of which it keeps 16 bytes each, and with the uses.
#[derive(Debug, Default)]
pub struct Gatherer {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    seen: HashSet<[u8; 16]>,
    pub(super) pieces: BTreeMap<SessionKey, Piece>,
    pub(super) tampering: BTreeMap<TamperKey, TamperSum>,
}

/// Sums up a session, or a part of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    /// When its first and its last record are from.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    pub(super) calls: u64,
    pub(super) writes: u64,
    pub(super) failed: u64,
    /// How often each action was called, and how often of these it failed.
    pub(super) actions: BTreeMap<String, (u64, u64)>,
    pub(super) addresses: Capped,
    pub(super) agents: Capped,
    pub(super) regions: BTreeSet<String>,
    pub(super) access_keys: BTreeSet<String>,
    pub(super) with_mfa: bool,
    pub(super) without_mfa: bool,
    pub(super) source_identities: BTreeSet<String>,
    pub(super) went_on_to: BTreeSet<(String, String)>,
    /// How often somebody came in, or was refused.
    pub(super) entries: u64,
    pub(super) callers: BTreeSet<Caller>,
}

/// Tells acts of tampering apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TamperKey {
    pub(super) caller: String,
    pub(super) action: String,
    pub(super) target: String,
    pub(super) account: String,
}

/// Sums up acts of tampering that are alike.
#[derive(Debug, Clone)]
pub(super) struct TamperSum {
    pub(super) span: (Timestamp, Timestamp),
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) addresses: Capped,
    pub(super) access_keys: BTreeSet<String>,
}

impl Gatherer {
    /// Begins with nothing; what is before `since`, or at or after `until`, is left out.
    #[must_use]
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self {
            since,
            until,
            ..Self::default()
        }
    }

    /// Takes in a trace, unless it is outside of the time span or was taken in already.
    pub fn add(&mut self, trace: Trace) {
        let Trace {
            id,
            at,
            event,
            activity,
            entry,
            tampered,
        } = trace;
        let outside = self.since.is_some_and(|since| at < since)
            || self.until.is_some_and(|until| at >= until);
        if outside || id.is_some_and(|id| !self.seen.insert(id)) {
            return;
        }
        if let Some(target) = tampered {
            self.add_tampering(at, &event, target, activity.as_ref());
        }
        if let Some(entry) = entry {
            self.add_entry(at, &event, entry);
        }
        if let Some(activity) = activity {
            self.add_activity(at, event, activity);
        }
    }

    fn add_tampering(
        &mut self,
        at: Timestamp,
        event: &Event,
        target: String,
        activity: Option<&Activity>,
    ) {
        let key = TamperKey {
            caller: event.caller.clone(),
            action: event.action.clone(),
            target,
            account: event.account.clone(),
        };
        let sum = self.tampering.entry(key).or_insert_with(|| TamperSum {
            span: (at, at),
            count: 0,
            failed: 0,
            addresses: Capped::default(),
            access_keys: BTreeSet::new(),
        });
        sum.span = widened(sum.span, at);
        sum.count += 1;
        sum.failed += u64::from(!event.error.is_empty());
        sum.addresses.add(&event.address);
        sum.access_keys
            .extend(activity.and_then(|activity| nonempty(&activity.access_key)));
    }

    fn add_entry(&mut self, at: Timestamp, event: &Event, entry: Entry) {
        let Entry {
            key,
            caller,
            mfa,
            source_identity,
        } = entry;
        // The caller's account and the role's tell of the same way in, each in a record of its own.
        let once = matches!(key.mark, Mark::Entered(..) | Mark::SignedIn(..));
        let piece = self.pieces.entry(key).or_default();
        piece.touch(at, event, mfa, &source_identity);
        piece.entries = if once { 1 } else { piece.entries + 1 };
        add_few(&mut piece.callers, caller);
    }

    fn add_activity(&mut self, at: Timestamp, event: Event, activity: Activity) {
        let Activity {
            key,
            access_key,
            mfa,
            source_identity,
            went_on_to,
        } = activity;
        let piece = self.pieces.entry(key).or_default();
        piece.touch(at, &event, mfa, &source_identity);
        let failed = u64::from(!event.error.is_empty());
        piece.calls += 1;
        piece.writes += u64::from(!event.read_only);
        piece.failed += failed;
        piece.access_keys.extend(nonempty(&access_key));
        piece.went_on_to.extend(went_on_to);
        let (count, failures) = piece.actions.entry(event.action).or_default();
        *count += 1;
        *failures += failed;
    }
}

impl Piece {
    fn touch(&mut self, at: Timestamp, event: &Event, mfa: Option<bool>, source_identity: &str) {
        self.span = Some(widened(self.span.unwrap_or((at, at)), at));
        self.addresses.add(&event.address);
        self.agents.add(&event.agent);
        self.regions.extend(nonempty(&event.region));
        self.with_mfa |= mfa == Some(true);
        self.without_mfa |= mfa == Some(false);
        add_few(&mut self.source_identities, nonempty(source_identity));
    }

    /// Whether one was made with MFA and the other without, so that they are no parts of one session.
    pub(super) fn differs_in_mfa(&self, other: &Self) -> bool {
        // What has it somewhere has it as a whole.
        let mfa = |piece: &Self| (piece.with_mfa || piece.without_mfa).then_some(piece.with_mfa);
        mfa(self)
            .zip(mfa(other))
            .is_some_and(|(one, other)| one != other)
    }

    /// Takes in another part of the same session.
    pub(super) fn merge(&mut self, other: Self) {
        let Self {
            span,
            calls,
            writes,
            failed,
            actions,
            addresses,
            agents,
            regions,
            access_keys,
            with_mfa,
            without_mfa,
            source_identities,
            went_on_to,
            entries,
            callers,
        } = other;
        if let Some((first, last)) = span {
            let own = self.span.unwrap_or((first, last));
            self.span = Some(widened(widened(own, first), last));
        }
        self.calls += calls;
        self.writes += writes;
        self.failed += failed;
        for (action, (count, failures)) in actions {
            let sum = self.actions.entry(action).or_default();
            sum.0 += count;
            sum.1 += failures;
        }
        self.addresses.extend(addresses);
        self.agents.extend(agents);
        self.regions.extend(regions);
        self.access_keys.extend(access_keys);
        self.with_mfa |= with_mfa;
        self.without_mfa |= without_mfa;
        self.source_identities.extend(source_identities);
        self.went_on_to.extend(went_on_to);
        self.entries += entries;
        self.callers.extend(callers);
    }
}

fn widened((first, last): (Timestamp, Timestamp), at: Timestamp) -> (Timestamp, Timestamp) {
    (first.min(at), last.max(at))
}

/// Adds to a set of what a caller may choose freely, of which the first few in their order are kept.
fn add_few<T: Ord>(set: &mut BTreeSet<T>, one: Option<T>) {
    set.extend(one);
    if set.len() > FEW {
        set.pop_last();
    }
}

fn nonempty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
