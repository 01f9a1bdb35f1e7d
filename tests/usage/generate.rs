//! A made-up day of an organization, as CloudTrail writes it: a flood of ordinary records, and break-glass in it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// The emergency account.
pub const EMERGENCY: &str = "222233334444";

/// Sessions of break-glass principals on that day.
pub const SESSIONS: usize = 40;

/// Of these, those of roles that nothing is wrong with; four are sign-ins.
pub const GOOD: usize = SESSIONS - 4 - BAD.len();

/// The spec that the day is audited with.
pub const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1 }
emergency_account: "222233334444"
users:
  - { name: bg-alice, custodians: { password: a, token: b } }
  - { name: bg-bob, custodians: { password: c, token: d } }
roles:
  - { name: BreakGlassAdmin, trusted: ["user:bg-alice", "user:bg-bob"] }
  - { name: BreakGlassRead, trusted: ["user:bg-alice", "user:bg-bob"] }
incidents: { file: incidents.yaml }
"#;

/// The incidents of that day.
pub const INCIDENTS: &str = r#"
- { id: INC-1, opened: 2026-11-24T00:00:00Z, closed: 2026-11-24T12:00:00Z, reset_at: 2026-11-24T13:00:00Z }
- { id: INC-2, opened: 2026-11-24T14:00:00Z, closed: 2026-11-24T18:00:00Z, accounts: ["100000000001"], reset_at: 2026-11-24T18:30:00Z }
- { id: INC-3, opened: 2026-11-24T19:00:00Z, closed: 2026-11-24T20:00:00Z, users: [bg-bob], roles: [BreakGlassRead] }
"#;

/// What is wrong on that day: the code, the principal, its account, and the session's name.
pub const BAD: [[&str; 4]; 6] = [
    ["no_mfa", "BreakGlassAdmin", "100000000002", "INC-1-nomfa"],
    [
        "outside_window",
        "BreakGlassAdmin",
        "100000000003",
        "INC-1-late",
    ],
    [
        "outside_scope",
        "BreakGlassAdmin",
        "100000000004",
        "INC-2-elsewhere",
    ],
    [
        "never_closed",
        "BreakGlassRead",
        "100000000005",
        "INC-3-last",
    ],
    ["root_use", "root", "100000000006", ""],
    [
        "no_incident",
        "BreakGlassAdmin",
        "100000000007",
        "just-looking",
    ],
];

fn time(second: usize) -> String {
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("2026-11-24T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

/// Writes a day of so many records into `folder`, so many to a file; gives the number of records written.
pub fn day(folder: &Path, records: usize, to_a_file: usize) -> io::Result<usize> {
    let special = break_glass();
    // Everything of break-glass is there twice: two trails write it, and not in the order it happened.
    let twice: Vec<&Value> = special.iter().chain(special.iter().rev()).collect();
    let ordinary = records.saturating_sub(twice.len());
    let every = (ordinary / twice.len()).max(1);
    let mut twice = twice.into_iter();
    let mut writer = Writer::new(folder, to_a_file)?;
    for number in 0..ordinary {
        writer.record(&noise(number, ordinary))?;
        if number % every == every - 1
            && let Some(record) = twice.next()
        {
            writer.record(&record.to_string())?;
        }
    }
    for record in twice {
        writer.record(&record.to_string())?;
    }
    writer.finish()
}

struct Writer<'a> {
    folder: &'a Path,
    to_a_file: usize,
    written: usize,
    file: Option<GzEncoder<BufWriter<File>>>,
}

impl<'a> Writer<'a> {
    fn new(folder: &'a Path, to_a_file: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder,
            to_a_file,
            written: 0,
            file: None,
        })
    }

    fn record(&mut self, record: &str) -> io::Result<()> {
        let first = self.written.is_multiple_of(self.to_a_file);
        if first {
            self.close()?;
            let name = format!("CloudTrail_{:05}.json.gz", self.written / self.to_a_file);
            let file = BufWriter::new(File::create(self.folder.join(name))?);
            self.file = Some(GzEncoder::new(file, Compression::fast()));
        }
        if let Some(file) = &mut self.file {
            let before: &[u8] = if first { b"{\"Records\":[" } else { b"," };
            file.write_all(before)?;
            file.write_all(record.as_bytes())?;
        }
        self.written += 1;
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.write_all(b"]}")?;
            file.finish()?.flush()?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<usize> {
        self.close()?;
        Ok(self.written)
    }
}

