//! The candidates for a refused entry, from likely to remote.
//!
//! * Slips of the fingers, undone, under the meter's own key.
//! * Configurations: keys held × tariff index × algorithm, the base date going with the key.
//! * Other meters of the case, numbers one slip away, other forms of the number.
//!
//! A stage is left out where what was found before explains the entry beyond doubt, or where the
//! cap on candidates is reached, which is said.

use serde_json::{Map, Value, json};
use sts_core::key::EncryptionAlgorithm;
use sts_core::{DecoderKey, DecoderReferenceNumber, Keyed, MeterPan, Payload, TariffIndex, Token};

use super::index::{is_other_key, other_keys_of};
use super::rank::{Match, Ranking};
use super::trial::{
    Configuration, TARIFFS, open_each, open_many, open_under, open_under_tariffs, tariff_index,
};
use super::weigh::Scales;
use super::{CHANCE, Finder, MadeUnder, Sighting, reading};
use crate::cause::Cause;
use crate::describe::{TidReading, summary};
use crate::fleet::{Fleet, TrackedMeter, meter_key};
use crate::keys::VendingEntry;
use crate::slips::{self, Digits, Undone};
use crate::time::format_minutes;

/// In what a configuration differs from the meter's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Difference {
    sgc: bool,
    kt: bool,
    /// Revision or base date, where the group is the same.
    key: bool,
    ti: bool,
    ea: bool,
}

