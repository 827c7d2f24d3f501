//! From a refused entry to its cause, with the evidence.
//!
//! A meter knows only that a token does not authenticate. Here the keys held, the other meters of
//! the case, and the slips of fingers are tried in its place. Every candidate is counted, because
//! one wrong key in 65 536 passes the check. Matches are ranked by how much better they explain
//! what else is known (time of sale, quantity, subclass) than chance does.
//!
//! * `search` enumerates the candidates, from likely to remote; `trial` tries many at once, and
//!   `index` keeps what one search after another draws on.
//! * `weigh` says how well a match explains what is known; `model` holds the beliefs it rests on.
//! * `rank` turns weights into probabilities.
//!
//! No key is ever searched for: candidates are configurations under keys that the user holds.

mod index;
mod model;
mod rank;
mod search;
mod trial;
mod weigh;

use serde_json::{Map, Value, json};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes, KeyRevisionNumber, KeyType};
use sts_core::{
    BaseDate, Class, DecoderReferenceNumber, Keyed, MeterPan, Rejection, SupplyGroupCode,
    TariffIndex, Token, TokenId, TokenResult,
};

use self::model::Likelihood;
pub use self::model::{Experience, Model};
use self::search::Search;
pub(crate) use self::trial::{
    Configuration, TARIFFS, open_under, open_under_tariffs, tariff_index,
};
use crate::cause::Cause;
use crate::describe::TidReading;
use crate::fleet::{Answer, Fleet, TrackedMeter};
use crate::history::Taken;
use crate::keys::KeyRing;
use crate::slips;
pub use sts_batch::{Batch, Lanes};

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
    /// Its unit: kWh, m3 or min.
    pub unit: Option<String>,
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

impl Believed {
    /// Whether each column that is there agrees with a meter's settings.
    pub(crate) fn agreement(&self, own: &KeyAttributes, ea: EncryptionAlgorithm) -> Vec<bool> {
        let columns = [
            self.sgc.map(|sgc| sgc == own.sgc),
            self.krn.map(|krn| krn == own.krn),
            self.ti.map(|ti| ti == own.ti),
            self.kt.map(|kt| kt == own.kt),
            self.ea.map(|believed| believed == ea),
        ];
        columns.into_iter().flatten().collect()
    }
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
    /// The configuration it was found in.
    pub(crate) made: Option<MadeUnder>,
}

/// A configuration in which a token was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MadeUnder {
    /// The place of the vending key in the ring.
    pub(crate) key: usize,
    pub(crate) ti: TariffIndex,
    pub(crate) ea: EncryptionAlgorithm,
}

/// Why an entry was refused, as far as can be told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Most probable first; never empty.
    pub causes: Vec<Ranked>,
    /// How many candidates were tried.
    pub trials: u32,
    /// Whether anything was searched: if not, the cause follows from the result alone.
    pub searched: bool,
}

impl Diagnosis {
    pub(crate) fn certain(cause: Cause, evidence: impl Into<String>) -> Self {
        Self::certain_with(cause, Map::new(), evidence)
    }

    fn certain_with(cause: Cause, detail: Map<String, Value>, evidence: impl Into<String>) -> Self {
        let evidence = vec![evidence.into()];
        Self {
            causes: vec![Ranked { cause, probability: 1.0, detail, evidence, made: None }],
            trials: 0,
            searched: false,
        }
    }

