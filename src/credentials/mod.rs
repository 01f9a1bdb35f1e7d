//! Passwords: made at random, sealed to whoever keeps them, and set, in an order that no crash can spoil.
//!
//! A password exists in clear only in memory, between [`generate`] and [`Recipients::seal`] and the call that sets it.
//! [`Store`] holds the sealed files and a record of what was tried: AWS does not tell later whether it took a password.

mod custody;
mod issue;
mod password;
mod record;
mod seal;
mod store;
#[cfg(test)]
mod tests;

pub use custody::{Custody, custody};
pub use issue::{Outcome, issue, mark_password};
pub use password::{Randomness, generate};
pub use record::{Record, Sealing};
pub use seal::{Recipients, WrongRecipient};
pub use store::{Leftover, Store, StoreError};
