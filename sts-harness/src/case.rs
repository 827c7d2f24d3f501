//! A case folder: meters, entries, keys and settings that belong together.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::fleet::{Fleet, TrackedMeter};
use crate::input::{InputError, Place, Rejected, Warning};
use crate::keys::{KeyRing, Unlock};
use crate::profiles::{self, ProfileFile};
use crate::records::{self, EntryRow, MeterRow};

/// The settings of `case.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Version of the form; 1.
    pub schema: Option<u8>,
    /// A title for reports.
    pub title: Option<String>,
    /// Notes for readers.
    pub notes: Option<String>,
}

/// Rows that could not be taken, by the file they are in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RejectedRows {
    /// The file's name.
    pub file: String,
    /// Its header.
    pub header: Vec<String>,
    /// The rows, each with its reason.
    pub rows: Vec<Rejected>,
}

/// Everything a replay starts from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Case {
    /// Settings.
    pub settings: Settings,
    /// Keys; none in a keyless case.
    pub keys: KeyRing,
    /// The meters in their first state.
    pub fleet: Fleet,
    /// The entries, in the order of the file.
    pub entries: Vec<EntryRow>,
    /// Rows that were not taken.
    pub rejected: Vec<RejectedRows>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    profiles: BTreeMap<String, &'static ProfileFile>,
}

/// Where the parts of a case are, where not at their usual names.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Overrides<'a> {
    /// A key file in place of the folder's.
    pub keys: Option<&'a Path>,
    /// A profile in place of every meter's.
    pub profile: Option<&'a str>,
    /// Whether entries may be out of order, and are sorted.
    pub sort: bool,
}

impl<'a> Overrides<'a> {
    /// From its parts.
    #[must_use]
    pub const fn new(keys: Option<&'a Path>, profile: Option<&'a str>, sort: bool) -> Self {
        Self { keys, profile, sort }
    }
}

impl Case {
    /// Reads a case folder.
    ///
    /// # Errors
    ///
    /// [`InputError`] where a file is missing or cannot be read as a whole; single bad rows are
    /// kept in [`Case::rejected`].
    pub fn load(
        folder: &Path,
        overrides: Overrides<'_>,
        unlock: &mut dyn Unlock,
    ) -> Result<Self, InputError> {
        let settings = read_settings(&folder.join("case.toml"))?;
        let key_file = overrides.keys.map_or_else(|| folder.join("keys.toml"), Path::to_owned);
        let mut warnings = Vec::new();
        let keys = if overrides.keys.is_some() || key_file.exists() {
            KeyRing::load(&key_file, unlock)?
        } else {
            warnings.push(Warning::new(
                Place::file(&key_file.display().to_string()),
                "no key file: tokens of classes 0 and 2 are not decrypted, keyless results still come",
            ));
            KeyRing::default()
        };
        warnings.extend(keys.warnings.iter().cloned());

        let meters = records::read_meters(&folder.join("meters.csv"))?;
        let entries = records::read_entries(&folder.join("entries.csv"))?;
        let mut case = Self {
            settings,
            keys,
            fleet: Fleet::new(),
            entries: entries.rows,
            rejected: Vec::new(),
            warnings,
            profiles: BTreeMap::new(),
        };
        let mut rejected = RejectedRows {
            file: meters.file.clone(),
            header: meters.header.clone(),
            rows: meters.rejected,
        };
        for mut row in meters.rows {
            if let Some(profile) = overrides.profile {
                profile.clone_into(&mut row.profile);
                row.firmware = None;
            }
            if let Err(problem) = case.add_meter(row.clone(), folder) {
                rejected.rows.push(Rejected::new(
                    Place::line(&meters.file, row.line),
                    row.original.clone(),
                    problem,
                ));
            }
        }
        case.rejected.push(rejected);
        case.rejected.push(RejectedRows {
            file: entries.file,
            header: entries.header,
            rows: entries.rejected,
        });
        if overrides.sort {
            case.entries.sort_by_key(|entry| entry.entered_at);
        } else {
            let file = case.rejected.last().map_or("entries.csv", |rejected| &rejected.file);
            records::check_order(file, &case.entries)?;
        }
        case.rejected.retain(|file| !file.rows.is_empty());
        Ok(case)
    }

    /// A case put together in memory: keys and meters, for checking single tokens.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self {
            settings: Settings::default(),
            keys,
            fleet: Fleet::new(),
            entries: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
            profiles: BTreeMap::new(),
        }
    }

    /// Adds a meter; a profile's path is read from beside `folder`.
    ///
    /// # Errors
    ///
    /// What is wrong with its profile or firmware, in words.
    pub fn add_meter(&mut self, row: MeterRow, folder: &Path) -> Result<(), String> {
        let family = match self.profiles.get(&row.profile) {
            Some(family) => family,
            None => {
                let family =
                    profiles::load(&row.profile, folder).map_err(|error| error.to_string())?;
                let family: &'static ProfileFile = Box::leak(Box::new(family));
                self.profiles.insert(row.profile.clone(), family);
                family
            }
        };
        let meter =
            TrackedMeter::new(row, family, &self.keys).map_err(|problem| problem.to_string())?;
        self.fleet.add(meter);
        Ok(())
    }

    /// A profile that some meter of the case uses, or a built-in one.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&'static ProfileFile> {
        self.profiles.get(name).copied()
    }
}

fn read_settings(path: &Path) -> Result<Settings, InputError> {
    if !path.exists() {
        return Ok(Settings::default());
    }
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| InputError::unreadable(&name, &error.to_string()))?;
    let settings: Settings =
        toml::from_str(&text).map_err(|error| InputError::toml(&name, &text, &error))?;
    match settings.schema {
        None | Some(1) => Ok(settings),
        Some(other) => Err(InputError::other(&name, &format!("schema {other}, expected 1"))),
    }
}