    /// Where no display has confirmed that the meter is as recorded, what rests on its record is
    /// less sure.
    pub(crate) fn doubted(&mut self, doubt: f64) {
        let most = 1.0 - doubt;
        let first = &mut self.causes[0];
        if first.cause.rests_on_record() && first.probability > most {
            first.probability = most;
            first.evidence.push("no display has confirmed the meter's record so far".into());
        }
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

/// How causes are searched for.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever starts a search")]
pub struct Settings {
    /// What is believed of causes and records.
    pub model: Model,
    /// What candidates are tried by.
    pub batch: Batch,
    /// Whether each meter is judged as if it were the only one: nothing is looked for at other
    /// meters of the case, nor learned from them. What is said of a meter then depends on its own
    /// entries alone, however a case is cut into parts.
    pub alone: bool,
}

/// Finds causes in one case: its keys, its meters as they are now, and what it has taught so far.
#[derive(Debug)]
pub struct Finder<'c> {
    ring: &'c KeyRing,
    model: Model,
    experience: Experience,
    index: index::Index,
}

impl<'c> Finder<'c> {
    /// For the keys and meters of a case.
    #[must_use]
    pub fn new(ring: &'c KeyRing, fleet: &Fleet, settings: Settings) -> Self {
        let Settings { model, batch, .. } = settings;
        let index = index::Index::new(ring, fleet, batch);
        Self { ring, model, experience: Experience::default(), index }
    }

    /// A meter's key or settings are others now.
    pub fn meter_changed(&mut self, place: usize, meter: &TrackedMeter) {
        self.index.meter_changed(self.ring, place, meter);
    }

    /// Its beliefs.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    fn likelihood(&self) -> Likelihood<'_> {
        Likelihood { model: &self.model, experience: &self.experience }
    }

    /// How probable it is that a wrong record hides another cause than the one found.
    pub(crate) fn doubt(&self) -> f64 {
        self.likelihood().doubt()
    }

    /// The odds that a meter holds the key which a token it refuses was made under.
    pub(crate) fn stale_odds(&self) -> f64 {
        self.likelihood().stale_odds()
    }

    /// What accepted tokens and earlier refusals have taught.
    pub const fn experience_mut(&mut self) -> &mut Experience {
        &mut self.experience
    }

    /// Whether finding the cause of such an answer takes a search.
    #[must_use]
    pub const fn searches(answer: &Answer) -> bool {
        matches!(
            answer.rejection,
            Some(
                Rejection::Crc
                    | Rejection::Length { .. }
                    | Rejection::OutOfRange
                    | Rejection::MfrCode { .. }
                    | Rejection::ReservedClass
            )
        )
    }

    /// Finds why an entry was refused; `None` where it was taken and nothing contradicts that, or
    /// no key is held. `meter` is the one at `place` as it was when it answered.
    #[must_use]
    pub fn diagnose(
        &self,
        fleet: &Fleet,
        place: usize,
        meter: &TrackedMeter,
        answer: &Answer,
        sighting: &Sighting,
    ) -> Option<Diagnosis> {
        Inquiry { finder: self, fleet, place, meter, sighting }.diagnose(answer)
    }
}

/// One refused entry.
#[derive(Clone, Copy)]
struct Inquiry<'a> {
    finder: &'a Finder<'a>,
    fleet: &'a Fleet,
    place: usize,
    meter: &'a TrackedMeter,
    sighting: &'a Sighting,
}

