//! `sts keys`, and the keys of every other verb.

use std::path::Path;

use owo_colors::OwoColorize;
use serde_json::{Value, json};
use sts_core::KeyExpiryNumber;
use sts_harness::input::{InputError, Warning};
use sts_harness::keys::{
    self, About, Added, KeyRing, Kind, NewKey, Purpose, Seal, fingerprint_hex, others_can_read,
};
use sts_harness::zeroize::Zeroizing;

use crate::args::{
    AttributeArgs, ImportKeyArgs, KeyArgs, KeysAction, KeysArgs, NewKeysArgs, RotateArgs,
    UnlockArgs,
};
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;
use crate::secret::{self, ask_twice};

pub(crate) use crate::secret::FromFiles;

/// The keys of a run; none where no file is named.
pub(crate) fn ring(args: &KeyArgs, out: &mut Out) -> Result<KeyRing, Failure> {
    let Some(path) = &args.keys else { return Ok(KeyRing::default()) };
    load(path, &args.unlock, out)
}

fn load(path: &Path, unlock: &UnlockArgs, out: &mut Out) -> Result<KeyRing, Failure> {
    let ring = KeyRing::load(path, &mut FromFiles::with(unlock))?;
    warn(&ring.warnings, out);
    Ok(ring)
}

fn warn<'a>(warnings: impl IntoIterator<Item = &'a Warning>, out: &mut Out) {
    for warning in warnings {
        out.warning(warning);
    }
}

pub(crate) fn run(args: &KeysArgs, out: &mut Out) -> Done {
    match (&args.action, &args.file) {
        (Some(KeysAction::New(args)), _) => new(args, out),
        (Some(KeysAction::Import(args)), _) => import(args, out),
        (Some(KeysAction::List(args)), _) => {
            let (name, text) = read(&args.file)?;
            show_all(&KeyRing::list(&name, &text)?, out)
        }
        (Some(KeysAction::Check(args)), _) => check(&args.file, &args.unlock, out),
        (Some(KeysAction::Rotate(args)), _) => rotate(args, out),
        (None, Some(file)) => check(file, &args.unlock, out),
        (None, None) => Err(Failure::Usage("expected a key file".to_owned())),
    }
}

fn check(path: &Path, unlock: &UnlockArgs, out: &mut Out) -> Done {
    show_all(&load(path, unlock, out)?.about, out)
}

/// A key file's name and text.
fn read(path: &Path) -> Result<(String, Zeroizing<String>), Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let found = InputError::unreadable(&name, &error.to_string()).with_keys_at_fault();
        if error.kind() == std::io::ErrorKind::NotFound && found.hint.is_none() {
            found.with_hint(format!("sts keys new {name}"))
        } else {
            found
        }
    })?;
    Ok((name, Zeroizing::new(text)))
}

/// What an empty key file says.
const EMPTY: &str = "# Keys: docs/keys.md tells how they are kept.\nschema = 1\n";

fn new(args: &NewKeysArgs, out: &mut Out) -> Done {
    if let Some(path) = &args.kek {
        keys::create(path, &keys::fresh_kek().map_err(Failure::Usage)?)?;
        return told(out, &format!("{} made: 32 random bytes; keep a copy of it", path.display()));
    }
    let Some(path) = &args.file else {
        return Err(Failure::Usage("expected a key file".to_owned()));
    };
    let Some(key) = new_key(&args.attributes, Some(Purpose::Test))? else {
        keys::create(path, EMPTY.as_bytes())?;
        return told(out, &format!("{} made; it holds no key", path.display()));
    };
    let bytes = key.draw().map_err(of_arguments)?;
    if path.exists() {
        let (name, text) = read(path)?;
        let added = keys::add(&name, &text, &key, &bytes, None).map_err(of_arguments)?;
        keys::save(path, &text, &added.text)?;
        show_added(path, &added, out)
    } else {
        let name = path.display().to_string();
        let added = keys::add(&name, EMPTY, &key, &bytes, None).map_err(of_arguments)?;
        keys::create(path, added.text.as_bytes())?;
        show_added(path, &added, out)
    }
}

