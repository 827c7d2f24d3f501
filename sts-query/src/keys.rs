//! Key files, opened without anybody to ask.

use std::path::{Path, PathBuf};

use sts_harness::input::{InputError, Warning};
use sts_harness::keys::{KeyRing, Unlock, others_can_read};
use sts_harness::zeroize::Zeroizing;

/// What opens a sealed key file: a file of 32 bytes, or one whose first line is a passphrase.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever has the files")]
pub struct SecretFiles {
    /// The key-encryption key.
    pub kek: Option<PathBuf>,
    /// The passphrase.
    pub passphrase: Option<PathBuf>,
}

impl SecretFiles {
    /// The keys of a file, and what a user should know of them.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, wrong, or sealed under something else.
    pub fn open(&self, keys: &Path) -> Result<(KeyRing, Vec<Warning>), InputError> {
        let mut unlock = Opening { files: self, refusal: None, warnings: Vec::new() };
        let ring = KeyRing::load(keys, &mut unlock)?;
        let warnings = ring.warnings.iter().cloned().chain(unlock.warnings).collect();
        Ok((ring, warnings))
    }
}

struct Opening<'a> {
    files: &'a SecretFiles,
    refusal: Option<String>,
    warnings: Vec<Warning>,
}

impl Opening<'_> {
    fn read(&mut self, path: Option<&Path>) -> Option<Zeroizing<Vec<u8>>> {
        let path = path?;
        self.warnings.extend(others_can_read(path));
        match std::fs::read(path) {
            Ok(bytes) => Some(Zeroizing::new(bytes)),
            Err(error) => {
                self.refusal = Some(format!("{}: cannot be read: {error}", path.display()));
                None
            }
        }
    }
}

impl Unlock for Opening<'_> {
    fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
        let path = self.files.passphrase.as_deref()?;
        let bytes = self.read(Some(path))?;
        let line = std::str::from_utf8(&bytes).ok().and_then(|text| text.lines().next());
        if line.is_none_or(str::is_empty) {
            let path = path.display();
            self.refusal =
                Some(format!("{path}: expected a passphrase in UTF-8 on its first line"));
            return None;
        }
        line.map(|line| Zeroizing::new(line.to_owned()))
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.read(self.files.kek.as_deref())
    }

    fn refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }

    fn warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }
}
