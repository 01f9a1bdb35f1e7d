//! The comparison of MFA devices: which there are, which the spec wants, and which the last apply saw.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::by_hand::{CONFIRM, open_user, shell_word};
use super::difference::Difference;
use super::{Differ, Finding, key};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{
    DEVICES_TAG, DesiredUser, DeviceKind, MfaDevice, MfaKind, MfaRule, ResourceType, Tags, User,
    Wanted, device_entry, device_name, device_record,
};

/// A user's devices by serial.
type Devices = BTreeMap<String, MfaDevice>;

impl Differ<'_> {
    /// The devices of a user, none for one that is yet to be made; `None` when they were not read.
    fn devices(&self, user: &str) -> Option<Devices> {
        let people = self.live.people.as_ref()?;
        let person = people.users.get(user);
        Some(
            person
                .map(|person| person.mfa_devices.clone())
                .unwrap_or_default(),
        )
    }

    /// Wants the record of devices to be of those there are. Where devices are not checked, it stays as it is.
    pub(super) fn want_device_record(
        &self,
        user: &str,
        (spec, live): (&mut Tags, &User),
        rule: Option<&MfaRule>,
    ) {
        let record = match (rule, self.devices(user)) {
            (Some(_), Some(devices)) => device_record(&devices),
            _ => live.tags.get(DEVICES_TAG).cloned(),
        };
        spec.extend(record.map(|record| (DEVICES_TAG.to_owned(), record)));
    }

    /// Says which devices were added or went since they were last recorded, where the two records differ.
    pub(super) fn note_device_record(
        &self,
        user: &str,
        (live, spec): (&Tags, &Tags),
        difference: &mut Difference,
    ) {
        if live.get(DEVICES_TAG) == spec.get(DEVICES_TAG) {
            return;
        }
        let entries = |tags: &Tags| -> BTreeSet<String> {
            let record = tags
                .get(DEVICES_TAG)
                .map(String::as_str)
                .unwrap_or_default();
            record.split_whitespace().map(str::to_owned).collect()
        };
        let recorded = entries(live);
        let devices = self.devices(user).unwrap_or_default();
        let present: BTreeSet<String> = devices.keys().map(|serial| device_entry(serial)).collect();
        let added: Vec<String> = devices
            .iter()
            .filter(|(serial, _)| !recorded.contains(&device_entry(serial)))
            .map(|(serial, device)| describe(serial, device))
            .collect();
        let gone: Vec<String> = recorded.difference(&present).cloned().collect();
        let list = |what: &str, devices: Vec<String>| {
            (!devices.is_empty()).then(|| format!("{what} {}", devices.join(", ")))
        };
        let changes: Vec<String> = [list("added", added), list("gone", gone)]
            .into_iter()
            .flatten()
            .collect();
        difference.risk = difference.risk.max(Some(Risk::High));
        difference.notes.push(format!(
            "its MFA devices are not those that the last apply recorded: {}; applying this records those there are",
            changes.join("; ")
        ));
    }

    /// Compares a user's devices with what the spec asks for. Only a person can enrol one or hand it over.
    pub(super) fn mfa_devices(&mut self, name: &str, wanted: &Wanted<DesiredUser>) {
        let (Some(rule), Some(devices)) = (&wanted.value.mfa, self.devices(name)) else {
            return;
        };
        if self.takes_over(name, wanted).is_none() {
            return;
        }
        let is_left = |path: &str| self.is_left(ResourceType::MfaDevice, name, path);
        let mut difference = Difference::default();
        let (mut counted, mut refused) = (BTreeMap::new(), BTreeMap::new());
        for (serial, device) in &devices {
            let kind = DeviceKind::of(serial, device);
            match rule.refusal(&kind) {
                None => drop(counted.insert(serial, kind)),
                Some(_) if is_left(&format!("devices.{serial}")) => {}
                Some(why) => drop(refused.insert(serial, (describe(serial, device), why))),
            }
        }
        let mut reasons = Vec::new();
        let lacks_some = counted.len() < rule.at_least && !is_left("at_least");
        if lacks_some {
            difference
                .field("at_least", json!(counted.len()), json!(rule.at_least))
                .weigh(Risk::High, Access::None);
            reasons.push(format!(
                "it has {} of the {} devices that it shall have",
                counted.len(),
                rule.at_least
            ));
        }
        let lacks_totp = lacks_totp(rule, counted.values()) && !is_left("kinds.hardware_totp");
        if lacks_totp {
            difference
                .field("kinds.hardware_totp", json!(0), json!(1))
                .weigh(Risk::Medium, Access::None);
            reasons.push(
                "it has no hardware TOTP beside FIDO, which the command line can't use".to_owned(),
            );
        }
        for (serial, (words, why)) in &refused {
            difference
                .field(format!("devices.{serial}"), json!(words), json!(null))
                .weigh(Risk::High, Access::None);
            reasons.push(format!("{words} is not allowed: {why}"));
        }
        let mut steps = Vec::new();
        if lacks_some || lacks_totp {
            steps.push(open_user(self.context.partition, self.context.id, name));
            let what = if lacks_totp {
                "\"Hardware TOTP token\"".to_owned()
            } else {
                choices(rule)
            };
            steps.push(format!(
                "choose \"Assign MFA device\" and enrol what is missing as {what}"
            ));
        }
        for serial in refused.keys() {
            steps.push(removal(name, serial));
        }
        steps.push(CONFIRM.to_owned());
        steps.push("run `breakglass apply`, which records the devices there are".to_owned());
        let finding = Finding::new(Action::Manual, &wanted.origin)
            .because(reasons.join("; "))
            .steps(steps);
        self.record(&key(ResourceType::MfaDevice, name), finding, difference);
    }

    /// Finds virtual devices that nobody ever activated: whoever has the seed could still.
    pub(super) fn unactivated_devices(&mut self) {
        let Some(people) = &self.live.people else {
            return;
        };
        for serial in &people.unactivated_devices {
            let mut difference = Difference::default();
            difference
                .field("activated", json!(false), json!(null))
                .weigh(Risk::Medium, Access::None);
            let finding = Finding::by_hand().because("a virtual device that was never activated");
            let finding = finding.steps(vec![
                format!("unless someone is about to activate it, run `aws iam delete-virtual-mfa-device --serial-number {}`", shell_word(serial)),
                CONFIRM.to_owned(),
            ]);
            let key = key(ResourceType::MfaDevice, device_name(serial));
            self.record(&key, finding, difference);
        }
    }
}

