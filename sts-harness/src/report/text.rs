//! Foreign text, made fit for a page.

/// Runs of so many digits could be a meter's number or a token.
const LONGEST: usize = 10;

/// The text with long runs of digits taken out, blanks, dashes and the like between them or not.
pub(super) fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut digits = 0;
    let flush = |run: &mut String, digits: &mut usize, out: &mut String| {
        if *digits > LONGEST {
            out.push_str("[redacted]");
        } else {
            out.push_str(run);
        }
        run.clear();
        *digits = 0;
    };
    for character in text.chars() {
        if character.is_numeric() {
            digits += 1;
            run.push(character);
        } else if digits > 0 && !character.is_alphabetic() {
            run.push(character);
        } else {
            flush(&mut run, &mut digits, &mut out);
            out.push(character);
        }
    }
    flush(&mut run, &mut digits, &mut out);
    out
}

/// The text redacted, and escaped for XML and HTML; what XML cannot hold is replaced.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in redacted(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            character if character.is_control() => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}
