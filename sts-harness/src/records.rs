//! The rows of a case folder and of the verbs that read tables, with typed fields.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use sts_core::{
    BaseDate, DecoderReferenceNumber, EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, MeterPan, SupplyGroupCode, TariffIndex, TokenId,
};

use crate::input::{InputError, Place, Rejected};
use crate::keys::VendingEntry;
use crate::table::{Columns, Row, Table};
use crate::time;

/// The rows of a file: good ones, and those that were not taken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rows<T> {
    /// The file's name.
    pub file: String,
    /// Its header.
    pub header: Vec<String>,
    /// Good rows.
    pub rows: Vec<T>,
    /// Rows that were not taken.
    pub rejected: Vec<Rejected>,
}

/// What is wrong with a field: its name and words.
pub(crate) type FieldError = (String, String);

fn read<T>(
    path: &Path,
    columns: &Columns,
    make: impl FnMut(&Row) -> Result<T, FieldError>,
) -> Result<Rows<T>, InputError> {
    Ok(typed(Table::read_file(path, columns)?, make))
}

/// The rows of a table with typed fields.
fn typed<T>(table: Table, mut make: impl FnMut(&Row) -> Result<T, FieldError>) -> Rows<T> {
    let mut rows = Rows {
        file: table.file.clone(),
        header: table.header,
        rows: Vec::new(),
        rejected: table.rejected,
    };
    for row in &table.rows {
        match make(row) {
            Ok(made) => rows.rows.push(made),
            Err((field, problem)) => rows.rejected.push(Rejected::new(
                Place::field(&table.file, row.line, &field),
                row.original.clone(),
                problem,
            )),
        }
    }
    rows.rejected.sort_by_key(|row| row.place.line);
    rows
}

/// Reads a field by a parser; absent and empty are `None`.
fn field<T>(
    row: &Row,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, FieldError> {
    said(|name| row.get(name), name, parse)
}

fn said<'a, T>(
    get: impl Fn(&str) -> Option<&'a str>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, FieldError> {
    get(name).map(parse).transpose().map_err(|problem| (name.to_owned(), problem))
}

fn required<T>(value: Option<T>, name: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| (name.to_owned(), "is empty, expected a value".to_owned()))
}

/// A problem that opens with the field's name, as the name and the words.
fn named(name: &str, problem: String) -> FieldError {
    let words = problem.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    (name.to_owned(), words.map(str::to_owned).unwrap_or(problem))
}

/// A number within what its type takes.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?}, expected a whole number in range"))
}

/// A supply group code, six digits.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_sgc(text: &str) -> Result<SupplyGroupCode, String> {
    if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let hint = if text.len() < 6 { "; were leading zeros lost?" } else { "" };
        return Err(format!("{text:?}, expected a supply group code of six digits{hint}"));
    }
    SupplyGroupCode::new(number(text)?).map_err(|error| error.to_string())
}

/// A tariff index, two digits; one digit is taken for its value.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_ti(text: &str) -> Result<TariffIndex, String> {
    let value: u8 =
        number(text).map_err(|_| format!("{text:?}, expected a tariff index of 00 to 99"))?;
    TariffIndex::new(value).map_err(|error| error.to_string())
}

/// A key revision number, 0 to 9.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_krn(text: &str) -> Result<KeyRevisionNumber, String> {
    let value =
        number(text).map_err(|_| format!("{text:?}, expected a key revision number of 1 to 9"))?;
    KeyRevisionNumber::new(value).map_err(|error| error.to_string())
}

/// A key type, 0 to 3.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_kt(text: &str) -> Result<KeyType, String> {
    number::<u8>(text)
        .ok()
        .and_then(KeyType::from_code)
        .ok_or_else(|| format!("{text:?}, expected a key type of 0 to 3"))
}

/// A key expiry number, 0 to 255.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_ken(text: &str) -> Result<KeyExpiryNumber, String> {
    number(text)
        .ok()
        .and_then(|ken| KeyExpiryNumber::new(ken).ok())
        .ok_or_else(|| format!("{text:?}, expected a key expiry number of 0 to 255"))
}

/// An encryption algorithm: 07, 09 or 11.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_ea(text: &str) -> Result<EncryptionAlgorithm, String> {
    let padded = if text.len() == 1 { format!("0{text}") } else { text.to_owned() };
    EncryptionAlgorithm::from_code(&padded)
        .ok_or_else(|| format!("{text:?}, expected an encryption algorithm: 07, 09 or 11"))
}

