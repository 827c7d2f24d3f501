//! A profile as constant data for firmware, in Rust for `sts-core` and in C for `sts.h`.

use std::fmt::Write;

use sts_core::{Framing, NumberSet, Profile, ResultSet, SectionOrder, TokenResult};

use crate::profiles::ProfileFile;

/// Every firmware of a family as a `static` of `sts_core::Profile`, to be used as a module.
#[must_use]
pub fn rust(family: &ProfileFile) -> String {
    let mut out = String::new();
    for line in origin(family) {
        let _ = writeln!(out, "//! {line}");
    }
    for (place, firmware) in family.firmwares().iter().enumerate() {
        let profile = family.compile(place);
        let name = name(family, &firmware.id).to_uppercase();
        let framings = Framing::ALL.iter().filter(|framing| profile.framings.contains(**framing));
        let framings: String =
            framings.map(|framing| format!(".with(sts_core::Framing::{framing:?})")).collect();
        let order = match profile.section_order {
            SectionOrder::Strict => "Strict",
            _ => "Any",
        };
        let set = |set: NumberSet| format!("sts_core::NumberSet::from_bits({:#x})", bits(set));
        let _ = write!(
            out,
            "\n/// Firmware `{}`.\n#[rustfmt::skip]\npub static {name}: sts_core::Profile<'static> = sts_core::Profile {{\n\
             \x20   framings: sts_core::FramingSet::EMPTY{framings},\n\
             \x20   resources: {},\n\
             \x20   tests: {},\n\
             \x20   management: {},\n\
             \x20   key_change_sets: {},\n\
             \x20   section_order: sts_core::SectionOrder::{order},\n\
             \x20   section_window_s: {:?},\n",
            comment(&firmware.id),
            set(profile.resources),
            set(profile.tests),
            set(profile.management),
            set(profile.key_change_sets),
            profile.section_window_s,
        );
        let _ = match profile.lockout {
            None => writeln!(out, "    lockout: None,"),
            Some(rule) => writeln!(
                out,
                "    lockout: Some(sts_core::LockoutRule {{ after: {}, durations_s: &{:?} }}),",
                rule.after, rule.durations_s
            ),
        };
        let _ = writeln!(
            out,
            "    register_max: {:?},\n    checks_expiry: {},\n    display: &[",
            profile.register_max, profile.checks_expiry
        );
        for rule in profile.display {
            let on = if rule.on == ResultSet::ALL {
                "sts_core::ResultSet::ALL".to_owned()
            } else {
                let on = TokenResult::ALL.into_iter().filter(|result| rule.on.contains(*result));
                let on: String =
                    on.map(|result| format!(".with(sts_core::TokenResult::{result:?})")).collect();
                format!("sts_core::ResultSet::EMPTY{on}")
            };
            let _ = writeln!(
                out,
                "        sts_core::DisplayRule {{ on: {on}, only_pending: {}, show: {:?}, basis: sts_core::Basis::{:?} }},",
                rule.only_pending, rule.show, rule.basis
            );
        }
        out.push_str("    ],\n};\n");
    }
    out
}

