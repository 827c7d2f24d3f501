//! From a refused entry to its cause, with the evidence.
//!
//! A meter knows only that a token does not authenticate. Here the keys held, the other meters of
//! the case, and the slips of fingers are tried in its place, plainly: every candidate is counted,
//! because one wrong key in 65 536 passes the check. Matches are ranked by how much better they
//! explain what else is known (time of sale, quantity, subclass) than chance does.
//!
//! No key is ever searched for: candidates are configurations under keys that the user holds.

use serde_json::{Map, Value, json};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes, KeyRevisionNumber, KeyType};
use sts_core::{
    BaseDate, Class, DecoderKey, DecoderReferenceNumber, Keyed, MeterPan, Payload, Rejection,
    SupplyGroupCode, TariffIndex, Token, TokenId, TokenResult,
};

use crate::cause::Cause;
use crate::describe::{TidReading, summary};
use crate::fleet::{Answer, Fleet, TrackedMeter, attributes_with, meter_key};
use crate::keys::KeyRing;
use crate::slips;

/// What is known of an entry beside its digits.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Sighting {
    /// As keyed.
    pub entered: String,
    /// Minutes since 1970 when it was entered.
    pub entered_at: Option<i64>,
    /// Minutes since 1970 when it was sold.
    pub sold_at: Option<i64>,
    /// The quantity on the receipt, in tenths of its unit, rounded up.
    pub units: Option<u64>,
    /// What the meter showed.
    pub displayed: Option<String>,
    /// What the vending side believed of the meter.
    pub believed: Believed,
}

/// A vending record's view of a meter.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Believed {
    /// Supply group code.
    pub sgc: Option<SupplyGroupCode>,
    /// Key revision number.
    pub krn: Option<KeyRevisionNumber>,
    /// Tariff index.
    pub ti: Option<TariffIndex>,
    /// Key type.
    pub kt: Option<KeyType>,
    /// Encryption algorithm.
    pub ea: Option<EncryptionAlgorithm>,
}

/// A cause with its probability.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ranked {
    /// The cause.
    pub cause: Cause,
    /// 0 to 1.
    pub probability: f64,
    /// What it was found in.
    pub detail: Map<String, Value>,
    /// What speaks for it.
    pub evidence: Vec<String>,
}

/// Why an entry was refused, as far as can be told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Most probable first; never empty.
    pub causes: Vec<Ranked>,
    /// How many candidates were tried.
    pub trials: u32,
}

impl Diagnosis {
    fn certain(cause: Cause, evidence: impl Into<String>) -> Self {
        Self::certain_with(cause, Map::new(), evidence)
    }

    fn certain_with(cause: Cause, detail: Map<String, Value>, evidence: impl Into<String>) -> Self {
        let evidence = vec![evidence.into()];
        Self { causes: vec![Ranked { cause, probability: 1.0, detail, evidence }], trials: 0 }
    }

    /// The first-ranked cause.
    #[must_use]
    pub fn first(&self) -> &Ranked {
        &self.causes[0]
    }

    /// How many of the trials are expected to pass the check by chance.
    #[must_use]
    pub fn expected_chance_matches(&self) -> f64 {
        f64::from(self.trials) * CHANCE
    }
}

/// The probability that a wrong candidate passes the 16-bit check.
const CHANCE: f64 = 1.0 / 65_536.0;
/// How many token identifiers there are.
const TIDS: f64 = 16_777_216.0;
/// Derived keys tried for a row before tariff indices are limited to those on record.
const WIDE_SEARCH: usize = 40_000;

/// How often each cause is met before anything is known of the entry; and that of `unknown`.
/// A plain judgement from the field's own lists of causes, to be replaced by counted figures.
const fn prior(cause: Cause) -> f64 {
    match cause {
        Cause::KrnAhead | Cause::KrnBehind => 0.20,
        Cause::KctIncomplete => 0.10,
        Cause::TypedDigit => 0.12,
        Cause::TypedSwap | Cause::TypedLength => 0.05,
        Cause::TypedGroup => 0.03,
        Cause::OtherMeter => 0.08,
        Cause::SgcMismatch => 0.05,
        Cause::TiMismatch => 0.05,
        Cause::KtMismatch | Cause::BdtMismatch | Cause::EaMismatch => 0.02,
        Cause::ConfigSeveral | Cause::FormatSpreadsheet => 0.02,
        _ => 0.01,
    }
}
const PRIOR_UNKNOWN: f64 = 0.05;

/// Finds why an entry was refused; `None` where it was taken and nothing contradicts that, or no
/// key is held.
#[must_use]
pub fn diagnose(
    fleet: &Fleet,
    place: usize,
    answer: &Answer,
    sighting: &Sighting,
    ring: &KeyRing,
) -> Option<Diagnosis> {
    let meter = &fleet.meters[place];
    Search { fleet, place, meter, ring, sighting, found: Vec::new(), tried: Vec::new() }
        .diagnose(answer)
}

