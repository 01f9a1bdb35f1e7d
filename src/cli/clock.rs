//! The clock: the one place where time comes in.

use jiff::Timestamp;

/// The present time, in whole seconds: nothing here depends on less.
#[expect(
    clippy::disallowed_methods,
    reason = "everything else is given the time as a value"
)]
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