/// A base date: 1993, 2014 or 2035.
///
/// # Errors
///
/// What was found and expected.
pub fn parse_base_date(text: &str) -> Result<BaseDate, String> {
    number(text)
        .ok()
        .and_then(BaseDate::from_year)
        .ok_or_else(|| format!("{text:?}, expected a base date: 1993, 2014 or 2035"))
}

fn parse_tid(text: &str) -> Result<TokenId, String> {
    let value: u32 = number(text)?;
    TokenId::new(value).map_err(|error| error.to_string())
}

fn parse_flag(text: &str) -> Result<bool, String> {
    match text {
        "0" | "false" => Ok(false),
        "1" | "true" => Ok(true),
        _ => Err(format!("{text:?}, expected 0 or 1")),
    }
}

fn parse_hex(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| format!("{text:?}, expected hexadecimal digits"))
}

/// A meter by any of its numbers: 18 digits, or a DRN of 11 or 13.
///
/// # Errors
///
/// What was found and expected.
pub fn meter_pan(text: &str) -> Result<MeterPan, String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if text.len() == 18 {
        return MeterPan::parse(&text).map_err(|error| error.to_string());
    }
    DecoderReferenceNumber::parse(&text)
        .map(|drn| MeterPan::from_drn(&drn))
        .map_err(|error| error.to_string())
}

/// The meter that a row names: by its `pan`, or by its `drn` with or without an `iin`. `None` where it
/// names none; `raw` gives a field as it stands.
///
/// # Errors
///
/// The field, what was found and expected.
pub fn meter_named<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<Option<MeterPan>, String> {
    let get = |name: &str| trimmed(raw(name));
    pan_from(get("pan"), get("drn"), get("iin")).map_err(in_words)
}

/// A field without blanks around it; `None` where nothing is left.
fn trimmed(field: Option<&str>) -> Option<&str> {
    field.map(str::trim).filter(|value| !value.is_empty())
}

fn in_words((field, problem): FieldError) -> String {
    format!("{field}: {problem}")
}

/// The meter that a row must name.
fn required_pan<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<MeterPan, FieldError> {
    let get = |name: &str| trimmed(raw(name));
    let name = if raw("pan").is_some() { "pan" } else { "drn" };
    required(pan_from(get("pan"), get("drn"), get("iin"))?, name)
}

fn pan_of(row: &Row) -> Result<Option<MeterPan>, FieldError> {
    pan_from(row.get("pan"), row.get("drn"), row.get("iin"))
}

fn pan_from(
    pan: Option<&str>,
    drn: Option<&str>,
    iin: Option<&str>,
) -> Result<Option<MeterPan>, FieldError> {
    let from_pan = pan.map(MeterPan::parse).transpose();
    let from_pan = from_pan.map_err(|error| ("pan".to_owned(), error.to_string()))?;
    let from_drn = drn.map(|text| {
        let drn = DecoderReferenceNumber::parse(text).map_err(|error| error.to_string())?;
        match iin {
            Some(iin) => MeterPan::from_parts(iin, &drn).map_err(|error| error.to_string()),
            None => Ok(MeterPan::from_drn(&drn)),
        }
    });
    let from_drn = from_drn.transpose().map_err(|problem| ("drn".to_owned(), problem))?;
    match (from_pan, from_drn) {
        (Some(pan), Some(drn)) if pan != drn => {
            Err(("drn".to_owned(), "is another meter than pan, expected the same".to_owned()))
        }
        (pan, drn) => Ok(pan.or(drn)),
    }
}

/// An exact decimal number: `units` at `10^-scale`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Decimal {
    /// All digits, without the point.
    pub units: i128,
    /// Digits behind the point.
    pub scale: u32,
}

