//! After an incident: new passwords, no session left alive, and what is not as the spec says.
//!
//! Passwords come first, so that nobody can sign in with an old one any more. Then everything is denied to sessions of
//! the users and of the roles that began before a time a little ahead, in which what was written reaches all of IAM. A
//! record holds that time: run again, whatever is done already is found done, and nothing is done twice.

mod exceptions;
mod record;
mod report;
mod run;

pub use exceptions::{Ending, end_exceptions, open_exceptions};
pub use record::{ClosingRecord, read_record, write_record};
pub use report::{
    CLOSE_FORMAT, CloseOutcome, CloseReport, CloseStep, OpenException, StepKind, StepStatus,
};
pub use run::{CloseRequest, Target, close};
