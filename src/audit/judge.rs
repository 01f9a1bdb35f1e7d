//! Sessions and incidents to the audit: every use told, and what is wrong with it found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::capped::Capped;
use super::finding::Code;
use super::gather::{Gatherer, TamperKey, TamperSum};
use super::incident::{Match, match_use};
use super::join::{Session, join};
use super::result::{
    ActionCount, Audit, AuditOutcome, AuditSummary, FORMAT_VERSION, Finding, Mfa, OtherSession,
    RecordSource, Tampering, UnreadableSource, Use,
};
use super::watch::PrincipalKind;
use crate::ids::AccountId;
use crate::spec::IncidentRecord;

/// How long an incident may stay open after its last use, in hours.
const OPEN_HOURS: i64 = 24;

/// How many addresses a message names.
const NAMED: usize = 3;

/// Holds what an audit says that no record tells.
#[derive(Debug, Clone)]
pub struct AuditHeader {
    /// The organization it is about.
    pub organization_id: String,
    /// The digest of the spec.
    pub spec_digest: String,
    /// The first file of the spec.
    pub spec_file: Option<String>,
    /// The time at which it is made.
    pub now: Timestamp,
    /// The beginning of the time span.
    pub since: Option<Timestamp>,
    /// The end of the time span.
    pub until: Option<Timestamp>,
    /// Where the records came from.
    pub source: RecordSource,
    /// The records that were looked at.
    pub records: u64,
    /// What the reader should know beside the findings.
    pub notes: Vec<String>,
    /// What could not be read.
    pub unreadable: Vec<UnreadableSource>,
    /// The names of accounts, where the organization is known.
    pub account_names: BTreeMap<AccountId, String>,
    /// The names of the users.
    pub users: BTreeSet<String>,
}

/// Makes the audit of what was gathered.
#[must_use]
pub fn judge(gatherer: Gatherer, incidents: &[IncidentRecord], header: AuditHeader) -> Audit {
    let Gatherer {
        pieces, tampering, ..
    } = gatherer;
    let sessions = join(pieces);
    let ids = ids(&sessions);
    let who: Vec<String> = sessions
        .iter()
        .map(|session| session.who(&sessions, &header.users))
        .collect();
    let matches = matched(&sessions, &who, incidents);
    let mut findings = Vec::new();
    let mut uses = Vec::new();
    for (number, session) in sessions.iter().enumerate() {
        let (Some(id), Some(who), Some(found)) =
            (ids.get(number), who.get(number), matches.get(number))
        else {
            continue;
        };
        let told = Told {
            id,
            who,
            session,
            mfa: mfa(session, &sessions),
        };
        told.judge(found, &mut findings);
        let parent = session.parent.and_then(|parent| ids.get(parent).cloned());
        uses.push(told.into_use(found, parent, &header.account_names));
    }
    never_closed(&uses, incidents, header.now, &mut findings);
    let by_key: BTreeMap<&str, &String> = sessions
        .iter()
        .zip(&ids)
        .flat_map(|(session, id)| {
            let keys = session.piece.access_keys.iter();
            keys.map(move |key| (key.as_str(), id))
        })
        .collect();
    let tampering: Vec<Tampering> = tampering
        .into_iter()
        .map(|(key, sum)| {
            let use_id = sum
                .access_keys
                .iter()
                .find_map(|key| by_key.get(key.as_str()));
            findings.push(tampering_finding(&key, &sum, use_id.copied()));
            told_tampering(key, sum)
        })
        .collect();
    findings.sort_by(|a, b| {
        (a.at, a.code, &a.use_id, &a.message).cmp(&(b.at, b.code, &b.use_id, &b.message))
    });
    finish(header, findings, uses, tampering)
}

