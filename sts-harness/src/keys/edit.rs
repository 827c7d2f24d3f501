//! Changing key files: records added, keys sealed anew. Texts in, texts out, so that a change is
//! whole and checked before any of it is written.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use sts_core::{EncryptionAlgorithm, KeyDerivation};
use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    About, Argon2id, KeyRing, Kind, Purpose, RawFile, RawKey, RawSeal, Reader, Seal, Unlock, random,
};
use crate::input::{InputError, Place, Warning};

/// A key that is to be added to a file, as its record shall say. What a record has to say is
/// checked as in any file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NewKey {
    /// Its name in reports.
    pub id: String,
    /// What it may be used for; to verify when absent.
    pub purpose: Option<Purpose>,
    /// The meter, 18 digits or its number: makes it a decoder key.
    pub pan: Option<String>,
    /// Encryption algorithm of a decoder key.
    pub ea: Option<String>,
    /// Supply group code.
    pub sgc: Option<String>,
    /// Key revision number.
    pub krn: Option<i64>,
    /// Tariff index of a decoder key.
    pub ti: Option<String>,
    /// Key type.
    pub kt: Option<i64>,
    /// How decoder keys are derived from a vending key.
    pub dkga: Option<String>,
    /// Base date.
    pub base_date: Option<i64>,
    /// Key expiry number.
    pub ken: Option<i64>,
    /// Zone in which TIDs are counted.
    pub tid_zone: Option<String>,
}

impl NewKey {
    fn kind(&self) -> Kind {
        if self.pan.is_some() { Kind::Decoder } else { Kind::Vending }
    }

    fn raw(&self) -> RawKey {
        fn spanned<T>(value: T) -> Spanned<T> {
            Spanned::new(0..0, value)
        }
        let text = |value: &Option<String>| value.clone().map(spanned);
        RawKey {
            id: Some(spanned(self.id.clone())),
            purpose: Some(spanned(self.purpose.unwrap_or(Purpose::Verify).to_string())),
            pan: text(&self.pan),
            ea: text(&self.ea),
            sgc: text(&self.sgc),
            krn: self.krn.map(spanned),
            ti: text(&self.ti),
            kt: self.kt.map(spanned),
            dkga: text(&self.dkga),
            base_date: self.base_date.map(spanned),
            ken: self.ken.map(spanned),
            tid_zone: text(&self.tid_zone),
            key: None,
            sealed: None,
        }
    }

    /// How many bytes the key has.
    ///
    /// # Errors
    ///
    /// What is wrong with the attributes; the place names the field, and no file.
    pub fn key_length(&self) -> Result<usize, InputError> {
        let reader = Reader { name: "", text: "", opener: None };
        let record = Spanned::new(0..0, self.raw());
        let about = reader.about(&record, self.kind())?;
        match self.kind() {
            Kind::Vending => {
                for (field, missing) in [
                    ("sgc", about.sgc.is_none()),
                    ("krn", about.krn.is_none()),
                    ("kt", about.kt.is_none()),
                    ("base_date", about.base_date.is_none()),
                ] {
                    reader.required(&record, field, (!missing).then_some(()))?;
                }
                reader.required(&record, "dkga", about.dkga).map(KeyDerivation::key_length)
            }
            Kind::Decoder => {
                reader.required(&record, "ea", about.ea).map(EncryptionAlgorithm::key_length)
            }
        }
    }

    /// A key that is none: DES keys under which encrypting twice gives the text back, or undoes
    /// another such key. Their parity does not matter.
    ///
    /// # Errors
    ///
    /// What is wrong with it, which does not tell the key.
    pub fn check_strength(&self, key: &[u8]) -> Result<(), String> {
        let is_des = match self.kind() {
            Kind::Vending => self.dkga.as_deref() != Some("04"),
            Kind::Decoder => matches!(self.ea.as_deref(), Some("09" | "9")),
        };
        if is_des && key.chunks_exact(8).any(is_weak_des) {
            return Err("is a weak key of DES, expected one drawn at random".to_owned());
        }
        if key.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err("is one byte repeated, expected one drawn at random".to_owned());
        }
        Ok(())
    }

    /// A random key, of odd parity where it is one of DES.
    ///
    /// # Errors
    ///
    /// What is wrong with the attributes; where the system gives no random bytes.
    pub fn draw(&self) -> Result<Zeroizing<Vec<u8>>, InputError> {
        let length = self.key_length()?;
        loop {
            let mut key = random(length).map_err(|problem| InputError::other("", &problem))?;
            if self.kind() == Kind::Vending && self.dkga.as_deref() != Some("04") {
                for byte in key.iter_mut() {
                    *byte ^= u8::from(byte.count_ones().is_multiple_of(2));
                }
            }
            if self.check_strength(&key).is_ok() {
                return Ok(key);
            }
        }
    }
}

