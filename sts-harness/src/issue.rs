//! Making tokens with test keys: for tests, training and acceptance runs.
//!
//! It makes what it is asked for, also what a meter would refuse, with a warning. Whoever holds a
//! vending key can make tokens with or without this tool; that it takes test keys alone prevents
//! accidents, not fraud.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use sts_core::class::key_change;
use sts_core::key::{EncryptionAlgorithm, KeyAttributes, KeyType};
use sts_core::{
    Amount, BaseDate, Commodity, CurrencyAmount, DecoderKey, MeterPan, MeterTest, Payload, Setting,
    Token, TokenId,
};

use crate::keys::{KeyRing, VendingEntry};
use crate::records::IssueRow;

/// What came of a row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The published object.
    pub object: Map<String, Value>,
    /// What a meter would refuse, in words.
    pub warnings: Vec<String>,
}

/// Why a row gave no token.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotIssued {
    /// A field is missing, out of range, or does not go with the kind.
    #[error("{0}")]
    Row(String),
    /// No test key, or more than one, fits.
    #[error("{0}")]
    Key(String),
}

fn row_error(problem: impl Into<String>) -> NotIssued {
    NotIssued::Row(problem.into())
}

/// Issues row after row, moving on from the minutes that a meter's tokens have taken.
#[derive(Debug)]
pub struct Issuer<'r> {
    ring: &'r KeyRing,
    /// The TIDs given so far to each meter, by algorithm and base date.
    given: HashSet<(MeterPan, EncryptionAlgorithm, BaseDate, TokenId)>,
}

/// The random bits of a token when the row gives none: those of the conformance tokens.
const RND: u8 = 5;

impl<'r> Issuer<'r> {
    /// An issuer with the keys of a ring.
    #[must_use]
    pub fn new(ring: &'r KeyRing) -> Self {
        Self { ring, given: HashSet::new() }
    }

    /// Makes the tokens that a row asks for.
    ///
    /// # Errors
    ///
    /// [`NotIssued`].
    pub fn issue(&mut self, row: &IssueRow) -> Result<Issued, NotIssued> {
        let mut warnings = Vec::new();
        let tokens = match row.kind.as_str() {
            "test" => vec![test_token(row)?],
            "extended_read" => vec![extended_read(row)?],
            "key_change" => self.key_change(row, &mut warnings)?,
            _ => vec![self.with_tid(row, &mut warnings)?],
        };
        let mut object = Map::new();
        object.insert("schema".into(), json!(1));
        object.insert("id".into(), json!(row.id));
        object.insert("test".into(), json!(true));
        let tokens: Vec<String> = tokens.iter().map(Token::to_string).collect();
        object.insert("tokens".into(), json!(tokens));
        if !warnings.is_empty() {
            object.insert("warnings".into(), json!(warnings));
        }
        Ok(Issued { object, warnings })
    }

