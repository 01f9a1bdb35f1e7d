//! From an account's live state to what is proven of its roles; equal situations once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::assume::Assumption;
use super::callers::closed_to_others;
use super::circumstances::{path, regions};
use super::guardrails::{Chain, Chains};
use super::principal::{self, PrincipalFacts, Source, policy};
use super::proof::{absent, unproven};
use super::result::{Obligation, Proof, RoleResult, Verdict};
use super::session::Session;
use super::situation::{Key, Mentions};
use super::trusted::{Ready, TrustedOne, known_id, trusted};
use super::words::Telling;
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::{Document, Effect, covers_action, requires_mfa};
use crate::spec::{Role, Spec};
use crate::state::{Address, GuardrailKind, Guardrails, Inventory, ResourceType};

/// Holds what is known of the organization as a whole.
pub struct Setting<'a> {
    /// The organization's tree.
    pub organization: &'a Organization,
    /// The spec: which roles, users and actions are looked at.
    pub spec: &'a Spec,
    /// The SCPs and RCPs, or why they are not known.
    pub guardrails: Result<&'a Guardrails, String>,
    /// The time at which it is proven: what is proven holds from then on.
    pub now: Timestamp,
    /// What the emergency account holds, or why that is not known.
    pub emergency: Result<&'a Inventory, String>,
}

/// Proves roles account by account, and remembers what it has proven.
pub struct Prover<'a> {
    organization: &'a Organization,
    spec: &'a Spec,
    now: Timestamp,
    chains: Chains<'a>,
    regions: Vec<Option<String>>,
    /// Whom each role of the spec trusts.
    trusted: Vec<Vec<TrustedOne>>,
    /// What the spec itself says of single accounts in each role.
    role_mentions: Vec<Mentions>,
    /// The SCPs above the users.
    user_scps: Arc<Chain>,
    user_mentions: Mentions,
    solved: HashMap<String, (AccountId, Vec<Proof>)>,
}

impl<'a> Prover<'a> {
    /// Begins with what is known of the organization. Of the emergency account, the users are kept.
    #[must_use]
    pub fn new(setting: Setting<'a>) -> Self {
        let Setting {
            organization,
            spec,
            guardrails,
            now,
            emergency,
        } = setting;
        let mut chains = Chains::new(organization, guardrails);
        let emergency_account = known_id(organization, &spec.emergency_account);
        let user_scps = emergency_account
            .map(|account| chains.of(account, GuardrailKind::Scp))
            .unwrap_or_default();
        let trusted = trusted(organization, spec, &emergency);
        let mut user_mentions = user_scps.mentions.clone();
        let role_mentions = spec.roles().iter().zip(&trusted);
        let role_mentions = role_mentions.map(|(role, trusted)| role_mentions_of(role, trusted));
        let role_mentions = role_mentions.collect();
        for one in trusted.iter().flatten() {
            if let TrustedOne::User(user) = one {
                user_mentions.add(&user.facts.mentions());
            }
        }
        Self {
            regions: regions(
                &organization.partition,
                spec.organization.regions.as_deref(),
            ),
            organization,
            spec,
            now,
            chains,
            trusted,
            role_mentions,
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
        };
        let proofs: Vec<Proof> = proofs
            .into_iter()
            .map(|proof| telling.told(proof))
            .collect();
        let name = self.organization.accounts.get(account);
        RoleResult {
            address: Address {
                account: Some(account.clone()),
                resource_type: ResourceType::IamRole,
                name: role.to_owned(),
            },
            account: account.clone(),
            account_name: name.map(|account| account.name.clone()).unwrap_or_default(),
            role: role.to_owned(),
            source: None,
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
            return vec![absent(
                Verdict::NotProven,
                "it is no account of the organization",
            )];
        };
        let scps = self.chains.of(known, GuardrailKind::Scp);
        let rcps = self.chains.of(known, GuardrailKind::Rcp);
        let key = self.key(number, account, &facts, trust, [&scps, &rcps]);
        if let Some((other, proofs)) = self.solved.get(&key) {
            return proofs
                .iter()
                .map(|proof| proof.of_account(other, account))
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
            mentions.add(&Mentions::of_own(text, account.as_str()));
        }
        for more in [&scps.mentions, &rcps.mentions, &self.user_mentions] {
            mentions.add(more);
        }
        if let Some(mention) = self.role_mentions.get(number) {
            mentions.add(mention);
        }
        if mentions.single_out(account.as_str()) {
            key.add_account();
        }
        if mentions.paths {
            key.add(&path(self.organization, account).unwrap_or_default());
        }
        key.finish()
    }

    fn is_declared(&self, user: &PrincipalFacts) -> bool {
        let mut users = self.spec.users().iter();
        users.any(|declared| declared.name == user.arn.name())
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
        let trusted = self
            .trusted
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default();
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
                is_declared: self.is_declared(&user.facts),
                user_account: &self.spec.emergency_account,
                role: &role.facts.arn,
                role_account: account,
                stack: &stack,
                regions: &self.regions,
                now: self.now,
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
        let session = Session {
            organization: self.organization,
            account,
            regions: &self.regions,
            now: self.now,
            scps,
            rcps,
            role: &role,
            takes_tags: document
                .as_deref()
                .is_none_or(|trust| may_allow(trust, "sts:TagSession")),
        };
        proofs.extend(session.prove(wanted));
        proofs
    }
}

/// Finds the accounts that a role of the spec treats in a way of their own: whom it trusts, and what it asks for.
fn role_mentions_of(role: &Role, trusted: &[TrustedOne]) -> Mentions {
    let mut mentions = Mentions::default();
    for one in trusted {
        mentions.add(&Mentions::of(one.arn().as_str()));
    }
    for ability in &role.must_allow {
        let context = ability.context.values().flat_map(|values| &values.0);
        for text in ability.resource.iter().chain(context) {
            mentions.add(&Mentions::of(&format!("\"{text}\"")));
        }
    }
    mentions
}

/// Tells whether some Allow of a document is about an action.
fn may_allow(document: &Document, action: &str) -> bool {
    let mut statements = document.statements.iter();
    statements.any(|one| one.effect == Effect::Allow && covers_action(one, action))
}