/// The weak and semi-weak keys of DES: each half of the key schedule is constant or alternates.
/// NIST SP 800-67, section 3.3.2.
fn is_weak_des(key: &[u8]) -> bool {
    const WEAK: [u64; 16] = [
        0x0101_0101_0101_0101,
        0xFEFE_FEFE_FEFE_FEFE,
        0xE0E0_E0E0_F1F1_F1F1,
        0x1F1F_1F1F_0E0E_0E0E,
        0x011F_011F_010E_010E,
        0x1F01_1F01_0E01_0E01,
        0x01E0_01E0_01F1_01F1,
        0xE001_E001_F101_F101,
        0x01FE_01FE_01FE_01FE,
        0xFE01_FE01_FE01_FE01,
        0x1FE0_1FE0_0EF1_0EF1,
        0xE01F_E01F_F10E_F10E,
        0x1FFE_1FFE_0EFE_0EFE,
        0xFE1F_FE1F_FE0E_FE0E,
        0xE0FE_E0FE_F1FE_F1FE,
        0xFEE0_FEE0_FEF1_FEF1,
    ];
    const PARITY: u64 = 0x0101_0101_0101_0101;
    let key = key.iter().fold(0, |key, byte| key << 8 | u64::from(*byte));
    WEAK.iter().any(|weak| (weak ^ key) & !PARITY == 0)
}

/// A key file with one key more.
#[derive(Debug)]
#[non_exhaustive]
pub struct Added {
    /// The file's text.
    pub text: Zeroizing<String>,
    /// What the new record says.
    pub about: About,
    /// What a user should know of the keys that are open.
    pub warnings: Vec<Warning>,
}

/// The text of a key file with one record more: sealed as the file is, or as `seal` says where none
/// of its keys is yet; in clear without `seal`.
///
/// # Errors
///
/// [`InputError`], which never shows a key. Its place names no file where the new key is at fault.
pub fn add(
    name: &str,
    text: &str,
    new: &NewKey,
    key: &[u8],
    seal: Option<(&Seal, &mut dyn Unlock)>,
) -> Result<Added, InputError> {
    let at_fault = |field: &str, problem: String| InputError::new(Place::of(field), problem);
    let length = new.key_length()?;
    if key.len() != length {
        let problem = format!("has {} hexadecimal digits, expected {}", 2 * key.len(), 2 * length);
        return Err(at_fault("key", problem));
    }
    new.check_strength(key).map_err(|problem| at_fault("key", problem))?;
    if let Some(old) = KeyRing::list(name, text)?.into_iter().find(|old| old.id == new.id) {
        let place = Place::field(name, old.line, "id");
        let problem = super::without_keys(&format!("{:?} is there already", old.id));
        return Err(InputError::new(place, problem));
    }
    let file = RawFile::parse(name, text)?;
    let mut raw = new.raw();
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 1024));
    whole.push_str(text);
    if !text.is_empty() && !text.ends_with('\n') {
        whole.push('\n');
    }
    let opener = match seal {
        None => {
            let digits = Zeroizing::new(hex::encode(key));
            raw.key = Some(Spanned::new(0..0, digits));
            None
        }
        Some((seal, unlock)) => {
            let opener = seal.opener(name, unlock)?;
            if file.seal.is_none() {
                whole.push_str(&format!("\n[seal]\n{}", seal.fields()));
            }
            let sealed = opener
                .seal(&raw, new.kind().table(), key)
                .map_err(|problem| at_fault("key", problem))?;
            raw.sealed = Some(Spanned::new(0..0, sealed));
            Some(opener)
        }
    };
    let record = toml::to_string(&raw)
        .map(Zeroizing::new)
        .map_err(|_| at_fault("id", "cannot be written".into()))?;
    whole.push_str(&format!("\n[[{}]]\n", new.kind().table()));
    whole.push_str(&record);
    let whole = with_line_ends_of(text, whole);
    // What is written must read back, all of it, under one key. Beside keys that stay locked, one in
    // clear is read alone.
    let (all, warnings) = match &opener {
        Some(_) => {
            let file = RawFile::parse(name, &whole)?;
            let ring = KeyRing::read(name, &whole, &file, opener.as_ref())?;
            (ring.about, ring.warnings)
        }
        None => (KeyRing::list(name, &whole)?, Vec::new()),
    };
    let about = all.into_iter().find(|about| about.id == new.id);
    let about = about.ok_or_else(|| at_fault("id", "does not read back".to_owned()))?;
    Ok(Added { text: whole, about, warnings })
}

