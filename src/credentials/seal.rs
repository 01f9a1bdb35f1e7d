//! Sealing a password, so that only whoever keeps it can open it.

use std::io::{self, Write as _};

use age::armor::{ArmoredWriter, Format};
use age::{Encryptor, ssh, x25519};
use secrecy::{ExposeSecret as _, SecretString};

/// Holds the public keys that a password is sealed to, at least one.
pub struct Recipients(Vec<Box<dyn age::Recipient + Send + Sync>>);

/// Reports a text that no password can be sealed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no password can be sealed to this key: {reason}")]
pub struct WrongRecipient {
    /// Its place among the keys, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Recipients {
    /// Reads public keys: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`.
    ///
    /// # Errors
    /// When there is none, or one is of another kind or damaged.
    pub fn parse(keys: &[String]) -> Result<Self, WrongRecipient> {
        if keys.is_empty() {
            let reason = "there is none";
            return Err(WrongRecipient { index: 0, reason });
        }
        let parsed = keys.iter().enumerate().map(|(index, key)| {
            recipient(key.trim()).map_err(|reason| WrongRecipient { index, reason })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// Seals a password, with a line break after it, into an armored age file.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn seal(&self, password: &SecretString) -> io::Result<Vec<u8>> {
        let recipients = self.0.iter().map(|recipient| recipient.as_ref() as _);
        let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armored)?;
        writer.write_all(password.expose_secret().as_bytes())?;
        writer.write_all(b"\n")?;
        writer.finish()?.finish()
    }
}

fn recipient(key: &str) -> Result<Box<dyn age::Recipient + Send + Sync>, &'static str> {
    if key.starts_with("age1") {
        let parsed = key.parse::<x25519::Recipient>();
        return match parsed {
            Ok(recipient) => Ok(Box::new(recipient)),
            Err(_) => Err("it is no X25519 recipient, or is mistyped"),
        };
    }
    match key.parse::<ssh::Recipient>() {
        Ok(recipient) => Ok(Box::new(recipient)),
        Err(ssh::ParseRecipientKeyError::RsaModulusTooSmall) => {
            Err("RSA keys of less than 2048 bits are too weak")
        }
        Err(ssh::ParseRecipientKeyError::RsaModulusTooLarge) => Err("the RSA key is too long"),
        Err(ssh::ParseRecipientKeyError::Unsupported(_)) => {
            Err("age seals to ssh-ed25519 and ssh-rsa keys only")
        }
        Err(_) => Err("it is no SSH public key, or is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "abcdef-GHJKMN";

    fn seal(keys: &[&str]) -> Vec<u8> {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let recipients = Recipients::parse(&keys).unwrap();
        recipients.seal(&SecretString::from(PASSWORD)).unwrap()
    }

    #[test]
    fn each_recipient_opens_the_armored_file_and_nobody_else() {
        let (ann, ben, eve) = (
            x25519::Identity::generate(),
            x25519::Identity::generate(),
            x25519::Identity::generate(),
        );
        let sealed = seal(&[&ann.to_public().to_string(), &ben.to_public().to_string()]);
        assert!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!String::from_utf8_lossy(&sealed).contains(PASSWORD));
        let expected = format!("{PASSWORD}\n").into_bytes();
        assert_eq!(age::decrypt(&ann, &sealed).unwrap(), expected);
        assert_eq!(age::decrypt(&ben, &sealed).unwrap(), expected);
        assert!(age::decrypt(&eve, &sealed).is_err());
    }

    /// A key pair made for this test by `ssh-keygen -t ed25519`, the private half without the lines around it.
    const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINeEFw1v2RXsComyV00F1UKznrKkVvOWM39pC9Bxnmkc custodian";
    const PRIVATE: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDXhBcNb9kV7AqJsldNBdVCs56ypFbzljN/aQvQcZ5pHAAAAJBk/uqYZP7q
mAAAAAtzc2gtZWQyNTUxOQAAACDXhBcNb9kV7AqJsldNBdVCs56ypFbzljN/aQvQcZ5pHA
AAAED5dMTBjb0MeFSGJZ8cVjG7AOcC3Z86L8lFFf7PKDcefdeEFw1v2RXsComyV00F1UKz
nrKkVvOWM39pC9BxnmkcAAAACWN1c3RvZGlhbgECAwQ=";

    #[test]
    fn an_ssh_key_opens_the_file() {
        let sealed = seal(&[PUBLIC]);
        let around = |end: &str| format!("-----{end} OPENSSH PRIVATE KEY-----");
        let file = format!("{}\n{PRIVATE}\n{}\n", around("BEGIN"), around("END"));
        let identity = ssh::Identity::from_buffer(file.as_bytes(), None).unwrap();
        let opened = age::decrypt(&identity, &sealed).unwrap();
        assert_eq!(opened, format!("{PASSWORD}\n").into_bytes());
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let good = x25519::Identity::generate().to_public().to_string();
        let mistyped = good.replacen("age1", "age1q", 1);
        for (keys, index) in [
            (vec![], 0),
            (vec![mistyped], 0),
            (vec![good.clone(), "ssh-ed25519 AAAA".to_owned()], 1),
            (
                vec![
                    good.clone(),
                    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=".to_owned(),
                ],
                1,
            ),
        ] {
            assert_eq!(Recipients::parse(&keys).err().unwrap().index, index);
        }
    }
}
