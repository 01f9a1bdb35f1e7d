//! Records to traces: which of them tell of break-glass, and what.
//!
//! Source: AWS IAM and CloudTrail user guides, "Logging IAM and AWS STS API calls", "CloudTrail userIdentity element" and
//! "AWS Management Console sign-in events".

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::record::Record;
use super::sieve::HIDDEN_NAME;
use super::tamper;
use super::trace::{Activity, Caller, Entry, Event, Mark, SessionKey, Trace};
use super::watch::{Principal, PrincipalKind, Watch};

/// The name told for a sign-in with a user name that there is not.
pub(super) const UNKNOWN_NAME: &str = "(unknown name)";

/// Reads one record, and tells what it says of break-glass; `None` when that is nothing.
///
/// # Errors
/// When the record can't be read.
pub fn classify(bytes: &[u8], watch: &Watch) -> Result<Option<Trace>, String> {
    let Some(record) = Record::parse(bytes)? else {
        return Ok(None);
    };
    let reader = Reader {
        record: &record,
        watch,
        caller: caller_principal(&record, watch),
    };
    let trace = Trace {
        id: id(&record),
        at: record.at,
        event: reader.event(),
        activity: reader.activity(),
        entry: reader.entry(),
        tampered: tamper::target(&record, watch),
    };
    let says_something =
        trace.activity.is_some() || trace.entry.is_some() || trace.tampered.is_some();
    Ok(says_something.then_some(trace))
}

fn id(record: &Record) -> Option<[u8; 16]> {
    let id = record.text("/eventID");
    let digest: [u8; 32] = Sha256::digest(id).into();
    let short = digest.first_chunk().copied();
    short.filter(|_| !id.is_empty())
}

/// Finds the break-glass principal that made the call, with the name of its session.
fn caller_principal(record: &Record, watch: &Watch) -> Option<(Principal, String)> {
    let issuer = record.text("/userIdentity/sessionContext/sessionIssuer/arn");
    let account = record.text("/userIdentity/accountId");
    match record.text("/userIdentity/type") {
        "IAMUser" => {
            let user = watch.user(account, record.text("/userIdentity/userName"))?;
            Some((user, String::new()))
        }
        "FederatedUser" => Some((watch.user_by_arn(issuer)?, String::new())),
        "AssumedRole" => {
            let arn = record.text("/userIdentity/arn");
            let session = arn.rsplit('/').next().unwrap_or_default().to_owned();
            if issuer.is_empty() {
                return watch.role_session(arn).map(|(role, _)| (role, session));
            }
            Some((watch.role(issuer)?, session))
        }
        "Root" => Some((Principal::root(account.parse().ok()?), String::new())),
        _ => None,
    }
}

struct Reader<'a> {
    record: &'a Record,
    watch: &'a Watch,
    caller: Option<(Principal, String)>,
}

