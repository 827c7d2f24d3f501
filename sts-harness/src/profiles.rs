//! Profile files: what a family of meters accepts and shows, as data.
//!
//! A file is read as a whole: every mistake in it is named with its line. The built-in ones are
//! part of the program; each of their display texts says how sure it is.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use sts_core::{
    Basis, DisplayRule, EncryptionAlgorithm, Framing, FramingSet, LockoutRule, NumberSet, Profile,
    ResultSet, SectionOrder, TokenResult,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::input::{Excerpt, Place, nearest};

/// Where what a profile says comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// A maker's manual.
    MakerManual,
    /// A vendor's or seller's own text.
    VendorSupplied,
    /// A list that others collected.
    ThirdPartyList,
    /// This project's reconstruction from indirect facts.
    Reconstruction,
    /// Made up for tests and as a start for one's own.
    Example,
}

impl Status {
    /// All of them, surest first.
    pub const ALL: [Self; 5] = [
        Self::MakerManual,
        Self::VendorSupplied,
        Self::ThirdPartyList,
        Self::Reconstruction,
        Self::Example,
    ];

    /// Its name in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MakerManual => "maker-manual",
            Self::VendorSupplied => "vendor-supplied",
            Self::ThirdPartyList => "third-party-list",
            Self::Reconstruction => "reconstruction",
            Self::Example => "example",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A mistake in a profile file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
#[non_exhaustive]
pub struct ProfileError {
    /// The file and line.
    pub place: Place,
    /// What was found and what was expected.
    pub problem: String,
    /// The line, where it can be shown.
    pub excerpt: Option<Excerpt>,
}

/// Why a profile cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Neither a built-in profile nor the path of a file.
    #[error(
        "profile {name:?} is unknown, expected a path ending in .toml or one of: {known}{hint}"
    )]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
        /// The nearest of them, in words, or nothing.
        hint: String,
    },
    /// A file that cannot be read.
    #[error("{path}: cannot be read: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// The system's reason.
        why: String,
    },
    /// A file with mistakes, one line of text each.
    #[error("{}", join_lines(.0))]
    Invalid(Vec<ProfileError>),
}

