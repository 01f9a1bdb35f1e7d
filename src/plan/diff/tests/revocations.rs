//! The policy that ended sessions is expected while such a session may be alive, and left over afterwards.

use super::*;
use crate::policy::Access;

/// Inline policies with one that ended sessions so many hours before noon.
fn revoked(hours: i64) -> BTreeMap<String, PolicyText> {
    let cutoff = NOON - SignedDuration::from_hours(hours);
    BTreeMap::from([(
        REVOKED_SESSIONS.to_owned(),
        Revocation { cutoff }.document(),
    )])
}

fn role_with(inline_policies: BTreeMap<String, PolicyText>, max_session: u32) -> Role {
    Role {
        inline_policies,
        max_session,
        ..role()
    }
}

#[test]
fn on_a_role_it_stays_for_the_longer_of_both_sessions() {
    let desired = want_role(role_with(BTreeMap::new(), 3_600));
    for (hours, live_session, expected) in [
        (0, 3_600, true),
        (1, 3_600, false),
        (1, 7_200, true),
        (2, 7_200, false),
    ] {
        let live = have_role("Admin", role_with(revoked(hours), live_session));
        let changes = changes(&desired, &live);
        let fields = changes.iter().flat_map(|change| &change.fields);
        let told = fields
            .filter(|field| field.path.contains(REVOKED_SESSIONS))
            .count();
        assert_eq!(told == 0, expected, "{hours} h, {live_session} s");
    }
}

#[test]
fn on_a_user_it_stays_for_36_hours() {
    let with = |inline_policies| User {
        inline_policies,
        ..user()
    };
    let desired = want_user(with(BTreeMap::new()), false, false);
    assert_eq!(changes(&desired, &have_user(with(revoked(35)))), []);
    let change = only_change(&desired, &have_user(with(revoked(36))));
    let removed = Operation::DeleteInlinePolicy {
        principal: crate::state::Principal::User("alice".to_owned()),
        name: REVOKED_SESSIONS.to_owned(),
    };
    assert_eq!(change.operations.len(), 1);
    assert_eq!(change.operations[0].operation, removed);
    assert_eq!(change.access, Access::Broader);
}

#[test]
fn a_policy_of_the_name_that_says_something_else_is_a_difference() {
    let inline = BTreeMap::from([(REVOKED_SESSIONS.to_owned(), PolicyText::new(ALLOW))]);
    let desired = want_role(role_with(BTreeMap::new(), 3_600));
    let live = have_role("Admin", role_with(inline, 3_600));
    assert_eq!(changes(&desired, &live).len(), 1);
}
