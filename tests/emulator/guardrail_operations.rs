//! Operations on SCPs and RCPs: the AWS backend against the model, what is tried again, and in what order they go.

use std::collections::BTreeSet;

use breakglass::cloud::aws::Aws;
use breakglass::cloud::{Cloud as _, ErrorKind};
use breakglass::state::{
    GuardrailKind, GuardrailOperation, Guardrails, PolicyReference, PolicyText, Tags,
};
use futures_util::future::{join_all, select};
use serde_json::json;

use crate::backend::{CREDENTIALS, isolated, tags};
use crate::guardrails::{BOTH, DENY, DENY_RESOURCES, FULL_RCP, FULL_SCP, furnish};
use crate::harness::{EMERGENCY, Emulator, PROD_PAY};

fn start() -> Emulator {
    Emulator::start(&json!({
        "accounts": [
            { "name": "emergency", "id": EMERGENCY },
            { "name": "prod-pay", "ou": "/Workloads/Prod", "id": PROD_PAY },
        ],
        "policy_types": BOTH,
    }))
}

fn create(kind: GuardrailKind, name: &str) -> GuardrailOperation {
    GuardrailOperation::CreatePolicy {
        name: name.to_owned(),
        description: "What nobody may do; é".to_owned(),
        kind,
        document: PolicyText::new(match kind {
            GuardrailKind::Scp => DENY,
            GuardrailKind::Rcp => DENY_RESOURCES,
        }),
        tags: tags(&[
            ("breakglass:managed", "true"),
            ("owner", "platform+security é"),
        ]),
    }
}

fn update(id: &str, document: &str) -> GuardrailOperation {
    GuardrailOperation::UpdatePolicy {
        policy: PolicyReference::Id(id.to_owned()),
        document: PolicyText::new(document),
    }
}

fn delete(id: &str) -> GuardrailOperation {
    GuardrailOperation::DeletePolicy {
        policy: PolicyReference::Id(id.to_owned()),
    }
}

fn attach(id: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Attach {
        policy: PolicyReference::Id(id.to_owned()),
        target: target.to_owned(),
    }
}

fn attach_by_name(kind: GuardrailKind, name: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Attach {
        policy: PolicyReference::Named {
            kind,
            name: name.to_owned(),
        },
        target: target.to_owned(),
    }
}

fn detach(id: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Detach {
        policy: PolicyReference::Id(id.to_owned()),
        target: target.to_owned(),
    }
}

fn tag(id: &str, pairs: &[(&str, &str)]) -> GuardrailOperation {
    GuardrailOperation::Tag {
        policy: PolicyReference::Id(id.to_owned()),
        tags: tags(pairs),
    }
}

fn untag(id: &str, keys: &[&str]) -> GuardrailOperation {
    GuardrailOperation::Untag {
        policy: PolicyReference::Id(id.to_owned()),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// Carries out operations on AWS and on the model, and compares the two after each.
struct Pair<'a> {
    aws: &'a Aws,
    model: Guardrails,
}

impl<'a> Pair<'a> {
    async fn of(aws: &'a Aws) -> Self {
        let model = aws.guardrails().await.unwrap();
        Self { aws, model }
    }

    async fn run(&mut self, operation: GuardrailOperation) {
        let done = self.aws.change_guardrails(&operation).await;
        done.unwrap_or_else(|error| panic!("{operation:?}: {error}"));
        let modelled = self.model.apply(&operation);
        modelled.unwrap_or_else(|error| panic!("model: {operation:?}: {error}"));
        if let GuardrailOperation::CreatePolicy { kind, name, .. } = &operation {
            self.take_over_id(*kind, name).await;
        }
        self.compare(&format!("{operation:?}")).await;
    }

    /// Gives a policy that was made just now the id in the model that AWS has given it.
    async fn take_over_id(&mut self, kind: GuardrailKind, name: &str) {
        let live = self.aws.guardrails().await.unwrap();
        let (id, _) = live.named(kind, name).unwrap();
        let policy = self.model.policies.remove(&self.id(kind, name)).unwrap();
        self.model.policies.insert(id.to_owned(), policy);
    }

    async fn compare(&self, after: &str) {
        let live = self.aws.guardrails().await;
        assert_eq!(live.as_ref(), Ok(&self.model), "after {after}");
    }

    /// Runs an operation that both sides must refuse with this error code.
    async fn refuse(&mut self, operation: &GuardrailOperation, code: &str) {
        let refused = self.aws.change_guardrails(operation).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Service);
        assert_eq!(refused.call, operation.action());
        let code = format!("{code}: ");
        assert!(refused.message.starts_with(&code), "{refused}");
        let modelled = self.model.apply(operation).unwrap_err().to_string();
        assert!(modelled.starts_with(&code), "{modelled}");
    }

    /// Runs an operation that the model refuses with this error code, and that AWS is found to have done.
    async fn find_done(&mut self, operation: &GuardrailOperation, code: &str) {
        let done = self.aws.change_guardrails(operation).await;
        assert_eq!(done, Ok(()), "{operation:?}");
        let modelled = self.model.apply(operation).unwrap_err().to_string();
        assert!(modelled.starts_with(&format!("{code}: ")), "{modelled}");
    }

    fn id(&self, kind: GuardrailKind, name: &str) -> String {
        self.model.named(kind, name).unwrap().0.to_owned()
    }
}

