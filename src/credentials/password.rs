//! Making a password that a person can type in an emergency.

use std::io;

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Fills a buffer with random bytes that nobody can predict.
pub type Randomness<'a> = dyn FnMut(&mut [u8]) -> io::Result<()> + Send + 'a;

/// The characters of a password, without those that are mistaken for each other: `0 O o`, `1 I l i`.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Stands between groups. It is a symbol, which a password policy may ask for, and on every keyboard.
const SEPARATOR: u8 = b'-';

/// The characters of a group.
const GROUP: usize = 6;

/// Five groups: 30 random characters of 55, which is 173 bits.
const USUAL: usize = 5 * (GROUP + 1) - 1;

/// The longest password that IAM takes. Source: IAM API, `CreateLoginProfile`.
const LONGEST: usize = 128;

/// Makes a password of at least `shortest` characters, at most 128.
///
/// It has lower and upper case letters, digits and symbols, so that it meets every password policy. Each character is
/// as likely as every other; a draw without one of the classes is thrown away whole.
///
/// # Errors
/// When there is no randomness.
pub fn generate(shortest: u32, random: &mut Randomness<'_>) -> io::Result<SecretString> {
    let asked = usize::try_from(shortest).unwrap_or(LONGEST);
    let mut length = asked.max(USUAL);
    if length.is_multiple_of(GROUP + 1) {
        // No separator at the end.
        length += 1;
    }
    let length = length.min(LONGEST);
    loop {
        let mut password = Zeroizing::new(String::with_capacity(length));
        for position in 1..=length {
            let character = if position.is_multiple_of(GROUP + 1) {
                SEPARATOR
            } else {
                draw(random)?
            };
            password.push(char::from(character));
        }
        let has = |class: fn(&u8) -> bool| password.as_bytes().iter().any(class);
        if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit) {
            return Ok(SecretString::from(password.as_str()));
        }
    }
}

/// Draws a character. Bytes past the last multiple of the alphabet's length would favour its beginning.
fn draw(random: &mut Randomness<'_>) -> io::Result<u8> {
    let fair = 256 - 256 % ALPHABET.len();
    loop {
        let mut byte = Zeroizing::new([0_u8; 1]);
        random(byte.as_mut_slice())?;
        let [byte] = *byte;
        let drawn = usize::from(byte);
        if let (true, Some(character)) = (drawn < fair, ALPHABET.get(drawn % ALPHABET.len())) {
            return Ok(*character);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use secrecy::ExposeSecret as _;

    use super::*;

    /// Counts up, through every byte.
    fn counting(start: u8) -> impl FnMut(&mut [u8]) -> io::Result<()> {
        let mut next = start;
        move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn every_password_meets_every_policy() {
        for shortest in [0, 6, 32, 34, 35, 36, 41, 100, 126, 127, 128, 400] {
            for start in [0, 50, 100, 200] {
                let password = generate(shortest, &mut counting(start)).unwrap();
                let password = password.expose_secret();
                let asked = usize::try_from(shortest).unwrap().min(128);
                assert!(
                    (asked.max(34)..=128).contains(&password.len()),
                    "{password}"
                );
                assert!(password.len() <= asked.max(34) + 1);
                assert!(!password.starts_with('-') && !password.ends_with('-'));
                assert!(password.contains('-'));
                for class in [
                    char::is_ascii_lowercase,
                    char::is_ascii_uppercase,
                    char::is_ascii_digit,
                ] {
                    assert!(password.chars().any(|c| class(&c)), "{password}");
                }
                assert!(!password.contains(['0', 'O', 'o', '1', 'I', 'l', 'i']));
            }
        }
    }

    #[test]
    fn the_usual_password_is_five_groups_of_six() {
        let password = generate(8, &mut counting(17)).unwrap();
        let groups: Vec<usize> = password.expose_secret().split('-').map(str::len).collect();
        assert_eq!(groups, [6; 5]);
    }

    #[test]
    fn every_character_is_as_likely_as_every_other() {
        let mut random = counting(0);
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        // Four times the alphabet are the bytes that count; the others are thrown away.
        for _ in 0..220 {
            *counts.entry(draw(&mut random).unwrap()).or_default() += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|count| *count == 4));
    }

    #[test]
    fn a_draw_without_a_class_is_thrown_away() {
        // The first 30 draws are all the same letter, so that there is neither a digit nor an upper case letter.
        let mut drawn = 0_u8;
        let mut random = |bytes: &mut [u8]| {
            drawn = drawn.saturating_add(1);
            bytes.fill(if drawn <= 30 { 0 } else { drawn });
            Ok(())
        };
        let password = generate(8, &mut random).unwrap();
        assert!(!password.expose_secret().starts_with("aaaaaa"));
    }

    #[test]
    fn without_randomness_there_is_no_password() {
        let mut random = |_: &mut [u8]| Err(io::Error::other("none"));
        assert!(generate(8, &mut random).is_err());
    }
}