impl Decimal {
    /// From digits with a point.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains(',') {
            return Err(format!("{text:?} has a comma, expected a decimal point"));
        }
        let expected = || format!("{text:?}, expected a decimal number such as 45.3");
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{part}");
        let sound = !whole.is_empty()
            && digits.len() <= 37
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !sound {
            return Err(expected());
        }
        let magnitude: i128 = digits.parse().map_err(|_| expected())?;
        let units = if text.starts_with('-') { -magnitude } else { magnitude };
        let scale = u32::try_from(part.len()).map_err(|_| expected())?;
        Ok(Self { units, scale })
    }

    /// From digits with a point and, where it has one, a power of ten: `1.8E+14`.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse_with_exponent(text: &str) -> Result<Self, String> {
        let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
            return Self::parse(text);
        };
        let expected = || format!("{text:?}, expected a decimal number such as 45.3 or 1.8E+14");
        let exponent: i64 = exponent.parse().map_err(|_| expected())?;
        let Self { units, scale } = Self::parse(digits)?;
        let scale = i64::from(scale).checked_sub(exponent).ok_or_else(expected)?;
        if scale >= 0 {
            let scale = u32::try_from(scale).map_err(|_| expected())?;
            return Ok(Self { units, scale });
        }
        let power = u32::try_from(scale.unsigned_abs()).map_err(|_| expected())?;
        let step = 10_i128.checked_pow(power).ok_or_else(expected)?;
        let units = units.checked_mul(step).ok_or_else(expected)?;
        Ok(Self { units, scale: 0 })
    }

    /// In units of `10^-places`, towards plus infinity; `None` where too large.
    #[must_use]
    pub fn rounded_up(&self, places: u32) -> Option<i128> {
        if self.scale <= places {
            return self.units.checked_mul(10_i128.checked_pow(places - self.scale)?);
        }
        let step = 10_i128.checked_pow(self.scale - places)?;
        Some(self.units.div_euclid(step) + i128::from(self.units.rem_euclid(step) != 0))
    }

    /// In tenths, rounded up as a vendor does; `None` where negative or too large.
    #[must_use]
    pub fn tenths_rounded_up(&self) -> Option<u64> {
        self.rounded_up(1).and_then(|tenths| u64::try_from(tenths).ok())
    }
}

pub(crate) const METER_COLUMNS: Columns = Columns {
    required: &[&["pan", "drn"], &["ea"], &["sgc"], &["krn"], &["ti"], &["kt"], &["base_date"]],
    optional: &[
        "iin",
        "ken",
        "profile",
        "firmware",
        "tid_floor",
        "tids",
        "credit_0",
        "credit_1",
        "credit_2",
        "credit_3",
        "credit_4",
        "credit_5",
        "credit_6",
        "credit_7",
        "note",
    ],
};

/// A meter's state when a replay starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MeterRow {
    /// Its line in the file, 0 where it comes from elsewhere.
    pub line: u64,
    /// Its fields as they stood.
    pub original: Vec<String>,
    /// The meter.
    pub pan: MeterPan,
    /// Encryption algorithm.
    pub ea: EncryptionAlgorithm,
    /// Supply group code.
    pub sgc: SupplyGroupCode,
    /// Key revision number.
    pub krn: KeyRevisionNumber,
    /// Tariff index.
    pub ti: TariffIndex,
    /// Key type.
    pub kt: KeyType,
    /// Base date of the key.
    pub base_date: BaseDate,
    /// Key expiry number.
    pub ken: KeyExpiryNumber,
    /// Profile, by name or path.
    pub profile: String,
    /// Firmware; the profile's first when absent.
    pub firmware: Option<String>,
    /// What the TID memory is filled with.
    pub tid_floor: TokenId,
    /// Further TIDs in the memory.
    pub tids: Vec<TokenId>,
    /// Registers of units.
    pub units: [u64; 4],
    /// Registers of currency.
    pub currency: [i64; 4],
}

impl MeterRow {
    /// Whether `meters.csv` has a column of this name.
    #[must_use]
    pub fn is_column(name: &str) -> bool {
        METER_COLUMNS.known().any(|known| known == name)
    }

    /// The columns that `meters.csv` must have: at least one of each group.
    #[must_use]
    pub const fn required_columns() -> &'static [&'static [&'static str]] {
        METER_COLUMNS.required
    }

    /// A new meter under a held key, everything else at its default.
    #[must_use]
    pub fn under(pan: MeterPan, entry: &VendingEntry) -> Self {
        let mut row = Self::bare(pan);
        (row.sgc, row.krn, row.kt) = (entry.sgc, entry.krn, entry.kt);
        (row.base_date, row.ken) = (entry.base_date, entry.ken);
        row
    }

