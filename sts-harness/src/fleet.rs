//! Meters over time: the core's meter, and what someone beside it knows.

use std::collections::HashMap;

use sts_core::class::Payload;
use sts_core::key::{EncryptionAlgorithm, KeyAttributes};
use sts_core::{
    BaseDate, DecoderKey, KeyExpiryNumber, Meter, MeterPan, Outcome, Profile, Registers, Rejection,
    Token, TokenId, TokenResult,
};

use crate::history::{History, Taken};
use crate::keys::KeyRing;
use crate::profiles::ProfileFile;
use crate::records::MeterRow;

/// One meter as the harness follows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrackedMeter {
    /// The row it started from; events change it and start anew.
    pub row: MeterRow,
    /// The family's profile.
    pub family: &'static ProfileFile,
    /// Which firmware it runs, as an index into the family's.
    pub firmware: usize,
    /// The base date of its key, which the meter itself does not know.
    pub base_date: BaseDate,
    /// The core's meter; with an arbitrary key where none is held.
    pub meter: Meter<'static>,
    /// Whether the meter's key is known.
    pub has_key: bool,
    /// Whether it takes anything at all.
    pub powered: bool,
    /// What it took under the present key and before.
    pub taken: History,
    /// Sections accepted since the last key change, timed out ones included.
    pub sections_accepted: Vec<u8>,
    /// Whether the base date was changed without clearing the TID memory.
    pub kept_tids_over_base_date: bool,
}

/// The settings of a meter that decide which tokens it takes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MeterState {
    /// Attributes of its key.
    pub attributes: KeyAttributes,
    /// Base date of its key.
    pub base_date: BaseDate,
    /// Encryption algorithm of its key.
    pub ea: EncryptionAlgorithm,
    /// Its family.
    pub family: &'static ProfileFile,
    /// Its firmware, as an index into the family's.
    pub firmware: usize,
}

/// Why a meter row cannot be followed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct Unfollowable {
    /// In words.
    pub problem: String,
}

impl TrackedMeter {
    /// A meter in the state of its row, its key derived from the ring.
    ///
    /// # Errors
    ///
    /// [`Unfollowable`]: the profile has no such firmware.
    pub fn new(
        row: MeterRow,
        family: &'static ProfileFile,
        ring: &KeyRing,
    ) -> Result<Self, Unfollowable> {
        let firmware = match &row.firmware {
            None => 0,
            Some(id) => family.firmware_index(id).ok_or_else(|| Unfollowable {
                problem: format!(
                    "firmware {id:?} is not in profile {}, expected one of: {}",
                    family.id(),
                    family.firmware_ids().join(", ")
                ),
            })?,
        };
        let attributes =
            KeyAttributes { sgc: row.sgc, krn: row.krn, ti: row.ti, kt: row.kt, ken: row.ken };
        let held = meter_key(ring, &row.pan, row.ea, &attributes, row.base_date);
        let has_key = held.is_some();
        let key = held.unwrap_or_else(|| placeholder_key(row.ea));
        let profile = family.compile(firmware);
        let manufacturer = row.pan.manufacturer_code();
        let mut meter = Meter::new(profile, manufacturer, key, attributes, row.tid_floor);
        for tid in &row.tids {
            meter.remember(*tid);
        }
        *meter.registers_mut() = Registers { units: row.units, currency: row.currency };
        Ok(Self {
            base_date: row.base_date,
            row,
            family,
            firmware,
            meter,
            has_key,
            powered: true,
            taken: History::default(),
            sections_accepted: Vec::new(),
            kept_tids_over_base_date: false,
        })
    }

    /// What it works by now.
    #[must_use]
    pub fn profile(&self) -> &'static Profile<'static> {
        self.meter.profile()
    }

    /// The encryption algorithm of its key.
    #[must_use]
    pub fn ea(&self) -> EncryptionAlgorithm {
        self.meter.key().ea()
    }

    /// Enters digits at a time. Returns what the meter answers; `None` for the rejection where no
    /// key is held for a token that needs one.
    ///
    /// A refusal is counted towards the lock-out, and what is accepted is remembered.
    pub fn enter(&mut self, keyed: &str, at: u64, entry: &str, ring: &KeyRing) -> Answer {
        let pending_before = self.meter.staged_sections(at).count() > 0;
        if !self.powered {
            return self.refusal(Rejection::NotReady, pending_before);
        }
        if !self.has_key
            && let Ok(framed) = self.frame(keyed)
            && framed.token().class().is_encrypted()
        {
            return Answer {
                result: None,
                rejection: None,
                outcome: None,
                payload: None,
                shown: None,
            };
        }
        let admitted = self.meter.enter(keyed, at).map(|admission| {
            let payload = *admission.payload();
            (payload, admission.apply())
        });
        match admitted {
            Ok((payload, outcome)) => {
                self.note(keyed, entry, &payload, &outcome, ring);
                let pending = pending_before || self.meter.staged_sections(at).count() > 0;
                let result = outcome.result();
                Answer {
                    result: Some(result),
                    rejection: None,
                    outcome: Some(outcome),
                    payload: Some(payload),
                    shown: Some(self.shown(result, pending)),
                }
            }
            Err(rejection) => {
                self.meter.count_refusal(&rejection, at);
                self.refusal(rejection, pending_before)
            }
        }
    }

