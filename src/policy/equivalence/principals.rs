//! The callers that the principals of two documents tell apart.

use std::collections::BTreeSet;

use super::witness::{Backing, Witness};
use crate::ids::is_account_id;
use crate::policy::cells::{Budget, Cells, OverBudget};
use crate::policy::document::{Effect, Principal, Selection};

/// Settles what AWS does not document, so that a verdict can be tried both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// `{"AWS": "*"}` also means callers that are no AWS principals, as `"*"` does.
    pub(super) aws_star_is_star: bool,
    /// A Deny with `NotPrincipal` spares a caller of whom only one ARN is listed, not the account's or the role's too.
    pub(super) any_listed_is_spared: bool,
}

impl Reading {
    /// The reading that the documentation suggests most.
    pub(super) const DEFAULT: Self = Self {
        aws_star_is_star: false,
        any_listed_is_spared: true,
    };
}

/// Names an account; a bare id leaves its partition open, so that it is no account that an ARN names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    partition: String,
    id: String,
}

/// Is what an `AWS` principal says, taken apart.
enum Name {
    Star,
    Account(Account),
    Role {
        account: Account,
        name: String,
    },
    Session {
        account: Account,
        role: String,
        session: String,
    },
    /// Compared as text: a user, a federated user, the unique id of something deleted.
    Plain(Option<Account>),
}

impl Name {
    fn of(text: &str) -> Self {
        if text == "*" {
            return Self::Star;
        }
        if is_account_id(text) {
            return Self::Account(Account {
                partition: String::new(),
                id: text.to_owned(),
            });
        }
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, _, id, resource] = segments.as_slice() else {
            return Self::Plain(None);
        };
        let account = Account {
            partition: (*partition).to_owned(),
            id: (*id).to_owned(),
        };
        match (*service, resource.split_once('/')) {
            ("iam", None) if *resource == "root" => Self::Account(account),
            ("iam", Some(("role", path))) => Self::Role {
                account,
                name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            },
            ("sts", Some(("assumed-role", rest))) => match rest.split_once('/') {
                Some((role, session)) => Self::Session {
                    account,
                    role: role.to_owned(),
                    session: session.to_owned(),
                },
                None => Self::Plain(Some(account)),
            },
            _ => Self::Plain(Some(account)),
        }
    }
}

/// Is a kind of caller that some principal singles out, or what is left beside them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    /// Whoever a policy without principals is attached to.
    Attached,
    /// A user, a federated user, or something else with an ARN of its own.
    Named {
        account: Option<Account>,
        arn: String,
    },
    /// A session of a role: of the one with this ARN, and of this name, where they are singled out.
    Session {
        account: Account,
        role_name: String,
        role: Option<String>,
        session: Option<String>,
    },
    /// The root user of an account.
    Root(Account),
    /// Anyone else in an account.
    Member(Account),
    /// Any AWS principal of an account that is not named.
    Foreigner,
    /// A caller without credentials.
    Anonymous,
    /// A service, an identity provider or a canonical user: the kind, and the name if it is a named one.
    Other(&'static str, Option<String>),
}

impl Caller {
    /// The account whose policies may allow a request of the caller's.
    fn account(&self) -> Option<&Account> {
        match self {
            Self::Named { account, .. } => account.as_ref(),
            Self::Session { account, .. } | Self::Member(account) => Some(account),
            Self::Attached
            | Self::Root(_)
            | Self::Foreigner
            | Self::Anonymous
            | Self::Other(..) => None,
        }
    }
}

impl Caller {
    /// The account whose root user this is.
    fn root(&self) -> Option<&Account> {
        match self {
            Self::Root(account) => Some(account),
            _ => None,
        }
    }
}

/// Is a caller, and what its own policies say of the request; `None` where that makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallerCell {
    caller: Caller,
    backing: Option<Backing>,
}

/// Holds every kind of caller that matters.
#[derive(Debug)]
pub(super) struct Callers {
    pub(super) cells: Vec<CallerCell>,
}

type Elements<'a> = Option<&'a Selection<BTreeSet<Principal>>>;

