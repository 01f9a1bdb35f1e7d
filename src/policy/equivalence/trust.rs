//! Questions about what one document allows: whom, and whether without MFA.

use std::collections::BTreeMap;

use super::principals::Reading;
use super::space::{Regions, Space};
use super::witness::Witness;
use super::{MAX_STEPS, beyond, readings};
use crate::policy::canonical::{Canonical, CanonicalContext, canonicalize};
use crate::policy::cells::{Budget, OverBudget};
use crate::policy::document::Document;

/// Tells whether a trust policy lets nobody in without MFA; true also when it lets nobody in.
///
/// It does not when some request is allowed that has no `aws:MultiFactorAuthAge`, and whose
/// `aws:MultiFactorAuthPresent` is `false` or absent: so look requests without MFA. What is too intricate to follow, or
/// an empty list of values, is taken to demand nothing.
#[must_use]
pub fn requires_mfa(document: &Document) -> bool {
    let mut form = canonicalize(document, &CanonicalContext::default());
    form.drop_empty_tests();
    allowed_without_mfa(&form) == Ok(false)
}

fn allowed_without_mfa(form: &Canonical) -> Result<bool, OverBudget> {
    let mut budget = Budget::new(MAX_STEPS);
    let space = Space::of(&[form], &mut budget)?;
    let regions = space.without_mfa(&space.regions(form, Reading::DEFAULT));
    let allowed = beyond(&space.layout, &regions, &Regions::default(), &mut budget)?;
    Ok(allowed.is_some())
}

/// Lists who can satisfy a document that names principals, one request each; `None` when it is too intricate to follow.
///
/// Together the callers of these requests stand for everyone: all that are not singled out by the document are one
/// caller ("anyone else" of an account, of other accounts, without credentials, of other services and providers).
#[must_use]
pub fn allowed_callers(document: &Document, context: &CanonicalContext) -> Option<Vec<Witness>> {
    let form = canonicalize(document, context);
    callers(&form, &[document]).ok()
}

fn callers(form: &Canonical, spelling: &[&Document]) -> Result<Vec<Witness>, OverBudget> {
    let mut budget = Budget::new(MAX_STEPS);
    let space = Space::of(&[form], &mut budget)?;
    let nothing = Regions::default();
    let mut found: BTreeMap<usize, Witness> = BTreeMap::new();
    // Whoever one way to read the document lets in is listed.
    for reading in readings(&[form]) {
        let regions = space.regions(form, reading);
        for caller in space.each_caller() {
            let mut theirs = regions.clone();
            for allow in &mut theirs.allow {
                space.keep_caller(allow, caller);
            }
            theirs.allow.retain(|allow| !space.layout.is_empty(allow));
            if let Some(region) = beyond(&space.layout, &theirs, &nothing, &mut budget)? {
                let witness = space.witness(&region, &nothing, &regions);
                let witness = witness.map(|witness| witness.spelled_as_in(spelling));
                found.extend(witness.map(|witness| (caller, witness)));
            }
        }
    }
    let mut callers: Vec<Witness> = found.into_values().collect();
    // What a caller's own policies say of the request tells no callers apart.
    callers.dedup_by(|later, first| later.principal == first.principal);
    Ok(callers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    /// Lists who can satisfy a trust policy, as the words of a witness.
    fn callers_of(statements: &[&str]) -> Vec<String> {
        let statements: Vec<_> = statements.iter().map(|s| format!("{{{s}}}")).collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        );
        let document = parse(&text).unwrap();
        let callers = allowed_callers(&document, &CanonicalContext::inferred(&[&document]));
        let callers = callers.unwrap().into_iter();
        callers.map(|caller| caller.request()).collect()
    }

    #[test]
    fn a_trust_policy_is_satisfied_by_these_callers_and_no_others() {
        let trust = |effect: &str, principal: &str, condition: &str| {
            format!(
                r#""Effect":"{effect}","Principal":{principal},"Action":"sts:AssumeRole","Condition":{condition}"#
            )
        };
        let user = r#"{"AWS":"arn:aws:iam::111122223333:user/x"}"#;
        let mfa = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let by = "sts:AssumeRole by ";
        assert_eq!(
            callers_of(&[&trust("Allow", user, mfa)]),
            [format!(
                "{by}arn:aws:iam::111122223333:user/x with aws:MultiFactorAuthPresent = true"
            )]
        );
        // An account opens the way to all in it that a policy of their own allows.
        assert_eq!(
            callers_of(&[&trust("Allow", r#"{"AWS":"111122223333"}"#, "{}")]),
            [
                format!("{by}arn:aws:iam::111122223333:root"),
                format!(
                    "{by}arn:aws:iam::111122223333:user/anyone-else (if its own policies allow it)"
                ),
            ]
        );
        assert_eq!(
            callers_of(&[
                &trust("Allow", r#""*""#, "{}"),
                &trust("Deny", r#"{"AWS":"*"}"#, "{}"),
                &trust("Deny", r#"{"Service":"ec2.amazonaws.com"}"#, "{}"),
            ]),
            [
                format!("{by}any-other-canonical-user"),
                format!("{by}any-other-provider.example"),
                format!("{by}any-other.amazonaws.com"),
            ]
        );
        assert_eq!(
            callers_of(&[&trust("Allow", user, mfa), &trust("Deny", user, "{}")]),
            [""; 0]
        );
    }

    #[test]
    fn mfa_is_demanded_by_every_allow() {
        let allow = |condition: &str| {
            format!(
                r#"{{"Effect":"Allow","Principal":{{"AWS":"a"}},"Action":"sts:AssumeRole","Condition":{condition}}}"#
            )
        };
        for (expected, condition) in [
            (true, r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#),
            (
                true,
                r#"{"Bool":{"AWS:multifactorauthpresent":[true]},"StringEquals":{"k":"a"}}"#,
            ),
            (
                true,
                r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#,
            ),
            (
                true,
                r#"{"NumericLessThanEquals":{"aws:MultiFactorAuthAge":3600}}"#,
            ),
            (false, "{}"),
            (false, r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#),
            (
                false,
                r#"{"Bool":{"aws:MultiFactorAuthPresent":["true","false"]}}"#,
            ),
            (false, r#"{"Bool":{"aws:MultiFactorAuthPresent":[]}}"#),
            (
                false,
                r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#,
            ),
            (
                false,
                r#"{"ForAllValues:Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            ),
            (false, r#"{"Null":{"aws:MultiFactorAuthPresent":"false"}}"#),
            (
                false,
                r#"{"NumericLessThanIfExists":{"aws:MultiFactorAuthAge":"3600"}}"#,
            ),
            (
                false,
                r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":[]}}"#,
            ),
            (
                false,
                r#"{"NumericNotEquals":{"aws:MultiFactorAuthAge":"3600"}}"#,
            ),
            (false, r#"{"Bool":{"aws:SecureTransport":"true"}}"#),
        ] {
            let document = parse(&format!(r#"{{"Statement":[{}]}}"#, allow(condition))).unwrap();
            assert_eq!(requires_mfa(&document), expected, "{condition}");
        }
        let mfa = allow(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
        let deny = mfa.replace("Allow", "Deny").replace("true", "false");
        let of = |statements: &[&str]| {
            requires_mfa(&parse(&format!(r#"{{"Statement":[{}]}}"#, statements.join(","))).unwrap())
        };
        assert!(of(&[&mfa, &deny]) && of(&[&deny]));
        assert!(!of(&[&mfa, &allow("{}")]));
    }
}
