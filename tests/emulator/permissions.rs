//! The policies in `policies/permissions/` allow every call that is made, on the very resource, and nothing that isn't.

use std::collections::{BTreeMap, BTreeSet};

use age::x25519::Identity;
use breakglass::policy::evaluate::wire::evaluate_json;
use breakglass::policy::{library, parse};
use serde_json::{Value, json};

use crate::alerts;
use crate::everything::{ALLOW, Stage, enrol, leave_behind, organization, write};
use crate::harness::{Call, EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, Run};
use crate::usage::{SPAN, events};

const REST: &str = r#"
incidents: { file: incidents.yaml }
alerts: { notify: [{ sns: "arn:aws:sns:eu-west-1:123456789012:break-glass-alerts" }] }
"#;

/// Who runs a command: what its credentials in the management account may do.
#[derive(Clone, Copy)]
enum Runner {
    Reader,
    Writer,
    /// Whoever makes a plan and applies it at once.
    Both,
}

/// What calls took, of the policies that are shipped.
struct Observed {
    emulator: Emulator,
    policies: BTreeMap<&'static str, Value>,
    /// The actions that each policy had to allow.
    used: BTreeMap<&'static str, BTreeSet<String>>,
    refused: BTreeSet<String>,
}

impl Observed {
    fn new(emulator: Emulator) -> Self {
        let policy = |name| {
            let text = library::render(
                name,
                &"aws".parse().unwrap(),
                &"/break-glass/".parse().unwrap(),
            );
            (name, serde_json::from_str(&text.unwrap()).unwrap())
        };
        Self {
            emulator,
            policies: library::permission_names().map(policy).collect(),
            used: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }

    /// Runs a command, and puts every call about alerts to the two policies for these.
    fn run_alerts(&mut self, arguments: &[&str]) -> Run {
        self.emulator.forget_calls();
        let run = self.emulator.run(arguments);
        for call in self.emulator.calls() {
            let policy = match call.role.as_deref() {
                Some("BreakGlassApply") => vec!["writer-alerts"],
                Some(_) => vec!["reader-alerts"],
                None => vec!["reader-alerts", "writer-alerts"],
            };
            if ["iam", "sts", "organizations"].contains(&call.service.as_str()) {
                continue;
            }
            for need in needs(&call, &self.emulator.organization_id) {
                self.allow(&call, &policy, &need);
            }
        }
        run
    }

    /// Runs a command, and puts every call that it makes to the policies of whoever makes it.
    fn run(&mut self, runner: Runner, arguments: &[&str]) -> Run {
        self.emulator.forget_calls();
        let run = self.emulator.run(arguments);
        for call in self.emulator.calls() {
            let policies = policies_of(&call, runner);
            for need in needs(&call, &self.emulator.organization_id) {
                self.allow(&call, &policies, &need);
            }
        }
        run
    }

    fn allow(&mut self, call: &Call, policies: &[&'static str], need: &Need) {
        for name in policies {
            if self.allows(call, name, need) {
                self.used
                    .entry(name)
                    .or_default()
                    .insert(need.action.to_lowercase());
                return;
            }
        }
        self.refused.insert(format!(
            "{} on {} by {policies:?}",
            need.action, need.resource
        ));
    }

    fn allows(&self, call: &Call, policy: &str, need: &Need) -> bool {
        let role = call.role.as_deref().unwrap_or("breakglass-ci");
        let caller = format!("arn:aws:iam::{}:role/{role}", call.account);
        let mut context = need.context.clone();
        for key in ["aws:PrincipalOrgID", "aws:ResourceOrgID"] {
            context[key] = json!(self.emulator.organization_id);
        }
        let mut request = json!({
            "principal": caller,
            "action": need.action,
            "resource": need.resource,
            "context": context,
            "identity_policies": [self.policies[policy]],
        });
        if need.action == "sts:AssumeRole" {
            request["resource_policy"] = json!({ "Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": { "AWS": caller }, "Action": "sts:AssumeRole",
            } });
        }
        let answer = evaluate_json(&request.to_string()).unwrap();
        assert_eq!(answer.error, None);
        json!(answer.decision) == "allowed"
    }

    fn granted(&self, policy: &str) -> BTreeSet<String> {
        let document = parse(&self.policies[policy].to_string()).unwrap();
        let actions = document.statements.iter();
        let actions = actions.flat_map(|statement| statement.actions.list().to_vec());
        actions.map(|action| action.to_lowercase()).collect()
    }
}

/// The policies that whoever makes a call has.
fn policies_of(call: &Call, runner: Runner) -> Vec<&'static str> {
    let kind = |[emergency, member]: [&'static str; 2]| match call.account.as_str() {
        EMERGENCY => emergency,
        _ => member,
    };
    match call.role.as_deref() {
        Some("BreakGlassPlan") => vec![kind(["reader-emergency", "reader-member"])],
        Some("BreakGlassApply") => vec![kind(["writer-emergency", "writer-member"])],
        None if call.account == MANAGEMENT => match runner {
            Runner::Reader => vec!["reader-management"],
            Runner::Writer => vec!["writer-management"],
            Runner::Both => vec!["writer-management", "reader-management"],
        },
        _ => panic!("a call of nobody: {call:?}"),
    }
}

