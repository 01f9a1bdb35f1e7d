//! MFA devices: what kind of thing each is, whether it counts, and the record of those that a user had.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sha256;

/// The tag in which an apply records which MFA devices a user had.
pub const DEVICES_TAG: &str = "breakglass:mfa";

/// Describes an MFA device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MfaDevice {
    /// When it was enabled.
    #[schemars(with = "String")]
    pub enabled: Timestamp,
    /// What a FIDO device is certified for, such as `FIDO: L1`; a passkey that is synced has the same kind of serial
    /// and no certification.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub certifications: BTreeMap<String, String>,
}

/// Names a kind of MFA device that a spec can ask for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MfaKind {
    /// A FIDO2 security key.
    Fido2,
    /// A hardware token that shows codes.
    HardwareTotp,
    /// An app that shows codes.
    VirtualTotp,
}

/// Names a level of the FIDO Alliance's certification, the lowest first.
///
/// Source: IAM condition key `iam:FIDO-certification`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum FidoLevel {
    /// Level 1.
    L1,
    /// Level 1+.
    #[serde(rename = "L1plus")]
    L1Plus,
    /// Level 2.
    L2,
    /// Level 2+.
    #[serde(rename = "L2plus")]
    L2Plus,
    /// Level 3.
    L3,
    /// Level 3+.
    #[serde(rename = "L3plus")]
    L3Plus,
}

impl FidoLevel {
    /// The level as AWS writes it, such as `L1plus`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L1Plus => "L1plus",
            Self::L2 => "L2",
            Self::L2Plus => "L2plus",
            Self::L3 => "L3",
            Self::L3Plus => "L3plus",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            Self::L1,
            Self::L1Plus,
            Self::L2,
            Self::L2Plus,
            Self::L3,
            Self::L3Plus,
        ]
        .into_iter()
        .find(|level| level.as_str().eq_ignore_ascii_case(text))
    }
}

/// Tells what kind of thing an MFA device is, as far as AWS shows it.
///
/// Source: IAM User Guide, "MFA device serial numbers", and IAM API reference, `GetMFADevice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceKind {
    /// A hardware token that shows codes: its serial is no ARN.
    HardwareTotp,
    /// A FIDO device with certifications, and its level among those of FIDO itself.
    CertifiedFido(Option<FidoLevel>),
    /// A FIDO device without any: a key that nobody certified, or a passkey, which may be synced.
    UncertifiedFido,
    /// An app that shows codes.
    VirtualTotp,
    /// Codes by SMS.
    Sms,
    /// Something that this version does not know.
    Unknown,
}

impl DeviceKind {
    /// Classifies a device.
    #[must_use]
    pub fn of(serial: &str, device: &MfaDevice) -> Self {
        match resource(serial) {
            None => Self::HardwareTotp,
            Some(resource) if resource.starts_with("mfa/") => Self::VirtualTotp,
            Some(resource) if resource.starts_with("sms-mfa/") => Self::Sms,
            Some(resource) if resource.starts_with("u2f/") => {
                if device.certifications.is_empty() {
                    Self::UncertifiedFido
                } else {
                    let level = device.certifications.get("FIDO");
                    Self::CertifiedFido(level.and_then(|level| FidoLevel::parse(level)))
                }
            }
            Some(_) => Self::Unknown,
        }
    }

    /// The kind in the words of a spec; none for what no spec can ask for.
    fn kind(&self) -> Option<MfaKind> {
        match self {
            Self::HardwareTotp => Some(MfaKind::HardwareTotp),
            Self::CertifiedFido(_) | Self::UncertifiedFido => Some(MfaKind::Fido2),
            Self::VirtualTotp => Some(MfaKind::VirtualTotp),
            Self::Sms | Self::Unknown => None,
        }
    }

    /// The kind for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::HardwareTotp => "hardware TOTP".to_owned(),
            Self::CertifiedFido(Some(level)) => format!("FIDO, certified {}", level.as_str()),
            Self::CertifiedFido(None) => "FIDO, certified, but for no level of FIDO".to_owned(),
            Self::UncertifiedFido => "uncertified FIDO or passkey".to_owned(),
            Self::VirtualTotp => "virtual".to_owned(),
            Self::Sms => "SMS".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// The resource of an IAM ARN; none for a serial that is no ARN.
fn resource(serial: &str) -> Option<&str> {
    serial
        .strip_prefix("arn:")
        .map(|rest| rest.splitn(5, ':').nth(4).unwrap_or_default())
}

/// The serial of a device as addresses write it: without what every ARN of the account begins with.
#[must_use]
pub fn device_name(serial: &str) -> &str {
    resource(serial).unwrap_or(serial)
}

/// Says which MFA devices a user must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaRule {
    /// How many that count.
    pub at_least: usize,
    /// The kinds that count; every kind but SMS when empty.
    pub kinds: BTreeSet<MfaKind>,
    /// The lowest level that a FIDO device must prove; any when absent.
    pub fido_certification: Option<FidoLevel>,
}

