//! The policies of a request line.

use serde_json::value::RawValue;

use super::RequestLine;
use crate::policy::evaluate::facts::Facts;
use crate::policy::evaluate::layers::{Place, defect};
use crate::policy::evaluate::{LayerName, Layers, Policy, Request};
use crate::policy::pair::document_text;
use crate::policy::parse;

/// Builds the layers of a line, and lists what is wrong with policies that therefore count as unknown.
pub(super) fn layers(
    line: &RequestLine<'_>,
    request: &Request,
) -> Result<(Layers, Vec<String>), String> {
    let mut reader = Reader {
        facts: Facts::new(request),
        errors: Vec::new(),
    };
    let mut resource_policies = reader.list(LayerName::ResourcePolicy, line.resource_policy)?;
    let resource_policy = resource_policies.pop();
    if !resource_policies.is_empty() {
        return Err("resource_policy: a resource has one policy".to_owned());
    }
    let layers = Layers {
        identity_policies: reader.list(LayerName::IdentityPolicies, line.identity_policies)?,
        permission_boundary: reader
            .list(LayerName::PermissionBoundary, line.permission_boundary)?,
        session_policy: reader.list(LayerName::SessionPolicy, line.session_policy)?,
        resource_policy,
        service_control_policies: reader.levels(
            LayerName::ServiceControlPolicies,
            line.service_control_policies,
        )?,
        resource_control_policies: reader.levels(
            LayerName::ResourceControlPolicies,
            line.resource_control_policies,
        )?,
    };
    Ok((layers, reader.errors))
}

struct Reader<'a> {
    facts: Facts<'a>,
    errors: Vec<String>,
}

impl Reader<'_> {
    /// Reads a policy or a list of policies.
    fn list(&mut self, layer: LayerName, raw: Option<&RawValue>) -> Result<Vec<Policy>, String> {
        match raw {
            None => Ok(Vec::new()),
            Some(raw) if raw.get().starts_with('[') => self.level(layer, None, raw),
            Some(raw) => {
                let place = Place {
                    layer,
                    level: None,
                    policy: 0,
                };
                Ok(vec![self.policy(place, raw)?])
            }
        }
    }

    fn levels(
        &mut self,
        layer: LayerName,
        raw: Option<&RawValue>,
    ) -> Result<Vec<Vec<Policy>>, String> {
        let Some(raw) = raw else {
            return Ok(Vec::new());
        };
        if raw.get() == "null" {
            return Ok(vec![vec![Policy::Unknown]]);
        }
        let levels: Vec<&RawValue> = serde_json::from_str(raw.get())
            .map_err(|_| format!("{} must be a list of levels", layer.as_str()))?;
        let levels = levels.into_iter().enumerate();
        levels
            .map(|(level, raw)| match raw.get() {
                "null" => Ok(vec![Policy::Unknown]),
                _ => self.level(layer, Some(level), raw),
            })
            .collect()
    }

    fn level(
        &mut self,
        layer: LayerName,
        level: Option<usize>,
        raw: &RawValue,
    ) -> Result<Vec<Policy>, String> {
        let policies: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| {
            let layer = layer.as_str();
            match level {
                None => format!("{layer} must be a list of policies"),
                Some(level) => format!("{layer} level {} must be a list of policies", level + 1),
            }
        })?;
        let policies = policies.into_iter().enumerate();
        policies
            .map(|(policy, raw)| {
                let place = Place {
                    layer,
                    level,
                    policy,
                };
                self.policy(place, raw)
            })
            .collect()
    }

    fn policy(&mut self, place: Place, raw: &RawValue) -> Result<Policy, String> {
        let text = raw.get();
        let parsed = match text.as_bytes().first() {
            Some(b'n') => return Ok(Policy::Unknown),
            Some(b'{' | b'"') => parse(&document_text(text)),
            _ => {
                return Err(format!(
                    "{place} must be a policy document, its text, or null"
                ));
            }
        };
        let problem = match parsed {
            Err(error) => error.to_string(),
            Ok(document) => match defect(&document, place.layer, &self.facts) {
                None => return Ok(document.into()),
                Some(problem) => problem,
            },
        };
        self.errors.push(format!("{place}: {problem}"));
        Ok(Policy::Unknown)
    }
}
