//! Profiles of meter families: what each firmware accepts and what the display says, as data.

use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sts_core::{
    Basis, DisplayRule, Framing, LockoutRule, NumberSet, Profile, ResultSet, SectionOrder,
    TokenResult,
};
use toml::Spanned;

use crate::input::{InputError, Place, nearest};

/// Words for where a profile comes from.
const STATUSES: [&str; 5] =
    ["maker-manual", "vendor-supplied", "third-party-list", "reconstruction", "example"];

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    schema: Option<u32>,
    profile: RawHead,
    firmware: Vec<Spanned<RawFirmware>>,
    #[serde(default)]
    rules: RawRules,
    display: Vec<Spanned<RawDisplay>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    id: String,
    title: Option<String>,
    status: Spanned<String>,
    reliability: Option<String>,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    sources: Vec<String>,
    resources: Option<Spanned<Vec<u8>>>,
    tests: Option<Spanned<Vec<u8>>>,
    #[serde(default)]
    management: Option<Spanned<Vec<u8>>>,
    register_max: Option<u64>,
    checks_expiry: Option<bool>,
    #[serde(default)]
    fault_texts: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFirmware {
    id: String,
    accepted_framings: Vec<Spanned<String>>,
    key_change_sets: Spanned<Vec<u8>>,
    #[serde(default)]
    kct_order: Option<Spanned<String>>,
    kct_window_s: Option<u32>,
    ea: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    lockout_after: Option<Spanned<u8>>,
    lockout_s: Option<Vec<u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDisplay {
    on: Spanned<On>,
    show: String,
    basis: Spanned<String>,
    when: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum On {
    All(String),
    Some(Vec<String>),
}

/// A family of meters: a profile file that was read and found sound.
#[derive(Debug)]
pub struct ProfileFile {
    head: RawHead,
    firmware_ids: Vec<String>,
    firmwares: Vec<Firmware>,
    display: Vec<OwnedRule>,
    lockout: Option<(u8, Vec<u32>)>,
    compiled: Vec<OnceLock<&'static Profile<'static>>>,
}

#[derive(Debug)]
struct Firmware {
    framings: Vec<Framing>,
    sets: Vec<u8>,
    order: SectionOrder,
    window_s: Option<u32>,
}

#[derive(Debug)]
struct OwnedRule {
    on: ResultSet,
    only_pending: bool,
    show: String,
    basis: Basis,
}

/// What a profile is, for lists.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProfileReport {
    /// Version of this form.
    pub schema: u8,
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Where it comes from.
    pub status: String,
    /// How reliable the source is.
    pub reliability: Option<String>,
    /// Notes for readers.
    pub notes: String,
    /// Sources.
    pub sources: Vec<String>,
    /// Firmwares in the order of release.
    pub firmwares: Vec<String>,
    /// What is shown for each result.
    pub displays: Vec<DisplayReport>,
}

/// What is shown for a result.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DisplayReport {
    /// The result.
    pub result: &'static str,
    /// The text.
    pub show: String,
    /// How sure it is.
    pub basis: &'static str,
}

