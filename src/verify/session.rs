//! What a session of a role can do, and what it cannot.

use std::collections::BTreeSet;

use super::cases::{Stack, Wanted, judge};
use super::circumstances::{MFA_AGE, MFA_PRESENT, REGION, add_own_call, complete, of_caller};
use super::findings::{Findings, not_a_caller};
use super::guardrails::Chain;
use super::opening::{Caller, CallerKind};
use super::result::{Finding, Obligation, Proof, Verdict};
use super::trusted::Ready;
use crate::ids::AccountId;
use crate::org::Organization;
use crate::policy::evaluate::{Context, ContextValue, Request};
use crate::policy::{action_examples, resource_examples};
use crate::spec::{Ability, Role};

/// Bounds the requests of one obligation.
const MAX_REQUESTS: usize = 20_000;

/// Holds what the session of a role is about.
pub(super) struct Session<'a> {
    pub(super) organization: &'a Organization,
    pub(super) account: &'a AccountId,
    pub(super) regions: &'a [Option<String>],
    pub(super) scps: &'a Chain,
    pub(super) rcps: &'a Chain,
    pub(super) role: &'a Ready,
}

impl Session<'_> {
    /// Proves what the spec says that it must and must not be able to do.
    pub(super) fn prove(&self, wanted: &Role) -> Vec<Proof> {
        if wanted.must_allow.is_empty() && wanted.must_deny.is_empty() {
            return Vec::new();
        }
        let mut stack = self.role.stack();
        stack.add_scps(self.scps);
        let denied = wanted.must_deny.iter();
        let denied: Vec<Proof> = denied.map(|one| self.within(&stack).cannot(one)).collect();
        // RCPs bind what is done to resources of the account itself, which an action that must not be possible anywhere
        // can't count on.
        stack.add_rcps(self.rcps);
        let allowed = wanted.must_allow.iter();
        let allowed = allowed.map(|ability| self.within(&stack).can(ability));
        allowed.chain(denied).collect()
    }

    fn within<'s>(&'s self, stack: &'s Stack) -> Abilities<'s> {
        Abilities {
            session: self,
            stack,
        }
    }
}

/// Holds a session with the policies around it.
struct Abilities<'a> {
    session: &'a Session<'a>,
    stack: &'a Stack,
}

impl Abilities<'_> {
    /// Proves that it can do an action: on every resource of its account, in every context, unless narrowed.
    fn can(&self, ability: &Ability) -> Proof {
        let mut base = self.context();
        add_own_call(&mut base, self.session.organization, self.session.account);
        for (key, values) in &ability.context {
            base.set(key, ContextValue::Values(values.0.clone()));
        }
        let about_region = self.stack.keys.contains(&REGION.to_ascii_lowercase());
        let regions = if about_region && base.get(REGION).is_none() {
            self.session.regions
        } else {
            &[None]
        };
        let resource = ability.resource.as_deref().unwrap_or("*");
        let cases = self.cases(&ability.action, resource);
        let facts = &self.session.role.facts;
        let caller = Caller {
            arn: facts.arn.as_str(),
            name: facts.arn.name(),
            kind: CallerKind::Role,
            account: self.session.account,
            resource_account: self.session.account,
        };
        let wanted = Wanted::Allowed(&caller);
        self.prove(&ability.action, &cases, (&base, regions), wanted)
    }

    /// Proves that it cannot do an action, on any resource, in any context.
    fn cannot(&self, action: &str) -> Proof {
        let base = self.context();
        let cases = self.cases(action, "*");
        // Where a Region that is in use surely lets it through, that says more than that some Region may.
        let about_region = self.stack.keys.contains(&REGION.to_ascii_lowercase());
        let named = self.session.regions.iter().filter(|_| about_region);
        let regions: BTreeSet<Option<String>> = named.cloned().chain([None]).collect();
        let regions: Vec<Option<String>> = regions.into_iter().collect();
        self.prove(action, &cases, (&base, &regions), Wanted::Denied)
    }

    /// Credentials of `AssumeRole` carry no MFA, whoever assumed the role.
    fn context(&self) -> Context {
        let mut context = of_caller(self.session.organization, self.session.account);
        context.set(MFA_PRESENT, ContextValue::ABSENT);
        context.set(MFA_AGE, ContextValue::ABSENT);
        context.set(
            "aws:PrincipalArn",
            ContextValue::one(self.session.role.facts.arn.as_str()),
        );
        context
    }

    /// Lists actions and resources that stand for all; `None` stands for what can't be followed.
    fn cases(&self, action: &str, resource: &str) -> Vec<Option<(String, String)>> {
        let documents = self.stack.documents();
        let mut cases = Vec::new();
        let Some(actions) = action_examples(action, &documents) else {
            return vec![Some((action.to_owned(), resource.to_owned())), None];
        };
        for action in actions {
            match resource_examples(resource, &action, &documents) {
                Some(resources) => {
                    cases.extend(resources.into_iter().map(|one| Some((action.clone(), one))));
                }
                // The lone text may still show what is in the way.
                None => cases.extend([Some((action, resource.to_owned())), None]),
            }
        }
        cases
    }

    fn prove(
        &self,
        action: &str,
        cases: &[Option<(String, String)>],
        (base, regions): (&Context, &[Option<String>]),
        wanted: Wanted<'_>,
    ) -> Proof {
        let mut findings = Findings::of(self.session.account);
        let too_many = cases.len().saturating_mul(regions.len()) > MAX_REQUESTS;
        if too_many || cases.contains(&None) {
            let mut finding = Finding::new(Verdict::NotProven);
            finding.unknown_policies = vec![
                "which resources the policies tell apart: by policy variables, or in too many ways"
                    .to_owned(),
            ];
            findings.add(Some(finding), None);
        }
        let cases = cases
            .iter()
            .flatten()
            .take(if too_many { 0 } else { usize::MAX });
        for (example, resource) in cases {
            for region in regions {
                let mut context = base.clone();
                if let Some(region) = region {
                    context.set(REGION, ContextValue::one(region.as_str()));
                }
                complete(
                    &mut context,
                    &self.stack.keys,
                    &self.session.role.facts.tags,
                );
                let finding = self.judge((example, resource), context, wanted);
                let shown = finding.map(|mut finding| {
                    finding.action = Some(example.clone()).filter(|example| example != action);
                    finding.resource = Some(resource.clone()).filter(|one| one != "*");
                    finding
                });
                findings.add(shown, region.as_deref());
            }
        }
        let (verdict, findings) = findings.finish();
        Proof {
            obligation: match wanted {
                Wanted::Allowed(_) => Obligation::MustAllow,
                Wanted::Denied => Obligation::MustDeny,
            },
            principal: None,
            action: Some(action.to_owned()),
            verdict,
            findings,
        }
    }

    fn judge(
        &self,
        (action, resource): (&str, &str),
        context: Context,
        wanted: Wanted<'_>,
    ) -> Option<Finding> {
        let arn = &self.session.role.facts.arn;
        let (partition, account, name) = (arn.partition(), self.session.account, arn.name());
        let session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/verify");
        let Ok(principal) = session.parse() else {
            return Some(not_a_caller(&session));
        };
        let request = Request {
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: Some(self.session.account.clone()),
            context,
            management_account: Some(self.session.organization.management_account.clone()),
        };
        judge(&request, self.stack, wanted)
    }
}
