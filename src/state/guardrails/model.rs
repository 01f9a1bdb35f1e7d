//! The model of what AWS Organizations makes of an operation on guardrails, and of what it refuses.

use super::{GuardrailKind, GuardrailOperation, GuardrailPolicy, Guardrails, PolicyReference};
use crate::policy::{lint, organizations_size};
use crate::state::{PolicyText, Tags, sha256};

/// Says why an operation can't be carried out, in the terms in which AWS Organizations would refuse it.
///
/// Source: the errors of `CreatePolicy`, `UpdatePolicy`, `DeletePolicy`, `AttachPolicy`, `DetachPolicy` and
/// `TagResource` in the Organizations API reference, with the reasons listed there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardrailError {
    /// There is no such policy.
    #[error("PolicyNotFoundException: {0} does not exist")]
    PolicyNotFound(String),
    /// There is no such root, unit or account.
    #[error("TargetNotFoundException: {0} is no root, unit or account of the organization")]
    TargetNotFound(String),
    /// There is a policy of this kind and name.
    #[error("DuplicatePolicyException: {0} exists")]
    DuplicatePolicy(String),
    /// The policy is attached to this target.
    #[error("DuplicatePolicyAttachmentException: {policy} is attached to {target}")]
    DuplicateAttachment {
        /// The policy.
        policy: String,
        /// The target.
        target: String,
    },
    /// The policy is not attached to this target.
    #[error("PolicyNotAttachedException: {policy} is not attached to {target}")]
    NotAttached {
        /// The policy.
        policy: String,
        /// The target.
        target: String,
    },
    /// The policy to delete is attached to something.
    #[error("PolicyInUseException: {policy} is attached to {target}")]
    InUse {
        /// The policy.
        policy: String,
        /// One of its targets.
        target: String,
    },
    /// The kind is not enabled in the root.
    #[error("PolicyTypeNotEnabledException: no {0} is enabled in the organization")]
    KindNotEnabled(GuardrailKind),
    /// The policy is AWS's own (reason `IMMUTABLE_POLICY`).
    #[error("InvalidInputException: {0} is AWS's own and can't be changed")]
    Immutable(String),
    /// The policy is `RCPFullAWSAccess` (reason `NON_DETACHABLE_POLICY`).
    #[error("InvalidInputException: {0} can't be detached from anything")]
    NotDetachable(String),
    /// The document is too large (reason `POLICY_CONTENT_LIMIT_EXCEEDED`).
    #[error(
        "ConstraintViolationException: the document has {size} characters, an {kind} at most {}",
        kind.size_limit()
    )]
    TooLarge {
        /// The kind of policy.
        kind: GuardrailKind,
        /// The document's size in characters.
        size: usize,
    },
    /// The target has as many policies of the kind as it can have (reason `MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED`).
    #[error(
        "ConstraintViolationException: {target} has {} {kind}s, more can't be attached",
        kind.attachment_limit()
    )]
    TooMany {
        /// The kind of policy.
        kind: GuardrailKind,
        /// The target.
        target: String,
    },
    /// The target would be left without an SCP (reason `MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED`).
    #[error("ConstraintViolationException: {policy} is the last SCP of {target}")]
    LastScp {
        /// The policy.
        policy: String,
        /// The target.
        target: String,
    },
    /// The document is none that AWS takes for a policy of the kind.
    #[error("MalformedPolicyDocumentException: {0}")]
    Malformed(String),
}

impl Guardrails {
    /// Changes the guardrails as AWS Organizations would on this operation. They are unchanged on an error.
    ///
    /// A new policy gets an id made of its kind and name, where AWS would make one up. Whether a target exists is not
    /// known here: see [`Organization::has_node`](crate::org::Organization::has_node). Creating a policy of a kind that
    /// is not enabled is refused, where AWS would make one that does nothing and is not held here.
    ///
    /// # Errors
    /// When Organizations would refuse.
    pub fn apply(&mut self, operation: &GuardrailOperation) -> Result<(), GuardrailError> {
        match operation {
            GuardrailOperation::CreatePolicy {
                name,
                description,
                kind,
                document,
                tags,
            } => self.create(name, description, *kind, document, tags)?,
            GuardrailOperation::UpdatePolicy { policy, document } => {
                let policy = self.changeable(policy)?;
                accept(policy.kind, document)?;
                policy.document = document.clone();
            }
            GuardrailOperation::DeletePolicy { policy } => {
                let id = self.resolve(policy)?;
                if let Some(target) = self.changeable(policy)?.targets.first() {
                    return Err(GuardrailError::InUse {
                        policy: id,
                        target: target.clone(),
                    });
                }
                self.policies.remove(&id);
            }
            GuardrailOperation::Attach { policy, target } => self.attach(policy, target)?,
            GuardrailOperation::Detach { policy, target } => self.detach(policy, target)?,
            GuardrailOperation::Tag { policy, tags } => {
                self.changeable(policy)?.tags.extend(tags.clone());
            }
            GuardrailOperation::Untag { policy, keys } => {
                self.changeable(policy)?
                    .tags
                    .retain(|key, _| !keys.contains(key));
            }
        }
        Ok(())
    }