    fn refusal(&self, rejection: Rejection, pending: bool) -> Answer {
        let result = rejection.result();
        Answer {
            result: Some(result),
            rejection: Some(rejection),
            outcome: None,
            payload: None,
            shown: Some(self.shown(result, pending)),
        }
    }

    fn shown(&self, result: TokenResult, pending: bool) -> Display {
        let shown = self.profile().shown(result, pending);
        Display { text: shown.to_string(), basis: shown.basis().name() }
    }

    /// The token in what was keyed, where the firmware takes its form.
    #[must_use]
    pub fn framed(&self, keyed: &str) -> Option<Token> {
        self.frame(keyed).ok().map(|framed| framed.token())
    }

    /// Its settings as they are now.
    #[must_use]
    pub fn state(&self) -> MeterState {
        MeterState {
            attributes: *self.meter.attributes(),
            base_date: self.base_date,
            ea: self.ea(),
            family: self.family,
            firmware: self.firmware,
        }
    }

    /// The meter as it is now, without what it took: for a search later on.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Self {
        Self {
            row: self.row.clone(),
            meter: self.meter.clone(),
            taken: History::default(),
            sections_accepted: self.sections_accepted.clone(),
            ..*self
        }
    }

    fn frame(&self, keyed: &str) -> Result<sts_core::Framed, Rejection> {
        self.profile().frame(&sts_core::Keyed::parse(keyed)?)
    }

    fn note(
        &mut self,
        keyed: &str,
        entry: &str,
        payload: &Payload,
        outcome: &Outcome,
        ring: &KeyRing,
    ) {
        if let Ok(framed) = self.frame(keyed) {
            let (token, tid, base_date) = (framed.token(), payload.tid(), self.base_date);
            self.taken.push(Taken { token, tid, base_date, entry });
        }
        match outcome {
            Outcome::SectionStored { section } => self.sections_accepted.push(*section),
            Outcome::KeyChanged { attributes, rollover } => {
                self.sections_accepted.clear();
                let before = self.base_date;
                self.base_date = self.new_base_date(attributes, *rollover, ring);
                self.kept_tids_over_base_date = self.base_date != before && !rollover;
            }
            _ => {}
        }
    }

    /// The base date after a key change: that of the held vending key that gives the new key, else
    /// the next one when the memory was cleared, else the same.
    fn new_base_date(
        &self,
        attributes: &KeyAttributes,
        rollover: bool,
        ring: &KeyRing,
    ) -> BaseDate {
        let fitting = ring.vending.iter().filter(|entry| {
            entry.sgc == attributes.sgc && entry.krn == attributes.krn && entry.kt == attributes.kt
        });
        // DKGA02 keys are the same under every base date; the change of date then decides.
        let mut dates: Vec<BaseDate> = fitting
            .filter(|entry| {
                entry
                    .key
                    .derive(&self.row.pan, self.ea(), attributes, entry.base_date)
                    .is_ok_and(|key| key.same_as(self.meter.key()))
            })
            .map(|entry| entry.base_date)
            .collect();
        dates.sort_unstable();
        let next = self.base_date.next().filter(|_| rollover).unwrap_or(self.base_date);
        if dates.contains(&next) { next } else { dates.first().copied().unwrap_or(next) }
    }

    /// Goes on under another firmware of its family.
    ///
    /// # Errors
    ///
    /// [`Unfollowable`] where the family has no such firmware.
    pub fn update_firmware(&mut self, id: &str) -> Result<(), Unfollowable> {
        let index = self.family.firmware_index(id).ok_or_else(|| Unfollowable {
            problem: format!(
                "firmware {id:?} is not in profile {}, expected one of: {}",
                self.family.id(),
                self.family.firmware_ids().join(", ")
            ),
        })?;
        self.firmware = index;
        self.meter.set_profile(self.family.compile(index));
        Ok(())
    }

    /// The row that this meter would start from as it is now.
    #[must_use]
    pub fn current_row(&self) -> MeterRow {
        let attributes = *self.meter.attributes();
        let registers = *self.meter.registers();
        MeterRow {
            sgc: attributes.sgc,
            krn: attributes.krn,
            ti: attributes.ti,
            kt: attributes.kt,
            ken: attributes.ken,
            base_date: self.base_date,
            firmware: Some(self.family.firmware_ids()[self.firmware].to_owned()),
            tid_floor: self.meter.tids().iter().min().copied().unwrap_or(TokenId::MIN),
            tids: self.meter.tids().to_vec(),
            units: registers.units,
            currency: registers.currency,
            ..self.row.clone()
        }
    }

    /// Puts the meter in the state of a row. What it took stays on record unless it was replaced.
    ///
    /// # Errors
    ///
    /// [`Unfollowable`], as [`TrackedMeter::new`].
    pub fn restate(
        &mut self,
        row: MeterRow,
        replaced: bool,
        family: &'static ProfileFile,
        ring: &KeyRing,
    ) -> Result<(), Unfollowable> {
        let fresh = Self::new(row, family, ring)?;
        let before = std::mem::replace(self, fresh);
        if !replaced {
            self.taken = before.taken;
            self.powered = before.powered;
        }
        Ok(())
    }
}