/// A record like most: a service or a role at its daily work, about 1.2 KB.
fn noise(number: usize, of: usize) -> String {
    let at = time(number * 86_399 / of.max(1));
    let account = 300_000_000_000 + number % 97;
    // Spread, but the same in each run.
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (service, name, parameters) = match number % 4 {
        0 => (
            "ec2",
            "DescribeInstances",
            r#"{"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]}}"#,
        ),
        1 => (
            "kms",
            "Decrypt",
            r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::data-lake-production"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        ),
        2 => (
            "sts",
            "AssumeRole",
            r#"{"roleArn":"arn:aws:iam::300000000001:role/service/DeployWorker","roleSessionName":"worker","durationSeconds":3600}"#,
        ),
        _ => (
            "s3",
            "PutObject",
            r#"{"bucketName":"audit-logs","Host":"audit-logs.s3.eu-west-1.amazonaws.com","key":"a/\"quoted\"/b{1}[2].json"}"#,
        ),
    };
    let mut record = String::with_capacity(1400);
    // Writing to a String can't fail.
    let _ = write!(
        record,
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROA{mixed:016X}:worker-{number}","arn":"arn:aws:sts::{account}:assumed-role/service-worker/worker-{number}","accountId":"{account}","accessKeyId":"ASIA{mixed:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{mixed:016X}","arn":"arn:aws:iam::{account}:role/service/service-worker","accountId":"{account}","userName":"service-worker"}},"attributes":{{"creationDate":"{at}","mfaAuthenticated":"false"}}}}}},"eventTime":"{at}","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"10.{}.{}.{}","userAgent":"aws-sdk-java/2.25.11 Linux/5.10.210 OpenJDK_64-Bit_Server_VM/17.0.10 exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/standard","requestParameters":{parameters},"responseElements":null,"requestID":"{mixed:016x}-{number:012x}","eventID":"{number:08x}-0000-4000-8000-{mixed:012x}","readOnly":{},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.eu-west-1.amazonaws.com"}}}}"#,
        number % 256,
        number / 256 % 256,
        number / 65_536 % 256,
        number % 4 < 2,
    );
    record
}

/// Every record of break-glass: 40 sessions and what led to them, 6 of them bad.
fn break_glass() -> Vec<Value> {
    let mut day = Day::default();
    // Two sign-ins, of which each leads to half of the good sessions.
    for (user, begin) in [("bg-alice", 3_600), ("bg-bob", 4_000)] {
        day.sign_in(user, begin);
    }
    for number in 0..GOOD {
        let (user, login) = [("bg-alice", 3_600), ("bg-bob", 4_000)][number % 2];
        let account = format!("{:012}", 100_000_000_010 + number);
        let begin = 5_000 + 600 * number;
        let name = format!("INC-1-{number}");
        let role = ["BreakGlassAdmin", "BreakGlassRead"][number % 2];
        day.role_session(&Session {
            user,
            login,
            role,
            account: &account,
            name: &name,
            begin,
            calls: 5 + number,
            mfa: true,
        });
    }
    let hour = 3_600;
    day.sign_in("bg-alice", 15 * hour - 60);
    day.sign_in("bg-bob", 19 * hour + 20);
    let bad = Session {
        user: "bg-alice",
        login: 3_600,
        role: "BreakGlassAdmin",
        account: "100000000002",
        name: "INC-1-nomfa",
        begin: 6 * hour,
        calls: 4,
        mfa: false,
    };
    day.role_session(&bad);
    day.role_session(&Session {
        account: "100000000003",
        name: "INC-1-late",
        begin: 12 * hour - 10,
        mfa: true,
        ..bad
    });
    day.role_session(&Session {
        account: "100000000004",
        name: "INC-2-elsewhere",
        login: 15 * hour - 60,
        begin: 15 * hour,
        mfa: true,
        ..bad
    });
    day.role_session(&Session {
        user: "bg-bob",
        role: "BreakGlassRead",
        account: "100000000005",
        name: "INC-3-last",
        login: 19 * hour + 20,
        begin: 19 * hour + 60,
        mfa: true,
        ..bad
    });
    // Of this one only the role's own account tells.
    day.role_session(&Session {
        user: "",
        account: "100000000007",
        name: "just-looking",
        begin: 21 * hour,
        mfa: true,
        ..bad
    });
    day.root("100000000006", 22 * hour);
    day.decoys();
    day.records
}

struct Session<'a> {
    user: &'a str,
    /// When its user signed in.
    login: usize,
    role: &'a str,
    account: &'a str,
    name: &'a str,
    begin: usize,
    calls: usize,
    mfa: bool,
}

#[derive(Default)]
struct Day {
    records: Vec<Value>,
}

impl Day {
    fn add(&mut self, second: usize, service: &str, name: &str, account: &str, more: Value) {
        let mut record = json!({
            "eventVersion": "1.11",
            "eventTime": time(second),
            "eventSource": format!("{service}.amazonaws.com"),
            "eventName": name,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.30.0",
            "eventID": format!("break-glass-{:06}", self.records.len()),
            "eventType": "AwsApiCall",
            "recipientAccountId": account,
        });
        if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
            record.extend(more);
        }
        self.records.push(record);
    }

    fn user(user: &str, login: usize) -> Value {
        json!({
            "type": "IAMUser", "principalId": format!("AIDA{user}"), "accountId": EMERGENCY, "userName": user,
            "arn": format!("arn:aws:iam::{EMERGENCY}:user/break-glass/{user}"), "accessKeyId": format!("ASIA{user}{login}"),
            "sessionContext": { "attributes": { "creationDate": time(login), "mfaAuthenticated": "true" } },
        })
    }

    fn sign_in(&mut self, user: &str, second: usize) {
        let identity = json!({ "type": "IAMUser", "accountId": EMERGENCY, "userName": user });
        self.add(
            second,
            "signin",
            "ConsoleLogin",
            EMERGENCY,
            json!({
                "userIdentity": identity,
                "responseElements": { "ConsoleLogin": "Success" },
                "additionalEventData": { "MFAUsed": "Yes" },
            }),
        );
    }

    fn role_session(&mut self, session: &Session<'_>) {
        let Session {
            user,
            login,
            role,
            account,
            name,
            begin,
            calls,
            mfa,
        } = *session;
        let arn = format!("arn:aws:iam::{account}:role/break-glass/{role}");
        let key = format!("ASIA{account}{begin}");
        let call = json!({
            "requestParameters": { "roleArn": arn, "roleSessionName": name },
            "responseElements": { "credentials": { "accessKeyId": key } },
            "sharedEventID": format!("shared-{account}-{begin}"),
        });
        let caller = if mfa {
            Self::user(user, login)
        } else {
            let mut long_term = Self::user(user, login);
            long_term["sessionContext"] = json!({
                "attributes": { "creationDate": time(login), "mfaAuthenticated": "false" }
            });
            long_term
        };
        let with = |identity: Value| {
            let mut record = call.clone();
            record["userIdentity"] = identity;
            record
        };
        if !user.is_empty() {
            self.add(begin, "sts", "AssumeRole", EMERGENCY, with(caller));
        }
        let other_side = json!({
            "type": "AWSAccount", "principalId": format!("AIDA{user}"), "accountId": EMERGENCY,
        });
        self.add(begin, "sts", "AssumeRole", account, with(other_side));
        let identity = json!({
            "type": "AssumedRole", "principalId": format!("AROA{role}:{name}"), "accountId": account, "accessKeyId": key,
            "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
            "sessionContext": {
                "sessionIssuer": { "type": "Role", "arn": arn, "accountId": account, "userName": role },
                "attributes": { "creationDate": time(begin), "mfaAuthenticated": mfa.to_string() },
            },
        });
        for number in 1..=calls {
            let refused = number.is_multiple_of(5);
            let mut more = json!({ "userIdentity": identity, "readOnly": number % 2 == 0 });
            if refused {
                more["errorCode"] = json!("AccessDenied");
            }
            let action = ["StopInstances", "DescribeInstances"][(number + 1) % 2];
            self.add(begin + 5 * number, "ec2", action, account, more);
        }
    }

    fn root(&mut self, account: &str, second: usize) {
        let identity = json!({
            "type": "Root", "principalId": account, "accountId": account, "arn": format!("arn:aws:iam::{account}:root"),
        });
        self.add(
            second,
            "signin",
            "ConsoleLogin",
            account,
            json!({
                "userIdentity": identity,
                "responseElements": { "ConsoleLogin": "Success" },
                "additionalEventData": { "MFAUsed": "Yes" },
            }),
        );
        let mut session = identity;
        session["accessKeyId"] = json!("ASIAROOT");
        session["sessionContext"] = json!({
            "attributes": { "creationDate": time(second + 1), "mfaAuthenticated": "true" }
        });
        let more = json!({ "userIdentity": session, "readOnly": false });
        self.add(second + 30, "s3", "DeleteBucketPolicy", account, more);
    }

    /// Records that look like break-glass and are not.
    fn decoys(&mut self) {
        let account = "300000000009";
        // The same name under another path, and a longer name.
        for role in ["BreakGlassAdmin", "break-glass/BreakGlassAdmins"] {
            let more = json!({
                "userIdentity": { "type": "AssumedRole", "accountId": account,
                    "sessionContext": { "sessionIssuer": { "type": "Role", "arn": format!("arn:aws:iam::{account}:role/{role}") } } },
            });
            self.add(40_000, "ec2", "DescribeInstances", account, more);
        }
        // A user of the same name elsewhere, AWS in the name of root, and a look at a break-glass role.
        let namesake = json!({ "userIdentity": { "type": "IAMUser", "accountId": account, "userName": "bg-alice" } });
        self.add(41_000, "s3", "ListBuckets", account, namesake);
        let service = json!({ "userIdentity": { "type": "Root", "accountId": account, "invokedBy": "AWS Internal" } });
        self.add(42_000, "s3", "GetBucketAcl", account, service);
        let look = json!({
            "userIdentity": { "type": "AssumedRole", "accountId": account, "arn": format!("arn:aws:sts::{account}:assumed-role/Auditor/x") },
            "requestParameters": { "roleName": "BreakGlassAdmin" }, "readOnly": true,
        });
        self.add(43_000, "iam", "GetRole", account, look);
    }
}