    /// Finds the id that a reference stands for.
    ///
    /// # Errors
    /// When there is no such policy.
    pub fn resolve(&self, reference: &PolicyReference) -> Result<String, GuardrailError> {
        let found = match reference {
            PolicyReference::Id(id) => self.policies.contains_key(id).then_some(id.as_str()),
            PolicyReference::Named { kind, name } => self.named(*kind, name).map(|(id, _)| id),
        };
        found
            .map(str::to_owned)
            .ok_or_else(|| GuardrailError::PolicyNotFound(reference.to_string()))
    }

    fn create(
        &mut self,
        name: &str,
        description: &str,
        kind: GuardrailKind,
        document: &PolicyText,
        tags: &Tags,
    ) -> Result<(), GuardrailError> {
        self.refuse_disabled(kind)?;
        if self.named(kind, name).is_some() {
            return Err(GuardrailError::DuplicatePolicy(format!("{kind} {name}")));
        }
        accept(kind, document)?;
        let policy = GuardrailPolicy {
            name: name.to_owned(),
            description: description.to_owned(),
            kind,
            aws_managed: false,
            document: document.clone(),
            tags: tags.clone(),
            targets: Default::default(),
        };
        self.policies.insert(self.free_id(kind, name), policy);
        Ok(())
    }

    fn attach(&mut self, policy: &PolicyReference, target: &str) -> Result<(), GuardrailError> {
        let id = self.resolve(policy)?;
        let kind = self.policy(&id)?.kind;
        self.refuse_disabled(kind)?;
        let attached = self.attached(target, kind).count();
        let policy = self.policy(&id)?;
        if policy.targets.contains(target) {
            return Err(GuardrailError::DuplicateAttachment {
                policy: id,
                target: target.to_owned(),
            });
        }
        if attached >= kind.attachment_limit() {
            return Err(GuardrailError::TooMany {
                kind,
                target: target.to_owned(),
            });
        }
        policy.targets.insert(target.to_owned());
        Ok(())
    }

    fn detach(&mut self, policy: &PolicyReference, target: &str) -> Result<(), GuardrailError> {
        let id = &self.resolve(policy)?;
        let policy = self.policy(id)?;
        let (kind, aws_managed) = (policy.kind, policy.aws_managed);
        if kind == GuardrailKind::Rcp && aws_managed {
            return Err(GuardrailError::NotDetachable(id.clone()));
        }
        if !policy.targets.contains(target) {
            return Err(GuardrailError::NotAttached {
                policy: id.clone(),
                target: target.to_owned(),
            });
        }
        if kind == GuardrailKind::Scp && self.attached(target, kind).count() == 1 {
            return Err(GuardrailError::LastScp {
                policy: id.clone(),
                target: target.to_owned(),
            });
        }
        self.policy(id)?.targets.remove(target);
        Ok(())
    }

    fn refuse_disabled(&self, kind: GuardrailKind) -> Result<(), GuardrailError> {
        if self.enabled.contains(&kind) {
            Ok(())
        } else {
            Err(GuardrailError::KindNotEnabled(kind))
        }
    }

    fn policy(&mut self, id: &str) -> Result<&mut GuardrailPolicy, GuardrailError> {
        let policy = self.policies.get_mut(id);
        policy.ok_or_else(|| GuardrailError::PolicyNotFound(id.to_owned()))
    }

    fn changeable(
        &mut self,
        reference: &PolicyReference,
    ) -> Result<&mut GuardrailPolicy, GuardrailError> {
        let id = self.resolve(reference)?;
        let policy = self.policy(&id)?;
        if policy.aws_managed {
            return Err(GuardrailError::Immutable(id));
        }
        Ok(policy)
    }

    /// Makes an id that is the same for the same kind and name, and in use by no other policy.
    fn free_id(&self, kind: GuardrailKind, name: &str) -> String {
        let mut text = format!("{kind}/{name}");
        loop {
            let digest = sha256(text.as_bytes());
            let digits = digest.trim_start_matches("sha256:").chars().take(10);
            let id: String = "p-".chars().chain(digits).collect();
            if !self.policies.contains_key(&id) {
                return id;
            }
            text.push('/');
        }
    }
}

/// Refuses a document that is too large, or that AWS does not take for a policy of the kind.
fn accept(kind: GuardrailKind, document: &PolicyText) -> Result<(), GuardrailError> {
    let size = organizations_size(document.as_str());
    if size > kind.size_limit() {
        return Err(GuardrailError::TooLarge { kind, size });
    }
    let malformed = |problem: String| GuardrailError::Malformed(problem);
    let parsed = document
        .parse()
        .map_err(|error| malformed(error.to_string()))?;
    let problem = lint(&parsed, kind.document_kind()).into_iter().next();
    problem.map_or(Ok(()), |problem| Err(malformed(problem)))
}