    /// A new meter of which only the number is known.
    #[must_use]
    pub fn bare(pan: MeterPan) -> Self {
        Self {
            line: 0,
            original: Vec::new(),
            pan,
            ea: EncryptionAlgorithm::Sta,
            sgc: SupplyGroupCode::MIN,
            krn: KeyRevisionNumber::new(1).unwrap_or(KeyRevisionNumber::MIN),
            ti: TariffIndex::new(1).unwrap_or(TariffIndex::MIN),
            kt: KeyType::Unique,
            base_date: BaseDate::Y2014,
            ken: KeyExpiryNumber::NEVER,
            profile: "standard".to_owned(),
            firmware: None,
            tid_floor: TokenId::MIN,
            tids: Vec::new(),
            units: [0; 4],
            currency: [0; 4],
        }
    }

    /// A row from what each column of `meters.csv` says; `raw` gives a field as it stands.
    ///
    /// # Errors
    ///
    /// The field, what was found and expected.
    pub fn of<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<Self, String> {
        Self::from_raw(raw).map_err(in_words)
    }

    fn from_raw<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<Self, FieldError> {
        let get = |name: &str| trimmed(raw(name));
        let mut meter = Self::bare(required_pan(&raw)?);
        for name in ["ea", "sgc", "krn", "ti", "kt", "base_date"] {
            required(get(name), name)?;
        }
        for name in METER_COLUMNS.known() {
            if matches!(name, "pan" | "drn" | "iin" | "note") {
                continue;
            }
            if let Some(value) = get(name) {
                meter = meter.with_field(name, value).map_err(|problem| named(name, problem))?;
            }
        }
        meter.consistent().map_err(|problem| named("krn", problem))
    }

    /// The row with one field, named as in the file, set anew.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn with_field(mut self, name: &str, value: &str) -> Result<Self, String> {
        let named = |problem: String| format!("{name}: {problem}");
        match name {
            "ea" => self.ea = parse_ea(value).map_err(named)?,
            "sgc" => self.sgc = parse_sgc(value).map_err(named)?,
            "krn" => self.krn = parse_krn(value).map_err(named)?,
            "ti" => self.ti = parse_ti(value).map_err(named)?,
            "kt" => self.kt = parse_kt(value).map_err(named)?,
            "base_date" => self.base_date = parse_base_date(value).map_err(named)?,
            "ken" => self.ken = parse_ken(value).map_err(named)?,
            "profile" => value.clone_into(&mut self.profile),
            "firmware" => self.firmware = Some(value.to_owned()),
            "tid_floor" => {
                self.tid_floor = parse_tid(value).map_err(named)?;
                self.tids.clear();
            }
            "tids" => self.tids = parse_tids(value).map_err(named)?,
            _ => match name.strip_prefix("credit_").and_then(|digit| digit.parse().ok()) {
                Some(place @ 0_usize..=3) => self.units[place] = number(value).map_err(named)?,
                Some(place @ 4..=7) => self.currency[place - 4] = number(value).map_err(named)?,
                _ => return Err(format!("{name:?} is no field that can be set")),
            },
        }
        Ok(self)
    }

    /// The row, once every field is set: a key revision of 0 goes with one key type alone.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn consistent(self) -> Result<Self, String> {
        if self.krn.get() == 0 && self.kt != KeyType::Initialization {
            return Err("krn: 0 goes with key type 0 alone, expected 1 to 9".to_owned());
        }
        Ok(self)
    }
}

fn parse_tids(text: &str) -> Result<Vec<TokenId>, String> {
    text.split(';').map(str::trim).filter(|tid| !tid.is_empty()).map(parse_tid).collect()
}

/// Reads `meters.csv`. A meter that stands twice is taken once.
///
/// # Errors
///
/// [`InputError`] where the file or its header cannot be used.
pub fn read_meters(path: &Path) -> Result<Rows<MeterRow>, InputError> {
    let mut seen = HashMap::new();
    read(path, &METER_COLUMNS, |row| meter_of(row, &mut seen))
}

/// The rows of a table of meters; `seen` has the lines of those before.
pub(crate) fn meter_rows(table: Table, seen: &mut HashMap<MeterPan, u64>) -> Rows<MeterRow> {
    typed(table, |row| meter_of(row, seen))
}

fn meter_of(row: &Row, seen: &mut HashMap<MeterPan, u64>) -> Result<MeterRow, FieldError> {
    let mut meter = MeterRow::from_raw(|name| row.raw(name))?;
    if let Some(line) = seen.get(&meter.pan) {
        return Err(("pan".to_owned(), format!("the meter stands in line {line} already")));
    }
    seen.insert(meter.pan, row.line);
    (meter.line, meter.original) = (row.line, row.original.clone());
    Ok(meter)
}