impl ProfileFile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// [`InputError`] with the line: unknown keys and names, rules that can never match, a display
    /// without a catch-all, numbers out of range.
    pub fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        let raw: RawProfile =
            toml::from_str(text).map_err(|error| InputError::toml(name, text, &error))?;
        let at = |offset: usize, problem: String| {
            InputError::new(Place::line(name, Place::line_of(text, offset)), problem)
        };
        if raw.schema.is_some_and(|schema| schema != 1) {
            return Err(InputError::other(name, "schema, expected 1"));
        }
        known(&raw.profile.status, "status", &STATUSES, &at)?;
        for (set, what, most) in [
            (&raw.profile.resources, "resources", 7),
            (&raw.profile.tests, "tests", 36),
            (&raw.profile.management, "management", 15),
        ] {
            if let Some(set) = set
                && let Some(bad) = set.get_ref().iter().find(|number| **number > most)
            {
                return Err(at(set.span().start, format!("{what}: {bad} is not in 0 to {most}")));
            }
        }
        if let Some(set) = &raw.profile.management
            && let Some(bad) = set.get_ref().iter().find(|n| !matches!(n, 2 | 7 | 10..=15))
        {
            let problem = format!("management: {bad}, expected of 2, 7 and 10 to 15");
            return Err(at(set.span().start, problem));
        }
        let mut firmware_ids: Vec<String> = Vec::new();
        let mut firmwares = Vec::new();
        for record in &raw.firmware {
            let firmware = record.get_ref();
            if firmware_ids.contains(&firmware.id) {
                let problem = format!("firmware {:?} stands twice, expected once", firmware.id);
                return Err(at(record.span().start, problem));
            }
            firmware_ids.push(firmware.id.clone());
            firmwares.push(read_firmware(firmware, &at)?);
        }
        if firmwares.is_empty() {
            return Err(InputError::other(name, "no [[firmware]], expected at least one"));
        }
        let lockout = match (&raw.rules.lockout_after, &raw.rules.lockout_s) {
            (None, None) => None,
            (Some(after), Some(durations)) if *after.get_ref() > 0 && !durations.is_empty() => {
                Some((*after.get_ref(), durations.clone()))
            }
            (after, _) => {
                let offset = after.as_ref().map_or(0, |after| after.span().start);
                let problem = "lockout_after and lockout_s go together, expected a count of at least 1 and at least one duration";
                return Err(at(offset, problem.into()));
            }
        };
        let display = read_display(name, &raw.display, &at)?;
        let compiled = firmwares.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { head: raw.profile, firmware_ids, firmwares, display, lockout, compiled })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.head.id
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.head.title.as_deref()
    }

    /// Where it comes from: `maker-manual`, `vendor-supplied`, `third-party-list`,
    /// `reconstruction` or `example`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.head.status.get_ref()
    }

    /// Its firmwares in the order of release.
    #[must_use]
    pub fn firmware_ids(&self) -> &[String] {
        &self.firmware_ids
    }

    /// The place of a firmware in the order of release.
    #[must_use]
    pub fn firmware_index(&self, id: &str) -> Option<usize> {
        self.firmware_ids.iter().position(|other| other == id)
    }

    /// Whether a display text speaks of a fault and not of a token.
    #[must_use]
    pub fn is_fault_text(&self, displayed: &str) -> bool {
        self.head.fault_texts.iter().any(|text| text.eq_ignore_ascii_case(displayed.trim()))
    }

    /// The core's profile of one firmware. Made once and kept for the run: profiles are few.
    ///
    /// # Panics
    ///
    /// Where there is no such firmware.
    #[must_use]
    pub fn compile(&self, firmware: usize) -> &'static Profile<'static> {
        self.compiled[firmware].get_or_init(|| {
            let Firmware { framings, sets, order, window_s } = &self.firmwares[firmware];
            let set = |numbers: &Option<Spanned<Vec<u8>>>, otherwise: NumberSet| {
                numbers
                    .as_ref()
                    .map_or(otherwise, |numbers| numbers.get_ref().iter().copied().collect())
            };
            let display: Vec<DisplayRule<'static>> = self
                .display
                .iter()
                .map(|rule| DisplayRule {
                    on: rule.on,
                    only_pending: rule.only_pending,
                    show: Box::leak(rule.show.clone().into_boxed_str()),
                    basis: rule.basis,
                })
                .collect();
            let standard = Profile::STANDARD;
            Box::leak(Box::new(Profile {
                framings: framings.iter().copied().collect(),
                resources: set(&self.head.resources, standard.resources),
                tests: set(&self.head.tests, standard.tests),
                management: set(&self.head.management, standard.management),
                key_change_sets: sets.iter().copied().collect(),
                section_order: *order,
                section_window_s: *window_s,
                lockout: self.lockout.as_ref().map(|(after, durations)| LockoutRule {
                    after: *after,
                    durations_s: Box::leak(durations.clone().into_boxed_slice()),
                }),
                register_max: self.head.register_max,
                checks_expiry: self.head.checks_expiry.unwrap_or(true),
                display: Box::leak(display.into_boxed_slice()),
            }))
        })
    }

    /// What it is, for lists.
    #[must_use]
    pub fn report(&self) -> ProfileReport {
        let profile = self.compile(0);
        let displays = TokenResult::ALL
            .into_iter()
            .map(|result| {
                let shown = profile.shown(result, false);
                DisplayReport {
                    result: result.name(),
                    show: shown.to_string(),
                    basis: shown.basis().name(),
                }
            })
            .collect();
        ProfileReport {
            schema: 1,
            id: self.head.id.clone(),
            title: self.head.title.clone(),
            status: self.status().to_owned(),
            reliability: self.head.reliability.clone(),
            notes: self.head.notes.clone(),
            sources: self.head.sources.clone(),
            firmwares: self.firmware_ids.clone(),
            displays,
        }
    }
}

