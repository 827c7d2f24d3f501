//! Rows that come as fields, from columns in memory rather than from a table's text.

use std::borrow::Cow;

use sts_core::Token;

use super::bulk::{Bulk, Planes, Said, Sole, Way, algorithm, drn, pan};
use super::digits::twenty;
use super::{Opener, Verdict};
use crate::records::{VerifyRow, meter_pan};

/// A token and what is known of its key, each as text; empty where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever has the columns")]
pub struct Fields<'a> {
    /// The token.
    pub token: &'a str,
    /// The meter: 18 digits, or a DRN.
    pub meter: &'a str,
    /// Encryption algorithm.
    pub ea: &'a str,
    /// Supply group code.
    pub sgc: &'a str,
    /// Key revision number.
    pub krn: &'a str,
    /// Tariff index.
    pub ti: &'a str,
    /// Key type.
    pub kt: &'a str,
}

/// Rows that are opened together.
const AT_ONCE: usize = 4096;

/// What is to be said of a row.
enum Item<'s> {
    InPlanes(&'s Sole<'s>, Token),
    Single(&'s Sole<'s>, Token, super::Derivation),
    Other,
}

impl Fields<'_> {
    /// All that the key depends on, where the row says it in the form that programs write.
    fn said(&self) -> Option<Said> {
        let pan_block = match self.meter.len() {
            18 => pan(bytes(self.meter)?)?,
            _ => drn(bytes(self.meter)?)?,
        };
        let [a, b, c, d, e, f] = *bytes(self.sgc)?;
        let ([krn], [kt]) = (*bytes(self.krn)?, *bytes(self.kt)?);
        Some(Said {
            pan_block,
            ea: algorithm(*bytes(self.ea)?)?,
            sole: u64::from_le_bytes([a, b, c, d, e, f, krn, kt]),
            ti: *bytes(self.ti)?,
            token: Token::from_bits(twenty(bytes(self.token)?)?)?,
        })
    }

    /// As a row of a table, or what is wrong with it.
    fn row(&self) -> Result<VerifyRow, String> {
        let get = |name: &str| {
            let text = match name {
                "token" => self.token,
                "ea" => self.ea,
                "sgc" => self.sgc,
                "krn" => self.krn,
                "ti" => self.ti,
                "kt" => self.kt,
                _ => "",
            };
            Some(text.trim()).filter(|text| !text.is_empty())
        };
        let told = |(field, problem)| format!("{field}: {problem}");
        let mut row = VerifyRow::of(String::new(), get).map_err(told)?;
        let meter = self.meter.trim();
        if !meter.is_empty() {
            row.pan = Some(meter_pan(meter).map_err(|problem| format!("meter: {problem}"))?);
        }
        Ok(row)
    }
}

fn bytes<const N: usize>(text: &str) -> Option<&[u8; N]> {
    text.as_bytes().try_into().ok()
}

impl Bulk<'_> {
    /// Verifies rows, and tells each verdict in order; or what is wrong with the row.
    ///
    /// The answers are those of [`verify`](super::verify()) for rows without a name.
    pub fn fields<'a>(
        &self,
        rows: impl IntoIterator<Item = Fields<'a>>,
        mut each: impl FnMut(Result<&Verdict<'_>, String>),
    ) {
        let mut opener = Opener::new(self.ring);
        let (mut planes, mut items) = (Planes::default(), Vec::with_capacity(AT_ONCE));
        let mut rows = rows.into_iter();
        loop {
            planes.clear();
            for row in rows.by_ref().take(AT_ONCE) {
                let sorted = row.said().and_then(|said| {
                    let (sole, way) =
                        self.sort(&said, || meter_pan(row.meter).ok(), &mut planes)?;
                    Some(match way {
                        Way::InPlanes => Item::InPlanes(sole, said.token),
                        Way::Single(derivation) => Item::Single(sole, said.token, derivation),
                    })
                });
                items.push((row, sorted.unwrap_or(Item::Other)));
            }
            if items.is_empty() {
                return;
            }
            planes.open(self.batch);
            let mut place = 0;
            for (row, item) in items.drain(..) {
                let (sole, token, payload, trials) = match item {
                    Item::InPlanes(sole, token) => {
                        place += 1;
                        (sole, token, planes.payload(place - 1, token), 1)
                    }
                    Item::Single(sole, token, derivation) => {
                        let (payload, trials) = opener.single(token, derivation);
                        (sole, token, payload, trials)
                    }
                    Item::Other => {
                        match row.row() {
                            Ok(row) => each(Ok(&opener.open(&row))),
                            Err(problem) => each(Err(problem)),
                        }
                        continue;
                    }
                };
                each(Ok(&sole.verdict(Cow::Borrowed(""), row.token, token, payload, trials)));
            }
        }
    }
}