fn import(args: &ImportKeyArgs, out: &mut Out) -> Done {
    let purpose = if args.test { Purpose::Test } else { Purpose::Verify };
    let key = new_key(&args.attributes, Some(purpose))?
        .ok_or_else(|| Failure::Usage("--id is missing, expected a name for the key".to_owned()))?;
    let (name, text) = read(&args.file)?;
    let length = key.key_length().map_err(of_arguments)?;
    let (seal, in_use) = Seal::of(&name, &text)?;
    let mut unlock = FromFiles::with(&args.unlock);
    if !in_use {
        unlock = unlock.first();
    }
    let seal = match seal {
        Some(seal) => seal,
        None if unlock.has_kek() => Seal::key_file().map_err(Failure::Usage)?,
        None => Seal::passphrase().map_err(Failure::Usage)?,
    };
    let bytes = key_value(args, length)?;
    let added =
        keys::add(&name, &text, &key, &bytes, Some((&seal, &mut unlock))).map_err(of_arguments)?;
    let found = added.about.fingerprint.map(fingerprint_hex);
    if let Some(expected) = &args.fingerprint
        && found.as_deref() != Some(expected.to_ascii_lowercase().as_str())
    {
        let found = found.unwrap_or_default();
        let problem = format!("fingerprint {found}, expected {expected}; nothing was changed");
        return Err(InputError::other("the key", &problem).with_keys_at_fault().into());
    }
    keys::save(&args.file, &text, &added.text)?;
    warn(added.warnings.iter().chain(&keys::Unlock::warnings(&mut unlock)), out);
    show_added(&args.file, &added, out)
}