impl Difference {
    /// The same but for one setting each, and how often that one is stale in a record beside
    /// others; `other_key` tells whether the revision or base date differs, whatever the group.
    fn but_for_one(self, other_key: bool) -> [(&'static str, f64, Option<Self>); 5] {
        let without = |differs: bool, rest: Self| differs.then_some(rest);
        [
            ("KRN", 0.5, without(self.key, Self { key: false, ..self })),
            ("TI", 0.2, without(self.ti, Self { ti: false, ..self })),
            ("SGC", 0.2, without(self.sgc, Self { sgc: false, key: other_key, ..self })),
            ("key type", 0.05, without(self.kt, Self { kt: false, ..self })),
            ("EA", 0.05, without(self.ea, Self { ea: false, ..self })),
        ]
    }
}

/// A search for the causes of one refused entry.
pub(super) struct Search<'a> {
    finder: &'a Finder<'a>,
    fleet: &'a Fleet,
    place: usize,
    meter: &'a TrackedMeter,
    sighting: &'a Sighting,
    scales: Scales<'a>,
    /// Meters whose numbers are one slip away.
    neighbours: Vec<MeterPan>,
    found: Vec<Match>,
    /// Configurations met before their turn, through a meter with the same key.
    aliases: Vec<(usize, TariffIndex)>,
    trials: u64,
    stopped: Option<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        finder: &'a Finder<'a>,
        fleet: &'a Fleet,
        place: usize,
        meter: &'a TrackedMeter,
        sighting: &'a Sighting,
    ) -> Self {
        let likelihood = finder.likelihood();
        let scales = Scales { likelihood, sighting, meter, ring: finder.ring };
        Self {
            finder,
            fleet,
            place,
            meter,
            sighting,
            scales,
            neighbours: slips::neighbours(&meter.row.pan),
            found: Vec::new(),
            aliases: Vec::new(),
            trials: 0,
            stopped: None,
        }
    }

    pub(super) fn into_ranking(self) -> Ranking<'a> {
        let Self { scales, found, trials, stopped, .. } = self;
        Ranking { likelihood: scales.likelihood, found, trials, otherwise: 1.0, stopped }
    }

    // ------------------------------------------------------------------------------------- slips

    /// Entries from which one slip makes these digits.
    pub(super) fn slips(&mut self, digits: &[u8]) {
        if digits.is_empty() {
            return;
        }
        let undone = slips::undo(digits, self.meter.has_key);
        self.trials += undone.len() as u64;
        let reading = reading(self.finder.ring, self.meter, self.meter.base_date);
        let framed = self.all_framed(&undone);
        // No key vouches for some, and a few such tokens are keyed by heart: weak evidence.
        let keyless = framed
            .iter()
            .filter_map(|(at, token)| Some((*at, token.open_without_key()?.authenticate().ok()?)));
        let mut authentic: Vec<(usize, Payload)> = keyless.collect();
        if self.meter.has_key {
            let key = self.meter.meter.key();
            authentic.extend(open_many(self.finder.index.batch, &framed, key));
        }
        authentic.sort_by_key(|(at, _)| *at);
        for (at, payload) in authentic {
            let slip = &undone[at];
            let token = slips::text(slip.digits.values());
            let mut detail = Map::new();
            detail.insert("position".into(), json!(slip.position));
            detail.insert("token".into(), json!(token));
            let evidence = vec![format!("right when undone: {}", slip.what())];
            // What the meter would refuse again explains less.
            let would_pass = self.meter.meter.clone().enter(&token, u64::MAX / 2).is_ok();
            let ratio = if would_pass { 1.0 } else { 0.05 };
            let share = ratio / alike(&undone, slip) * self.believed_own(&mut Vec::new());
            self.keep(slip.cause(), share, &payload, &reading, detail, evidence);
        }
    }

    /// The same under other held keys that the meter may have: its record may be stale.
    pub(super) fn slips_under_other_keys(&mut self, digits: &[u8]) {
        if digits.is_empty() || self.is_settled() {
            return;
        }
        let undone = slips::undo(digits, true);
        let keys = self.keys_of_stale_records(undone.len() > MANY_SLIPS);
        if keys.is_empty() || !self.take_on(keys.len() * undone.len(), "slips under other keys") {
            return;
        }
        let framed = self.all_framed(&undone);
        let (keys, shares): (Vec<DecoderKey>, Vec<(Configuration<'_>, f64)>) = keys
            .into_iter()
            .filter_map(|(configuration, share)| {
                let key = configuration.key(&self.meter.row.pan)?;
                let is_own = key.same_as(self.meter.meter.key());
                (!is_own).then_some((key, (configuration, share)))
            })
            .unzip();
        for (at, key, payload) in open_each(self.finder.index.batch, &framed, &keys) {
            let (configuration, share) = shares[key];
            let Configuration { entry, ti, ea } = configuration;
            let slip = &undone[at];
            let mut detail = Map::new();
            detail.insert("position".into(), json!(slip.position));
            detail.insert("token".into(), json!(slips::text(slip.digits.values())));
            detail.insert("key_id".into(), json!(entry.id));
            let mut evidence = vec![format!(
                "right when undone, under KRN {} of SGC {}, TI {ti}, which the meter's record \
                 does not say: {}",
                entry.krn,
                entry.sgc,
                slip.what()
            )];
            let believed = self.scales.believed(&configuration.attributes(), ea, &mut evidence);
            let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
            let share = share * believed / alike(&undone, slip);
            self.keep(slip.cause(), share, &payload, &reading, detail, evidence);
            self.made_under(self.found.len() - 1, &configuration);
        }
    }

    /// Says under which configuration the matches from one on were found.
    fn made_under(&mut self, from: usize, configuration: &Configuration<'_>) {
        let Configuration { entry, ti, ea } = *configuration;
        let key = self.finder.ring.vending.iter().position(|held| std::ptr::eq(held, entry));
        for found in &mut self.found[from..] {
            found.made = key.map(|key| MadeUnder { key, ti, ea });
        }
    }

    /// Configurations that the meter may have if its record is wrong, and how probable each is:
    /// another key, most often, or another tariff index.
    fn keys_of_stale_records(&self, few: bool) -> Vec<(Configuration<'a>, f64)> {
        let own = *self.meter.meter.attributes();
        let (ring, index) = (self.finder.ring, &self.finder.index);
        let near: Vec<&VendingEntry> =
            ring.vending.iter().filter(|entry| self.is_near(entry)).collect();
        let others = near.iter().filter(|entry| !self.is_own(entry)).count();
        let believed = self.sighting.believed.ti;
        let stale = self.finder.model.stale.share;
        let mut keys = Vec::new();
        for entry in near {
            for ti in (0..TARIFFS).filter_map(tariff_index) {
                let share = match (self.is_own(entry), ti == own.ti) {
                    (true, true) => continue,
                    (false, true) => 0.6 / size(others),
                    (true, false) => 0.3 * index.tariff(ti, own.ti),
                    (false, false) => 0.1 * index.tariff(ti, own.ti) / size(others),
                };
                if ti == own.ti || Some(ti) == believed || !few {
                    keys.push((Configuration { entry, ti, ea: self.meter.ea() }, stale * share));
                }
            }
        }
        keys
    }

    /// Whether the meter's key is derived from this one, as its record has it.
    fn is_own(&self, entry: &VendingEntry) -> bool {
        let own = self.meter.meter.attributes();
        entry.sgc == own.sgc && entry.kt == own.kt && !is_other_key(entry, self.meter)
    }

    /// The tokens that entries hold, each with its place.
    fn all_framed(&self, undone: &[Undone]) -> Vec<(usize, Token)> {
        let framed = undone.iter().map(|slip| self.framed(&slip.digits));
        framed.enumerate().filter_map(|(at, token)| Some((at, token?))).collect()
    }

    fn framed(&self, digits: &Digits) -> Option<Token> {
        let keyed = Keyed::from_digits(digits.values())?;
        Some(self.meter.profile().frame(&keyed).ok()?.token())
    }

    /// What the digits say for this meter, where they authenticate.
    fn authentic(&self, digits: &Digits) -> Option<Payload> {
        let token = self.framed(digits)?;
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
    pub(super) fn lost_zeros(&mut self, digits: &[u8]) {
        if digits.is_empty() || digits.len() >= 20 {
            return;
        }
        self.trials += 1;
        let zeros = [0; 20];
        let restored = Digits::from_parts([&zeros[digits.len()..], digits]);
        let Some(payload) = self.authentic(&restored) else { return };
        let token = slips::text(restored.values());
        let mut detail = Map::new();
        detail.insert("token".into(), json!(token));
        let zeros = 20 - digits.len();
        let evidence = vec![format!("right when {zeros} leading zeros are put back")];
        let reading = reading(self.finder.ring, self.meter, self.meter.base_date);
        self.keep(Cause::FormatSpreadsheet, 0.5, &payload, &reading, detail, evidence);
    }

    /// Digits that a spreadsheet has rounded away: they cannot be computed back.
    pub(super) fn rounding(&mut self, digits: &[u8]) {
        // Shorter where zeros in front were lost as well.
        if !(17..=20).contains(&digits.len()) {
            return;
        }
        let text = slips::text(digits);
        let cut = digits.len() - KEPT_BY_SPREADSHEETS;
        let double = text
            .parse::<f64>()
            .ok()
            .filter(|double| format!("{double:020.0}") == format!("{text:0>20}"));
        // Not a trial under a key: how rarely a token looks like this is what speaks for it.
        let (ratio, how) = if digits.ends_with(&[0; 5][5 - cut.min(5)..]) {
            let how = format!("the last {cut} digits are zeros, as after rounding to 15 digits");
            (10_f64.powi(i32::try_from(cut).unwrap_or(5)), how)
        } else if let Some(double) = double {
            let how = "the number is exactly a double, as a spreadsheet stores it";
            (double.next_up() - double, how.to_owned())
        } else {
            return;
        };
        self.found.push(Match {
            cause: Cause::FormatSpreadsheet,
            weight: 0.4 * ratio.max(1.0) * CHANCE,
            detail: Map::new(),
            evidence: vec![how],
            supported: false,
            made: None,
        });
    }

    // ----------------------------------------------------------------------------- configurations

    /// Keys and meters under which the token may have been made.
    pub(super) fn configurations(&mut self, token: Token) {
        if !token.class().is_encrypted() {
            return;
        }
        let ea = self.meter.ea();
        let ring = self.finder.ring;
        let (near, far): (Vec<usize>, Vec<usize>) =
            (0..ring.vending.len()).partition(|at| self.is_near(&ring.vending[*at]));
        self.held_keys(token, &near, ea);
        self.meters_of_the_case(token);
        self.numbers_one_slip_away(token);
        if self.is_settled() {
            return;
        }
        self.held_keys(token, &far, ea);
        for other in OTHER_ALGORITHMS.into_iter().filter(|other| *other != ea) {
            self.held_keys(token, &near, other);
            self.held_keys(token, &far, other);
        }
        self.other_forms(token);
        if self.is_settled() {
            return;
        }
        self.meters_under_other_keys(token);
    }

    /// Whether a held key is of the meter's group, or of the one that vending believed.
    fn is_near(&self, entry: &VendingEntry) -> bool {
        entry.sgc == self.meter.meter.attributes().sgc
            || self.sighting.believed.sgc == Some(entry.sgc)
    }

    /// Whether what was found explains the entry beyond anything that remote candidates could.
    fn is_settled(&self) -> bool {
        let likelihood = self.scales.likelihood;
        self.found.iter().map(|found| found.odds(likelihood)).sum::<f64>() > SETTLED
    }

    /// Takes so many candidates on; says so and declines where that is beyond the cap.
    fn take_on(&mut self, candidates: usize, what: &str) -> bool {
        let candidates = candidates as u64;
        let cap = self.finder.model.max_candidates;
        if self.trials + candidates > cap {
            self.stopped.get_or_insert_with(|| {
                format!("the search was stopped at its cap of {cap} candidates: {what} not tried")
            });
            return false;
        }
        self.trials += candidates;
        true
    }

    /// Every tariff index under these held keys.
    fn held_keys(&mut self, token: Token, entries: &[usize], ea: EncryptionAlgorithm) {
        let (ring, meter) = (self.finder.ring, self.meter);
        let entries: Vec<usize> = entries
            .iter()
            .copied()
            .filter(|at| may_derive(&ring.vending[*at], ea, meter.ea(), self.sighting.believed.ea))
            .collect();
        if entries.is_empty()
            || !self.take_on(TARIFFS * entries.len(), &format!("{} held keys", entries.len()))
        {
            return;
        }
        let ti = meter.meter.attributes().ti;
        let configurations: Vec<Configuration<'_>> =
            entries.iter().map(|at| Configuration { entry: &ring.vending[*at], ti, ea }).collect();
        let batch = self.finder.index.batch;
        for opened in open_under_tariffs(batch, token, &meter.row.pan, &configurations) {
            let (place, ti) = (opened.index / TARIFFS, opened.index % TARIFFS);
            let Some(ti) = tariff_index(ti) else { continue };
            let configuration = Configuration { ti, ..configurations[place] };
            if !opened.key.same_as(meter.meter.key())
                && !self.aliases.contains(&(entries[place], ti))
            {
                self.configuration_found(entries[place], &configuration, &opened.payload);
            }
        }
    }

    /// In what a held key differs from the meter's.
    fn difference(&self, entry: &VendingEntry) -> Difference {
        let own = self.meter.meter.attributes();
        let sgc = entry.sgc != own.sgc;
        let key = !sgc && is_other_key(entry, self.meter);
        Difference { sgc, kt: entry.kt != own.kt, key, ..Difference::default() }
    }

    /// Which cause a difference would show; `None` where there is none. A revision that differs
    /// with its group, and a base date with its revision, count once.
    fn cause_of(&self, difference: Difference, entry: &VendingEntry) -> Option<Cause> {
        let Difference { sgc, kt, key, ti, ea } = difference;
        let own = self.meter.meter.attributes();
        Some(match [sgc, kt, key, ti, ea].into_iter().filter(|differs| *differs).count() {
            0 => return None,
            1 if sgc => Cause::SgcMismatch,
            1 if kt => Cause::KtMismatch,
            1 if ti => Cause::TiMismatch,
            1 if ea => Cause::EaMismatch,
            1 if entry.krn == own.krn => Cause::BdtMismatch,
            1 if self.is_later(entry) && self.meter.sections_accepted.is_empty() => Cause::KrnAhead,
            1 if self.is_later(entry) => Cause::KctIncomplete,
            1 => Cause::KrnBehind,
            _ => Cause::ConfigSeveral,
        })
    }

    /// How probable the settings of a configuration are among those with the same difference.
    fn share_of(
        &self,
        at: usize,
        difference: Difference,
        configuration: &Configuration<'_>,
    ) -> f64 {
        let own = self.meter.meter.attributes();
        let index = &self.finder.index;
        let mut share = 1.0;
        if difference.sgc || difference.kt || difference.key {
            // Groups that the case's meters are in are met more than keys that are merely held.
            let ring = self.finder.ring;
            let of_key = Difference { ti: false, ea: false, ..difference };
            let alike: f64 = (0..ring.vending.len())
                .filter(|other| self.difference(&ring.vending[*other]) == of_key)
                .map(|other| index.key(other))
                .sum();
            share *= index.key(at) / alike;
        }
        if difference.ti {
            share *= index.tariff(configuration.ti, own.ti);
        }
        if difference.ea {
            let withdrawn = self.finder.model.space.withdrawn;
            let dea = configuration.ea == EncryptionAlgorithm::Dea;
            share *= if dea { withdrawn } else { 1.0 - withdrawn };
        }
        share
    }

    fn is_later(&self, entry: &VendingEntry) -> bool {
        if entry.base_date != self.meter.base_date {
            return entry.base_date > self.meter.base_date;
        }
        let own = i16::from(self.meter.meter.attributes().krn.get());
        (1..=4).contains(&(i16::from(entry.krn.get()) - own).rem_euclid(9))
    }

    fn configuration_found(
        &mut self,
        at: usize,
        configuration: &Configuration<'_>,
        payload: &Payload,
    ) {
        let Configuration { entry, ti, ea } = *configuration;
        let own = *self.meter.meter.attributes();
        let of_key = self.difference(entry);
        let difference = Difference { ti: ti != own.ti, ea: ea != self.meter.ea(), ..of_key };
        let Some(cause) = self.cause_of(difference, entry) else { return };
        let share = self.share_of(at, difference, configuration);
        let mut detail = Map::new();
        let mut put = |name: &str, differs: bool, value: Value| {
            if differs {
                detail.insert(name.into(), value);
            }
        };
        put("key_id", true, json!(entry.id));
        put("sgc", entry.sgc != own.sgc, json!(entry.sgc.to_string()));
        put("krn", entry.krn != own.krn, json!(entry.krn.get()));
        put("kt", entry.kt != own.kt, json!(entry.kt.code()));
        put("ti", ti != own.ti, json!(ti.to_string()));
        put("ea", ea != self.meter.ea(), json!(ea.code()));
        let other_date = entry.base_date != self.meter.base_date;
        put("base_date", other_date, json!(entry.base_date.year()));
        let mut evidence = vec![format!(
            "authenticates under KRN {} of SGC {}, TI {ti}, base date {}",
            entry.krn,
            entry.sgc,
            entry.base_date.year()
        )];
        let attributes = configuration.attributes();
        let believed = self.scales.believed(&attributes, ea, &mut evidence);
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
        let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
        let before = self.found.len();
        self.keep(cause, share * believed, payload, &reading, detail.clone(), evidence.clone());
        // The meter's record may be wrong in one of these settings, and vending right.
        let stale = self.finder.model.stale.share;
        for (name, often, rest) in difference.but_for_one(is_other_key(entry, self.meter)) {
            let Some(other) = rest.and_then(|rest| self.cause_of(rest, entry)) else { continue };
            if other != cause {
                let (detail, mut evidence) = (detail.clone(), evidence.clone());
                evidence.push(format!("if the meter's record is wrong in its {name}"));
                let share = share * believed * stale * often;
                self.keep(other, share, payload, &reading, detail, evidence);
            }
        }
        self.made_under(before, configuration);
    }

    // ------------------------------------------------------------------------------- other meters

    /// The other meters of the case as they are now.
    fn meters_of_the_case(&mut self, token: Token) {
        let fleet = self.fleet;
        let others = fleet.meters.len().saturating_sub(1);
        if others == 0 || !self.take_on(others, "the other meters of the case") {
            return;
        }
        let space = &self.finder.model.space;
        let near = self.neighbours.iter().filter(|pan| fleet.find(pan).is_some()).count();
        for (place, payload) in self.finder.index.meters(fleet, token) {
            let other = &fleet.meters[place];
            if place == self.place || other.meter.key().same_as(self.meter.meter.key()) {
                continue;
            }
            let drn = other.row.pan.drn();
            let mut detail = Map::new();
            detail.insert("pan".into(), json!(other.row.pan.as_str()));
            let evidence = vec![format!("authenticates for meter {drn} of the case")];
            let reading = reading(self.finder.ring, other, other.base_date);
            let mut share = space.other_in_case / size(others);
            if self.neighbours.contains(&other.row.pan) {
                share += space.other_slip / size(near);
            }
            let attributes = *other.meter.attributes();
            share *= self.scales.believed(&attributes, other.ea(), &mut Vec::new());
            self.keep(Cause::OtherMeter, share, &payload, &reading, detail, evidence);
            self.same_key_for_this_meter(other, &payload);
        }
    }

    /// Where another meter's settings give this meter the very same key (a common key, most
    /// often), the cipher cannot tell which of the two was meant.
    fn same_key_for_this_meter(&mut self, other: &TrackedMeter, payload: &Payload) {
        let ring = self.finder.ring;
        let theirs = other.meter.attributes();
        let Some(at) = ring.vending.iter().position(|entry| {
            entry.sgc == theirs.sgc
                && entry.krn == theirs.krn
                && entry.kt == theirs.kt
                && entry.base_date == other.base_date
        }) else {
            return;
        };
        let near = self.is_near(&ring.vending[at]) && other.ea() == self.meter.ea();
        let configuration =
            Configuration { entry: &ring.vending[at], ti: theirs.ti, ea: other.ea() };
        let key = configuration.key(&self.meter.row.pan);
        if !near
            && key.is_some_and(|key| key.same_as(other.meter.key()))
            && !self.aliases.contains(&(at, theirs.ti))
        {
            self.aliases.push((at, theirs.ti));
            self.configuration_found(at, &configuration, payload);
        }
    }

    /// Numbers one slip away from this meter's, under its own configuration.
    fn numbers_one_slip_away(&mut self, token: Token) {
        if !self.take_on(self.neighbours.len(), "meter numbers one slip away") {
            return;
        }
        let (meter, ring) = (self.meter, self.finder.ring);
        let own = *meter.meter.attributes();
        let fits = |pan: &MeterPan| DecoderReferenceNumber::parse(pan.drn()).is_ok();
        let fitting = self.neighbours.iter().filter(|pan| fits(pan)).count();
        let space = &self.finder.model.space;
        let Some(entry) = self.own_entry() else { return };
        let configuration = Configuration { entry, ti: own.ti, ea: meter.ea() };
        let candidates: Vec<_> = self.neighbours.iter().map(|pan| (configuration, *pan)).collect();
        for opened in open_under(self.finder.index.batch, token, &candidates) {
            let pan = candidates[opened.index].1;
            let payload = opened.payload;
            if opened.key.same_as(meter.meter.key()) || self.fleet.find(&pan).is_some() {
                continue;
            }
            let drn = pan.drn();
            let mut detail = Map::new();
            detail.insert("drn".into(), json!(drn));
            let evidence = vec![format!("authenticates for meter number {drn}, one slip away")];
            let reading = reading(ring, meter, meter.base_date);
            // A till that checks numbers lets few slips through: no single digit is one.
            let share = if fits(&pan) {
                space.slip_fits / size(fitting)
            } else {
                (1.0 - space.slip_fits) / size(self.neighbours.len() - fitting)
            };
            let share = space.other_slip * share * self.believed_own(&mut Vec::new());
            self.keep(Cause::OtherMeter, share, &payload, &reading, detail, evidence);
        }
    }

    /// The same meter's number in another form: 11 digits under 600727, 13 under 0000.
    fn other_forms(&mut self, token: Token) {
        let meter = self.meter;
        let drn = meter.row.pan.drn();
        let Some((iin, drn)) = (match drn.len() {
            11 => Some(("0000", format!("00{drn}"))),
            13 => drn.strip_prefix("00").map(|drn| ("600727", drn.to_owned())),
            _ => None,
        }) else {
            return;
        };
        let Some(pan) = DecoderReferenceNumber::parse(&drn)
            .ok()
            .and_then(|drn| MeterPan::from_parts(iin, &drn).ok())
        else {
            return;
        };
        self.trials += 1;
        let own = *meter.meter.attributes();
        let ring = self.finder.ring;
        let Some(key) = meter_key(ring, &pan, meter.ea(), &own, meter.base_date) else { return };
        let Ok(payload) = token.open(&key).authenticate() else { return };
        let mut detail = Map::new();
        detail.insert("pan".into(), json!(pan.as_str()));
        let evidence = vec![format!("authenticates for the number as {}", pan.as_str())];
        let reading = reading(ring, meter, meter.base_date);
        let share = self.finder.model.space.other_form * self.believed_own(&mut Vec::new());
        self.keep(Cause::OtherMeter, share, &payload, &reading, detail, evidence);
    }

    /// Other meters of the case, and numbers one slip away, under held keys of their group that the
    /// records do not say.
    fn meters_under_other_keys(&mut self, token: Token) {
        let (ring, fleet, meter) = (self.finder.ring, self.fleet, self.meter);
        let space = &self.finder.model.space;
        let index = &self.finder.index;
        let of_case = index.other_keys(ring, fleet);
        let mut candidates = Vec::new();
        for at in other_keys_of(ring, meter) {
            let entry = &ring.vending[at];
            let configuration =
                Configuration { entry, ti: meter.meter.attributes().ti, ea: meter.ea() };
            candidates.extend(self.neighbours.iter().map(|pan| (configuration, *pan)));
        }
        let of_slips = candidates.len();
        if of_case + of_slips == 0 || !self.take_on(of_case + of_slips, "meters with stale records")
        {
            return;
        }
        let share = space.other_stale / size(of_case);
        for (place, at, payload) in index.meters_under_other_keys(ring, fleet, token) {
            let other = &fleet.meters[place];
            if place != self.place {
                let entry = &ring.vending[at];
                let ti = other.meter.attributes().ti;
                let configuration = Configuration { entry, ti, ea: other.ea() };
                self.other_meter_found(&other.row.pan, &configuration, share, &payload);
            }
        }
        let share = space.other_slip * self.finder.model.stale.share / size(of_slips);
        for opened in open_under(index.batch, token, &candidates) {
            let (configuration, pan) = &candidates[opened.index];
            self.other_meter_found(pan, configuration, share, &opened.payload);
        }
    }

    /// A meter number under a key that its record does not say.
    fn other_meter_found(
        &mut self,
        pan: &MeterPan,
        configuration: &Configuration<'_>,
        share: f64,
        payload: &Payload,
    ) {
        let Configuration { entry, ea, .. } = *configuration;
        let mut detail = Map::new();
        detail.insert("pan".into(), json!(pan.as_str()));
        detail.insert("key_id".into(), json!(entry.id));
        detail.insert("krn".into(), json!(entry.krn.get()));
        let mut evidence = vec![format!(
            "authenticates for meter {} under KRN {}, which the record does not say",
            pan.drn(),
            entry.krn
        )];
        let believed = self.scales.believed(&configuration.attributes(), ea, &mut evidence);
        let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
        self.keep(Cause::OtherMeter, share * believed, payload, &reading, detail, evidence);
    }

    /// The held key that the meter's key is derived from.
    fn own_entry(&self) -> Option<&'a VendingEntry> {
        self.finder.ring.vending.iter().find(|entry| self.is_own(entry))
    }

    fn believed_own(&self, evidence: &mut Vec<String>) -> f64 {
        self.scales.believed(self.meter.meter.attributes(), self.meter.ea(), evidence)
    }

    /// Keeps a candidate that passed the check, weighed by what else is known.
    fn keep(
        &mut self,
        cause: Cause,
        share: f64,
        payload: &Payload,
        reading: &TidReading,
        mut detail: Map<String, Value>,
        mut evidence: Vec<String>,
    ) {
        let weighed = self.scales.weigh(payload, reading);
        detail.insert("says".into(), json!(summary(payload)));
        if let Some(minutes) = payload.tid().and_then(|tid| reading.unix_minutes(tid)) {
            detail.insert("tid_time".into(), json!(format_minutes(minutes)));
        }
        evidence.extend(weighed.evidence);
        self.found.push(Match {
            cause,
            weight: share * weighed.ratio,
            detail,
            evidence,
            supported: weighed.supported,
            made: None,
        });
    }
}

/// The digits that a spreadsheet keeps of a long number.
const KEPT_BY_SPREADSHEETS: usize = 15;

/// Beyond so many slips, as where a whole group is missing, few keys are tried.
const MANY_SLIPS: usize = 5_000;

/// Beside all remote candidates together, which are worth about one.
const SETTLED: f64 = 100_000.0;

/// Algorithms that a token may have been made with in place of the meter's.
const OTHER_ALGORITHMS: [EncryptionAlgorithm; 3] =
    [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1, EncryptionAlgorithm::Dea];

/// Whether keys for an algorithm are derived from this vending key at all.
fn may_derive(
    entry: &VendingEntry,
    ea: EncryptionAlgorithm,
    own: EncryptionAlgorithm,
    believed: Option<EncryptionAlgorithm>,
) -> bool {
    let long = entry.key.dkga() == sts_core::KeyDerivation::Dkga04;
    match ea {
        EncryptionAlgorithm::Misty1 => long,
        // EA09 was withdrawn before DKGA04 came.
        EncryptionAlgorithm::Dea => !long || own == ea || believed == Some(ea),
        _ => true,
    }
}

/// How many slips of the same kind there are.
fn alike(undone: &[Undone], slip: &Undone) -> f64 {
    size(undone.iter().filter(|other| other.cause() == slip.cause()).count())
}

fn size(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of candidates")]
    let size = count.max(1) as f64;
    size
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sts_core::key::KeyRevisionNumber;

    use super::super::{Believed, Settings};
    use super::*;
    use crate::case::Case;
    use crate::fixture::{case, credit};
    use crate::records::MeterRow;

    /// A search at the first meter of a case.
    fn searching<T>(case: &Case, sighting: &Sighting, then: impl FnOnce(Search<'_>) -> T) -> T {
        let finder = Finder::new(&case.keys, &case.fleet, Settings::default());
        then(Search::new(&finder, &case.fleet, 0, &case.fleet.meters[0], sighting))
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected, "{found}, not {expected}");
    }

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|digit| digit - b'0').collect()
    }

    #[test]
    fn slip_shares_its_kind_with_all_that_are_alike() {
        let mut case = case();
        let sighting = Sighting::default();
        let token = Token::seal(&credit(), case.fleet.meters[0].meter.key()).to_string();
        let mut wrong = digits(&token);
        wrong[19] = (wrong[19] + 1) % 10;
        let weight = |case: &Case| {
            searching(case, &sighting, |mut search| {
                search.slips(&wrong);
                let undone = search.found.iter().find(|found| found.detail["token"] == token);
                let undone = undone.unwrap();
                assert_eq!(
                    (undone.cause, &undone.detail["position"]),
                    (Cause::TypedDigit, &json!(20))
                );
                let reading = reading(&case.keys, search.meter, search.meter.base_date);
                undone.weight / search.scales.weigh(&credit(), &reading).ratio
            })
        };
        // Nine other digits in twenty places.
        close(weight(&case), 1.0 / 180.0);
        // A keypad that is locked is not, some time after.
        let row = case.fleet.meters[0].row.clone();
        let profile = "mangaung-2024-reconstruction";
        case.add_profile(profile, Path::new(".")).unwrap();
        let locking = row.with_field("profile", profile).unwrap();
        case.fleet.meters[0] = case.meter(locking).unwrap();
        for _ in 0..9 {
            case.fleet.meters[0].enter("12345678901234567", 1_730_451_600, "e1", &case.keys);
        }
        close(weight(&case), 1.0 / 180.0);
        // What the meter has taken it would refuse again.
        case.fleet.meters[0].meter.remember(credit().tid().unwrap());
        close(weight(&case), 0.05 / 180.0);
    }

    #[test]
    fn search_takes_on_what_is_within_its_cap() {
        let case = case();
        let sighting = Sighting::default();
        searching(&case, &sighting, |mut search| {
            let cap = usize::try_from(search.finder.model.max_candidates).unwrap();
            assert!(search.take_on(cap - 1, "most"));
            assert!(!search.take_on(2, "two"));
            assert!(!search.take_on(3, "three"));
            assert!(search.take_on(1, "the last"));
            assert_eq!(search.trials, cap as u64);
            let stopped =
                format!("the search was stopped at its cap of {cap} candidates: two not tried");
            assert_eq!(search.into_ranking().stopped, Some(stopped));
        });
    }

    #[test]
    fn configurations_met_before_their_turn_are_told_once() {
        let case = case();
        let sighting = Sighting::default();
        let under = |key: usize, ti: u8, met: &[(usize, u8)]| {
            searching(&case, &sighting, |mut search| {
                let index = |ti: u8| TariffIndex::new(ti).unwrap();
                let (entry, ea) = (&case.keys.vending[key], search.meter.ea());
                let configuration = Configuration { entry, ti: index(ti), ea };
                let made = configuration.key(&search.meter.row.pan).unwrap();
                search.aliases.extend(met.iter().map(|(key, ti)| (*key, index(*ti))));
                search.held_keys(Token::seal(&credit(), &made), &[0, 1, 2], ea);
                search.found.iter().map(|found| found.cause).collect::<Vec<_>>()
            })
        };
        assert_eq!(under(0, 1, &[]), [], "the meter's own");
        assert_eq!(under(1, 1, &[]), [Cause::KrnAhead]);
        assert_eq!(under(1, 1, &[(1, 2), (0, 1)]), [Cause::KrnAhead]);
        assert_eq!(under(1, 1, &[(1, 1)]), []);
    }

    #[test]
    fn configuration_tells_in_what_it_differs() {
        let mut case = case();
        let common = VendingEntry {
            id: "common".into(),
            kt: sts_core::KeyType::Common,
            ..case.keys.vending[0].clone()
        };
        case.keys.vending.push(common);
        let sighting = Sighting::default();
        let told = |key: usize, ti: u8, ea| {
            searching(&case, &sighting, |mut search| {
                let ti = TariffIndex::new(ti).unwrap();
                let configuration = Configuration { entry: &case.keys.vending[key], ti, ea };
                search.configuration_found(key, &configuration, &credit());
                let mut detail = search.found.swap_remove(0).detail;
                assert!(detail.remove("says").is_some() && detail.remove("tid_time").is_some());
                Value::Object(detail)
            })
        };
        let [sta, misty1] = [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1];
        let later = json!({ "key_id": "krn2", "krn": 2, "base_date": 2014 });
        assert_eq!(told(1, 1, sta), later);
        assert_eq!(told(2, 1, sta), json!({ "key_id": "other-group", "sgc": "600999" }));
        assert_eq!(told(3, 1, sta), json!({ "key_id": "common", "kt": 3 }));
        assert_eq!(told(0, 7, sta), json!({ "key_id": "krn1", "ti": "07" }));
        assert_eq!(told(0, 1, misty1), json!({ "key_id": "krn1", "ea": "11" }));
    }

    #[test]
    fn other_meters_share_what_they_have_in_common() {
        let mut case = case();
        let entry = case.keys.vending[0].clone();
        for neighbour in ["01202401912", "01202401019"] {
            let pan = case.fleet.meters[0].row.pan.with_unchecked_drn(neighbour).unwrap();
            case.add_meter(MeterRow::under(pan, &entry), Path::new(".")).unwrap();
        }
        let sighting = believing(&case);
        let share = |place: usize| {
            searching(&case, &sighting, |mut search| {
                let other = &case.fleet.meters[place];
                search.meters_of_the_case(Token::seal(&credit(), other.meter.key()));
                let believed = search.believed_own(&mut Vec::new());
                assert!((believed - 1.0).abs() > 0.1, "{believed}");
                let [(pan, share)] = &shares(&search, believed)[..] else { panic!() };
                assert_eq!(pan, other.row.pan.as_str());
                *share
            })
        };
        // Five others, two of them one slip away.
        close(share(1), 0.60 / 5.0);
        close(share(4), 0.60 / 5.0 + 0.30 / 2.0);
        close(share(5), 0.60 / 5.0 + 0.30 / 2.0);
    }

    #[test]
    fn common_key_of_another_meter_may_have_been_meant_for_this_one() {
        let mut case = case();
        let [near, later, far] = [0, 1, 2].map(|at| case.keys.vending[at].clone());
        let kt = sts_core::KeyType::Common;
        // In front of the key itself, others that differ from it in one setting each.
        let common = |entry: &VendingEntry| VendingEntry { kt, ..entry.clone() };
        let key = common(&far);
        let bytes = sts_core::VendingKey::dkga02([7; 8]);
        for other in [
            VendingEntry { krn: later.krn, key: bytes.clone(), ..key.clone() },
            VendingEntry { base_date: later.base_date, key: bytes.clone(), ..key.clone() },
            VendingEntry { key: bytes, ..common(&near) },
            key.clone(),
        ] {
            case.keys.vending.push(other);
        }
        let drns = ["01202401053", "01202401061"];
        let [one, two] =
            drns.map(|drn| MeterPan::from_drn(&DecoderReferenceNumber::parse(drn).unwrap()));
        let sighting = Sighting::default();
        let found = |entry: &VendingEntry| {
            let mut case = Case::new(case.keys.clone());
            let own = MeterRow::under(self::case().fleet.meters[0].row.pan, &near);
            for row in [own, MeterRow::under(one, entry), MeterRow::under(two, entry)] {
                case.add_meter(row, Path::new(".")).unwrap();
            }
            let token = Token::seal(&credit(), case.fleet.meters[1].meter.key());
            searching(&case, &sighting, |mut search| {
                search.meters_of_the_case(token);
                let met: Vec<usize> = search.aliases.iter().map(|(at, _)| *at).collect();
                (search.found.iter().map(|found| found.cause).collect::<Vec<_>>(), met)
            })
        };
        let meter = Cause::OtherMeter;
        // Or the record is wrong in one of the two settings.
        let several = [Cause::ConfigSeveral, Cause::KtMismatch, Cause::SgcMismatch];
        assert_eq!(found(&key), ([&[meter], &several[..], &[meter]].concat(), vec![6]));
        // Its group's own are tried anyway.
        assert_eq!(found(&case.keys.vending[5].clone()), (vec![meter, meter], vec![]));
        assert_eq!(found(&far), (vec![meter], vec![]), "a key of one meter alone");
    }

    /// How probable what a search found was, before what the token says was weighed.
    fn shares(search: &Search<'_>, believed: f64) -> Vec<(String, f64)> {
        let reading = |found: &Match| match found.detail.get("key_id") {
            Some(id) => {
                let ring = &search.finder.ring.vending;
                let entry = ring.iter().find(|entry| *id == entry.id).unwrap();
                TidReading::new(Some(entry.base_date), entry.tid_zone.clone())
            }
            None => reading(search.finder.ring, search.meter, search.meter.base_date),
        };
        let of = |found: &Match| {
            assert_eq!(found.cause, Cause::OtherMeter);
            let number = found.detail.get("drn").or_else(|| found.detail.get("pan")).unwrap();
            let weighed = search.scales.weigh(&credit(), &reading(found)).ratio;
            (number.as_str().unwrap().to_owned(), found.weight / weighed / believed)
        };
        search.found.iter().map(of).collect()
    }

    /// What vending believed of the first meter, rightly: a search weighs it.
    fn believing(case: &Case) -> Sighting {
        let krn = Some(case.keys.vending[0].krn);
        Sighting { believed: Believed { krn, ..Believed::default() }, ..Sighting::default() }
    }

    #[test]
    fn numbers_one_slip_away_share_with_those_that_fit_as_well() {
        // Its check digit sees every slip but 09 for 90 and back.
        let numbers = (0..10).map(|check| format!("0109012090{check}"));
        let drn = numbers.into_iter().find_map(|drn| DecoderReferenceNumber::parse(&drn).ok());
        let own = MeterPan::from_drn(&drn.unwrap());
        let fresh = || {
            let mut case = case();
            let row = MeterRow::under(own, &case.keys.vending[0]);
            case.fleet.meters[0] = case.meter(row).unwrap();
            case
        };
        let (case, mut other) = (fresh(), fresh());
        let sighting = believing(&case);
        let fits = |pan: &MeterPan| DecoderReferenceNumber::parse(pan.drn()).is_ok();
        let own = &case.fleet.meters[0];
        let all = slips::neighbours(&own.row.pan);
        let fitting = all.iter().filter(|pan| fits(pan)).count();
        assert!(fitting > 1 && all.len() - fitting > 1, "{fitting} of {}", all.len());
        for (as_well, is) in [(fitting, true), (all.len() - fitting, false)] {
            let pan = all.iter().find(|pan| fits(pan) == is).unwrap();
            let configuration = Configuration {
                entry: &case.keys.vending[0],
                ti: own.meter.attributes().ti,
                ea: own.ea(),
            };
            let token = Token::seal(&credit(), &configuration.key(pan).unwrap());
            let found = |case: &Case| {
                searching(case, &sighting, |mut search| {
                    search.numbers_one_slip_away(token);
                    assert_eq!(search.trials, all.len() as u64);
                    shares(&search, search.believed_own(&mut Vec::new()))
                })
            };
            let [(drn, share)] = &found(&case)[..] else { panic!() };
            assert_eq!(drn, pan.drn());
            close(*share, 0.30 * if is { 0.85 } else { 0.15 } / size(as_well));
            // A meter of the case is found as such.
            other.add_meter(MeterRow::under(*pan, &case.keys.vending[0]), Path::new(".")).unwrap();
            assert_eq!(found(&other), []);
        }
    }

    #[test]
    fn number_in_its_other_form_is_tried() {
        let mut case = case();
        let own = case.fleet.meters[0].row.pan;
        let long = DecoderReferenceNumber::parse(&format!("00{}", own.drn())).unwrap();
        let long = MeterPan::from_parts("0000", &long).unwrap();
        let found = |case: &Case, pan: &MeterPan| {
            let sighting = believing(case);
            searching(case, &sighting, |mut search| {
                let (entry, ea) = (&case.keys.vending[0], search.meter.ea());
                let configuration =
                    Configuration { entry, ti: search.meter.meter.attributes().ti, ea };
                search.other_forms(Token::seal(&credit(), &configuration.key(pan).unwrap()));
                assert_eq!(search.trials, 1);
                shares(&search, search.believed_own(&mut Vec::new()))
            })
        };
        let [(pan, share)] = &found(&case, &long)[..] else { panic!() };
        assert_eq!(pan, long.as_str());
        close(*share, 0.02);
        case.fleet.meters[0] = case.meter(MeterRow::under(long, &case.keys.vending[0])).unwrap();
        let [(pan, share)] = &found(&case, &own)[..] else { panic!() };
        assert_eq!(pan, own.as_str());
        close(*share, 0.02);
    }

    #[test]
    fn other_meters_with_stale_records_share_with_all_that_may_be() {
        let case = case();
        let sighting = believing(&case);
        let entry = &case.keys.vending[1];
        let found = |pan: &MeterPan| {
            searching(&case, &sighting, |mut search| {
                let (ti, ea) = (search.meter.meter.attributes().ti, search.meter.ea());
                let configuration = Configuration { entry, ti, ea };
                let token = Token::seal(&credit(), &configuration.key(pan).unwrap());
                search.meters_under_other_keys(token);
                let attributes = configuration.attributes();
                let believed = search.scales.believed(&attributes, ea, &mut Vec::new());
                (shares(&search, believed), search.trials)
            })
        };
        let own = case.fleet.meters[0].row.pan;
        let other = case.fleet.meters[1].row.pan;
        let neighbours = slips::neighbours(&own);
        // Two keys of the group for each of four meters, and one that is not its own for each slip.
        let (shares, trials) = found(&other);
        assert_eq!(trials, 8 + neighbours.len() as u64);
        let [(pan, share)] = &shares[..] else { panic!("{shares:?}") };
        assert_eq!(pan, other.as_str());
        close(*share, 0.08 / 8.0);
        let (shares, _) = found(&neighbours[0]);
        let [(pan, share)] = &shares[..] else { panic!("{shares:?}") };
        assert_eq!(pan, neighbours[0].as_str());
        close(*share, 0.30 * 0.04 / size(neighbours.len()));
        assert_eq!(found(&own).0, [], "a stale record of its own is another cause");
    }

    #[test]
    fn zeros_in_front_are_put_back() {
        let case = case();
        let sighting = Sighting::default();
        let key = case.fleet.meters[0].meter.key();
        let tokens = (1..5000).map(|units| {
            let amount = sts_core::Amount::round_up(units).unwrap();
            let Payload::Credit { commodity, rnd, tid, .. } = credit() else { unreachable!() };
            Token::seal(&Payload::Credit { commodity, rnd, tid, amount }, key).to_string()
        });
        let token = tokens.into_iter().find(|token| token.starts_with("00")).unwrap();
        let found = |lost: usize| {
            searching(&case, &sighting, |mut search| {
                search.lost_zeros(&digits(&token[lost..]));
                (search.trials, search.found.pop().map(|found| (found.detail, found.evidence)))
            })
        };
        for (lost, said) in [
            (1, "right when 1 leading zeros are put back"),
            (2, "right when 2 leading zeros are put back"),
        ] {
            let (trials, found) = found(lost);
            let (detail, evidence) = found.unwrap();
            assert_eq!((trials, &detail["token"], evidence[0].as_str()), (1, &json!(token), said));
        }
        assert_eq!(found(0), (0, None), "twenty digits have lost none");
        assert_eq!(found(3), (1, None));
        assert_eq!(found(20), (0, None), "nothing to put them in front of");
    }

    #[test]
    fn rounding_is_seen_in_zeros_behind_fifteen_digits_and_in_doubles() {
        let case = case();
        let sighting = Sighting::default();
        let found = |text: &str| {
            searching(&case, &sighting, |mut search| {
                search.rounding(&digits(text));
                assert_eq!(search.trials, 0);
                search.found.pop().map(|found| (found.weight / CHANCE, found.evidence[0].clone()))
            })
        };
        for (cut, worth) in [(2, 40.0), (3, 400.0), (4, 4000.0), (5, 40_000.0)] {
            let rounded = format!("123456789012345{}", "0".repeat(cut));
            let (weight, said) = found(&rounded).unwrap();
            close(weight, worth);
            let zeros = format!("the last {cut} digits are zeros, as after rounding to 15 digits");
            assert_eq!(said, zeros);
            let not = format!("123456789012345{}1", "0".repeat(cut - 1));
            assert_eq!(found(&not), None, "{not}");
        }
        // A power of two, with its neighbours 256 above, and half as far below.
        let double = (0.4 * 256.0, "the number is exactly a double, as a spreadsheet stores it");
        assert_eq!(found("1152921504606846976"), Some((double.0, double.1.to_owned())));
        assert_eq!(found("1152921504606846977"), None);
        assert_eq!(found("1234567890123450"), None, "all of its digits are kept");
        assert_eq!(found("123456789012345000000"), None, "no token");
    }

    #[test]
    fn what_a_record_may_have_wrong_adds_up() {
        let mut case = case();
        let third = VendingEntry {
            krn: KeyRevisionNumber::new(3).unwrap(),
            ..case.keys.vending[1].clone()
        };
        case.keys.vending.push(third);
        let sighting = Sighting::default();
        searching(&case, &sighting, |search| {
            let all = search.keys_of_stale_records(false);
            assert_eq!(
                all.len(),
                3 * 100 - 1,
                "three keys of the group, but for the record itself"
            );
            let own = search.meter.meter.attributes().ti;
            let of = |is: &dyn Fn(&Configuration<'_>) -> bool| -> f64 {
                all.iter().filter(|(it, _)| is(it)).map(|(_, share)| share).sum()
            };
            let is_own_key = |it: &Configuration<'_>| it.entry.id == "krn1";
            close(of(&|it| !is_own_key(it) && it.ti == own), 0.04 * 0.6);
            close(of(&|it| is_own_key(it)), 0.04 * 0.3);
            close(of(&|it| !is_own_key(it) && it.ti != own), 0.04 * 0.1);
            let few = search.keys_of_stale_records(true);
            assert_eq!(few.len(), 2, "under the tariff index of the record alone");
        });
        let believed = Believed { ti: TariffIndex::new(7).ok(), ..Believed::default() };
        let sighting = Sighting { believed, ..Sighting::default() };
        let few = searching(&case, &sighting, |search| search.keys_of_stale_records(true).len());
        assert_eq!(few, 5, "and under the one that vending believed");
    }
}
