//! What is asked: pasted text, the tokens in it, and the meter it is about.

use jiff::Timestamp;
use sts_core::MeterPan;
use sts_harness::case::Case;
use sts_harness::fleet::Fleet;
use sts_harness::keys::VendingEntry;
use sts_harness::records::{self, EntryRow, MeterRow};
use sts_harness::slip::Slip;
use sts_harness::slips;

/// The text as given, and what a slip tells beside it.
pub(crate) struct Question {
    pub(crate) slip: Slip,
    pub(crate) entries: Vec<String>,
}

impl Question {
    /// Reads pasted text: a slip or message, or what was keyed.
    #[cfg(feature = "serve")]
    pub(crate) fn read(text: &str) -> Self {
        if is_one_entry(&[text]) {
            return Self::entry(text);
        }
        Self::of_slip(text)
    }

    /// Reads the words of a command line, which are one entry where they are digits alone.
    pub(crate) fn of_words(words: &[String]) -> Self {
        let text = words.join(" ");
        if is_one_entry(words) { Self::entry(&text) } else { Self::of_slip(&text) }
    }

    /// Reads a text that is said to be a slip.
    pub(crate) fn of_slip(text: &str) -> Self {
        let slip = Slip::read(text);
        let mut entries: Vec<String> = slip.tokens().map(str::to_owned).collect();
        if entries.is_empty() && slip.notes().is_empty() {
            // Not a slip: what was keyed, whatever it is.
            entries.push(text.trim().to_owned());
        }
        Self { slip, entries }
    }

    fn entry(text: &str) -> Self {
        Self { slip: Slip::default(), entries: vec![text.to_owned()] }
    }

    /// One of its tokens as an entry at a meter; what is `told` goes before what the slip tells.
    pub(crate) fn entry_row(
        &self,
        place: usize,
        pan: MeterPan,
        at: Timestamp,
        told: &[(&'static str, Option<&str>)],
    ) -> Result<EntryRow, Problem> {
        let mut entry = EntryRow::token(&(place + 1).to_string(), pan, at, &self.entries[place]);
        let mut set = |name: &'static str, value: &str| {
            entry.set_field(name, value).map_err(|problem| Problem::new(name, problem))
        };
        for (name, value) in self.slip.entry_fields() {
            set(name, &value)?;
        }
        for (name, value) in told {
            // An empty display says nothing.
            let says = |value: &&str| *name != "displayed" || !value.trim().is_empty();
            if let Some(value) = value.filter(says) {
                set(name, value)?;
            }
        }
        Ok(entry)
    }
}

/// Words of digits alone that are one entry at the keypad, whatever its length: not one token with
/// something after it, which a slip would be read as.
fn is_one_entry(words: &[impl AsRef<str>]) -> bool {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let is_bare = |word: &&str| word.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
    let digits = |word: &&str| word.bytes().filter(u8::is_ascii_digit).count();
    let count: usize = words.iter().map(digits).sum();
    let holds_tokens = count > 20 && count.is_multiple_of(20);
    let several = words.len() > 1 && words.iter().any(|word| digits(word) >= 20);
    count > 0 && !holds_tokens && !several && words.iter().all(is_bare)
}

/// What is wrong with a question, and with which part of it.
#[derive(Debug)]
pub(crate) struct Problem {
    /// A column of `entries.csv` or `meters.csv`, or `meter`.
    pub(crate) field: &'static str,
    /// In words: what it is and what was expected.
    pub(crate) problem: String,
}

impl Problem {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// The settings of a meter that a question may name: columns of `meters.csv`.
pub(crate) const SETTINGS: [&str; 10] =
    ["ea", "sgc", "kt", "krn", "ti", "base_date", "ken", "tid_floor", "profile", "firmware"];

/// Settings of a meter, as a question names them.
#[derive(Debug, Default)]
pub(crate) struct Settings(Vec<(&'static str, String)>);

impl Settings {
    pub(crate) fn of<'a>(given: impl IntoIterator<Item = (&'static str, Option<&'a str>)>) -> Self {
        let given = given.into_iter();
        Self(given.filter_map(|(name, value)| Some((name, value?.to_owned()))).collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| *own == name)
    }

    /// That nothing is named of a meter whose record tells it, but for what is taken besides.
    pub(crate) fn must_be_on_record(&self, besides: &[&str]) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| !besides.contains(name)) {
            Some((name, _)) => {
                let problem = "meters.csv says this of the meter, expected it there";
                Err(Problem::new(name, problem))
            }
            None => Ok(()),
        }
    }

    fn put(&self, row: MeterRow) -> Result<MeterRow, Problem> {
        let row = self.0.iter().try_fold(row, |row, (name, value)| {
            row.with_field(name, value).map_err(|problem| Problem::new(name, problem))
        })?;
        row.consistent().map_err(|problem| Problem::new("meter", problem))
    }

    /// A meter that no record tells of: under the first held key that fits, and as named here where
    /// no key fits but all of the key is named.
    pub(crate) fn row(&self, case: &Case, pan: MeterPan) -> Result<MeterRow, Problem> {
        // What is given must be sound by itself before a key is looked for.
        let wanted = self.put(MeterRow::bare(pan))?;
        let fits = |entry: &&VendingEntry| {
            (!self.has("sgc") || entry.sgc == wanted.sgc)
                && (!self.has("krn") || entry.krn == wanted.krn)
                && (!self.has("kt") || entry.kt == wanted.kt)
                && (!self.has("base_date") || entry.base_date == wanted.base_date)
        };
        let row = match case.keys.vending.iter().find(fits) {
            Some(entry) => MeterRow::under(wanted.pan, entry),
            None if self.has("sgc") && self.has("krn") => wanted,
            None => {
                let problem = "no held key fits this meter: name --sgc, --krn, --ti, --kt and \
                               --base-date, or --keys";
                return Err(Problem::new("sgc", problem));
            }
        };
        self.put(row)
    }
}

/// The number of a meter, or what is wrong with it and which meter of the fleet may be meant.
pub(crate) fn meter_number(number: &str, fleet: &Fleet) -> Result<MeterPan, Problem> {
    records::meter_pan(number).map_err(|problem| {
        let near = near_meter(fleet, number);
        Problem::new("meter", format!("meter number {number:?}: {problem}{near}"))
    })
}

/// A meter that the records should know and do not.
pub(crate) fn unknown_meter(pan: &MeterPan, fleet: &Fleet) -> Problem {
    let near = near_meter(fleet, pan.drn());
    Problem::new("meter", format!("meter {} is not in meters.csv{near}", pan.drn()))
}

/// The meter of the fleet whose number is one slip of the finger away, as the end of a message.
fn near_meter(fleet: &Fleet, number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_near = |own: &str| slips::number_variants(&digits).iter().any(|variant| variant == own);
    let mut near = fleet.meters.iter().map(|meter| &meter.row.pan);
    near.find(|pan| is_near(pan.drn()) || is_near(pan.as_str()))
        .map(|pan| format!("; did you mean {}?", pan.drn()))
        .unwrap_or_default()
}
