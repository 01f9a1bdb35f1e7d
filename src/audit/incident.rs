//! Which incidents a use belongs to.

use jiff::Timestamp;

use super::join::Session;
use super::watch::PrincipalKind;
use crate::spec::IncidentRecord;

/// Says how a use stands to the incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Match<'a> {
    /// The incidents that it belongs to.
    pub(super) incidents: Vec<&'a IncidentRecord>,
    /// Whether the incident that it names does not cover it.
    pub(super) outside_scope: bool,
    /// Whether no incident was open all the while.
    pub(super) outside_window: bool,
}

/// Matches a use with the incidents: by the id in its names, or else by time, account, role and user.
pub(super) fn match_use<'a>(
    session: &Session,
    who: &str,
    incidents: &'a [IncidentRecord],
) -> Match<'a> {
    let named = named(session, incidents);
    let covers = |incident: &&IncidentRecord| covers(incident, session, who);
    if named.is_empty() {
        let open: Vec<_> = incidents
            .iter()
            .filter(|incident| overlaps(incident, session))
            .filter(covers)
            .collect();
        let whole: Vec<_> = open
            .iter()
            .copied()
            .filter(|incident| contains(incident, session))
            .collect();
        let outside_window = !open.is_empty() && whole.is_empty();
        return Match {
            incidents: if whole.is_empty() { open } else { whole },
            outside_scope: false,
            outside_window,
        };
    }
    Match {
        outside_scope: !named.iter().any(covers),
        outside_window: !named.iter().any(|incident| contains(incident, session)),
        incidents: named,
    }
}

/// Finds the incidents whose ids stand in the session's name or source identity, the longest where one holds another.
fn named<'a>(session: &Session, incidents: &'a [IncidentRecord]) -> Vec<&'a IncidentRecord> {
    let texts: Vec<&str> = std::iter::once(session.name.as_str())
        .chain(session.piece.source_identities.iter().map(String::as_str))
        .collect();
    let found: Vec<_> = incidents
        .iter()
        .filter(|incident| texts.iter().any(|text| has_token(text, &incident.id)))
        .collect();
    let part_of_other = |one: &IncidentRecord| {
        found
            .iter()
            .any(|other| other.id.len() > one.id.len() && has_token(&other.id, &one.id))
    };
    found
        .iter()
        .copied()
        .filter(|incident| !part_of_other(incident))
        .collect()
}

/// Tells whether an id stands in a text by itself: `INC-1` is in `alice.inc-1`, not in `INC-12`.
fn has_token(text: &str, id: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let id = id.to_ascii_lowercase();
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, id.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        alone(before) && alone(bytes.get(at + id.len()))
    })
}

fn covers(incident: &IncidentRecord, session: &Session, who: &str) -> bool {
    let has = |list: &Option<Vec<String>>, name: &str| {
        list.as_ref()
            .is_none_or(|list| list.iter().any(|one| one.eq_ignore_ascii_case(name)))
    };
    let account = || {
        let accounts = incident.accounts.as_ref();
        accounts.is_none_or(|accounts| accounts.contains(&session.principal.account))
    };
    match session.principal.kind {
        // A user of the emergency account is used to get into the accounts that the incident is about.
        PrincipalKind::User => has(&incident.users, &session.principal.name),
        PrincipalKind::Role => {
            account() && has(&incident.roles, &session.principal.name) && has(&incident.users, who)
        }
        // An incident that names roles or users means these, and root only when it says so.
        PrincipalKind::Root => {
            let named = incident.users.is_some() || incident.roles.is_some();
            account() && (!named || incident.users.is_some() && has(&incident.users, "root"))
        }
    }
}

fn end(incident: &IncidentRecord) -> Timestamp {
    incident.closed.unwrap_or(Timestamp::MAX)
}

fn overlaps(incident: &IncidentRecord, session: &Session) -> bool {
    incident.opened <= session.ended && session.started <= end(incident)
}

fn contains(incident: &IncidentRecord, session: &Session) -> bool {
    incident.opened <= session.started && session.ended <= end(incident)
}

#[cfg(test)]
mod tests {
    use super::has_token;

    #[test]
    fn an_id_stands_by_itself() {
        for (text, id, expected) in [
            ("INC-1", "INC-1", true),
            ("alice.inc-1", "INC-1", true),
            ("INC-1_alice", "INC-1", true),
            ("INC-12", "INC-1", false),
            ("XINC-1", "INC-1", false),
            ("INC-12,INC-1", "INC-1", true),
            ("", "INC-1", false),
        ] {
            assert_eq!(has_token(text, id), expected, "{text} {id}");
        }
    }
}
