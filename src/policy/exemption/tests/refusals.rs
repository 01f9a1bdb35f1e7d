//! What cannot be exempted.

use super::*;

#[test]
fn what_cannot_be_exempted_is_an_error_that_says_what_to_do() {
    let old = guardrails();
    let admin = set([ADMIN]);
    let error = |document: &Document, chosen: &Chosen, principals: &BTreeSet<String>, kind| {
        exempt(document, chosen, principals, kind).unwrap_err()
    };
    let scp =
        |document, chosen: &Chosen| error(document, chosen, &admin, DocumentKind::Scp).to_string();
    let denies = "the Deny statements are DenyOutsideEU, DenyRoot, ProtectTrails, 5";
    assert_eq!(
        scp(&old, &sid("Gone")),
        format!("there is no statement Gone; {denies}")
    );
    assert_eq!(
        scp(&old, &sid("FullAccess")),
        format!("statement FullAccess is an Allow, from which nobody is exempted; {denies}")
    );
    assert_eq!(
        scp(&old, &Chosen::Numbers(vec![5, 6])),
        format!("there is no statement 6; {denies}")
    );
    assert!(scp(&old, &Chosen::Numbers(vec![0])).starts_with("there is no statement 0"));
    assert!(scp(&old, &Chosen::Numbers(vec![1])).starts_with("statement FullAccess is an Allow"));
    let allows =
        document(&json!([{ "Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*" }]));
    assert_eq!(
        scp(&allows, &sid("")),
        "there is no statement ; the policy has no Deny statement"
    );

    for kind in [DocumentKind::Identity, DocumentKind::Trust] {
        let found = error(&old, &Chosen::EachDeny, &admin, kind);
        assert_eq!(found, ExemptionError::NotAGuardrail);
    }
    let spared = document(&json!([{
        "Effect": "Deny", "NotPrincipal": { "AWS": OTHER }, "Action": "s3:*", "Resource": "*",
    }]));
    assert!(scp(&spared, &Chosen::EachDeny).starts_with("statement 1 has NotPrincipal"));
    let empty = deny(&json!({ "ArnNotLike": { "aws:principalarn": [] } }));
    assert!(scp(&empty, &sid("D")).contains("by ArnNotLike against an empty list"));

    for (principal, part) in [
        ("*", "no ARN"),
        ("", "no ARN"),
        ("111122223333", "no ARN"),
        ("arn:aws:iam::*", "no ARN"),
        ("*:*:*:*:*:*", "no ARN"),
        (
            "arn:aws:iam::${aws:PrincipalAccount}:role/x",
            "policy variable",
        ),
        ("arn:aws:iam::1:role/\u{100}", "no policy may contain"),
        ("arn:aws:iam::1:role/a\nb", "no policy may contain"),
        (
            "arn:aws:sts::111122223333:assumed-role/Admin/me",
            "it is a session",
        ),
    ] {
        let found = error(
            &old,
            &Chosen::EachDeny,
            &set([principal]),
            DocumentKind::Scp,
        );
        let ExemptionError::InvalidPrincipal {
            principal: named,
            reason,
        } = &found
        else {
            panic!("{principal}: {found}");
        };
        assert!(named == principal && reason.contains(part), "{found}");
    }
}

#[test]
fn a_result_over_the_limit_of_its_kind_is_refused() {
    let old = deny(&json!({}));
    let accounts = |count: usize| {
        let accounts: Vec<_> = (0..count)
            .map(|n| format!("{n:012}").parse().unwrap())
            .collect();
        principal_values(
            &"aws".parse().unwrap(),
            &"/break-glass/".parse().unwrap(),
            "Admin",
            false,
            &accounts,
        )
    };
    let size = |count, kind| match exempt(&old, &sid("D"), &accounts(count), kind) {
        Ok(new) => Ok(minified(&new).len()),
        Err(ExemptionError::TooLarge { size, limit }) => Err((size, limit)),
        Err(error) => panic!("{error}"),
    };
    // Without any principal, but with the brackets of their list; each value comes with quotes and a comma.
    let base = size(1, DocumentKind::Scp).unwrap() - ADMIN.len() - 1;
    let each = ADMIN.len() + 3;
    for (limit, kind) in [(10_240, DocumentKind::Scp), (5_120, DocumentKind::Rcp)] {
        let most = (limit - base) / each;
        assert_eq!(size(most, kind), Ok(base + each * most));
        assert_eq!(size(most + 1, kind), Err((base + each * (most + 1), limit)));
    }
    let message = exempt(&old, &sid("D"), &accounts(500), DocumentKind::Rcp)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("more than the 5120 that AWS accepts"),
        "{message}"
    );
    // A document that is too large already is not refused as long as nothing changes.
    let large = exempt(&old, &sid("D"), &accounts(120), DocumentKind::Scp).unwrap();
    assert_eq!(
        exempt(
            &large,
            &sid("D"),
            &set([ADMIN.replace("111122223333", "000000000003").as_str()]),
            DocumentKind::Rcp
        ),
        Ok(large)
    );
}
