//! Sentences for people, by name: `texts/*.toml` and the causes of `sts-harness`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use sts_harness::cause::Cause;

/// Sentences by their names, such as `happened.taken` and `cause.krn.ahead.customer`.
pub(crate) type Texts = BTreeMap<String, String>;

/// The names that begin so are the terminal's own, and in English alone.
const TERMINAL: &str = "terminal.";

/// All that is said in English.
pub(crate) fn english() -> &'static Texts {
    static ENGLISH: OnceLock<Texts> = OnceLock::new();
    ENGLISH.get_or_init(|| {
        let mut texts = parse(include_str!("../texts/en.toml"));
        for cause in Cause::ALL {
            let parts = [
                ("title", cause.title()),
                ("why", cause.why()),
                ("next", cause.next_step()),
                ("customer", cause.customer()),
            ];
            for (part, text) in parts {
                texts.insert(format!("cause.{}.{part}", cause.name()), text.to_owned());
            }
        }
        texts
    })
}

/// The sentences of a file, tables joined by points. The files are built in, and tested.
pub(crate) fn parse(file: &str) -> Texts {
    fn flatten(prefix: &str, table: toml::Table, texts: &mut Texts) {
        for (name, value) in table {
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value {
                toml::Value::String(text) => drop(texts.insert(name, text)),
                toml::Value::Table(table) => flatten(&name, table, texts),
                _ => {}
            }
        }
    }
    let mut texts = Texts::new();
    flatten("", file.parse().unwrap_or_default(), &mut texts);
    texts
}

/// A sentence and what is filled in, in whatever language it is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// Its name; empty for words that are in no file of texts, such as a piece of evidence.
    id: String,
    args: Vec<(&'static str, String)>,
}

impl Said {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), args: Vec::new() }
    }

    /// One part of what is said about a cause: `title`, `why`, `next`, `customer`.
    pub(crate) fn of_cause(cause: Cause, part: &str) -> Self {
        Self::new(format!("cause.{}.{part}", cause.name()))
    }

    /// Words as they are.
    pub(crate) fn plainly(text: impl Into<String>) -> Self {
        Self::new("").with("text", text.into())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// In English.
    pub(crate) fn text(&self) -> String {
        self.filled(english().get(&self.id))
    }

    /// In English, for someone at a command line.
    pub(crate) fn on_terminal(&self) -> String {
        let own = english().get(&format!("{TERMINAL}{}", self.id));
        self.filled(own.or_else(|| english().get(&self.id)))
    }

    /// In one pass, so that a brace in what is filled in stays one.
    fn filled(&self, template: Option<&String>) -> String {
        let mut rest = template.map_or("{text}", String::as_str);
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            text += before;
            let Some((name, after)) = after.split_once('}') else { break };
            let value = self.args.iter().find(|(own, _)| *own == name);
            text += value.map_or("", |(_, value)| value);
            rest = after;
        }
        text + rest
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Args<'a>(&'a [(&'static str, String)]);
        impl Serialize for Args<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (name, value) in self.0 {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
        let mut said = serializer.serialize_struct("Said", 3)?;
        said.serialize_field("id", &self.id)?;
        said.serialize_field("args", &Args(&self.args))?;
        said.serialize_field("text", &self.text())?;
        said.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const OTHERS: [(&str, &str); 2] =
        [("af", include_str!("../texts/af.toml")), ("st", include_str!("../texts/st.toml"))];

    fn braces(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
    }

    /// English without what the terminal alone says.
    fn spoken() -> impl Iterator<Item = (&'static String, &'static String)> {
        english().iter().filter(|(name, _)| !name.starts_with(TERMINAL))
    }

    #[test]
    fn all_languages_say_the_same_things() {
        for (language, file) in OTHERS {
            let _: toml::Table = file.parse().unwrap_or_else(|error| panic!("{language}: {error}"));
            let texts = parse(file);
            let names: BTreeSet<&String> = spoken().map(|(name, _)| name).collect();
            let own: BTreeSet<&String> = texts.keys().collect();
            let missing: Vec<_> = names.symmetric_difference(&own).collect();
            assert!(missing.is_empty(), "{language}: {missing:?}");
            for (name, text) in spoken() {
                assert_eq!(braces(&texts[name]), braces(text), "{language} {name}");
                assert!(name == "review" || !texts[name].is_empty(), "{language} {name}");
            }
            assert_ne!(file.contains("Awaits a native reviewer"), texts["review"].is_empty());
        }
    }

    #[test]
    fn the_terminal_says_no_more_than_the_page() {
        for (name, text) in english() {
            if let Some(of) = name.strip_prefix(TERMINAL) {
                assert!(braces(text).is_subset(&braces(&english()[of])), "{name}");
            }
        }
    }

    #[test]
    fn every_sentence_that_is_said_has_a_text() {
        let source = include_str!("ask/explanation.rs");
        let names = source.split('"').skip(1).step_by(2);
        let tables =
            ["happened.", "seen.", "why.", "sure.", "point.", "customer.", "todo.", "readings."];
        let mut count = 0;
        for name in names.filter(|name| tables.iter().any(|table| name.starts_with(table))) {
            assert!(english().contains_key(name), "{name}");
            count += 1;
        }
        assert!(count > 50, "{count}");
        for result in sts_core::TokenResult::ALL {
            let name = format!("refused.{}", result.name());
            assert!(result.is_taken() || english().contains_key(&name), "{name}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let said = Said::new("point.says").with("what", "{what} {");
        assert_eq!(said.text(), "the token says: {what} {");
        assert_eq!(Said::plainly("a {b}").text(), "a {b}");
    }
}