/// What the meter shows, and how sure that is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Display {
    /// The text on the display.
    pub text: String,
    /// The basis of the rule, by name.
    pub basis: &'static str,
}

/// A meter's answer to an entry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The result; `None` where no key is held.
    pub result: Option<TokenResult>,
    /// The refusal, with what was compared.
    pub rejection: Option<Rejection>,
    /// What was done, where the token was taken.
    pub outcome: Option<Outcome>,
    /// What the token says, where it was taken.
    pub payload: Option<Payload>,
    /// What is shown.
    pub shown: Option<Display>,
}

impl Answer {
    /// Whether only a token made under the meter's key is answered so.
    #[must_use]
    pub fn vouches_for_key(&self) -> bool {
        let encrypted = self.payload.is_some_and(|payload| payload.kind().0.is_encrypted());
        encrypted || matches!(self.rejection, Some(Rejection::Used { .. } | Rejection::Old { .. }))
    }
}

/// The key of a meter: its own `decoder_key`, else derived from the vending key that fits.
#[must_use]
pub fn meter_key(
    ring: &KeyRing,
    pan: &MeterPan,
    ea: EncryptionAlgorithm,
    attributes: &KeyAttributes,
    base_date: BaseDate,
) -> Option<DecoderKey> {
    let own = ring.decoders.iter().find(|entry| {
        entry.pan == *pan
            && entry.ea == ea
            && entry.krn.is_none_or(|krn| krn == attributes.krn)
            && entry.kt.is_none_or(|kt| kt == attributes.kt)
            && entry.ti.is_none_or(|ti| ti == attributes.ti)
            && entry.sgc.is_none_or(|sgc| sgc == attributes.sgc)
            && entry.base_date.is_none_or(|date| date == base_date)
    });
    if let Some(own) = own {
        return Some(own.key.clone());
    }
    let vending = ring.vending.iter().find(|entry| {
        entry.sgc == attributes.sgc
            && entry.krn == attributes.krn
            && entry.kt == attributes.kt
            && entry.base_date == base_date
    })?;
    vending.key.derive(pan, ea, attributes, base_date).ok()
}

/// Any key: for a meter whose key is not held, which is asked keyless questions only.
fn placeholder_key(ea: EncryptionAlgorithm) -> DecoderKey {
    match ea {
        EncryptionAlgorithm::Misty1 => DecoderKey::misty1([0; 16]),
        EncryptionAlgorithm::Dea => DecoderKey::dea([0; 8]),
        _ => DecoderKey::sta([0; 8]),
    }
}

/// The meters of a case, by account number.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Fleet {
    /// In the order of the file.
    pub meters: Vec<TrackedMeter>,
    index: HashMap<MeterPan, usize>,
}

impl Fleet {
    /// No meter yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a meter.
    pub fn add(&mut self, meter: TrackedMeter) {
        self.index.insert(meter.row.pan, self.meters.len());
        self.meters.push(meter);
    }

    /// The place of a meter.
    #[must_use]
    pub fn find(&self, pan: &MeterPan) -> Option<usize> {
        self.index.get(pan).copied()
    }
}

/// The attributes of a key that never expires.
pub(crate) const fn attributes_with(
    base: KeyAttributes,
    ti: sts_core::TariffIndex,
) -> KeyAttributes {
    KeyAttributes { ti, ken: KeyExpiryNumber::NEVER, ..base }
}