/// Tells whether someone has FIDO devices only where one that shows codes shall be beside them: a hardware token, or
/// an app where every kind counts.
fn lacks_totp<'a>(rule: &MfaRule, counted: impl Iterator<Item = &'a DeviceKind>) -> bool {
    let (mut fido, mut codes) = (false, false);
    for kind in counted {
        match kind {
            DeviceKind::CertifiedFido(_) | DeviceKind::UncertifiedFido => fido = true,
            DeviceKind::HardwareTotp => codes = true,
            DeviceKind::VirtualTotp => codes |= rule.kinds.is_empty(),
            DeviceKind::Sms | DeviceKind::Unknown => {}
        }
    }
    let asked = rule.kinds.is_empty() || rule.kinds.contains(&MfaKind::HardwareTotp);
    asked && fido && !codes
}

fn describe(serial: &str, device: &MfaDevice) -> String {
    let kind = DeviceKind::of(serial, device);
    format!("{} ({})", device_name(serial), kind.words())
}

/// What the console calls the kinds that count.
fn choices(rule: &MfaRule) -> String {
    let certified = rule.fido_certification.map(|floor| {
        format!(
            " (a key that the FIDO Alliance has certified {} or higher)",
            floor.as_str()
        )
    });
    let certified = certified.unwrap_or_default();
    let names: Vec<String> = [
        (MfaKind::HardwareTotp, "Hardware TOTP token", ""),
        (MfaKind::Fido2, "Passkey or security key", &certified),
        (MfaKind::VirtualTotp, "Authenticator app", ""),
    ]
    .into_iter()
    .filter(|(kind, ..)| rule.kinds.is_empty() || rule.kinds.contains(kind))
    .map(|(_, name, more)| format!("\"{name}\"{more}"))
    .collect();
    names.join(" or ")
}

/// The step that takes a device away.
fn removal(user: &str, serial: &str) -> String {
    let word = shell_word(serial);
    let deactivate = format!(
        "once the others work, run `aws iam deactivate-mfa-device --user-name {user} --serial-number {word}`"
    );
    if device_name(serial).starts_with("mfa/") {
        format!("{deactivate}, then `aws iam delete-virtual-mfa-device --serial-number {word}`")
    } else {
        deactivate
    }
}