/// Every firmware of a family as a `static const sts_profile`, to be used as a header.
#[must_use]
pub fn c(family: &ProfileFile) -> String {
    let stem = identifier(family.id());
    let guard = format!("STS_PROFILE_{}_H", stem.to_uppercase());
    let mut out = String::new();
    for line in origin(family) {
        let _ = writeln!(out, "/* {line} */");
    }
    let _ = writeln!(out, "#ifndef {guard}\n#define {guard}\n\n#include \"sts.h\"\n");
    // Display and lock-out are the family's, and so of any of its firmwares.
    let any = family.compile(0);
    let (lockout, lockout_count) = match any.lockout {
        Some(rule) if !rule.durations_s.is_empty() => {
            let seconds: Vec<String> = rule.durations_s.iter().map(u32::to_string).collect();
            let list = seconds.join(", ");
            let _ = writeln!(out, "static const uint32_t {stem}_lockout_s[] = {{{list}}};\n");
            (format!("{stem}_lockout_s"), rule.durations_s.len())
        }
        _ => ("NULL".to_owned(), 0),
    };
    let display = if any.display.is_empty() {
        "NULL".to_owned()
    } else {
        let _ = writeln!(out, "static const sts_display_rule {stem}_display[] = {{");
        for rule in any.display {
            let pending = u8::from(rule.only_pending);
            let on = results(rule.on);
            let _ = writeln!(out, "    {{{on}, {pending}, {}}},", quoted(rule.show));
        }
        out.push_str("};\n\n");
        format!("{stem}_display")
    };
    for (place, firmware) in family.firmwares().iter().enumerate() {
        let profile: &Profile<'_> = family.compile(place);
        let framings = [
            (Framing::Sts20, "STS_FRAMING_STS20"),
            (Framing::W24Check, "STS_FRAMING_W24_CHECK"),
            (Framing::W24Suffix, "STS_FRAMING_W24_SUFFIX"),
            (Framing::W24Prefix, "STS_FRAMING_W24_PREFIX"),
        ];
        let framings: Vec<&str> = framings
            .iter()
            .filter(|(framing, _)| profile.framings.contains(*framing))
            .map(|(_, name)| *name)
            .collect();
        let framings = if framings.is_empty() { "0".to_owned() } else { framings.join(" | ") };
        let _ = write!(
            out,
            "static const sts_profile {} = {{\n\
             \x20   0x{:X}u, /* tests */\n\
             \x20   {}u, /* register_max */\n\
             \x20   {lockout},\n\
             \x20   {display},\n\
             \x20   {}u, /* section_window_s */\n\
             \x20   {}, /* display_count */\n\
             \x20   0x{:X}, /* management */\n\
             \x20   {framings},\n\
             \x20   0x{:X}, /* resources */\n\
             \x20   0x{:X}, /* key_change_sets */\n\
             \x20   {}, /* strict_section_order */\n\
             \x20   {}, /* checks_expiry */\n\
             \x20   {}, /* lockout_after */\n\
             \x20   {lockout_count}, /* lockout_count */\n\
             }};\n\n",
            name(family, &firmware.id),
            bits(profile.tests),
            profile.register_max.unwrap_or(0),
            profile.section_window_s.unwrap_or(0),
            any.display.len(),
            bits(profile.management),
            bits(profile.resources),
            bits(profile.key_change_sets),
            u8::from(profile.section_order == SectionOrder::Strict),
            u8::from(profile.checks_expiry),
            profile.lockout.map_or(0, |rule| rule.after),
        );
    }
    let _ = writeln!(out, "#endif");
    out
}

/// What a reader of the file should know.
fn origin(family: &ProfileFile) -> [String; 2] {
    [
        format!(
            "Profile `{}`, made by `sts profiles emit`; not to be edited.",
            comment(family.id())
        ),
        format!("Where it comes from: {}.", family.status()),
    ]
}

/// A name within a comment, which it may not end.
fn comment(name: &str) -> String {
    name.replace(char::is_control, " ").replace("*/", "* /")
}

fn name(family: &ProfileFile, firmware: &str) -> String {
    identifier(&format!("{}_{firmware}", family.id()))
}

/// A name that both languages take.
fn identifier(text: &str) -> String {
    let plain = |found: char| if found.is_ascii_alphanumeric() { found } else { '_' };
    let name: String = text.chars().map(plain).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("p_{name}") } else { name }
}

fn bits(set: NumberSet) -> u64 {
    (0..64).filter(|number| set.contains(*number)).fold(0, |bits, number| bits | 1 << number)
}

/// The results by their names in `sts.h`, whose numbers are its own.
fn results(set: ResultSet) -> String {
    if set == ResultSet::ALL {
        return "0xFFFFFFFFu".to_owned();
    }
    let results = TokenResult::ALL.into_iter().filter(|result| set.contains(*result));
    let terms: Vec<String> = results
        .map(|result| {
            let mut name = String::from("1u << STS_RESULT");
            for found in format!("{result:?}").chars() {
                if found.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(found.to_ascii_uppercase());
            }
            name
        })
        .collect();
    if terms.is_empty() { "0u".to_owned() } else { terms.join(" | ") }
}

/// A text as C has it, whatever character set the compiler takes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        let _ = match byte {
            b'"' | b'\\' | b'?' => write!(out, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(out, "{}", char::from(byte)),
            _ => write!(out, "\\{byte:03o}"),
        };
    }
    out.push('"');
    out
}
