//! `sts keys`, and unlocking keys for every other verb.

use std::path::PathBuf;

use owo_colors::OwoColorize;
use serde_json::json;
use sts_harness::input::InputError;
use sts_harness::keys::{KeyRing, Unlock, fingerprint_hex};
use sts_harness::zeroize::Zeroizing;

use crate::args::{KeyArgs, KeysArgs};
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

/// Opens sealed keys with what the command line names; nothing is asked for.
pub(crate) struct FromFiles {
    kek: Option<Zeroizing<Vec<u8>>>,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

impl FromFiles {
    pub(crate) fn new(args: &KeyArgs) -> Result<Self, Failure> {
        let read = |path: &Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            std::fs::read(path).map(|bytes| Some(Zeroizing::new(bytes))).map_err(|error| {
                let name = path.display().to_string();
                InputError::unreadable(&name, &error.to_string()).with_keys_at_fault()
            })
        };
        Ok(Self { kek: read(&args.kek_file)?, passphrase: read(&args.passphrase_file)? })
    }
}

impl Unlock for FromFiles {
    fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
        let text = std::str::from_utf8(self.passphrase.as_ref()?).ok()?;
        Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.kek.clone()
    }
}

/// The keys of a run; none where no file is named.
pub(crate) fn ring(args: &KeyArgs, out: &mut Out) -> Result<KeyRing, Failure> {
    let Some(path) = &args.keys else { return Ok(KeyRing::default()) };
    let ring = KeyRing::load(path, &mut FromFiles::new(args)?)?;
    for warning in &ring.warnings {
        out.warning(warning);
    }
    Ok(ring)
}

pub(crate) fn run(args: &KeysArgs, out: &mut Out) -> Done {
    let from = KeyArgs {
        keys: Some(args.file.clone()),
        kek_file: args.kek_file.clone(),
        passphrase_file: args.passphrase_file.clone(),
    };
    let ring = ring(&from, out)?;
    for entry in &ring.vending {
        let fingerprint = fingerprint_hex(entry.key.fingerprint());
        if out.is_text() {
            out.line(format_args!(
                "{}  vending key, {}, SGC {}, KRN {}, KT {}, DKGA{}, base date {}, KEN {}, fingerprint {fingerprint}",
                entry.id.bold(),
                entry.purpose,
                entry.sgc,
                entry.krn,
                entry.kt.code(),
                entry.key.dkga().code(),
                entry.base_date.year(),
                entry.ken,
            ))?;
            if entry.key.dkga().is_unverified() {
                out.line("  no published value confirms this derivation")?;
            }
        } else {
            out.object(&json!({
                "schema": 1, "id": entry.id, "kind": "vending_key",
                "purpose": entry.purpose.to_string(), "sgc": entry.sgc.to_string(),
                "krn": entry.krn.get(), "kt": entry.kt.code(), "dkga": entry.key.dkga().code(),
                "base_date": entry.base_date.year(), "ken": entry.ken.get(),
                "fingerprint": fingerprint,
            }))?;
        }
    }
    for entry in &ring.decoders {
        let fingerprint = fingerprint_hex(entry.key.fingerprint());
        if out.is_text() {
            out.line(format_args!(
                "{}  decoder key, {}, meter {}, EA{}, fingerprint {fingerprint}",
                entry.id.bold(),
                entry.purpose,
                entry.pan.drn(),
                entry.ea.code(),
            ))?;
        } else {
            out.object(&json!({
                "schema": 1, "id": entry.id, "kind": "decoder_key",
                "purpose": entry.purpose.to_string(), "pan": entry.pan.as_str(),
                "ea": entry.ea.code(), "fingerprint": fingerprint,
            }))?;
        }
    }
    Ok(Exit::Good)
}
