//! The comparison of root users: what protects them, and what the organization manages of them centrally.

use serde_json::json;

use super::by_hand::{CONFIRM, open_root, open_root_access};
use super::difference::Difference;
use super::steps::Stage;
use super::{Differ, Finding, key};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{DesiredRoot, Operation, ROOT_USER, ResourceType, RootCredentials, RootFeature};

impl Differ<'_> {
    pub(super) fn root(&mut self) {
        let (Some(wanted), Some(live)) = (&self.desired.root, &self.live.root) else {
            return;
        };
        if let Some(on) = &live.features {
            for (feature, shall) in &wanted.features {
                self.root_feature(*feature, (on.contains(feature), *shall), wanted);
            }
        }
        if let Some(credentials) = &live.credentials {
            self.root_user(credentials, wanted);
        }
    }

    fn root_feature(
        &mut self,
        feature: RootFeature,
        (live, spec): (bool, bool),
        wanted: &DesiredRoot,
    ) {
        if live == spec {
            return;
        }
        let mut difference = Difference::default();
        difference
            .field("enabled", json!(live), json!(spec))
            .weigh(Risk::High, Access::None);
        let finding = if spec {
            difference.step(Stage::Label, Operation::EnableRootFeature { feature });
            Finding::new(Action::Update, &wanted.origin)
        } else {
            let call = match feature {
                RootFeature::CredentialsManagement => {
                    "disable-organizations-root-credentials-management"
                }
                RootFeature::RootSessions => "disable-organizations-root-sessions",
            };
            Finding::new(Action::Manual, &wanted.origin)
                .because(
                    "turning it off can leave member accounts without a way to their root user",
                )
                .steps(vec![
                    format!("with credentials of the management account, run `aws iam {call}`"),
                    CONFIRM.to_owned(),
                ])
        };
        let key = key(ResourceType::RootAccess, feature.as_str());
        self.record(&key, finding, difference);
    }

    fn root_user(&mut self, live: &RootCredentials, wanted: &DesiredRoot) {
        let RootCredentials {
            mfa,
            virtual_mfa,
            access_keys,
            signing_certificates,
            password,
        } = live;
        let mut difference = Difference::default();
        let mut reasons = Vec::new();
        let mut find = |path: &str, live: &str, spec: &str, reason: &str| {
            if self.is_left(ResourceType::RootAccess, ROOT_USER, path) {
                return;
            }
            difference
                .field(path, json!(live), json!(spec))
                .weigh(Risk::High, Access::None);
            reasons.push(reason.to_owned());
        };
        let no_keys = wanted.management || wanted.no_credentials;
        if no_keys && *access_keys {
            find("access_keys", "present", "none", "it has access keys");
        }
        if no_keys && *signing_certificates {
            let reason = "it has signing certificates";
            find("signing_certificates", "present", "none", reason);
        }
        if wanted.no_credentials && *password == Some(true) {
            find("password", "present", "none", "it has a password");
        }
        // The management account's root user can always get itself a password by mail.
        let signs_in = wanted.management || *password != Some(false);
        if wanted.mfa && !*mfa && signs_in {
            let reason = if password.is_some() || wanted.management {
                "it has no MFA device"
            } else {
                "it has no MFA device, and whether it has a password is not told"
            };
            find("mfa", "none", "required", reason);
        }
        if wanted.mfa && *virtual_mfa == Some(true) {
            let reason = "one of its MFA devices is virtual";
            find("mfa", "virtual", "not virtual", reason);
        }
        let context = self.context;
        let mut steps = Vec::new();
        if wanted.no_credentials {
            steps.push(open_root_access(context.partition));
            steps.push(format!(
                "choose account {}, \"Take privileged action\", then \"Delete root user credentials\"",
                context.id
            ));
        } else {
            steps.push(open_root(context.partition, context.id));
            if *access_keys || *signing_certificates {
                steps.push("delete its access keys and certificates".to_owned());
            }
            if !*mfa || *virtual_mfa == Some(true) {
                steps.push("assign a hardware MFA device".to_owned());
            }
            if *virtual_mfa == Some(true) {
                steps.push("once that works, remove the virtual device".to_owned());
            }
        }
        steps.push(CONFIRM.to_owned());
        let finding = Finding::new(Action::Manual, &wanted.origin)
            .because(reasons.join("; "))
            .steps(steps);
        self.record(
            &key(ResourceType::RootAccess, ROOT_USER),
            finding,
            difference,
        );
    }
}