#[test]
fn operations_do_what_the_model_says() {
    isolated(CREDENTIALS, async || {
        let emulator = start();
        let aws = emulator.connect().await;
        let mut pair = Pair::of(&aws).await;
        let (scp, rcp) = (GuardrailKind::Scp, GuardrailKind::Rcp);
        for kind in GuardrailKind::ALL {
            // The same name for both: it is unique among its kind only.
            pair.run(create(kind, "deny")).await;
            pair.run(attach_by_name(kind, "deny", EMERGENCY)).await;
            let id = pair.id(kind, "deny");
            pair.run(attach(&id, PROD_PAY)).await;
            pair.run(tag(&id, &[("owner", ""), ("a b", "c=d")])).await;
            pair.run(untag(&id, &["owner", "none"])).await;
        }
        let (id, rcp_id) = (pair.id(scp, "deny"), pair.id(rcp, "deny"));
        let other = DENY.replace("s3:*", "s3:Get% *+é");
        pair.run(update(&id, &other)).await;
        pair.run(detach(FULL_SCP, PROD_PAY)).await;
        refuse(&mut pair, &id).await;
        find_done(&mut pair, &id).await;
        pair.compare("refusals").await;
        pair.run(attach(FULL_SCP, PROD_PAY)).await;
        for id in [id, rcp_id] {
            pair.run(detach(&id, PROD_PAY)).await;
            pair.run(detach(&id, EMERGENCY)).await;
            pair.run(delete(&id)).await;
        }
        assert_eq!(pair.model.policies.len(), 2);
    });
}

/// Something is in the way of each of these, and everything stays as it is.
async fn refuse(pair: &mut Pair<'_>, id: &str) {
    let large = DENY.replace("s3:*", &format!("s3:{}", "x".repeat(10_240)));
    for (operation, code) in [
        (delete(id), "PolicyInUseException"),
        (delete(FULL_SCP), "InvalidInputException"),
        (update(FULL_SCP, DENY), "InvalidInputException"),
        (tag(FULL_SCP, &[("a", "b")]), "InvalidInputException"),
        (untag(FULL_RCP, &["a"]), "InvalidInputException"),
        (detach(FULL_RCP, PROD_PAY), "InvalidInputException"),
        (detach(id, PROD_PAY), "ConstraintViolationException"),
        (update(id, &large), "ConstraintViolationException"),
        (update(id, "no JSON"), "MalformedPolicyDocumentException"),
        (attach("p-00000000", PROD_PAY), "PolicyNotFoundException"),
        (update("p-00000000", DENY), "PolicyNotFoundException"),
    ] {
        pair.refuse(&operation, code).await;
    }
    let mut other = create(GuardrailKind::Scp, "deny");
    if let GuardrailOperation::CreatePolicy { description, .. } = &mut other {
        description.push('!');
    }
    pair.refuse(&other, "DuplicatePolicyException").await;
}

async fn find_done(pair: &mut Pair<'_>, id: &str) {
    for (operation, code) in [
        (attach(id, PROD_PAY), "DuplicatePolicyAttachmentException"),
        (detach(FULL_SCP, PROD_PAY), "PolicyNotAttachedException"),
        (detach("p-00000000", PROD_PAY), "PolicyNotFoundException"),
        (delete("p-00000000"), "PolicyNotFoundException"),
    ] {
        pair.find_done(&operation, code).await;
    }
}

#[test]
fn a_node_takes_so_many_policies_of_a_kind_and_no_more() {
    isolated(CREDENTIALS, async || {
        let emulator = start();
        let aws = emulator.connect().await;
        let client = emulator.organizations();
        for (kind, more) in [(GuardrailKind::Scp, 9), (GuardrailKind::Rcp, 4)] {
            for number in 0..more {
                let name = format!("{kind}-{number}");
                furnish(&client, kind, &name, &Tags::new(), &[PROD_PAY]).await;
            }
            let id = furnish(&client, kind, "more", &Tags::new(), &[]).await;
            let mut pair = Pair::of(&aws).await;
            let operation = attach(&id, PROD_PAY);
            pair.refuse(&operation, "ConstraintViolationException")
                .await;
            pair.run(attach(&id, EMERGENCY)).await;
        }
        let unknown = attach(FULL_SCP, "999999999999");
        let refused = aws.change_guardrails(&unknown).await.unwrap_err();
        let told = "organizations:AttachPolicy: TargetNotFoundException: ";
        assert!(refused.to_string().starts_with(told), "{refused}");
        let unknown = attach_by_name(GuardrailKind::Scp, "none", PROD_PAY);
        let refused = aws.change_guardrails(&unknown).await.unwrap_err();
        let told = "organizations:ListPolicies: there is no SCP none";
        assert_eq!(refused.to_string(), told);
    });
}

