//! Writing the answer: text for people, JSON for programs; the rest to standard error.

use std::io::{BufWriter, IsTerminal, Write};

use anstream::adapter::strip_str;
use owo_colors::OwoColorize;
use serde::Serialize;
use sts_harness::input::{Excerpt, InputError, Rejected};

use crate::args::{Color, Format};
use crate::exit::Failure;

/// Where answers go.
pub(crate) struct Out {
    format: Format,
    stdout: BufWriter<std::io::Stdout>,
    colored: bool,
    stderr_colored: bool,
    /// Objects written so far, for the array's brackets and commas.
    objects: usize,
}

impl Out {
    pub(crate) fn new(format: Format, color: Color) -> Self {
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self {
            format,
            stdout: BufWriter::new(std::io::stdout()),
            colored: wanted(std::io::stdout().is_terminal()),
            stderr_colored: wanted(std::io::stderr().is_terminal()),
            objects: 0,
        }
    }

    /// Whether people read the answer.
    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// How the answer is written.
    #[cfg(feature = "sql")]
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether the answer is one object a line.
    pub(crate) fn is_ndjson(&self) -> bool {
        self.format == Format::Ndjson
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        let text = text.to_string();
        if self.colored {
            writeln!(self.stdout, "{text}")?;
        } else {
            writeln!(self.stdout, "{}", strip_str(&text))?;
        }
        Ok(())
    }

    /// A text that has one form alone.
    pub(crate) fn raw(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.format = Format::Text;
        Ok(self.stdout.write_all(text)?)
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

    /// What was written so far goes out now, since the run goes on.
    #[cfg(feature = "serve")]
    pub(crate) fn pass_on(&mut self) -> Result<(), Failure> {
        Ok(self.stdout.flush()?)
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
        self.tell(&format!("{} {text}", "warning:".yellow().bold()));
    }

    /// What ended the run: the message, the line that it is about, and what to try.
    pub(crate) fn failure(&mut self, error: &InputError, text: &str) {
        self.error(text);
        if let Some(excerpt) = &error.excerpt {
            self.underlined(error.place.line, excerpt);
        }
        if let Some(hint) = &error.hint {
            self.tell(&format!("{} {hint}", "try:".green().bold()));
        }
    }

    /// A row that was not taken, and the field that it is about.
    pub(crate) fn rejected(&mut self, row: &Rejected, header: &[String]) {
        self.error(&row.to_string());
        let column = header.iter().position(|name| Some(name) == row.place.field.as_ref());
        if let Some(excerpt) = column.and_then(|column| Excerpt::of_field(&row.row, column)) {
            self.underlined(row.place.line, &excerpt);
        }
    }

    /// A line, and below it what is meant. For people: programs find the place in the message.
    fn underlined(&mut self, line: Option<u64>, excerpt: &Excerpt) {
        if !self.is_text() {
            return;
        }
        let number = line.map(|line| line.to_string()).unwrap_or_default();
        let gap = " ".repeat(number.len());
        let before = " ".repeat(excerpt.start);
        let marks = "^".repeat(excerpt.width);
        self.tell(&format!("  {} {}", format!("{number} |").dimmed(), excerpt.line));
        self.tell(&format!("  {} {before}{}", format!("{gap} |").dimmed(), marks.red().bold()));
    }

    /// What ended the run, or a row that was not taken.
    pub(crate) fn error(&mut self, text: &str) {
        self.tell(&format!("{} {text}", "error:".red().bold()));
    }

    /// To standard error; if that is gone too, nobody is left to tell.
    fn tell(&self, text: &str) {
        let mut stderr = std::io::stderr();
        let _ = if self.stderr_colored {
            writeln!(stderr, "{text}")
        } else {
            writeln!(stderr, "{}", strip_str(text))
        };
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
