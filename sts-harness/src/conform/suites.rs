//! The built-in suites.

use sts_core::{Profile, TokenResult};

use super::script::{Case, ScriptError, parse};

const FILES: [(&str, &str); 7] = [
    ("framing", include_str!("suites/framing.txt")),
    ("classes", include_str!("suites/classes.txt")),
    ("amounts", include_str!("suites/amounts.txt")),
    ("tid", include_str!("suites/tid.txt")),
    ("key_change", include_str!("suites/key_change.txt")),
    ("expiry", include_str!("suites/expiry.txt")),
    ("lockout", include_str!("suites/lockout.txt")),
];

/// The cases of all areas, in order.
///
/// # Errors
///
/// [`ScriptError`], which a test rules out.
pub fn builtin_suites() -> Result<Vec<Case>, ScriptError> {
    let mut cases = Vec::new();
    for (name, text) in FILES {
        cases.extend(parse(name, text)?);
    }
    Ok(cases)
}

/// What a meter of a profile shows for results that every profile can give, apart and while a key
/// change is half entered.
///
/// # Errors
///
/// [`ScriptError`] where a display text cannot be written in a case.
pub fn display_suite(name: &str, profile: &Profile<'_>) -> Result<Vec<Case>, ScriptError> {
    let resource = (0..8).find(|subclass| profile.resources.contains(*subclass)).unwrap_or(0);
    let credit = |tid: u32| match resource {
        0..=3 => format!("credit {resource} {tid} 1"),
        _ => format!("currency {resource} {tid} 0 1"),
    };
    let quoted = |text: String| serde_json::Value::String(text.trim().to_owned()).to_string();
    let answer = |result: TokenResult, pending: bool| {
        format!("{result} {}", quoted(profile.shown(result, pending).to_string()))
    };
    let plain = |result| answer(result, false);
    let mut text = format!("suite display\ncase {name}\nsource profile {name}\n");
    for (what, result) in [
        (credit(5_698_680), TokenResult::Accept),
        (credit(5_698_680), TokenResult::UsedError),
        (credit(5_000_000), TokenResult::OldError),
        (format!("{} flip=20", credit(5_698_690)), TokenResult::CrcError),
        ("raw 2 11 0".to_owned(), TokenResult::FunctionError),
    ] {
        if result != TokenResult::FunctionError || !profile.management.contains(11) {
            text += &format!("enter {what} -> {}\n", plain(result));
        }
    }
    // A length that no framing of the profile has.
    text += &format!("enter digits 1234567890123456 -> {}\n", plain(TokenResult::LengthError));
    let three = u8::from(!profile.key_change_sets.contains(2));
    if profile.key_change_sets.contains(2) || profile.key_change_sets.contains(3) {
        let pending = |result| answer(result, true);
        text += &format!("case {name}-pending\nsource profile {name}\n");
        text += &format!("enter section 1 three={three} -> {}\n", pending(TokenResult::FirstKct));
        text += &format!(
            "enter {} flip=20 -> {}\nenter {} -> {}\n",
            credit(5_698_690),
            pending(TokenResult::CrcError),
            credit(5_698_690),
            pending(TokenResult::Accept),
        );
    }
    parse(name, &text)
}