impl Callers {
    /// Finds the callers that the principals of some statements tell apart.
    ///
    /// # Errors
    /// [`OverBudget`] when there are too many, or a bare account id that may be one of several accounts.
    pub(super) fn of<'a>(
        elements: impl Iterator<Item = Elements<'a>>,
        budget: &mut Budget,
    ) -> Result<Self, OverBudget> {
        let mut callers = BTreeSet::new();
        let mut listed: BTreeSet<&Principal> = BTreeSet::new();
        let mut some_name_any = false;
        for element in elements {
            match element {
                None => {
                    callers.insert(Caller::Attached);
                }
                Some(selection) => {
                    some_name_any = true;
                    listed.extend(selection.list());
                }
            }
        }
        if some_name_any {
            let kinds = ["Service", "Federated", "CanonicalUser"];
            callers.extend([Caller::Foreigner, Caller::Anonymous]);
            callers.extend(kinds.map(|kind| Caller::Other(kind, None)));
        }
        budget.spend(listed.len() * listed.len())?;
        let mut some_name_accounts = false;
        for principal in &listed {
            match principal {
                Principal::Star => {}
                Principal::Aws(text) => {
                    some_name_accounts |= matches!(Name::of(text), Name::Account(_));
                    callers.extend(singled_out(text, &listed));
                }
                Principal::Service(name)
                | Principal::Federated(name)
                | Principal::CanonicalUser(name) => {
                    let (kind, _) = principal.entry();
                    callers.insert(Caller::Other(kind, Some(name.clone())));
                }
            }
        }
        let cells = callers.into_iter().flat_map(|caller| {
            let backings: &[Option<Backing>] = match &caller {
                Caller::Session { .. } => &[
                    Some(Backing::Nothing),
                    Some(Backing::Allow),
                    Some(Backing::Outside),
                ],
                _ if some_name_accounts && caller.account().is_some() => {
                    &[Some(Backing::Nothing), Some(Backing::Allow)]
                }
                _ => &[None],
            };
            backings.iter().map(move |&backing| CallerCell {
                caller: caller.clone(),
                backing,
            })
        });
        let callers = Self {
            cells: cells.collect(),
        };
        if callers.confuse_accounts() {
            return Err(OverBudget);
        }
        Ok(callers)
    }

    /// Tells whether a bare account id stands beside an ARN of an account with that id: they may be one, or not.
    fn confuse_accounts(&self) -> bool {
        let accounts: BTreeSet<&Account> = self
            .cells
            .iter()
            .filter_map(|cell| cell.caller.root())
            .collect();
        let ids: BTreeSet<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
        let is_bare = |account: &&&Account| account.partition.is_empty();
        accounts.iter().any(|account| is_bare(&account)) && ids.len() < accounts.len()
    }

    /// The callers that a statement is about.
    pub(super) fn matching(
        &self,
        element: Elements<'_>,
        effect: Effect,
        reading: Reading,
    ) -> Cells {
        Cells::of(self.cells.len(), |index| {
            let cell = self.cells.get(index);
            cell.is_some_and(|cell| cell.is_matched(element, effect, reading))
        })
    }
}

