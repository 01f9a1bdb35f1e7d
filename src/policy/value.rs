//! Condition values as values: `10` is `10.0`, `10.0.0.0` is `10.0.0.0/32`, an instant is the same in every time zone.
//!
//! A text that is not surely a value of its kind is no value here and is compared as text: two spellings are made equal
//! only where that is certain.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

/// Reads a boolean, in whatever case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Holds an exact decimal number: ± 0.digits × 10^exponent, the digits without zeros at either end.
///
/// The order is that of the fields, not of the numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    pub(super) digits: String,
    pub(super) exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON writes one: `-1.50`, `2e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, exponent(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        if fraction.is_some_and(|fraction| !is_digits(fraction)) {
            return None;
        }
        let all = whole.to_owned() + fraction.unwrap_or_default();
        let significant = all.trim_start_matches('0');
        let leading_zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let exponent = i64::try_from(whole.len())
            .ok()?
            .checked_sub(leading_zeros)?
            .checked_add(power)?;
        Some(Self {
            negative,
            digits: digits.to_owned(),
            exponent,
        })
    }

    /// Orders numbers by their size, whatever their exponents.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let size = |number: &Self| (!number.digits.is_empty()).then_some(number.exponent);
        // Without zeros in front, a longer exponent is a larger number, and digits compare as text.
        let sizes = size(self)
            .cmp(&size(other))
            .then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, false) => sizes,
            (true, true) => sizes.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    /// Finds a number strictly between two others, a whole one if it can be; an absent bound is none.
    ///
    /// `None` when a bound has too many digits to reckon with.
    pub(super) fn between(low: Option<&Self>, high: Option<&Self>) -> Option<String> {
        let bounds = || low.into_iter().chain(high);
        let places = bounds().map(Self::places).max().unwrap_or(0);
        if bounds().any(|bound| bound.exponent.saturating_add(places) > MAX_DIGITS)
            || places > MAX_DIGITS
        {
            return None;
        }
        let scale = power_of_ten(places)?;
        let (low, high) = (
            low.and_then(|low| low.scaled(places)),
            high.and_then(|high| high.scaled(places)),
        );
        let whole = match (low, high) {
            (None, None) => 0,
            (Some(low), _) => low.div_euclid(scale) + 1,
            (None, Some(high)) => (high - 1).div_euclid(scale),
        };
        if high.is_none_or(|high| whole * scale < high) {
            return Some(whole.to_string());
        }
        // Half a step of one more decimal place above the lower bound.
        let (low, scale) = (low? * 10 + 5, scale * 10);
        let width = usize::try_from(places + 1).ok()?;
        let sign = if low < 0 { "-" } else { "" };
        let low = low.abs();
        Some(format!("{sign}{}.{:0width$}", low / scale, low % scale))
    }

    /// How many decimal places the number has.
    fn places(&self) -> i64 {
        let digits = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        digits.saturating_sub(self.exponent).max(0)
    }

    /// The number times ten to the power of `places`, which must not be fewer than it has.
    fn scaled(&self, places: i64) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let digits: i128 = self.digits.parse().ok()?;
        let length = i64::try_from(self.digits.len()).ok()?;
        let size = digits.checked_mul(power_of_ten(
            self.exponent.saturating_add(places).saturating_sub(length),
        )?)?;
        Some(if self.negative { -size } else { size })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let places = self.places();
        match self.scaled(places).zip(power_of_ten(places)) {
            Some((size, _)) if places == 0 => write!(f, "{size}"),
            Some((size, scale)) => {
                let (size, width) = (size.abs(), usize::try_from(places).unwrap_or(0));
                write!(f, "{sign}{}.{:0width$}", size / scale, size % scale)
            }
            None if self.digits.is_empty() => f.write_str("0"),
            None => write!(f, "{sign}0.{}e{}", self.digits, self.exponent),
        }
    }
}

/// Bounds the digits that numbers are reckoned with.
const MAX_DIGITS: i64 = 30;

fn power_of_ten(exponent: i64) -> Option<i128> {
    10i128.checked_pow(u32::try_from(exponent).ok()?)
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_digits(digits) {
        text.parse().ok()
    } else {
        None
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Holds a point in time: whole seconds since 1970 and the digits of the fraction, without zeros at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Instant {
    pub(super) seconds: i64,
    pub(super) fraction: String,
}

impl Instant {
    /// Reads epoch seconds, or an ISO 8601 date with a time and a zone, or a full date alone, which begins in UTC.
    ///
    /// Four digits could be a year or epoch seconds, so they are neither. Source: W3C NOTE-datetime, which AWS cites.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::epoch(text).or_else(|| Self::iso(text))
    }

    /// Finds a point in time strictly between two others; an absent bound is none.
    pub(super) fn between(low: Option<&Self>, high: Option<&Self>) -> Option<Self> {
        let whole = |seconds: i64| Self {
            seconds,
            fraction: String::new(),
        };
        let (low, high) = match (low, high) {
            (None, None) => return Some(whole(0)),
            (None, Some(high)) => return Some(whole(high.seconds.checked_sub(1)?)),
            (Some(low), None) => return Some(whole(low.seconds.checked_add(1)?)),
            (Some(low), Some(high)) => (low, high),
        };
        let next = whole(low.seconds.checked_add(1)?);
        if next < *high {
            return Some(next);
        }
        // Zeros behind the fraction of the earlier one, then a digit: later than it, and before any other.
        let width = low.fraction.len().max(high.fraction.len());
        Some(Self {
            seconds: low.seconds,
            fraction: format!("{:0<width$}5", low.fraction),
        })
    }

    fn epoch(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !is_digits(digits) || digits.len() == 4 || (digits.len() > 1 && digits.starts_with('0'))
        {
            return None;
        }
        Some(Self {
            seconds: text.parse().ok()?,
            fraction: String::new(),
        })
    }

    fn iso(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let midnight = days(date)?.checked_mul(86_400)?;
        let Some(time) = time else {
            return Some(Self {
                seconds: midnight,
                fraction: String::new(),
            });
        };
        let (clock, offset) = match time.strip_suffix('Z') {
            Some(clock) => (clock, 0),
            None => {
                let (clock, zone) = time.split_at(time.find(['+', '-'])?);
                let minutes = minutes(zone.get(1..)?)?;
                (
                    clock,
                    if zone.starts_with('-') {
                        -minutes
                    } else {
                        minutes
                    },
                )
            }
        };
        let (whole, fraction) = match clock.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (clock, ""),
        };
        let seconds = match whole.len() {
            5 if fraction.is_empty() => minutes(whole)? * 60,
            8 => {
                let second = whole.get(5..)?.strip_prefix(':')?;
                minutes(whole.get(..5)?)? * 60 + two_digits(second, 59)?
            }
            _ => return None,
        };
        Some(Self {
            seconds: midnight + seconds - offset * 60,
            fraction: fraction.trim_end_matches('0').to_owned(),
        })
    }
}

impl fmt::Display for Instant {
    /// Writes the date and time in UTC; epoch seconds where the year has no four digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (
            self.seconds.div_euclid(86_400),
            self.seconds.rem_euclid(86_400),
        );
        let Some((year, month, day)) = date(day) else {
            return write!(f, "{}", self.seconds);
        };
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if !self.fraction.is_empty() {
            write!(f, ".{}", self.fraction)?;
        }
        f.write_str("Z")
    }
}

/// Finds the year, month and day of a day since 1970-01-01, for years of four digits.
fn date(day: i64) -> Option<(i64, i64, i64)> {
    // The reverse of `days`: eras of 400 years that begin in March.
    let day = day.checked_add(719_468)?;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (0..=9_999).contains(&year).then_some((year, month, day))
}

/// Reads `hh:mm` as minutes.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    Some(two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?)
}

fn two_digits(text: &str, limit: i64) -> Option<i64> {
    if text.len() != 2 || !is_digits(text) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= limit)
}

/// Reads `YYYY-MM-DD` as days since 1970-01-01 in the Gregorian calendar.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || !is_digits(year) {
        return None;
    }
    let year: i64 = year.parse().ok()?;
    let month = two_digits(month, 12)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let day = two_digits(day, length).filter(|day| *day >= 1)?;
    // Years begin in March, so that the leap day is the last day of a year.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + day_of_year - 719_468)
}

/// Holds a range of addresses; the bits of the address beyond the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
}

impl Network {
    /// Reads an IPv4 or IPv6 address with or without a prefix length; without one it is a single address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let length = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => length,
            Some(prefix) if is_digits(prefix) && (prefix == "0" || !prefix.starts_with('0')) => {
                prefix.parse().ok().filter(|bits| *bits <= length)?
            }
            Some(_) => return None,
        };
        let host_bits = u32::from(length - prefix);
        let address = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                IpAddr::V6((address.to_bits() & mask).into())
            }
        };
        Some(Self { address, prefix })
    }

    /// Tells whether an address lies in the range; one of the other family never does.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let host_bits = 32 - u32::from(self.prefix);
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(host_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let host_bits = 128 - u32::from(self.prefix);
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(host_bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the spellings of each row are one value, that rows differ, and that the rest is no value.
    fn check<T: PartialEq + std::fmt::Debug>(
        parse: impl Fn(&str) -> Option<T>,
        rows: &[&[&str]],
        rejected: &[&str],
    ) {
        for (index, row) in rows.iter().enumerate() {
            for text in *row {
                assert!(parse(text).is_some(), "{text}");
                assert_eq!(parse(text), parse(row[0]), "{text}");
            }
            for other in &rows[index + 1..] {
                assert_ne!(parse(row[0]), parse(other[0]), "{row:?} {other:?}");
            }
        }
        for text in rejected {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        check(
            Decimal::parse,
            &[
                &["0", "-0", "0.000", "0e99", "-0.0e-5"],
                &["10", "10.0", "1e1", "1E+1", "100e-1", "0.1e2"],
                &["-10", "-1.0e1"],
                &["0.05", "5e-2", "0.5e-1"],
                &["12345678901234567890.1", "1234567890123456789.01e1"],
                &["12345678901234567890.10000000000000000001"],
            ],
            &[
                "",
                "-",
                "+1",
                ".5",
                "5.",
                "01",
                "1e",
                "1e+",
                "1e99999999999999999999",
                "0x1",
                " 1",
                "1 ",
                "NaN",
                "1_0",
                "1e1.5",
            ],
        );
    }

    #[test]
    fn numbers_are_ordered_by_size() {
        let ascending = [
            "-1e999999999",
            "-10",
            "-9.5",
            "-0.05",
            "0",
            "1e-999999999",
            "0.05",
            "0.5",
            "0.51",
            "9.99",
            "10",
            "12",
            "100",
            "1e999999999",
        ];
        let numbers = ascending.map(|text| Decimal::parse(text).unwrap());
        for (i, left) in numbers.iter().enumerate() {
            for (j, right) in numbers.iter().enumerate() {
                assert_eq!(left.compare(right), i.cmp(&j), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn instants() {
        check(
            Instant::parse,
            &[
                &[
                    "0",
                    "1970-01-01",
                    "1970-01-01T00:00Z",
                    "1970-01-01T02:30:00+02:30",
                ],
                &[
                    "1577836801",
                    "2020-01-01T00:00:01Z",
                    "2020-01-01T00:00:01.000Z",
                    "2019-12-31T19:00:01-05:00",
                ],
                &["2020-01-01T00:00:01.5Z", "2020-01-01T00:00:01.50Z"],
                &["951782400", "2000-02-29"],
                &["-86400", "1969-12-31"],
                &["4107542400", "2100-03-01"],
            ],
            &[
                "",
                "2020",
                "2020-01",
                "2020-1-1",
                "2020-13-01",
                "2020-00-01",
                "2021-02-29",
                "2100-02-29",
                "2020-01-00",
                "2020-01-32",
                "2020-01-01T00:00:00",
                "2020-01-01T00Z",
                "2020-01-01T24:00Z",
                "2020-01-01T00:60Z",
                "2020-01-01T00:00:60Z",
                "2020-01-01t00:00z",
                "2020-01-01T00:00.5Z",
                "2020-01-01T00:00:00.Z",
                "2020-01-01T00:00:00+2",
                "+5",
                "01",
                "99999999999999999999",
                "2020-01-01T00:00:00+25:00",
                "2020-01-01-01",
                "T",
                "é-01-01",
            ],
        );
    }

    #[test]
    fn networks() {
        check(
            Network::parse,
            &[
                &["10.0.0.0", "10.0.0.0/32"],
                &["10.0.0.0/24", "10.0.0.255/24"],
                &["0.0.0.0/0", "1.2.3.4/0"],
                &["2001:db8::", "2001:DB8:0:0::/128"],
                &["2001:db8::/32", "2001:db8:1::1/32"],
                &["::/0", "ff::/0"],
                &["::ffff:10.0.0.0", "::ffff:a00:0/128"],
            ],
            &[
                "",
                "10.0.0",
                "10.0.0.0/33",
                "::/129",
                "010.0.0.0",
                "10.0.0.0/",
                "10.0.0.0/08",
                "10.0.0.0/+8",
                "10.0.0.*",
                "::/a",
            ],
        );
    }

    #[test]
    fn ranges_contain_addresses_of_their_family() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
            ("::1", "::1", "::2"),
        ] {
            let network = Network::parse(range).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{range}");
            assert!(!network.contains(outside.parse().unwrap()), "{range}");
        }
    }
}
