//! Whether a change comes from the present change of the spec, or was so already.

use super::{Action, Cause, Change, Field};
use crate::policy::Access;
use crate::state::Address;

/// Says of each change whether it comes from the change of the spec, given what the spec asked for before it.
///
/// A change was so already when the spec asked for just the same before. Returns the existing objects to which the
/// change of the spec gives broader access; putting drift back is not that.
pub fn attribute(changes: &mut [Change], before: &[Change]) -> Vec<Address> {
    let mut widened = Vec::new();
    for change in changes {
        let same = before.iter().find(|earlier| {
            earlier.address == change.address
                && earlier.action == change.action
                && (earlier.adoption, earlier.replacement) == (change.adoption, change.replacement)
        });
        let asked_before = same.map_or(&[][..], |earlier| &earlier.fields);
        let own: Vec<&Field> = change
            .fields
            .iter()
            .filter(|field| !asked_before.contains(field))
            .collect();
        if same.is_some() && own.is_empty() {
            change.cause = Cause::Live;
            continue;
        }
        change.cause = Cause::Spec;
        let widens = own.iter().any(|field| is_broader(field.access))
            || (same.is_none() && is_broader(change.access));
        if widens && change.action == Action::Update {
            widened.push(change.address.clone());
        }
    }
    widened
}

fn is_broader(access: Access) -> bool {
    matches!(access, Access::Broader | Access::Both)
}
