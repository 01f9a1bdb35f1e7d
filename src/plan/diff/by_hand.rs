//! What only a person can do: where, and in which steps.

use crate::ids::{AccountId, Partition};

/// The address of the console.
fn console(partition: &Partition) -> &'static str {
    match partition.as_str() {
        "aws-cn" => "https://console.amazonaws.cn",
        "aws-us-gov" => "https://console.amazonaws-us-gov.com",
        _ => "https://console.aws.amazon.com",
    }
}

/// The step that opens the page with a user's devices and keys.
pub(super) fn open_user(partition: &Partition, account: &AccountId, user: &str) -> String {
    format!(
        "signed in to account {account}, open {}/iam/home#/users/details/{user}?section=security_credentials",
        console(partition)
    )
}

/// The step that opens the page with a root user's own devices and keys.
pub(super) fn open_root(partition: &Partition, account: &AccountId) -> String {
    format!(
        "signed in as the root user of account {account}, open {}/iam/home#/security_credentials",
        console(partition)
    )
}

/// The step that opens the page where an organization manages its members' root users.
pub(super) fn open_root_access(partition: &Partition) -> String {
    format!(
        "signed in to the management account, open {}/iam/home and choose \"Root access management\"",
        console(partition)
    )
}

/// Writes what AWS told as one word of a shell: a device's path may hold any printable character.
pub(super) fn shell_word(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "_+=,.@:/-".contains(character);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The last step: nothing that a person does counts until it is read.
pub(super) const CONFIRM: &str =
    "run `breakglass drift`: this stays pending until a read confirms it";
