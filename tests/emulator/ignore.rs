//! What an ignore rule leaves alone is never written, and everything beside it is.

use serde_json::json;

use crate::applied_small_organization;
use crate::harness::{SAND, changes};

#[tokio::test]
async fn an_apply_leaves_alone_what_a_rule_says_and_puts_the_rest_right() {
    let emulator = applied_small_organization();
    // Behind the spec's back, somebody tags a role and gives it a shorter session.
    let iam = emulator.iam("sand").await;
    let tag = aws_sdk_iam::types::Tag::builder();
    let tag = tag.key("cost-center").value("9").build().unwrap();
    let tagging = iam.tag_role().role_name("BreakGlassRead").tags(tag);
    tagging.send().await.unwrap();
    let role = iam.update_role().role_name("BreakGlassRead");
    role.max_session_duration(3_600).send().await.unwrap();
    let spec = emulator.read("breakglass.yaml");
    let rule = format!("{SAND}/iam_role/BreakGlassRead:tags.cost-*");
    let add = [
        "ignore",
        "add",
        &rule,
        "--reason",
        "theirs",
        "--expires",
        "30d",
    ];
    emulator.run(&add).expect(0);
    let edited = emulator.read("breakglass.yaml");
    assert!(edited.starts_with(spec.trim_end()), "{edited}");

    let (code, drift) = emulator.json(&["drift"]);
    let left = format!("{SAND}/iam_role/BreakGlassRead update max_session");
    assert_eq!((code, changes(&drift)), (2, vec![left]));
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    let writes = emulator.writes();
    let names: Vec<&str> = writes.iter().map(|call| call.action.as_str()).collect();
    assert_eq!(names, ["UpdateRole"]);

    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!((code, &drift["summary"]["ignored"]), (0, &json!(1)));
    let ignored = &drift["ignored"][0];
    assert_eq!(ignored["fields"][0]["live"], "9");
    assert_eq!(ignored["ignored_by"]["reason"], "theirs");
}
