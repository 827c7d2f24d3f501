//! The true meter answers, the cause is what was done, and both are written down: badly in the
//! case folder, truly in `truth.ndjson`.

use std::io::{self, Write};

use serde::Serialize;
use sts_core::{KeyExpiryNumber, Outcome, Rejection, TokenResult};

use super::behaviour::Behaviour;
use super::digits;
use super::random::{Random, Stream};
use super::story::{Entry, Intent, is_over};
use super::world::{Made, Past, Sale, World, decoder};

/// A configuration as written.
#[derive(Clone, Debug, Serialize)]
struct Configuration {
    drn: String,
    sgc: String,
    krn: u8,
    ti: String,
    kt: u8,
    ea: &'static str,
    base_date: u16,
    held: bool,
}

/// What is true of an entry.
#[derive(Clone, Debug, Serialize)]
struct Truth<'a> {
    schema: u8,
    id: &'a str,
    result: &'static str,
    cause: Option<&'static str>,
    kind: &'static str,
    behaviour: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sold_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_error_min: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units_raw: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'static str>,
}

/// The true meter's answer.
struct Answer {
    result: TokenResult,
    rejection: Option<Rejection>,
    pending: bool,
}

/// How an entry came out.
pub(super) struct Recorded {
    pub(super) cause: Option<Behaviour>,
}

const DAY: i64 = 86_400;

impl World {
    /// Makes an entry at its time, and writes it.
    pub(super) fn make(
        &mut self,
        meter: usize,
        at: i64,
        entry: &Entry,
        number: u64,
        entries: &mut csv::Writer<impl Write>,
        truth: &mut impl Write,
    ) -> io::Result<Recorded> {
        let now = u64::try_from(at).unwrap_or_default();
        let before = self.meters[meter].made;
        let held_before = self.configuration(&before);
        let answer = self.ask(meter, now, entry, at);
        let taken = answer.rejection.is_none();
        let recorded = self.meters[meter].recorded.as_mut().map(|recorded| {
            match recorded.enter(&entry.keyed, now) {
                Ok(admission) => admission.apply().result(),
                Err(rejection) => {
                    recorded.count_refusal(&rejection, now);
                    rejection.result()
                }
            }
        });
        let mut cause = answer.rejection.map(|rejection| self.cause(meter, at, entry, &rejection));
        let mut random = Random::new(self.seed, Stream::Record, number);
        let records = &self.plan.records;
        let shown = |result| {
            let profile = self.meters[meter].meter.profile();
            profile.shown(result, answer.pending).to_string()
        };
        let mut display = None;
        let mut displayed = String::new();
        let noted = random.chance(records.displayed.0);
        let wrong = random.chance(records.displayed_wrong.0);
        let zeros = random.chance(records.displayed_without_zeros.0);
        if entry.fault {
            display = Some("fault");
            displayed = random.pick(self.family(meter).fault_texts()).cloned().unwrap_or_default();
            cause = cause.or(Some(Behaviour::NotTokenFault));
        } else if noted || entry.display_noted {
            displayed = shown(answer.result);
            if wrong && recorded.is_none() {
                let results = [TokenResult::Accept, TokenResult::CrcError, TokenResult::UsedError];
                let other = shown(*random.pick(&results).unwrap_or(&TokenResult::Accept));
                display = (other != displayed).then_some("wrong");
                displayed = other;
            } else if zeros && displayed.bytes().all(|byte| byte.is_ascii_digit()) {
                let number = displayed.trim_start_matches('0');
                displayed = if number.is_empty() { "0".into() } else { number.into() };
            }
            if recorded.is_some_and(|recorded| recorded.is_taken() != taken) {
                cause = Some(Behaviour::RecordStale);
            }
        }
        let id = format!("{number}");
        let row = self.row(&mut random, meter, at, entry, &id, displayed);
        entries.write_record(row.iter().map(String::as_str)).map_err(io::Error::other)?;

        let sale = entry.sale.as_ref();
        let line = Truth {
            schema: 1,
            id: &id,
            result: answer.result.name(),
            cause: cause.map(Behaviour::name),
            kind: match entry.intent {
                Intent::Strange(_) if entry.meant.is_none() => "number",
                _ => sale.map_or("number", |sale| sale.kind),
            },
            behaviour: entry.behaviour.name(),
            made: sale.filter(|_| cause.is_some()).map(|sale| self.configuration(&sale.made)),
            holds: cause.is_some().then_some(held_before),
            meant: entry.meant.as_deref(),
            place: entry.place,
            tid: sale.and_then(|sale| sale.tid).map(sts_core::TokenId::get),
            sold_at: sale.map(|sale| time(sale.at)),
            clock_error_min: sale.and_then(|sale| self.clock_error(sale)),
            units_raw: sale.and_then(|sale| sale.units),
            stale: recorded.is_some(),
            recorded_result: recorded
                .filter(|recorded| *recorded != answer.result)
                .map(TokenResult::name),
            display,
        };
        serde_json::to_writer(&mut *truth, &line)?;
        truth.write_all(b"\n")?;
        Ok(Recorded { cause })
    }