type At<'a> = &'a dyn Fn(usize, String) -> InputError;

/// Refuses a word that is none of the known ones.
fn known(word: &Spanned<String>, what: &str, words: &[&str], at: At<'_>) -> Result<(), InputError> {
    if words.contains(&word.get_ref().as_str()) {
        return Ok(());
    }
    let hint = nearest(word.get_ref(), words.iter().copied())
        .map_or_else(String::new, |near| format!("; is {near:?} meant?"));
    let problem =
        format!("{what} {:?}, expected one of: {}{hint}", word.get_ref(), words.join(", "));
    Err(at(word.span().start, problem))
}

fn read_firmware(raw: &RawFirmware, at: At<'_>) -> Result<Firmware, InputError> {
    let names: Vec<&str> = Framing::ALL
        .into_iter()
        .filter(|framing| framing.is_acceptable())
        .map(Framing::name)
        .collect();
    let mut framings = Vec::new();
    for word in &raw.accepted_framings {
        known(word, "framing", &names, at)?;
        framings.extend(Framing::from_name(word.get_ref()));
    }
    if let Some(bad) = raw.key_change_sets.get_ref().iter().find(|size| !(2..=4).contains(*size)) {
        let problem = format!("key_change_sets: {bad}, expected of 2, 3 and 4");
        return Err(at(raw.key_change_sets.span().start, problem));
    }
    let order = match &raw.kct_order {
        None => SectionOrder::Any,
        Some(word) => {
            known(word, "kct_order", &["any", "strict"], at)?;
            if word.get_ref() == "strict" { SectionOrder::Strict } else { SectionOrder::Any }
        }
    };
    if let Some(ea) = &raw.ea {
        known(ea, "ea", &["07", "09", "11"], at)?;
    }
    Ok(Firmware {
        framings,
        sets: raw.key_change_sets.get_ref().clone(),
        order,
        window_s: raw.kct_window_s,
    })
}

fn read_display(
    name: &str,
    raw: &[Spanned<RawDisplay>],
    at: At<'_>,
) -> Result<Vec<OwnedRule>, InputError> {
    let results: Vec<&str> = TokenResult::ALL.into_iter().map(TokenResult::name).collect();
    let bases: Vec<&str> = Basis::ALL.into_iter().map(Basis::name).collect();
    let mut rules: Vec<OwnedRule> = Vec::new();
    let mut caught = false;
    for record in raw {
        let rule = record.get_ref();
        let offset = rule.on.span().start;
        let only_pending = match &rule.when {
            None => false,
            Some(when) => {
                known(when, "when", &["pending"], at)?;
                true
            }
        };
        known(&rule.basis, "basis", &bases, at)?;
        let on: Vec<TokenResult> = match rule.on.get_ref() {
            On::All(all) if all == "*" => TokenResult::ALL.to_vec(),
            On::All(other) => {
                return Err(at(offset, format!("on {other:?}, expected \"*\" or a list of results")));
            }
            On::Some(names) => {
                let mut on = Vec::new();
                for word in names {
                    let result = TokenResult::from_name(word).ok_or_else(|| {
                        let hint = nearest(word, results.iter().copied())
                            .map_or_else(String::new, |near| format!("; is {near:?} meant?"));
                        at(offset, format!("on {word:?} is no result{hint}"))
                    })?;
                    on.push(result);
                }
                on
            }
        };
        let is_covered = |result: &TokenResult| {
            rules.iter().any(|earlier| {
                earlier.on.contains(*result) && (!earlier.only_pending || only_pending)
            })
        };
        if on.iter().all(is_covered) {
            let problem = "this rule can never match: the rules before it take every result it is for";
            return Err(at(record.span().start, problem.into()));
        }
        caught |= !only_pending && matches!(rule.on.get_ref(), On::All(_));
        rules.push(OwnedRule {
            on: on.into_iter().collect(),
            only_pending,
            show: rule.show.clone(),
            basis: Basis::from_name(rule.basis.get_ref()).unwrap_or(Basis::Example),
        });
    }
    if !caught {
        let offset = raw.last().map_or(0, |record| record.span().start);
        let problem = "no rule catches every other result, expected a last one with on = \"*\"";
        return Err(if offset == 0 { InputError::other(name, problem) } else { at(offset, problem.into()) });
    }
    Ok(rules)
}

