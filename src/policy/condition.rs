//! The condition operators: their names, families and modifiers.

use std::fmt;

/// Tests a condition key against values: a comparison, and how it treats absent and many-valued keys.
///
/// Written `[ForAllValues:|ForAnyValue:]KIND[IfExists]`, such as `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// How a key with many values is tested; `None` for a key with one value.
    pub qualifier: Option<Qualifier>,
    /// The comparison itself.
    pub kind: OperatorKind,
    /// Whether an absent key passes.
    pub if_exists: bool,
}

impl Operator {
    /// Reads an operator by its exact name; `None` when AWS knows no such operator.
    ///
    /// The names are case-sensitive: IAM answers `Invalid Condition type : stringEquals`. `Null` has no `IfExists`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (qualifier, rest) = match name.split_once(':') {
            None => (None, name),
            Some(("ForAllValues", rest)) => (Some(Qualifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Qualifier::ForAnyValue), rest),
            Some(_) => return None,
        };
        let (kind, if_exists) = match rest.strip_suffix("IfExists") {
            Some(kind) => (kind, true),
            None => (rest, false),
        };
        let kind = OperatorKind::ALL.into_iter().find(|k| k.name() == kind)?;
        let valid = !(if_exists && kind == OperatorKind::Null);
        valid.then_some(Self {
            qualifier,
            kind,
            if_exists,
        })
    }

    /// Tells whether a test with this operator passes when its key is absent; [`OperatorKind::Null`] apart.
    ///
    /// A negated operator passes: no value matches. `ForAnyValue` asks for a value, so that it fails.
    #[must_use]
    pub fn passes_absent(self) -> bool {
        let idle = match self.qualifier {
            Some(Qualifier::ForAllValues) => true,
            Some(Qualifier::ForAnyValue) => false,
            None => self.kind.is_negated(),
        };
        self.if_exists || idle
    }

    /// Lists every operator that AWS knows, with all prefixes and suffixes.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let qualifiers = [
            None,
            Some(Qualifier::ForAllValues),
            Some(Qualifier::ForAnyValue),
        ];
        qualifiers.into_iter().flat_map(|qualifier| {
            OperatorKind::ALL.into_iter().flat_map(move |kind| {
                let suffixes: &[bool] = match kind {
                    OperatorKind::Null => &[false],
                    _ => &[false, true],
                };
                suffixes.iter().map(move |&if_exists| Self {
                    qualifier,
                    kind,
                    if_exists,
                })
            })
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.qualifier {
            None => "",
            Some(Qualifier::ForAllValues) => "ForAllValues:",
            Some(Qualifier::ForAnyValue) => "ForAnyValue:",
        };
        let suffix = if self.if_exists { "IfExists" } else { "" };
        write!(f, "{prefix}{}{suffix}", self.kind.name())
    }
}

/// Says how a key with many values is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// Each value of the request must pass; an absent key passes.
    ForAllValues,
    /// At least one value of the request must pass; an absent key fails.
    ForAnyValue,
}

/// Groups the operators by the type that they compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Text.
    String,
    /// Integers and decimals.
    Numeric,
    /// Points in time: ISO 8601 or epoch seconds.
    Date,
    /// `true` and `false`, `Null` included.
    Bool,
    /// Bytes as base64.
    Binary,
    /// IPv4 and IPv6 addresses and ranges.
    IpAddress,
    /// ARNs, segment by segment.
    Arn,
}

/// Declares the operator kinds once: variant (which is also the name), family, negated or not.
macro_rules! operator_kinds {
    ($($name:ident $family:ident $negated:literal,)*) => {
        /// Names a comparison as AWS writes it.
        ///
        /// Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OperatorKind {
            $(#[doc = concat!("`", stringify!($name), "`.")] $name,)*
        }

        impl OperatorKind {
            /// Every kind there is.
            pub(super) const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$name),*];

            /// The name without prefix and suffix.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The type that is compared.
            #[must_use]
            pub fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }

            /// Tells whether the operator passes when **no** value matches, so that it also passes without the key.
            #[must_use]
            pub fn is_negated(self) -> bool {
                match self { $(Self::$name => $negated,)* }
            }
        }
    };
}

operator_kinds! {
    StringEquals String false,
    StringNotEquals String true,
    StringEqualsIgnoreCase String false,
    StringNotEqualsIgnoreCase String true,
    StringLike String false,
    StringNotLike String true,
    NumericEquals Numeric false,
    NumericNotEquals Numeric true,
    NumericLessThan Numeric false,
    NumericLessThanEquals Numeric false,
    NumericGreaterThan Numeric false,
    NumericGreaterThanEquals Numeric false,
    DateEquals Date false,
    DateNotEquals Date true,
    DateLessThan Date false,
    DateLessThanEquals Date false,
    DateGreaterThan Date false,
    DateGreaterThanEquals Date false,
    Bool Bool false,
    BinaryEquals Binary false,
    IpAddress IpAddress false,
    NotIpAddress IpAddress true,
    ArnEquals Arn false,
    ArnLike Arn false,
    ArnNotEquals Arn true,
    ArnNotLike Arn true,
    Null Bool false,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        assert_eq!(Operator::all().count(), 3 * (27 * 2 - 1));
        for operator in Operator::all() {
            assert_eq!(Operator::from_name(&operator.to_string()), Some(operator));
        }
    }

    #[test]
    fn names_that_aws_does_not_know_are_refused() {
        for name in [
            "",
            "IfExists",
            "stringEquals",
            "StringEqual",
            "StringMatches",
            "NullIfExists",
            "ForAllValues:NullIfExists",
            "ForAllValues:",
            "ForSomeValues:StringLike",
            "forAnyValue:StringLike",
            "ForAnyValue:ForAnyValue:StringLike",
            "StringLikeIfExistsIfExists",
            "StringLikeifexists",
            " Bool",
        ] {
            assert_eq!(Operator::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn exactly_the_not_operators_are_negated() {
        for kind in OperatorKind::ALL {
            assert_eq!(kind.is_negated(), kind.name().contains("Not"), "{kind:?}");
        }
    }
}