fn finish(
    header: AuditHeader,
    findings: Vec<Finding>,
    uses: Vec<Use>,
    mut tampering: Vec<Tampering>,
) -> Audit {
    let AuditHeader {
        organization_id,
        spec_digest,
        spec_file,
        now,
        since,
        until,
        source,
        records,
        notes,
        mut unreadable,
        account_names: _,
        users: _,
    } = header;
    unreadable.sort();
    tampering.sort_by(|a, b| {
        (a.first, &a.action, &a.target, &a.by).cmp(&(b.first, &b.action, &b.target, &b.by))
    });
    let got_in = uses.iter().filter(|one| !one.refused);
    Audit {
        format_version: FORMAT_VERSION.to_owned(),
        kind: "usage".to_owned(),
        organization_id,
        outcome: if !unreadable.is_empty() {
            AuditOutcome::Incomplete
        } else if findings.is_empty() {
            AuditOutcome::Clean
        } else {
            AuditOutcome::Findings
        },
        spec_digest,
        spec_file,
        created_at: now,
        since,
        until,
        source,
        summary: AuditSummary {
            records,
            uses: got_in.clone().count(),
            matched: got_in.filter(|one| !one.incidents.is_empty()).count(),
            refused: uses.iter().filter(|one| one.refused).count(),
            findings: findings.len(),
        },
        notes,
        findings,
        uses,
        tampering,
        unreadable,
    }
}

/// Matches every session; a user's that led to roles belongs where these belong, if nowhere by itself.
fn matched<'a>(
    sessions: &[Session],
    who: &[String],
    incidents: &'a [IncidentRecord],
) -> Vec<Match<'a>> {
    let mut matches: Vec<Match<'a>> = sessions
        .iter()
        .zip(who)
        .map(|(session, who)| match_use(session, who, incidents))
        .collect();
    // Sessions come after those that they came from, so backwards everything is known when it is needed.
    for (number, session) in sessions.iter().enumerate().rev() {
        let Some(parent) = session.parent.filter(|_| !session.refused) else {
            continue;
        };
        let inherited = matches
            .get(number)
            .map(|found| found.incidents.clone())
            .unwrap_or_default();
        if let Some(found) = matches.get_mut(parent)
            && (found.incidents.is_empty() || found.outside_window)
        {
            for incident in inherited {
                if !found.incidents.contains(&incident) {
                    found.incidents.push(incident);
                }
            }
        }
    }
    matches
}

/// Makes the ids of uses. Sessions that began at one time are numbered.
fn ids(sessions: &[Session]) -> Vec<String> {
    let mut alike: BTreeMap<String, u64> = BTreeMap::new();
    let numbered = |session: &Session| {
        let id = id(session);
        let number = alike.entry(id.clone()).or_default();
        *number += 1;
        match *number {
            1 => id,
            number => format!("{id}-{number}"),
        }
    };
    sessions.iter().map(numbered).collect()
}