/// Declares the built-in profiles from their files.
macro_rules! built_in {
    ($($id:literal),* $(,)?) => {
        /// The built-in profiles: name and text.
        const BUILT_IN: &[(&str, &str)] =
            &[$(($id, include_str!(concat!("../profiles/", $id, ".toml"))),)*];
    };
}

built_in! {
    "standard",
    "mangaung-2024-reconstruction",
    "mangaung-2024-reconstruction-h1",
    "mangaung-2024-reconstruction-h2",
    "mangaung-2024-reconstruction-h3",
    "conlog-bec62-078",
    "dlms-token-gateway",
    "itron-ace9000-ssp",
    "secure-liberty100",
    "waterwatch-ciu",
}

/// The built-in profiles: name and text.
#[must_use]
pub const fn builtin() -> &'static [(&'static str, &'static str)] {
    BUILT_IN
}

/// A profile by its built-in name, or from a file, whose path is read from `folder`.
///
/// # Errors
///
/// [`InputError`]: no such profile, or what is wrong with its file.
pub fn load(name: &str, folder: &Path) -> Result<ProfileFile, InputError> {
    if let Some((id, text)) = BUILT_IN.iter().find(|(id, _)| *id == name) {
        return ProfileFile::parse(&format!("{id}.toml"), text);
    }
    if name.ends_with(".toml") {
        let beside = folder.join(name);
        let path = if beside.exists() { beside } else { Path::new(name).to_owned() };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| InputError::unreadable(&path.display().to_string(), &error.to_string()))?;
        return ProfileFile::parse(&path.display().to_string(), &text);
    }
    let ids: Vec<&str> = BUILT_IN.iter().map(|(id, _)| *id).collect();
    let hint = nearest(name, ids.iter().copied())
        .map_or_else(String::new, |near| format!("; is {near:?} meant?"));
    let problem = format!(
        "no such profile, expected a .toml file or one of: {}{hint}",
        ids.join(", ")
    );
    Err(InputError::other(&format!("profile {name:?}"), &problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "[profile]\nid = \"p\"\nstatus = \"example\"\n[[firmware]]\nid = \"1\"\naccepted_framings = [\"sts20\"]\nkey_change_sets = [2]\n[[display]]\non = [\"CRCError\"]\nshow = \"017\"\nbasis = \"hypothesis\"\n[[display]]\non = \"*\"\nshow = \"Err {result}\"\nbasis = \"example\"\n";

    #[test]
    fn every_built_in_profile_is_sound() {
        for (id, text) in BUILT_IN {
            let family = ProfileFile::parse(id, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(family.id(), *id);
            for battery in ["low battery"] {
                assert!(family.is_fault_text(battery), "{id} has no text for {battery}");
            }
            for firmware in 0..family.firmware_ids().len() {
                let _ = family.compile(firmware);
            }
        }
    }

    #[test]
    fn display_shows_codes_as_they_are_written() {
        let family = ProfileFile::parse("p", SOUND).unwrap();
        let profile = family.compile(0);
        assert_eq!(profile.shown(TokenResult::CrcError, false).to_string(), "017");
        assert_eq!(profile.shown(TokenResult::OldError, false).to_string(), "Err OldError");
    }

    #[test]
    fn bad_profiles_say_the_line_and_what_was_expected() {
        for (from, to, says) in [
            ("status = \"example\"", "status = \"exampel\"", "p:3: status"),
            ("key_change_sets = [2]", "key_change_sets = [5]", "p:7: key_change_sets"),
            ("[\"sts20\"]", "[\"sts21\"]", "p:6: framing"),
            ("[\"CRCError\"]", "[\"CrcEror\"]", "is \"CRCError\" meant?"),
            ("on = \"*\"\nshow", "on = [\"CRCError\"]\nshow", "p:12: this rule can never match"),
            ("\"*\"", "[\"OldError\"]", "no rule catches"),
            ("id = \"p\"", "id = \"p\"\ncolour = 1", "p:3"),
            ("basis = \"hypothesis\"", "basis = \"guess\"", "p:11: basis"),
            ("[[firmware]]", "[rules]\nlockout_after = 5\n[[firmware]]", "go together"),
        ] {
            let text = SOUND.replacen(from, to, 1);
            assert_ne!(text, SOUND);
            let error = ProfileFile::parse("p", &text).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
        assert!(load("standart", Path::new(".")).unwrap_err().to_string().contains("\"standard\" meant"));
    }
}
