//! Authenticating and decoding tokens under the keys held: one, or a table of any length.

mod bulk;
mod digits;
mod fields;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes};
use sts_core::{
    Class, DecoderKey, KeyExpiryNumber, MeterPan, ParseTokenError, Payload, Rejection, TariffIndex,
    Token,
};

use crate::describe::{TidReading, fields};
use crate::keys::KeyRing;
use crate::records::VerifyRow;

pub use bulk::Bulk;
pub use fields::Fields;
#[cfg(feature = "parquet")]
pub use parquet::ParquetTable;
pub use write::{COLUMNS, Form, Lines, Writer};

/// Authenticates a token under every held key that fits what the row says.
///
/// The object is the published form: all hits are in `matches`, in the order of the key file, and
/// the fields are those of the first. `Authentic` says nothing of acceptance by a meter.
#[must_use]
pub fn verify(ring: &KeyRing, row: &VerifyRow) -> Map<String, Value> {
    Opener::new(ring).open(row).object()
}

/// What there is to say of a row.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    id: Cow<'a, str>,
    /// Its digits; as entered where they are no token.
    token: Cow<'a, str>,
    outcome: Outcome<'a>,
    trials: u32,
    matches: Cow<'a, [&'a str]>,
    /// The place of the vending key, where one alone was tried.
    only: Option<usize>,
}

#[derive(Clone, Debug)]
enum Outcome<'a> {
    Malformed(ParseTokenError),
    KeyMissing(Class),
    Refused(Class, Rejection),
    Authentic { payload: Payload, reading: Cow<'a, TidReading>, key_id: Option<&'a str> },
}

impl Verdict<'_> {
    /// `Authentic`, `KeyMissing`, or the standard's name of what is wrong.
    #[must_use]
    pub const fn result(&self) -> &'static str {
        match &self.outcome {
            Outcome::Malformed(ParseTokenError::Length { .. }) => "LengthError",
            Outcome::Malformed(_) => "FormatError",
            Outcome::KeyMissing(_) => "KeyMissing",
            Outcome::Refused(_, rejection) => rejection.code(),
            Outcome::Authentic { .. } => "Authentic",
        }
    }

    /// What the token says, where it is authentic.
    #[must_use]
    pub const fn payload(&self) -> Option<&Payload> {
        match &self.outcome {
            Outcome::Authentic { payload, .. } => Some(payload),
            _ => None,
        }
    }

    /// How its TID is read; `None` where it is not authentic.
    #[must_use]
    pub fn reading(&self) -> Option<&TidReading> {
        match &self.outcome {
            Outcome::Authentic { reading, .. } => Some(reading),
            _ => None,
        }
    }

    /// The token's class; `None` where the digits are no token.
    #[must_use]
    pub const fn class(&self) -> Option<Class> {
        match &self.outcome {
            Outcome::Malformed(_) => None,
            Outcome::KeyMissing(class) | Outcome::Refused(class, _) => Some(*class),
            Outcome::Authentic { payload, .. } => Some(payload.kind().0),
        }
    }

    /// What is wrong with the digits, where they are no token.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Malformed(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// The id of the first key that opens it.
    #[must_use]
    pub const fn key_id(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Authentic { key_id, .. } => *key_id,
            _ => None,
        }
    }

    /// How many keys were tried.
    #[must_use]
    pub const fn trials(&self) -> u32 {
        self.trials
    }

    /// The published form.
    #[must_use]
    pub fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("schema".into(), json!(1));
        object.insert("id".into(), json!(self.id));
        object.insert("token".into(), json!(self.token));
        object.insert("result".into(), json!(self.result()));
        match &self.outcome {
            Outcome::Malformed(error) => {
                object.insert("error".into(), json!(error.to_string()));
            }
            Outcome::KeyMissing(class) | Outcome::Refused(class, _) => {
                object.insert("token_class".into(), json!(class.bits()));
            }
            Outcome::Authentic { payload, reading, key_id } => {
                object.extend(fields(payload, reading));
                if let Some(id) = key_id {
                    object.insert("key_id".into(), json!(id));
                }
            }
        }
        object.insert("trials".into(), json!(self.trials));
        object.insert("matches".into(), json!(self.matches));
        object
    }
}

/// A key that could have made a token, and how its TIDs are read.
struct Candidate<'r> {
    id: &'r str,
    key: DecoderKey,
    reading: TidReading,
}