/// The value of a key: hexadecimal digits, with any blanks between them.
fn key_value(args: &ImportKeyArgs, length: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = match (&args.key_file, args.key_fd) {
        (Some(path), _) => {
            let name = path.display().to_string();
            secret::first_line(&name, &secret::from_file(path)?)?
        }
        (None, Some(fd)) => {
            let name = format!("descriptor {fd}");
            secret::first_line(&name, &secret::from_descriptor(fd)?)?
        }
        (None, None) => {
            let asked = ask_twice(&format!("Key, {} hexadecimal digits", 2 * length))?;
            asked.ok_or_else(|| {
                let problem = "is asked for at a terminal, and there is none; name it with --key-file or --key-fd";
                InputError::other("the key", problem).with_keys_at_fault()
            })?
        }
    };
    // Messages tell the place of a character, and not which it is: almost all of a key may be right.
    let fault = |problem: String| {
        Failure::from(InputError::other("the key", &problem).with_keys_at_fault())
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut half = None;
    let mut digits = 0;
    for (place, c) in text.chars().enumerate() {
        if c.is_whitespace() || c == '-' || c == ':' {
            continue;
        }
        let digit = c
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
            .ok_or_else(|| fault(format!("character {} is no hexadecimal digit", place + 1)))?;
        digits += 1;
        half = match half {
            None => Some(digit),
            Some(high) => {
                bytes.push(high << 4 | digit);
                None
            }
        };
    }
    if digits == 2 * length {
        Ok(bytes)
    } else {
        Err(fault(format!("has {digits} hexadecimal digits, expected {}", 2 * length)))
    }
}

fn rotate(args: &RotateArgs, out: &mut Out) -> Done {
    let (name, text) = read(&args.file)?;
    let mut old = FromFiles::with(&args.unlock);
    let mut new = FromFiles::renewed(&args.seal);
    let seal = if new.has_kek() { Seal::key_file() } else { Seal::passphrase() };
    let seal = seal.map_err(Failure::Usage)?;
    let rotated = keys::rotate(&name, &text, &mut old, seal, &mut new)?;
    keys::save(&args.file, &text, &rotated)?;
    let (old, new) = (keys::Unlock::warnings(&mut old), keys::Unlock::warnings(&mut new));
    warn(old.iter().chain(&new), out);
    warn(&others_can_read(&args.file), out);
    let all = KeyRing::list(&name, &rotated)?;
    let sealed = all.iter().filter(|about| !about.in_clear).count();
    let by = if args.seal.new_kek_file.is_some() { "key-encryption key" } else { "passphrase" };
    told(out, &format!("{name}: {sealed} keys are sealed under the new {by}"))
}

/// The key that the arguments describe; none where they say nothing.
fn new_key(args: &AttributeArgs, purpose: Option<Purpose>) -> Result<Option<NewKey>, Failure> {
    let Some(id) = &args.id else {
        return if args.is_empty() {
            Ok(None)
        } else {
            Err(Failure::Usage("--id is missing, expected a name for the key".to_owned()))
        };
    };
    let mut key = NewKey::default();
    key.id.clone_from(id);
    key.purpose = purpose;
    key.pan.clone_from(&args.pan);
    key.ea.clone_from(&args.ea);
    key.sgc.clone_from(&args.sgc);
    key.krn = args.krn;
    key.ti.clone_from(&args.ti);
    key.kt = args.kt;
    key.dkga.clone_from(&args.dkga);
    key.base_date = args.base_date;
    key.ken = args.ken;
    key.tid_zone.clone_from(&args.tid_zone);
    Ok(Some(key))
}

/// Faults of the new key are faults of the command line.
fn of_arguments(error: InputError) -> Failure {
    match &error.place.field {
        Some(field) if error.place.file.is_empty() && field == "key" => {
            InputError::other("the key", &error.problem).with_keys_at_fault().into()
        }
        Some(field) if error.place.file.is_empty() => {
            Failure::Usage(format!("--{}: {}", field.replace('_', "-"), error.problem))
        }
        _ => error.into(),
    }
}

/// One line for people.
fn told(out: &mut Out, line: &str) -> Done {
    if out.is_text() {
        out.line(line)?;
    }
    Ok(Exit::Good)
}

fn show_added(path: &Path, added: &Added, out: &mut Out) -> Done {
    if !added.about.in_clear {
        warn(&others_can_read(path), out);
    }
    show(&added.about, out)?;
    Ok(Exit::Good)
}

fn show_all(all: &[About], out: &mut Out) -> Done {
    for about in all {
        show(about, out)?;
    }
    Ok(Exit::Good)
}

fn show(about: &About, out: &mut Out) -> Result<(), Failure> {
    if out.is_text() { show_text(about, out) } else { out.object(&object(about)) }
}

fn show_text(about: &About, out: &mut Out) -> Result<(), Failure> {
    let mut parts = match about.kind {
        Kind::Vending => vec!["vending key".to_owned()],
        Kind::Decoder => vec!["decoder key".to_owned()],
    };
    parts.push(about.purpose.to_string());
    let ken = about.ken.or((about.kind == Kind::Vending).then_some(KeyExpiryNumber::NEVER));
    parts.extend(about.pan.map(|pan| format!("meter {}", pan.drn())));
    parts.extend(about.ea.map(|ea| format!("EA{}", ea.code())));
    parts.extend(about.sgc.map(|sgc| format!("SGC {sgc}")));
    parts.extend(about.krn.map(|krn| format!("KRN {krn}")));
    parts.extend(about.ti.map(|ti| format!("TI {ti}")));
    parts.extend(about.kt.map(|kt| format!("KT {}", kt.code())));
    parts.extend(about.dkga.map(|dkga| format!("DKGA{}", dkga.code())));
    parts.extend(about.base_date.map(|base| format!("base date {}", base.year())));
    parts.extend(ken.map(|ken| format!("KEN {ken}")));
    parts.extend(about.tid_zone.as_ref().map(|zone| format!("TIDs in {zone}")));
    parts.push(match about.fingerprint {
        Some(fingerprint) => format!("fingerprint {}", fingerprint_hex(fingerprint)),
        None => "sealed".to_owned(),
    });
    out.line(format_args!("{}  {}", about.id.bold(), parts.join(", ")))?;
    if about.dkga.is_some_and(sts_core::KeyDerivation::is_unverified) {
        out.line("  no published value confirms this derivation")?;
    }
    Ok(())
}

/// The object of `docs/schemas/keys.schema.json`; what is not said is left out.
fn object(about: &About) -> Value {
    let ken = about.ken.or((about.kind == Kind::Vending).then_some(KeyExpiryNumber::NEVER));
    let mut object = json!({
        "schema": 1,
        "id": about.id,
        "kind": about.kind.table(),
        "purpose": about.purpose.to_string(),
        "sealed": !about.in_clear,
        "pan": about.pan.map(|pan| pan.as_str().to_owned()),
        "ea": about.ea.map(|ea| ea.code()),
        "sgc": about.sgc.map(|sgc| sgc.to_string()),
        "krn": about.krn.map(|krn| krn.get()),
        "ti": about.ti.map(|ti| ti.to_string()),
        "kt": about.kt.map(|kt| kt.code()),
        "dkga": about.dkga.map(|dkga| dkga.code()),
        "base_date": about.base_date.map(|base| base.year()),
        "ken": ken.map(|ken| ken.get()),
        "tid_zone": about.tid_zone,
        "line": about.line,
        "fingerprint": about.fingerprint.map(fingerprint_hex),
    });
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
