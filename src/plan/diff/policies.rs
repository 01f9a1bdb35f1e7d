//! The comparison of customer managed policies.

use serde_json::{Value, json};

use super::difference::{Difference, Documents, compare_documents, document_risk, document_value};
use super::steps::Stage;
use super::{Differ, Finding, Standing, key, unwanted};
use crate::plan::safety::after;
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{DesiredPolicy, Inventory, Operation, Policy, ResourceType, Tags, Wanted};

impl Differ<'_> {
    pub(super) fn policies(&mut self) {
        let (live, desired) = (self.live, self.desired);
        let Some(desired) = &desired.policies else {
            return;
        };
        for (name, wanted) in desired {
            let same = live.same_name(ResourceType::IamPolicy, name);
            match same.and_then(|name| live.policies.get_key_value(name)) {
                Some((live_name, policy)) => self.update_policy(name, wanted, live_name, policy),
                None => self.create_policy(name, wanted),
            }
        }
    }

    /// Deletes managed policies that nothing wants, once it is known what the plan leaves of their users.
    pub(super) fn leftover_policies(&mut self) {
        let (live, desired) = (self.live, self.desired);
        let Some(desired) = &desired.policies else {
            return;
        };
        let leftovers: Vec<_> = unwanted(desired, &live.policies)
            .filter(|(_, policy)| self.owns(&policy.path, &Tags::new()))
            .filter(|(name, _)| !self.desired.spared_policies.contains(name.as_str()))
            .collect();
        if leftovers.is_empty() {
            return;
        }
        let after = after(&self.changes, live);
        for (name, policy) in leftovers {
            self.delete_policy(name, policy, &after);
        }
    }

    fn create_policy(&mut self, name: &str, wanted: &Wanted<DesiredPolicy>) {
        let DesiredPolicy {
            policy: Policy { path, document },
            description,
            tags,
        } = &wanted.value;
        let create = Operation::CreatePolicy {
            name: name.to_owned(),
            path: path.clone(),
            document: document.clone(),
            description: description.clone(),
            tags: tags.clone(),
        };
        let mut difference = Difference::default();
        // A policy gives nothing to anyone until it is attached.
        difference
            .field("document", Value::Null, document_value(document))
            .weigh(Risk::Low, Access::None)
            .step(Stage::Create, create);
        let finding = Finding::new(Action::Create, &wanted.origin);
        self.record(&key(ResourceType::IamPolicy, name), finding, difference);
    }

    fn update_policy(
        &mut self,
        name: &str,
        wanted: &Wanted<DesiredPolicy>,
        live_name: &str,
        live: &Policy,
    ) {
        let mut spec = wanted.value.policy.clone();
        self.leave_policy(live_name, &mut spec, live);
        let Policy { path, document } = live;
        let mut difference = Difference::default();
        if *path != spec.path {
            difference
                .field("path", json!(path), json!(spec.path))
                .weigh(Risk::Medium, Access::None);
        }
        match compare_documents(document, &spec.document, &self.rules) {
            Documents::Same => {}
            Documents::Cosmetic => difference.cosmetic.push("document".to_owned()),
            Documents::Different { access, witness } => {
                let (live_value, spec_value) =
                    (document_value(document), document_value(&spec.document));
                difference
                    .field("document", live_value, spec_value)
                    .witness(witness)
                    .weigh(document_risk(access), access)
                    .step(
                        Stage::Grant,
                        Operation::SetPolicyDocument {
                            arn: self.arn("policy", path, live_name),
                            document: spec.document.clone(),
                        },
                    );
            }
        }
        // The tags of a policy are not read, so only its path can say whether it is managed.
        let mut standing = self.standing((name, &spec.path), (live_name, path, &Tags::new()));
        if matches!(standing, Standing::Moved) {
            standing = Standing::InTheWay(format!(
                "it lies at path {path} and IAM can't move a policy: keep that path in the spec, \
                 or detach and delete it by hand"
            ));
        }
        let key = key(ResourceType::IamPolicy, live_name);
        self.record_update(&key, (name, &wanted.origin), standing, difference);
    }

    fn delete_policy(&mut self, name: &str, policy: &Policy, after: &Inventory) {
        let arn = self.arn("policy", &policy.path, name);
        let mut difference = Difference::default();
        difference
            .field("document", document_value(&policy.document), Value::Null)
            .weigh(Risk::Medium, Access::None);
        let mut finding = Finding::leftover();
        if let Some(user) = after.users_of_policy(&arn).first() {
            finding = finding.blocked(format!(
                "{user} uses it and this plan leaves that as it is: detach {arn} there first"
            ));
        } else {
            difference.step(Stage::Delete, Operation::DeletePolicy { arn });
        }
        self.record(&key(ResourceType::IamPolicy, name), finding, difference);
    }
}
