//! Key files: test keys in clear, every other key sealed.
//!
//! A sealed record holds its key under AES-256-GCM-SIV, with every other field of the record as
//! associated data, so that no attribute can be changed. Keys are never shown: messages name the
//! record's `id` and line, and `Debug` prints no key.

mod edit;

use std::fmt;
use std::path::Path;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, MeterPan, SupplyGroupCode, TariffIndex, VendingKey,
};
use toml::Spanned;
use zeroize::Zeroizing;

use crate::input::{InputError, Place, Warning};
use crate::records;
use crate::time::Zone;

pub use edit::{Added, NewKey, add, create, fresh_kek, rotate, save};

/// What a key may be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// A key that opens nothing of value; may be in clear, and may make tokens.
    Test,
    /// A key for verifying; always sealed.
    Verify,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Test => "test",
            Self::Verify => "verify",
        })
    }
}

/// Which table of a key file a record stands in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the file has these two")]
pub enum Kind {
    /// `[[vending_key]]`: a supply group's, from which those of meters are derived.
    Vending,
    /// `[[decoder_key]]`: one meter's.
    Decoder,
}

impl Kind {
    /// The name of the table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Vending => "vending_key",
            Self::Decoder => "decoder_key",
        }
    }
}

/// What a record says beside its key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct About {
    /// Its table.
    pub kind: Kind,
    /// Its name in reports.
    pub id: String,
    /// What it may be used for.
    pub purpose: Purpose,
    /// Whether the key stands in the file in clear.
    pub in_clear: bool,
    /// The meter of a decoder key.
    pub pan: Option<MeterPan>,
    /// Encryption algorithm of a decoder key.
    pub ea: Option<EncryptionAlgorithm>,
    /// Supply group code.
    pub sgc: Option<SupplyGroupCode>,
    /// Key revision number.
    pub krn: Option<KeyRevisionNumber>,
    /// Tariff index of a decoder key.
    pub ti: Option<TariffIndex>,
    /// Key type.
    pub kt: Option<KeyType>,
    /// How decoder keys are derived from a vending key.
    pub dkga: Option<KeyDerivation>,
    /// Base date.
    pub base_date: Option<BaseDate>,
    /// Key expiry number.
    pub ken: Option<KeyExpiryNumber>,
    /// Zone in which TIDs are counted.
    pub tid_zone: Option<String>,
    /// The key's fingerprint, where the key is open.
    pub fingerprint: Option<[u8; 3]>,
    /// The record's line.
    pub line: u64,
}

/// A vending key and what it is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VendingEntry {
    /// Its name in reports.
    pub id: String,
    /// What it may be used for.
    pub purpose: Purpose,
    /// Whether it stood in the file in clear.
    pub in_clear: bool,
    /// Supply group code.
    pub sgc: SupplyGroupCode,
    /// Key revision number.
    pub krn: KeyRevisionNumber,
    /// Key type.
    pub kt: KeyType,
    /// Base date.
    pub base_date: BaseDate,
    /// Key expiry number.
    pub ken: KeyExpiryNumber,
    /// Zone in which TIDs are counted; UTC when absent.
    pub tid_zone: Option<Zone>,
    /// The key.
    pub key: VendingKey,
    /// The record's line.
    pub line: u64,
}

impl VendingEntry {
    /// Whether tokens may be made with it: a test key in clear.
    #[must_use]
    pub fn may_issue(&self) -> bool {
        self.purpose == Purpose::Test && self.in_clear
    }
}

/// A meter's own key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecoderEntry {
    /// Its name in reports.
    pub id: String,
    /// What it may be used for.
    pub purpose: Purpose,
    /// Whether it stood in the file in clear.
    pub in_clear: bool,
    /// The meter.
    pub pan: MeterPan,
    /// Encryption algorithm.
    pub ea: EncryptionAlgorithm,
    /// Supply group code, where known.
    pub sgc: Option<SupplyGroupCode>,
    /// Key revision number, where known.
    pub krn: Option<KeyRevisionNumber>,
    /// Tariff index, where known.
    pub ti: Option<TariffIndex>,
    /// Key type, where known.
    pub kt: Option<KeyType>,
    /// Base date, where known.
    pub base_date: Option<BaseDate>,
    /// Key expiry number, where known.
    pub ken: Option<KeyExpiryNumber>,
    /// Zone in which TIDs are counted; UTC when absent.
    pub tid_zone: Option<Zone>,
    /// The key.
    pub key: DecoderKey,
    /// The record's line.
    pub line: u64,
}

/// The keys of a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyRing {
    /// Vending keys, in the order of the file.
    pub vending: Vec<VendingEntry>,
    /// Decoder keys, in the order of the file.
    pub decoders: Vec<DecoderEntry>,
    /// What the records say, vending keys first.
    pub about: Vec<About>,
    /// What a user should know.
    pub warnings: Vec<Warning>,
}