impl MfaRule {
    /// Says why a device is not allowed; `None` when it counts. What is not proven does not count.
    #[must_use]
    pub fn refusal(&self, kind: &DeviceKind) -> Option<String> {
        let Some(named) = kind.kind() else {
            return Some(format!("{} is never allowed", kind.words()));
        };
        if !self.kinds.is_empty() && !self.kinds.contains(&named) {
            return Some(format!("{} is not among the kinds", kind.words()));
        }
        let floor = self.fido_certification?;
        match kind {
            DeviceKind::UncertifiedFido | DeviceKind::CertifiedFido(None) => Some(format!(
                "it does not prove FIDO certification {}",
                floor.as_str()
            )),
            DeviceKind::CertifiedFido(Some(level)) if *level < floor => Some(format!(
                "it is certified {}, below {}",
                level.as_str(),
                floor.as_str()
            )),
            DeviceKind::CertifiedFido(Some(_))
            | DeviceKind::HardwareTotp
            | DeviceKind::VirtualTotp
            | DeviceKind::Sms
            | DeviceKind::Unknown => None,
        }
    }
}

/// Writes which devices a user has as [`DEVICES_TAG`] records it; `None` for none.
///
/// Each is its kind and a digest of its serial: eight of them, the most a user can have, fit the 256 characters of a
/// tag, which serials don't.
#[must_use]
pub fn device_record(devices: &BTreeMap<String, MfaDevice>) -> Option<String> {
    let entries: BTreeSet<String> = devices.keys().map(|serial| device_entry(serial)).collect();
    let entries: Vec<String> = entries.into_iter().collect();
    (!entries.is_empty()).then(|| entries.join(" "))
}

/// Writes one device as [`DEVICES_TAG`] records it, such as `fido:0a1b2c3d4e5f`.
#[must_use]
pub fn device_entry(serial: &str) -> String {
    let kind = match resource(serial) {
        None => "totp",
        Some(resource) if resource.starts_with("u2f/") => "fido",
        Some(resource) if resource.starts_with("mfa/") => "virtual",
        Some(_) => "other",
    };
    let digest = sha256(serial.as_bytes());
    let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
    let digest: String = digest.chars().take(12).collect();
    format!("{kind}:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "arn:aws:iam::222233334444";

    fn device(certifications: &[(&str, &str)]) -> MfaDevice {
        MfaDevice {
            enabled: Timestamp::UNIX_EPOCH,
            certifications: certifications
                .iter()
                .map(|(name, level)| ((*name).to_owned(), (*level).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn devices_are_classified_and_held_against_the_rule() {
        let rule = |kinds: &[MfaKind], floor| MfaRule {
            at_least: 1,
            kinds: kinds.iter().copied().collect(),
            fido_certification: floor,
        };
        let hardware = [MfaKind::Fido2, MfaKind::HardwareTotp];
        let strict = rule(&hardware, Some(FidoLevel::L1Plus));
        let open = rule(&[], None);
        let fido = format!("{ACCOUNT}:u2f/user/bg-alice/key-AB");
        let in_china = "arn:aws-cn:iam::222233334444:u2f/user/bg-alice/key-AB".to_owned();
        let app = format!("{ACCOUNT}:mfa/bg-alice");
        let sms = format!("{ACCOUNT}:sms-mfa/bg-alice");
        let other = format!("{ACCOUNT}:new/bg-alice");
        for (serial, certifications, words, by_strict, by_open) in [
            ("GAHT12345678", &[][..], "hardware TOTP", true, true),
            (&fido, &[("FIDO", "L2")], "FIDO, certified L2", true, true),
            (
                &in_china,
                &[("FIDO", "L1plus")],
                "FIDO, certified L1plus",
                true,
                true,
            ),
            (&fido, &[("FIDO", "L1")], "FIDO, certified L1", false, true),
            (
                &fido,
                &[("FIPS-140-2", "L2")],
                "FIDO, certified, but for no level of FIDO",
                false,
                true,
            ),
            (&fido, &[], "uncertified FIDO or passkey", false, true),
            (&app, &[], "virtual", false, true),
            (&sms, &[], "SMS", false, false),
            (&other, &[], "unknown", false, false),
        ] {
            let kind = DeviceKind::of(serial, &device(certifications));
            assert_eq!(kind.words(), words, "{serial}");
            assert_eq!(strict.refusal(&kind).is_none(), by_strict, "{words}");
            assert_eq!(open.refusal(&kind).is_none(), by_open, "{words}");
        }
    }

    #[test]
    fn a_record_fits_a_tag_and_changes_with_every_device() {
        let serial = |number: usize| format!("{ACCOUNT}:mfa/device-{number}");
        let devices = |numbers: &[usize]| -> BTreeMap<String, MfaDevice> {
            let numbers = numbers.iter();
            numbers
                .map(|number| (serial(*number), device(&[])))
                .collect()
        };
        let all = device_record(&devices(&[0, 1, 2, 3, 4, 5, 6, 7])).unwrap();
        assert!(all.len() <= 256, "{all}");
        assert_eq!(all.split(' ').count(), 8);
        assert!(
            all.split(' ')
                .any(|entry| entry == device_entry(&serial(3)))
        );
        assert_ne!(device_record(&devices(&[0])), device_record(&devices(&[1])));
        assert_eq!(device_record(&devices(&[])), None);
    }
}