impl Reader<'_> {
    fn event(&self) -> Event {
        let record = self.record;
        let caller = ["arn", "principalId", "invokedBy", "accountId", "type"]
            .iter()
            .map(|key| record.text(&format!("/userIdentity/{key}")))
            .find(|text| !text.is_empty());
        Event {
            action: record.action(),
            account: self.recipient().to_owned(),
            region: record.text("/awsRegion").to_owned(),
            address: record.text("/sourceIPAddress").to_owned(),
            agent: record.text("/userAgent").to_owned(),
            error: record.text("/errorCode").to_owned(),
            read_only: record.read_only(),
            caller: caller.unwrap_or_default().to_owned(),
        }
    }

    fn recipient(&self) -> &str {
        let recipient = self.record.text("/recipientAccountId");
        if recipient.is_empty() {
            self.record.text("/userIdentity/accountId")
        } else {
            recipient
        }
    }

    /// What was done in a session; signing in and switching are ways into one instead.
    fn activity(&self) -> Option<Activity> {
        let record = self.record;
        let (principal, session) = self.caller.clone()?;
        let access_key = record.text("/userIdentity/accessKeyId");
        let began = record.session_began();
        if record.service() == "signin" {
            let root = principal.kind == PrincipalKind::Root;
            if is_sign_in(record.name()) || (began.is_none() && !root) {
                return None;
            }
        } else if principal.kind == PrincipalKind::Root && access_key.is_empty() && began.is_none()
        {
            // AWS itself, in the name of the account.
            return None;
        }
        let mark = began.map_or_else(
            || Mark::Key(access_key.to_owned(), day(record.at)),
            |began| Mark::Began(began, access_key.to_owned()),
        );
        let enters = ["AssumeRole", "GetSessionToken"].contains(&record.name());
        let with_device = !record.text("/requestParameters/serialNumber").is_empty();
        let authenticated = record.flag("/userIdentity/sessionContext/attributes/mfaAuthenticated");
        let mfa = match authenticated {
            // Long-term keys: no MFA, but for a call that brings its own.
            None if began.is_none() => Some(enters && with_device),
            // What a service does for a session says nothing of how that was entered.
            Some(false) if !record.text("/userIdentity/invokedBy").is_empty() => None,
            known => known,
        };
        let role = record.text("/requestParameters/roleArn");
        let goes_on = record.name() == "AssumeRole" && !record.failed() && !role.is_empty();
        Some(Activity {
            key: SessionKey {
                principal,
                session,
                mark,
            },
            access_key: access_key.to_owned(),
            mfa,
            source_identity: record
                .text("/userIdentity/sessionContext/sourceIdentity")
                .to_owned(),
            went_on_to: (goes_on && self.watch.role(role).is_none()).then(|| {
                let session = record.text("/requestParameters/roleSessionName");
                (role.to_owned(), session.to_owned())
            }),
        })
    }

    fn entry(&self) -> Option<Entry> {
        match (self.record.service(), self.record.name()) {
            ("signin", "ConsoleLogin") => self.sign_in("ConsoleLogin"),
            ("signin", "CheckMfa") => self
                .sign_in("CheckMfa")
                .filter(|entry| matches!(entry.key.mark, Mark::Refused(..))),
            ("signin", "SwitchRole") => self.switch(),
            ("sts", "AssumeRoot") => self.assume_root(),
            ("sts", "GetSessionToken" | "GetFederationToken") => self.own_session(),
            ("sts", name) if name.starts_with("AssumeRole") => self.assume_role(),
            _ => None,
        }
    }

    fn sign_in(&self, step: &str) -> Option<Entry> {
        let record = self.record;
        let success = record.text(&format!("/responseElements/{step}")) == "Success";
        let emergency = &self.watch.emergency_account;
        let (principal, session) = match &self.caller {
            Some(caller) => caller.clone(),
            None if self.recipient() == emergency.as_str()
                && record.text("/userIdentity/userName") == HIDDEN_NAME =>
            {
                let unknown = Principal {
                    kind: PrincipalKind::User,
                    account: emergency.clone(),
                    name: UNKNOWN_NAME.to_owned(),
                };
                (unknown, String::new())
            }
            None => return None,
        };
        // Who opens the console with a session brings that session's MFA, and goes on with it.
        let began = record.session_began().filter(|_| {
            ["AssumedRole", "FederatedUser"].contains(&record.text("/userIdentity/type"))
        });
        let mfa = record.flag(match began {
            Some(_) => "/userIdentity/sessionContext/attributes/mfaAuthenticated",
            None => "/additionalEventData/MFAUsed",
        });
        let mark = match began.filter(|_| success) {
            Some(began) => Mark::Began(began, record.text("/userIdentity/accessKeyId").to_owned()),
            None => self.mark(success, "", mfa),
        };
        Some(Entry {
            key: SessionKey {
                principal,
                session,
                mark,
            },
            caller: None,
            mfa,
            source_identity: String::new(),
        })
    }

    fn switch(&self) -> Option<Entry> {
        let record = self.record;
        let arn = record.text("/userIdentity/arn");
        // Told from the side of the role, or from that of the user: both shapes have been seen.
        let (principal, session) = self.watch.role_session(arn).map_or_else(
            || {
                let role = self
                    .watch
                    .role(record.text("/additionalEventData/SwitchTo"))?;
                let name = record.text("/userIdentity/userName");
                Some((role, name.to_owned()))
            },
            |(role, session)| Some((role, session.to_owned())),
        )?;
        let from = record.text("/additionalEventData/SwitchFrom");
        let user = self.watch.user_by_arn(from);
        let caller = (!from.is_empty()).then(|| Caller {
            name: user
                .as_ref()
                .map_or_else(|| from.to_owned(), |user| user.name.clone()),
            principal: user,
            access_key: String::new(),
        });
        let success = record.text("/responseElements/SwitchRole") == "Success";
        Some(Entry {
            key: SessionKey {
                principal,
                session,
                mark: self.mark(success, "", None),
            },
            caller,
            mfa: None,
            source_identity: String::new(),
        })
    }

    fn assume_role(&self) -> Option<Entry> {
        let record = self.record;
        let requested = record.text("/requestParameters/roleArn");
        let role = if requested.is_empty() {
            // A refusal names the role in its message only.
            let (_, resource) = record.text("/errorMessage").split_once("on resource: ")?;
            resource.split_whitespace().next().unwrap_or_default()
        } else {
            requested
        };
        let with_device = !record.text("/requestParameters/serialNumber").is_empty();
        let authenticated = record.flag("/userIdentity/sessionContext/attributes/mfaAuthenticated");
        let user = record.text("/userIdentity/type") == "IAMUser";
        let mfa = match authenticated {
            _ if with_device => Some(true),
            Some(true) if user => Some(true),
            _ if user => Some(false),
            _ => None,
        };
        Some(Entry {
            key: SessionKey {
                principal: self.watch.role(role)?,
                // Who is refused may choose another name every time.
                session: if record.failed() {
                    String::new()
                } else {
                    record.text("/requestParameters/roleSessionName").to_owned()
                },
                mark: self.mark(!record.failed(), &self.caller_without_session(), mfa),
            },
            caller: Some(self.caller_of()),
            mfa,
            source_identity: record.text("/requestParameters/sourceIdentity").to_owned(),
        })
    }

    fn assume_root(&self) -> Option<Entry> {
        let target = self.record.text("/requestParameters/targetPrincipal");
        let account = if target.starts_with("arn:") {
            target.split(':').nth(4)?
        } else {
            target
        };
        Some(Entry {
            key: SessionKey {
                principal: Principal::root(account.parse().ok()?),
                session: String::new(),
                mark: self.mark(!self.record.failed(), &self.caller_without_session(), None),
            },
            caller: Some(self.caller_of()),
            mfa: None,
            source_identity: String::new(),
        })
    }

    /// A session of a user's own, made from its keys.
    fn own_session(&self) -> Option<Entry> {
        let record = self.record;
        let (principal, _) = self.caller.as_ref()?;
        if record.failed() || principal.kind != PrincipalKind::User {
            return None;
        }
        let with_device = !record.text("/requestParameters/serialNumber").is_empty();
        Some(Entry {
            key: SessionKey {
                principal: principal.clone(),
                session: String::new(),
                mark: self.mark(true, "", Some(with_device)),
            },
            caller: Some(self.caller_of()),
            mfa: Some(with_device),
            source_identity: String::new(),
        })
    }

    fn mark(&self, success: bool, by: &str, mfa: Option<bool>) -> Mark {
        let record = self.record;
        if success {
            let key = record.text("/responseElements/credentials/accessKeyId");
            if key.is_empty() {
                let address = record.text("/sourceIPAddress");
                Mark::SignedIn(record.at, address.to_owned(), mfa)
            } else {
                Mark::Entered(record.at, key.to_owned())
            }
        } else {
            Mark::Refused(day(record.at), by.to_owned())
        }
    }

    fn caller_of(&self) -> Caller {
        Caller {
            principal: self.caller.as_ref().map(|(principal, _)| principal.clone()),
            name: self.caller_name(),
            access_key: self.record.text("/userIdentity/accessKeyId").to_owned(),
        }
    }

    /// Names the caller without the name of its session.
    fn caller_without_session(&self) -> String {
        let name = self.caller_name();
        match name.rsplit_once('/') {
            Some((role, _)) if role.contains(":assumed-role/") => role.to_owned(),
            _ => name,
        }
    }

    fn caller_name(&self) -> String {
        let record = self.record;
        match &self.caller {
            Some((user, _)) if user.kind == PrincipalKind::User => return user.name.clone(),
            _ => {}
        }
        let arn = record.text("/userIdentity/arn");
        if !arn.is_empty() {
            return arn.to_owned();
        }
        let account = record.text("/userIdentity/accountId");
        let id = record.text("/userIdentity/principalId");
        match (account, id) {
            ("", "") => record.text("/userIdentity/invokedBy").to_owned(),
            ("", id) => id.to_owned(),
            (account, id) => format!("{id} of account {account}"),
        }
    }
}

fn is_sign_in(name: &str) -> bool {
    ["ConsoleLogin", "CheckMfa", "SwitchRole"].contains(&name)
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}