/// One candidate that passed the check.
struct Match {
    cause: Cause,
    likelihood_ratio: f64,
    detail: Map<String, Value>,
    evidence: Vec<String>,
}

struct Search<'a> {
    fleet: &'a Fleet,
    place: usize,
    meter: &'a TrackedMeter,
    ring: &'a KeyRing,
    sighting: &'a Sighting,
    found: Vec<Match>,
    /// Candidates tried, by the cause they would show.
    tried: Vec<(Cause, u32)>,
}

/// A configuration in which a token may have been made.
struct Configuration<'a> {
    key_id: &'a str,
    attributes: KeyAttributes,
    ea: EncryptionAlgorithm,
    base_date: BaseDate,
    reading: TidReading,
}

impl Search<'_> {
    fn diagnose(mut self, answer: &Answer) -> Option<Diagnosis> {
        let said = self.display_says();
        let Some(rejection) = &answer.rejection else {
            answer.result?;
            return self.contradicted_acceptance(said);
        };
        if let Rejection::Lockout { .. } = rejection {
            return Some(Diagnosis::certain(Cause::Lockout, "the keypad was locked"));
        }
        let entered = self.sighting.entered.trim();
        let digits = digits_of(entered);
        if let Some(digits) = &digits
            && let Some(what) = self.not_a_token(digits)
        {
            // Zeros come from a till, not from fingers: no slip explains them.
            if digits.iter().any(|digit| *digit != 0) {
                self.try_slips(digits);
                self.try_lost_zeros(digits);
            }
            return Some(if self.found.is_empty() {
                Diagnosis::certain(Cause::NotToken, what)
            } else {
                self.ranked_or(Cause::NotToken, 1.0, &what)
            });
        }
        if let Some(text) = self.displayed_fault() {
            let evidence = format!("the display said {text:?}, which is no answer to a token");
            return Some(Diagnosis::certain(Cause::NotTokenFault, evidence));
        }
        match rejection {
            Rejection::NonDigit { position, found } => Some(if is_exponent_form(entered) {
                Diagnosis::certain(Cause::FormatSpreadsheet, "the number is in exponent form")
            } else {
                let evidence = format!("character {} is {found:?}", position + 1);
                Diagnosis::certain(Cause::FormatNondigit, evidence)
            }),
            Rejection::Length { digits: count, .. } => {
                Some(self.wrong_length(digits.as_deref().unwrap_or_default(), *count))
            }
            Rejection::OutOfRange => {
                self.try_slips(digits.as_deref().unwrap_or_default());
                self.try_rounding(digits.as_deref().unwrap_or_default());
                Some(self.ranked_or(Cause::FormatOutOfRange, 1.0, "the number is above 2^66 - 1"))
            }
            Rejection::ExtensionCheck { .. }
            | Rejection::ExtensionKeyRevision { .. }
            | Rejection::ExtensionResource { .. } => {
                Some(Diagnosis::certain(Cause::ExtensionMismatch, rejection.to_string()))
            }
            Rejection::Crc => Some(self.crc_error(digits.as_deref().unwrap_or_default(), said)),
            Rejection::MfrCode { .. } | Rejection::ReservedClass => {
                let cause = if matches!(rejection, Rejection::ReservedClass) {
                    Cause::FunctionOther
                } else {
                    Cause::MfrCode
                };
                self.try_slips(digits.as_deref().unwrap_or_default());
                Some(self.ranked_or(cause, 0.2, &rejection.to_string()))
            }
            Rejection::DefaultKey { .. } => {
                Some(Diagnosis::certain(Cause::KeyDefault, rejection.to_string()))
            }
            Rejection::KeyExpired { .. } => {
                Some(Diagnosis::certain(Cause::KeyExpired, rejection.to_string()))
            }
            Rejection::Used { id, .. } => Some(self.used(*id)),
            Rejection::Old { id, oldest_kept, .. } => Some(self.old(*id, *oldest_kept)),
            Rejection::KeyType { .. } => {
                Some(Diagnosis::certain(Cause::KctKeyType, rejection.to_string()))
            }
            Rejection::SectionOrder { .. } | Rejection::UnsupportedSection { .. } => {
                Some(Diagnosis::certain(Cause::KctUnsupported, rejection.to_string()))
            }
            Rejection::Range { .. } => {
                Some(Diagnosis::certain(Cause::Range, rejection.to_string()))
            }
            Rejection::Unsupported { class: Class::Credit, .. } => {
                Some(Diagnosis::certain(Cause::FunctionResource, rejection.to_string()))
            }
            Rejection::Unsupported { .. } | Rejection::UnknownTest => {
                Some(Diagnosis::certain(Cause::FunctionOther, rejection.to_string()))
            }
            Rejection::Overflow { .. } => {
                Some(Diagnosis::certain(Cause::Overflow, rejection.to_string()))
            }
            other => {
                Some(Diagnosis { causes: vec![unknown(1.0, vec![other.to_string()])], trials: 0 })
            }
        }
    }

    /// The results for which the meter shows what was seen; `None` without a claim.
    fn display_says(&self) -> Option<Vec<TokenResult>> {
        let displayed = self.sighting.displayed.as_deref()?.trim();
        let profile = self.meter.profile();
        let shows = |result| {
            [false, true]
                .into_iter()
                .any(|pending| profile.shown(result, pending).to_string() == displayed)
        };
        Some(TokenResult::ALL.into_iter().filter(|result| shows(*result)).collect())
    }

    fn displayed_fault(&self) -> Option<&str> {
        let displayed = self.sighting.displayed.as_deref()?.trim();
        self.meter.family.is_fault_text(displayed).then_some(displayed)
    }

    /// Taken in the recorded state, although the meter showed something else.
    fn contradicted_acceptance(&self, said: Option<Vec<TokenResult>>) -> Option<Diagnosis> {
        if let Some(text) = self.displayed_fault() {
            let evidence = format!("the display said {text:?}, which is no answer to a token");
            return Some(Diagnosis::certain(Cause::NotTokenFault, evidence));
        }
        let said = said?;
        if said.is_empty() || said.iter().any(|result| result.is_taken()) {
            return None;
        }
        let names: Vec<&str> = said.iter().map(|result| result.name()).collect();
        let mut detail = Map::new();
        detail.insert("display_means".into(), json!(names));
        let state = if said.contains(&TokenResult::CrcError) {
            "the meter holds another key than recorded"
        } else if said.contains(&TokenResult::UsedError) {
            "the meter has taken this token before"
        } else if said.contains(&TokenResult::OldError) {
            "the meter remembers later tokens than recorded"
        } else {
            "the meter is in another state than recorded"
        };
        detail.insert("state".into(), json!(state));
        let evidence =
            format!("accepted in the recorded state, the display says {}", names.join(" or "));
        Some(Diagnosis::certain_with(Cause::RecordStale, detail, evidence))
    }

    /// What the digits are, if they are certainly no token.
    fn not_a_token(&self, digits: &[u8]) -> Option<String> {
        let text = slips::text(digits);
        if !digits.is_empty() && digits.iter().all(|digit| *digit == 0) {
            return Some("all digits are zero: the placeholder of a trial sale".into());
        }
        if (1..=6).contains(&digits.len()) {
            return Some(format!("{} digits, as many as a PIN", digits.len()));
        }
        let is_meter = MeterPan::parse(&text).is_ok()
            || DecoderReferenceNumber::parse(&text).is_ok()
            || self
                .fleet
                .meters
                .iter()
                .any(|meter| meter.row.pan.as_str() == text || meter.row.pan.drn() == text);
        if is_meter {
            return Some("the digits are the number of a meter".into());
        }
        let phone =
            (9..=11).contains(&digits.len()) && (text.starts_with('0') || text.starts_with("27"));
        phone.then(|| "the digits look like a telephone number".into())
    }

    fn wrong_length(&mut self, digits: &[u8], count: u16) -> Diagnosis {
        if let Ok(keyed) = Keyed::parse(&self.sighting.entered) {
            let family = self.meter.family;
            let takes = |firmware: usize| family.compile(firmware).frame(&keyed).is_ok();
            let firmwares = 0..family.firmware_ids().len();
            let named = |firmware: usize| {
                let mut detail = Map::new();
                detail.insert("firmware".into(), json!(family.firmware_ids()[firmware]));
                detail
            };
            let later =
                firmwares.clone().find(|place| *place > self.meter.firmware && takes(*place));
            if let Some(firmware) = later {
                let evidence = format!(
                    "{count} digits in a form that firmware {} takes, and firmware {} does not",
                    family.firmware_ids()[firmware],
                    family.firmware_ids()[self.meter.firmware]
                );
                return Diagnosis::certain_with(Cause::LengthAhead, named(firmware), evidence);
            }
            let earlier =
                firmwares.rev().find(|place| *place < self.meter.firmware && takes(*place));
            if let Some(firmware) = earlier {
                self.try_slips(digits);
                let mut diagnosis = self.ranked_or(
                    Cause::LengthBehind,
                    20.0,
                    &format!("{count} digits in a form of an earlier firmware"),
                );
                if let Some(behind) =
                    diagnosis.causes.iter_mut().find(|ranked| ranked.cause == Cause::LengthBehind)
                {
                    behind.detail = named(firmware);
                }
                return diagnosis;
            }
        }
        self.try_lost_zeros(digits);
        self.try_slips(digits);
        self.ranked_or(Cause::LengthOther, 1.0, &format!("{count} digits, expected 20"))
    }

    fn used(&self, id: TokenId) -> Diagnosis {
        let mut detail = Map::new();
        let token = self.token();
        let same = self.meter.taken.iter().rev().find(|taken| Some(taken.token) == token);
        let other = self.taken_with(id);
        let evidence = match (same, other) {
            (Some(taken), _) => {
                detail.insert("accepted_as".into(), json!(taken.entry));
                format!("the same digits were accepted as entry {}", taken.entry)
            }
            (None, Some(taken)) => {
                detail.insert("accepted_as".into(), json!(taken.entry));
                format!("another token with TID {id} was accepted as entry {}", taken.entry)
            }
            (None, None) => format!("TID {id} is in the meter's memory"),
        };
        Diagnosis::certain_with(Cause::TidUsed, detail, evidence)
    }

    /// The token with this TID that was taken under the present base date.
    fn taken_with(&self, id: TokenId) -> Option<&crate::fleet::Taken> {
        let base_date = self.meter.base_date;
        let mut taken = self.meter.taken.iter().rev();
        taken.find(|taken| taken.tid == Some(id) && taken.base_date == base_date)
    }

    fn token(&self) -> Option<Token> {
        let keyed = Keyed::parse(&self.sighting.entered).ok()?;
        self.meter.profile().frame(&keyed).ok().map(|framed| framed.token())
    }

    /// An authentic token below the lowest TID kept.
    fn old(&self, id: TokenId, oldest_kept: TokenId) -> Diagnosis {
        let token = self.token();
        if self.meter.taken.iter().any(|taken| Some(taken.token) == token)
            || self.taken_with(id).is_some()
        {
            return self.used(id);
        }
        let base = self.meter.base_date;
        let bought = self.sighting.sold_at.or(self.sighting.entered_at);
        let reading = self.reading(base);
        let read = |base| TidReading::new(Some(base), reading.zone.clone()).unix_minutes(id);
        let agrees = |base| match (read(base), bought) {
            (Some(tid), Some(bought)) => (tid - bought).abs() <= WEEK,
            _ => false,
        };
        let mut detail = Map::new();
        detail.insert("tid".into(), json!(id.get()));
        detail.insert("oldest_kept".into(), json!(oldest_kept.get()));
        if let Some(other) = BaseDate::ALL.into_iter().find(|other| {
            *other != base && agrees(*other) && !agrees(base) && self.holds_key_with(*other)
        }) {
            detail.insert("base_date".into(), json!(other.year()));
            let evidence = format!("read from {}, the TID agrees with the sale", other.year());
            return Diagnosis::certain_with(Cause::BdtMismatch, detail, evidence);
        }
        let wrapped = bought.is_some_and(|bought| bought > base.last_unix_minute())
            && read(base)
                .zip(bought)
                .is_some_and(|(tid, bought)| (tid + (1 << 24) - bought).abs() <= WEEK);
        if wrapped {
            let evidence = format!("sold after the last minute of base date {}", base.year());
            return Diagnosis::certain_with(Cause::TidWrapped, detail, evidence);
        }
        if self.meter.kept_tids_over_base_date && (agrees(base) || bought.is_none()) {
            let evidence = "the base date was changed and the memory of TIDs was kept";
            return Diagnosis::certain_with(Cause::RolloverBitMissing, detail, evidence);
        }
        let early = read(base).zip(self.sighting.entered_at).is_some_and(|(tid, at)| tid > at);
        let far = self.sighting.sold_at.is_some() && !agrees(base);
        if far || early {
            let evidence = match read(base).zip(self.sighting.sold_at) {
                Some((tid, sold)) => format!("the TID is {} from the sale", duration(tid - sold)),
                None => "the TID is later than the entry".into(),
            };
            return Diagnosis::certain_with(Cause::TidClockOffset, detail, evidence);
        }
        let evidence = format!("TID {id} is below {oldest_kept}, the lowest the meter remembers");
        Diagnosis::certain_with(Cause::TidOld, detail, evidence)
    }

    /// Whether a held vending key with this base date gives the meter's key.
    fn holds_key_with(&self, base_date: BaseDate) -> bool {
        let attributes = self.meter.meter.attributes();
        self.ring.vending.iter().any(|entry| {
            entry.base_date == base_date
                && entry.sgc == attributes.sgc
                && entry.kt == attributes.kt
                && entry
                    .key
                    .derive(&self.meter.row.pan, self.meter.ea(), attributes, base_date)
                    .is_ok_and(|key| key.same_as(self.meter.meter.key()))
        })
    }

    fn reading(&self, base_date: BaseDate) -> TidReading {
        let attributes = self.meter.meter.attributes();
        let zone = self
            .ring
            .vending
            .iter()
            .find(|entry| {
                entry.sgc == attributes.sgc
                    && entry.krn == attributes.krn
                    && entry.base_date == base_date
            })
            .and_then(|entry| entry.tid_zone.clone());
        TidReading::new(Some(base_date), zone)
    }

    fn crc_error(&mut self, digits: &[u8], said: Option<Vec<TokenResult>>) -> Diagnosis {
        if let Some(token) = self.token() {
            self.try_held_keys(token);
            self.try_other_meters(token);
        }
        self.try_slips(digits);
        self.try_rounding(digits);
        let taken = said
            .is_some_and(|said| !said.is_empty() && said.iter().all(|result| result.is_taken()));
        let mut diagnosis = self.ranked_or(Cause::Unknown, PRIOR_UNKNOWN, "");
        if taken {
            // The meter took it, so it holds the key that explains the token: the record is wrong.
            let first = diagnosis.first().clone();
            if matches!(
                first.cause,
                Cause::KrnAhead
                    | Cause::KrnBehind
                    | Cause::KctIncomplete
                    | Cause::TiMismatch
                    | Cause::SgcMismatch
                    | Cause::KtMismatch
                    | Cause::EaMismatch
                    | Cause::BdtMismatch
                    | Cause::ConfigSeveral
                    | Cause::Unknown
            ) {
                let mut evidence = first.evidence.clone();
                evidence.push("the display says that the meter took it".into());
                diagnosis.causes.insert(0, Ranked { cause: Cause::RecordStale, evidence, ..first });
                diagnosis.causes.remove(1);
            }
        }
        diagnosis
    }

    /// Every configuration under a vending key that the user holds.
    fn try_held_keys(&mut self, token: Token) {
        if !token.class().is_encrypted() {
            return;
        }
        let (ring, meter) = (self.ring, self.meter);
        let own = *meter.meter.attributes();
        let mut algorithms = vec![meter.ea()];
        for ea in [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1]
            .into_iter()
            .chain(self.sighting.believed.ea)
        {
            if !algorithms.contains(&ea) {
                algorithms.push(ea);
            }
        }
        let wide = ring.vending.len() * algorithms.len() * 100 <= WIDE_SEARCH;
        let on_record = [Some(own.ti), self.sighting.believed.ti];
        for entry in &ring.vending {
            for &ea in &algorithms {
                for ti in 0..=TariffIndex::MAX.get() {
                    let Ok(ti) = TariffIndex::new(ti) else { continue };
                    if !wide && !on_record.contains(&Some(ti)) {
                        continue;
                    }
                    let base =
                        KeyAttributes { sgc: entry.sgc, krn: entry.krn, kt: entry.kt, ..own };
                    let attributes = attributes_with(base, ti);
                    let configuration = Configuration {
                        key_id: &entry.id,
                        attributes,
                        ea,
                        base_date: entry.base_date,
                        reading: TidReading::new(Some(entry.base_date), entry.tid_zone.clone()),
                    };
                    let Some(cause) = self.difference(&configuration) else { continue };
                    let key = entry.key.derive(&meter.row.pan, ea, &attributes, entry.base_date);
                    let Ok(key) = key else { continue };
                    if key.same_as(meter.meter.key()) {
                        continue;
                    }
                    self.try_key(token, &key, cause, &configuration);
                }
            }
        }
    }

    /// Which cause a configuration would show; `None` where it is the meter's own.
    fn difference(&self, other: &Configuration<'_>) -> Option<Cause> {
        let own = self.meter.meter.attributes();
        let attributes = &other.attributes;
        let sgc = attributes.sgc != own.sgc;
        let kt = attributes.kt != own.kt;
        let ti = attributes.ti != own.ti;
        let ea = other.ea != self.meter.ea();
        let krn = attributes.krn != own.krn;
        let date = other.base_date != self.meter.base_date;
        // A revision that differs with its group, and a base date with its revision, count once.
        let key = !sgc && (krn || date);
        let differing = [sgc, kt, ti, ea, key].into_iter().filter(|differs| *differs).count();
        Some(match differing {
            0 => return None,
            1 if sgc => Cause::SgcMismatch,
            1 if kt => Cause::KtMismatch,
            1 if ti => Cause::TiMismatch,
            1 if ea => Cause::EaMismatch,
            1 if !krn => Cause::BdtMismatch,
            1 if self.is_later(other) => {
                if self.meter.sections_accepted.is_empty() {
                    Cause::KrnAhead
                } else {
                    Cause::KctIncomplete
                }
            }
            1 => Cause::KrnBehind,
            _ => Cause::ConfigSeveral,
        })
    }

    fn is_later(&self, other: &Configuration<'_>) -> bool {
        if other.base_date != self.meter.base_date {
            return other.base_date > self.meter.base_date;
        }
        let own = i16::from(self.meter.meter.attributes().krn.get());
        let theirs = i16::from(other.attributes.krn.get());
        (1..=4).contains(&(theirs - own).rem_euclid(9))
    }

    fn count(&mut self, cause: Cause) {
        match self.tried.iter_mut().find(|(tried, _)| *tried == cause) {
            Some((_, count)) => *count += 1,
            None => self.tried.push((cause, 1)),
        }
    }

    fn try_key(
        &mut self,
        token: Token,
        key: &DecoderKey,
        cause: Cause,
        configuration: &Configuration<'_>,
    ) {
        self.count(cause);
        let Ok(payload) = token.open(key).authenticate() else { return };
        let attributes = &configuration.attributes;
        let mut detail = Map::new();
        detail.insert("key_id".into(), json!(configuration.key_id));
        let own = self.meter.meter.attributes();
        if attributes.sgc != own.sgc || cause == Cause::SgcMismatch {
            detail.insert("sgc".into(), json!(attributes.sgc.to_string()));
        }
        if attributes.krn != own.krn {
            detail.insert("krn".into(), json!(attributes.krn.get()));
        }
        if attributes.kt != own.kt {
            detail.insert("kt".into(), json!(attributes.kt.code()));
        }
        if attributes.ti != own.ti {
            detail.insert("ti".into(), json!(attributes.ti.to_string()));
        }
        if configuration.ea != self.meter.ea() {
            detail.insert("ea".into(), json!(configuration.ea.code()));
        }
        if configuration.base_date != self.meter.base_date {
            detail.insert("base_date".into(), json!(configuration.base_date.year()));
        }
        let mut evidence = vec![format!(
            "authenticates under KRN {} of SGC {}, TI {}, base date {}",
            attributes.krn,
            attributes.sgc,
            attributes.ti,
            configuration.base_date.year()
        )];
        let believed = self.sighting.believed;
        let mut ratio = 1.0;
        let mut weigh = |said: Option<bool>, what: &str| {
            if let Some(agrees) = said {
                ratio *= if agrees { 5.0 } else { 0.5 };
                if agrees {
                    evidence.push(format!("the vending record says the same {what}"));
                }
            }
        };
        if attributes.krn != own.krn {
            weigh(believed.krn.map(|krn| krn == attributes.krn), "KRN");
        }
        if attributes.ti != own.ti {
            weigh(believed.ti.map(|ti| ti == attributes.ti), "TI");
        }
        if attributes.sgc != own.sgc {
            weigh(believed.sgc.map(|sgc| sgc == attributes.sgc), "SGC");
        }
        if cause == Cause::KctIncomplete {
            detail.insert("sections_entered".into(), json!(self.meter.sections_accepted));
            let at = self.sighting.entered_at.and_then(|at| u64::try_from(at * 60).ok());
            let staged = at.is_some_and(|at| self.meter.meter.staged_sections(at).count() > 0);
            evidence.push(if staged {
                format!(
                    "sections {:?} of a key change are stored, the set is not whole",
                    self.meter.sections_accepted
                )
            } else {
                "sections of a key change were accepted and have timed out".into()
            });
        }
        self.keep(cause, &payload, &configuration.reading, ratio, detail, evidence);
    }

    /// The other meters of the case as they are now, and meter numbers one slip away.
    fn try_other_meters(&mut self, token: Token) {
        if !token.class().is_encrypted() {
            return;
        }
        let fleet = self.fleet;
        for (place, other) in fleet.meters.iter().enumerate() {
            if place == self.place || !other.has_key {
                continue;
            }
            self.count(Cause::OtherMeter);
            if let Ok(payload) = token.open(other.meter.key()).authenticate() {
                let mut detail = Map::new();
                detail.insert("pan".into(), json!(other.row.pan.as_str()));
                let evidence =
                    vec![format!("authenticates for meter {} of the case", other.row.pan.drn())];
                let reading = TidReading::new(Some(other.base_date), None);
                self.keep(Cause::OtherMeter, &payload, &reading, 3.0, detail, evidence);
            }
        }
        let own = *self.meter.meter.attributes();
        let (meter, ring) = (self.meter, self.ring);
        let known: Vec<&str> = fleet.meters.iter().map(|meter| meter.row.pan.drn()).collect();
        for drn in slips::number_variants(meter.row.pan.drn()) {
            if known.contains(&drn.as_str()) {
                continue;
            }
            let Ok(pan) = meter.row.pan.with_unchecked_drn(&drn) else { continue };
            let Some(key) = meter_key(ring, &pan, meter.ea(), &own, meter.base_date) else {
                continue;
            };
            self.count(Cause::OtherMeter);
            if let Ok(payload) = token.open(&key).authenticate() {
                let mut detail = Map::new();
                detail.insert("drn".into(), json!(drn));
                let evidence = vec![format!("authenticates for meter number {drn}, one slip away")];
                let reading = self.reading(meter.base_date);
                // A till that checks numbers lets few slips through: no single digit is one.
                let ratio = if DecoderReferenceNumber::parse(&drn).is_ok() { 1.0 } else { 0.1 };
                self.keep(Cause::OtherMeter, &payload, &reading, ratio, detail, evidence);
            }
        }
    }

    fn try_slips(&mut self, digits: &[u8]) {
        if digits.is_empty() {
            return;
        }
        let reading = self.reading(self.meter.base_date);
        for slip in slips::undo(digits, self.sighting.sold_at.is_some() && self.meter.has_key) {
            self.count(slip.cause);
            let Some(payload) = self.authentic(&slips::text(&slip.digits)) else { continue };
            let mut detail = Map::new();
            let token = slips::text(&slip.digits);
            detail.insert("position".into(), json!(slip.position));
            detail.insert("token".into(), json!(token));
            let evidence = vec![format!("right when undone: {}", slip.what)];
            // What the meter would refuse again explains less.
            let would_pass = self.meter.meter.clone().enter(&token, u64::MAX / 2).is_ok();
            let ratio = if would_pass { 1.0 } else { 0.05 };
            self.keep(slip.cause, &payload, &reading, ratio, detail, evidence);
        }
    }

    /// What the digits say for this meter, where they authenticate.
    fn authentic(&self, digits: &str) -> Option<Payload> {
        let keyed = Keyed::parse(digits).ok()?;
        let token = self.meter.profile().frame(&keyed).ok()?.token();
        if !token.class().is_encrypted() {
            // No key vouches for it, and a few such tokens are keyed by heart: weak evidence.
            return token.open_without_key()?.authenticate().ok();
        }
        if !self.meter.has_key {
            return None;
        }
        token.open(self.meter.meter.key()).authenticate().ok()
    }

    /// Leading zeros that a spreadsheet has dropped.
    fn try_lost_zeros(&mut self, digits: &[u8]) {
        if digits.is_empty() || digits.len() >= 20 {
            return;
        }
        self.count(Cause::FormatSpreadsheet);
        let token = format!("{:0>20}", slips::text(digits));
        if let Some(payload) = self.authentic(&token) {
            let mut detail = Map::new();
            detail.insert("token".into(), json!(token));
            let zeros = 20 - digits.len();
            let evidence = vec![format!("right when {zeros} leading zeros are put back")];
            let reading = self.reading(self.meter.base_date);
            self.keep(Cause::FormatSpreadsheet, &payload, &reading, 10.0, detail, evidence);
        }
    }

    /// Digits that a spreadsheet has rounded away: they cannot be computed back.
    fn try_rounding(&mut self, digits: &[u8]) {
        if digits.len() != 20 {
            return;
        }
        let text = slips::text(digits);
        let fifteen = text.ends_with("00000");
        let double = text.parse::<f64>().is_ok_and(|value| format!("{value:020.0}") == text);
        if fifteen || double {
            // Not a trial under a key: how rarely a token looks like this is what speaks for it.
            let (ratio, how) = if fifteen {
                (1e5, "the last five digits are zeros, as after rounding to 15 digits")
            } else {
                (4096.0, "the number is exactly a double, as a spreadsheet stores it")
            };
            let evidence = vec![how.to_owned()];
            let detail = Map::new();
            self.found.push(Match {
                cause: Cause::FormatSpreadsheet,
                likelihood_ratio: ratio,
                detail,
                evidence,
            });
        }
    }

    /// Keeps a candidate that passed the check, weighed by what else is known.
    fn keep(
        &mut self,
        cause: Cause,
        payload: &Payload,
        reading: &TidReading,
        ratio: f64,
        mut detail: Map<String, Value>,
        mut evidence: Vec<String>,
    ) {
        let weight = ratio * self.weigh(payload, reading, &mut evidence) / CHANCE;
        detail.insert("says".into(), json!(summary(payload)));
        self.found.push(Match { cause, likelihood_ratio: weight, detail, evidence });
    }

    /// How much better a true candidate explains what is known than a chance match does.
    fn weigh(&self, payload: &Payload, reading: &TidReading, evidence: &mut Vec<String>) -> f64 {
        let mut ratio = self.weigh_tid(payload, reading, evidence);
        let (class, subclass) = payload.kind();
        match payload {
            Payload::Credit { .. } | Payload::CurrencyCredit { .. } => {
                let takes = self.meter.profile().has_function(class, subclass);
                let taken =
                    (0..=7).filter(|s| self.meter.profile().has_function(class, *s)).count();
                let by_chance = f64::from(u32::try_from(taken).unwrap_or(8)) / 16.0;
                ratio *= if takes { 0.97 / by_chance.max(0.03) } else { 0.03 };
            }
            Payload::KeySection(_) | Payload::Set { .. } => ratio *= 0.5,
            Payload::MeterTest(_) | Payload::ExtendedRead { .. } => ratio *= 0.1,
            _ => ratio *= 0.01,
        }
        if let (Some(units), Payload::Credit { amount, .. }) = (self.sighting.units, payload) {
            let bought = u32::try_from(units).ok();
            let rounded = bought.and_then(|units| sts_core::Amount::round_up(units).ok());
            if rounded == Some(*amount) {
                evidence.push("the quantity is that of the receipt".into());
                ratio *= 0.95 * 16_384.0;
            } else {
                evidence.push("the quantity is not that of the receipt".into());
                ratio *= 0.05;
            }
        }
        ratio
    }

    fn weigh_tid(
        &self,
        payload: &Payload,
        reading: &TidReading,
        evidence: &mut Vec<String>,
    ) -> f64 {
        let Some(minutes) = payload.tid().and_then(|tid| reading.unix_minutes(tid)) else {
            return 1.0;
        };
        if let Some(sold) = self.sighting.sold_at {
            let apart = minutes - sold;
            evidence.push(match apart {
                0 => "TID is the minute of the sale".into(),
                _ if apart < 0 => format!("TID is {} before the sale", duration(apart)),
                _ => format!("TID is {} after the sale", duration(apart)),
            });
            // Shares of sales within each distance, spread over the minutes of that distance.
            let near = match apart.abs() {
                0..=10 => 0.85 / 21.0,
                11..=180 => 0.09 / 340.0,
                181..=1440 => 0.04 / 2_520.0,
                1441..=WEEK => 0.015 / 17_280.0,
                _ => 0.005 / TIDS,
            };
            return near * TIDS;
        }
        if let Some(entered) = self.sighting.entered_at {
            let age = entered - minutes;
            evidence.push(if age >= 0 {
                format!("TID is {} before the entry", duration(age))
            } else {
                format!("TID is {} after the entry", duration(age))
            });
            let near = match age {
                -180..=20_160 => 0.85 / 20_340.0,
                20_161..=525_600 => 0.13 / 505_440.0,
                _ => 0.02 / TIDS,
            };
            return near * TIDS;
        }
        1.0
    }

    /// The causes ranked, against the one that holds if nothing was found.
    fn ranked_or(&mut self, otherwise: Cause, weight: f64, evidence: &str) -> Diagnosis {
        let trials = self.tried.iter().map(|(_, count)| count).sum();
        let tried = std::mem::take(&mut self.tried);
        let count_of = |cause: Cause| {
            tried
                .iter()
                .find(|(other, _)| *other == cause)
                .map_or(1.0, |(_, count)| f64::from(*count))
        };
        let mut weighed: Vec<(f64, Match)> = std::mem::take(&mut self.found)
            .into_iter()
            .map(|found| {
                (prior(found.cause) / count_of(found.cause) * found.likelihood_ratio, found)
            })
            .collect();
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total = weight + weighed.iter().map(|(weight, _)| weight).sum::<f64>();
        let mut causes: Vec<Ranked> = Vec::new();
        for (weight, found) in weighed {
            let probability = weight / total;
            match causes.iter_mut().find(|ranked| ranked.cause == found.cause) {
                // Several readings of one cause: the best one's detail stands for it.
                Some(ranked) => ranked.probability += probability,
                None => causes.push(Ranked {
                    cause: found.cause,
                    probability,
                    detail: found.detail,
                    evidence: found.evidence,
                }),
            }
        }
        let nothing_found = causes.is_empty();
        let mut evidence: Vec<String> =
            if evidence.is_empty() { Vec::new() } else { vec![evidence.to_owned()] };
        if nothing_found && trials > 0 {
            evidence.push(format!("{trials} candidates tried, none authenticates"));
        }
        let probability = weight / total;
        causes.push(Ranked { cause: otherwise, probability, detail: Map::new(), evidence });
        causes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        if causes.len() > 1 {
            causes.retain(|ranked| ranked.probability >= 0.0005);
        }
        // Nothing that rests on a 16-bit check is certain.
        if !nothing_found {
            for ranked in &mut causes {
                ranked.probability = ranked.probability.min(0.9999);
            }
        }
        Diagnosis { causes, trials }
    }
}

const WEEK: i64 = 7 * 1440;

fn unknown(probability: f64, evidence: Vec<String>) -> Ranked {
    Ranked { cause: Cause::Unknown, probability, detail: Map::new(), evidence }
}

/// The digit values of an entry that holds nothing but digits and separators.
fn digits_of(entered: &str) -> Option<Vec<u8>> {
    Keyed::parse(entered).ok()?;
    Some(
        entered
            .chars()
            .filter_map(|found| found.to_digit(10).and_then(|digit| u8::try_from(digit).ok()))
            .collect(),
    )
}

/// `1.23E+19` and the like.
fn is_exponent_form(entered: &str) -> bool {
    entered.contains(['e', 'E'])
        && entered.replace(',', ".").parse::<f64>().is_ok_and(f64::is_finite)
}

/// Minutes as people say them.
fn duration(minutes: i64) -> String {
    let minutes = minutes.unsigned_abs();
    let say =
        |count: u64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match minutes {
        0..120 => say(minutes, "minute"),
        120..2880 => say(minutes / 60, "hour"),
        2880..1_051_200 => say(minutes / 1440, "day"),
        _ => say(minutes / 525_600, "year"),
    }
}