impl Seal {
    /// The body of its table.
    fn fields(&self) -> String {
        match self {
            Self::KeyFile { salt: None } => "kdf = \"file\"\n".to_owned(),
            Self::KeyFile { salt: Some(salt) } => {
                format!("kdf = \"file\"\nsalt = \"{}\"\n", hex::encode(salt))
            }
            Self::Passphrase(Argon2id { salt, memory_kib, iterations, parallelism }) => format!(
                "kdf = \"argon2id\"\nsalt = \"{}\"\nmemory_kib = {memory_kib}\niterations = {iterations}\nparallelism = {parallelism}\n",
                hex::encode(salt)
            ),
        }
    }
}

/// 32 random bytes, to seal keys under.
///
/// # Errors
///
/// Where the system gives no random bytes.
pub fn fresh_kek() -> Result<Zeroizing<Vec<u8>>, String> {
    random(super::KEK)
}

/// The text of a key file with every sealed key under another seal; all else as it was. With
/// Argon2id before and after, the cost stays what the file asks for.
///
/// # Errors
///
/// [`InputError`], which never shows a key: the old passphrase or key-encryption key does not open
/// every key, or the table `[seal]` is not written one field a line.
pub fn rotate(
    name: &str,
    text: &str,
    old: &mut dyn Unlock,
    seal: Seal,
    new: &mut dyn Unlock,
) -> Result<Zeroizing<String>, InputError> {
    let file = RawFile::parse(name, text)?;
    let (Some(before), Some(table), true) = (file.seal(name, text)?, &file.seal, file.has_sealed())
    else {
        return Err(InputError::other(name, "holds no sealed key, expected at least one"));
    };
    let opener = before.opener(name, old)?;
    let ring = KeyRing::read(name, text, &file, Some(&opener))?;
    let seal = match (seal, before) {
        (Seal::Passphrase(fresh), Seal::Passphrase(before)) => {
            Seal::Passphrase(Argon2id { salt: fresh.salt, ..before })
        }
        (seal, _) => seal,
    };
    let sealer = seal.opener(name, new)?;
    let mut edits = table_edits(name, text, table, &seal)?;
    let vending = file.vending_key.iter().map(|record| (Kind::Vending, record));
    let decoders = file.decoder_key.iter().map(|record| (Kind::Decoder, record));
    for (kind, record) in vending.chain(decoders) {
        let raw = record.get_ref();
        let Some(sealed) = &raw.sealed else { continue };
        let fault = |problem: String| {
            let line = Place::line_of(text, sealed.span().start);
            InputError::new(Place::field(name, line, "sealed"), problem)
        };
        let key = opener.open(raw, kind.table(), sealed.get_ref()).map_err(fault)?;
        let again = sealer.seal(raw, kind.table(), &key).map_err(fault)?;
        edits.push((sealed.span(), format!("\"{again}\"")));
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 1024));
    let mut done = 0;
    for (range, put) in edits {
        whole.push_str(text.get(done..range.start).unwrap_or_default());
        whole.push_str(&put);
        done = range.end;
    }
    whole.push_str(text.get(done..).unwrap_or_default());
    let whole = with_line_ends_of(text, whole);
    let file = RawFile::parse(name, &whole)?;
    let after = KeyRing::read(name, &whole, &file, Some(&sealer))?;
    if ring.says_the_same(&after) {
        Ok(whole)
    } else {
        Err(InputError::other(name, "could not be written anew with the same keys"))
    }
}