impl KeyRing {
    /// What two holders of keys compare, to know that they would say the same of every token: eight
    /// bytes over the attributes of the keys and their fingerprints, in the order of the file. It
    /// tells no more of a key than its fingerprint does.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let mut digest = Sha256::new();
        for entry in &self.vending {
            let VendingEntry { id, sgc, krn, kt, base_date, ken, tid_zone, key, .. } = entry;
            let key = (key.dkga(), key.fingerprint());
            digest.update(format!("{:?}\n", (id, sgc, krn, kt, base_date, ken, tid_zone, key)));
        }
        for entry in &self.decoders {
            let DecoderEntry { id, pan, ea, sgc, krn, ti, kt, base_date, ken, tid_zone, .. } =
                entry;
            let attributes = (sgc, krn, ti, kt, base_date, ken, tid_zone);
            let key = entry.key.fingerprint();
            digest.update(format!("{:?}\n", (id, pan.as_str(), ea, attributes, key)));
        }
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        [a, b, c, d, e, f, g, h]
    }
}

/// Opens sealed records.
pub trait Unlock {
    /// The passphrase of a file; `None` where none is given.
    fn passphrase(&mut self, file: &str) -> Option<Zeroizing<String>>;
    /// The 32-byte key-encryption key of a file; `None` where none is given.
    fn key_encryption_key(&mut self, file: &str) -> Option<Zeroizing<Vec<u8>>>;
    /// Why one of them was none, where there is more to say than that none was given.
    fn refusal(&mut self) -> Option<String> {
        None
    }
    /// What a user should know of where these came from.
    fn warnings(&mut self) -> Vec<Warning> {
        Vec::new()
    }
}

/// Opens nothing.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "nothing to it")]
pub struct Locked;

impl Unlock for Locked {
    fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    schema: Option<Spanned<u32>>,
    seal: Option<Spanned<RawSeal>>,
    #[serde(default)]
    vending_key: Vec<Spanned<RawKey>>,
    #[serde(default)]
    decoder_key: Vec<Spanned<RawKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeal {
    kdf: Spanned<String>,
    salt: Option<Spanned<String>>,
    memory_kib: Option<Spanned<u32>>,
    iterations: Option<Spanned<u32>>,
    parallelism: Option<Spanned<u32>>,
}

/// A record of either kind. Optional throughout, so that messages can name what is missing.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    id: Option<Spanned<String>>,
    purpose: Option<Spanned<String>>,
    pan: Option<Spanned<String>>,
    ea: Option<Spanned<String>>,
    sgc: Option<Spanned<String>>,
    krn: Option<Spanned<i64>>,
    ti: Option<Spanned<String>>,
    kt: Option<Spanned<i64>>,
    dkga: Option<Spanned<String>>,
    base_date: Option<Spanned<i64>>,
    ken: Option<Spanned<i64>>,
    tid_zone: Option<Spanned<String>>,
    key: Option<Spanned<Zeroizing<String>>>,
    sealed: Option<Spanned<String>>,
}

impl RawKey {
    /// Every field but the key, and the salt that ties the record to its file, in a form that no two
    /// different records share.
    fn associated_data(&self, kind: &str, salt: Option<&[u8]>) -> Vec<u8> {
        let text =
            |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
        let number =
            |value: &Option<Spanned<i64>>| value.as_ref().map(|value| value.get_ref().to_string());
        let fields = [
            ("id", text(&self.id)),
            ("purpose", text(&self.purpose)),
            ("pan", text(&self.pan)),
            ("ea", text(&self.ea)),
            ("sgc", text(&self.sgc)),
            ("krn", number(&self.krn)),
            ("ti", text(&self.ti)),
            ("kt", number(&self.kt)),
            ("dkga", text(&self.dkga)),
            ("base_date", number(&self.base_date)),
            ("ken", number(&self.ken)),
            ("tid_zone", text(&self.tid_zone)),
            ("salt", salt.map(hex::encode)),
        ];
        let mut data = format!("sts-key-file 1\n{kind}\n").into_bytes();
        for (name, value) in fields {
            if let Some(value) = value {
                data.extend(format!("{name} {} {value}\n", value.len()).into_bytes());
            }
        }
        data
    }
}

impl RawFile {
    fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        let raw: Self =
            toml::from_str(text).map_err(|error| key_safe(InputError::toml(name, text, &error)))?;
        match &raw.schema {
            Some(schema) if *schema.get_ref() != 1 => {
                let place = Place::field(name, Place::line_of(text, schema.span().start), "schema");
                Err(InputError::new(place, format!("{}, expected 1", schema.get_ref())))
            }
            _ => Ok(raw),
        }
    }

    fn has_sealed(&self) -> bool {
        let records = self.vending_key.iter().chain(&self.decoder_key);
        records.into_iter().any(|record| record.get_ref().sealed.is_some())
    }

    /// How the file is sealed.
    fn seal(&self, name: &str, text: &str) -> Result<Option<Seal>, InputError> {
        let Some(seal) = &self.seal else { return Ok(None) };
        Seal::from_raw(seal.get_ref()).map(Some).map_err(|problem| {
            let line = Place::line_of(text, seal.span().start);
            InputError::new(Place::field(name, line, "seal"), without_keys(&problem))
        })
    }
}

