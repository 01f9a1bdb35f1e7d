//! Shards: accounts split among machines, so that each reads its share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::AccountId;

/// Names one of several shares of the accounts, such as `2/8`.
///
/// An account's share hangs on its id alone, so that accounts that come or go move no other: it is the first 8 bytes of
/// the SHA-256 of the id's 12 digits, as a big-endian number, modulo the number of shards, plus 1. This never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u16,
    count: u16,
}

impl Shard {
    /// Finds the shard that an account is in; `None` when there are no shards.
    #[must_use]
    pub fn of(account: &AccountId, count: u16) -> Option<Self> {
        let digest = Sha256::digest(account.as_str());
        let first = digest.first_chunk().copied().map(u64::from_be_bytes)?;
        let index = u16::try_from(first.checked_rem(u64::from(count))? + 1).ok()?;
        Some(Self { index, count })
    }

    /// Tells whether an account is in this shard.
    #[must_use]
    pub fn holds(self, account: &AccountId) -> bool {
        Self::of(account, self.count) == Some(self)
    }

    /// Lists this shard and all others.
    pub fn all(self) -> impl Iterator<Item = Self> {
        let count = self.count;
        (1..=count).map(move |index| Self { index, count })
    }

    /// Which shard it is, counted from 1.
    #[must_use]
    pub fn index(self) -> u16 {
        self.index
    }

    /// How many shards there are.
    #[must_use]
    pub fn count(self) -> u16 {
        self.count
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse().ok();
        text.split_once('/')
            .and_then(|(index, count)| Some((number(index)?, number(count)?)))
            .filter(|(index, count)| (1..=*count).contains(index))
            .map(|(index, count)| Self { index, count })
            .ok_or("write it as I/N, with I from 1 to N and N at most 65535, such as 2/8")
    }
}

impl TryFrom<String> for Shard {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_written_as_one_of_so_many() {
        for text in ["1/1", "2/8", "65535/65535"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for wrong in [
            "", "/", "1", "0/1", "2/1", "0/0", "1/0", "-1/2", "1/2/3", "a/b", "1/65536",
        ] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    /// Made with `printf 111111111111 | sha256sum`; a change here would tear apart runs of two versions.
    #[test]
    fn the_split_is_the_documented_one() {
        for (account, count, index) in CASES {
            let account: AccountId = account.parse().unwrap();
            let shard = Shard::of(&account, count).unwrap();
            assert_eq!((shard.index(), shard.count()), (index, count), "{account}");
        }
    }

    const CASES: [(&str, u16, u16); 6] = [
        ("000000000000", 2, 2),
        ("111111111111", 2, 1),
        ("111111111111", 7, 5),
        ("200000000001", 8, 3),
        ("200000000002", 8, 5),
        ("999999999999", 1000, 133),
    ];

    #[test]
    fn each_account_is_in_one_shard_and_the_shares_are_alike() {
        let accounts = (0..4_000_u64).map(|number| format!("{:012}", number * 7_919));
        let accounts: Vec<AccountId> = accounts.map(|id| id.parse().unwrap()).collect();
        for count in 1..=8 {
            let mut shares = vec![0; usize::from(count)];
            for account in &accounts {
                let holders = (1..=count).filter(|index| {
                    let shard = Shard {
                        index: *index,
                        count,
                    };
                    shard.holds(account)
                });
                let [index] = holders.collect::<Vec<_>>()[..] else {
                    panic!("{account} is not in one shard");
                };
                shares[usize::from(index) - 1] += 1;
            }
            let even = accounts.len() / usize::from(count);
            for share in shares {
                assert!(
                    (even * 8 / 10..=even * 12 / 10).contains(&share),
                    "{share} of {even}"
                );
            }
        }
        assert_eq!(Shard::of(&accounts[0], 0), None);
    }
}