pub(crate) const ENTRY_COLUMNS: Columns = Columns {
    required: &[&["id"], &["entered_at"], &["pan", "drn"], &["entered"]],
    optional: &[
        "iin",
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
        "event",
        "value",
        "note",
    ],
};

/// One thing that happened at a meter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EntryRow {
    /// Its line in the file, 0 where it comes from elsewhere.
    pub line: u64,
    /// Its name.
    pub id: String,
    /// When.
    pub entered_at: Timestamp,
    /// At which meter.
    pub pan: MeterPan,
    /// What was keyed, as it stands.
    pub entered: Option<String>,
    /// When the token was sold.
    pub sold_at: Option<Timestamp>,
    /// The quantity on the receipt.
    pub quantity: Option<Decimal>,
    /// Its unit.
    pub unit: Option<String>,
    /// The money paid.
    pub paid: Option<Decimal>,
    /// What the vending side believed: supply group code.
    pub sgc: Option<SupplyGroupCode>,
    /// Key revision number.
    pub krn: Option<KeyRevisionNumber>,
    /// Tariff index.
    pub ti: Option<TariffIndex>,
    /// Key type.
    pub kt: Option<KeyType>,
    /// Encryption algorithm.
    pub ea: Option<EncryptionAlgorithm>,
    /// What the meter showed.
    pub displayed: Option<String>,
    /// What happened, where it was no token: firmware, replace, set, power.
    pub event: Option<String>,
    /// The event's value.
    pub value: Option<String>,
}

/// Units that a quantity may be in.
const UNITS: [&str; 3] = ["kWh", "m3", "min"];

/// Events that an entry may be.
const EVENTS: [&str; 5] = ["token", "firmware", "replace", "set", "power"];

impl EntryRow {
    /// Whether `entries.csv` has a column of this name.
    #[must_use]
    pub fn is_column(name: &str) -> bool {
        ENTRY_COLUMNS.known().any(|known| known == name)
    }

    /// The columns that `entries.csv` must have: at least one of each group.
    #[must_use]
    pub const fn required_columns() -> &'static [&'static [&'static str]] {
        ENTRY_COLUMNS.required
    }

    /// A token keyed at a meter, nothing else known.
    #[must_use]
    pub fn token(id: &str, pan: MeterPan, entered_at: Timestamp, entered: &str) -> Self {
        Self {
            line: 0,
            id: id.to_owned(),
            entered_at,
            pan,
            entered: Some(entered.to_owned()),
            sold_at: None,
            quantity: None,
            unit: None,
            paid: None,
            sgc: None,
            krn: None,
            ti: None,
            kt: None,
            ea: None,
            displayed: None,
            event: None,
            value: None,
        }
    }

    /// A row from what each column of `entries.csv` says; `raw` gives a field as it stands.
    ///
    /// # Errors
    ///
    /// The field, what was found and expected.
    pub fn of<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<Self, String> {
        Self::from_raw(raw).map_err(in_words)
    }

    fn from_raw<'a>(raw: impl Fn(&str) -> Option<&'a str>) -> Result<Self, FieldError> {
        let get = |name: &str| trimmed(raw(name));
        let id = required(get("id"), "id")?;
        let entered_at = required(said(get, "entered_at", time::parse)?, "entered_at")?;
        let pan = required_pan(&raw)?;
        let mut entry = Self::token(id, pan, entered_at, raw("entered").unwrap_or_default());
        for name in ENTRY_COLUMNS.optional {
            if matches!(*name, "iin" | "note") {
                continue;
            }
            if let Some(value) = get(name) {
                entry.set_field(name, value).map_err(|problem| named(name, problem))?;
            }
        }
        Ok(entry)
    }

    /// Sets a field, named as in the file.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn set_field(&mut self, name: &str, value: &str) -> Result<(), String> {
        let named = |problem: String| format!("{name}: {problem}");
        match name {
            "sold_at" => self.sold_at = Some(time::parse(value).map_err(named)?),
            "quantity" => self.quantity = Some(Decimal::parse(value).map_err(named)?),
            "unit" if UNITS.contains(&value) => self.unit = Some(value.to_owned()),
            "unit" => {
                return Err(named(format!("{value:?}, expected one of: {}", UNITS.join(", "))));
            }
            "paid" => self.paid = Some(Decimal::parse(value).map_err(named)?),
            "sgc" => self.sgc = Some(parse_sgc(value).map_err(named)?),
            "krn" => self.krn = Some(parse_krn(value).map_err(named)?),
            "ti" => self.ti = Some(parse_ti(value).map_err(named)?),
            "kt" => self.kt = Some(parse_kt(value).map_err(named)?),
            "ea" => self.ea = Some(parse_ea(value).map_err(named)?),
            "displayed" => self.displayed = Some(value.to_owned()),
            "event" if EVENTS.contains(&value) => self.event = Some(value.to_owned()),
            "event" => {
                return Err(named(format!("{value:?}, expected one of: {}", EVENTS.join(", "))));
            }
            "value" => self.value = Some(value.to_owned()),
            _ => return Err(format!("{name:?} is no field of an entry")),
        }
        Ok(())
    }

    /// Whether a token was keyed.
    #[must_use]
    pub fn is_token(&self) -> bool {
        self.event.as_deref().is_none_or(|event| event == "token")
    }
}