fn join_lines(errors: &[ProfileError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One firmware of a family.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Firmware {
    /// Its name, unique in the family.
    pub id: String,
    /// Framings the keypad takes.
    pub accepted_framings: Vec<Framing>,
    /// Sizes of key change it takes: 2, 3, 4.
    pub key_change_sets: Vec<u8>,
    /// In which order.
    pub kct_order: SectionOrder,
    /// Seconds in which the next section must come; `None` for ever.
    pub kct_window_s: Option<u32>,
    /// The encryption algorithm, where the family has only one.
    pub ea: Option<EncryptionAlgorithm>,
    compiled: &'static Profile<'static>,
}

/// A display rule as written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Display {
    /// The results it is for; `None` for every result.
    pub on: Option<Vec<TokenResult>>,
    /// Whether it is only for a key change half entered.
    pub only_pending: bool,
    /// The text, with `{result}` for the result's name.
    pub show: String,
    /// How sure it is.
    pub basis: Basis,
}

impl Display {
    fn results(&self) -> ResultSet {
        match &self.on {
            None => ResultSet::ALL,
            Some(results) => results.iter().copied().collect(),
        }
    }
}

/// A family of meters, from its file.
#[derive(Clone, Debug)]
pub struct ProfileFile {
    id: String,
    title: Option<String>,
    status: Status,
    reliability: Option<String>,
    notes: Option<String>,
    sources: Vec<String>,
    resources: Vec<u8>,
    tests: Vec<u8>,
    management: Vec<u8>,
    register_max: Option<u64>,
    checks_expiry: bool,
    fault_texts: Vec<String>,
    lockout: Option<(u8, Vec<u32>)>,
    firmwares: Vec<Firmware>,
    display: Vec<Display>,
}

/// Texts for faults of the battery, the link to the keypad and the case, where a file names none.
const FAULT_TEXTS: [&str; 7] =
    ["Battery", "Low battery", "bAtt", "No link", "Comms error", "Error 30", "Tamper"];

/// Class 2 subclasses that a meter has only where its profile says so.
const OPTIONAL_MANAGEMENT: [u8; 8] = [2, 7, 10, 11, 12, 13, 14, 15];

impl ProfileFile {
    /// Reads a file's text; `name` stands in the errors.
    ///
    /// What it says is compiled once for each firmware and kept for the rest of the program's run:
    /// profiles are few, and meters borrow them.
    ///
    /// # Errors
    ///
    /// Every mistake, in the order of lines: TOML, unknown keys and names, numbers out of range,
    /// display rules that nothing reaches, a result for which no rule is left.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<ProfileError>> {
        let mut reader = Reader { file: name, text, errors: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            // 017 is no number of TOML.
            let is_code = error.message().contains("leading zero");
            let hint = if is_code { ": a code is a string, in quotes" } else { "" };
            reader.error(error.span().unwrap_or_default(), format!("{}{hint}", error.message()));
        }
        let file = if errors.is_empty() { reader.file(table.get_ref()) } else { None };
        let mut errors = reader.errors;
        errors.sort_by_key(|error| error.place.line);
        match file {
            Some(file) if errors.is_empty() => Ok(file),
            _ => Err(errors),
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is, in a line.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Where it comes from.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// How far the sources can be relied on, in words.
    #[must_use]
    pub fn reliability(&self) -> Option<&str> {
        self.reliability.as_deref()
    }

    /// What a reader should know.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// The texts it was made from.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Its firmwares, in the order of release; at least one.
    #[must_use]
    pub fn firmwares(&self) -> &[Firmware] {
        &self.firmwares
    }

    /// The firmware of this name.
    #[must_use]
    pub fn firmware(&self, id: &str) -> Option<&Firmware> {
        self.firmwares.iter().find(|firmware| firmware.id == id)
    }

    /// The names of its firmwares, in the order of release.
    #[must_use]
    pub fn firmware_ids(&self) -> Vec<&str> {
        self.firmwares.iter().map(|firmware| firmware.id.as_str()).collect()
    }

    /// The place of a firmware in the order of release, from 0.
    #[must_use]
    pub fn firmware_index(&self, id: &str) -> Option<usize> {
        self.firmwares.iter().position(|firmware| firmware.id == id)
    }

    /// What the core needs of a firmware, by its place from 0.
    ///
    /// Made when the file was read and never freed.
    ///
    /// # Panics
    ///
    /// Where there is no such firmware.
    #[must_use]
    pub fn compile(&self, firmware: usize) -> &'static Profile<'static> {
        self.firmwares[firmware].compiled
    }

    /// Its display rules, in the order in which they are tried.
    #[must_use]
    pub fn display(&self) -> &[Display] {
        &self.display
    }

    /// Texts for faults that are no matter of a token.
    #[must_use]
    pub fn fault_texts(&self) -> &[String] {
        &self.fault_texts
    }

    /// Whether a display text speaks of a fault of the meter, whatever its case.
    #[must_use]
    pub fn is_fault_text(&self, displayed: &str) -> bool {
        self.fault_texts.iter().any(|text| text.eq_ignore_ascii_case(displayed.trim()))
    }

    /// The whole of it, for reports.
    #[must_use]
    pub fn report(&self) -> ProfileReport<'_> {
        ProfileReport {
            schema: 1,
            id: &self.id,
            title: self.title(),
            status: self.status.name(),
            reliability: self.reliability(),
            notes: self.notes(),
            sources: &self.sources,
            resources: &self.resources,
            tests: &self.tests,
            management: &self.management,
            register_max: self.register_max,
            checks_expiry: self.checks_expiry,
            lockout_after: self.lockout.as_ref().map(|(after, _)| *after),
            lockout_s: self.lockout.as_ref().map(|(_, durations)| durations.as_slice()),
            firmware: self.firmwares.iter().map(FirmwareReport::of).collect(),
            display: self.display.iter().map(DisplayReport::of).collect(),
            fault_texts: &self.fault_texts,
        }
    }

    /// Leaks what the core borrows.
    fn compile_firmwares(&mut self) {
        let rules: Vec<DisplayRule<'static>> = self
            .display
            .iter()
            .map(|display| DisplayRule {
                on: display.results(),
                only_pending: display.only_pending,
                show: display.show.clone().leak(),
                basis: display.basis,
            })
            .collect();
        let display: &'static [DisplayRule<'static>] = rules.leak();
        let lockout = self
            .lockout
            .clone()
            .map(|(after, durations)| LockoutRule { after, durations_s: durations.leak() });
        let numbers = |numbers: &[u8]| numbers.iter().copied().collect::<NumberSet>();
        let (resources, tests) = (numbers(&self.resources), numbers(&self.tests));
        let management = numbers(&self.management);
        for firmware in &mut self.firmwares {
            firmware.compiled = Box::leak(Box::new(Profile {
                framings: firmware.accepted_framings.iter().copied().collect::<FramingSet>(),
                resources,
                tests: tests.with(0),
                management,
                key_change_sets: numbers(&firmware.key_change_sets),
                section_order: firmware.kct_order,
                section_window_s: firmware.kct_window_s,
                lockout,
                register_max: self.register_max,
                checks_expiry: self.checks_expiry,
                display,
            }));
        }
    }
}

/// A profile as shown in reports.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the keys of the file, documented by its form")]
pub struct ProfileReport<'a> {
    pub schema: u8,
    pub id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<&'a str>,
    pub sources: &'a [String],
    pub resources: &'a [u8],
    pub tests: &'a [u8],
    pub management: &'a [u8],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register_max: Option<u64>,
    pub checks_expiry: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_after: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_s: Option<&'a [u32]>,
    pub firmware: Vec<FirmwareReport<'a>>,
    pub display: Vec<DisplayReport<'a>>,
    pub fault_texts: &'a [String],
}

/// A firmware as shown in reports.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the keys of the file, documented by `Firmware`")]
pub struct FirmwareReport<'a> {
    pub id: &'a str,
    pub accepted_framings: Vec<&'static str>,
    pub key_change_sets: &'a [u8],
    pub kct_order: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kct_window_s: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ea: Option<&'static str>,
}

impl<'a> FirmwareReport<'a> {
    fn of(firmware: &'a Firmware) -> Self {
        Self {
            id: &firmware.id,
            accepted_framings: firmware.accepted_framings.iter().map(|f| f.name()).collect(),
            key_change_sets: &firmware.key_change_sets,
            kct_order: match firmware.kct_order {
                SectionOrder::Strict => "strict",
                _ => "any",
            },
            kct_window_s: firmware.kct_window_s,
            ea: firmware.ea.map(EncryptionAlgorithm::code),
        }
    }
}

/// A display rule as shown in reports.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the keys of the file, documented by `Display`")]
pub struct DisplayReport<'a> {
    pub on: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<&'static str>,
    pub show: &'a str,
    pub basis: &'static str,
}

impl<'a> DisplayReport<'a> {
    fn of(display: &'a Display) -> Self {
        Self {
            on: display.on.as_ref().map_or_else(
                || vec!["*"],
                |results| results.iter().map(|result| result.name()).collect(),
            ),
            when: display.only_pending.then_some("pending"),
            show: &display.show,
            basis: display.basis.name(),
        }
    }
}