impl Inquiry<'_> {
    fn diagnose(&self, answer: &Answer) -> Option<Diagnosis> {
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
            let mut search = self.search();
            // Zeros come from a till, not from fingers: no slip explains them.
            if digits.iter().any(|digit| *digit != 0) {
                search.slips(digits);
                search.lost_zeros(digits);
            }
            return Some(search.into_ranking().or(Cause::NotToken, &what));
        }
        if let Some(text) = self.displayed_fault() {
            let evidence = format!("the display said {text:?}, which is no answer to a token");
            return Some(Diagnosis::certain(Cause::NotTokenFault, evidence));
        }
        let digits = digits.unwrap_or_default();
        let certain = |cause| Some(Diagnosis::certain(cause, rejection.to_string()));
        match rejection {
            Rejection::NonDigit { position, found } => Some(if is_exponent_form(entered) {
                Diagnosis::certain(Cause::FormatSpreadsheet, "the number is in exponent form")
            } else {
                let evidence = format!("character {} is {found:?}", position + 1);
                Diagnosis::certain(Cause::FormatNondigit, evidence)
            }),
            Rejection::Length { digits: count, .. } => Some(self.wrong_length(&digits, *count)),
            Rejection::OutOfRange => {
                let mut search = self.search();
                search.slips(&digits);
                search.slips_under_other_keys(&digits);
                search.rounding(&digits);
                let ranking = search.into_ranking();
                Some(ranking.or(Cause::FormatOutOfRange, "the number is above 2^66 - 1"))
            }
            Rejection::ExtensionCheck { .. }
            | Rejection::ExtensionKeyRevision { .. }
            | Rejection::ExtensionResource { .. } => certain(Cause::ExtensionMismatch),
            Rejection::Crc => Some(self.crc_error(&digits, said)),
            Rejection::MfrCode { .. } | Rejection::ReservedClass => {
                let cause = if matches!(rejection, Rejection::ReservedClass) {
                    Cause::FunctionOther
                } else {
                    Cause::MfrCode
                };
                let mut search = self.search();
                search.slips(&digits);
                search.slips_under_other_keys(&digits);
                Some(search.into_ranking().or(cause, &rejection.to_string()))
            }
            Rejection::DefaultKey { .. } => certain(Cause::KeyDefault),
            Rejection::KeyExpired { .. } => certain(Cause::KeyExpired),
            Rejection::Used { id, .. } => Some(self.used(*id)),
            Rejection::Old { id, oldest_kept, .. } => Some(self.old(*id, *oldest_kept)),
            Rejection::KeyType { .. } => certain(Cause::KctKeyType),
            Rejection::SectionOrder { .. } | Rejection::UnsupportedSection { .. } => {
                certain(Cause::KctUnsupported)
            }
            Rejection::Range { .. } => certain(Cause::Range),
            Rejection::Unsupported { class: Class::Credit, .. } => certain(Cause::FunctionResource),
            Rejection::Unsupported { .. } | Rejection::UnknownTest => certain(Cause::FunctionOther),
            Rejection::Overflow { .. } => certain(Cause::Overflow),
            _ => certain(Cause::Unknown),
        }
    }

    fn search(&self) -> Search<'_> {
        Search::new(self.finder, self.fleet, self.place, self.meter, self.sighting)
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
        // Whoever noted the display may have been wrong.
        let mut diagnosis = Diagnosis::certain_with(Cause::RecordStale, detail, evidence);
        diagnosis.causes[0].probability = self.finder.model.records.displayed;
        Some(diagnosis)
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
        let is_meter =
            MeterPan::parse(&text).is_ok() || DecoderReferenceNumber::parse(&text).is_ok();
        if is_meter {
            return Some("the digits are the number of a meter".into());
        }
        let phone =
            (9..=11).contains(&digits.len()) && (text.starts_with('0') || text.starts_with("27"));
        phone.then(|| "the digits look like a telephone number".into())
    }

    fn wrong_length(&self, digits: &[u8], count: u16) -> Diagnosis {
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
                let mut search = self.search();
                search.slips(digits);
                let evidence = format!("{count} digits in a form of an earlier firmware");
                let mut diagnosis = search.into_ranking().or(Cause::LengthBehind, &evidence);
                if let Some(behind) =
                    diagnosis.causes.iter_mut().find(|ranked| ranked.cause == Cause::LengthBehind)
                {
                    behind.detail = named(firmware);
                }
                return diagnosis;
            }
        }
        let mut search = self.search();
        search.lost_zeros(digits);
        search.rounding(digits);
        search.slips(digits);
        search.slips_under_other_keys(digits);
        search.into_ranking().or(Cause::LengthOther, &format!("{count} digits, expected 20"))
    }

    fn used(&self, id: TokenId) -> Diagnosis {
        let mut detail = Map::new();
        let token = self.token();
        let same = self.meter.taken.last(|taken| Some(taken.token) == token);
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
    fn taken_with(&self, id: TokenId) -> Option<Taken<'_>> {
        let base_date = self.meter.base_date;
        self.meter.taken.last(|taken| taken.tid == Some(id) && taken.base_date == base_date)
    }

    fn token(&self) -> Option<Token> {
        let keyed = Keyed::parse(&self.sighting.entered).ok()?;
        self.meter.profile().frame(&keyed).ok().map(|framed| framed.token())
    }

    /// An authentic token below the lowest TID kept.
    fn old(&self, id: TokenId, oldest_kept: TokenId) -> Diagnosis {
        let token = self.token();
        if self.meter.taken.last(|taken| Some(taken.token) == token).is_some()
            || self.taken_with(id).is_some()
        {
            return self.used(id);
        }
        let base = self.meter.base_date;
        let bought = self.sighting.sold_at.or(self.sighting.entered_at);
        let reading = self.reading(base);
        let read = |base| TidReading::new(Some(base), reading.zone.clone()).unix_minutes(id);
        let agrees = |base| match (read(base), self.sighting.sold_at, self.sighting.entered_at) {
            (Some(tid), Some(sold), _) => (tid - sold).abs() <= WEEK,
            // People keep tokens for a while.
            (Some(tid), None, Some(entered)) => (-WEEK..=SEASON).contains(&(entered - tid)),
            _ => false,
        };
        let mut detail = Map::new();
        detail.insert("tid".into(), json!(id.get()));
        detail.insert("oldest_kept".into(), json!(oldest_kept.get()));
        if let Some(other) = BaseDate::ALL
            .into_iter()
            .find(|other| *other != base && agrees(*other) && !agrees(base))
        {
            detail.insert("base_date".into(), json!(other.year()));
            let (known, sure) = match self.sighting.sold_at {
                Some(_) => ("sale", 0.999),
                None => ("entry", 0.97),
            };
            let evidence = format!("read from {}, the TID agrees with the {known}", other.year());
            let mut diagnosis = Diagnosis::certain_with(Cause::BdtMismatch, detail, evidence);
            diagnosis.causes[0].probability = sure;
            return diagnosis;
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

    fn crc_error(&self, digits: &[u8], said: Option<Vec<TokenResult>>) -> Diagnosis {
        let mut search = self.search();
        search.slips(digits);
        search.rounding(digits);
        if let Some(token) = self.token() {
            search.configurations(token);
        }
        search.slips_under_other_keys(digits);
        let ranking = search.into_ranking();
        let taken = said
            .is_some_and(|said| !said.is_empty() && said.iter().all(|result| result.is_taken()));
        let ranking = if taken { ranking.with_stale_record() } else { ranking };
        ranking.or(Cause::Unknown, "")
    }

    fn reading(&self, base_date: BaseDate) -> TidReading {
        reading(self.finder.ring, self.meter, base_date)
    }
}

/// How a meter's TIDs are read under a base date.
fn reading(ring: &KeyRing, meter: &TrackedMeter, base_date: BaseDate) -> TidReading {
    let attributes = meter.meter.attributes();
    let entry = ring.vending.iter().find(|entry| {
        entry.sgc == attributes.sgc && entry.krn == attributes.krn && entry.base_date == base_date
    });
    TidReading::new(Some(base_date), entry.and_then(|entry| entry.tid_zone.clone()))
}

const WEEK: i64 = 7 * 1440;
const SEASON: i64 = 92 * 1440;

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

#[cfg(test)]
mod tests {
    use sts_core::Payload;

    use super::*;
    use crate::case::Case;
    use crate::fixture::{case, credit};
    use crate::keys::VendingEntry;

    #[test]
    fn minutes_are_told_in_the_unit_that_people_would_use() {
        for (minutes, said) in [
            (0, "0 minutes"),
            (1, "1 minute"),
            (-119, "119 minutes"),
            (120, "2 hours"),
            (2879, "47 hours"),
            (-2880, "2 days"),
            (1_051_199, "729 days"),
            (1_051_200, "2 years"),
        ] {
            assert_eq!(duration(minutes), said, "{minutes}");
        }
    }

    #[test]
    fn exponent_form_is_a_number_and_not_a_word() {
        for (entered, is) in [
            ("1.23457E+19", true),
            ("1,23457e19", true),
            ("1.5", false),
            ("18446744073709551615", false),
            ("1E999", false),
            ("meter", false),
        ] {
            assert_eq!(is_exponent_form(entered), is, "{entered}");
        }
    }

    #[test]
    fn digits_are_those_of_an_entry_that_has_no_other_characters() {
        assert_eq!(digits_of("1234 5678-90").as_deref(), Some(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 0][..]));
        assert_eq!(digits_of("1234O"), None);
    }

    #[test]
    fn doubt_takes_of_what_is_surer_and_rests_on_the_record() {
        let doubted = |cause, probability, doubt| {
            let mut diagnosis = Diagnosis::certain(cause, "seen");
            diagnosis.causes[0].probability = probability;
            diagnosis.doubted(doubt);
            (diagnosis.first().probability, diagnosis.first().evidence.len())
        };
        assert_eq!(doubted(Cause::TidUsed, 1.0, 0.25), (0.75, 2));
        assert_eq!(doubted(Cause::TidUsed, 0.5, 0.25), (0.5, 1));
        assert_eq!(doubted(Cause::TidUsed, 1.0, 0.0), (1.0, 1), "no doubt, no word of it");
        assert_eq!(doubted(Cause::FormatNondigit, 1.0, 0.25), (1.0, 1));
    }

    #[test]
    fn one_trial_in_65536_passes_by_chance() {
        let trials = 131_072;
        let diagnosis = Diagnosis { trials, ..Diagnosis::certain(Cause::Unknown, "") };
        assert!((diagnosis.expected_chance_matches() - 2.0).abs() < 1e-12);
    }

    /// What is made of a token with this TID below what the first meter keeps.
    fn old(case: &Case, id: u32, sold_at: Option<i64>, entered_at: Option<i64>) -> Diagnosis {
        let finder = Finder::new(&case.keys, &case.fleet, Settings::default());
        let meter = &case.fleet.meters[0];
        let Payload::Credit { commodity, rnd, amount, .. } = credit() else { unreachable!() };
        let tid = TokenId::new(id).unwrap();
        let payload = Payload::Credit { commodity, rnd: rnd ^ 1, tid, amount };
        let entered = Token::seal(&payload, meter.meter.key()).to_string();
        let sighting = Sighting { entered, sold_at, entered_at, ..Sighting::default() };
        Inquiry { finder: &finder, fleet: &case.fleet, place: 0, meter, sighting: &sighting }
            .old(tid, TokenId::new(id + 1).unwrap())
    }

    fn beginning(base: BaseDate) -> i64 {
        base.last_unix_minute() - ((1 << 24) - 1)
    }

    #[test]
    fn tid_that_has_wrapped_was_sold_after_the_last_minute() {
        let case = case();
        let wrapped = 1 << 24;
        let sold = |after: i64| Some(beginning(BaseDate::Y1993) + after);
        let cause = |id, after| old(&case, id, sold(after), None).first().cause;
        assert_eq!(cause(0, wrapped), Cause::TidWrapped);
        assert_eq!(cause(0, wrapped + WEEK), Cause::TidWrapped);
        assert_eq!(cause(0, wrapped + WEEK + 1), Cause::TidClockOffset);
        assert_eq!(cause(100, wrapped + 100 - WEEK), Cause::TidClockOffset, "not yet");
        assert_eq!(cause(0, wrapped - 1), Cause::TidClockOffset, "the last minute itself");
        assert_eq!(cause(9_000_000, wrapped + 5), Cause::TidClockOffset, "another time altogether");
    }

    #[test]
    fn token_is_kept_for_a_season_before_it_is_entered() {
        let case = case();
        let id = 1_000_000;
        let made = beginning(BaseDate::Y2014) + i64::from(id);
        let cause = |entered| old(&case, id, None, Some(made + entered)).first().cause;
        for (entered, other_base_date) in [
            (0, true),
            (92 * 1440, true),
            (92 * 1440 + 1, false),
            (-WEEK, true),
            (-WEEK - 1, false),
        ] {
            let expected = if other_base_date { Cause::BdtMismatch } else { Cause::TidOld };
            assert_eq!(cause(entered), expected, "{entered}");
        }
    }

    /// Vending systems that count TIDs in local time are known by a setting of their key.
    #[test]
    fn tids_are_read_in_the_zone_of_the_key() {
        let mut case = case();
        let zone = |text: &str| crate::time::Zone::parse(text).ok();
        let [own, later, far] = [0, 1, 2].map(|at| case.keys.vending[at].clone());
        // In front of it, others that differ in one setting each.
        case.keys.vending = [
            VendingEntry { sgc: far.sgc, tid_zone: zone("+05:00"), ..own.clone() },
            VendingEntry { krn: later.krn, tid_zone: zone("+06:00"), ..own.clone() },
            VendingEntry { base_date: later.base_date, tid_zone: zone("+07:00"), ..own.clone() },
            VendingEntry { tid_zone: zone("+02:00"), ..own },
        ]
        .to_vec();
        let id = 1_000_000;
        let made = beginning(BaseDate::Y1993) + i64::from(id) - 120;
        let cause = |after| old(&case, id, Some(made + after), None).first().cause;
        for (after, near) in [(WEEK, true), (WEEK + 1, false), (-WEEK, true), (-WEEK - 1, false)] {
            let expected = if near { Cause::TidOld } else { Cause::TidClockOffset };
            assert_eq!(cause(after), expected, "{after}");
        }
    }

    #[test]
    fn old_token_whose_tid_was_taken_is_used() {
        let mut case = case();
        let Payload::Credit { tid, .. } = credit() else { unreachable!() };
        let sold = Some(beginning(BaseDate::Y1993) + i64::from(tid.get()));
        assert_eq!(old(&case, tid.get(), sold, None).first().cause, Cause::TidOld);
        let token = Token::seal(&credit(), case.fleet.meters[0].meter.key()).to_string();
        case.fleet.meters[0].enter(&token, 1_730_451_600, "e1", &case.keys);
        let used = old(&case, tid.get(), sold, None);
        assert_eq!(used.first().cause, Cause::TidUsed);
        let said = format!("another token with TID {tid} was accepted as entry e1");
        assert_eq!(used.first().evidence, [said]);
    }

    #[test]
    fn what_is_certainly_no_token_is_known_by_its_length_and_beginning() {
        let case = case();
        let finder = Finder::new(&case.keys, &case.fleet, Settings::default());
        let meter = &case.fleet.meters[0];
        let sighting = Sighting::default();
        let inquiry =
            Inquiry { finder: &finder, fleet: &case.fleet, place: 0, meter, sighting: &sighting };
        let said = |text: &str| inquiry.not_a_token(&digits_of(text).unwrap());
        for (text, expected) in [
            ("00000000000000000000", "all digits are zero: the placeholder of a trial sale"),
            ("0", "all digits are zero: the placeholder of a trial sale"),
            ("1", "1 digits, as many as a PIN"),
            ("123456", "6 digits, as many as a PIN"),
            ("01202401012", "the digits are the number of a meter"),
            (meter.row.pan.as_str(), "the digits are the number of a meter"),
            ("012345678", "the digits look like a telephone number"),
            ("27123456789", "the digits look like a telephone number"),
        ] {
            assert_eq!(said(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["1234567", "02345678", "012345678901", "32123456789", "18446744073709551615"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