/// An action that a call has to be allowed, on a resource.
struct Need {
    action: String,
    resource: String,
    context: Value,
}

/// What AWS asks for before it carries out a call.
///
/// Source: Service Authorization Reference, with the dependent actions of calls that bring tags.
fn needs(call: &Call, organization: &str) -> Vec<Need> {
    let mut context = json!({});
    if let Some(service) = call.params.get("ServicePrincipal") {
        context["organizations:ServicePrincipal"] = service.clone();
    }
    if [
        "CreatePolicy",
        "DeletePolicy",
        "UpdatePolicy",
        "AttachPolicy",
        "DetachPolicy",
    ]
    .contains(&call.action.as_str())
    {
        context["organizations:PolicyType"] = json!("SERVICE_CONTROL_POLICY");
    }
    let need = |action: &str, resource: String| Need {
        action: format!("{}:{action}", call.service),
        resource,
        context: context.clone(),
    };
    let mut needs = match call.service.as_str() {
        "organizations" => vec![need(&call.action, guardrail(call, organization))],
        "iam" => vec![need(&call.action, iam_resource(call))],
        "account" => vec![need("ListRegions", "*".to_owned())],
        "cloudwatch" | "events" | "logs" => vec![need(&call.action, alert_resource(call))],
        "sns" if call.action != "Publish" => vec![need(&call.action, alert_resource(call))],
        "sts" | "sns" => {
            let given = ["RoleArn", "TopicArn"].map(|key| call.params[key].as_str());
            let resource = given.into_iter().flatten().next().unwrap_or("*");
            vec![need(&call.action, resource.to_owned())]
        }
        _ => vec![need(&call.action, "*".to_owned())],
    };
    let has_tags = call
        .params
        .as_object()
        .unwrap()
        .keys()
        .any(|key| key.starts_with("Tags"));
    let tagging = match call.name().as_str() {
        "iam:CreateUser" => "TagUser",
        "iam:CreateRole" => "TagRole",
        "iam:CreatePolicy" => "TagPolicy",
        "organizations:CreatePolicy" => "TagResource",
        _ => return needs,
    };
    if has_tags {
        let resource = needs[0].resource.clone();
        needs.push(need(tagging, resource));
    }
    needs
}

fn guardrail(call: &Call, organization: &str) -> String {
    let text = |key: &str| call.params[key].as_str();
    let id = text("PolicyId").or_else(|| text("ResourceId").filter(|id| id.starts_with("p-")));
    let id = id.or_else(|| (call.action == "CreatePolicy").then_some("p-new0000"));
    match id {
        Some(id) => format!(
            "arn:aws:organizations::{MANAGEMENT}:policy/{organization}/service_control_policy/{id}"
        ),
        None => "*".to_owned(),
    }
}