/// The place of a vending key, and what a decoder key is derived for.
type Derivation = (usize, MeterPan, EncryptionAlgorithm, TariffIndex);

/// How many derived keys are held, to be used again for other tokens of their meters.
const HELD: usize = 4096;

/// Opens tokens one at a time.
struct Opener<'r> {
    ring: &'r KeyRing,
    derived: HashMap<Derivation, DecoderKey>,
}

impl<'r> Opener<'r> {
    fn new(ring: &'r KeyRing) -> Self {
        Self { ring, derived: HashMap::new() }
    }

    fn open<'a>(&mut self, row: &'a VerifyRow) -> Verdict<'a>
    where
        'r: 'a,
    {
        let entered = row.token.as_deref().unwrap_or_default();
        let mut verdict = Verdict {
            id: Cow::Borrowed(&row.id),
            token: Cow::Borrowed(entered),
            outcome: Outcome::Malformed(ParseTokenError::OutOfRange),
            trials: 0,
            matches: Cow::Borrowed(&[]),
            only: None,
        };
        let token = match Token::parse(entered) {
            Ok(token) => token,
            Err(error) => {
                verdict.outcome = Outcome::Malformed(error);
                return verdict;
            }
        };
        verdict.token = Cow::Owned(token.to_string());
        let class = token.class();

        if !class.is_encrypted() {
            let opened = match token.open_without_key() {
                Some(opened) => opened.authenticate(),
                None => Err(Rejection::ReservedClass),
            };
            let reading = Cow::Owned(TidReading::default());
            verdict.outcome = match opened {
                Ok(payload) => Outcome::Authentic { payload, reading, key_id: None },
                Err(rejection) => Outcome::Refused(class, rejection),
            };
            return verdict;
        }

        let mut first = None;
        let mut matches: Vec<&str> = Vec::new();
        for Candidate { id, key, reading } in self.candidates(row) {
            verdict.trials += 1;
            if let Ok(payload) = token.open(&key).authenticate() {
                if !matches.contains(&id) {
                    matches.push(id);
                }
                first.get_or_insert_with(|| Outcome::Authentic {
                    payload,
                    reading: Cow::Owned(reading),
                    key_id: Some(id),
                });
            }
        }
        verdict.outcome = match first {
            Some(authentic) => authentic,
            None if verdict.trials == 0 => Outcome::KeyMissing(class),
            None => Outcome::Refused(class, Rejection::Crc),
        };
        verdict.matches = Cow::Owned(matches);
        verdict
    }

    /// Every key that fits the row, in the order of the key file; where the row is silent, all
    /// values that the key allows.
    fn candidates(&mut self, row: &VerifyRow) -> Vec<Candidate<'r>> {
        let ring = self.ring;
        let mut found: Vec<Candidate<'r>> = Vec::new();
        for (at, entry) in ring.vending.iter().enumerate() {
            let Some(pan) = row.pan else { break };
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
                    if let Some(key) = self.key((at, pan, ea, ti)) {
                        let reading =
                            TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
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

    /// What a token says under one key, and how many were tried: none where the vending key gives
    /// none.
    fn single(&mut self, token: Token, derivation: Derivation) -> (Option<Payload>, u32) {
        let key = self.key(derivation);
        let payload = key.as_ref().and_then(|key| token.open(key).authenticate().ok());
        (payload, u32::from(key.is_some()))
    }

    /// A meter's key, derived unless it is held; `None` where the vending key gives none.
    fn key(&mut self, derivation: Derivation) -> Option<DecoderKey> {
        if let Some(key) = self.derived.get(&derivation) {
            return Some(key.clone());
        }
        let (at, pan, ea, ti) = &derivation;
        let entry = self.ring.vending.get(*at)?;
        let attributes = KeyAttributes {
            sgc: entry.sgc,
            krn: entry.krn,
            ti: *ti,
            kt: entry.kt,
            ken: KeyExpiryNumber::NEVER,
        };
        let key = entry.key.derive(pan, *ea, &attributes, entry.base_date).ok()?;
        if self.derived.len() >= HELD {
            self.derived.clear();
        }
        self.derived.insert(derivation, key.clone());
        Some(key)
    }
}

fn agrees_if_known<T: PartialEq>(said: Option<T>, held: Option<T>) -> bool {
    match (said, held) {
        (Some(said), Some(held)) => said == held,
        _ => true,
    }
}
