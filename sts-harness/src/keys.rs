//! Key files: test keys in clear, every other key sealed.
//!
//! A sealed record holds its key under AES-256-GCM-SIV, with every other field of the record as
//! associated data, so that no attribute can be changed. Keys are never shown: messages name the
//! record's `id` and line, and `Debug` prints no key.

use std::fmt;
use std::path::Path;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use serde::Deserialize;
use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, MeterPan, SupplyGroupCode, TariffIndex, VendingKey,
};
use toml::Spanned;
use zeroize::Zeroizing;

use crate::input::{InputError, Place, Warning};
use crate::records;
use crate::time::Zone;

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
    /// What a user should know.
    pub warnings: Vec<Warning>,
}

/// Opens sealed records.
pub trait Unlock {
    /// The passphrase of a file; `None` where none is given.
    fn passphrase(&mut self, file: &str) -> Option<Zeroizing<String>>;
    /// The 32-byte key-encryption key of a file; `None` where none is given.
    fn key_encryption_key(&mut self, file: &str) -> Option<Zeroizing<Vec<u8>>>;
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
    kdf: String,
    salt: Option<String>,
    memory_kib: Option<u32>,
    iterations: Option<u32>,
    parallelism: Option<u32>,
}

/// A record of either kind. Optional throughout, so that messages can name what is missing.
#[derive(Deserialize)]
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
    /// Every field but the key, in a form that no two different records share.
    fn associated_data(&self, kind: &str) -> Vec<u8> {
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

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    kek: Option<Zeroizing<Vec<u8>>>,
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
        ring.check_permissions(path, &name);
        Ok(ring)
    }

    /// Files of clear test keys are examples; any other is for its owner alone.
    fn check_permissions(&mut self, path: &Path, name: &str) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let only_tests = self.vending.iter().all(VendingEntry::may_issue)
                && self.decoders.iter().all(|entry| entry.in_clear);
            let mode = std::fs::metadata(path).map(|data| data.permissions().mode());
            if !only_tests && mode.is_ok_and(|mode| mode & 0o077 != 0) {
                let problem = "others can read this key file; take the permission away (chmod 600)";
                self.warnings.push(Warning::new(Place::file(name), problem));
            }
        }
        #[cfg(not(unix))]
        let _ = (path, name);
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    ///
    /// [`InputError`], which never shows a key.
    pub fn parse(name: &str, text: &str, unlock: &mut dyn Unlock) -> Result<Self, InputError> {
        let raw: RawFile =
            toml::from_str(text).map_err(|error| key_safe(InputError::toml(name, text, &error)))?;
        let mut reader = Reader { name, text, kek: None };
        if let Some(schema) = &raw.schema
            && *schema.get_ref() != 1
        {
            return Err(reader.error(
                schema.span().start,
                "schema",
                format!("{}, expected 1", schema.get_ref()),
            ));
        }
        let needs_unlocking = raw
            .vending_key
            .iter()
            .chain(&raw.decoder_key)
            .any(|record| record.get_ref().sealed.is_some());
        if needs_unlocking {
            reader.kek = Some(reader.key_encryption_key(raw.seal.as_ref(), unlock)?);
        }
        let mut ring = Self::default();
        for record in &raw.vending_key {
            let entry = reader.vending(record, &mut ring.warnings)?;
            if let Some(other) = ring.vending.iter().find(|other| {
                (other.sgc, other.krn, other.kt, other.base_date)
                    == (entry.sgc, entry.krn, entry.kt, entry.base_date)
            }) {
                let problem = format!(
                    "{} and {} are for the same SGC, KRN, key type and base date, expected one key",
                    other.id, entry.id
                );
                return Err(reader.error(record.span().start, "", problem));
            }
            ring.vending.push(entry);
        }
        for record in &raw.decoder_key {
            ring.decoders.push(reader.decoder(record)?);
        }
        let mut ids: Vec<&str> = Vec::new();
        let all = ring.vending.iter().map(|entry| (entry.id.as_str(), entry.line));
        let all = all.chain(ring.decoders.iter().map(|entry| (entry.id.as_str(), entry.line)));
        for (id, line) in all {
            if ids.contains(&id) {
                let problem = format!("id {id:?} stands twice, expected once");
                return Err(InputError::new(Place::line(name, line), problem));
            }
            ids.push(id);
        }
        Ok(ring)
    }

    /// The place of a record in the file, by its id.
    #[must_use]
    pub fn position(&self, id: &str) -> u64 {
        let vending = self.vending.iter().map(|entry| (&entry.id, entry.line));
        let decoders = self.decoders.iter().map(|entry| (&entry.id, entry.line));
        vending.chain(decoders).find(|(other, _)| *other == id).map_or(0, |(_, line)| line)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vending.is_empty() && self.decoders.is_empty()
    }
}

