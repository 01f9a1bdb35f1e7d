//! A logic of three values, in which what is not known is never taken for false.

/// Holds whether something is so, or that this is not known.
///
/// The order is false, unknown, true, so that "and" is the minimum and "or" the maximum (Kleene's strong logic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It is not so.
    False,
    /// It depends on something that is not known.
    Unknown,
    /// It is so.
    True,
}

impl Truth {
    /// True when both are, false when one is false.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// True when one is, false when both are false.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; of what is not known it is not known either.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }

    /// True when one item is, and false when there is none.
    pub(super) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for item in items {
            result = result.or(item);
            if result == Self::True {
                break;
            }
        }
        result
    }

    /// True when every item is, and when there is none.
    pub(super) fn all(items: impl IntoIterator<Item = Self>) -> Self {
        Self::any(items.into_iter().map(Self::negated)).negated()
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}