/// Makes the id of a use: the same in every audit that sees the session from its beginning.
fn id(session: &Session) -> String {
    let text = format!(
        "{:?} {} {} {} {} {}",
        session.principal.kind,
        session.principal.account,
        session.principal.name,
        session.name,
        session.started,
        session.refused
    );
    let digest: [u8; 32] = Sha256::digest(text).into();
    let mut id = "use-".to_owned();
    for byte in digest.iter().take(6) {
        // Writing to a String can't fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// Tells whether MFA was used. A session made by a role has none of its own: that of the role's session counts.
///
/// A session has it as a whole; of long-term keys, each call that does not bring it lacks it.
fn mfa(session: &Session, sessions: &[Session]) -> Mfa {
    if session.piece.with_mfa && (session.temporary || !session.piece.without_mfa) {
        return Mfa::Yes;
    }
    let parent = session.parent.and_then(|parent| sessions.get(parent));
    let own = if session.piece.without_mfa {
        Mfa::No
    } else {
        Mfa::Unknown
    };
    match parent {
        Some(parent) if parent.principal.kind == PrincipalKind::Role => mfa(parent, sessions),
        _ => own,
    }
}

/// A session with what was found out about it.
struct Told<'a> {
    id: &'a str,
    who: &'a str,
    session: &'a Session,
    mfa: Mfa,
}

impl Told<'_> {
    fn finding(&self, code: Code, incident: Option<&str>, message: String) -> Finding {
        Finding {
            code,
            severity: code.severity(),
            at: self.session.started,
            use_id: Some(self.id.to_owned()),
            incident: incident.map(str::to_owned),
            account: Some(self.session.principal.account.clone()),
            message,
        }
    }

    /// The use in words, such as `bg-alice used role BreakGlassAdmin in 111122223333`.
    fn words(&self) -> String {
        let principal = &self.session.principal;
        let (who, account) = (self.who, &principal.account);
        match principal.kind {
            PrincipalKind::User if self.session.temporary => {
                format!("{who} signed in to {account}")
            }
            PrincipalKind::User => format!("{who} used an access key of {account}"),
            PrincipalKind::Role => format!("{who} used role {} in {account}", principal.name),
            PrincipalKind::Root => format!("{who} used root of {account}"),
        }
    }

    fn judge(&self, found: &Match<'_>, findings: &mut Vec<Finding>) {
        let session = self.session;
        if session.refused {
            findings.push(self.finding(Code::FailedAttempt, None, self.refusal()));
            return;
        }
        let first = found.incidents.first().map(|incident| incident.id.as_str());
        let words = self.words();
        if first.is_none() {
            let code = match session.principal.kind {
                PrincipalKind::Root => Code::RootUse,
                PrincipalKind::User | PrincipalKind::Role => Code::NoIncident,
            };
            findings.push(self.finding(code, None, format!("{words} without an open incident")));
        }
        if let (Some(incident), true) = (first, found.outside_scope) {
            let message =
                format!("{words}, which incident {incident}, named by the session, does not cover");
            findings.push(self.finding(Code::OutsideScope, first, message));
        }
        if let (Some(incident), true) = (found.incidents.first(), found.outside_window) {
            let message = format!("{words} {}", outside(incident, session));
            findings.push(self.finding(Code::OutsideWindow, first, message));
        }
        // A root session that another account asked for carries no MFA of its own.
        let asked_for =
            session.principal.kind == PrincipalKind::Root && !session.piece.callers.is_empty();
        let message = match self.mfa {
            Mfa::Yes => None,
            _ if asked_for => None,
            Mfa::No => Some(format!("{words} without MFA")),
            Mfa::Unknown => Some(format!("{words}, and no record shows MFA")),
        };
        findings.extend(message.map(|message| self.finding(Code::NoMfa, first, message)));
        if let Some((role, _)) = session.piece.went_on_to.first() {
            let more = session.piece.went_on_to.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more sessions")
            };
            let message = format!("{words}, and went on to {role}{more}");
            findings.push(self.finding(Code::WentOn, first, message));
        }
    }

    fn refusal(&self) -> String {
        let principal = &self.session.principal;
        let times = match self.session.piece.entries {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let (name, account) = (&principal.name, &principal.account);
        match principal.kind {
            PrincipalKind::User => {
                let from = from(&self.session.piece.addresses);
                format!("sign-in to {account} as {name} from {from} was refused {times}")
            }
            PrincipalKind::Role => {
                let were = match self.session.piece.callers.len() {
                    0 | 1 => "was",
                    _ => "and others were",
                };
                let who = self.who;
                format!("{who} {were} refused role {name} in {account} {times}")
            }
            PrincipalKind::Root => format!("{} was refused root of {account} {times}", self.who),
        }
    }

    fn into_use(
        self,
        found: &Match<'_>,
        parent: Option<String>,
        account_names: &BTreeMap<AccountId, String>,
    ) -> Use {
        let Self {
            id,
            who,
            session,
            mfa,
        } = self;
        let piece = &session.piece;
        let mut actions: Vec<ActionCount> = piece
            .actions
            .iter()
            .map(|(action, (count, failed))| ActionCount {
                action: action.clone(),
                count: *count,
                failed: *failed,
            })
            .collect();
        actions.sort_by(|a, b| (b.count, &a.action).cmp(&(a.count, &b.action)));
        let went_on_to = piece.went_on_to.iter();
        Use {
            id: id.to_owned(),
            principal: session.principal.clone(),
            account_name: account_names.get(&session.principal.account).cloned(),
            who: who.to_owned(),
            session: Some(session.name.clone()).filter(|name| !name.is_empty()),
            source_identity: piece.source_identities.first().cloned(),
            refused: session.refused,
            started: session.started,
            ended: session.ended,
            mfa,
            addresses: piece.addresses.iter().cloned().collect(),
            addresses_left_out: piece.addresses.left_out(),
            agents: piece.agents.iter().cloned().collect(),
            agents_left_out: piece.agents.left_out(),
            regions: piece.regions.iter().cloned().collect(),
            entries: piece.entries,
            calls: piece.calls,
            writes: piece.writes,
            failed: piece.failed,
            actions,
            went_on_to: went_on_to
                .map(|(role, session)| OtherSession {
                    role: role.clone(),
                    session: session.clone(),
                })
                .collect(),
            parent,
            incidents: found
                .incidents
                .iter()
                .map(|incident| incident.id.clone())
                .collect(),
        }
    }
}

