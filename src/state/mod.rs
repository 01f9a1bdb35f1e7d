//! The state of accounts: what they hold, what they shall hold, and what an operation changes.
//!
//! Pure data and a pure model. [`Inventory`] is live state, [`Desired`] the spec resolved for one account; `plan`
//! compares the two. [`Operation`] and [`Inventory::apply`] stand here, beside the state they change, so that plans,
//! the snapshot backend and the AWS backend share one meaning. [`Guardrails`] are the organization's own, with
//! operations and a model of theirs.

mod address;
mod alerts;
mod desired;
mod devices;
mod fingerprint;
mod guardrails;
mod inventory;
mod operation;
mod pattern;
mod people;
mod resource;
mod revocation;
mod root;
mod snapshot;
mod text;

pub use address::{Address, ROOT_USER, ResourceType};
pub use alerts::{
    ALARM, ALERT_PREFIX, ALL_EVENTS, AlarmSettings, AlertBus, AlertNames, AlertOperation,
    AlertResource, AlertRule, AlertScope, AlertTarget, AlertTopic, Alerts, Confirmation,
    DEFAULT_BUS, DRILL_SOURCE, DesiredAlerts, DrillEvent, EVENTS_ROLE, EventPattern, Hub,
    InputTransformer, Metric, MetricAlarm, MetricFilter, NeededTrail, RULE_MARK, Trail, USE_METRIC,
    regional, split_regional, split_rule,
};
pub use desired::{Desired, DesiredPolicy, DesiredUser, Origin, Paths, Wanted};
pub use devices::{
    DEVICES_TAG, DeviceKind, FidoLevel, MfaDevice, MfaKind, MfaRule, device_entry, device_name,
    device_record,
};
pub use fingerprint::{Fingerprint, sha256};
pub use guardrails::{
    DesiredException, DesiredGuardrails, DesiredProtection, ExceptedRole, ExceptedUser, Exemption,
    ExemptionEdit, GuardrailError, GuardrailKind, GuardrailLevel, GuardrailOperation,
    GuardrailPolicy, Guardrails, PolicyReference, protection,
};
pub use inventory::{Inventory, ModelError, Others, ReadScope};
pub use operation::Operation;
pub use pattern::AddressPattern;
pub use people::{KeyUse, PASSWORD_TAG, Password, PasswordExpiry, People, Person, password_mark};
pub use resource::{
    OWNERSHIP_TAG, OWNERSHIP_VALUE, Policy, Principal, Resource, ResourceKey, Role, Tags, User,
    is_owned, own_tags,
};
pub use revocation::{LONGEST_USER_SESSION, REVOCATION_LEAD, REVOKED_SESSIONS, Revocation};
pub use root::{DesiredRoot, RootAccess, RootCredentials, RootFeature, RootScope};
pub use snapshot::{Reading, Snapshot};
pub use text::PolicyText;
