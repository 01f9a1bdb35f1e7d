//! Pieces to sessions: the way in and what was done inside belong together, and sessions to those they came from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::gather::Piece;
use super::trace::{Mark, SessionKey};
use super::watch::{Principal, PrincipalKind};

/// How far the time of a way in and the beginning of its session may be apart, in seconds.
const NEAR: i64 = 10;

/// Holds a session of a break-glass principal, or attempts at one that were refused.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) principal: Principal,
    pub(super) name: String,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) refused: bool,
    pub(super) piece: Piece,
    /// Whether there is a session behind it, so that the time of its beginning means something.
    pub(super) temporary: bool,
    /// Whether the call that made it is known.
    entered: bool,
    /// The session that it came from, by its number.
    pub(super) parent: Option<usize>,
}

/// Joins pieces to sessions, by time.
pub(super) fn join(pieces: BTreeMap<SessionKey, Piece>) -> Vec<Session> {
    let mut groups: BTreeMap<(Principal, String), Vec<(Mark, Piece)>> = BTreeMap::new();
    for (key, piece) in pieces {
        let SessionKey {
            principal,
            session,
            mark,
        } = key;
        groups
            .entry((principal, session))
            .or_default()
            .push((mark, piece));
    }
    let mut sessions = Vec::new();
    for ((principal, name), pieces) in groups {
        let mut group = Group {
            principal,
            name,
            sessions: Vec::new(),
        };
        // In this order: sessions, keys, ways in with a key; last what has only its time to go by.
        let (timed, others): (Vec<_>, Vec<_>) = pieces
            .into_iter()
            .partition(|(mark, _)| matches!(mark, Mark::Entered(_, key) if key.is_empty()));
        for (mark, piece) in others.into_iter().chain(timed) {
            group.add(mark, piece);
        }
        sessions.extend(group.sessions);
    }
    sessions.sort_by(|a, b| {
        (a.started, &a.principal, &a.name, a.refused, a.ended).cmp(&(
            b.started,
            &b.principal,
            &b.name,
            b.refused,
            b.ended,
        ))
    });
    link(&mut sessions);
    sessions
}

/// Collects the sessions of one principal under one name.
struct Group {
    principal: Principal,
    name: String,
    sessions: Vec<Session>,
}

impl Group {
    fn add(&mut self, mark: Mark, mut piece: Piece) {
        let Some((first, last)) = piece.span else {
            return;
        };
        let (place, started, temporary) = match &mark {
            Mark::Began(began) => (None, first.min(*began), true),
            Mark::Key(key, _) => (self.with_key(key), first, false),
            Mark::Entered(at, key) if key.is_empty() => (self.near(*at, |_| true), first, true),
            Mark::Entered(at, key) => {
                let place = self
                    .with_key(key)
                    .or_else(|| self.near(*at, |session| !session.entered));
                piece.access_keys.insert(key.clone());
                (place, first, true)
            }
            Mark::Refused(..) => (None, first, false),
        };
        let entered = matches!(&mark, Mark::Entered(_, key) if !key.is_empty());
        if let Some(session) = place.and_then(|place| self.sessions.get_mut(place)) {
            session.started = session.started.min(started);
            session.ended = session.ended.max(last);
            session.entered |= entered;
            session.piece.merge(piece);
            return;
        }
        self.sessions.push(Session {
            principal: self.principal.clone(),
            name: self.name.clone(),
            started,
            ended: last,
            refused: matches!(mark, Mark::Refused(..)),
            piece,
            temporary,
            entered,
            parent: None,
        });
    }

    fn with_key(&self, key: &str) -> Option<usize> {
        let mut sessions = self.sessions.iter();
        sessions.position(|session| session.piece.access_keys.contains(key))
    }

    fn near(&self, at: Timestamp, fits: impl Fn(&Session) -> bool) -> Option<usize> {
        self.sessions
            .iter()
            .enumerate()
            .filter(|(_, session)| session.temporary && !session.refused && fits(session))
            .map(|(number, session)| (distance(session.started, at), number))
            .filter(|(distance, _)| *distance <= SignedDuration::from_secs(NEAR))
            .min()
            .map(|(_, number)| number)
    }
}

fn distance(one: Timestamp, other: Timestamp) -> SignedDuration {
    one.duration_since(other).abs()
}

/// Finds the session that each came from: the one whose key made it, or else the caller's latest before it.
fn link(sessions: &mut [Session]) {
    let mut by_key: BTreeMap<&str, usize> = BTreeMap::new();
    let mut by_principal: BTreeMap<&Principal, Vec<usize>> = BTreeMap::new();
    for (number, session) in sessions.iter().enumerate() {
        if session.refused {
            continue;
        }
        for key in &session.piece.access_keys {
            by_key.entry(key).or_insert(number);
        }
        by_principal
            .entry(&session.principal)
            .or_default()
            .push(number);
    }
    let parents: Vec<Option<usize>> = sessions
        .iter()
        .enumerate()
        .map(|(number, session)| {
            let before = |parent: &usize| {
                let parent = sessions.get(*parent);
                parent.is_some_and(|parent| parent.started <= session.started)
            };
            session.piece.callers.iter().find_map(|caller| {
                let keyed = by_key.get(caller.access_key.as_str()).copied();
                keyed.filter(|parent| *parent != number).or_else(|| {
                    let own = by_principal.get(caller.principal.as_ref()?)?;
                    own.iter()
                        .rev()
                        .find(|parent| **parent != number && before(parent))
                        .copied()
                })
            })
        })
        .collect();
    for (session, parent) in sessions.iter_mut().zip(&parents) {
        session.parent = *parent;
    }
    break_loops(sessions);
}

/// Drops links that lead back to where they came from, which only made-up records can have.
fn break_loops(sessions: &mut [Session]) {
    for number in 0..sessions.len() {
        let mut seen = BTreeSet::from([number]);
        let mut at = number;
        while let Some(parent) = sessions.get(at).and_then(|session| session.parent) {
            if !seen.insert(parent) {
                if let Some(session) = sessions.get_mut(at) {
                    session.parent = None;
                }
                break;
            }
            at = parent;
        }
    }
}

impl Session {
    /// Tells who used it: the user of the sessions it came from, or else as much as the records say.
    pub(super) fn who(&self, sessions: &[Session], users: &BTreeSet<String>) -> String {
        if self.principal.kind == PrincipalKind::User {
            return self.principal.name.clone();
        }
        let parent = self.parent.and_then(|parent| sessions.get(parent));
        if let Some(parent) = parent {
            return parent.who(sessions, users);
        }
        // The user's own side of the same call knows the name; the other side has an id only.
        let callers = self.piece.callers.iter();
        let named = callers
            .clone()
            .find(|caller| caller.principal.is_some())
            .or_else(|| callers.clone().find(|caller| caller.name.contains(':')))
            .or_else(|| callers.clone().next());
        // In the console, the session's name is the user's.
        let console = || users.get(&self.name).cloned();
        match named {
            Some(caller) if caller.principal.is_some() || caller.name.starts_with("arn:") => {
                caller.name.clone()
            }
            other => console()
                .or_else(|| other.map(|caller| caller.name.clone()))
                .or_else(|| self.piece.source_identities.first().cloned())
                .unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