/// A row of `entries.csv`.
fn entry_of(row: &Row) -> Result<EntryRow, FieldError> {
    let mut entry = EntryRow::from_raw(|name| row.raw(name))?;
    entry.line = row.line;
    Ok(entry)
}

/// The rows of a table of entries, each as it stood too; those that are none are rejected.
pub(crate) fn entry_rows(table: &mut Table) -> Vec<(EntryRow, Row)> {
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in table.rows.drain(..) {
        match entry_of(&row) {
            Ok(entry) => rows.push((entry, row)),
            Err((field, problem)) => {
                let place = Place::field(&table.file, row.line, &field);
                table.rejected.push(Rejected::new(place, row.original, problem));
            }
        }
    }
    table.rejected.sort_by_key(|row| row.place.line);
    rows
}

/// The entries of a file that is in memory whole, as [`Entries`](crate::entries::Entries) gives those
/// of any length.
///
/// # Errors
///
/// [`InputError`]: empty, or a header that does not fit.
pub fn entries_of(file: &str, bytes: &[u8]) -> Result<Rows<EntryRow>, InputError> {
    let mut table = Table::read(file, bytes, &ENTRY_COLUMNS)?;
    let rows = entry_rows(&mut table).into_iter().map(|(entry, _)| entry).collect();
    let Table { file, header, rejected, .. } = table;
    Ok(Rows { file, header, rows, rejected })
}

/// A table's columns by the names that [`EntryRow::set_field`] takes, for lines that are read without
/// a [`Table`].
pub(crate) struct EntryLine {
    columns: Vec<&'static str>,
    delimiter: u8,
}

impl EntryLine {
    /// Of a header that is known to fit.
    pub(crate) fn new(header: &[String], delimiter: u8) -> Self {
        let known = |name: &String| ENTRY_COLUMNS.known().find(|known| known == name);
        Self {
            columns: header.iter().map(|name| known(name).unwrap_or("note")).collect(),
            delimiter,
        }
    }

    /// The entry in a line without its end, as [`entry_of`] has it; `None` where the line has a quote
    /// or anything else that takes a closer look.
    pub(crate) fn entry(&self, line: &[u8], number: u64) -> Option<EntryRow> {
        if line.iter().any(|byte| matches!(byte, b'"' | b'\r')) {
            return None;
        }
        let mut fields = std::str::from_utf8(line).ok()?.split(char::from(self.delimiter));
        let (mut pan, mut drn, mut iin) = (None, None, None);
        let (mut id, mut at, mut entered) = (None, None, "");
        let mut others = [("", ""); ENTRY_COLUMNS.optional.len()];
        let mut count = 0;
        for column in &self.columns {
            let raw = fields.next()?;
            let field = raw.trim();
            match *column {
                "entered" => entered = raw,
                _ if field.is_empty() => {}
                "id" => id = Some(field),
                "entered_at" => at = Some(time::parse(field).ok()?),
                "pan" => pan = Some(field),
                "drn" => drn = Some(field),
                "iin" => iin = Some(field),
                "note" => {}
                _ => {
                    *others.get_mut(count)? = (*column, field);
                    count += 1;
                }
            }
        }
        if fields.next().is_some() {
            return None;
        }
        let pan = pan_from(pan, drn, iin).ok()??;
        let mut entry = EntryRow::token(id?, pan, at?, entered);
        entry.line = number;
        for (name, value) in &others[..count] {
            entry.set_field(name, value).ok()?;
        }
        Some(entry)
    }
}

