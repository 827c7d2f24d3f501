//! A case folder: meters, entries, keys and settings that belong together.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use serde::Deserialize;

use crate::blocks::{Block, Source};
use crate::entries::Entries;
use crate::fleet::{Fleet, TrackedMeter};
use crate::input::{InputError, Place, Rejected, Warning};
use crate::keys::{KeyRing, Unlock};
use crate::profiles::{self, ProfileFile};
use crate::records::{self, EntryRow, METER_COLUMNS, MeterRow};
use crate::table::Table;

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
    /// The entries, in the order of the file; none where they come as a stream.
    pub entries: Vec<EntryRow>,
    /// Rows that were not taken.
    pub rejected: Vec<RejectedRows>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    profiles: BTreeMap<String, &'static ProfileFile>,
    /// Whether no other profile is loaded: rows come from someone who may not name files.
    is_closed: bool,
}

/// Where the parts of a case are, where not at their usual names.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Overrides<'a> {
    /// A key file in place of the folder's.
    pub keys: Option<&'a Path>,
    /// A profile in place of every meter's: its name, or a path from the working folder.
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
    /// Reads a case folder whole, its entries too.
    ///
    /// # Errors
    ///
    /// As [`Case::open`]; entries that are not in time order, unless they are sorted.
    pub fn load(
        folder: &Path,
        overrides: Overrides<'_>,
        unlock: &mut dyn Unlock,
    ) -> Result<Self, InputError> {
        let (mut case, mut entries) = Self::open(folder, overrides, unlock)?;
        let mut rejected = Vec::new();
        for batch in &mut entries {
            let batch = batch?;
            case.entries.extend(batch.rows);
            rejected.extend(batch.rejected);
        }
        if !overrides.sort {
            records::check_order(entries.file(), &case.entries)?;
        }
        if !rejected.is_empty() {
            let (file, header) = (entries.file().to_owned(), entries.header().to_vec());
            case.rejected.push(RejectedRows { file, header, rows: rejected });
        }
        Ok(case)
    }

    /// Reads a case folder but for its entries, which come as a stream.
    ///
    /// # Errors
    ///
    /// [`InputError`] where a file is missing or cannot be read as a whole; single bad rows are
    /// kept in [`Case::rejected`].
    pub fn open(
        folder: &Path,
        overrides: Overrides<'_>,
        unlock: &mut dyn Unlock,
    ) -> Result<(Self, Entries), InputError> {
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

        let mut case = Self { settings, warnings, ..Self::new(keys) };
        if let Some(profile) = overrides.profile {
            // Read once and from where the user stands; the meters find it by its name.
            case.family(profile, Path::new(""))
                .map_err(|problem| InputError::other("--profile", &problem))?;
        }
        case.read_meters(&folder.join("meters.csv"), folder, overrides.profile)?;
        let sort_in = overrides.sort.then(std::env::temp_dir);
        let entries = Entries::open(&folder.join("entries.csv"), sort_in.as_deref())?;
        Ok((case, entries))
    }

    /// Meters are read in blocks: their fields as text would take more memory than they do.
    fn read_meters(
        &mut self,
        path: &Path,
        folder: &Path,
        profile: Option<&str>,
    ) -> Result<(), InputError> {
        let unreadable = |error: std::io::Error| {
            InputError::unreadable(&path.display().to_string(), &error.to_string())
        };
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (mut source, head) = Source::new(&file, File::open(path).map_err(unreadable)?)?;
        let header = Table::header(&file, &head, source.delimiter(), &METER_COLUMNS)?;
        let (mut block, mut seen, mut rejected) = (Block::default(), HashMap::new(), Vec::new());
        while source.next(&mut block)? {
            rejected.extend(block.rejected.take());
            let (delimiter, rows) = (source.delimiter(), &block.bytes);
            let table =
                Table::read_part(&file, &header, delimiter, rows, block.line, &METER_COLUMNS)?;
            let meters = records::meter_rows(table, &mut seen);
            rejected.extend(meters.rejected);
            for mut row in meters.rows {
                if let Some(profile) = profile {
                    profile.clone_into(&mut row.profile);
                    row.firmware = None;
                }
                let (place, original) =
                    (Place::line(&file, row.line), std::mem::take(&mut row.original));
                if let Err(problem) = self.add_meter(row, folder) {
                    rejected.push(Rejected::new(place, original, problem));
                }
            }
        }
        if !rejected.is_empty() {
            self.rejected.push(RejectedRows { file, header, rows: rejected });
        }
        Ok(())
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
            is_closed: false,
        }
    }

    /// Takes on a profile by the name that meters have it under, read from beside `folder`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn add_profile(&mut self, name: &str, folder: &Path) -> Result<(), String> {
        self.family(name, folder).map(|_| ())
    }

    /// The meter of a row.
    ///
    /// # Errors
    ///
    /// What is wrong with its profile or firmware, in words.
    pub fn meter(&self, row: MeterRow) -> Result<TrackedMeter, String> {
        let family = self.profile(&row.profile).ok_or_else(|| self.unknown(&row.profile))?;
        TrackedMeter::new(row, family, &self.keys).map_err(|problem| problem.to_string())
    }

    fn unknown(&self, profile: &str) -> String {
        let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        format!("profile {profile:?}, expected one of: {}", known.join(", "))
    }

    /// A case with the same keys, and no meter. It takes the profiles that this one has loaded and the
    /// built-in ones, and reads no other: for rows of someone who may not name files.
    ///
    /// # Errors
    ///
    /// What is wrong with a built-in profile, in words.
    pub fn closed(&self) -> Result<Self, String> {
        let mut case = Self { profiles: self.profiles.clone(), ..Self::new(self.keys.clone()) };
        if !self.is_closed {
            for (name, _) in profiles::builtin() {
                case.family(name, Path::new("."))?;
            }
        }
        case.is_closed = true;
        Ok(case)
    }

    /// Reads the meters of a case folder into this case, and opens its entries, in time order.
    ///
    /// # Errors
    ///
    /// As [`Case::open`].
    pub fn open_more(&mut self, folder: &Path) -> Result<Entries, InputError> {
        self.read_meters(&folder.join("meters.csv"), folder, None)?;
        Entries::open(&folder.join("entries.csv"), Some(folder))
    }

    /// Adds a meter; a profile's path is read from beside `folder`.
    ///
    /// # Errors
    ///
    /// What is wrong with its profile or firmware, in words.
    pub fn add_meter(&mut self, row: MeterRow, folder: &Path) -> Result<(), String> {
        let family = self.family(&row.profile, folder)?;
        let meter =
            TrackedMeter::new(row, family, &self.keys).map_err(|problem| problem.to_string())?;
        self.fleet.add(meter);
        Ok(())
    }

    /// The profile of this name, read from beside `folder` where it is a relative path.
    fn family(&mut self, name: &str, folder: &Path) -> Result<&'static ProfileFile, String> {
        if let Some(family) = self.profiles.get(name) {
            return Ok(family);
        }
        if self.is_closed {
            return Err(self.unknown(name));
        }
        let family = profiles::load(name, folder).map_err(|error| error.to_string())?;
        let family: &'static ProfileFile = Box::leak(Box::new(family));
        self.profiles.insert(name.to_owned(), family);
        Ok(family)
    }

    /// The profiles that meters of the case use, by the names they are asked for.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &'static ProfileFile)> {
        self.profiles.iter().map(|(name, profile)| (name.as_str(), *profile))
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
