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
    /// When it began, where its own records say so.
    began: Option<Timestamp>,
    /// Whether the call that gave out its own access key is among the records.
    owned: bool,
    /// Whether that call was joined to it.
    entered: bool,
    /// Where the sign-ins and switches came from that were joined to it.
    signed_in: BTreeSet<String>,
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
        sessions.extend(Group::of(principal, name, pieces).sessions);
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
    /// The access keys that calls among the records gave out.
    given: BTreeSet<String>,
    sessions: Vec<Session>,
}

impl Group {
    /// Joins pieces in this order: what has a key that was given out, what says when it began, keys and calls that gave
    /// them out; last what has only its time to go by, and of that first what comes from a session's own address.
    fn of(principal: Principal, name: String, pieces: Vec<(Mark, Piece)>) -> Self {
        let given = pieces.iter().filter_map(|(mark, _)| match mark {
            Mark::Entered(_, key) => Some(key.clone()),
            _ => None,
        });
        let mut group = Self {
            principal,
            name,
            given: given.collect(),
            sessions: Vec::new(),
        };
        let (timed, others): (Vec<_>, Vec<_>) = pieces
            .into_iter()
            .partition(|(mark, _)| matches!(mark, Mark::SignedIn(..)));
        let (owned, others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|(mark, _)| group.is_owned(mark));
        for (mark, piece) in owned.into_iter().chain(others) {
            group.add(mark, piece);
        }
        let (at_home, elsewhere): (Vec<_>, Vec<_>) =
            timed.into_iter().partition(|(mark, piece)| match mark {
                Mark::SignedIn(at, address, _) => group
                    .near(*at, piece, |session| {
                        session.piece.addresses.contains(address)
                    })
                    .is_some(),
                _ => false,
            });
        for (mark, piece) in at_home.into_iter().chain(elsewhere) {
            group.add(mark, piece);
        }
        group
    }

    fn is_owned(&self, mark: &Mark) -> bool {
        matches!(mark, Mark::Began(_, key) if self.given.contains(key))
    }

    fn add(&mut self, mark: Mark, mut piece: Piece) {
        let Some((first, last)) = piece.span else {
            return;
        };
        let owned = self.is_owned(&mark);
        let (place, started, temporary) = match &mark {
            Mark::Began(began, key) => {
                piece
                    .access_keys
                    .extend(Some(key.clone()).filter(|key| !key.is_empty()));
                let place = if owned {
                    self.with_key(key)
                } else {
                    self.begun(*began, &piece)
                };
                (place, first.min(*began), true)
            }
            Mark::Key(key, _) => (self.with_key(key), first, false),
            Mark::Entered(at, key) => {
                let place = self.with_key(key).or_else(|| {
                    self.near(*at, &piece, |session| !session.entered && !session.owned)
                });
                piece.access_keys.insert(key.clone());
                (place, first, true)
            }
            Mark::SignedIn(at, address, _) => {
                let place = self.near(*at, &piece, |session| {
                    let before = &session.signed_in;
                    let fits = before.is_empty() || before.contains(address);
                    fits && !session.entered && !session.owned
                });
                (place, first, true)
            }
            Mark::Refused(..) => (None, first, false),
        };
        let entered = matches!(mark, Mark::Entered(..));
        let signed_in = match &mark {
            Mark::SignedIn(_, address, _) => Some(address.clone()),
            _ => None,
        };
        if let Some(session) = place.and_then(|place| self.sessions.get_mut(place)) {
            if entered && session.entered {
                // A key is given out once, though two accounts tell of it.
                piece.entries = 0;
            }
            session.started = session.started.min(started);
            session.ended = session.ended.max(last);
            session.owned |= owned;
            session.entered |= entered;
            session.signed_in.extend(signed_in);
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
            began: match mark {
                Mark::Began(began, _) => Some(began),
                _ => None,
            },
            owned,
            entered,
            signed_in: signed_in.into_iter().collect(),
            parent: None,
        });
    }

    fn with_key(&self, key: &str) -> Option<usize> {
        let mut sessions = self.sessions.iter();
        sessions.position(|session| session.piece.access_keys.contains(key))
    }

    /// Finds the session that began at a time: the console and services use several keys in one session.
    fn begun(&self, began: Timestamp, piece: &Piece) -> Option<usize> {
        self.sessions.iter().position(|session| {
            session.began == Some(began) && !session.piece.differs_in_mfa(piece)
        })
    }

    fn near(&self, at: Timestamp, piece: &Piece, fits: impl Fn(&Session) -> bool) -> Option<usize> {
        self.sessions
            .iter()
            .enumerate()
            .filter(|(_, session)| session.temporary && !session.refused && fits(session))
            .filter(|(_, session)| !session.piece.differs_in_mfa(piece))
            .map(|(number, session)| {
                let elsewhere = !session.piece.addresses.meets(&piece.addresses);
                (elsewhere, distance(session.started, at), number)
            })
            .filter(|(_, distance, _)| *distance <= SignedDuration::from_secs(NEAR))
            .min()
            .map(|(_, _, number)| number)
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
