//! The names that a spec and a snapshot hold, taken from their texts as far as these can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_yaml::Value;

use crate::ids::is_account_id;
use crate::org::Organization;
use crate::state::ResourceType;

/// Holds names to choose from.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Accounts by id, each with its name where that is known.
    accounts: BTreeMap<String, String>,
    /// The names of accounts whose ids are not known.
    account_names: BTreeSet<String>,
    /// Organizational units by path, each with its id where that is known.
    units: BTreeMap<String, String>,
    users: BTreeSet<String>,
    roles: BTreeSet<String>,
    policies: BTreeSet<String>,
    exceptions: BTreeSet<String>,
    protection: BTreeSet<String>,
    incidents: BTreeSet<String>,
}

/// Holds a name and what is to be known of it.
pub(super) type Named = (String, String);

impl Names {
    /// Takes in what a spec says; gives the record of incidents that it names.
    pub(super) fn add_spec(&mut self, text: &str) -> Option<String> {
        let spec: Value = serde_yaml::from_str(text).ok()?;
        self.add_mentions(&spec);
        self.users.extend(each(spec.get("users"), "name"));
        self.roles.extend(each(spec.get("roles"), "name"));
        let policies = spec.get("policies").and_then(Value::as_mapping);
        let policies = policies.into_iter().flat_map(|policies| policies.keys());
        self.policies
            .extend(policies.filter_map(Value::as_str).map(str::to_owned));
        let guardrails = spec.get("guardrails");
        let exceptions = guardrails.and_then(|guardrails| guardrails.get("exceptions"));
        self.exceptions.extend(each(exceptions, "id"));
        let protection = guardrails.and_then(|guardrails| guardrails.get("protection"));
        let protection = protection.and_then(|protection| text_of(protection, "policy"));
        self.protection.extend(protection);
        spec.get("incidents")
            .and_then(|incidents| text_of(incidents, "file"))
    }

    /// Takes in the ids of a record of incidents.
    pub(super) fn add_incidents(&mut self, text: &str) {
        if let Ok(record) = serde_yaml::from_str(text) {
            self.incidents.extend(each(Some(&record), "id"));
        }
    }

    /// Takes in the accounts and units of an organization.
    pub(super) fn add_organization(&mut self, organization: &Organization) {
        for (id, account) in &organization.accounts {
            self.accounts
                .insert(id.as_str().to_owned(), account.name.clone());
        }
        for id in organization.units.keys() {
            self.units.insert(organization.unit_path(id), id.clone());
        }
    }

