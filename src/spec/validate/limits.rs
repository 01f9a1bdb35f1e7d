//! The limits of AWS that can be checked offline, but for the sizes of policies, which `policy` knows.

/// The longest name of a user or role. Source: "IAM and AWS STS quotas".
pub(super) const NAME: usize = 64;
/// The longest name of a managed or inline policy. Source: "IAM and AWS STS quotas".
pub(super) const POLICY_NAME: usize = 128;
/// The longest path and name of a role together that the console can switch to. Source: IAM API, `CreateRole`.
pub(super) const SWITCHABLE_ROLE: usize = 64;
/// The longest description of a role or policy. Source: IAM API, `CreateRole`, `CreatePolicy`.
pub(super) const DESCRIPTION: usize = 1_000;
/// The shortest and longest `MaxSessionDuration` in seconds. Source: IAM API, `CreateRole`.
pub(super) const SESSION: std::ops::RangeInclusive<u64> = 3_600..=43_200;
/// The longest name of a session. Source: STS API, `AssumeRole`.
pub(super) const SESSION_NAME: usize = 64;
/// The length of an external id. Source: STS API, `AssumeRole`.
pub(super) const EXTERNAL_ID: std::ops::RangeInclusive<usize> = 2..=1_224;
/// The managed policies of a user or role; can be raised. Source: "IAM and AWS STS quotas".
pub(super) const MANAGED_POLICIES: usize = 10;
/// The MFA devices of a user. Source: "IAM and AWS STS quotas".
pub(super) const MFA_DEVICES: u32 = 8;
/// The tags of one object, and of these one that breakglass sets itself. Source: "IAM and AWS STS quotas".
pub(super) const TAGS: usize = 50;
/// The longest key of a tag. Source: IAM API, `Tag`.
pub(super) const TAG_KEY: usize = 128;
/// The longest value of a tag. Source: IAM API, `Tag`.
pub(super) const TAG_VALUE: usize = 256;
