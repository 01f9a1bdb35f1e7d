//! Requests and responses as lines of JSON, the form of `policy evaluate`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::decision::{Decision, StatementRef};
use super::{Flip, Layers, Request, evaluate, flips};

mod context;
mod policies;

/// Holds a request line as it is written; unknown and repeated fields are errors.
///
/// A policy is a policy document, the text of one, or null when it is there but not known. A layer that is absent or empty
/// does not apply; null in place of a layer means that it is not known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EvaluateRequest")]
pub struct RequestLine<'a> {
    /// A text, number, boolean or null, that the response carries again.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "scalar_schema")]
    pub id: Option<&'a RawValue>,
    /// The ARN of a user, role, session, root user or identity provider, the name of a service, or `{"type": "Anonymous"}`.
    #[serde(borrow)]
    #[schemars(schema_with = "principal_schema")]
    pub principal: &'a RawValue,
    /// The action, such as `s3:GetObject`.
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    /// The resource; `*` when not given.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Cow<'a, str>>,
    /// The account that owns the resource. When not given, it is that of the resource's ARN, or else the caller's.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<Cow<'a, str>>,
    /// Condition keys: a text, number or boolean, a list of them, or null when the value is not known. A key that is not
    /// here is absent, unless the principal implies it.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "context_schema")]
    pub context: Option<&'a RawValue>,
    /// The policies attached to the caller.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "policies_schema")]
    pub identity_policies: Option<&'a RawValue>,
    /// The permissions boundary, alone or in a list.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "policies_schema")]
    pub permission_boundary: Option<&'a RawValue>,
    /// The session policy, or a list of session policies.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "policies_schema")]
    pub session_policy: Option<&'a RawValue>,
    /// The policy of the resource; of a role, its trust policy.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "policies_schema")]
    pub resource_policy: Option<&'a RawValue>,
    /// Levels from the root of the organization to the caller's account, each a list of policies.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "levels_schema")]
    pub service_control_policies: Option<&'a RawValue>,
    /// Levels from the root of the organization to the resource's account, each a list of policies.
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "levels_schema")]
    pub resource_control_policies: Option<&'a RawValue>,
    /// The management account of the organization, which SCPs and RCPs do not bind.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub management_account: Option<Cow<'a, str>>,
}

/// The fields of a request line.
pub(super) const FIELDS: [&str; 13] = [
    "id",
    "principal",
    "action",
    "resource",
    "resource_account",
    "context",
    "identity_policies",
    "permission_boundary",
    "session_policy",
    "resource_policy",
    "service_control_policies",
    "resource_control_policies",
    "management_account",
];

/// Holds a response line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "EvaluateResponse")]
pub struct ResponseLine {
    /// The id of the request, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default, schema_with = "scalar_schema")]
    pub id: Option<Box<RawValue>>,
    /// The decision.
    pub decision: Decision,
    /// The layers that stand in the way; of an unknown decision also `context key KEY` for each key that matters.
    pub blocked_by: Vec<String>,
    /// The statements that decide.
    pub statements: Vec<StatementRef>,
    /// The same in sentences for people.
    pub reasons: Vec<String>,
    /// The smallest changes of the context that turn the decision; only where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub flips: Vec<Flip>,
    /// What is wrong with policies of the request, each of which counts as not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Says why a line is no request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// The id of the request, where it could be read.
    pub id: Option<Box<RawValue>>,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
}

/// Decides the request of one line of JSON.
///
/// A policy that does not parse, or that AWS would not have where it stands, is not known: the decision is unknown unless it
/// is the same whatever the policy says, and `error` names the layer, and the line and column in the policy's text.
///
/// # Errors
/// [`RequestError`] when the line is no request.
pub fn evaluate_json(line: &str) -> Result<ResponseLine, RequestError> {
    answer(line, |_, _| Vec::new())
}

/// Decides a request as [`evaluate_json`] does, and finds what would turn the decision.
///
/// # Errors
/// [`RequestError`] when the text is no request.
pub fn explain_json(text: &str) -> Result<ResponseLine, RequestError> {
    answer(text, flips)
}

fn answer(
    line: &str,
    flips: impl Fn(&Request, &Layers) -> Vec<Flip>,
) -> Result<ResponseLine, RequestError> {
    let read: RequestLine<'_> =
        serde_json::from_str(line).map_err(|error| refusal(line, &error))?;
    let id = read.id.map(ToOwned::to_owned);
    let failed = |message: String| RequestError {
        id: id.clone(),
        message,
    };
    if let Some(id) = read.id
        && !is_scalar(id)
    {
        let message = "the id must be a text, number, boolean or null".to_owned();
        return Err(RequestError { id: None, message });
    }
    let request = context::request(&read).map_err(failed)?;
    let (layers, errors) = policies::layers(&read, &request).map_err(failed)?;
    let evaluation = evaluate(&request, &layers);
    Ok(ResponseLine {
        id,
        decision: evaluation.decision,
        blocked_by: evaluation.blocked_by,
        statements: evaluation.statements,
        reasons: evaluation.reasons,
        flips: flips(&request, &layers),
        error: (!errors.is_empty()).then(|| errors.join("; ")),
    })
}

/// Reads a field that was given, null included.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn is_scalar(raw: &RawValue) -> bool {
    !raw.get().starts_with(['{', '['])
}

/// Words why a line could not be read, with the nearest name for an unknown field.
fn refusal(line: &str, error: &serde_json::Error) -> RequestError {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap_or_default();
    let id = fields.get("id").filter(|id| is_scalar(id));
    let id = id.map(|id| (*id).to_owned());
    let unknown = fields.keys().find(|key| !FIELDS.contains(&key.as_str()));
    let message = match unknown {
        None => format!("the request cannot be read: {error}"),
        Some(key) => {
            let nearest = FIELDS
                .iter()
                .map(|field| (strsim::osa_distance(key, field), field))
                .min_by_key(|(distance, _)| *distance)
                .filter(|(distance, _)| *distance <= 3);
            let hint = match nearest {
                Some((_, field)) => format!(" (did you mean {field:?}?)"),
                None => format!(" (the fields are {})", FIELDS.join(", ")),
            };
            let key: String = key.chars().take(100).collect();
            format!("unknown field {key:?} in the request{hint}")
        }
    };
    RequestError { id, message }
}

fn scalar_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean", "null"] })
}

fn principal_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string" },
        { "type": "object", "required": ["type"], "additionalProperties": false,
          "properties": { "type": { "const": "Anonymous" } } },
    ] })
}

fn context_schema(_: &mut SchemaGenerator) -> Schema {
    let scalar = json_schema!({ "type": ["string", "number", "boolean"] });
    json_schema!({ "type": "object", "additionalProperties": { "anyOf": [
        scalar,
        { "type": "array", "items": scalar },
        { "type": "null" },
    ] } })
}

fn policies_schema(_: &mut SchemaGenerator) -> Schema {
    let policy = json_schema!({ "type": ["object", "string", "null"] });
    json_schema!({ "anyOf": [policy, { "type": "array", "items": policy }] })
}

fn levels_schema(_: &mut SchemaGenerator) -> Schema {
    let policy = json_schema!({ "type": ["object", "string", "null"] });
    json_schema!({ "type": ["array", "null"], "items": {
        "type": ["array", "null"], "items": policy,
    } })
}
