//! From an account's live state to what is proven of its roles; equal situations once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::assume::Assumption;
use super::callers::closed_to_others;
use super::cases::Stack;
use super::circumstances::{is_about_paths, path, regions};
use super::guardrails::{Chain, Chains};
use super::principal::{self, PrincipalFacts, Source, policy};
use super::result::{Finding, Obligation, Proof, RoleResult, Verdict};
use super::session::Session;
use super::situation::{Key, Mentions};
use super::words::Telling;
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::evaluate::Policy;
use crate::policy::requires_mfa;
use crate::spec::{Spec, Trusted};
use crate::state::{Address, GuardrailKind, Guardrails, Inventory, ResourceType};

/// Holds what is known of the organization as a whole.
pub struct Setting<'a> {
    /// The organization's tree.
    pub organization: &'a Organization,
    /// The spec: which roles, users and actions are looked at.
    pub spec: &'a Spec,
    /// The SCPs and RCPs, or why they are not known.
    pub guardrails: Result<&'a Guardrails, String>,
    /// What the emergency account holds, or why that is not known.
    pub emergency: Result<&'a Inventory, String>,
}

/// Proves roles account by account, and remembers what it has proven.
pub struct Prover<'a> {
    organization: &'a Organization,
    spec: &'a Spec,
    chains: Chains<'a>,
    regions: Vec<Option<String>>,
    /// Whom each role of the spec trusts.
    trusted: Vec<Vec<TrustedOne>>,
    /// The SCPs above the users.
    user_scps: Arc<Chain>,
    user_mentions: Mentions,
    solved: HashMap<String, (AccountId, Vec<Proof>)>,
}

/// Is somebody whom a role trusts.
#[derive(Clone)]
enum TrustedOne {
    /// A user of the emergency account, as it was read.
    User(Arc<Ready>),
    /// A user that is not there.
    Missing(Arn),
    /// A user of an account that could not be read.
    Unread(Arn),
    /// A user or role of another account, whose policies are not read.
    Elsewhere(Arn),
}

/// Holds a user or role with its policies parsed.
struct Ready {
    facts: PrincipalFacts,
    identity: Vec<Policy>,
    boundary: Vec<Policy>,
}

impl Ready {
    fn new(facts: PrincipalFacts) -> Self {
        let read = |source: &Source| policy(source.read().as_ref());
        Self {
            identity: facts.identity.iter().map(read).collect(),
            boundary: facts.boundary.iter().map(read).collect(),
            facts,
        }
    }

    /// Begins a stack with its own policies.
    fn stack(&self) -> Stack {
        let label = |source: &Source| source.label.clone();
        let mut stack = Stack {
            identity: self.facts.identity.iter().map(label).collect(),
            boundary: self.facts.boundary.iter().map(label).collect(),
            ..Stack::default()
        };
        stack.layers.identity_policies.clone_from(&self.identity);
        stack.layers.permission_boundary.clone_from(&self.boundary);
        for policy in self.identity.iter().chain(&self.boundary) {
            stack.add_keys_of(policy);
        }
        stack
    }
}

impl TrustedOne {
    fn arn(&self) -> &Arn {
        match self {
            Self::User(user) => &user.facts.arn,
            Self::Missing(arn) | Self::Unread(arn) | Self::Elsewhere(arn) => arn,
        }
    }
}