/// How the keys of a file are sealed: its table `[seal]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Seal {
    /// Under the 32 bytes of a key-encryption-key file. The salt ties records to their file, which
    /// may share its key-encryption key with others.
    KeyFile {
        /// 16 to 64 bytes; absent in files of early versions.
        salt: Option<Vec<u8>>,
    },
    /// Under a key that Argon2id makes of a passphrase.
    Passphrase(Argon2id),
}

impl Seal {
    /// Under a key-encryption-key file, with a random salt.
    ///
    /// # Errors
    ///
    /// Where the system gives no random bytes.
    pub fn key_file() -> Result<Self, String> {
        Ok(Self::KeyFile { salt: Some(random(16)?.to_vec()) })
    }

    /// Under a passphrase, with a random salt and the usual cost.
    ///
    /// # Errors
    ///
    /// Where the system gives no random bytes.
    pub fn passphrase() -> Result<Self, String> {
        Argon2id::fresh().map(Self::Passphrase)
    }

    /// How the file of this name and text is sealed; `None` where it has no table `[seal]`. Whether
    /// any of its keys is sealed so far.
    ///
    /// # Errors
    ///
    /// [`InputError`], which never shows a key.
    pub fn of(name: &str, text: &str) -> Result<(Option<Self>, bool), InputError> {
        let raw = RawFile::parse(name, text)?;
        Ok((raw.seal(name, text)?, raw.has_sealed()))
    }

    fn from_raw(raw: &RawSeal) -> Result<Self, String> {
        match raw.kdf.get_ref().as_str() {
            "file" => {
                let salt = raw.salt.as_ref().map(|salt| salt_bytes(salt.get_ref())).transpose()?;
                Ok(Self::KeyFile { salt })
            }
            "argon2id" => Argon2id::from_raw(raw).map(Self::Passphrase),
            other => Err(format!("kdf {other:?}, expected argon2id or file")),
        }
    }

    fn opener(&self, name: &str, unlock: &mut dyn Unlock) -> Result<Opener, InputError> {
        let locked = |problem: &str| InputError::other(name, problem).with_keys_at_fault();
        let or = |problem: Option<String>, what: &str, hint: &str| match problem {
            Some(problem) => locked(&problem),
            None => locked(&format!("the keys are locked; {what}")).with_hint(hint),
        };
        match self {
            Self::KeyFile { salt } => {
                let Some(kek) = unlock.key_encryption_key(name) else {
                    let what = "name the file with their key-encryption key";
                    return Err(or(unlock.refusal(), what, "--kek-file FILE"));
                };
                if kek.len() == KEK {
                    Ok(Opener { kek, salt: salt.clone() })
                } else {
                    let length = kek.len();
                    Err(locked(&format!("a key-encryption key of {length} bytes, expected {KEK}")))
                }
            }
            Self::Passphrase(kdf) => {
                let Some(passphrase) = unlock.passphrase(name) else {
                    let what = "give their passphrase";
                    return Err(or(unlock.refusal(), what, "--passphrase-file FILE"));
                };
                let kek =
                    kdf.derive(&passphrase).map_err(|problem| InputError::other(name, &problem))?;
                Ok(Opener { kek, salt: None })
            }
        }
    }
}

/// What opens and seals the records of one file.
struct Opener {
    kek: Zeroizing<Vec<u8>>,
    salt: Option<Vec<u8>>,
}

impl Opener {
    fn cipher(&self) -> Result<Aes256GcmSiv, String> {
        Aes256GcmSiv::new_from_slice(&self.kek)
            .map_err(|_| format!("expected a key of {KEK} bytes"))
    }

    /// The value of `sealed`.
    fn seal(&self, raw: &RawKey, kind: &str, key: &[u8]) -> Result<String, String> {
        let nonce = random(NONCE)?;
        let data = raw.associated_data(kind, self.salt.as_deref());
        let payload = Payload { msg: key, aad: &data };
        let array: [u8; NONCE] = nonce.as_slice().try_into().map_err(|_| "nonce")?;
        let ciphertext = self
            .cipher()?
            .encrypt(&Nonce::from(array), payload)
            .map_err(|_| "the key could not be sealed")?;
        Ok(hex::encode([nonce.as_slice(), &ciphertext].concat()))
    }

    fn open(&self, raw: &RawKey, kind: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let blob = hex::decode(sealed).map_err(|_| "expected hexadecimal digits")?;
        let (nonce, ciphertext) =
            blob.split_at_checked(NONCE).ok_or("too short for a sealed key")?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| "nonce")?;
        let data = raw.associated_data(kind, self.salt.as_deref());
        let payload = Payload { msg: ciphertext, aad: &data };
        self.cipher()?.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| {
            "does not open: the passphrase or key-encryption key is another, or the record was changed or is of another file".to_owned()
        })
    }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    opener: Option<&'a Opener>,
}

