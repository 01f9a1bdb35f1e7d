//! Proofs, and breaches of every kind.

use super::*;

/// Checks that others than [`ANYWHERE`] gain or something is lost, and that the request which shows it does.
fn assert_breach(old: &Document, new: &Document, expected: &str) {
    let breach = prove(old, new, &set([ANYWHERE])).unwrap_err();
    let text = minified(new);
    match (&breach, expected) {
        (Breach::LetsOthersThrough(witness), "others") => {
            let caller = witness.context.get("aws:PrincipalArn");
            let caller = caller.map(|values| values.join(" "));
            let declared = |caller: &String| {
                let segments: Vec<&str> = caller.splitn(6, ':').collect();
                segments.last() == Some(&"role/break-glass/Admin")
                    && segments[..4] == ["arn", "aws", "iam", ""]
            };
            assert!(!caller.as_ref().is_some_and(declared), "{breach}: {text}");
            assert!((witness.old, witness.new) == (Answer::Denied, Answer::NotAllowed));
        }
        (Breach::DeniesMore(witness), "denied") => {
            assert!((witness.old, witness.new) == (Answer::NotAllowed, Answer::Denied));
        }
        (Breach::AllowsLess(_), "allow less") => {}
        _ => panic!("{breach:?}: {text}"),
    }
}

#[test]
fn an_exemption_list_is_neither_split_nor_emptied_nor_widened() {
    let list = |values: &[&str]| {
        json!({
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": values } },
        })
    };
    let old = document(&json!([list(&[OTHER])]));
    let new = checked(&old, &Chosen::EachDeny, &set([ANYWHERE]), DocumentKind::Scp);
    assert_eq!(new, document(&json!([list(&[OTHER, ANYWHERE])])));
    let deny_other = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" });
    for (statements, expected) in [
        (json!([list(&[OTHER]), list(&[ANYWHERE])]), "denied"),
        (json!([list(&[ANYWHERE])]), "denied"),
        (json!([list(&[OTHER, ANYWHERE]), deny_other]), "denied"),
        (
            json!([list(&[
                OTHER,
                ANYWHERE,
                "arn:aws:iam::111122223333:role/break-glass/Admin2"
            ])]),
            "others",
        ),
        (json!([deny_other]), "denied"),
        (
            json!([{ "Effect": "Deny", "Action": "other:*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": OTHER } } }]),
            "others",
        ),
    ] {
        assert_breach(&old, &document(&statements), expected);
    }
    let mut removed = old.clone();
    removed.statements.clear();
    assert_breach(&old, &removed, "others");
    let breach = prove(&old, &removed, &set([ANYWHERE]))
        .unwrap_err()
        .to_string();
    assert!(
        breach.starts_with("others than the declared principals gain: any action "),
        "{breach}"
    );
}

