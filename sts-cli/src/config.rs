//! Settings of a user: defaults, above them a file, above that the environment. They become the
//! defaults of arguments, so that an argument is above them all.

use std::path::{Path, PathBuf};

use clap::builder::ArgPredicate;
use clap::{ArgMatches, Command, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use sts_harness::input::{InputError, Place, nearest};
use sts_harness::time::Zone;
use toml::Spanned;

use crate::args::{Color, ConfigAction, ConfigArgs, Format, Lanes};
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

/// Something that can be set.
struct Known {
    /// In the file; the argument has `-` for `_`.
    name: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    is_path: bool,
    check: fn(&str) -> Result<(), String>,
}

const KNOWN: [Known; 8] = [
    Known::path("keys", "STS_KEYS"),
    Known::path("kek_file", "STS_KEK_FILE"),
    Known::path("passphrase_file", "STS_PASSPHRASE_FILE"),
    Known::word("format", "STS_FORMAT", Some("text"), one_of::<Format>),
    Known::word("color", "STS_COLOR", Some("auto"), one_of::<Color>),
    Known::word("tz", "STS_TZ", None, |zone| Zone::parse(zone).map(drop)),
    Known::word("threads", "STS_THREADS", None, |threads| {
        let expected = |_| format!("{threads:?}, expected a number of threads of at least 1");
        threads.parse::<std::num::NonZeroUsize>().map(drop).map_err(expected)
    }),
    Known::word("lanes", "STS_LANES", Some("auto"), one_of::<Lanes>),
];

impl Known {
    const fn path(name: &'static str, variable: &'static str) -> Self {
        Self { name, variable, default: None, is_path: true, check: |_| Ok(()) }
    }

    const fn word(
        name: &'static str,
        variable: &'static str,
        default: Option<&'static str>,
        check: fn(&str) -> Result<(), String>,
    ) -> Self {
        Self { name, variable, default, is_path: false, check }
    }
}

fn one_of<T: ValueEnum>(word: &str) -> Result<(), String> {
    if T::from_str(word, false).is_ok() {
        return Ok(());
    }
    let known: Vec<String> = T::value_variants()
        .iter()
        .filter_map(|variant| variant.to_possible_value())
        .map(|value| value.get_name().to_owned())
        .collect();
    let near = nearest(word, known.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(format!("{word:?}, expected one of {}{near}", known.join(", ")))
}

/// Where a value is from.
enum Origin {
    Default,
    File(u64),
    Variable,
    Argument,
}

/// The settings in force before any argument.
pub(crate) struct Settings {
    /// The file, whether there is one or not.
    path: Option<PathBuf>,
    is_there: bool,
    /// In the order of [`KNOWN`].
    values: Vec<(Option<String>, Origin)>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: Option<Spanned<String>>,
    kek_file: Option<Spanned<String>>,
    passphrase_file: Option<Spanned<String>>,
    format: Option<Spanned<String>>,
    color: Option<Spanned<String>>,
    tz: Option<Spanned<String>>,
    threads: Option<Spanned<u32>>,
    lanes: Option<Spanned<String>>,
}

impl Settings {
    /// Those of this machine's user.
    pub(crate) fn load() -> Result<Self, Failure> {
        let named = std::env::var_os("STS_CONFIG").filter(|path| !path.is_empty());
        let path = named.as_ref().map(PathBuf::from).or_else(usual_path);
        let text = match &path {
            Some(path) if named.is_some() || path.exists() => {
                Some(std::fs::read_to_string(path).map_err(|error| {
                    InputError::unreadable(&path.display().to_string(), &error.to_string())
                })?)
            }
            _ => None,
        };
        let name = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let read = text.as_deref().unwrap_or_default();
        let file: File =
            toml::from_str(read).map_err(|error| InputError::toml(&name, read, &error))?;
        let folder = path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let mut values = Vec::new();
        for (known, told) in KNOWN.iter().zip(file.told()) {
            values.push(known.in_force(
                told,
                |offset| Place::line_of(read, offset),
                &name,
                folder,
            )?);
        }
        Ok(Self { path, is_there: text.is_some(), values })
    }

    /// The command line with these as its defaults.
    pub(crate) fn apply(&self, command: Command) -> Command {
        // A case has keys of its own, and an import without keys is another import than one with.
        let has_case = command.get_arguments().any(|arg| arg.get_id() == "case");
        let is_import = command.get_name() == "import";
        let command = command.mut_args(|arg| {
            let of = |(known, _): &(&Known, _)| {
                arg.get_long().is_some_and(|long| long.replace('-', "_") == known.name)
            };
            let Some((known, (Some(value), _))) = KNOWN.iter().zip(&self.values).find(of) else {
                return arg;
            };
            match known.name {
                "keys" if is_import => arg,
                "keys" if has_case => {
                    let unless: Option<&str> = None;
                    arg.default_value_if("case", ArgPredicate::IsPresent, unless)
                        .default_value(value.clone())
                }
                _ => arg.default_value(value.clone()),
            }
        });
        command.mut_subcommands(|command| self.apply(command))
    }

    /// `sts config show`.
    pub(crate) fn run(&self, args: &ConfigArgs, matches: &ArgMatches, out: &mut Out) -> Done {
        let ConfigAction::Show { origin: with_origin } = args.action;
        let file = self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        if out.is_text() && with_origin {
            out.line(format_args!("# {file}{}", if self.is_there { "" } else { ": not there" }))?;
        }
        for (known, (value, origin)) in KNOWN.iter().zip(&self.values) {
            let argued = matches.try_get_raw(known.name).ok().flatten().filter(|_| {
                matches.value_source(known.name) == Some(clap::parser::ValueSource::CommandLine)
            });
            let argued = argued.and_then(|mut raw| raw.next()).map(|raw| raw.display().to_string());
            let origin = if argued.is_some() { &Origin::Argument } else { origin };
            let value = argued.as_ref().or(value.as_ref());
            let (word, place) = match origin {
                Origin::Default => ("default", None),
                Origin::File(line) => ("file", Some(format!("{file}:{line}"))),
                Origin::Variable => ("variable", Some(known.variable.to_owned())),
                Origin::Argument => ("argument", Some(format!("--{}", known.name))),
            };
            if out.is_text() {
                let value = match value {
                    None => format!("# {} is not set", known.name),
                    Some(value) if known.name == "threads" => format!("{} = {value}", known.name),
                    Some(value) => {
                        format!("{} = {}", known.name, toml::Value::String(value.clone()))
                    }
                };
                let place = place.unwrap_or_else(|| word.to_owned());
                if with_origin && !value.starts_with('#') {
                    out.line(format_args!("{value:<40}  # {place}"))?;
                } else {
                    out.line(value)?;
                }
            } else {
                out.object(&json!({
                    "schema": 1, "name": known.name, "value": value, "origin": word,
                    "place": place,
                }))?;
            }
        }
        Ok(Exit::Good)
    }
}

impl File {
    /// What it says, in the order of [`KNOWN`], and where.
    fn told(self) -> [Option<(String, usize)>; 8] {
        let text = |value: Option<Spanned<String>>| {
            value.map(|value| (value.get_ref().clone(), value.span().start))
        };
        let threads = self.threads.map(|value| (value.get_ref().to_string(), value.span().start));
        [
            text(self.keys),
            text(self.kek_file),
            text(self.passphrase_file),
            text(self.format),
            text(self.color),
            text(self.tz),
            threads,
            text(self.lanes),
        ]
    }
}

impl Known {
    /// The value before any argument. Paths of the file are seen from its folder.
    fn in_force(
        &self,
        told: Option<(String, usize)>,
        line_of: impl Fn(usize) -> u64,
        file: &str,
        folder: &Path,
    ) -> Result<(Option<String>, Origin), InputError> {
        let variable = std::env::var_os(self.variable).filter(|value| !value.is_empty());
        if let Some(value) = variable {
            let at = |problem: String| InputError::other(self.variable, &problem);
            let value =
                value.into_string().map_err(|_| at("is not UTF-8, expected text".to_owned()))?;
            (self.check)(&value).map_err(at)?;
            return Ok((Some(value), Origin::Variable));
        }
        let Some((value, offset)) = told else {
            return Ok((self.default.map(str::to_owned), Origin::Default));
        };
        let line = line_of(offset);
        (self.check)(&value)
            .map_err(|problem| InputError::new(Place::field(file, line, self.name), problem))?;
        let value = if self.is_path { folder.join(value).display().to_string() } else { value };
        Ok((Some(value), Origin::File(line)))
    }
}

/// `sts/config.toml` where this system keeps such files.
fn usual_path() -> Option<PathBuf> {
    let folder = |variable: &str| {
        std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    };
    let folder = if cfg!(windows) {
        folder("APPDATA")
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))
    };
    folder.map(|folder| folder.join("sts").join("config.toml"))
}