impl<'a> Prover<'a> {
    /// Begins with what is known of the organization. Of the emergency account, the users are kept.
    #[must_use]
    pub fn new(setting: Setting<'a>) -> Self {
        let Setting {
            organization,
            spec,
            guardrails,
            emergency,
        } = setting;
        let mut chains = Chains::new(organization, guardrails);
        let emergency_account = known_id(organization, &spec.emergency_account);
        let user_scps = emergency_account
            .map(|account| chains.of(account, GuardrailKind::Scp))
            .unwrap_or_default();
        let mut users: HashMap<String, TrustedOne> = HashMap::new();
        let mut find = |name: &str, arn: Arn| -> TrustedOne {
            let found = users.entry(name.to_owned()).or_insert_with(|| {
                let partition = &organization.partition;
                match &emergency {
                    Err(_) => TrustedOne::Unread(arn.clone()),
                    Ok(inventory) => {
                        principal::user(partition, &spec.emergency_account, inventory, name)
                            .map_or(TrustedOne::Missing(arn.clone()), |facts| {
                                TrustedOne::User(Arc::new(Ready::new(facts)))
                            })
                    }
                }
            });
            found.clone()
        };
        let trusted: Vec<Vec<TrustedOne>> = spec
            .roles()
            .iter()
            .map(|role| {
                let trusted = role.trusted.iter();
                let trusted = trusted.filter_map(|trusted| match trusted {
                    Trusted::User(name) => Some(find(name, user_arn(organization, spec, name)?)),
                    Trusted::Arn(arn) => {
                        let here = arn.account() == spec.emergency_account.as_str();
                        let is_user = here && arn.resource().starts_with("user/");
                        let found = is_user.then(|| find(arn.name(), arn.clone()));
                        let found = found.filter(|found| {
                            found.arn() == arn && !matches!(found, TrustedOne::Missing(_))
                        });
                        Some(found.unwrap_or_else(|| TrustedOne::Elsewhere(arn.clone())))
                    }
                });
                trusted.collect()
            })
            .collect();
        let mut user_mentions = user_scps.mentions.clone();
        for one in trusted.iter().flatten() {
            if let TrustedOne::User(user) = one {
                let sources = user.facts.identity.iter().chain(&user.facts.boundary);
                for text in sources.filter_map(|source| source.text.as_ref()) {
                    user_mentions.add(&Mentions::of(text));
                }
            }
        }
        Self {
            regions: regions(
                &organization.partition,
                spec.organization.regions.as_deref(),
            ),
            organization,
            spec,
            chains,
            trusted,
            user_scps,
            user_mentions,
            solved: HashMap::new(),
        }
    }

    /// How many situations were proven so far.
    #[must_use]
    pub fn situations(&self) -> usize {
        self.solved.len()
    }

    /// Proves roles of an account, given by their numbers in the spec, on what was read of it or why it could not be.
    pub fn prove(
        &mut self,
        account: &AccountId,
        live: Result<&Inventory, &str>,
        roles: &[usize],
    ) -> Vec<RoleResult> {
        let spec = self.spec;
        let numbered = roles.iter();
        let numbered = numbered.filter_map(|number| Some((*number, spec.roles().get(*number)?)));
        numbered
            .map(|(number, role)| {
                let proofs = match live {
                    Err(error) => vec![absent(Verdict::NotProven, error)],
                    Ok(inventory) => {
                        let partition = &self.organization.partition;
                        match principal::role(partition, account, inventory, &role.name) {
                            None => vec![absent(Verdict::Missing, "")],
                            Some((facts, trust)) => self.role(number, account, facts, &trust),
                        }
                    }
                };
                self.result(account, &role.name, proofs)
            })
            .collect()
    }

    fn result(&self, account: &AccountId, role: &str, proofs: Vec<Proof>) -> RoleResult {
        let telling = Telling {
            organization: self.organization,
            emergency: &self.spec.emergency_account,
            account,
            role,
        };
        let proofs: Vec<Proof> = proofs.into_iter().map(|proof| telling.told(proof)).collect();
        let name = self.organization.accounts.get(account);
        RoleResult {
            address: Address {
                account: account.clone(),
                resource_type: ResourceType::IamRole,
                name: role.to_owned(),
            },
            account: account.clone(),
            account_name: name.map(|account| account.name.clone()).unwrap_or_default(),
            role: role.to_owned(),
            verdict: proofs
                .iter()
                .map(|proof| proof.verdict)
                .max()
                .unwrap_or(Verdict::Proven),
            proofs,
        }
    }