    /// Takes in the accounts and units that a spec speaks of, wherever it does.
    fn add_mentions(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_mention(text),
            Value::Sequence(items) => items.iter().for_each(|item| self.add_mentions(item)),
            Value::Mapping(entries) => {
                for (key, item) in entries {
                    self.add_mentions(key);
                    self.add_mentions(item);
                }
            }
            Value::Tagged(tagged) => self.add_mentions(&tagged.value),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_mention(&mut self, text: &str) {
        let is_plain = |name: &&str| !name.contains(['*', '?', '[', '{']);
        if is_account_id(text) {
            self.accounts.entry(text.to_owned()).or_default();
        } else if let Some(name) = text.strip_prefix("account:").filter(is_plain) {
            self.account_names.insert(name.to_owned());
        } else if let Some(path) = text.strip_prefix("ou:").filter(is_plain) {
            self.units.entry(path.to_owned()).or_default();
        }
    }

    /// Accounts by id, then by name.
    pub(super) fn accounts(&self) -> Vec<Named> {
        let ids = self.account_ids();
        let named = self.accounts.iter().filter(|(_, name)| !name.is_empty());
        let mut names: BTreeMap<&String, Vec<&str>> = BTreeMap::new();
        for (id, name) in named {
            names.entry(name).or_default().push(id);
        }
        for name in &self.account_names {
            names.entry(name).or_default();
        }
        let names = names.into_iter();
        let names = names.map(|(name, ids)| (name.clone(), ids.join(", ")));
        ids.into_iter().chain(names).collect()
    }

    /// Accounts by id.
    pub(super) fn account_ids(&self) -> Vec<Named> {
        let ids = self.accounts.iter();
        ids.map(|(id, name)| (id.clone(), name.clone())).collect()
    }

    /// Units by path.
    pub(super) fn units(&self) -> Vec<Named> {
        let units = self.units.iter();
        units.map(|(path, id)| (path.clone(), id.clone())).collect()
    }

    /// Users.
    pub(super) fn users(&self) -> Vec<Named> {
        bare(&self.users)
    }

    /// Incidents.
    pub(super) fn incidents(&self) -> Vec<Named> {
        bare(&self.incidents)
    }

    /// Resources as `TYPE/NAME`; types as `TYPE/` until one is written.
    pub(super) fn resources(&self, current: &str) -> Vec<Named> {
        let Some((kind, _)) = current.split_once('/') else {
            let types = ResourceType::ALL.into_iter();
            return types
                .map(|kind| (format!("{}/", kind.as_str()), String::new()))
                .collect();
        };
        let none = BTreeSet::new();
        let names = match kind.parse() {
            Ok(ResourceType::IamUser | ResourceType::Credential | ResourceType::MfaDevice) => {
                &self.users
            }
            Ok(ResourceType::IamRole) => &self.roles,
            Ok(ResourceType::IamPolicy) => &self.policies,
            Ok(ResourceType::GuardrailException) => &self.exceptions,
            Ok(ResourceType::GuardrailPolicy) => &self.protection,
            Ok(
                ResourceType::RootAccess
                | ResourceType::AlertRule
                | ResourceType::AlertTopic
                | ResourceType::AlertBus
                | ResourceType::MetricAlarm
                | ResourceType::Trail,
            )
            | Err(_) => &none,
        };
        let resources = names.iter();
        resources
            .map(|name| (format!("{kind}/{name}"), String::new()))
            .collect()
    }
}

fn bare(names: &BTreeSet<String>) -> Vec<Named> {
    let names = names.iter();
    names.map(|name| (name.clone(), String::new())).collect()
}

/// The text under a key.
fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

/// The texts under a key of each item of a list.
fn each<'a>(list: Option<&'a Value>, key: &'a str) -> impl Iterator<Item = String> + 'a {
    let items = list.and_then(Value::as_sequence).into_iter().flatten();
    items.filter_map(move |item| text_of(item, key))
}

/// Reads the organization of a snapshot, and nothing that follows it: accounts make it long.
pub(super) fn organization(snapshot: impl std::io::Read) -> Option<Organization> {
    struct Head<'a>(&'a mut Option<Organization>);
    impl<'de> Visitor<'de> for Head<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a snapshot")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some(key) = members.next_key::<String>()? {
                if key == "organization" {
                    *self.0 = Some(members.next_value()?);
                    return Err(A::Error::custom("the rest is not wanted"));
                }
                members.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_reader(std::io::BufReader::new(snapshot));
    // It ends with an error in any case: the organization is there, or the text is none of a snapshot.
    let _ = reader.deserialize_map(Head(&mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"
emergency_account: "200000000002"
users: [{ name: bg-alice }, { nme: typo }, { name: bg-bob }]
roles:
  - name: Admin
    accounts: { include: ["ou:/Prod", "account:web", "account:web-*"] }
policies: { baseline: {} }
guardrails:
  exceptions: [{ id: region-lock }]
  protection: { policy: guard }
incidents: { file: incidents.yaml }
"#;

    fn names(named: Vec<Named>) -> Vec<String> {
        named.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_spec_names_what_it_declares_and_speaks_of() {
        let mut found = Names::default();
        assert_eq!(found.add_spec(SPEC).as_deref(), Some("incidents.yaml"));
        assert_eq!(names(found.accounts()), ["200000000002", "web"]);
        assert_eq!(names(found.units()), ["/Prod"]);
        assert_eq!(names(found.users()), ["bg-alice", "bg-bob"]);
        assert_eq!(names(found.resources("iam_role/")), ["iam_role/Admin"]);
        assert_eq!(
            names(found.resources("iam_policy/b")),
            ["iam_policy/baseline"]
        );
        assert_eq!(
            names(found.resources("guardrail_exception/")),
            ["guardrail_exception/region-lock"]
        );
        assert_eq!(
            names(found.resources("guardrail_policy/")),
            ["guardrail_policy/guard"]
        );
        assert_eq!(names(found.resources("iam")).len(), ResourceType::ALL.len());
        assert!(found.resources("no_such_type/").is_empty());
        found.add_incidents("[{ id: INC-1 }, { id: 2 }, text]");
        assert_eq!(names(found.incidents()), ["INC-1"]);
    }

    #[test]
    fn a_spec_that_is_being_written_gives_what_there_is_and_no_error() {
        for text in ["", "users: {", "users: 3", "- 1", "&a [*a]", "x: !y [z]"] {
            let mut found = Names::default();
            assert_eq!(found.add_spec(text), None, "{text}");
            assert!(found.users().is_empty(), "{text}");
        }
    }

    #[test]
    fn a_snapshot_is_read_as_far_as_its_organization() {
        let text = r#"{ "kind": "snapshot", "organization": { "id": "o-a", "partition": "aws",
            "management_account": "200000000001", "units": { "ou-x-1": { "name": "Prod", "parent": "r-x" } },
            "accounts": { "200000000001": { "name": "management", "state": "active", "parent": "r-x" } } }, "acc"#;
        let mut found = Names::default();
        found.add_organization(&organization(text.as_bytes()).unwrap());
        assert_eq!(names(found.accounts()), ["200000000001", "management"]);
        assert_eq!(found.units(), [("/Prod".to_owned(), "ou-x-1".to_owned())]);
        for other in ["", "[]", "{\"organization\": 3}", "{\"kind\": \"plan\"}"] {
            assert!(organization(other.as_bytes()).is_none(), "{other}");
        }
    }
}
