//! The comparison of the policy that protects the break-glass objects, and of those that did.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::owner::foreign;
use super::{Found, GuardrailContext};
use crate::plan::diff::{
    Difference, Documents, Rules, arrival, compare_documents, departure, document_value,
};
use crate::plan::{Action, Cause, Change, Cosmetic, Gate, Risk, Step};
use crate::policy::exemption::denied_to;
use crate::policy::{Access, CanonicalContext};
use crate::state::{
    Address, DesiredProtection, Fingerprint, GuardrailKind, GuardrailOperation, GuardrailPolicy,
    Guardrails, OWNERSHIP_TAG, OWNERSHIP_VALUE, Operation, Origin, ResourceType, Tags, own_tags,
    protection,
};

/// What the policy is described by in Organizations.
const DESCRIPTION: &str = "Keeps break-glass users, roles, policies and alerts from being changed";

/// Compares the protection policy with the spec's, and finds those of this tool that the spec no longer asks for.
pub(super) fn compare_protection(
    context: &GuardrailContext<'_>,
    desired: Option<&DesiredProtection>,
    live: &Guardrails,
    found: &mut Found,
) {
    let comparison = Comparison {
        context,
        rules: Rules {
            canonical: CanonicalContext {
                partition: Some(context.organization.partition.clone()),
            },
            strict: context.strict,
        },
        live,
    };
    let name = desired.map(|desired| &desired.name);
    let own = live.policies.values().filter(|policy| is_own(policy));
    found.diff.managed += own.clone().count();
    for policy in own.filter(|policy| Some(&policy.name) != name) {
        comparison.leftover(policy, found);
    }
    if let Some(desired) = desired {
        match live.named(GuardrailKind::Scp, &desired.name) {
            Some((_, policy)) => comparison.update(desired, policy, found),
            None => comparison.create(desired, found),
        }
    }
}

pub(super) fn is_own(policy: &GuardrailPolicy) -> bool {
    let tag = policy.tags.get(OWNERSHIP_TAG);
    policy.kind == GuardrailKind::Scp && tag.is_some_and(|value| value == OWNERSHIP_VALUE)
}

struct Comparison<'a> {
    context: &'a GuardrailContext<'a>,
    rules: Rules,
    live: &'a Guardrails,
}

/// What becomes of the policy, beside its fields.
#[derive(Default)]
struct Finding<'a> {
    adoption: bool,
    reason: Option<String>,
    blocked: Option<String>,
    origin: Option<&'a Origin>,
}

