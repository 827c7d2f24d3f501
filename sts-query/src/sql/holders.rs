//! Whose keys a query asks, by label.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::functions::Functions;

/// A label, and the fingerprint that who holds it must have: `LABEL@FINGERPRINT`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Label {
    /// The label.
    pub name: String,
    /// That of [`Functions::fingerprint`].
    pub fingerprint: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once('@') {
            Some((name, fingerprint))
                if !name.is_empty()
                    && fingerprint.len() == 16
                    && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                let (name, fingerprint) = (name.to_owned(), fingerprint.to_ascii_lowercase());
                Ok(Self { name, fingerprint })
            }
            _ => {
                Err(format!("keys {text:?}, expected LABEL@FINGERPRINT with 16 hexadecimal digits"))
            }
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.fingerprint)
    }
}

/// What this process holds, for queries to ask.
#[derive(Clone, Debug)]
pub struct Holders(Arc<Held>);

#[derive(Debug)]
enum Held {
    /// One, which needs no label: the session is the user's own.
    One(Box<Functions>),
    /// Some by label, or none where queries are only planned.
    Labelled(BTreeMap<String, (String, Functions)>),
}

impl Holders {
    /// One that queries ask without a label.
    #[must_use]
    pub fn one(functions: Functions) -> Self {
        Self(Arc::new(Held::One(Box::new(functions))))
    }

    /// Some that queries ask by label and fingerprint.
    #[must_use]
    pub fn labelled(held: impl IntoIterator<Item = (String, Functions)>) -> Self {
        let with_fingerprint =
            |(label, functions): (String, Functions)| (label, (functions.fingerprint(), functions));
        Self(Arc::new(Held::Labelled(held.into_iter().map(with_fingerprint).collect())))
    }

    /// Nothing: queries are planned here, and answered elsewhere.
    #[must_use]
    pub fn elsewhere() -> Self {
        Self::labelled([])
    }

    /// What is held, for queries to name.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        let held = match &*self.0 {
            Held::One(_) => None,
            Held::Labelled(held) => Some(held),
        };
        held.into_iter().flatten().map(|(name, (fingerprint, _))| Label {
            name: name.clone(),
            fingerprint: fingerprint.clone(),
        })
    }

    /// Those that a query asks.
    pub(super) fn asked(&self, keys: Option<&str>) -> Result<&Functions, String> {
        let held = match (&*self.0, keys) {
            (Held::One(functions), None) => return Ok(functions),
            (Held::One(functions), Some(keys)) => {
                let asked = keys.parse::<Label>()?;
                return same(&asked, &functions.fingerprint(), functions);
            }
            (Held::Labelled(held), _) => held,
        };
        let Some(keys) = keys else {
            return Err("the query names no keys, expected LABEL@FINGERPRINT as the last \
                        argument"
                .to_owned());
        };
        let asked = keys.parse::<Label>()?;
        let Some((fingerprint, functions)) = held.get(&asked.name) else {
            let labels: Vec<String> = self.labels().map(|label| label.to_string()).collect();
            let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
            return Err(format!("no keys {:?} are held here, but {labels}", asked.name));
        };
        same(&asked, fingerprint, functions)
    }
}

fn same<'a>(
    asked: &Label,
    fingerprint: &str,
    functions: &'a Functions,
) -> Result<&'a Functions, String> {
    if asked.fingerprint == fingerprint {
        return Ok(functions);
    }
    Err(format!(
        "keys {:?} have the fingerprint {fingerprint} here, and {} in the query: refused, as they \
         would not say the same",
        asked.name, asked.fingerprint
    ))
}

impl PartialEq for Holders {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Holders {}

impl Hash for Holders {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}