    /// The true meter takes the digits, or not; what it takes changes it.
    fn ask(&mut self, place: usize, now: u64, entry: &Entry, at: i64) -> Answer {
        let keys = &self.keys;
        let meter = &mut self.meters[place];
        let pending = meter.meter.staged_sections(now).count() > 0;
        let admitted = meter.meter.enter(&entry.keyed, now).map(|admission| {
            let tid = admission.payload().tid();
            (tid, admission.apply())
        });
        let (tid, outcome) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) => {
                meter.meter.count_refusal(&rejection, now);
                return Answer { result: rejection.result(), rejection: Some(rejection), pending };
            }
        };
        let base = keys[meter.made.key].base;
        if let Some(tid) = tid {
            meter.taken.push((base, tid));
        }
        let sold = entry.sale.as_ref().filter(|_| entry.intent == Intent::AsSold);
        if let Some(sale) = sold.filter(|sale| entry.keep && sale.tid.is_some()) {
            if meter.recent.len() == 6 {
                meter.recent.remove(0);
            }
            meter.recent.push(sale.clone());
        }
        let to = sold.and_then(|sale| sale.to);
        match outcome {
            Outcome::SectionStored { .. } => meter.sections.extend(to.map(|to| to.key)),
            Outcome::KeyChanged { rollover, .. } => {
                meter.sections.clear();
                meter.recent.clear();
                let expected = to.and_then(|to| decoder(keys, &to));
                let known = expected.is_some_and(|key| key.same_as(meter.meter.key()));
                match to {
                    Some(to) if known => {
                        let changed = keys[to.key].base != base;
                        meter.kept_tids = (changed || meter.kept_tids) && !rollover;
                        meter.past.push(Past { made: meter.made, until: at });
                        meter.made = to;
                        let chain = &self.chains[meter.group];
                        if let Some(place) = chain.iter().position(|key| *key == to.key) {
                            meter.generation = place;
                        }
                    }
                    _ => meter.dead = true,
                }
                meter.since = at;
            }
            _ => {}
        }
        let pending = pending || meter.meter.staged_sections(now).count() > 0;
        Answer { result: outcome.result(), rejection: None, pending }
    }

    /// Why, by what was done; the order is that of the vocabulary.
    fn cause(&self, place: usize, at: i64, entry: &Entry, rejection: &Rejection) -> Behaviour {
        let meter = &self.meters[place];
        if matches!(rejection, Rejection::Lockout { .. }) {
            return Behaviour::Lockout;
        }
        match entry.intent {
            Intent::Strange(Behaviour::NotToken) => return Behaviour::NotToken,
            Intent::Slip(cause @ (Behaviour::FormatNondigit | Behaviour::FormatSpreadsheet)) => {
                return cause;
            }
            _ => {}
        }
        let meant = entry.meant.as_deref().unwrap_or_default();
        if entry.intent != Intent::AsSold && digits::looks_damaged(meant, &entry.keyed) {
            return Behaviour::FormatSpreadsheet;
        }
        if matches!(rejection, Rejection::Length { .. })
            && let Some(cause) =
                digits::framed_elsewhere(self.family(place), meter.firmware, &entry.keyed)
        {
            return cause;
        }
        if rejection.result() == TokenResult::ExtensionMismatch {
            return Behaviour::ExtensionMismatch;
        }
        if let Intent::Slip(cause) = entry.intent {
            return cause;
        }
        let sale = entry.sale.as_ref().filter(|_| entry.intent == Intent::AsSold);
        match rejection {
            Rejection::Length { .. } => Behaviour::LengthOther,
            Rejection::OutOfRange => Behaviour::FormatOutOfRange,
            Rejection::NonDigit { .. } => Behaviour::FormatNondigit,
            Rejection::Crc => sale
                .filter(|_| !meter.dead)
                .and_then(|sale| self.difference(&sale.made, place))
                .unwrap_or(Behaviour::Unknown),
            Rejection::MfrCode { .. } => Behaviour::MfrCode,
            Rejection::ReservedClass => Behaviour::FunctionOther,
            Rejection::DefaultKey { .. } => Behaviour::KeyDefault,
            Rejection::KeyExpired { .. } => Behaviour::KeyExpired,
            Rejection::Used { .. } => Behaviour::TidUsed,
            Rejection::Old { .. } => {
                sale.map_or(Behaviour::Unknown, |sale| self.old_cause(place, at, sale))
            }
            Rejection::KeyType { .. } => Behaviour::KctKeyType,
            Rejection::SectionOrder { .. } | Rejection::UnsupportedSection { .. } => {
                Behaviour::KctUnsupported
            }
            Rejection::Range { .. } => Behaviour::Range,
            Rejection::Overflow { .. } => Behaviour::Overflow,
            Rejection::Unsupported { class: sts_core::Class::Credit, .. } => {
                Behaviour::FunctionResource
            }
            Rejection::Unsupported { .. } | Rejection::UnknownTest => Behaviour::FunctionOther,
            _ => Behaviour::Unknown,
        }
    }

    fn old_cause(&self, place: usize, at: i64, sale: &Sale) -> Behaviour {
        let meter = &self.meters[place];
        let base = self.keys[meter.made.key].base;
        if self.difference(&sale.made, place) == Some(Behaviour::BdtMismatch) {
            return Behaviour::BdtMismatch;
        }
        let Some(tid) = sale.tid else { return Behaviour::Unknown };
        let said = tid.unix_minutes(base) * 60;
        if meter.taken.contains(&(base, tid)) {
            Behaviour::TidUsed
        } else if is_over(sale.at, base) {
            Behaviour::TidWrapped
        } else if meter.kept_tids {
            Behaviour::RolloverBitMissing
        } else if (said - sale.at).abs() > 7 * DAY || said > at {
            Behaviour::TidClockOffset
        } else {
            Behaviour::TidOld
        }
    }

    fn configuration(&self, made: &Made) -> Configuration {
        let key = &self.keys[made.key];
        Configuration {
            drn: made.pan.drn().to_owned(),
            sgc: key.sgc.to_string(),
            krn: key.krn.get(),
            ti: made.ti.to_string(),
            kt: key.kt.code(),
            ea: made.ea.code(),
            base_date: key.base.year(),
            held: key.held,
        }
    }

    /// The clock's error in minutes where it is a minute at least.
    fn clock_error(&self, sale: &Sale) -> Option<i64> {
        let base = self.keys[sale.made.key].base;
        let error = sale.tid?.unix_minutes(base) - sale.at.div_euclid(60);
        let wrapped = 1 << 24;
        let error = if error < -wrapped / 2 { error + wrapped } else { error };
        (error != 0).then_some(error)
    }

    /// The row of entries.csv, with all that is badly kept.
    fn row(
        &self,
        random: &mut Random,
        meter: usize,
        at: i64,
        entry: &Entry,
        id: &str,
        displayed: String,
    ) -> [String; COLUMNS.len()] {
        let records = &self.plan.records;
        let drn = self.meters[meter].made.pan.drn().to_owned();
        let entered = if random.chance(records.ungrouped.0) || entry.keyed.len() != 20 {
            entry.keyed.clone()
        } else {
            let groups = entry.keyed.as_bytes().chunks(4);
            let groups: Vec<&str> =
                groups.map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
            groups.join(if random.chance(0.8) { " " } else { "-" })
        };
        let sale = entry.sale.as_ref();
        let sold_missing = random.chance(records.sold_at_missing.0);
        let quantity = sale.and_then(|sale| sale.units);
        let quantity = self.quantity(random, quantity);
        let mut believed: [String; 5] = Default::default();
        if random.chance(records.believed.0)
            && let Some(sale) = sale
        {
            // Some exports hold the customer file and not what the token was made with.
            let wrong = random.chance(records.believed_wrong.0);
            let made = if wrong { &self.meters[meter].made } else { &sale.made };
            let key = &self.keys[made.key];
            believed = [
                key.sgc.to_string(),
                key.krn.to_string(),
                made.ti.to_string(),
                key.kt.code().to_string(),
                made.ea.code().to_owned(),
            ];
        }
        let [sgc, krn, ti, kt, ea] = believed;
        let unit = match sale {
            Some(sale) if !quantity.is_empty() => sale.unit.to_owned(),
            _ => String::new(),
        };
        [
            id.to_owned(),
            time(at),
            drn,
            entered,
            sale.filter(|_| !sold_missing).map(|sale| time(sale.stamp)).unwrap_or_default(),
            quantity,
            unit,
            sale.and_then(|sale| sale.paid).map(|paid| format!("{paid}.00")).unwrap_or_default(),
            sgc,
            krn,
            ti,
            kt,
            ea,
            displayed,
        ]
    }

    fn quantity(&self, random: &mut Random, tenths: Option<u32>) -> String {
        let records = &self.plan.records;
        let missing = random.chance(records.quantity_missing.0);
        let whole = random.chance(records.quantity_whole.0);
        let off = random.chance(records.quantity_off_by_tenth.0);
        let wrong = random.chance(records.quantity_wrong.0);
        let other = u32::try_from(1 + random.below(4000)).unwrap_or(1);
        let Some(mut tenths) = tenths.filter(|_| !missing) else { return String::new() };
        if wrong {
            tenths = other;
        } else if off {
            tenths = if random.chance(0.5) { tenths + 1 } else { tenths.saturating_sub(1) };
        }
        if whole {
            return ((tenths + 5) / 10).to_string();
        }
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// The rows of meters.csv: the records, where they are wrong too.
    pub(super) fn write_meters(&self, out: impl Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        let header = [
            "drn",
            "ea",
            "sgc",
            "krn",
            "ti",
            "kt",
            "base_date",
            "ken",
            "profile",
            "firmware",
            "tid_floor",
            "tids",
            "credit_0",
            "credit_1",
            "credit_2",
            "credit_3",
        ];
        out.write_record(header).map_err(io::Error::other)?;
        for meter in &self.meters {
            let group = self.plan.group[meter.group].get_ref();
            let recorded = meter.recorded.as_deref().unwrap_or(&meter.meter);
            let held = recorded.attributes();
            let base = self.recorded_base(meter.made.key, recorded);
            let floor = recorded.tids().iter().min().map_or(0, |tid| tid.get());
            let tids = recorded.tids().iter().map(|tid| tid.get()).filter(|tid| *tid != floor);
            let tids: Vec<String> = tids.map(|tid| tid.to_string()).collect();
            let credit = recorded.registers().units;
            let credit =
                credit.map(|units| if units == 0 { String::new() } else { units.to_string() });
            let [electricity, water, gas, minutes] = credit;
            let ken = match held.ken {
                KeyExpiryNumber::NEVER => String::new(),
                ken => ken.to_string(),
            };
            let row = [
                meter.made.pan.drn().to_owned(),
                meter.made.ea.code().to_owned(),
                held.sgc.to_string(),
                held.krn.to_string(),
                held.ti.to_string(),
                held.kt.code().to_string(),
                base.to_string(),
                ken,
                group.profile.clone(),
                self.families[meter.group].firmware_ids()[meter.firmware].to_owned(),
                floor.to_string(),
                tids.join(";"),
                electricity,
                water,
                gas,
                minutes,
            ];
            out.write_record(&row).map_err(io::Error::other)?;
        }
        out.flush()
    }

    /// The base date of the key that a record names.
    fn recorded_base(&self, own: usize, recorded: &sts_core::Meter<'static>) -> u16 {
        let held = recorded.attributes();
        let fits = |place: &usize| {
            let key = &self.keys[*place];
            (key.sgc, key.krn, key.kt) == (held.sgc, held.krn, held.kt)
        };
        let place =
            if fits(&own) { Some(own) } else { self.keys_where(|_| true).into_iter().find(fits) };
        place.map_or(2014, |place| self.keys[place].base.year())
    }

    /// The key file: what the user holds.
    pub(super) fn write_keys(&self, mut out: impl Write) -> io::Result<()> {
        writeln!(out, "# Test keys, made from a seed. They open nothing of value.\nschema = 1")?;
        for key in self.keys.iter().filter(|key| key.held) {
            writeln!(
                out,
                "\n[[vending_key]]\nid = \"{}\"\npurpose = \"test\"\nsgc = \"{}\"\nkrn = {}\nkt = {}\n\
                 dkga = \"{}\"\nbase_date = {}\nken = {}\nkey = \"{}\"",
                key.id,
                key.sgc,
                key.krn,
                key.kt.code(),
                key.dkga.code(),
                key.base.year(),
                key.ken,
                hex::encode(&key.bytes),
            )?;
        }
        Ok(())
    }
}

/// The columns of entries.csv.
pub(super) const COLUMNS: [&str; 14] = [
    "id",
    "entered_at",
    "drn",
    "entered",
    "sold_at",
    "quantity",
    "unit",
    "paid",
    "sgc",
    "krn",
    "ti",
    "kt",
    "ea",
    "displayed",
];

/// Seconds since 1970 as RFC 3339.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}
