//! How many failures a run bears before it begins nothing new.

use std::str::FromStr;

/// Bounds failures: of accounts to read, of changes to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureBound {
    /// So many.
    Count(usize),
    /// So many in a hundred.
    Percent(usize),
}

impl FailureBound {
    /// The most failures out of this many tries.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(share) => all * share / 100,
        }
    }
}

impl FromStr for FailureBound {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse().ok();
        match text.strip_suffix('%') {
            Some(share) => number(share)
                .filter(|share| *share <= 100)
                .map(Self::Percent),
            None => number(text).map(Self::Count),
        }
        .ok_or("write a number, such as 3, or a share, such as 10%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_or_a_share_rounded_down() {
        assert_eq!("3".parse::<FailureBound>().unwrap().of(100), 3);
        assert_eq!("10%".parse::<FailureBound>().unwrap().of(39), 3);
        for wrong in ["", "%", "101%", "-1", "a few"] {
            assert!(wrong.parse::<FailureBound>().is_err(), "{wrong}");
        }
    }
}
