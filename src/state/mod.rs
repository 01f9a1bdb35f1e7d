//! The state of accounts: what they hold, what they shall hold, and what an operation changes.
//!
//! Pure data and a pure model. [`Inventory`] is live state, [`Desired`] the spec resolved for one account; `plan`
//! compares the two. [`Operation`] and [`Inventory::apply`] stand here, beside the state they change, so that plans,
//! the snapshot backend and the AWS backend share one meaning. [`Guardrails`] are the organization's own, with
//! operations and a model of theirs.

mod address;
mod desired;
mod fingerprint;
mod guardrails;
mod inventory;
mod operation;
mod resource;
mod revocation;
mod snapshot;
mod text;

pub use address::{Address, ResourceType};
pub use desired::{Desired, DesiredPolicy, DesiredUser, Origin, Wanted};
pub use fingerprint::{Fingerprint, sha256};
pub use guardrails::{
    DesiredException, DesiredGuardrails, ExceptedRole, ExceptedUser, Exemption, ExemptionEdit,
    GuardrailError, GuardrailKind, GuardrailLevel, GuardrailOperation, GuardrailPolicy, Guardrails,
    PolicyReference,
};
pub use inventory::{Inventory, ModelError, Others, ReadScope};
pub use operation::Operation;
pub use resource::{
    OWNERSHIP_TAG, OWNERSHIP_VALUE, Policy, Principal, Resource, ResourceKey, Role, Tags, User,
    is_owned, own_tags,
};
pub use revocation::{LONGEST_USER_SESSION, REVOKED_SESSIONS, Revocation};
pub use snapshot::{Reading, Snapshot};
pub use text::PolicyText;