#[test]
fn breaches_are_found_and_shown() {
    let principals = set([ANYWHERE]);
    let all = guardrails();
    let mut old = all.clone();
    // What it denies to everyone would hide what others let through.
    old.statements.truncate(4);
    let good = exempt(&old, &Chosen::EachDeny, &principals, DocumentKind::Scp).unwrap();
    let text = minified(&good);
    let added = format!(r#""ArnNotLike":{{"aws:PrincipalArn":"{ANYWHERE}"}}"#);
    let regions = r#""StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]},"#;
    let allow = [r#""Allow","Action":"*""#, r#""Allow","Action":"s3:*""#];
    let cases = [
        ["a stranger", &added, &added.replace("Admin", "*"), "others"],
        [
            "everyone",
            &added,
            &added.replace(ANYWHERE, "arn:*:*:*:*:*"),
            "others",
        ],
        [
            "another key",
            &added,
            &added.replace("PrincipalArn", "SourceArn"),
            "others",
        ],
        [
            "as text",
            &added,
            &added.replace("ArnNot", "StringNot"),
            "others",
        ],
        [
            "not negated",
            &added,
            &added.replace("ArnNot", "Arn"),
            "others",
        ],
        ["condition dropped", regions, "", "denied"],
        [
            "region added",
            r#"["eu-west-1""#,
            r#"["us-east-1","eu-west-1""#,
            "others",
        ],
        [
            "NotAction widened",
            r#""iam:*","#,
            r#""iam:*","ec2:*","#,
            "others",
        ],
        ["NotAction narrowed", r#""iam:*","#, "", "denied"],
        [
            "NotResource widened",
            "trail/sandbox-*",
            "trail/*",
            "others",
        ],
        ["Allow narrowed", allow[0], allow[1], "allow less"],
    ];
    for [what, from, to, expected] in cases {
        assert!(text.contains(from), "{what}: {text}");
        let new = parse(&text.replacen(from, to, 1)).unwrap();
        assert_breach(&old, &new, expected);
    }
    // More in an Allow is a breach, also where a Deny hides it.
    let fewer = parse(&text.replacen(allow[0], allow[1], 1)).unwrap();
    assert!(matches!(
        prove(&fewer, &good, &principals),
        Err(Breach::AllowsMore(_))
    ));
    // The other principals of a set do not make up for one that is not declared.
    assert!(matches!(
        prove(&old, &good, &set([ADMIN])),
        Err(Breach::LetsOthersThrough(_))
    ));
    assert!(matches!(
        prove(&old, &good, &BTreeSet::new()),
        Err(Breach::LetsOthersThrough(_))
    ));
    // Taking an exemption back is no exemption.
    assert!(matches!(
        prove(&good, &old, &principals),
        Err(Breach::DeniesMore(_))
    ));
}

#[test]
fn a_proof_needs_the_meaning_only() {
    let old = guardrails();
    let good = exempt(&old, &Chosen::EachDeny, &set([ANYWHERE]), DocumentKind::Scp).unwrap();
    let mut moved = good.clone();
    moved.statements.reverse();
    moved.id = Some("edited".to_owned());
    let proof = prove(&old, &moved, &set([ANYWHERE])).unwrap();
    assert!(proof.changes_access());
    let mut split = good.clone();
    let mut half = split.statements[3].clone();
    split.statements[3].actions = Selection::Only(vec!["cloudtrail:Delete*".to_owned()]);
    half.sid = None;
    half.actions = Selection::Only(vec!["cloudtrail:StopLogging".to_owned()]);
    split.statements.push(half);
    assert!(prove(&old, &split, &set([ANYWHERE])).is_ok());
}

#[test]
fn a_proof_says_who_gains_by_what() {
    let old = guardrails();
    let other = "arn:aws:iam::444455556666:user/break-glass/ops";
    let said = |old: &Document, chosen: &Chosen, added: &BTreeSet<String>| {
        let new = exempt(old, chosen, added, DocumentKind::Scp).unwrap();
        prove(old, &new, &set([ADMIN, other])).unwrap().to_string()
    };
    let mut without_quarantine = old.clone();
    without_quarantine.statements.truncate(4);
    let trails = sid("ProtectTrails");
    assert_eq!(
        said(&without_quarantine, &trails, &set([ADMIN])),
        format!("only {ADMIN} gains: statement ProtectTrails no longer denies it")
    );
    assert_eq!(
        said(&without_quarantine, &trails, &set([ADMIN, other])),
        format!("only {ADMIN}, {other} gain: statement ProtectTrails no longer denies them")
    );
    let many = (0..9)
        .map(|n| format!("arn:aws:iam::{n:012}:role/x"))
        .collect();
    let new = exempt(&without_quarantine, &trails, &many, DocumentKind::Scp).unwrap();
    let line = prove(&without_quarantine, &new, &many).unwrap().to_string();
    let end = "000000000004:role/x and 4 more gain: statement ProtectTrails no longer denies them";
    assert!(line.ends_with(end), "{line}");
    // Another Deny says the same to them still.
    assert_eq!(
        said(&old, &trails, &set([ADMIN])),
        format!(
            "nobody gains: statement ProtectTrails no longer denies {ADMIN}, but other statements deny the same"
        )
    );
    assert_eq!(
        said(&old, &trails, &BTreeSet::new()),
        "nobody gains or loses anything"
    );
}

#[test]
fn what_is_too_large_is_not_proven_unless_it_is_plain() {
    // Patterns that overlap in more ways than are followed.
    let actions: Vec<String> = (0..40)
        .map(|n| format!("s3:*{}*{}*", char::from(b'a' + n % 26), n))
        .collect();
    let old = document(&json!([
        { "Sid": "D", "Effect": "Deny", "Action": actions, "Resource": "*" },
        { "Sid": "E", "Effect": "Deny", "Action": "ec2:*", "Resource": "*" },
    ]));
    let new = checked(&old, &Chosen::EachDeny, &set([ANYWHERE]), DocumentKind::Scp);
    let mut other = new.clone();
    other.statements[1].actions = Selection::Only(vec!["ec2:*".to_owned(), "s3:ab".to_owned()]);
    assert!(matches!(
        prove(&old, &other, &set([ANYWHERE])),
        Err(Breach::Unproven(_))
    ));
}