    fn entry(&self, attributes: &KeyAttributes, what: &str) -> Result<&'r VendingEntry, NotIssued> {
        let fitting: Vec<&VendingEntry> = self
            .ring
            .vending
            .iter()
            .filter(|entry| {
                entry.sgc == attributes.sgc
                    && entry.krn == attributes.krn
                    && entry.kt == attributes.kt
            })
            .collect();
        let place =
            format!("SGC {}, KRN {}, KT {}", attributes.sgc, attributes.krn, attributes.kt.code());
        match fitting.as_slice() {
            [entry] if entry.may_issue() => Ok(entry),
            [entry] => Err(NotIssued::Key(format!(
                "the {what} {} is for verifying only, expected a test key in clear",
                entry.id
            ))),
            [] => Err(NotIssued::Key(format!("no {what} for {place}"))),
            several => {
                let dates: Vec<String> =
                    several.iter().map(|entry| entry.base_date.year().to_string()).collect();
                Err(NotIssued::Row(format!(
                    "{place} fits keys of base dates {}, expected one",
                    dates.join(" and ")
                )))
            }
        }
    }

    /// The meter's present key: of what the row says of it.
    fn present(
        &self,
        row: &IssueRow,
    ) -> Result<(MeterPan, KeyAttributes, BaseDate, DecoderKey, Option<crate::time::Zone>), NotIssued>
    {
        let need =
            |name: &str| row_error(format!("{name} is empty, expected for kind {}", row.kind));
        let pan = row.pan.ok_or_else(|| need("pan"))?;
        let ea = row.ea.ok_or_else(|| need("ea"))?;
        let mut attributes = KeyAttributes {
            sgc: row.sgc.ok_or_else(|| need("sgc"))?,
            krn: row.krn.ok_or_else(|| need("krn"))?,
            ti: row.ti.ok_or_else(|| need("ti"))?,
            kt: row.kt.ok_or_else(|| need("kt"))?,
            ken: sts_core::KeyExpiryNumber::NEVER,
        };
        let entry = self.entry(&attributes, "vending key")?;
        attributes.ken = entry.ken;
        let key = entry
            .key
            .derive(&pan, ea, &attributes, entry.base_date)
            .map_err(|error| row_error(error.to_string()))?;
        Ok((pan, attributes, entry.base_date, key, entry.tid_zone.clone()))
    }

    fn with_tid(&mut self, row: &IssueRow, warnings: &mut Vec<String>) -> Result<Token, NotIssued> {
        let (pan, attributes, base_date, key, zone) = self.present(row)?;
        // The payload's own fields first: a row that asks for nothing sensible takes no minute.
        let make = payload_with_tid(row)?;
        let tid = self.tid(row, (pan, key.ea()), base_date, zone.as_ref(), warnings)?;
        let payload = make(tid);
        if crate::describe::credits(&payload) && attributes.kt == KeyType::Default {
            warnings.push("credit under a default key: a meter refuses it (DDTKError)".into());
        }
        if attributes.ken.is_past(tid) {
            warnings.push(format!(
                "TID {tid} is past the key's expiry number {}: a meter refuses it (KeyExpiredError)",
                attributes.ken
            ));
        }
        Ok(Token::seal(&payload, &key))
    }

    fn tid(
        &mut self,
        row: &IssueRow,
        (pan, ea): (MeterPan, EncryptionAlgorithm),
        base_date: BaseDate,
        zone: Option<&crate::time::Zone>,
        warnings: &mut Vec<String>,
    ) -> Result<TokenId, NotIssued> {
        if let Some(tid) = row.tid {
            return Ok(tid);
        }
        let issued_at = row
            .issued_at
            .ok_or_else(|| row_error("tid and issued_at are both empty, expected one of them"))?;
        let utc = crate::time::minutes(issued_at);
        let minutes = zone.map_or(utc, |zone| zone.to_local_minutes(utc));
        let tid = TokenId::at(minutes, base_date).ok_or_else(|| {
            row_error(format!("issued_at is before the base date {}", base_date.year()))
        })?;
        if minutes > base_date.last_unix_minute() {
            warnings.push(format!(
                "issued_at is after the last minute of base date {}: the TID has wrapped",
                base_date.year()
            ));
        }
        // Tokens of one minute take the free minutes after it.
        let mut tid = tid.skip_reserved_minute();
        while !self.given.insert((pan, ea, base_date, tid)) {
            tid = tid.following().skip_reserved_minute();
        }
        Ok(tid)
    }

    fn key_change(
        &self,
        row: &IssueRow,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Token>, NotIssued> {
        let (pan, from, base_date, key, _) = self.present(row)?;
        let mut to = KeyAttributes {
            sgc: row.to_sgc.unwrap_or(from.sgc),
            krn: row.to_krn.unwrap_or(from.krn),
            ti: row.to_ti.unwrap_or(from.ti),
            kt: row.to_kt.unwrap_or(from.kt),
            ken: from.ken,
        };
        let entry = self.entry(&to, "new vending key")?;
        to.ken = entry.ken;
        let new_pan = row.to_pan.unwrap_or(pan);
        let new = entry
            .key
            .derive(&new_pan, key.ea(), &to, entry.base_date)
            .map_err(|error| row_error(error.to_string()))?;
        let rollover = row.rollover.unwrap_or(false);
        let three = row.three_kct.unwrap_or(false);
        if rollover != (entry.base_date != base_date) {
            warnings.push(if rollover {
                "the rollover bit is set although the base date stays: the meter forgets its tokens"
                    .into()
            } else {
                "the base date changes without the rollover bit: new tokens will be old (OldError)"
                    .into()
            });
        }
        if !from.kt.may_change_to(to.kt) {
            warnings.push(format!(
                "a change from {} to {} is not allowed: a meter refuses it (KeyTypeError)",
                from.kt.name(),
                to.kt.name()
            ));
        }
        if to.sgc != from.sgc && !three && key.ea() != EncryptionAlgorithm::Misty1 {
            warnings.push(
                "two tokens carry no supply group code: the meter keeps showing the old one".into(),
            );
        }
        Ok(key_change(&new, &to, rollover, three)
            .map(|payload| Token::seal(&payload, &key))
            .collect())
    }
}