/// Entries must stand in time order for each meter; equal times are in the order of the file.
///
/// # Errors
///
/// [`InputError`] at the first that does not, with the number of the others.
pub fn check_order(file: &str, entries: &[EntryRow]) -> Result<(), InputError> {
    let mut latest: HashMap<MeterPan, &EntryRow> = HashMap::new();
    let mut early = entries.iter().filter_map(|entry| match latest.get(&entry.pan) {
        Some(before) if entry.entered_at < before.entered_at => Some((entry, *before)),
        _ => {
            latest.insert(entry.pan, entry);
            None
        }
    });
    let Some((entry, before)) = early.next() else { return Ok(()) };
    let others = match early.count() {
        0 => String::new(),
        count => format!(", and {count} more entries like it"),
    };
    let problem = format!(
        "{} is before {} in line {} for the same meter{others}, expected time order (or --sort)",
        entry.entered_at, before.entered_at, before.line
    );
    Err(InputError::new(Place::field(file, entry.line, "entered_at"), problem))
}

/// The columns of the table of `sts verify`.
pub(crate) const VERIFY_COLUMNS: Columns = Columns {
    required: &[&["token"]],
    optional: &["id", "pan", "drn", "iin", "ea", "sgc", "krn", "ti", "kt", "note"],
};

/// A token to authenticate, and what is known of its key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyRow {
    /// Its name; the line where the file gives none.
    pub id: String,
    /// The meter.
    pub pan: Option<MeterPan>,
    /// Encryption algorithm.
    pub ea: Option<EncryptionAlgorithm>,
    /// Supply group code.
    pub sgc: Option<SupplyGroupCode>,
    /// Key revision number.
    pub krn: Option<KeyRevisionNumber>,
    /// Tariff index.
    pub ti: Option<TariffIndex>,
    /// Key type.
    pub kt: Option<KeyType>,
    /// The token.
    pub token: Option<String>,
}

impl VerifyRow {
    /// From what each column says; the row's name apart.
    pub(crate) fn of<'a>(
        id: String,
        get: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, FieldError> {
        Ok(Self {
            id,
            pan: pan_from(get("pan"), get("drn"), get("iin"))?,
            ea: said(&get, "ea", parse_ea)?,
            sgc: said(&get, "sgc", parse_sgc)?,
            krn: said(&get, "krn", parse_krn)?,
            ti: said(&get, "ti", parse_ti)?,
            kt: said(&get, "kt", parse_kt)?,
            token: get("token").map(str::to_owned),
        })
    }
}

/// The rows of a table of `sts verify`.
pub(crate) fn verify_rows(table: Table) -> Rows<VerifyRow> {
    typed(table, |row| {
        let id = row.get("id").map_or_else(|| row.line.to_string(), str::to_owned);
        VerifyRow::of(id, |name| row.get(name))
    })
}

const ISSUE_COLUMNS: Columns = Columns {
    required: &[&["kind"]],
    optional: &[
        "id",
        "pan",
        "drn",
        "iin",
        "ea",
        "sgc",
        "krn",
        "ti",
        "kt",
        "subclass",
        "issued_at",
        "tid",
        "rnd",
        "units_raw",
        "amount",
        "watts",
        "register_to_clear",
        "control",
        "mfr_code",
        "index",
        "value",
        "to_sgc",
        "to_krn",
        "to_ti",
        "to_kt",
        "to_pan",
        "rollover",
        "three_kct",
        "note",
    ],
};

/// A token, or the tokens of a key change, to make.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "columns, described where the verb is")]
#[non_exhaustive]
pub struct IssueRow {
    pub line: u64,
    pub original: Vec<String>,
    pub id: String,
    pub pan: Option<MeterPan>,
    pub ea: Option<EncryptionAlgorithm>,
    pub sgc: Option<SupplyGroupCode>,
    pub krn: Option<KeyRevisionNumber>,
    pub ti: Option<TariffIndex>,
    pub kt: Option<KeyType>,
    pub kind: String,
    pub subclass: Option<u8>,
    pub issued_at: Option<Timestamp>,
    pub tid: Option<TokenId>,
    pub rnd: Option<u8>,
    pub units_raw: Option<u32>,
    pub amount: Option<Decimal>,
    pub watts: Option<u32>,
    pub register_to_clear: Option<u16>,
    pub control: Option<u64>,
    pub mfr_code: Option<u16>,
    pub index: Option<u8>,
    pub value: Option<u16>,
    pub to_sgc: Option<SupplyGroupCode>,
    pub to_krn: Option<KeyRevisionNumber>,
    pub to_ti: Option<TariffIndex>,
    pub to_kt: Option<KeyType>,
    pub to_pan: Option<MeterPan>,
    pub rollover: Option<bool>,
    pub three_kct: Option<bool>,
}

