//! Who is trusted gets in with MFA, and does not get in without.

use jiff::Timestamp;

use super::cases::{Stack, Wanted, judge};
use super::circumstances::{
    MFA_AGE, MFA_PRESENT, REGION, TOKEN_ISSUE_TIME, add_clocks, add_own_call, complete, of_caller,
    time,
};
use super::findings::{Findings, not_a_caller};
use super::opening::{Caller, CallerKind};
use super::principal::PrincipalFacts;
use super::result::{Finding, Obligation, Proof};
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::evaluate::{Context, ContextValue, Request};

/// Holds what the assumption of a role is about.
pub(super) struct Assumption<'a> {
    pub(super) organization: &'a Organization,
    pub(super) user: &'a PrincipalFacts,
    /// Whether the spec declares the user.
    pub(super) is_declared: bool,
    pub(super) user_account: &'a AccountId,
    pub(super) role: &'a Arn,
    pub(super) role_account: &'a AccountId,
    pub(super) stack: &'a Stack,
    pub(super) regions: &'a [Option<String>],
    pub(super) now: Timestamp,
    /// What the name of a session must be like, if the spec says.
    pub(super) session_name: Option<&'a str>,
}

impl Assumption<'_> {
    /// Proves that the user can assume the role with MFA, in each Region.
    pub(super) fn with_mfa(&self) -> Proof {
        let name = self.usual_session_name();
        let caller = Caller {
            arn: self.user.arn.as_str(),
            name: self.user.arn.name(),
            kind: match self.is_declared {
                true => CallerKind::User,
                false => CallerKind::Stranger,
            },
            account: self.user_account,
            resource_account: self.role_account,
        };
        let mut findings = Findings::of(self.role_account);
        let issued = self.issue_times();
        let about_region = self.stack.keys.contains(&REGION.to_ascii_lowercase());
        let regions = self.regions.iter();
        let regions = regions.take(if about_region { usize::MAX } else { 1 });
        for (region, issued) in regions.flat_map(|region| issued.iter().map(move |at| (region, at)))
        {
            let mut context = self.context();
            context.set(MFA_PRESENT, ContextValue::one("true"));
            context.set(MFA_AGE, ContextValue::one("0"));
            context.set(TOKEN_ISSUE_TIME, issued.clone());
            context.set("sts:RoleSessionName", ContextValue::one(name.as_str()));
            if let Some(region) = region {
                context.set(REGION, ContextValue::one(region.as_str()));
            }
            let finding = self.judge(context, Wanted::Allowed(&caller));
            findings.add(finding, region.as_deref().filter(|_| about_region));
        }
        self.proof(Obligation::Assume, findings)
    }

    /// Proves that the user cannot assume it without MFA: the keys are absent with access keys, and in some sessions one
    /// of them is `false`. `by_trust` says that the trust policy lets nobody in without MFA, whoever it is.
    pub(super) fn without_mfa(&self, by_trust: bool) -> Proof {
        let mut findings = Findings::of(self.role_account);
        if by_trust {
            return self.proof(Obligation::ClosedWithoutMfa, findings);
        }
        let usual = ContextValue::one(self.usual_session_name());
        // Whoever gets in under the usual name surely gets in; no other name may do either.
        for name in [usual, ContextValue::Unknown] {
            for present in [ContextValue::ABSENT, ContextValue::one("false")] {
                let mut context = self.context();
                context.set(MFA_PRESENT, present);
                context.set(MFA_AGE, ContextValue::ABSENT);
                context.set("sts:RoleSessionName", name.clone());
                findings.add(self.judge(context, Wanted::Denied), None);
            }
        }
        self.proof(Obligation::ClosedWithoutMfa, findings)
    }

    /// When the user's session was made: just then, or there is none, as with access keys.
    fn issue_times(&self) -> Vec<ContextValue> {
        if !self
            .stack
            .keys
            .contains(&TOKEN_ISSUE_TIME.to_ascii_lowercase())
        {
            return vec![ContextValue::ABSENT];
        }
        match time(TOKEN_ISSUE_TIME, &self.stack.documents(), self.now) {
            ContextValue::Unknown => vec![ContextValue::Unknown],
            known @ ContextValue::Values(_) => vec![ContextValue::ABSENT, known],
        }
    }

    fn usual_session_name(&self) -> String {
        match self.session_name {
            Some(pattern) => session_name_like(pattern),
            // In the console, the session has the name of the user.
            None => self.user.arn.name().to_owned(),
        }
    }

    fn context(&self) -> Context {
        let mut context = of_caller(self.organization, self.user_account);
        add_own_call(&mut context, self.organization, self.role_account);
        add_clocks(&mut context, &self.stack.documents(), self.now);
        context
    }

    fn judge(&self, mut context: Context, wanted: Wanted<'_>) -> Option<Finding> {
        complete(&mut context, &self.stack.keys, Some(&self.user.tags));
        let Ok(principal) = self.user.arn.as_str().parse() else {
            return Some(not_a_caller(self.user.arn.as_str()));
        };
        let request = Request {
            principal,
            action: "sts:AssumeRole".to_owned(),
            resource: self.role.to_string(),
            resource_account: Some(self.role_account.clone()),
            context,
            management_account: Some(self.organization.management_account.clone()),
        };
        judge(&request, self.stack, wanted)
    }

    fn proof(&self, obligation: Obligation, findings: Findings<'_>) -> Proof {
        let (verdict, findings) = findings.finish();
        Proof {
            obligation,
            principal: Some(self.user.arn.to_string()),
            action: None,
            verdict,
            findings,
        }
    }
}

/// Makes a session name that a pattern of the spec matches.
fn session_name_like(pattern: &str) -> String {
    let mut name = String::new();
    for character in pattern.chars() {
        match character {
            '*' => name.push_str("verify"),
            '?' => name.push('0'),
            other => name.push(other),
        }
    }
    name
}
