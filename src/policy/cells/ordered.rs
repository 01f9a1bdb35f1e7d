//! Ordered values: how thresholds cut numbers, points in time and addresses into cells.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

use crate::policy::value::Network;

/// Places a value among sorted thresholds: `2 n + 1` is the threshold `n` itself, `2 n` lies just before it.
pub(in crate::policy) type Place = usize;

/// The place of the threshold with this number.
pub(in crate::policy) fn at(threshold: usize) -> Place {
    2 * threshold + 1
}

/// The places that sorted thresholds make, each with an example.
///
/// `None` when there is no example of a place: between numbers with too many digits, or at the end of all time.
pub(in crate::policy) fn places<T: Display>(
    thresholds: &[T],
    between: impl Fn(Option<&T>, Option<&T>) -> Option<String>,
) -> Option<Vec<(Place, String)>> {
    let mut places = Vec::new();
    let mut before = None;
    for (number, threshold) in thresholds.iter().enumerate() {
        places.push((2 * number, between(before, Some(threshold))?));
        places.push((at(number), threshold.to_string()));
        before = Some(threshold);
    }
    places.push((2 * thresholds.len(), between(before, None)?));
    Some(places)
}

/// Holds a run of addresses of one version that no network in use cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Range {
    version_6: bool,
    first: u128,
    last: u128,
}

impl Range {
    fn of(network: &Network) -> Self {
        let (version_6, first, bits) = match network.address {
            IpAddr::V4(address) => (false, u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (true, address.to_bits(), 128),
        };
        let host_bits = bits - u32::from(network.prefix);
        let hosts = 1u128
            .checked_shl(host_bits)
            .map_or(u128::MAX, |size| size - 1);
        Self {
            version_6,
            first,
            last: first | hosts,
        }
    }

    /// Tells whether the addresses lie in a network.
    pub(in crate::policy) fn lies_in(&self, network: &Network) -> bool {
        let network = Self::of(network);
        self.version_6 == network.version_6
            && network.first <= self.first
            && self.last <= network.last
    }

    fn example(&self) -> String {
        if self.version_6 {
            IpAddr::V6(self.first.into()).to_string()
        } else {
            let address = u32::try_from(self.first).unwrap_or_default();
            IpAddr::V4(address.into()).to_string()
        }
    }
}

/// Cuts all addresses into runs that no network cuts, each with an example.
pub(in crate::policy) fn ranges(networks: &BTreeSet<Network>) -> Vec<(Range, String)> {
    let mut ranges = Vec::new();
    for (version_6, end) in [(false, u128::from(u32::MAX)), (true, u128::MAX)] {
        let mut starts = BTreeSet::from([0]);
        for network in networks.iter().map(Range::of) {
            if network.version_6 == version_6 {
                starts.insert(network.first);
                starts.extend(network.last.checked_add(1).filter(|next| *next <= end));
            }
        }
        let lasts = starts.iter().skip(1).map(|next| next - 1).chain([end]);
        for (&first, last) in starts.iter().zip(lasts) {
            let range = Range {
                version_6,
                first,
                last,
            };
            ranges.push((range, range.example()));
        }
    }
    ranges
}