impl KeyRing {
    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// [`InputError`], which never shows a key.
    pub fn load(path: &Path, unlock: &mut dyn Unlock) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            InputError::unreadable(&name, &error.to_string()).with_keys_at_fault()
        })?;
        let text = Zeroizing::new(text);
        let mut ring = Self::parse(&name, &text, unlock)?;
        ring.check_permissions(path);
        Ok(ring)
    }

    /// Files of clear test keys are examples; any other is for its owner alone.
    fn check_permissions(&mut self, path: &Path) {
        if self.about.iter().any(|about| !about.in_clear || about.purpose != Purpose::Test) {
            self.warnings.extend(others_can_read(path));
        }
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    ///
    /// [`InputError`], which never shows a key.
    pub fn parse(name: &str, text: &str, unlock: &mut dyn Unlock) -> Result<Self, InputError> {
        let raw = RawFile::parse(name, text)?;
        let opener = match raw.seal(name, text)? {
            _ if !raw.has_sealed() => None,
            Some(seal) => Some(seal.opener(name, unlock)?),
            None => {
                let problem = "sealed keys need a table [seal] that says how, found none";
                return Err(InputError::other(name, problem));
            }
        };
        let mut ring = Self::read(name, text, &raw, opener.as_ref())?;
        ring.warnings.extend(unlock.warnings());
        Ok(ring)
    }

    /// What the records of a key file say, without unlocking it.
    ///
    /// # Errors
    ///
    /// [`InputError`], which never shows a key.
    pub fn list(name: &str, text: &str) -> Result<Vec<About>, InputError> {
        let raw = RawFile::parse(name, text)?;
        let reader = Reader { name, text, opener: None };
        let vending = raw.vending_key.iter().map(|record| (Kind::Vending, record));
        let decoders = raw.decoder_key.iter().map(|record| (Kind::Decoder, record));
        let about = |(kind, record): (Kind, &Spanned<RawKey>)| {
            if record.get_ref().sealed.is_some() {
                return reader.about(record, kind);
            }
            let mut ring = Self::default();
            match kind {
                Kind::Vending => drop(reader.vending(record, &mut ring)?),
                Kind::Decoder => drop(reader.decoder(record, &mut ring)?),
            }
            ring.about.pop().ok_or_else(|| InputError::other(name, "holds no key"))
        };
        let all: Vec<About> = vending.chain(decoders).map(about).collect::<Result<_, _>>()?;
        check_places(name, &all)?;
        Ok(all)
    }

    fn read(
        name: &str,
        text: &str,
        raw: &RawFile,
        opener: Option<&Opener>,
    ) -> Result<Self, InputError> {
        let reader = Reader { name, text, opener };
        let mut ring = Self::default();
        for record in &raw.vending_key {
            let entry = reader.vending(record, &mut ring)?;
            ring.vending.push(entry);
        }
        for record in &raw.decoder_key {
            let entry = reader.decoder(record, &mut ring)?;
            ring.decoders.push(entry);
        }
        check_places(name, &ring.about)?;
        Ok(ring)
    }

    /// The place of a record in the file, by its id.
    #[must_use]
    pub fn position(&self, id: &str) -> u64 {
        self.about.iter().find(|about| about.id == id).map_or(0, |about| about.line)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vending.is_empty() && self.decoders.is_empty()
    }
}

/// One record for each id, and one vending key for what it is looked up by.
fn check_places(name: &str, all: &[About]) -> Result<(), InputError> {
    let looked_up = |about: &About| match about {
        About { kind: Kind::Vending, sgc: Some(sgc), krn: Some(krn), .. } => {
            about.kt.zip(about.base_date).map(|(kt, base)| (*sgc, *krn, kt, base))
        }
        _ => None,
    };
    for (place, about) in all.iter().enumerate() {
        let before = all.get(..place).unwrap_or_default();
        let problem = if let Some(other) = before
            .iter()
            .find(|other| looked_up(about).is_some() && looked_up(other) == looked_up(about))
        {
            format!(
                "{} and {} are for the same SGC, KRN, key type and base date, expected one key",
                other.id, about.id
            )
        } else if before.iter().any(|other| other.id == about.id) {
            format!("id {:?} stands twice, expected once", about.id)
        } else {
            continue;
        };
        return Err(InputError::new(Place::line(name, about.line), without_keys(&problem)));
    }
    Ok(())
}

/// What to know of a file that others than its owner can read.
#[must_use]
pub fn others_can_read(path: &Path) -> Option<Warning> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o077 != 0).then(|| {
            let problem = "others can read this file; take the permission away (chmod 600)";
            Warning::new(Place::file(&path.display().to_string()), problem)
        })
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Digits of the shortest key.
const KEY_DIGITS: usize = 16;

/// A message with every run of hexadecimal digits that is long enough for a key left out: a key
/// may stand where a name or another field belongs.
#[must_use]
pub fn without_keys(problem: &str) -> String {
    let mut kept = String::new();
    let mut rest = problem;
    while !rest.is_empty() {
        let is_digit = |c: char| c.is_ascii_hexdigit();
        let run = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(run);
        kept.push_str(if run < KEY_DIGITS { digits } else { "…" });
        let next = after.find(is_digit).unwrap_or(after.len());
        let (words, after) = after.split_at(next);
        kept.push_str(words);
        rest = after;
    }
    kept
}

