//! Values for selections of accounts.

use super::*;

#[test]
fn the_values_for_a_selection_are_a_wildcard_or_one_per_account() {
    let partition = "aws-cn".parse().unwrap();
    let accounts = ["111122223333", "000000000001"].map(|id| id.parse().unwrap());
    let path = "/break-glass/".parse().unwrap();
    let values = |all| principal_values(&partition, &path, "Admin", all, &accounts);
    assert_eq!(
        values(true),
        set(["arn:aws-cn:iam::*:role/break-glass/Admin"])
    );
    assert_eq!(
        values(false),
        set([
            "arn:aws-cn:iam::000000000001:role/break-glass/Admin",
            "arn:aws-cn:iam::111122223333:role/break-glass/Admin"
        ])
    );
    assert_eq!(
        principal_values(&partition, &path, "Admin", false, &[]),
        BTreeSet::new()
    );
    assert_eq!(
        user_value(&partition, &path, "ops.1", &accounts[0]),
        "arn:aws-cn:iam::111122223333:user/break-glass/ops.1"
    );
    // A path that looks like a pattern names just itself.
    let odd = principal_values(&partition, &"/a*?$x/".parse().unwrap(), "Admin", true, &[]);
    assert_eq!(odd, set(["arn:aws-cn:iam::*:role/a${*}${?}${$}x/Admin"]));
    let new = checked(&deny(&json!({})), &sid("D"), &odd, DocumentKind::Scp);
    let blocked = |caller| {
        blocking_statements(
            &new,
            DocumentKind::Scp,
            &request(caller, "s3:ListBucket", "*"),
        )
        .len()
    };
    assert_eq!(blocked("arn:aws-cn:iam::111122223333:role/a*?$x/Admin"), 0);
    assert_eq!(blocked("arn:aws-cn:iam::111122223333:role/abc$x/Admin"), 1);
}