/// Reads a table's fields and collects what is wrong with them.
struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    errors: Vec<ProfileError>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn error(&mut self, at: Range<usize>, problem: impl Into<String>) {
        let line = Place::line_of(self.text, at.start);
        let excerpt = Excerpt::of(self.text, at);
        let place = Place::line(self.file, line);
        self.errors.push(ProfileError { place, problem: problem.into(), excerpt });
    }

    /// A name that is none of the known ones, with the nearest of them.
    fn unknown(&mut self, at: Range<usize>, what: &str, found: &str, known: &[&str]) {
        let hint = nearest(found, known.iter().copied())
            .map(|near| format!("; did you mean {near:?}?"))
            .unwrap_or_default();
        let known = known.join(", ");
        self.error(at, format!("{what} {found:?} is unknown, expected one of: {known}{hint}"));
    }

    fn known_keys(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let what = format!("key in {section}");
                self.unknown(key.span(), &what, key.get_ref(), known);
            }
        }
    }

    fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let found = value.get_ref().type_str();
        self.error(value.span(), format!("{key}: expected {expected}, found {found}"));
    }

    fn required<'a, 't>(
        &mut self,
        table: &'a DeTable<'t>,
        at: &Range<usize>,
        section: &str,
        key: &str,
    ) -> Option<&'a Value<'t>> {
        let value = field(table, key);
        if value.is_none() {
            self.error(at.clone(), format!("{section} has no {key:?}"));
        }
        value
    }

    fn string<'a>(&mut self, key: &str, value: &'a Value<'_>) -> Option<&'a str> {
        let text = value.get_ref().as_str();
        match text {
            Some(text) if text.trim().is_empty() => {
                self.error(value.span(), format!("{key} is empty"));
                None
            }
            Some(text) => Some(text),
            None => {
                self.wrong_type(key, value, "a string in quotes");
                None
            }
        }
    }

    fn optional_string(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = field(table, key)?;
        self.string(key, value).map(str::to_owned)
    }

    fn number(&mut self, key: &str, value: &Value<'_>, allowed: Range<u64>) -> Option<u64> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "a whole number");
            return None;
        };
        let found = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if let Some(found) = found.filter(|found| allowed.contains(found)) {
            return Some(found);
        }
        let problem = format!(
            "{key}: {} is not in {} to {}",
            integer.as_str(),
            allowed.start,
            allowed.end.saturating_sub(1)
        );
        self.error(value.span(), problem);
        None
    }

    fn array<'a, 't>(
        &mut self,
        key: &str,
        value: &'a Value<'t>,
        of: &str,
    ) -> Option<&'a [Value<'t>]> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.wrong_type(key, value, &format!("an array of {of}"));
        }
        array.map(|array| &**array)
    }

    /// Small numbers, each of them one of `allowed` and named once.
    fn numbers(&mut self, table: &DeTable<'_>, key: &str, allowed: &[u8]) -> Option<Vec<u8>> {
        let value = field(table, key)?;
        let mut numbers = Vec::new();
        for item in self.array(key, value, "whole numbers")? {
            let Some(number) = self.number(key, item, 0..u64::MAX) else { continue };
            match u8::try_from(number) {
                Ok(number) if numbers.contains(&number) => {
                    self.error(item.span(), format!("{key}: {number} is named twice"));
                }
                Ok(number) if allowed.contains(&number) => numbers.push(number),
                _ => {
                    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                    let allowed = allowed.join(", ");
                    let problem = format!("{key}: {number}, expected among: {allowed}");
                    self.error(item.span(), problem);
                }
            }
        }
        numbers.sort_unstable();
        Some(numbers)
    }

    fn strings(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<String>> {
        let value = field(table, key)?;
        let items = self.array(key, value, "strings")?;
        Some(items.iter().filter_map(|item| Some(self.string(key, item)?.to_owned())).collect())
    }

    /// A value by its name in a closed set.
    fn named<T>(
        &mut self,
        what: &str,
        value: &Value<'_>,
        from_name: impl Fn(&str) -> Option<T>,
        known: &[&str],
    ) -> Option<T> {
        let name = self.string(what, value)?;
        let named = from_name(name);
        if named.is_none() {
            self.unknown(value.span(), what, name, known);
        }
        named
    }

    fn file(&mut self, root: &DeTable<'_>) -> Option<ProfileFile> {
        self.known_keys(root, "the file", &["schema", "profile", "firmware", "rules", "display"]);
        if let Some(schema) = field(root, "schema") {
            self.number("schema", schema, 1..2);
        }
        let lockout = self.rules(root);
        let firmwares = self.firmwares(root);
        let display = self.displays(root);
        let mut file = self.profile(root)?;
        file.lockout = lockout;
        file.firmwares = firmwares;
        file.display = display;
        self.fault_texts_are_no_answers(root, &file);
        if self.errors.is_empty() {
            file.compile_firmwares();
        }
        Some(file)
    }

    fn profile(&mut self, root: &DeTable<'_>) -> Option<ProfileFile> {
        const KEYS: [&str; 12] = [
            "id",
            "title",
            "status",
            "reliability",
            "notes",
            "sources",
            "resources",
            "tests",
            "management",
            "register_max",
            "checks_expiry",
            "fault_texts",
        ];
        let section = self.required(root, &(0..0), "the file", "profile")?;
        let Some(table) = section.get_ref().as_table() else {
            self.wrong_type("profile", section, "a table");
            return None;
        };
        let at = header(root, "profile", section);
        self.known_keys(table, "[profile]", &KEYS);
        let id = self
            .required(table, &at, "[profile]", "id")
            .and_then(|value| self.string("id", value))
            .map(str::to_owned);
        let names = Status::ALL.map(Status::name);
        let status = self
            .required(table, &at, "[profile]", "status")
            .and_then(|value| self.named("status", value, Status::from_name, &names));
        let all: Vec<u8> = (0..=36).collect();
        let checks_expiry = field(table, "checks_expiry").map(|value| {
            let flag = value.get_ref().as_bool();
            if flag.is_none() {
                self.wrong_type("checks_expiry", value, "true or false");
            }
            flag.unwrap_or_default()
        });
        let default_texts = || FAULT_TEXTS.map(str::to_owned).to_vec();
        // Every field is read before the first missing one ends it: all mistakes are named.
        let file = ProfileFile {
            id: id.clone().unwrap_or_default(),
            title: self.optional_string(table, "title"),
            status: status.unwrap_or(Status::Example),
            reliability: self.optional_string(table, "reliability"),
            notes: self.optional_string(table, "notes"),
            sources: self.strings(table, "sources").unwrap_or_default(),
            resources: self
                .numbers(table, "resources", &all[..=7])
                .unwrap_or_else(|| (0..=7).collect()),
            tests: self.numbers(table, "tests", &all[1..]).unwrap_or_else(|| (1..=18).collect()),
            management: self.numbers(table, "management", &OPTIONAL_MANAGEMENT).unwrap_or_default(),
            register_max: field(table, "register_max")
                .and_then(|value| self.number("register_max", value, 0..u64::MAX)),
            checks_expiry: checks_expiry.unwrap_or(true),
            fault_texts: self.strings(table, "fault_texts").unwrap_or_else(default_texts),
            lockout: None,
            firmwares: Vec::new(),
            display: Vec::new(),
        };
        (id.is_some() && status.is_some()).then_some(file)
    }

    fn fault_texts_are_no_answers(&mut self, root: &DeTable<'_>, file: &ProfileFile) {
        let written = field(root, "profile")
            .and_then(|profile| profile.get_ref().as_table())
            .and_then(|profile| field(profile, "fault_texts"))
            .map_or(0..0, Spanned::span);
        for display in file.display.iter().filter(|display| file.is_fault_text(&display.show)) {
            let problem = format!("fault text {:?} is shown for a result too", display.show);
            self.error(written.clone(), problem);
        }
    }

    /// The tables of an array of tables, each with where it starts.
    fn tables<'a, 't>(
        &mut self,
        root: &'a DeTable<'t>,
        key: &str,
    ) -> Vec<(&'a DeTable<'t>, Range<usize>)> {
        let Some(value) = field(root, key) else { return Vec::new() };
        let expected = format!("tables, each headed [[{key}]]");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &expected);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push((table, item.span())),
                None => self.wrong_type(key, item, &expected),
            }
        }
        tables
    }

    fn firmwares(&mut self, root: &DeTable<'_>) -> Vec<Firmware> {
        const KEYS: [&str; 6] =
            ["id", "accepted_framings", "key_change_sets", "kct_order", "kct_window_s", "ea"];
        let mut firmwares: Vec<Firmware> = Vec::new();
        let errors_before = self.errors.len();
        for (table, at) in self.tables(root, "firmware") {
            self.known_keys(table, "[[firmware]]", &KEYS);
            let id_value = self.required(table, &at, "[[firmware]]", "id");
            let id = id_value.and_then(|value| self.string("id", value)).map(str::to_owned);
            let framings = self.framings(table, &at);
            let sets =
                self.numbers(table, "key_change_sets", &[2, 3, 4]).unwrap_or_else(|| vec![2, 3, 4]);
            let order = |name: &str| match name {
                "any" => Some(SectionOrder::Any),
                "strict" => Some(SectionOrder::Strict),
                _ => None,
            };
            let kct_order = field(table, "kct_order")
                .and_then(|value| self.named("kct_order", value, order, &["any", "strict"]))
                .unwrap_or_default();
            let kct_window_s = field(table, "kct_window_s")
                .and_then(|value| self.number("kct_window_s", value, 1..1 << 32))
                .and_then(|seconds| u32::try_from(seconds).ok());
            let codes = EncryptionAlgorithm::ALL.map(EncryptionAlgorithm::code);
            let ea = field(table, "ea")
                .and_then(|value| self.named("ea", value, EncryptionAlgorithm::from_code, &codes));
            let Some(id) = id else { continue };
            if firmwares.iter().any(|firmware| firmware.id == id) {
                let at = id_value.map_or(at, Spanned::span);
                self.error(at, format!("firmware {id:?} is named twice"));
            }
            firmwares.push(Firmware {
                id,
                accepted_framings: framings,
                key_change_sets: sets,
                kct_order,
                kct_window_s,
                ea,
                compiled: &Profile::STANDARD,
            });
        }
        if firmwares.is_empty() && self.errors.len() == errors_before {
            self.error(0..0, "no firmware, expected at least one [[firmware]]");
        }
        firmwares
    }

    fn framings(&mut self, table: &DeTable<'_>, at: &Range<usize>) -> Vec<Framing> {
        let key = "accepted_framings";
        let known: Vec<&str> =
            Framing::ALL.into_iter().filter(|f| f.is_acceptable()).map(Framing::name).collect();
        let acceptable =
            |name: &str| Framing::from_name(name).filter(|framing| framing.is_acceptable());
        let mut framings = Vec::new();
        let Some(value) = self.required(table, at, "[[firmware]]", key) else { return framings };
        let Some(items) = self.array(key, value, "names of framings") else { return framings };
        if items.is_empty() {
            self.error(value.span(), format!("{key} is empty: the keypad would take nothing"));
        }
        for item in items {
            match self.named("framing", item, acceptable, &known) {
                Some(framing) if framings.contains(&framing) => {
                    self.error(item.span(), format!("framing {framing} is named twice"));
                }
                framing => framings.extend(framing),
            }
        }
        framings
    }

    fn rules(&mut self, root: &DeTable<'_>) -> Option<(u8, Vec<u32>)> {
        let section = field(root, "rules")?;
        let Some(table) = section.get_ref().as_table() else {
            self.wrong_type("rules", section, "a table");
            return None;
        };
        self.known_keys(table, "[rules]", &["lockout_after", "lockout_s"]);
        let (after, durations) = (field(table, "lockout_after"), field(table, "lockout_s"));
        let (after, durations) = match (after, durations) {
            (Some(after), Some(durations)) => (after, durations),
            (Some(after), None) => {
                self.error(after.span(), "lockout_after without lockout_s, expected both");
                return None;
            }
            (None, Some(durations)) => {
                self.error(durations.span(), "lockout_s without lockout_after, expected both");
                return None;
            }
            (None, None) => return None,
        };
        let after = self.number("lockout_after", after, 1..256);
        let items = self.array("lockout_s", durations, "seconds")?;
        if items.is_empty() {
            self.error(durations.span(), "lockout_s is empty, expected at least one duration");
        }
        let durations: Vec<u32> = items
            .iter()
            .filter_map(|item| self.number("lockout_s", item, 1..1 << 32))
            .filter_map(|seconds| u32::try_from(seconds).ok())
            .collect();
        Some((u8::try_from(after?).ok()?, durations))
    }

    fn displays(&mut self, root: &DeTable<'_>) -> Vec<Display> {
        const KEYS: [&str; 4] = ["on", "show", "basis", "when"];
        let mut displays: Vec<Display> = Vec::new();
        let mut whole = true;
        let tables = self.tables(root, "display");
        let last = tables.last().map_or(0..0, |(_, at)| at.clone());
        for (table, at) in tables {
            self.known_keys(table, "[[display]]", &KEYS);
            let on = self
                .required(table, &at, "[[display]]", "on")
                .and_then(|value| self.results(value));
            let show =
                self.required(table, &at, "[[display]]", "show").and_then(|value| self.show(value));
            let bases = Basis::ALL.map(Basis::name);
            let basis = self
                .required(table, &at, "[[display]]", "basis")
                .and_then(|value| self.named("basis", value, Basis::from_name, &bases));
            let pending = |name: &str| (name == "pending").then_some(());
            let when = field(table, "when");
            let only_pending = when.is_some();
            let when_is_sound =
                when.is_none_or(|value| self.named("when", value, pending, &["pending"]).is_some());
            let (Some(on), Some(show), Some(basis), true) = (on, show, basis, when_is_sound) else {
                whole = false;
                continue;
            };
            let rule = Display { on, only_pending, show, basis };
            if whole && is_unreachable(&rule, &displays) {
                let problem = "this display rule is never reached: \
                               earlier rules take all of its results";
                self.error(at, problem);
            }
            displays.push(rule);
        }
        if whole {
            self.catch_all(&displays, last);
        }
        displays
    }

    fn catch_all(&mut self, displays: &[Display], last: Range<usize>) {
        let left: Vec<&str> = TokenResult::ALL
            .into_iter()
            .filter(|result| {
                !displays.iter().any(|d| !d.only_pending && d.results().contains(*result))
            })
            .map(TokenResult::name)
            .collect();
        if !left.is_empty() {
            let left = match left.as_slice() {
                few if few.len() <= 5 => few.join(", "),
                many => format!("{} results", many.len()),
            };
            let problem =
                format!("no catch-all: expected a last [[display]] with on = \"*\" for {left}");
            self.error(last, problem);
        }
    }

    /// The results a rule is for; the inner `None` for every result.
    #[expect(clippy::option_option, reason = "outer: whether it could be read; inner: `*`")]
    fn results(&mut self, value: &Value<'_>) -> Option<Option<Vec<TokenResult>>> {
        if value.get_ref().as_str() == Some("*") {
            return Some(None);
        }
        let names = TokenResult::ALL.map(TokenResult::name);
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type("on", value, "an array of results, or \"*\"");
            return None;
        };
        if items.is_empty() {
            self.error(value.span(), "on is empty, expected results or \"*\"");
            return None;
        }
        let mut results = Vec::new();
        for item in items.iter() {
            let result = self.named("result", item, TokenResult::from_name, &names)?;
            if results.contains(&result) {
                self.error(item.span(), format!("result {:?} is named twice", result.name()));
            }
            results.push(result);
        }
        Some(Some(results))
    }

    /// A display text: a string, never a number, with `{result}` as its only placeholder.
    fn show(&mut self, value: &Value<'_>) -> Option<String> {
        if value.get_ref().as_integer().is_some() {
            let problem = "show: expected a string in quotes, found integer \
                           (codes keep their zeros: \"017\" is not 17)";
            self.error(value.span(), problem);
            return None;
        }
        let text = self.string("show", value)?;
        if text.replace("{result}", "").contains(['{', '}']) {
            let problem = format!("show: {text:?} has a placeholder other than {{result}}");
            self.error(value.span(), problem);
        }
        Some(text.to_owned())
    }
}