impl Comparison<'_> {
    fn create(&self, desired: &DesiredProtection, found: &mut Found) {
        let DesiredProtection {
            name,
            document,
            spared: _,
            targets,
            tags,
            origin,
        } = desired;
        let (access, witness) = arrival(document, &self.rules);
        let mut difference = Difference::default();
        difference
            .field("document", Value::Null, document_value(document))
            .weigh(Risk::High, access)
            .witness(witness)
            .field("attached", Value::Null, json!(targets))
            .tags(&Tags::new(), tags);
        let create = GuardrailOperation::CreatePolicy {
            name: name.clone(),
            description: DESCRIPTION.to_owned(),
            kind: GuardrailKind::Scp,
            document: document.clone(),
            tags: tags.clone(),
        };
        let attach = targets.iter().map(|target| attach(name, target));
        let operations = [create].into_iter().chain(attach).collect();
        let finding = Finding {
            origin: Some(origin),
            blocked: self.harm(desired),
            ..Finding::default()
        };
        self.record(name, Action::Create, finding, difference, operations, found);
    }

    fn update(&self, desired: &DesiredProtection, live: &GuardrailPolicy, found: &mut Found) {
        let DesiredProtection {
            name,
            document,
            spared: _,
            targets,
            tags,
            origin,
        } = desired;
        let policy = protection(name);
        let mut difference = Difference::default();
        let mut operations = Vec::new();
        match compare_documents(&live.document, document, &self.rules) {
            Documents::Same => {}
            Documents::Cosmetic => difference.cosmetic.push("document".to_owned()),
            Documents::Different { access, witness } => {
                let (old, new) = (document_value(&live.document), document_value(document));
                difference
                    .field("document", old, new)
                    .weigh(Risk::High, access)
                    .witness(witness);
                operations.push(GuardrailOperation::UpdatePolicy {
                    policy: policy.clone(),
                    document: document.clone(),
                });
            }
        }
        let (keys, tags) = difference.tags(&own_tags(live.tags.clone()), tags);
        if !keys.is_empty() {
            let policy = policy.clone();
            operations.push(GuardrailOperation::Untag { policy, keys });
        }
        if !tags.is_empty() {
            operations.push(GuardrailOperation::Tag { policy, tags });
        }
        let lost: BTreeSet<&String> = live.targets.difference(targets).collect();
        let missing: BTreeSet<&String> = targets.difference(&live.targets).collect();
        if live.targets != *targets {
            difference.field("attached", json!(live.targets), json!(targets));
            if !missing.is_empty() {
                difference.weigh(Risk::High, Access::Narrower);
            }
            if !lost.is_empty() {
                difference.weigh(Risk::High, Access::Broader);
            }
        }
        operations.extend(missing.into_iter().map(|target| attach(name, target)));
        operations.extend(lost.into_iter().map(|target| detach(name, target)));
        let adoption = !is_own(live);
        let finding = Finding {
            adoption,
            reason: adoption.then(|| "it exists and is not managed: this adopts it".to_owned()),
            blocked: self.harm(desired),
            origin: Some(origin),
        };
        let address = self.address(name);
        if !difference.fields.is_empty() && finding.blocked.is_none() {
            self.guard(live, targets, &address, found);
        }
        self.record(name, Action::Update, finding, difference, operations, found);
    }

    fn leftover(&self, live: &GuardrailPolicy, found: &mut Found) {
        let GuardrailPolicy {
            name,
            document,
            targets,
            ..
        } = live;
        let (access, witness) = departure(document, &self.rules);
        let mut difference = Difference::default();
        difference
            .field("document", document_value(document), Value::Null)
            .weigh(Risk::High, access)
            .witness(witness)
            .field("attached", json!(targets), Value::Null);
        let detach = targets.iter().map(|target| detach(name, target));
        let delete = GuardrailOperation::DeletePolicy {
            policy: protection(name),
        };
        let operations = detach.chain([delete]).collect();
        self.guard(live, &BTreeSet::new(), &self.address(name), found);
        let finding = Finding {
            reason: Some("managed, but the spec does not ask for it".to_owned()),
            ..Finding::default()
        };
        self.record(name, Action::Delete, finding, difference, operations, found);
    }

    /// Says what is wrong with the policy itself: it must not stop break-glass, nor this tool.
    fn harm(&self, desired: &DesiredProtection) -> Option<String> {
        if !self.live.enabled.contains(&GuardrailKind::Scp) {
            return Some(
                "SCPs are not enabled in the organization: enable them in AWS Organizations, and plan again"
                    .to_owned(),
            );
        }
        match desired.document.parse() {
            Ok(document) => denied_to(&document, &desired.spared)
                .map(|what| format!("it would stop break-glass or this tool: {what}")),
            Err(error) => Some(format!("its document can't be read: {error}")),
        }
    }

    /// Notes what gates guard when the policy is changed and attached to just these targets.
    fn guard(
        &self,
        live: &GuardrailPolicy,
        targets: &BTreeSet<String>,
        address: &Address,
        found: &mut Found,
    ) {
        if !(self.context.covers)(address) {
            return;
        }
        if let Some(reason) = foreign(live) {
            found.guard(Gate::Foreign, reason, address);
        }
        let organization = self.context.organization;
        let bound = |targets: &BTreeSet<String>, account: &str| {
            let levels = organization.levels(account).unwrap_or_default();
            levels.iter().any(|level| targets.contains(*level))
        };
        let mut accounts = organization.active_accounts();
        let unprotected = accounts.find(|(id, _)| {
            **id != organization.management_account
                && bound(&live.targets, id.as_str())
                && !bound(targets, id.as_str())
        });
        if let Some((id, account)) = unprotected {
            let reason = format!(
                "break-glass would no longer be protected in {id} {} or others",
                account.name
            );
            found.guard(Gate::Widen, reason, address);
        }
    }

    fn address(&self, name: &str) -> Address {
        let management = &self.context.organization.management_account;
        Address::new(management, ResourceType::GuardrailPolicy, name)
    }

    fn record(
        &self,
        name: &str,
        action: Action,
        finding: Finding<'_>,
        difference: Difference,
        operations: Vec<GuardrailOperation>,
        found: &mut Found,
    ) {
        let address = self.address(name);
        if !difference.cosmetic.is_empty() && (self.context.covers)(&address) {
            found.diff.cosmetic.push(Cosmetic {
                address: address.clone(),
                fields: difference.cosmetic,
            });
        }
        if difference.fields.is_empty() {
            return;
        }
        let Finding {
            adoption,
            reason,
            mut blocked,
            origin,
        } = finding;
        let steps = match &blocked {
            Some(_) => Vec::new(),
            None => self.steps(name, operations).unwrap_or_else(|refused| {
                blocked = Some(refused);
                Vec::new()
            }),
        };
        let organization = self.context.organization;
        let management = &organization.management_account;
        let account = organization.accounts.get(management);
        let change = Change {
            address,
            account: management.clone(),
            account_name: account.map_or_else(String::new, |account| account.name.clone()),
            resource_type: ResourceType::GuardrailPolicy,
            name: name.to_owned(),
            action,
            risk: difference.risk.unwrap_or(Risk::Low),
            access: difference.access,
            cause: Cause::Live,
            reason,
            steps: Vec::new(),
            adoption,
            replacement: false,
            source: origin.cloned(),
            fields: difference.fields,
            blocked,
            ignored_by: None,
            fingerprint: self.fingerprint(self.live, name),
            operations: steps,
        };
        found.record(self.context, change);
    }

    /// Makes the steps of operations, each with what it leads to.
    ///
    /// # Errors
    /// What Organizations would refuse them with.
    fn steps(&self, name: &str, operations: Vec<GuardrailOperation>) -> Result<Vec<Step>, String> {
        let mut guardrails = self.live.clone();
        let steps = operations.into_iter().map(|operation| {
            let applied = guardrails.apply(&operation);
            applied.map_err(|refused| refused.to_string())?;
            Ok(Step {
                then: self.fingerprint(&guardrails, name),
                restricts: false,
                operation: Operation::ChangeGuardrail(operation),
            })
        });
        steps.collect()
    }

    fn fingerprint(&self, guardrails: &Guardrails, name: &str) -> Fingerprint {
        let policy = guardrails.named(GuardrailKind::Scp, name);
        Fingerprint::of_guardrail(policy.map(|(_, policy)| policy), &self.rules.canonical)
    }
}

fn attach(name: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Attach {
        policy: protection(name),
        target: target.to_owned(),
    }
}

fn detach(name: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Detach {
        policy: protection(name),
        target: target.to_owned(),
    }
}