type MakePayload = Box<dyn Fn(TokenId) -> Payload>;

/// A payload that waits for its TID.
fn payload_with_tid(row: &IssueRow) -> Result<MakePayload, NotIssued> {
    let rnd = row.rnd.unwrap_or(RND);
    if rnd > 15 {
        return Err(row_error(format!("rnd {rnd} is not in 0 to 15")));
    }
    let need = |name: &str| row_error(format!("{name} is empty, expected for kind {}", row.kind));
    let power = || {
        let watts = row.watts.ok_or_else(|| need("watts"))?;
        Amount::round_up(watts).map_err(|error| row_error(error.to_string()))
    };
    let set = |setting: Setting, value: u16| -> MakePayload {
        Box::new(move |tid| Payload::Set { setting, rnd, tid, value })
    };
    Ok(match row.kind.as_str() {
        "credit" => {
            let commodity = commodity(row.subclass.unwrap_or(0), 0)?;
            let units = row.units_raw.ok_or_else(|| need("units_raw"))?;
            let amount = Amount::round_up(units).map_err(|error| row_error(error.to_string()))?;
            Box::new(move |tid| Payload::Credit { commodity, rnd, tid, amount })
        }
        "currency" => {
            let commodity = commodity(row.subclass.unwrap_or(4), 4)?;
            let units = row.amount_units().ok_or_else(|| need("amount"))?;
            let amount =
                CurrencyAmount::round_up(units).map_err(|error| row_error(error.to_string()))?;
            Box::new(move |tid| Payload::CurrencyCredit { commodity, tid, amount })
        }
        "max_power" => set(Setting::MaximumPowerLimit, power()?.field()),
        "phase_unbalance" => set(Setting::PhaseUnbalanceLimit, power()?.field()),
        "clear_credit" => {
            let register = row.register_to_clear.ok_or_else(|| need("register_to_clear"))?;
            set(Setting::ClearCredit, register)
        }
        "clear_tamper" => set(Setting::ClearTamper, row.value.unwrap_or(0)),
        "tariff_rate" => set(Setting::TariffRate, row.value.ok_or_else(|| need("value"))?),
        "water_factor" => set(Setting::WaterFactor, row.value.ok_or_else(|| need("value"))?),
        "extended_write" => {
            let index = row.index.ok_or_else(|| need("index"))?;
            let value = row.value.ok_or_else(|| need("value"))?;
            if index > 63 || value > 1023 {
                return Err(row_error("expected an index of 0 to 63 and a value of 0 to 1023"));
            }
            set(Setting::ExtendedWrite, u16::from(index) << 10 | value)
        }
        other => {
            return Err(row_error(format!(
                "kind {other:?}, expected one of: credit, currency, test, max_power, clear_credit, \
                 clear_tamper, phase_unbalance, tariff_rate, water_factor, extended_read, \
                 extended_write, key_change"
            )));
        }
    })
}

fn commodity(subclass: u8, first: u8) -> Result<Commodity, NotIssued> {
    let place = usize::from(subclass.wrapping_sub(first));
    Commodity::ALL
        .get(place)
        .copied()
        .ok_or_else(|| row_error(format!("subclass {subclass} is not in {first} to {}", first + 3)))
}

fn test_token(row: &IssueRow) -> Result<Token, NotIssued> {
    let control =
        row.control.ok_or_else(|| row_error("control is empty, expected for kind test"))?;
    let subclass = row.subclass.unwrap_or(0);
    let test = MeterTest::new(subclass, control, row.mfr_code.unwrap_or(0))
        .map_err(|error| row_error(error.to_string()))?;
    if test.control != control {
        return Err(row_error(format!("control has more than {} bits", test.width())));
    }
    Token::seal_without_key(&Payload::MeterTest(test)).ok_or_else(|| row_error("no class 1 token"))
}

fn extended_read(row: &IssueRow) -> Result<Token, NotIssued> {
    let index = u64::from(row.index.unwrap_or(0));
    let control = row.control.unwrap_or(index << 30);
    let mfr_code = row.mfr_code.unwrap_or(0);
    let mfr_code = u8::try_from(mfr_code)
        .map_err(|_| row_error(format!("manufacturer code {mfr_code} is not in 0 to 255")))?;
    if control >= 1 << 36 || index > 63 {
        return Err(row_error("expected a control of 36 bits and an index of 0 to 63"));
    }
    Token::seal_without_key(&Payload::ExtendedRead { control, mfr_code })
        .ok_or_else(|| row_error("no class 1 token"))
}