fn field<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a Value<'t>> {
    table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
}

/// Where a table's key stands: its header.
fn header(root: &DeTable<'_>, key: &str, value: &Value<'_>) -> Range<usize> {
    root.keys().find(|name| name.get_ref().as_ref() == key).map_or(value.span(), Spanned::span)
}

/// Whether earlier rules that hold whenever this one does take all of its results.
fn is_unreachable(rule: &Display, earlier: &[Display]) -> bool {
    let wider = |other: &&Display| !other.only_pending || rule.only_pending;
    TokenResult::ALL
        .into_iter()
        .filter(|result| rule.results().contains(*result))
        .all(|result| earlier.iter().filter(wider).any(|other| other.results().contains(result)))
}

/// Built-in profiles: name and text, the standard one first.
const BUILTIN: [(&str, &str); 10] = [
    ("standard", include_str!("../profiles/standard.toml")),
    ("mangaung-2024-reconstruction", include_str!("../profiles/mangaung-2024-reconstruction.toml")),
    (
        "mangaung-2024-reconstruction-h1",
        include_str!("../profiles/mangaung-2024-reconstruction-h1.toml"),
    ),
    (
        "mangaung-2024-reconstruction-h2",
        include_str!("../profiles/mangaung-2024-reconstruction-h2.toml"),
    ),
    (
        "mangaung-2024-reconstruction-h3",
        include_str!("../profiles/mangaung-2024-reconstruction-h3.toml"),
    ),
    ("conlog-bec62-078", include_str!("../profiles/conlog-bec62-078.toml")),
    ("waterwatch-ciu", include_str!("../profiles/waterwatch-ciu.toml")),
    ("itron-ace9000-ssp", include_str!("../profiles/itron-ace9000-ssp.toml")),
    ("secure-liberty100", include_str!("../profiles/secure-liberty100.toml")),
    ("dlms-token-gateway", include_str!("../profiles/dlms-token-gateway.toml")),
];

