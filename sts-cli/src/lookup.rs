//! `sts inspect`, `tid`, `drn` and `profiles`: what needs no key.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::Value;
use sts_harness::input::InputError;
use sts_harness::{emit, inspect as looking, numbers, profiles as families};

use crate::args::{DrnArgs, InspectArgs, ProfilesAction, ProfilesArgs, TidArgs};
use crate::exit::{Done, Exit, Failure};
use crate::out::{Out, grouped};
use crate::verify::plain;

/// The longest text that is read whole, in bytes.
const LONGEST: u64 = 16 << 20;

/// A file's text, or standard input's for `-`; what is not UTF-8 is shown as replaced.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let name = path.display().to_string();
    let unreadable =
        |error: std::io::Error| Failure::Input(InputError::unreadable(&name, &error.to_string()));
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut bytes = Vec::new();
    input.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        let problem = format!("holds more than {LONGEST} bytes, expected a slip or some tokens");
        return Err(InputError::other(&name, &problem).into());
    }
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{FEFF}').to_owned())
}

pub(crate) fn inspect(args: &InspectArgs, out: &mut Out) -> Done {
    let mut tokens = Vec::new();
    let from_file = args.input.iter().map(|path| (path.as_path(), None));
    let from_words = args.tokens.iter().map(|word| (Path::new("-"), Some(word)));
    for (path, word) in from_words.chain(from_file) {
        match word {
            Some(word) if word != "-" => tokens.push(word.clone()),
            _ => tokens.extend(
                read_text(path)?.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned),
            ),
        }
    }
    // Groups of four given as words of their own are one token.
    if tokens.len() > 1 && tokens.iter().all(|word| word.len() == 4) {
        tokens = vec![tokens.join(" ")];
    }
    let mut exit = Exit::Good;
    for token in &tokens {
        let inspection = looking::inspect(token);
        let value = serde_json::to_value(&inspection).map_err(std::io::Error::from)?;
        let result = value.get("result").and_then(Value::as_str).unwrap_or_default().to_owned();
        exit = exit.max(Exit::of(result == "Authentic" || result == "Encrypted"));
        if out.is_text() {
            let shown = value.get("token").map(plain).unwrap_or_default();
            let good = result == "Authentic" || result == "Encrypted";
            let coloured = if good { result.green().to_string() } else { result.red().to_string() };
            out.line(format_args!("{}  {coloured}", grouped(&shown)))?;
            fields(&value, &["schema", "token", "result"], out)?;
        } else {
            out.object(&inspection)?;
        }
    }
    Ok(exit)
}

/// The fields of an object, a line each.
fn fields(value: &Value, skip: &[&str], out: &mut Out) -> Result<(), Failure> {
    for (name, value) in value.as_object().into_iter().flatten() {
        if skip.contains(&name.as_str()) || value.is_null() {
            continue;
        }
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                out.line(format_args!("  {}", name.dimmed()))?;
                for item in items {
                    let parts: Vec<String> = item
                        .as_object()
                        .into_iter()
                        .flatten()
                        .filter(|(_, value)| !value.is_null())
                        .map(|(name, value)| format!("{name} {}", plain(value)))
                        .collect();
                    out.line(format_args!("    {}", parts.join(", ")))?;
                }
            }
            _ => out.line(format_args!("  {:<18} {}", name.dimmed(), plain(value)))?,
        }
    }
    Ok(())
}

fn report(report: &impl Serialize, out: &mut Out) -> Result<Value, Failure> {
    let value = serde_json::to_value(report).map_err(std::io::Error::from)?;
    if out.is_text() {
        fields(&value, &["schema"], out)?;
        out.line("")?;
    } else {
        out.object(report)?;
    }
    Ok(value)
}

pub(crate) fn tid(args: &TidArgs, out: &mut Out) -> Done {
    let mut exit = Exit::Good;
    for text in &args.values {
        match numbers::tid(text, args.base_date) {
            Ok(found) => {
                report(&found, out)?;
            }
            Err(problem) => {
                out.error(&format!("{text:?}: {problem}"));
                exit = Exit::Input;
            }
        }
    }
    Ok(exit)
}

pub(crate) fn drn(args: &DrnArgs, out: &mut Out) -> Done {
    let mut exit = Exit::Good;
    for text in &args.numbers {
        let value = report(&numbers::meter_number(text), out)?;
        let valid = value.get("valid").and_then(Value::as_bool).unwrap_or_default();
        exit = exit.max(Exit::of(valid));
    }
    Ok(exit)
}

pub(crate) fn profiles(args: &ProfilesArgs, out: &mut Out) -> Done {
    if let Some(ProfilesAction::Emit(wanted)) = &args.action {
        let family = families::load(&wanted.profile, Path::new(".")).map_err(InputError::from)?;
        let text = if wanted.rust { emit::rust(&family) } else { emit::c(&family) };
        out.line(text.trim_end())?;
        return Ok(Exit::Good);
    }
    let Some(name) = &args.profile else {
        for (id, _) in families::builtin() {
            let family = families::load(id, Path::new(".")).map_err(InputError::from)?;
            if out.is_text() {
                out.line(format_args!(
                    "{:<36} {:<18} {}",
                    id.bold(),
                    family.status(),
                    family.title().unwrap_or_default()
                ))?;
            } else {
                out.object(&family.report())?;
            }
        }
        return Ok(Exit::Good);
    };
    let family = families::load(name, Path::new(".")).map_err(InputError::from)?;
    report(&family.report(), out)?;
    Ok(Exit::Good)
}