    /// Proves a role that is there, or repeats what was proven of an equal one.
    fn role(
        &mut self,
        number: usize,
        account: &AccountId,
        facts: PrincipalFacts,
        trust: &Source,
    ) -> Vec<Proof> {
        let Some(known) = known_id(self.organization, account) else {
            return vec![absent(Verdict::NotProven, "it is no account of the organization")];
        };
        let scps = self.chains.of(known, GuardrailKind::Scp);
        let rcps = self.chains.of(known, GuardrailKind::Rcp);
        let key = self.key(number, account, &facts, trust, [&scps, &rcps]);
        if let Some((other, proofs)) = self.solved.get(&key) {
            return proofs
                .iter()
                .map(|proof| proof.of_account(other.as_str(), account.as_str()))
                .collect();
        }
        let proofs = self.solve(number, account, Ready::new(facts), trust, [&scps, &rcps]);
        self.solved.insert(key, (account.clone(), proofs.clone()));
        proofs
    }

    fn key(
        &self,
        number: usize,
        account: &AccountId,
        facts: &PrincipalFacts,
        trust: &Source,
        [scps, rcps]: [&Chain; 2],
    ) -> String {
        let PrincipalFacts {
            arn,
            tags,
            identity,
            boundary,
        } = facts;
        let mut mentions = Mentions::default();
        let mut key = Key::new(account.as_str());
        let is_management = *account == self.organization.management_account;
        let is_emergency = *account == self.spec.emergency_account;
        key.add(&format!(
            "{number} {} {} {is_management} {is_emergency}",
            scps.number, rcps.number
        ));
        key.add(arn.as_str());
        for (tag, value) in tags {
            key.add(tag);
            key.add(value);
        }
        for (kind, source) in identity
            .iter()
            .map(|source| ("identity", source))
            .chain(boundary.iter().map(|source| ("boundary", source)))
            .chain([("trust", trust)])
        {
            key.add(kind);
            key.add(&source.label);
            key.add(source.text.as_deref().unwrap_or("\u{1}unknown"));
            let text = source.text.as_deref().unwrap_or_default();
            // The own id is the same in every account; a pattern of ids is not.
            mentions.add(&Mentions::of(&text.replace(account.as_str(), "own")));
        }
        for more in [&scps.mentions, &rcps.mentions, &self.user_mentions] {
            mentions.add(more);
        }
        if mentions.single_out(account.as_str()) {
            key.add_account();
        }
        let chains = [scps, rcps, &*self.user_scps];
        if chains.iter().any(|chain| is_about_paths(&chain.keys)) {
            key.add(&path(self.organization, account).unwrap_or_default());
        }
        key.finish()
    }

