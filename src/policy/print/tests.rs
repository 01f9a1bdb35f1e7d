use super::*;
use crate::policy::parse;

const TEXT: &str = r#"{"Statement":[{"Condition":{"StringLike":{"b:k":["z","a"],"a:K":"x\t\"é"},"NumericEquals":{"k":[1.50,true,"2"]}},"Effect":"Allow","NotResource":[],"Action":["s3:put","S3:Get","s3:get"],"Principal":{"Service":"s","AWS":["b","a"]},"Sid":"B"},{"NotPrincipal":"*","Effect":"Deny","NotAction":"x:*","Sid":"A"}],"Id":"i","Version":"2012-10-17"}"#;

#[test]
fn minified_has_a_fixed_element_order_and_the_lists_as_written() {
    let document = parse(TEXT).unwrap();
    let text = minified(&document);
    assert_eq!(
        text,
        r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"B","Effect":"Allow","Principal":{"Service":"s","AWS":["b","a"]},"Action":["s3:put","S3:Get","s3:get"],"NotResource":[],"Condition":{"StringLike":{"b:k":["z","a"],"a:K":"x\t\"é"},"NumericEquals":{"k":[1.50,true,"2"]}}},{"Sid":"A","Effect":"Deny","NotPrincipal":"*","NotAction":"x:*"}]}"#
    );
    assert_eq!(parse(&text).unwrap(), document);
}

#[test]
fn pretty_indents_by_two() {
    let document = parse(
        r#"{"Statement":{"Effect":"Allow","Action":["a:b"],"Resource":["x","y"],"Principal":{}}}"#,
    )
    .unwrap();
    let text = pretty(&document);
    assert_eq!(
        text,
        r#"{
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {},
      "Action": "a:b",
      "Resource": [
        "x",
        "y"
      ]
    }
  ]
}"#
    );
    assert_eq!(parse(&text).unwrap(), document);
}

#[test]
fn canonical_pretty_is_sorted_and_puts_one_item_on_a_line() {
    let document = parse(TEXT).unwrap();
    let text = canonical_pretty(&document);
    assert_eq!(
        text,
        r#"{
  "Version": "2012-10-17",
  "Id": "i",
  "Statement": [
    {
      "Sid": "A",
      "Effect": "Deny",
      "NotPrincipal": "*",
      "NotAction": [
        "x:*"
      ]
    },
    {
      "Sid": "B",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "a",
          "b"
        ],
        "Service": [
          "s"
        ]
      },
      "Action": [
        "S3:Get",
        "s3:put"
      ],
      "NotResource": [],
      "Condition": {
        "NumericEquals": {
          "k": [
            1.50,
            "2",
            true
          ]
        },
        "StringLike": {
          "a:K": [
            "x\t\"é"
          ],
          "b:k": [
            "a",
            "z"
          ]
        }
      }
    }
  ]
}"#
    );
    assert_eq!(canonical_pretty(&parse(&text).unwrap()), text);
}
