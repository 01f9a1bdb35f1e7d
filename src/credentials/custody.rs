//! Who keeps a user's password, as the spec says.

use super::Recipients;
use crate::spec::{Problem, User, element, entry};

/// Says to whom the password of a user is sealed.
pub struct Custody {
    /// The user.
    pub user: String,
    /// Who keeps the password.
    pub custodian: String,
    /// The custodian's public keys, as the spec has them.
    pub keys: Vec<String>,
    /// The same, ready to be sealed to.
    pub recipients: Recipients,
}

/// Finds to whom the password of a user is sealed, by the user's number in the spec.
///
/// # Errors
/// The place in the spec that stands in the way: the user has no password, or nobody whom it could be sealed to.
pub fn custody(index: usize, user: &User) -> Result<Custody, Problem> {
    let at = element("users", index);
    let name = &user.name;
    if !user.console {
        return Err(Problem::error(
            entry(&at, "console"),
            format!("{name} has no password: the spec says `console: false`"),
        ));
    }
    let password = entry(&entry(&at, "custodians"), "password");
    let custodian = user.custodians.as_ref().map(|both| &both.password);
    let Some(custodian) = custodian.filter(|custodian| !custodian.recipients.is_empty()) else {
        let at = custodian.map_or(at, |_| password);
        return Err(Problem::error(
            at,
            format!("the password of {name} can't be sealed: its custodian has no public key"),
        )
        .hint("write password: { name: NAME, recipients: [\"age1…\"] }, with a key from `age-keygen` or an SSH public key"));
    };
    let recipients = Recipients::parse(&custodian.recipients).map_err(|error| {
        let list = entry(&password, "recipients");
        Problem::error(element(&list, error.index), error.to_string())
    })?;
    Ok(Custody {
        user: name.clone(),
        custodian: custodian.name.clone(),
        keys: custodian.recipients.clone(),
        recipients,
    })
}
