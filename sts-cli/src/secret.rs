//! Secrets: read from files, descriptors and, at a terminal, from who sits there. Never from
//! arguments or the environment.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use sts_harness::input::{InputError, Place, Warning};
use sts_harness::keys::{Unlock, others_can_read};
use sts_harness::zeroize::Zeroizing;

use crate::args::{KeyArgs, NewSealArgs, UnlockArgs};
use crate::exit::Failure;

/// Longer than any secret, and than any mistake that should be read to its end.
const MOST: usize = 64 * 1024;

/// Characters of a passphrase below which its owner is warned.
const SHORT: usize = 12;

/// Opens sealed keys with what the command line names; at a terminal it asks for a passphrase.
/// Nothing is read or asked for before it is needed.
pub(crate) struct FromFiles {
    kek_file: Option<PathBuf>,
    passphrase_from: Option<From>,
    /// Kept: a descriptor can be read once.
    passphrase: Option<Zeroizing<String>>,
    /// A passphrase that is asked for is a new one, asked for twice; what names one instead.
    new: Option<&'static str>,
    refusal: Option<String>,
    warnings: Vec<Warning>,
}

/// Where a secret comes from.
#[derive(Clone)]
enum From {
    File(PathBuf),
    Descriptor(u32),
}

impl FromFiles {
    pub(crate) fn new(args: &KeyArgs) -> Self {
        Self::with(&args.unlock)
    }

    pub(crate) fn with(args: &UnlockArgs) -> Self {
        Self::of(&args.kek_file, &args.passphrase_file, args.passphrase_fd, None)
    }

    /// With what new seals are made under.
    pub(crate) fn renewed(args: &NewSealArgs) -> Self {
        let new = Some("--new-kek-file or --new-passphrase-file");
        Self::of(&args.new_kek_file, &args.new_passphrase_file, args.new_passphrase_fd, new)
    }

    fn of(
        kek_file: &Option<PathBuf>,
        passphrase_file: &Option<PathBuf>,
        passphrase_fd: Option<u32>,
        new: Option<&'static str>,
    ) -> Self {
        // The file may be a default, the descriptor is an argument.
        let passphrase_from =
            passphrase_fd.map(From::Descriptor).or(passphrase_file.clone().map(From::File));
        Self {
            kek_file: kek_file.clone(),
            passphrase_from,
            passphrase: None,
            new,
            refusal: None,
            warnings: Vec::new(),
        }
    }

    /// The same, for the first key that is sealed in a file.
    pub(crate) const fn first(mut self) -> Self {
        self.new = Some("--kek-file or --passphrase-file");
        self
    }

    /// Whether it has a key-encryption key.
    pub(crate) const fn has_kek(&self) -> bool {
        self.kek_file.is_some()
    }

    fn file(&mut self, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.warnings.extend(others_can_read(path));
        from_file(path)
    }

    fn find_passphrase(&mut self, file: &str) -> Result<Option<Zeroizing<String>>, Failure> {
        match self.passphrase_from.clone() {
            Some(From::File(path)) => {
                first_line(&path.display().to_string(), &self.file(&path)?).map(Some)
            }
            Some(From::Descriptor(fd)) => {
                first_line(&format!("descriptor {fd}"), &from_descriptor(fd)?).map(Some)
            }
            None => match self.new {
                None => ask(&format!("Passphrase of {file}")),
                Some(instead) => {
                    let asked = ask_twice(&format!("New passphrase for {file}"))?;
                    let problem = format!(
                        "a new passphrase is asked for at a terminal, and there is none; give {instead}"
                    );
                    asked.map(Some).ok_or_else(|| InputError::other("", &problem).into())
                }
            },
        }
    }
}

impl Unlock for FromFiles {
    fn passphrase(&mut self, file: &str) -> Option<Zeroizing<String>> {
        if self.passphrase.is_none() {
            match self.find_passphrase(file) {
                Ok(given) => {
                    self.passphrase = given.filter(|given| !given.is_empty());
                    let length = self.passphrase.as_ref().map(|given| given.chars().count());
                    if self.new.is_some() && length.is_some_and(|length| length < SHORT) {
                        let problem = format!(
                            "a passphrase of fewer than {SHORT} characters may be guessed by who gets the file"
                        );
                        self.warnings.push(Warning::new(Place::file(file), problem));
                    }
                }
                Err(failure) => self.refusal = Some(failure.to_string()),
            }
        }
        self.passphrase.clone()
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        let path = self.kek_file.clone()?;
        self.file(&path).map_err(|failure| self.refusal = Some(failure.to_string())).ok()
    }

    fn refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }

    fn warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }
}

/// What a file holds; `-` is standard input.
pub(crate) fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path == Path::new("-") {
        return from_descriptor(0);
    }
    let file = std::fs::File::open(path);
    whole(&path.display().to_string(), file)
}

/// What comes from a descriptor that the caller left open.
pub(crate) fn from_descriptor(fd: u32) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = format!("descriptor {fd}");
    if fd == 0 {
        return whole("standard input", Ok(std::io::stdin()));
    }
    if cfg!(unix) {
        whole(&name, std::fs::File::open(format!("/dev/fd/{fd}")))
    } else {
        Err(InputError::unreadable(&name, "only 0 can be read here").with_keys_at_fault().into())
    }
}

fn whole(name: &str, from: std::io::Result<impl Read>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fault =
        |why: String| Failure::from(InputError::unreadable(name, &why).with_keys_at_fault());
    // Room for all of it from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 1));
    from.and_then(|from| from.take(MOST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(error.to_string()))?;
    if bytes.len() > MOST {
        return Err(fault(format!("more than {MOST} bytes, expected a secret")));
    }
    Ok(bytes)
}

/// The first line of what was read.
pub(crate) fn first_line(name: &str, bytes: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let fault = |problem| Failure::from(InputError::other(name, problem).with_keys_at_fault());
    let text = std::str::from_utf8(bytes).map_err(|_| fault("is not UTF-8, expected text"))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(fault("is empty, expected a first line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// What is typed at the terminal, unseen; `None` where nobody sits at one.
pub(crate) fn ask(question: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let answer = rpassword::prompt_password(format!("{question}: "));
    answer.map(|answer| Some(Zeroizing::new(answer))).map_err(|error| {
        InputError::unreadable("the terminal", &error.to_string()).with_keys_at_fault().into()
    })
}

/// The same, typed twice.
pub(crate) fn ask_twice(question: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(first) = ask(question)? else { return Ok(None) };
    let second = ask("The same again")?.unwrap_or_default();
    if *first == *second {
        Ok(Some(first))
    } else {
        let problem = "what was typed differs from what was typed before; nothing was changed";
        Err(InputError::other("", problem).with_keys_at_fault().into())
    }
}