impl IssueRow {
    /// The currency amount in units of 0.000 01, towards plus infinity.
    #[must_use]
    pub fn amount_units(&self) -> Option<i128> {
        self.amount?.rounded_up(sts_core::CurrencyAmount::DECIMALS)
    }
}

/// Reads the table of `sts issue`.
///
/// # Errors
///
/// [`InputError`] where the file or its header cannot be used.
pub fn read_issue(path: &Path) -> Result<Rows<IssueRow>, InputError> {
    read(path, &ISSUE_COLUMNS, |row| {
        Ok(IssueRow {
            line: row.line,
            original: row.original.clone(),
            id: row.get("id").map_or_else(|| row.line.to_string(), str::to_owned),
            pan: pan_of(row)?,
            ea: field(row, "ea", parse_ea)?,
            sgc: field(row, "sgc", parse_sgc)?,
            krn: field(row, "krn", parse_krn)?,
            ti: field(row, "ti", parse_ti)?,
            kt: field(row, "kt", parse_kt)?,
            kind: required(row.get("kind"), "kind")?.to_owned(),
            subclass: field(row, "subclass", number)?,
            issued_at: field(row, "issued_at", time::parse)?,
            tid: field(row, "tid", parse_tid)?,
            rnd: field(row, "rnd", number)?,
            units_raw: field(row, "units_raw", number)?,
            amount: field(row, "amount", Decimal::parse_with_exponent)?,
            watts: field(row, "watts", number)?,
            register_to_clear: field(row, "register_to_clear", number)?,
            control: field(row, "control", parse_hex)?,
            mfr_code: field(row, "mfr_code", number)?,
            index: field(row, "index", number)?,
            value: field(row, "value", number)?,
            to_sgc: field(row, "to_sgc", parse_sgc)?,
            to_krn: field(row, "to_krn", parse_krn)?,
            to_ti: field(row, "to_ti", parse_ti)?,
            to_kt: field(row, "to_kt", parse_kt)?,
            to_pan: field(row, "to_pan", meter_pan)?,
            rollover: field(row, "rollover", parse_flag)?,
            three_kct: field(row, "three_kct", parse_flag)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_out_of_range_say_what_was_expected() {
        assert!(parse_sgc("1457").unwrap_err().contains("leading zeros"));
        assert!(parse_sgc("1234567").is_err());
        assert!(parse_ti("100").is_err());
        assert!(parse_krn("10").unwrap_err().contains("0 to 9"));
        assert!(parse_kt("4").is_err());
        assert!(parse_ken("256").is_err());
        assert!(parse_ea("08").is_err());
        assert!(parse_base_date("2000").is_err());
        assert!(meter_pan("600727000000000008").unwrap_err().contains("check digit"));
        assert!(meter_pan("12345678904").unwrap_err().contains("check digit"));
    }

    #[test]
    fn decimals_are_exact() {
        let tenths = |text: &str| Decimal::parse(text).ok().and_then(|d| d.tenths_rounded_up());
        assert_eq!(tenths("45.3"), Some(453));
        assert_eq!(tenths("45.31"), Some(454));
        assert_eq!(tenths("45"), Some(450));
        assert_eq!(tenths("-1"), None);
        assert_eq!(Decimal::parse("-1.000005").unwrap().rounded_up(5), Some(-100_000));
        assert!(Decimal::parse("45,3").unwrap_err().contains("comma"));
        assert!(Decimal::parse("1e5").is_err() && Decimal::parse("").is_err());
        for exponent in [i64::MIN, -99_999_999_999, 40, i64::MAX] {
            let number = Decimal::parse_with_exponent(&format!("1e{exponent}"));
            assert_eq!(number.ok().and_then(|number| number.rounded_up(5)), None, "{exponent}");
        }
    }
}
