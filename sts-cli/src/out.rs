//! Writing the answer: text for people, JSON for programs; the rest to standard error.

use std::io::{BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::args::{Color, Format};
use crate::exit::Failure;

/// Where answers go.
pub(crate) struct Out {
    format: Format,
    stdout: AutoStream<BufWriter<std::io::Stdout>>,
    stderr: AutoStream<std::io::Stderr>,
    /// Objects written so far, for the array's brackets and commas.
    objects: usize,
}

impl Out {
    pub(crate) fn new(format: Format, color: Color) -> Self {
        let choice = |terminal: bool| match color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto if terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) => {
                ColorChoice::Always
            }
            Color::Auto => ColorChoice::Never,
        };
        use std::io::IsTerminal;
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let (out_choice, err_choice) = (choice(stdout.is_terminal()), choice(stderr.is_terminal()));
        Self {
            format,
            stdout: AutoStream::new(BufWriter::new(stdout), out_choice),
            stderr: AutoStream::new(stderr, err_choice),
            objects: 0,
        }
    }

    /// Whether people read the answer.
    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.stdout, "{text}")?)
    }

    /// One object, in the form asked for.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(object).map_err(std::io::Error::from)?;
        if self.format == Format::Json {
            let before = if self.objects == 0 { "[\n " } else { ",\n " };
            write!(self.stdout, "{before}{text}")?;
        } else {
            writeln!(self.stdout, "{text}")?;
        }
        self.objects += 1;
        Ok(())
    }

    /// Ends the answer.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        if self.format == Format::Json {
            let end = if self.objects == 0 { "[]\n" } else { "\n]\n" };
            write!(self.stdout, "{end}")?;
        }
        Ok(self.stdout.flush()?)
    }

    /// Something the reader should know.
    pub(crate) fn warning(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.stderr, "{} {text}", "warning:".yellow().bold());
    }

    /// What ended the run, or a row that was not taken.
    pub(crate) fn error(&mut self, text: &str) {
        let _ = writeln!(self.stderr, "{} {text}", "error:".red().bold());
    }
}

/// Digits in groups of four where they are digits only.
pub(crate) fn grouped(entered: &str) -> String {
    if entered.is_empty() || !entered.bytes().all(|byte| byte.is_ascii_digit()) {
        return entered.to_owned();
    }
    let groups: Vec<&str> = entered
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(" ")
}

/// Text broken at blanks to lines of at most `width` characters.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