    fn solve(
        &self,
        number: usize,
        account: &AccountId,
        role: Ready,
        trust: &Source,
        [scps, rcps]: [&Chain; 2],
    ) -> Vec<Proof> {
        let Some(wanted) = self.spec.roles().get(number) else {
            return Vec::new();
        };
        let trusted = self.trusted.get(number).map(Vec::as_slice).unwrap_or_default();
        let document = trust.read();
        let demands_mfa = document.as_deref().is_some_and(requires_mfa);
        let mut proofs = vec![Proof::plain(Obligation::Present, Verdict::Proven)];
        for one in trusted {
            let user = match one {
                TrustedOne::User(user) => user,
                TrustedOne::Missing(arn) => {
                    proofs.push(unproven(arn, Verdict::Missing, None));
                    continue;
                }
                TrustedOne::Unread(arn) | TrustedOne::Elsewhere(arn) => {
                    let what = format!("what {arn} may do: its own policies are not read");
                    proofs.push(unproven(arn, Verdict::NotProven, Some(what)));
                    continue;
                }
            };
            let mut stack = user.stack();
            let trust = policy(document.as_ref());
            stack.add_keys_of(&trust);
            stack.layers.resource_policy = Some(trust);
            stack.add_scps(&self.user_scps);
            stack.add_rcps(rcps);
            let incident = wanted.incident.as_ref();
            let assumption = Assumption {
                organization: self.organization,
                user: &user.facts,
                user_account: &self.spec.emergency_account,
                role: &role.facts.arn,
                role_account: account,
                stack: &stack,
                regions: &self.regions,
                session_name: incident.map(|incident| incident.session_name.as_str()),
            };
            proofs.push(assumption.with_mfa());
            if wanted.mfa.required {
                proofs.push(assumption.without_mfa(demands_mfa));
            }
        }
        let arns: BTreeSet<Arn> = trusted.iter().map(|one| one.arn().clone()).collect();
        let partition = &self.organization.partition;
        proofs.push(closed_to_others(document.as_deref(), &arns, partition));
        if wanted.must_allow.is_empty() && wanted.must_deny.is_empty() {
            return proofs;
        }
        let mut stack = role.stack();
        stack.add_scps(scps);
        let mut session = Session {
            organization: self.organization,
            role: &role.facts,
            account,
            stack: &stack,
            regions: &self.regions,
        };
        let denied: Vec<Proof> = wanted.must_deny.iter().map(|one| session.cannot(one)).collect();
        // RCPs bind what is done to resources of the account itself, which an action that must not be possible anywhere
        // can't count on.
        let mut stack = role.stack();
        stack.add_scps(scps);
        stack.add_rcps(rcps);
        session.stack = &stack;
        proofs.extend(wanted.must_allow.iter().map(|ability| session.can(ability)));
        proofs.extend(denied);
        proofs
    }
}

/// The organization's own copy of an account's id.
fn known_id<'a>(organization: &'a Organization, account: &AccountId) -> Option<&'a AccountId> {
    organization.accounts.get_key_value(account).map(|(id, _)| id)
}

/// The ARN that the spec gives a user.
fn user_arn(organization: &Organization, spec: &Spec, name: &str) -> Option<Arn> {
    let user = spec.users().iter().find(|user| user.name == name)?;
    let path = user.path.as_ref().unwrap_or(&spec.defaults.path);
    let (partition, account) = (&organization.partition, &spec.emergency_account);
    Some(Arn::iam(partition, account, "user", path, name))
}

/// Says that a role is not there, or could not be looked at.
fn absent(verdict: Verdict, error: &str) -> Proof {
    let mut finding = Finding::new(verdict);
    if !error.is_empty() {
        finding.unknown_policies.push(error.to_owned());
    }
    Proof {
        findings: vec![finding],
        ..Proof::plain(Obligation::Present, verdict)
    }
}

/// Says that it can't be proven that a trusted principal gets in.
fn unproven(arn: &Arn, verdict: Verdict, what: Option<String>) -> Proof {
    let mut finding = Finding::new(verdict);
    finding.unknown_policies.extend(what);
    Proof {
        principal: Some(arn.to_string()),
        findings: vec![finding],
        ..Proof::plain(Obligation::Assume, verdict)
    }
}

impl Proof {
    fn plain(obligation: Obligation, verdict: Verdict) -> Self {
        Self {
            obligation,
            principal: None,
            action: None,
            verdict,
            findings: Vec::new(),
        }
    }

    /// Tells the same of an equal situation in another account.
    fn of_account(&self, from: &str, to: &str) -> Self {
        let mut proof = self.clone();
        let swap = |text: &mut String| {
            if text.contains(from) {
                *text = text.replace(from, to);
            }
        };
        for finding in &mut proof.findings {
            finding.resource.iter_mut().for_each(swap);
            finding.unknown_policies.iter_mut().for_each(swap);
            let policies = finding.blockers.iter_mut();
            policies.filter_map(|one| one.policy.as_mut()).for_each(swap);
            for caller in &mut finding.callers {
                swap(&mut caller.who);
                swap(&mut caller.request);
            }
        }
        proof
    }
}