/// The callers that an `AWS` principal singles out.
fn singled_out(text: &str, listed: &BTreeSet<&Principal>) -> Vec<Caller> {
    let (account, own) = match Name::of(text) {
        Name::Star => return Vec::new(),
        Name::Account(account) => (Some(account), Vec::new()),
        Name::Role { account, name } => (
            Some(account.clone()),
            vec![Caller::Session {
                account,
                role_name: name,
                role: Some(text.to_owned()),
                session: None,
            }],
        ),
        // Names of roles are unique in an account: a session is one of the role that is listed with its name, if one is.
        Name::Session {
            account,
            role,
            session,
        } => {
            let same_name = |principal: &&Principal| match principal {
                Principal::Aws(other) => match Name::of(other) {
                    Name::Role { account: a, name } if a == account && name == role => {
                        Some(other.clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            let mut roles: Vec<_> = listed.iter().filter_map(same_name).map(Some).collect();
            if roles.is_empty() {
                roles.push(None);
            }
            let sessions = roles.into_iter().map(|arn| Caller::Session {
                account: account.clone(),
                role_name: role.clone(),
                role: arn,
                session: Some(session.clone()),
            });
            let sessions = sessions.collect();
            (Some(account), sessions)
        }
        Name::Plain(account) => (
            account.clone(),
            vec![Caller::Named {
                account,
                arn: text.to_owned(),
            }],
        ),
    };
    let others = account
        .into_iter()
        .flat_map(|account| [Caller::Root(account.clone()), Caller::Member(account)]);
    own.into_iter().chain(others).collect()
}

/// Says how a principal names a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    None,
    /// By the account it belongs to: its own policies have to allow the request.
    Account,
    /// By its role: a permissions boundary or session policy has to leave the request to it.
    Role,
    /// By itself, or as everyone: none of its own policies have to.
    Direct,
}

impl Relation {
    /// Tells whether an Allow that so names a caller reaches it with what its own policies say.
    fn grants(self, backing: Option<Backing>) -> bool {
        match self {
            Self::None => false,
            Self::Account => matches!(backing, None | Some(Backing::Allow)),
            Self::Role => backing != Some(Backing::Outside),
            Self::Direct => true,
        }
    }
}

impl CallerCell {
    fn is_matched(&self, element: Elements<'_>, effect: Effect, reading: Reading) -> bool {
        if self.caller == Caller::Attached {
            return element.is_none();
        }
        match element {
            None => false,
            Some(Selection::Only(list)) => list.iter().any(|principal| {
                let relation = self.relation(principal, reading);
                match effect {
                    Effect::Deny => relation != Relation::None,
                    Effect::Allow => relation.grants(self.backing),
                }
            }),
            Some(Selection::Except(list)) => !self.is_spared(list, effect, reading),
        }
    }

    fn is_spared(&self, list: &BTreeSet<Principal>, effect: Effect, reading: Reading) -> bool {
        let related = |relation: Relation| {
            list.iter()
                .any(|principal| self.relation(principal, reading) == relation)
        };
        if effect == Effect::Allow || reading.any_listed_is_spared {
            return [Relation::Direct, Relation::Role, Relation::Account]
                .into_iter()
                .any(related);
        }
        let everyone = list
            .iter()
            .any(|principal| self.is_star(principal, reading));
        // Of a session its own ARN and that of its role, of all but the root user their account's too.
        let own = match &self.caller {
            Caller::Session { session: None, .. } | Caller::Session { role: None, .. } => false,
            Caller::Session {
                role: Some(role), ..
            } => {
                list.contains(&Principal::Aws(role.clone()))
                    && list.iter().any(|principal| match principal {
                        Principal::Aws(text) => {
                            matches!(Name::of(text), Name::Session { .. })
                                && self.relation(principal, reading) == Relation::Direct
                        }
                        _ => false,
                    })
            }
            _ => related(Relation::Direct),
        };
        everyone || own && (self.caller.account().is_none() || related(Relation::Account))
    }

    fn is_star(&self, principal: &Principal, reading: Reading) -> bool {
        match principal {
            Principal::Star => true,
            Principal::Aws(text) if text == "*" => {
                reading.aws_star_is_star || !matches!(self.caller, Caller::Other(..))
            }
            _ => false,
        }
    }

    fn relation(&self, principal: &Principal, reading: Reading) -> Relation {
        if self.is_star(principal, reading) {
            return Relation::Direct;
        }
        let is_it = match (&self.caller, principal) {
            (Caller::Other(kind, Some(own)), other) => other.entry() == (*kind, own.as_str()),
            (caller, Principal::Aws(text)) => match (caller, Name::of(text)) {
                (Caller::Root(own), Name::Account(named)) => *own == named,
                (caller, Name::Account(named)) if caller.account() == Some(&named) => {
                    return Relation::Account;
                }
                (
                    Caller::Session {
                        role: Some(role), ..
                    },
                    Name::Role { .. },
                ) if role == text => return Relation::Role,
                (
                    Caller::Session {
                        account: own,
                        role_name,
                        session: Some(own_session),
                        ..
                    },
                    Name::Session {
                        account,
                        role,
                        session,
                    },
                ) => *own == account && *role_name == role && *own_session == session,
                (Caller::Named { arn, .. }, Name::Plain(_)) => arn == text,
                _ => false,
            },
            _ => false,
        };
        if is_it {
            Relation::Direct
        } else {
            Relation::None
        }
    }

    /// Names one caller of the kind, as an ARN or a name.
    pub(super) fn witness(&self) -> String {
        let arn = |service: &str, account: &Account, resource: &str| {
            let partition = Some(account.partition.as_str()).filter(|name| !name.is_empty());
            let partition = partition.unwrap_or("aws");
            format!("arn:{partition}:{service}::{}:{resource}", account.id)
        };
        match &self.caller {
            Caller::Attached => Witness::ATTACHED.to_owned(),
            Caller::Named { arn, .. } => arn.clone(),
            Caller::Session {
                account,
                role_name,
                session,
                ..
            } => {
                let session = session.as_deref().unwrap_or("any-session");
                arn(
                    "sts",
                    account,
                    &format!("assumed-role/{role_name}/{session}"),
                )
            }
            Caller::Root(account) => arn("iam", account, "root"),
            Caller::Member(account) => arn("iam", account, "user/anyone-else"),
            Caller::Foreigner => "arn:aws:iam::000000000000:user/anyone-else".to_owned(),
            Caller::Anonymous => "Anonymous".to_owned(),
            Caller::Other(_, Some(name)) => name.clone(),
            Caller::Other("Service", None) => "any-other.amazonaws.com".to_owned(),
            Caller::Other("Federated", None) => "any-other-provider.example".to_owned(),
            Caller::Other(_, None) => "any-other-canonical-user".to_owned(),
        }
    }

    /// What the caller's own policies say of the request.
    pub(super) fn backing(&self) -> Option<Backing> {
        self.backing
    }
}