/// The resource of a call about alerts.
fn alert_resource(call: &Call) -> String {
    let text = |key: &str| call.params[key].as_str();
    let named = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| text(key))
            .unwrap_or("*")
            .to_owned()
    };
    let name = match (call.service.as_str(), call.action.as_str()) {
        ("events", "PutEvents") => "event-bus/default".to_owned(),
        ("events", "CreateEventBus" | "DescribeEventBus" | "PutPermission") => {
            format!("event-bus/{}", named(&["Name", "EventBusName"]))
        }
        ("events", _) => {
            let name = named(&["Rule", "Name"]);
            match text("EventBusName").filter(|bus| *bus != "default") {
                Some(bus) => format!("rule/{bus}/{name}"),
                None => format!("rule/{name}"),
            }
        }
        ("cloudwatch", "PutMetricAlarm") => format!("alarm:{}", named(&["AlarmName"])),
        ("logs", _) => format!("log-group:{}", named(&["logGroupName"])),
        ("sns", "CreateTopic") => named(&["Name"]),
        ("sns", "SetSubscriptionAttributes" | "Unsubscribe" | "GetSubscriptionAttributes") => {
            let subscription = named(&["SubscriptionArn"]);
            return subscription.rsplit_once(':').unwrap().0.to_owned();
        }
        ("sns", _) => return named(&["TopicArn"]),
        _ => return "*".to_owned(),
    };
    format!(
        "arn:aws:{}:{}:{}:{name}",
        call.service, call.region, call.account
    )
}

/// The resource of a call in IAM. Everything that the stages write is under the path of what is managed.
fn iam_resource(call: &Call) -> String {
    let text = |key: &str| call.params[key].as_str();
    let (kind, name) = if let Some(name) = text("InstanceProfileName") {
        ("instance-profile", format!("/{name}"))
    } else if let Some(name) = text("GroupName") {
        ("group", format!("/{name}"))
    } else if let (Some(serial), "DeleteVirtualMFADevice") =
        (text("SerialNumber"), call.action.as_str())
    {
        return serial.to_owned();
    } else if let Some(name) = text("RoleName") {
        ("role", format!("/break-glass/{name}"))
    } else if let Some(name) = text("UserName") {
        ("user", format!("/break-glass/{name}"))
    } else if let Some(arn) = text("PolicyArn") {
        return arn.to_owned();
    } else if let (Some(name), Some(path)) = (text("PolicyName"), text("Path")) {
        ("policy", format!("{path}{name}"))
    } else {
        return "*".to_owned();
    };
    format!("arn:aws:iam::{}:{kind}{name}", call.account)
}

/// Puts into the emergency account what makes a reader ask for more.
async fn add_what_is_only_read(emulator: &Emulator) {
    let iam = emulator.iam("emergency").await;
    let key = format!("arn:aws:iam::{EMERGENCY}:u2f/user/bg-alice/key");
    enrol(&iam, "bg-alice", &key).await;
    let expiry = iam.update_account_password_policy().max_password_age(90);
    expiry.send().await.unwrap();
    for account in ["emergency", "prod-pay", "management"] {
        // Managed by its tag, so that it is found where nobody looks for its settings.
        let iam = emulator.iam(account).await;
        let tag = aws_sdk_iam::types::Tag::builder();
        let tag = tag.key("breakglass:managed").value("true").build().unwrap();
        let role = iam.create_role().role_name("Elsewhere").tags(tag);
        let role = role.assume_role_policy_document(crate::backend::TRUST);
        role.send().await.unwrap();
    }
}

/// Takes away what the writer may not touch, since it is not under the path.
async fn remove_what_is_only_read(emulator: &Emulator) {
    for account in ["emergency", "prod-pay", "management"] {
        let iam = emulator.iam(account).await;
        let role = iam.delete_role().role_name("Elsewhere");
        role.send().await.unwrap();
    }
}