/// A message that could repeat a value is replaced: the value may be a key.
fn key_safe(mut error: InputError) -> InputError {
    if error.problem.contains("invalid type") || error.problem.contains("invalid value") {
        let expected = error.problem.split("expected").nth(1).unwrap_or(" another type");
        error.problem = format!("a value of the wrong type, expected{expected}");
    }
    error.problem = without_keys(&error.problem);
    error.excerpt = None;
    error
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> u64 {
        Place::line_of(self.text, offset)
    }

    fn error(&self, offset: usize, field: &str, problem: impl Into<String>) -> InputError {
        let line = self.line(offset);
        let place = if field.is_empty() {
            Place::line(self.name, line)
        } else {
            Place::field(self.name, line, field)
        };
        InputError::new(place, without_keys(&problem.into()))
    }

    /// A text field through a parser.
    fn text<T>(
        &self,
        field: &str,
        value: &Option<Spanned<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, InputError> {
        let Some(value) = value else { return Ok(None) };
        parse(value.get_ref())
            .map(Some)
            .map_err(|problem| self.error(value.span().start, field, problem))
    }

    fn number<T>(
        &self,
        field: &str,
        value: &Option<Spanned<i64>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, InputError> {
        let Some(value) = value else { return Ok(None) };
        parse(&value.get_ref().to_string())
            .map(Some)
            .map_err(|problem| self.error(value.span().start, field, problem))
    }

    fn required<T>(
        &self,
        record: &Spanned<RawKey>,
        field: &str,
        value: Option<T>,
    ) -> Result<T, InputError> {
        value.ok_or_else(|| {
            self.error(record.span().start, field, "is missing, expected in every such record")
        })
    }

    fn id_and_purpose(&self, record: &Spanned<RawKey>) -> Result<(String, Purpose), InputError> {
        let raw = record.get_ref();
        let id = self.text("id", &raw.id, |id| {
            if id.trim().is_empty() {
                Err("is empty, expected a name".into())
            } else {
                Ok(id.to_owned())
            }
        })?;
        let id = self.required(record, "id", id)?;
        let purpose = self.text("purpose", &raw.purpose, |purpose| match purpose {
            "test" => Ok(Purpose::Test),
            "verify" => Ok(Purpose::Verify),
            other => Err(format!("{other:?}, expected test or verify")),
        })?;
        Ok((id, self.required(record, "purpose", purpose)?))
    }

    fn refuse(
        &self,
        record: &Spanned<RawKey>,
        fields: &[(&str, bool)],
        kind: &str,
    ) -> Result<(), InputError> {
        match fields.iter().find(|(_, present)| *present) {
            Some((field, _)) => Err(self.error(
                record.span().start,
                field,
                format!("is no field of a {kind}, expected it left out"),
            )),
            None => Ok(()),
        }
    }

    /// What a record says, as far as it does.
    fn about(&self, record: &Spanned<RawKey>, kind: Kind) -> Result<About, InputError> {
        let raw = record.get_ref();
        let foreign = match kind {
            Kind::Vending => {
                &[("pan", raw.pan.is_some()), ("ea", raw.ea.is_some()), ("ti", raw.ti.is_some())][..]
            }
            Kind::Decoder => &[("dkga", raw.dkga.is_some())],
        };
        self.refuse(record, foreign, kind.table())?;
        let (id, purpose) = self.id_and_purpose(record)?;
        let krn = self.number("krn", &raw.krn, |text| match records::parse_krn(text) {
            Ok(krn) if krn.get() > 0 || kind == Kind::Decoder => Ok(krn),
            _ => Err(format!("{text}, expected a key revision number of 1 to 9")),
        })?;
        let dkga = self.text("dkga", &raw.dkga, |text| {
            KeyDerivation::from_code(text)
                .ok_or_else(|| format!("{text:?}, expected one of 01, 02, 03, 04"))
        })?;
        self.text("tid_zone", &raw.tid_zone, Zone::parse)?;
        Ok(About {
            kind,
            id,
            purpose,
            in_clear: raw.key.is_some(),
            pan: self.text("pan", &raw.pan, records::meter_pan)?,
            ea: self.text("ea", &raw.ea, records::parse_ea)?,
            sgc: self.text("sgc", &raw.sgc, records::parse_sgc)?,
            krn,
            ti: self.text("ti", &raw.ti, records::parse_ti)?,
            kt: self.number("kt", &raw.kt, records::parse_kt)?,
            dkga,
            base_date: self.number("base_date", &raw.base_date, records::parse_base_date)?,
            ken: self.number("ken", &raw.ken, records::parse_ken)?,
            tid_zone: raw.tid_zone.as_ref().map(|zone| zone.get_ref().clone()),
            fingerprint: None,
            line: self.line(record.span().start),
        })
    }

    /// A vending key; the ring gets what its record says, and warnings.
    fn vending(
        &self,
        record: &Spanned<RawKey>,
        ring: &mut KeyRing,
    ) -> Result<VendingEntry, InputError> {
        let raw = record.get_ref();
        let mut about = self.about(record, Kind::Vending)?;
        let sgc = self.required(record, "sgc", about.sgc)?;
        let krn = self.required(record, "krn", about.krn)?;
        let kt = self.required(record, "kt", about.kt)?;
        let dkga = self.required(record, "dkga", about.dkga)?;
        let base_date = self.required(record, "base_date", about.base_date)?;
        let bytes = self.key_bytes(record, &about, dkga.key_length())?;
        let key = VendingKey::from_bytes(dkga, &bytes)
            .map_err(|error| self.error(record.span().start, "key", error.to_string()))?;
        let id = about.id.clone();
        let mut warn = |problem: String| {
            let place = Place::line(self.name, about.line);
            ring.warnings.push(Warning::new(place, without_keys(&problem)));
        };
        if key.has_even_parity() {
            warn(format!(
                "key {id} has a byte of even parity; sources differ on such keys, it is used as given"
            ));
        }
        if dkga.is_unverified() {
            warn(format!("key {id}: no published value confirms DKGA{}", dkga.code()));
        }
        about.fingerprint = Some(key.fingerprint());
        let entry = VendingEntry {
            id,
            purpose: about.purpose,
            in_clear: about.in_clear,
            sgc,
            krn,
            kt,
            base_date,
            ken: about.ken.unwrap_or(KeyExpiryNumber::NEVER),
            tid_zone: self.text("tid_zone", &raw.tid_zone, Zone::parse)?,
            key,
            line: about.line,
        };
        ring.about.push(about);
        Ok(entry)
    }

    /// A decoder key; the ring gets what its record says.
    fn decoder(
        &self,
        record: &Spanned<RawKey>,
        ring: &mut KeyRing,
    ) -> Result<DecoderEntry, InputError> {
        let raw = record.get_ref();
        let mut about = self.about(record, Kind::Decoder)?;
        let pan = self.required(record, "pan", about.pan)?;
        let ea = self.required(record, "ea", about.ea)?;
        let bytes = self.key_bytes(record, &about, ea.key_length())?;
        let key = DecoderKey::from_bytes(ea, &bytes)
            .map_err(|error| self.error(record.span().start, "key", error.to_string()))?;
        about.fingerprint = Some(key.fingerprint());
        let entry = DecoderEntry {
            id: about.id.clone(),
            purpose: about.purpose,
            in_clear: about.in_clear,
            pan,
            ea,
            sgc: about.sgc,
            krn: about.krn,
            ti: about.ti,
            kt: about.kt,
            base_date: about.base_date,
            ken: about.ken,
            tid_zone: self.text("tid_zone", &raw.tid_zone, Zone::parse)?,
            key,
            line: about.line,
        };
        ring.about.push(about);
        Ok(entry)
    }

    /// The bytes of a key, in clear or sealed.
    fn key_bytes(
        &self,
        record: &Spanned<RawKey>,
        about: &About,
        expected: usize,
    ) -> Result<Zeroizing<Vec<u8>>, InputError> {
        let raw = record.get_ref();
        let id = &about.id;
        let bytes = match (&raw.key, &raw.sealed) {
            (Some(key), None) => {
                if about.purpose != Purpose::Test {
                    return Err(self
                        .error(key.span().start, "key", format!(
                            "{id} is in clear, which is allowed with purpose \"test\" alone; expected it sealed"
                        ))
                        .with_keys_at_fault());
                }
                let text = key.get_ref();
                hex::decode(text.as_bytes()).map(Zeroizing::new).map_err(|error| {
                    let problem = match error {
                        hex::FromHexError::InvalidHexCharacter { index, .. } => {
                            format!(
                                "character {} of the key of {id} is no hexadecimal digit",
                                index + 1
                            )
                        }
                        _ => format!(
                            "the key of {id} has {} hexadecimal digits, expected {}",
                            text.len(),
                            2 * expected
                        ),
                    };
                    self.error(key.span().start, "key", problem)
                })?
            }
            (None, Some(sealed)) => {
                let at = |problem: String| self.error(sealed.span().start, "sealed", problem);
                let opener = self.opener.ok_or_else(|| at(format!("{id} is locked")))?;
                opener
                    .open(raw, about.kind.table(), sealed.get_ref())
                    .map_err(|problem| at(format!("{id}: {problem}")).with_keys_at_fault())?
            }
            (Some(_), Some(_)) => {
                let problem = "stands beside sealed, expected one of them";
                return Err(self.error(record.span().start, "key", problem));
            }
            (None, None) => {
                let problem = "key and sealed are both missing, expected one of them";
                return Err(self.error(record.span().start, "", problem));
            }
        };
        if bytes.len() != expected {
            let problem = format!(
                "the key of {id} has {} hexadecimal digits, expected {}",
                2 * bytes.len(),
                2 * expected
            );
            return Err(self.error(record.span().start, "key", problem));
        }
        Ok(bytes)
    }
}

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Bytes of a key-encryption key.
const KEK: usize = 32;

/// Bytes that nobody can foretell.
fn random(count: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The salt of a table `[seal]`.
fn salt_bytes(text: &str) -> Result<Vec<u8>, String> {
    let salt = hex::decode(text).map_err(|_| "salt, expected hexadecimal digits")?;
    match salt.len() {
        16..=64 => Ok(salt),
        length => Err(format!("salt bytes {length} is not in 16 to 64")),
    }
}

/// Parameters of Argon2id, within limits: a file may ask neither for too little nor for a
/// terabyte.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Argon2id {
    /// 16 to 64 bytes.
    pub salt: Vec<u8>,
    /// 8 MiB to 2 GiB.
    pub memory_kib: u32,
    /// 1 to 64.
    pub iterations: u32,
    /// 1 to 16.
    pub parallelism: u32,
}

impl Argon2id {
    /// A random salt and the usual cost: 64 MiB, 3 passes.
    ///
    /// # Errors
    ///
    /// Where the system gives no random bytes.
    pub fn fresh() -> Result<Self, String> {
        Ok(Self {
            salt: random(16)?.to_vec(),
            memory_kib: 64 * 1024,
            iterations: 3,
            parallelism: 1,
        })
    }

    fn from_raw(raw: &RawSeal) -> Result<Self, String> {
        let number = |value: &Option<Spanned<u32>>| value.as_ref().map(|value| *value.get_ref());
        let kdf = Self {
            salt: salt_bytes(raw.salt.as_ref().ok_or("salt is missing")?.get_ref())?,
            memory_kib: number(&raw.memory_kib).ok_or("memory_kib is missing")?,
            iterations: number(&raw.iterations).ok_or("iterations is missing")?,
            parallelism: number(&raw.parallelism).unwrap_or(1),
        };
        let within = [
            ("memory_kib", u64::from(kdf.memory_kib), 8 * 1024, 2 * 1024 * 1024),
            ("iterations", u64::from(kdf.iterations), 1, 64),
            ("parallelism", u64::from(kdf.parallelism), 1, 16),
        ];
        match within.into_iter().find(|(_, value, least, most)| !(*least..=*most).contains(value)) {
            Some((what, value, least, most)) => {
                Err(format!("{what} {value} is not in {least} to {most}"))
            }
            None => Ok(kdf),
        }
    }

    /// The key-encryption key of a passphrase.
    ///
    /// # Errors
    ///
    /// What the derivation says.
    pub fn derive(&self, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let params =
            argon2::Params::new(self.memory_kib, self.iterations, self.parallelism, Some(32))
                .map_err(|error| error.to_string())?;
        let mut key = Zeroizing::new(vec![0; 32]);
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut key)
            .map_err(|error| error.to_string())?;
        Ok(key)
    }
}

/// Seals the key of one record, given as the TOML of its `[[vending_key]]` or `[[decoder_key]]`
/// table body with `key` in clear: the same record with `sealed` in its place.
///
/// # Errors
///
/// What is wrong with the record, never its key.
pub fn seal_record(kind: &str, record: &str, kek: &[u8]) -> Result<String, String> {
    let mut raw: RawKey = toml::from_str(record)
        .map_err(|error| key_safe(InputError::toml(kind, record, &error)).to_string())?;
    let key = raw.key.take().ok_or("no key to seal")?;
    if raw.sealed.is_some() {
        return Err("key stands beside sealed, expected key alone".to_owned());
    }
    let bytes = hex::decode(key.get_ref().as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| "the key, expected hexadecimal digits")?;
    let opener = Opener { kek: Zeroizing::new(kek.to_vec()), salt: None };
    let sealed = opener.seal(&raw, kind, &bytes)?;
    // Every line that the key's value touches, however it is written, gives way to the new field.
    let span = key.span();
    let before = record.get(..span.start).unwrap_or_default();
    let after = record.get(span.end..).unwrap_or_default();
    let before = before.rfind('\n').map_or("", |end| &before[..=end]);
    let after = after.find('\n').map_or("", |end| &after[end + 1..]);
    let clear = key.get_ref().to_ascii_lowercase();
    if [before, after].iter().any(|kept| kept.to_ascii_lowercase().contains(&clear)) {
        return Err("the key stands in the record a second time, expected it once".to_owned());
    }
    Ok(format!("{before}sealed = \"{sealed}\"\n{after}"))
}

/// A fingerprint as six hexadecimal digits.
#[must_use]
pub fn fingerprint_hex(fingerprint: [u8; 3]) -> String {
    hex::encode(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: &str = "id = \"k1\"\npurpose = \"test\"\nsgc = \"123456\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\nkey = \"abababababababab\"\n";

    fn parse(records: &str) -> Result<KeyRing, String> {
        KeyRing::parse("keys.toml", records, &mut Locked).map_err(|error| error.to_string())
    }

    fn vending(changes: &[(&str, &str)]) -> String {
        let mut record = format!("[[vending_key]]\n{CLEAR}");
        for (from, to) in changes {
            assert!(record.contains(from), "{from}");
            record = record.replace(from, to);
        }
        record
    }

    #[test]
    fn clear_test_key_is_taken() {
        let ring = parse(&vending(&[])).unwrap();
        assert!(ring.vending[0].may_issue());
        assert!(ring.warnings.is_empty());
        assert!(!format!("{ring:?}").contains("abab"));
    }

    #[test]
    fn bad_records_say_where_and_what_and_show_no_key() {
        for (from, to, says) in [
            ("\"123456\"", "\"1457\"", "keys.toml:4: sgc"),
            ("krn = 1", "krn = 10", "keys.toml:5: krn"),
            ("krn = 1", "krn = 0", "1 to 9"),
            ("kt = 2", "kt = 4", "0 to 3"),
            ("\"02\"", "\"05\"", "01, 02, 03, 04"),
            ("2014", "2015", "1993, 2014 or 2035"),
            ("abababababababab", "ababababababab", "expected 16"),
            ("abababababababab", "abababababababzz", "character 15"),
            ("abababababababab", "ababababababababab", "expected 16"),
            ("\"test\"", "\"verify\"", "is in clear"),
            ("\"test\"", "\"live\"", "test or verify"),
            ("kt = 2", "kt = 2\ncolour = 1", "colour"),
            ("kt = 2\n", "", "kt"),
            ("kt = 2", "kt = 2\nken = 256", "0 to 255"),
            ("\"abababababababab\"", "1234567812345678", "wrong type"),
        ] {
            let error = parse(&vending(&[(from, to)])).unwrap_err();
            assert!(error.contains(says), "{says}: {error}");
            assert!(!error.contains("abab") && !error.contains("12345678"), "{error}");
        }
    }

    #[test]
    fn two_keys_for_one_place_are_refused() {
        let both = vending(&[]) + &vending(&[("\"k1\"", "\"k2\"")]);
        assert!(parse(&both).unwrap_err().contains("k1 and k2"));
        let twice = vending(&[]) + &vending(&[("krn = 1", "krn = 2")]);
        assert!(parse(&twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn even_parity_is_warned_of() {
        let ring =
            parse(&vending(&[("abababababababab", "aaabababababababab".get(..16).unwrap())]));
        assert!(ring.unwrap().warnings[0].problem.contains("parity"));
    }

    struct Kek(Vec<u8>);

    impl Unlock for Kek {
        fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
            Some(Zeroizing::new("correct horse".into()))
        }

        fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
            Some(Zeroizing::new(self.0.clone()))
        }
    }

    fn sealed_file() -> String {
        let record = CLEAR.replace("\"test\"", "\"verify\"");
        let sealed = seal_record("vending_key", &record, &[7; 32]).unwrap();
        format!("[seal]\nkdf = \"file\"\n\n[[vending_key]]\n{sealed}")
    }

    #[test]
    fn sealed_key_opens_with_its_key_alone() {
        let file = sealed_file();
        assert!(!file.contains("abab"));
        let ring = KeyRing::parse("k", &file, &mut Kek(vec![7; 32])).unwrap();
        assert_eq!(
            ring.vending[0].key.fingerprint(),
            parse(&vending(&[])).unwrap().vending[0].key.fingerprint()
        );
        assert!(!ring.vending[0].may_issue());
        let error = KeyRing::parse("k", &file, &mut Kek(vec![8; 32])).unwrap_err();
        assert!(error.to_string().contains("does not open") && error.is_about_keys());
        assert!(
            KeyRing::parse("k", &file, &mut Kek(vec![7; 31]))
                .unwrap_err()
                .to_string()
                .contains("expected 32")
        );
        assert!(KeyRing::parse("k", &file, &mut Locked).unwrap_err().is_about_keys());
    }

    #[test]
    fn sealed_key_with_any_digit_changed_is_refused() {
        let file = sealed_file();
        let start = file.find("sealed = \"").unwrap() + 10;
        let end = file.rfind('"').unwrap();
        for place in start..end {
            let mut bytes = file.clone().into_bytes();
            bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
            let file = String::from_utf8(bytes).unwrap();
            assert!(KeyRing::parse("k", &file, &mut Kek(vec![7; 32])).is_err(), "{place}");
        }
    }

    #[test]
    fn sealed_key_with_any_attribute_edited_is_refused() {
        let file = sealed_file();
        for (from, to) in [
            ("\"k1\"", "\"k2\""),
            ("\"verify\"", "\"test\""),
            ("\"123456\"", "\"123457\""),
            ("krn = 1", "krn = 2"),
            ("kt = 2", "kt = 1"),
            ("2014", "1993"),
            ("kt = 2", "kt = 2\nken = 255"),
            ("kt = 2", "kt = 2\ntid_zone = \"+02:00\""),
        ] {
            let edited = file.replace(from, to);
            assert_ne!(edited, file);
            let error = KeyRing::parse("k", &edited, &mut Kek(vec![7; 32])).unwrap_err();
            assert!(error.to_string().contains("does not open"), "{from}: {error}");
        }
    }

    #[test]
    fn passphrase_seals_through_argon2id_within_limits() {
        let kdf = Argon2id { memory_kib: 8 * 1024, iterations: 1, ..Argon2id::fresh().unwrap() };
        let kek = kdf.derive("correct horse").unwrap();
        let record = CLEAR.replace("\"test\"", "\"verify\"");
        let sealed = seal_record("vending_key", &record, &kek).unwrap();
        let file = |memory: u32| {
            format!(
                "[seal]\nkdf = \"argon2id\"\nsalt = \"{}\"\nmemory_kib = {memory}\niterations = 1\n[[vending_key]]\n{sealed}",
                hex::encode(&kdf.salt)
            )
        };
        assert!(KeyRing::parse("k", &file(8 * 1024), &mut Kek(Vec::new())).is_ok());
        let greedy = KeyRing::parse("k", &file(u32::MAX), &mut Kek(Vec::new())).unwrap_err();
        assert!(greedy.to_string().contains("memory_kib"), "{greedy}");
    }
}
