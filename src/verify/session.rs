//! What a session of a role can do, and what it cannot.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::cases::{Stack, Wanted, judge};
use super::circumstances::{
    MFA_AGE, MFA_PRESENT, REGION, TOKEN_ISSUE_TIME, add_clocks, add_own_call, complete, of_caller,
    time,
};
use super::findings::{Findings, not_a_caller};
use super::guardrails::Chain;
use super::opening::{Caller, CallerKind};
use super::result::{Finding, Obligation, Proof, Verdict};
use super::trusted::Ready;
use crate::ids::{AccountId, is_account_id};
use crate::org::Organization;
use crate::policy::evaluate::{Context, ContextValue, Request, resource_variables};
use crate::policy::{action_examples, resource_examples};
use crate::spec::{Ability, Role};

/// Bounds the requests of one obligation.
const MAX_REQUESTS: usize = 20_000;

/// Holds what the session of a role is about.
pub(super) struct Session<'a> {
    pub(super) organization: &'a Organization,
    pub(super) account: &'a AccountId,
    pub(super) regions: &'a [Option<String>],
    pub(super) now: Timestamp,
    pub(super) scps: &'a Chain,
    pub(super) rcps: &'a Chain,
    pub(super) role: &'a Ready,
    /// Whether whoever assumes the role may give the session tags.
    pub(super) takes_tags: bool,
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

/// Holds actions with resources that stand for all.
struct Cases {
    requests: Vec<(String, String)>,
    /// Whether they do: the policies may tell apart more than can be followed.
    complete: bool,
}

impl Abilities<'_> {
    /// Proves that it can do an action: on every resource of its account, in every context, unless narrowed.
    fn can(&self, ability: &Ability) -> Proof {
        let mut base = self.context();
        add_own_call(&mut base, self.session.organization, self.session.account);
        for (key, values) in &ability.context {
            base.set(key, ContextValue::Values(values.0.clone()));
        }
        let regions = if self.is_about_region() && base.get(REGION).is_none() {
            self.session.regions
        } else {
            &[None]
        };
        let resource = ability.resource.as_deref().unwrap_or("*");
        let facts = &self.session.role.facts;
        let caller = Caller {
            arn: facts.arn.as_str(),
            name: facts.arn.name(),
            kind: CallerKind::Role,
            account: self.session.account,
            resource_account: self.session.account,
        };
        let wanted = Wanted::Allowed(&caller);
        self.prove((&ability.action, resource), (&base, regions), wanted)
    }

    /// Proves that it cannot do an action, on any resource, in any context.
    fn cannot(&self, action: &str) -> Proof {
        let base = self.context();
        // Where a Region that is in use surely lets it through, that says more than that some Region may.
        let named = self.session.regions.iter();
        let named = named.filter(|_| self.is_about_region());
        let regions: BTreeSet<Option<String>> = named.cloned().chain([None]).collect();
        let regions: Vec<Option<String>> = regions.into_iter().collect();
        self.prove((action, "*"), (&base, &regions), Wanted::Denied)
    }

    fn is_about_region(&self) -> bool {
        self.stack.keys.contains(&REGION.to_ascii_lowercase())
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
        let documents = self.stack.documents();
        add_clocks(&mut context, &documents, self.session.now);
        let issued = time(TOKEN_ISSUE_TIME, &documents, self.session.now);
        context.set(TOKEN_ISSUE_TIME, issued);
        context
    }

    /// Lists actions and resources that stand for all.
    fn cases(&self, action: &str, resource: &str, request: &Request) -> Cases {
        let documents = self.stack.documents();
        let mut cases = Cases {
            requests: Vec::new(),
            complete: true,
        };
        // Of what can't be followed, the lone text may still show what is in the way.
        let actions = action_examples(action, &documents).unwrap_or_else(|| {
            cases.complete = false;
            vec![action.to_owned()]
        });
        for action in actions {
            let resources = resource_examples(resource, &action, &documents, request);
            let resources = resources.unwrap_or_else(|| {
                cases.complete = false;
                vec![resource.to_owned()]
            });
            let resources = resources.into_iter().map(|one| (action.clone(), one));
            cases.requests.extend(resources);
        }
        cases
    }

    fn prove(
        &self,
        (action, resource): (&str, &str),
        (base, regions): (&Context, &[Option<String>]),
        wanted: Wanted<'_>,
    ) -> Proof {
        let mut findings = Findings::of(self.session.account);
        let mut documents = self.stack.documents().into_iter();
        let by_region = documents
            .any(|document| resource_variables(document).contains(&REGION.to_ascii_lowercase()));
        if let (Wanted::Allowed(_), Some(other)) = (wanted, self.elsewhere(resource)) {
            let mut finding = Finding::new(Verdict::NotProven);
            finding.unknown_policies = vec![format!(
                "what the policies of account {other} allow: the resource is there"
            )];
            findings.add(Some(finding), None);
        }
        let mut known = None;
        for region in regions {
            let mut context = base.clone();
            if let Some(region) = region {
                context.set(REGION, ContextValue::one(region.as_str()));
            }
            let tags = match wanted {
                // Whoever must not be able to do something may bring tags of their own, which count before the role's.
                Wanted::Denied if self.session.takes_tags => None,
                Wanted::Allowed(_) | Wanted::Denied => Some(&self.session.role.facts.tags),
            };
            complete(&mut context, &self.stack.keys, tags);
            let Some(mut request) = self.request(context) else {
                let name = self.session.role.facts.arn.as_str();
                findings.add(Some(not_a_caller(name)), region.as_deref());
                continue;
            };
            let cases = match known.take().filter(|_| !by_region) {
                Some(cases) => cases,
                None => self.cases(action, resource, &request),
            };
            let too_many = cases.requests.len().saturating_mul(regions.len()) > MAX_REQUESTS;
            if too_many || !cases.complete {
                let mut finding = Finding::new(Verdict::NotProven);
                finding.unknown_policies =
                    vec!["which resources the policies tell apart: in too many ways".to_owned()];
                findings.add(Some(finding), region.as_deref());
            }
            for (example, resource) in cases.requests.iter().filter(|_| !too_many) {
                request.action.clone_from(example);
                request.resource.clone_from(resource);
                let finding = judge(&request, self.stack, wanted);
                let shown = finding.map(|mut finding| {
                    finding.action = Some(example.clone()).filter(|example| example != action);
                    finding.resource = Some(resource.clone()).filter(|one| one != "*");
                    finding
                });
                findings.add(shown, region.as_deref());
            }
            known = Some(cases);
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

    /// The account of a resource, where that is another one: then the other side must allow, too.
    fn elsewhere<'r>(&self, resource: &'r str) -> Option<&'r str> {
        let account = resource.split(':').nth(4)?;
        Some(account).filter(|id| is_account_id(id) && *id != self.session.account.as_str())
    }

    /// Begins a request, about nothing yet.
    fn request(&self, context: Context) -> Option<Request> {
        let arn = &self.session.role.facts.arn;
        let (partition, account, name) = (arn.partition(), self.session.account, arn.name());
        let session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/verify");
        Some(Request {
            principal: session.parse().ok()?,
            action: String::new(),
            resource: String::new(),
            resource_account: Some(self.session.account.clone()),
            context,
            management_account: Some(self.session.organization.management_account.clone()),
        })
    }
}
