//! Authenticating and decoding one token under the keys held.

use serde_json::{Map, Value, json};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes};
use sts_core::{DecoderKey, KeyExpiryNumber, Payload, Rejection, TariffIndex, Token};

use crate::describe::{TidReading, fields};
use crate::keys::KeyRing;
use crate::records::VerifyRow;

/// A key that could have made a token, and how its TIDs are read.
struct Candidate<'r> {
    id: &'r str,
    key: DecoderKey,
    reading: TidReading,
}

/// Authenticates a token under every held key that fits what the row says.
///
/// The object is the published form: all hits are in `matches`, in the order of the key file, and
/// the fields are those of the first. `Authentic` says nothing of acceptance by a meter.
#[must_use]
pub fn verify(ring: &KeyRing, row: &VerifyRow) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("schema".into(), json!(1));
    object.insert("id".into(), json!(row.id));
    let entered = row.token.as_deref().unwrap_or_default();
    let token = match Token::parse(entered) {
        Ok(token) => token,
        Err(error) => {
            object.insert("token".into(), json!(entered));
            let result = match error {
                sts_core::ParseTokenError::Length { .. } => "LengthError",
                _ => "FormatError",
            };
            object.insert("result".into(), json!(result));
            object.insert("error".into(), json!(error.to_string()));
            finish(&mut object, 0, &[]);
            return object;
        }
    };
    object.insert("token".into(), json!(token.to_string()));

    if !token.class().is_encrypted() {
        let opened = match token.open_without_key() {
            Some(opened) => opened.authenticate(),
            None => Err(Rejection::ReservedClass),
        };
        match opened {
            Ok(payload) => authentic(&mut object, &payload, &TidReading::default()),
            Err(rejection) => refused(&mut object, token, &rejection),
        }
        finish(&mut object, 0, &[]);
        return object;
    }

    let mut trials = 0_u32;
    let mut first: Option<(Payload, Candidate<'_>)> = None;
    let mut matches: Vec<&str> = Vec::new();
    for candidate in candidates(ring, row) {
        trials += 1;
        if let Ok(payload) = token.open(&candidate.key).authenticate() {
            if !matches.contains(&candidate.id) {
                matches.push(candidate.id);
            }
            first.get_or_insert((payload, candidate));
        }
    }
    match &first {
        Some((payload, candidate)) => {
            authentic(&mut object, payload, &candidate.reading);
            object.insert("key_id".into(), json!(candidate.id));
        }
        None if trials == 0 => {
            object.insert("result".into(), json!("KeyMissing"));
            object.insert("token_class".into(), json!(token.class().bits()));
        }
        None => refused(&mut object, token, &Rejection::Crc),
    }
    finish(&mut object, trials, &matches);
    object
}

fn authentic(object: &mut Map<String, Value>, payload: &Payload, reading: &TidReading) {
    object.insert("result".into(), json!("Authentic"));
    object.extend(fields(payload, reading));
}

fn refused(object: &mut Map<String, Value>, token: Token, rejection: &Rejection) {
    object.insert("result".into(), json!(rejection.code()));
    object.insert("token_class".into(), json!(token.class().bits()));
}

fn finish(object: &mut Map<String, Value>, trials: u32, matches: &[&str]) {
    object.insert("trials".into(), json!(trials));
    object.insert("matches".into(), json!(matches));
}

/// Every key that fits the row, in the order of the key file; where the row is silent, all values
/// that the key allows.
fn candidates<'r>(ring: &'r KeyRing, row: &'r VerifyRow) -> Vec<Candidate<'r>> {
    let mut found: Vec<Candidate<'r>> = Vec::new();
    for entry in &ring.vending {
        let Some(pan) = &row.pan else { break };
        let agrees = row.sgc.is_none_or(|sgc| sgc == entry.sgc)
            && row.krn.is_none_or(|krn| krn == entry.krn)
            && row.kt.is_none_or(|kt| kt == entry.kt);
        if !agrees {
            continue;
        }
        let algorithms: &[EncryptionAlgorithm] = match &row.ea {
            Some(ea) => std::slice::from_ref(ea),
            None => &[EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1],
        };
        let indices = match row.ti {
            Some(ti) => ti.get()..=ti.get(),
            None => TariffIndex::MIN.get()..=TariffIndex::MAX.get(),
        };
        for &ea in algorithms {
            for ti in indices.clone() {
                let Ok(ti) = TariffIndex::new(ti) else { continue };
                let attributes = KeyAttributes {
                    sgc: entry.sgc,
                    krn: entry.krn,
                    ti,
                    kt: entry.kt,
                    ken: KeyExpiryNumber::NEVER,
                };
                if let Ok(key) = entry.key.derive(pan, ea, &attributes, entry.base_date) {
                    let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
                    found.push(Candidate { id: &entry.id, key, reading });
                }
            }
        }
    }
    let decoders = ring.decoders.iter().filter(|entry| {
        row.pan.is_none_or(|pan| pan == entry.pan)
            && row.ea.is_none_or(|ea| ea == entry.ea)
            && agrees_if_known(row.sgc, entry.sgc)
            && agrees_if_known(row.krn, entry.krn)
            && agrees_if_known(row.kt, entry.kt)
            && agrees_if_known(row.ti, entry.ti)
    });
    for entry in decoders {
        let reading = TidReading::new(entry.base_date, entry.tid_zone.clone());
        found.push(Candidate { id: &entry.id, key: entry.key.clone(), reading });
    }
    found.sort_by_key(|candidate| ring.position(candidate.id));
    found
}

fn agrees_if_known<T: PartialEq>(said: Option<T>, held: Option<T>) -> bool {
    match (said, held) {
        (Some(said), Some(held)) => said == held,
        _ => true,
    }
}