/// Replaces the fields of the table `[seal]`, which must stand one a line.
fn table_edits(
    name: &str,
    text: &str,
    table: &Spanned<RawSeal>,
    seal: &Seal,
) -> Result<Vec<(std::ops::Range<usize>, String)>, InputError> {
    let raw = table.get_ref();
    let span = |value: &Option<Spanned<u32>>| value.as_ref().map(Spanned::span);
    let fields = [
        ("kdf", Some(raw.kdf.span())),
        ("salt", raw.salt.as_ref().map(Spanned::span)),
        ("memory_kib", span(&raw.memory_kib)),
        ("iterations", span(&raw.iterations)),
        ("parallelism", span(&raw.parallelism)),
    ];
    let mut edits = Vec::new();
    for (field, span) in fields {
        let Some(span) = span else { continue };
        let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at + 1);
        if !text[start..].starts_with(field) {
            let place = Place::field(name, Place::line_of(text, span.start), "seal");
            let problem =
                "is not written as a table [seal] with one field a line; write it so first";
            return Err(InputError::new(place, problem));
        }
        let put = if field == "kdf" { seal.fields() } else { String::new() };
        edits.push((start..end, put));
    }
    Ok(edits)
}

impl KeyRing {
    /// Whether two rings hold the same keys with the same attributes.
    fn says_the_same(&self, other: &Self) -> bool {
        let told = |ring: &Self| {
            let told = ring.about.iter().map(|about| About { line: 0, ..about.clone() });
            format!("{:?}", told.collect::<Vec<_>>())
        };
        told(self) == told(other)
            && self
                .vending
                .iter()
                .zip(&other.vending)
                .all(|(one, other)| one.key.expose_bytes() == other.key.expose_bytes())
            && self
                .decoders
                .iter()
                .zip(&other.decoders)
                .all(|(one, other)| one.key.expose_bytes() == other.key.expose_bytes())
    }
}

/// Lines end as they do in the text that was there.
fn with_line_ends_of(before: &str, text: Zeroizing<String>) -> Zeroizing<String> {
    if !before.contains("\r\n") {
        return text;
    }
    let mut ended = Zeroizing::new(String::with_capacity(text.len() + 1024));
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        ended.push_str(bare);
        if bare.len() < line.len() {
            ended.push_str("\r\n");
        }
    }
    ended
}

/// Writes a file that is not there yet, for its owner alone.
///
/// # Errors
///
/// What the system says; that the file is there.
pub fn create(path: &Path, content: &[u8]) -> Result<(), InputError> {
    let written = new_file(path).and_then(|mut file| {
        let written = file.write_all(content).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(path);
        }
        written
    });
    written.map_err(|error| unwritable(path, &error))
}

/// Puts a text in place of a file's: all of it or nothing, whatever happens between. The file keeps
/// its mode and owner; it must still hold what it did when it was read.
///
/// # Errors
///
/// What the system says; that the file was changed meanwhile. The file is then as it was.
pub fn save(path: &Path, before: &str, text: &str) -> Result<(), InputError> {
    let written = (|| {
        // What a link points to is replaced, and not the link.
        let path = fs::canonicalize(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let token = random(6).map_err(std::io::Error::other)?;
        let beside = folder.join(format!(".sts-keys-{}.new", hex::encode(&token)));
        let mut file = new_file(&beside)?;
        let done = (|| {
            keep_rights(&path, &file)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            if Zeroizing::new(fs::read(&path)?).as_slice() != before.as_bytes() {
                return Err(std::io::Error::other("the file was changed meanwhile"));
            }
            fs::rename(&beside, &path)
        })();
        if done.is_err() {
            let _ = fs::remove_file(&beside);
        }
        done?;
        // The new name is there; that it is on disk too is as much as can be asked for.
        #[cfg(unix)]
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    })();
    written.map_err(|error: std::io::Error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> InputError {
    InputError::other(&path.display().to_string(), &format!("cannot be written: {error}"))
}

/// A file that was not there, for its owner alone.
fn new_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a file the mode and the owner of another.
fn keep_rights(of: &Path, file: &File) -> std::io::Result<()> {
    let there = fs::metadata(of)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
            fchown(file, Some(there.uid()), Some(there.gid()))?;
        }
    }
    file.set_permissions(there.permissions())
}