/// Digits of the shortest key.
const KEY_DIGITS: usize = 16;

/// A message with every run of hexadecimal digits that is long enough for a key left out: a key
/// may stand where a name or another field belongs.
fn without_keys(problem: &str) -> String {
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

    fn vending(
        &self,
        record: &Spanned<RawKey>,
        warnings: &mut Vec<Warning>,
    ) -> Result<VendingEntry, InputError> {
        let raw = record.get_ref();
        let (pan, ea, ti) = (raw.pan.is_some(), raw.ea.is_some(), raw.ti.is_some());
        self.refuse(record, &[("pan", pan), ("ea", ea), ("ti", ti)], "vending_key")?;
        let (id, purpose) = self.id_and_purpose(record)?;
        let sgc = self.required(record, "sgc", self.text("sgc", &raw.sgc, records::parse_sgc)?)?;
        let krn = self.number("krn", &raw.krn, |text| match records::parse_krn(text) {
            Ok(krn) if krn.get() > 0 => Ok(krn),
            _ => Err(format!("{text}, expected a key revision number of 1 to 9")),
        })?;
        let krn = self.required(record, "krn", krn)?;
        let kt = self.required(record, "kt", self.number("kt", &raw.kt, records::parse_kt)?)?;
        let dkga = self.text("dkga", &raw.dkga, |text| {
            KeyDerivation::from_code(text)
                .ok_or_else(|| format!("{text:?}, expected one of 01, 02, 03, 04"))
        })?;
        let dkga = self.required(record, "dkga", dkga)?;
        let base_date = self.number("base_date", &raw.base_date, records::parse_base_date)?;
        let base_date = self.required(record, "base_date", base_date)?;
        let ken = self.number("ken", &raw.ken, records::parse_ken)?;
        let bytes = self.key_bytes(record, "vending_key", &id, purpose, dkga.key_length())?;
        let key = VendingKey::from_bytes(dkga, &bytes)
            .map_err(|error| self.error(record.span().start, "key", error.to_string()))?;
        let line = self.line(record.span().start);
        let place = || Place::line(self.name, line);
        if key.has_even_parity() {
            warnings.push(Warning::new(
                place(),
                format!("key {id} has a byte of even parity; sources differ on such keys, it is used as given"),
            ));
        }
        if dkga.is_unverified() {
            warnings.push(Warning::new(
                place(),
                format!("key {id}: no published value confirms DKGA{}", dkga.code()),
            ));
        }
        Ok(VendingEntry {
            id,
            purpose,
            in_clear: raw.key.is_some(),
            sgc,
            krn,
            kt,
            base_date,
            ken: ken.unwrap_or(KeyExpiryNumber::NEVER),
            tid_zone: self.text("tid_zone", &raw.tid_zone, Zone::parse)?,
            key,
            line,
        })
    }

    fn decoder(&self, record: &Spanned<RawKey>) -> Result<DecoderEntry, InputError> {
        let raw = record.get_ref();
        self.refuse(record, &[("dkga", raw.dkga.is_some())], "decoder_key")?;
        let (id, purpose) = self.id_and_purpose(record)?;
        let pan = self.required(record, "pan", self.text("pan", &raw.pan, records::meter_pan)?)?;
        let ea = self.required(record, "ea", self.text("ea", &raw.ea, records::parse_ea)?)?;
        let bytes = self.key_bytes(record, "decoder_key", &id, purpose, ea.key_length())?;
        let key = DecoderKey::from_bytes(ea, &bytes)
            .map_err(|error| self.error(record.span().start, "key", error.to_string()))?;
        Ok(DecoderEntry {
            id,
            purpose,
            in_clear: raw.key.is_some(),
            pan,
            ea,
            sgc: self.text("sgc", &raw.sgc, records::parse_sgc)?,
            krn: self.number("krn", &raw.krn, records::parse_krn)?,
            ti: self.text("ti", &raw.ti, records::parse_ti)?,
            kt: self.number("kt", &raw.kt, records::parse_kt)?,
            base_date: self.number("base_date", &raw.base_date, records::parse_base_date)?,
            ken: self.number("ken", &raw.ken, records::parse_ken)?,
            tid_zone: self.text("tid_zone", &raw.tid_zone, Zone::parse)?,
            key,
            line: self.line(record.span().start),
        })
    }

    /// The bytes of a key, in clear or sealed.
    fn key_bytes(
        &self,
        record: &Spanned<RawKey>,
        kind: &str,
        id: &str,
        purpose: Purpose,
        expected: usize,
    ) -> Result<Zeroizing<Vec<u8>>, InputError> {
        let raw = record.get_ref();
        let bytes = match (&raw.key, &raw.sealed) {
            (Some(key), None) => {
                if purpose != Purpose::Test {
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
            (None, Some(sealed)) => self.unseal(raw, kind, id, sealed)?,
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

    fn unseal(
        &self,
        raw: &RawKey,
        kind: &str,
        id: &str,
        sealed: &Spanned<String>,
    ) -> Result<Zeroizing<Vec<u8>>, InputError> {
        let at = |problem: String| self.error(sealed.span().start, "sealed", problem);
        let blob = hex::decode(sealed.get_ref())
            .map_err(|_| at(format!("{id}: expected hexadecimal digits")))?;
        let Some((nonce, ciphertext)) = blob.split_at_checked(NONCE) else {
            return Err(at(format!("{id}: too short for a sealed key")));
        };
        let kek = self.kek.as_ref().ok_or_else(|| at("is locked".to_owned()))?;
        let cipher = cipher(kek).map_err(at)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| at("nonce".to_owned()))?;
        let data = raw.associated_data(kind);
        let payload = Payload { msg: ciphertext, aad: &data };
        cipher.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| {
            at(format!(
                "{id} does not open: the passphrase or key-encryption key is another, or the record was changed"
            ))
            .with_keys_at_fault()
        })
    }

    fn key_encryption_key(
        &self,
        seal: Option<&Spanned<RawSeal>>,
        unlock: &mut dyn Unlock,
    ) -> Result<Zeroizing<Vec<u8>>, InputError> {
        let Some(seal) = seal else {
            let problem = "sealed keys need a table [seal] that says how, found none";
            return Err(InputError::other(self.name, problem));
        };
        let at = |problem: String| self.error(seal.span().start, "seal", problem);
        let raw = seal.get_ref();
        match raw.kdf.as_str() {
            "file" => {
                let kek = unlock.key_encryption_key(self.name).ok_or_else(|| {
                    at("the keys are locked; name the file with their key-encryption key".into())
                        .with_keys_at_fault()
                })?;
                if kek.len() == 32 {
                    Ok(kek)
                } else {
                    Err(at(format!("a key-encryption key of {} bytes, expected 32", kek.len()))
                        .with_keys_at_fault())
                }
            }
            "argon2id" => {
                let kdf = Argon2id::from_raw(raw).map_err(at)?;
                let passphrase = unlock.passphrase(self.name).ok_or_else(|| {
                    at("the keys are locked; give their passphrase".into()).with_keys_at_fault()
                })?;
                kdf.derive(&passphrase).map_err(at)
            }
            other => Err(at(format!("kdf {other:?}, expected argon2id or file"))),
        }
    }
}

/// Bytes of a nonce.
const NONCE: usize = 12;

fn cipher(kek: &[u8]) -> Result<Aes256GcmSiv, String> {
    Aes256GcmSiv::new_from_slice(kek).map_err(|_| "expected a key of 32 bytes".to_owned())
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
        let mut salt = vec![0; 16];
        getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
        Ok(Self { salt, memory_kib: 64 * 1024, iterations: 3, parallelism: 1 })
    }

    fn from_raw(raw: &RawSeal) -> Result<Self, String> {
        let salt = raw.salt.as_deref().ok_or("salt is missing")?;
        let salt = hex::decode(salt).map_err(|_| "salt, expected hexadecimal digits")?;
        let kdf = Self {
            salt,
            memory_kib: raw.memory_kib.ok_or("memory_kib is missing")?,
            iterations: raw.iterations.ok_or("iterations is missing")?,
            parallelism: raw.parallelism.unwrap_or(1),
        };
        let within = [
            ("salt bytes", kdf.salt.len() as u64, 16, 64),
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
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| error.to_string())?;
    let data = raw.associated_data(kind);
    let payload = Payload { msg: &bytes, aad: &data };
    let ciphertext = cipher(kek)?
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| "the key could not be sealed")?;
    let sealed = hex::encode([nonce.as_slice(), &ciphertext].concat());
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