#[tokio::test]
async fn the_shipped_policies_allow_every_call_and_no_other() {
    let emulator = organization().await;
    let recipient = Identity::generate().to_public().to_string();
    let spec = |emulator: &Emulator, stage| write(emulator, stage, Some(&recipient), REST);
    emulator.write(
        "incidents.yaml",
        "- { id: INC-1, opened: 2026-11-25T00:00:00Z }\n",
    );
    spec(&emulator, Stage::Made);
    let mut observed = Observed::new(emulator);
    let saved = [&["apply", "plan.json"], &ALLOW[..]].concat();
    observed
        .run(Runner::Reader, &["plan", "--out", "plan.json"])
        .expect(0);
    observed.run(Runner::Writer, &saved).expect(0);
    observed
        .run(Runner::Writer, &["credentials", "issue", "--all", "--yes"])
        .expect(0);
    for account in ["management", "emergency", "prod-pay"] {
        leave_behind(&observed.emulator.iam(account).await).await;
    }
    add_what_is_only_read(&observed.emulator).await;
    // Root users of which more is asked, and somebody who used a role without an incident.
    let root = json!({ "AccountMFAEnabled": 1 });
    let root = [MANAGEMENT, EMERGENCY, PROD_PAY].map(|id| (id.to_owned(), root.clone()));
    observed
        .emulator
        .settings(json!({ "root_users": BTreeMap::from(root) }));
    observed
        .emulator
        .events(events(&observed.emulator, PROD_PAY, "looking"));
    observed.run(Runner::Reader, &["drift"]).expect(2);
    observed.run(Runner::Reader, &["drift", "--tag", "tier=1"]);
    observed.run(Runner::Reader, &["verify"]);
    observed
        .run(Runner::Reader, &["snapshot", "--out", "org.json"])
        .expect(0);
    observed.run(
        Runner::Reader,
        &["import", "--member-role", "BreakGlassPlan"],
    );
    observed
        .run(Runner::Reader, &["kit", "--out", "kit.html"])
        .expect(0);
    observed.run(Runner::Reader, &[&SPAN[..], &["--notify"]].concat());
    observed.run(Runner::Both, &["close", "INC-1", "--yes"]);
    remove_what_is_only_read(&observed.emulator).await;
    let at_once = [&["apply", "--yes"], &ALLOW[..]].concat();
    for stage in [Stage::Changed, Stage::Gone] {
        spec(&observed.emulator, stage);
        observed.run(Runner::Both, &at_once).expect(0);
    }
    assert_eq!(observed.refused, BTreeSet::new());
    // What alerts need is in policies of its own.
    for policy in library::permission_names().filter(|name| !name.ends_with("-alerts")) {
        let granted = observed.granted(policy);
        let unused = &granted - &observed.used[policy];
        assert_eq!(
            unused,
            BTreeSet::new(),
            "granted by {policy}, and called by nothing"
        );
    }
}

#[tokio::test]
async fn the_policies_for_alerts_allow_every_call() {
    let emulator = alerts::organization().await;
    let roles =
        "{ id: ORGANIZATION, member_role: { plan: BreakGlassPlan, apply: BreakGlassApply },";
    let spec = alerts::SPEC.replace("{ id: ORGANIZATION,", roles);
    emulator.write("breakglass.yaml", &spec);
    let mut observed = Observed::new(emulator);
    observed.run_alerts(&["apply", "--yes"]).expect(0);
    observed.run_alerts(&["drift"]).expect(0);
    observed.run_alerts(&["alerts", "test", "--wait", "0s"]);
    // Less is watched, and somebody else is told.
    let less = spec
        .replace("email:ciso@example.com", "email:csirt@example.com")
        .replace(
            "    accounts: { include: [\"*\"], exclude",
            "    accounts: { include: [emergency], exclude",
        );
    observed.emulator.write("breakglass.yaml", &less);
    let all = [&["apply", "--yes"], &ALLOW[..]].concat();
    observed.run_alerts(&all);
    assert_eq!(observed.refused, BTreeSet::new());
    let used = |policy: &str| observed.used[policy].clone();
    for (policy, action) in [
        ("reader-alerts", "events:listrules"),
        ("reader-alerts", "kms:getkeypolicy"),
        ("writer-alerts", "events:putrule"),
        ("writer-alerts", "events:putevents"),
        ("writer-alerts", "events:deleterule"),
        ("writer-alerts", "sns:unsubscribe"),
        ("writer-alerts", "logs:putmetricfilter"),
        ("writer-alerts", "cloudwatch:putmetricalarm"),
    ] {
        assert!(used(policy).contains(action), "{action} {:?}", used(policy));
    }
}