/// The built-in profiles: name and text of each.
#[must_use]
pub const fn builtin() -> &'static [(&'static str, &'static str)] {
    &BUILTIN
}

/// A profile by the name of a built-in one, or by the path of a file ending in `.toml`, read from
/// beside `folder` where it is relative.
///
/// # Errors
///
/// [`LoadError`]: no such name (it lists what exists), a file that cannot be read, mistakes in it.
pub fn load(name: &str, folder: &Path) -> Result<ProfileFile, LoadError> {
    if let Some((_, text)) = BUILTIN.iter().find(|(id, _)| *id == name) {
        return ProfileFile::parse(&format!("{name}.toml"), text).map_err(LoadError::Invalid);
    }
    let has_toml_ending =
        Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
    if !has_toml_ending {
        let known = || BUILTIN.iter().map(|(id, _)| *id);
        let hint = nearest(name, known())
            .map(|near| format!("; did you mean {near:?}?"))
            .unwrap_or_default();
        let known = known().collect::<Vec<_>>().join(", ");
        return Err(LoadError::Unknown { name: name.to_owned(), known, hint });
    }
    let path = folder.join(name);
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| LoadError::Unreadable { path: shown.clone(), why: error.to_string() })?;
    ProfileFile::parse(&shown, &text).map_err(LoadError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"[profile]
id = "x"
status = "example"
[[firmware]]
id = "1"
accepted_framings = ["sts20"]
[rules]
lockout_after = 3
lockout_s = [10, 20]
[[display]]
on = ["CRCError"]
show = "017"
basis = "hypothesis"
[[display]]
on = "*"
show = "{result}"
basis = "example"
"#;

    fn builtin(name: &str) -> ProfileFile {
        load(name, Path::new(".")).unwrap()
    }

    fn shows(name: &str, result: &str, pending: bool) -> String {
        let result = TokenResult::from_name(result).unwrap();
        builtin(name).compile(0).shown(result, pending).to_string()
    }

    /// The errors of the good text with one line replaced, or dropped.
    fn errors_of(line: u64, replacement: &str) -> Vec<(u64, String)> {
        let changed: Vec<&str> = (1_u64..)
            .zip(GOOD.lines())
            .map(|(number, text)| if number == line { replacement } else { text })
            .collect();
        errors_in(&changed.join("\n"))
    }

    fn errors_in(text: &str) -> Vec<(u64, String)> {
        let errors = ProfileFile::parse("x.toml", text).unwrap_err();
        assert!(errors.iter().all(|error| error.place.file == "x.toml"));
        errors.into_iter().map(|e| (e.place.line.unwrap(), e.problem)).collect()
    }

    #[track_caller]
    fn assert_error(errors: &[(u64, String)], line: u64, part: &str) {
        assert!(
            errors.len() == 1 && errors[0].0 == line && errors[0].1.contains(part),
            "expected line {line}, {part:?}: {errors:?}"
        );
    }

    #[test]
    fn builtin_profiles_parse_and_are_named_as_their_files() {
        for (name, _) in super::builtin() {
            let file = builtin(name);
            assert_eq!(file.id(), *name);
            assert!(!file.sources().is_empty() && file.reliability().is_some(), "{name}");
            assert!(file.title().is_some() && file.notes().is_some(), "{name}");
            for fault in ["battery", "NO LINK", " Tamper "] {
                assert!(file.is_fault_text(fault), "{name}: {fault}");
            }
            for (place, id) in file.firmware_ids().iter().enumerate() {
                assert_eq!(file.firmware_index(id), Some(place));
                assert_eq!(file.compile(place).display.len(), file.display().len());
            }
        }
    }

    #[test]
    fn standard_is_the_core_standard_but_for_its_rule() {
        let file = builtin("standard");
        let compiled = file.compile(0);
        assert_eq!(Profile { display: &[], ..*compiled }, Profile::STANDARD);
        for result in TokenResult::ALL {
            assert_eq!(compiled.shown(result, false).to_string(), result.name());
            assert_eq!(compiled.shown(result, true).basis(), Basis::Documented);
        }
    }

    #[test]
    fn mangaung_and_its_alternatives_show_017_where_they_say() {
        let id = |suffix: &str| format!("mangaung-2024-reconstruction{suffix}");
        let table = [
            ("", ["017", "017", "017", "017"]),
            ("-h1", ["017", "Err LengthError", "017", "Err LengthError"]),
            ("-h2", ["Err CRCError", "017", "Err CRCError", "017"]),
            ("-h3", ["Err CRCError", "Err LengthError", "017", "017"]),
        ];
        for (suffix, expected) in table {
            let name = id(suffix);
            let shown = [
                shows(&name, "CRCError", false),
                shows(&name, "LengthError", false),
                shows(&name, "CRCError", true),
                shows(&name, "LengthError", true),
            ];
            assert_eq!(shown, expected, "{name}");
            assert_eq!(shows(&name, "UsedError", false), "USED");
            assert_eq!(shows(&name, "OldError", true), "OLD");
            assert_eq!(shows(&name, "Accept", false), "ACCEPT");
            assert_eq!(shows(&name, "RangeError", false), "Err RangeError");
            let file = builtin(&name);
            assert_eq!(file.firmware_ids(), ["before", "after"]);
            assert_eq!(file.status(), Status::Reconstruction);
            assert!(!file.compile(0).framings.contains(Framing::W24Check));
            assert!(file.compile(1).framings.contains(Framing::W24Check));
            assert_eq!(file.firmware("after").unwrap().key_change_sets, [3]);
            assert_eq!(file.compile(0).section_window_s, Some(600));
            let lockout = file.compile(0).lockout.unwrap();
            assert_eq!((lockout.after, lockout.durations_s), (5, &[1800][..]));
        }
        let before = builtin("mangaung-2024-reconstruction");
        assert_eq!(
            before.compile(0).shown(TokenResult::CrcError, false).basis(),
            Basis::Hypothesis
        );
    }

    #[test]
    fn conlog_shows_the_register() {
        for result in TokenResult::ALL {
            let expected = result.register().map_or(result.name().to_owned(), |n| n.to_string());
            assert_eq!(shows("conlog-bec62-078", result.name(), false), expected);
        }
    }

    #[test]
    fn published_tables_show_what_they_say() {
        let tables: [(&str, &[(&str, &str)]); 4] = [
            (
                "waterwatch-ciu",
                &[
                    ("Accept", "ACCEPT"),
                    ("OverflowError", "FULL"),
                    ("OldError", "OLD"),
                    ("UsedError", "USED"),
                    ("CRCError", "INVALID"),
                ],
            ),
            (
                "itron-ace9000-ssp",
                &[
                    ("OverflowError", "EEEEE 04"),
                    ("OldError", "OOOOO"),
                    ("UsedError", "UUUUU"),
                    ("KeyExpiredError", "XXXXX"),
                    ("DDTKError", "DDDDD"),
                ],
            ),
            (
                "secure-liberty100",
                &[
                    ("Accept", "Accepted"),
                    ("OverflowError", "Account High"),
                    ("UsedError", "Duplicate"),
                    ("CRCError", "Invalid"),
                    ("Lockout", "Key Locked"),
                    ("LengthError", "Incomplete"),
                ],
            ),
            (
                "dlms-token-gateway",
                &[
                    ("Accept", "3"),
                    ("CRCError", "5"),
                    ("MfrCodeError", "5"),
                    ("DDTKError", "6"),
                    ("OldError", "6"),
                    ("FunctionError", "7"),
                    ("NotReady", "8"),
                ],
            ),
        ];
        for (name, rows) in tables {
            for (result, text) in rows {
                assert_eq!(shows(name, result, false), *text, "{name} {result}");
            }
        }
    }

    #[test]
    fn good_file_keeps_its_strings() {
        let file = ProfileFile::parse("x.toml", GOOD).unwrap();
        assert_eq!(file.compile(0).shown(TokenResult::CrcError, false).to_string(), "017");
        let report = serde_json::to_string(&file.report()).unwrap();
        assert!(report.contains(r#""show":"017""#), "{report}");
        assert!(file.is_fault_text("tamper") && !file.is_fault_text("017"));
        assert_eq!(file.compile(0).lockout.unwrap().durations_s, [10, 20]);
    }

    #[test]
    fn unknown_keys_are_errors_with_the_nearest() {
        assert_error(&errors_of(2, "id = \"x\"\nidd = 1"), 3, "\"idd\" is unknown");
        assert_error(&errors_of(8, "lockout_after = 3\nlockout = 2"), 9, "key in [rules]");
        assert_error(
            &errors_of(6, "accepted_framings = [\"sts20\"]\nkct_windows_s = 5"),
            7,
            "did you mean \"kct_window_s\"?",
        );
        assert_error(&errors_of(13, "basis = \"hypothesis\"\nshows = \"x\""), 14, "\"show\"?");
        let top = format!("schema = 1\nprofil = 2\n{GOOD}");
        assert_error(&errors_in(&top), 2, "did you mean \"profile\"?");
    }

    #[test]
    fn unknown_names_are_errors_with_the_nearest() {
        assert_error(&errors_of(3, "status = \"exampel\""), 3, "did you mean \"example\"?");
        let framing = errors_of(6, "accepted_framings = [\n\"sts20\",\n\"w24-chek\"]");
        assert_error(&framing, 8, "did you mean \"w24-check\"?");
        assert_error(&errors_of(6, "accepted_framings = [\"runon\"]"), 6, "framing \"runon\"");
        assert_error(&errors_of(11, "on = [\"CrcError\"]"), 11, "did you mean \"CRCError\"?");
        assert_error(&errors_of(13, "basis = \"documentd\""), 13, "\"documented\"?");
        let when = errors_of(13, "basis = \"example\"\nwhen = \"pendng\"");
        assert_error(&when, 14, "did you mean \"pending\"?");
        let order = errors_of(5, "id = \"1\"\nkct_order = \"strickt\"");
        assert_error(&order, 6, "did you mean \"strict\"?");
        assert_error(&errors_of(5, "id = \"1\"\nea = \"7\""), 6, "ea \"7\" is unknown");
    }

    #[test]
    fn wrong_types_are_errors() {
        assert_error(&errors_of(2, "id = 5"), 2, "expected a string in quotes, found integer");
        assert_error(&errors_of(12, "show = 17"), 12, "\"017\" is not 17");
        assert_error(&errors_of(6, "accepted_framings = \"sts20\""), 6, "an array of");
        assert_error(&errors_of(8, "lockout_after = \"3\""), 8, "a whole number");
        assert_error(&errors_of(8, "lockout_after = 0"), 8, "not in 1 to 255");
        assert_error(&errors_of(9, "lockout_s = 10"), 9, "an array of seconds");
        assert_error(&errors_of(3, "status = \"example\"\nchecks_expiry = 1"), 4, "true or false");
        assert_error(&errors_of(3, "status = \"example\"\nregister_max = -1"), 4, "-1 is not in");
        assert_error(
            &errors_of(3, "status = \"example\"\nresources = [8]"),
            4,
            "expected among: 0,",
        );
        assert_error(&errors_of(3, "status = \"example\"\nmanagement = [3]"), 4, "among: 2, 7, 10");
        assert_error(&errors_of(12, "show = 017"), 12, "");
        assert_error(&errors_of(12, "show = \"{code}\""), 12, "placeholder");
    }

    #[test]
    fn display_rules_that_nothing_reaches_are_errors() {
        let rule = |on: &str, when: &str| {
            format!("[[display]]\non = {on}\nshow = \"x\"\nbasis = \"example\"\n{when}\n")
        };
        let after_all = format!("{GOOD}{}", rule("[\"OldError\"]", ""));
        assert_error(&errors_in(&after_all), 18, "never reached");
        let second_all = format!("{GOOD}{}", rule("\"*\"", ""));
        assert_error(&errors_in(&second_all), 18, "never reached");

        let between = |extra: &str| {
            GOOD.replacen("[[display]]\non = \"*\"", &format!("{extra}[[display]]\non = \"*\""), 1)
        };
        assert_error(&errors_in(&between(&rule("[\"CRCError\"]", ""))), 14, "never reached");
        let narrower = between(&rule("[\"CRCError\"]", "when = \"pending\""));
        assert_error(&errors_in(&narrower), 14, "never reached");
        // Narrower first is what `when` is for.
        let pending = rule("[\"CRCError\", \"OldError\"]", "when = \"pending\"");
        let first = GOOD.replacen("[[display]]", &format!("{pending}[[display]]"), 1);
        assert!(ProfileFile::parse("x.toml", &first).is_ok());
        // A rule with one result left is reached.
        assert!(
            ProfileFile::parse("x.toml", &between(&rule("[\"CRCError\", \"OldError\"]", "")))
                .is_ok()
        );
    }

    #[test]
    fn missing_parts_are_errors() {
        assert_error(&errors_of(15, "on = [\"OldError\"]"), 14, "no catch-all");
        let only_pending = errors_of(17, "basis = \"example\"\nwhen = \"pending\"");
        assert_error(&only_pending, 14, "no catch-all");
        assert_error(&errors_of(9, ""), 8, "lockout_after without lockout_s");
        assert_error(&errors_of(8, ""), 9, "lockout_s without lockout_after");
        assert_error(&errors_of(9, "lockout_s = []"), 9, "lockout_s is empty");
        assert_error(&errors_of(2, ""), 1, "[profile] has no \"id\"");
        assert_error(&errors_of(3, ""), 1, "[profile] has no \"status\"");
        assert_error(&errors_of(6, ""), 4, "[[firmware]] has no \"accepted_framings\"");
        assert_error(&errors_of(12, ""), 10, "[[display]] has no \"show\"");
        assert_error(&errors_of(11, "on = []"), 11, "on is empty");
        let without_firmware =
            GOOD.replace("[[firmware]]\nid = \"1\"\naccepted_framings = [\"sts20\"]\n", "");
        assert_error(&errors_in(&without_firmware), 1, "no firmware");
    }

    #[test]
    fn firmware_mistakes_are_errors() {
        let twice = format!("{GOOD}[[firmware]]\nid = \"1\"\naccepted_framings = [\"sts20\"]\n");
        assert_error(&errors_in(&twice), 19, "firmware \"1\" is named twice");
        let five = errors_of(5, "id = \"1\"\nkey_change_sets = [2, 5]");
        assert_error(&five, 6, "key_change_sets: 5, expected among: 2, 3, 4");
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let text = GOOD.replace("\"example\"\n[[firmware]]", "\"exmple\"\n[[firmware]]");
        let text = text.replace("\"CRCError\"", "\"CRC\"").replace("lockout_after = 3", "x = 3");
        let lines: Vec<u64> = errors_in(&text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [3, 8, 9, 11]);
    }

    #[test]
    fn fault_text_that_is_an_answer_is_an_error() {
        let errors = errors_of(3, "status = \"example\"\nfault_texts = [\"tamper\", \"017\"]");
        assert_error(&errors, 4, "fault text \"017\"");
    }

    #[test]
    fn load_unknown_lists_what_exists() {
        let error = load("standart", Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("did you mean \"standard\"?"), "{error}");
        assert!(error.contains("dlms-token-gateway"), "{error}");
        let error = load("no-such.toml", Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/no-such.toml: cannot be read"), "{error}");
    }
}