#[test]
fn what_meets_another_change_or_is_throttled_is_tried_again() {
    isolated(CREDENTIALS, async || {
        let emulator = start();
        let aws = emulator.connect().await;
        let mut pair = Pair::of(&aws).await;
        let fault = |kind: &str, call: &str, code: Option<&str>| {
            let mut fault = json!({ "kind": kind, "action": format!("organizations:{call}") });
            fault["times"] = 1.into();
            fault["code"] = code.into();
            fault
        };
        let busy = Some("ConcurrentModificationException");
        let changing = Some("PolicyChangesInProgressException");
        let missing = Some("PolicyNotFoundException");
        emulator.faults(json!([
            fault("error", "CreatePolicy", busy),
            fault("throttle", "CreatePolicy", None),
            fault("error", "AttachPolicy", changing),
            // As if the policy that was made just now were not to be seen everywhere.
            fault("error", "AttachPolicy", missing),
            fault("throttle", "AttachPolicy", None),
            fault("error500", "AttachPolicy", None),
            fault("error", "UpdatePolicy", busy),
        ]));
        pair.run(create(GuardrailKind::Scp, "deny")).await;
        let id = pair.id(GuardrailKind::Scp, "deny");
        pair.run(attach(&id, PROD_PAY)).await;
        pair.run(update(&id, &DENY.replace("s3", "ec2"))).await;
        assert_eq!(emulator.fired(), [1; 7]);
        let access = json!([{ "kind": "access_denied", "action": "organizations:DetachPolicy" }]);
        emulator.faults(access);
        let refused = aws.change_guardrails(&detach(&id, PROD_PAY)).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::AccessDenied);
        assert_eq!(emulator.fired(), [1]);
    });
}

#[test]
fn what_was_carried_out_without_an_answer_is_done() {
    isolated(CREDENTIALS, async || {
        let emulator = start();
        let aws = emulator.connect().await;
        let mut pair = Pair::of(&aws).await;
        let lose = |call: &str| {
            let call = format!("organizations:{call}");
            emulator.faults(json!([{ "kind": "lost_answer", "action": call, "times": 1 }]));
        };
        lose("CreatePolicy");
        pair.run(create(GuardrailKind::Rcp, "deny")).await;
        let id = pair.id(GuardrailKind::Rcp, "deny");
        for (call, operation) in [
            (
                "UpdatePolicy",
                update(&id, &DENY_RESOURCES.replace("s3", "kms")),
            ),
            ("TagResource", tag(&id, &[("tier", "1")])),
            ("UntagResource", untag(&id, &["owner"])),
            ("AttachPolicy", attach(&id, PROD_PAY)),
            ("DetachPolicy", detach(&id, PROD_PAY)),
            ("DeletePolicy", delete(&id)),
        ] {
            lose(call);
            pair.run(operation).await;
            assert_eq!(emulator.fired(), [1], "{call}");
        }
    });
}

#[test]
fn writes_go_one_by_one_and_not_too_fast() {
    isolated(CREDENTIALS, async || {
        let emulator = start();
        let aws = emulator.connect().await;
        let names: Vec<String> = (0..5).map(|number| format!("scp-{number}")).collect();
        let operations: Vec<_> = names
            .iter()
            .map(|name| create(GuardrailKind::Scp, name))
            .collect();
        let slow = json!([{ "kind": "latency", "action": "organizations:*", "ms": 100 }]);
        emulator.faults(slow);
        emulator.forget_calls();
        let writes = operations
            .iter()
            .map(|operation| aws.change_guardrails(operation));
        let done = join_all(writes).await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        let writes = emulator.writes();
        assert_eq!(writes.len(), 5);
        for pair in writes.windows(2) {
            assert!(pair[0].ended <= pair[1].began, "{pair:?}");
        }
        // Three at once, the others half a second apart.
        assert!(writes[4].began - writes[0].began >= 0.95, "{writes:?}");

        // Whoever stops waiting for its turn has not written, and holds up nobody.
        let (first, second) = (
            create(GuardrailKind::Rcp, "one"),
            create(GuardrailKind::Rcp, "two"),
        );
        let first = aws.change_guardrails(&first);
        drop(select(first, aws.change_guardrails(&second)).await);
        let third = create(GuardrailKind::Rcp, "three");
        assert_eq!(aws.change_guardrails(&third).await, Ok(()));
        emulator.no_faults();
        let read = aws.guardrails().await.unwrap();
        let made = read
            .policies
            .values()
            .filter(|policy| policy.kind == GuardrailKind::Rcp);
        let made: BTreeSet<_> = made.map(|policy| policy.name.as_str()).collect();
        assert_eq!(made, BTreeSet::from(["RCPFullAWSAccess", "one", "three"]));
    });
}
