//! What a session of a role can do, and what it cannot.

use super::cases::{Findings, Stack, Wanted, judge};
use super::circumstances::{MFA_AGE, MFA_PRESENT, REGION, add_own_call, complete, of_caller};
use super::principal::PrincipalFacts;
use super::result::{Finding, Obligation, Proof, Verdict};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::policy::evaluate::{Context, ContextValue, Request};
use crate::policy::{action_examples, resource_examples};
use crate::spec::Ability;

/// Bounds the requests of one obligation.
const MAX_REQUESTS: usize = 20_000;

/// Holds what the session of a role is about.
pub(super) struct Session<'a> {
    pub(super) organization: &'a Organization,
    pub(super) role: &'a PrincipalFacts,
    pub(super) account: &'a AccountId,
    pub(super) stack: &'a Stack,
    pub(super) regions: &'a [Option<String>],
}

impl Session<'_> {
    /// Proves that it can do an action: on every resource of its account, in every context, unless narrowed.
    pub(super) fn can(&self, ability: &Ability) -> Proof {
        let mut base = self.context();
        add_own_call(&mut base, self.organization, self.account);
        for (key, values) in &ability.context {
            base.set(key, ContextValue::Values(values.0.clone()));
        }
        let about_region = self.stack.keys.contains(&REGION.to_ascii_lowercase());
        let regions = if about_region && base.get(REGION).is_none() {
            self.regions
        } else {
            &[None]
        };
        let resource = ability.resource.as_deref().unwrap_or("*");
        let cases = self.cases(&ability.action, resource);
        self.prove(&ability.action, &cases, (&base, regions), Wanted::Allowed)
    }

    /// Proves that it cannot do an action, on any resource, in any context.
    pub(super) fn cannot(&self, action: &str) -> Proof {
        let base = self.context();
        let cases = self.cases(action, "*");
        self.prove(action, &cases, (&base, &[None]), Wanted::Denied)
    }

    /// Credentials of `AssumeRole` carry no MFA, whoever assumed the role.
    fn context(&self) -> Context {
        let mut context = of_caller(self.organization, self.account);
        context.set(MFA_PRESENT, ContextValue::ABSENT);
        context.set(MFA_AGE, ContextValue::ABSENT);
        context.set(
            "aws:PrincipalArn",
            ContextValue::one(self.role.arn.as_str()),
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
        wanted: Wanted,
    ) -> Proof {
        let mut findings = Findings::default();
        let too_many = cases.len().saturating_mul(regions.len()) > MAX_REQUESTS;
        if too_many || cases.contains(&None) {
            let mut finding = Finding::new(Verdict::NotProven);
            finding.unknown_policies = vec![
                "which resources the policies tell apart: by policy variables, or in too many ways"
                    .to_owned(),
            ];
            findings.add(Some(finding), None);
        }
        let cases = cases.iter().flatten().take(if too_many { 0 } else { usize::MAX });
        for (example, resource) in cases {
            for region in regions {
                let mut context = base.clone();
                if let Some(region) = region {
                    context.set(REGION, ContextValue::one(region.as_str()));
                }
                complete(&mut context, &self.stack.keys, &self.role.tags);
                let request = self.request(example, resource, context);
                let finding = request.and_then(|request| judge(&request, self.stack, wanted));
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
                Wanted::Allowed => Obligation::MustAllow,
                Wanted::Denied => Obligation::MustDeny,
            },
            principal: None,
            action: Some(action.to_owned()),
            verdict,
            findings,
        }
    }

    fn request(&self, action: &str, resource: &str, context: Context) -> Option<Request> {
        let arn = &self.role.arn;
        let (partition, account, name) = (arn.partition(), self.account, arn.name());
        let session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/verify");
        Some(Request {
            principal: session.parse().ok()?,
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: Some(self.account.clone()),
            context,
            management_account: Some(self.organization.management_account.clone()),
        })
    }
}