/// Names the first addresses, and counts the others.
fn from(addresses: &Capped) -> String {
    let named: Vec<&str> = addresses.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join(", ");
    match addresses.iter().skip(NAMED).count() + addresses.left_out() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Says how a use lies outside of its incident's time.
fn outside(incident: &IncidentRecord, session: &Session) -> String {
    let id = &incident.id;
    let length = |span: SignedDuration| {
        let minutes = span.as_mins().max(1);
        if minutes < 120 {
            format!("{minutes} min")
        } else {
            format!("{} h", minutes / 60)
        }
    };
    match incident.closed {
        Some(closed) if session.started > closed => {
            let late = length(session.started.duration_since(closed));
            format!("{late} after incident {id} was closed")
        }
        Some(closed) if session.ended > closed => {
            let late = length(session.ended.duration_since(closed));
            format!("until {late} after incident {id} was closed")
        }
        _ => {
            let early = length(incident.opened.duration_since(session.started));
            format!("{early} before incident {id} was opened")
        }
    }
}

/// Finds incidents that were used and not brought to an end.
fn never_closed(
    uses: &[Use],
    incidents: &[IncidentRecord],
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    for incident in incidents {
        let last = uses
            .iter()
            .filter(|one| !one.refused && one.incidents.contains(&incident.id))
            .max_by_key(|one| one.ended);
        let Some(last) = last else { continue };
        let id = &incident.id;
        let message = match (incident.closed, incident.reset_at) {
            (None, _) => {
                let idle = now.duration_since(last.ended).as_hours();
                (idle >= OPEN_HOURS).then(|| {
                    format!(
                        "incident {id} is still open, {idle} h after its last use by {}",
                        last.who
                    )
                })
            }
            (Some(_), None) => Some(format!(
                "incident {id} is closed, but the record has no reset of the credentials that {} used",
                last.who
            )),
            (Some(_), Some(reset)) => (reset < last.ended).then(|| {
                format!(
                    "incident {id} is closed, but {} used credentials after they were reset",
                    last.who
                )
            }),
        };
        findings.extend(message.map(|message| Finding {
            code: Code::NeverClosed,
            severity: Code::NeverClosed.severity(),
            at: last.ended,
            use_id: Some(last.id.clone()),
            incident: Some(id.clone()),
            account: Some(last.principal.account.clone()),
            message,
        }));
    }
}

fn tampering_finding(key: &TamperKey, sum: &TamperSum, use_id: Option<&String>) -> Finding {
    let TamperKey {
        caller,
        action,
        target,
        account,
    } = key;
    let times = match sum.count {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    let failed = match sum.failed {
        0 => "",
        failed if failed == sum.count => ", and was refused",
        _ => ", and was refused in part",
    };
    Finding {
        code: Code::Tampering,
        severity: Code::Tampering.severity(),
        at: sum.span.0,
        use_id: use_id.cloned(),
        incident: None,
        account: account.parse().ok(),
        message: format!("{caller} called {action} on {target} in {account}{times}{failed}"),
    }
}

fn told_tampering(key: TamperKey, sum: TamperSum) -> Tampering {
    let TamperKey {
        caller,
        action,
        target,
        account,
    } = key;
    let TamperSum {
        span: (first, last),
        count,
        failed,
        addresses,
        access_keys: _,
    } = sum;
    Tampering {
        by: caller,
        action,
        target,
        account,
        first,
        last,
        count,
        failed,
        addresses: addresses.iter().cloned().collect(),
        addresses_left_out: addresses.left_out(),
    }
}
