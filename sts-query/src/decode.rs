//! What tokens say, as columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, StringBuilder, StructArray, TimestampSecondBuilder, UInt8Builder,
    UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use sts_core::{CurrencyAmount, Payload};
use sts_harness::describe;
use sts_harness::verify::Verdict;

use crate::numbers::UTC;

/// Digits of an amount of currency, of which `CurrencyAmount::DECIMALS` are behind the point.
const CURRENCY_DIGITS: u8 = 20;
/// Digits of a quantity, of which one is behind the point.
const QUANTITY_DIGITS: u8 = 10;

/// The fields of a decoded token: null where the token does not say them.
#[must_use]
pub fn decoded_fields() -> Fields {
    let field = |name, data_type| Field::new(name, data_type, true);
    Fields::from(vec![
        field("result", DataType::Utf8),
        field("error", DataType::Utf8),
        field("token_class", DataType::UInt8),
        field("subclass", DataType::UInt8),
        field("name", DataType::Utf8),
        field("rnd", DataType::UInt8),
        field("tid", DataType::UInt32),
        field("tid_time", DataType::Timestamp(TimeUnit::Second, Some(UTC.into()))),
        field("units_raw", DataType::UInt32),
        field("quantity", DataType::Decimal128(QUANTITY_DIGITS, 1)),
        field("unit", DataType::Utf8),
        field("amount", DataType::Decimal128(CURRENCY_DIGITS, currency_decimals())),
        field("fields", DataType::Utf8),
        field("key_id", DataType::Utf8),
        field("trials", DataType::UInt32),
    ])
}

fn currency_decimals() -> i8 {
    i8::try_from(CurrencyAmount::DECIMALS).unwrap_or_default()
}

pub(crate) struct Decoded {
    result: StringBuilder,
    error: StringBuilder,
    token_class: UInt8Builder,
    subclass: UInt8Builder,
    name: StringBuilder,
    rnd: UInt8Builder,
    tid: UInt32Builder,
    tid_time: TimestampSecondBuilder,
    units_raw: UInt32Builder,
    quantity: Decimal128Builder,
    unit: StringBuilder,
    amount: Decimal128Builder,
    fields: StringBuilder,
    key_id: StringBuilder,
    trials: UInt32Builder,
}

impl Decoded {
    pub(crate) fn new(rows: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, rows * 8);
        let decimal = |digits, decimals| {
            Decimal128Builder::with_capacity(rows)
                .with_data_type(DataType::Decimal128(digits, decimals))
        };
        Self {
            result: text(),
            error: StringBuilder::new(),
            token_class: UInt8Builder::with_capacity(rows),
            subclass: UInt8Builder::with_capacity(rows),
            name: text(),
            rnd: UInt8Builder::with_capacity(rows),
            tid: UInt32Builder::with_capacity(rows),
            tid_time: TimestampSecondBuilder::with_capacity(rows).with_timezone(UTC),
            units_raw: UInt32Builder::with_capacity(rows),
            quantity: decimal(QUANTITY_DIGITS, 1),
            unit: text(),
            amount: decimal(CURRENCY_DIGITS, currency_decimals()),
            fields: StringBuilder::new(),
            key_id: text(),
            trials: UInt32Builder::with_capacity(rows),
        }
    }

    /// One more; `None` for a row without a token, of which nothing is said.
    pub(crate) fn push(&mut self, row: Option<Result<&Verdict<'_>, String>>) {
        let result = row.as_ref().map(crate::functions::result);
        let (verdict, problem) = match row {
            Some(Ok(verdict)) => (Some(verdict), verdict.problem()),
            Some(Err(problem)) => (None, Some(problem)),
            None => (None, None),
        };
        let payload = verdict.and_then(Verdict::payload);
        let tid = payload.and_then(|payload| payload.tid());
        let reading = verdict.and_then(Verdict::reading);
        let made = tid.zip(reading).and_then(|(tid, reading)| reading.unix_minutes(tid));
        self.result.append_option(result);
        self.error.append_option(problem);
        let class = verdict.and_then(Verdict::class);
        self.token_class.append_option(class.map(|class| class.bits()));
        self.subclass.append_option(payload.map(|payload| payload.kind().1));
        self.name.append_option(payload.map(Payload::name));
        self.rnd.append_option(match payload {
            Some(Payload::Credit { rnd, .. } | Payload::Set { rnd, .. }) => Some(*rnd),
            _ => None,
        });
        self.tid.append_option(tid.map(|tid| tid.get()));
        self.tid_time.append_option(made.map(|minutes| minutes * 60));
        let (units, unit, amount) = match payload {
            Some(Payload::Credit { commodity, amount, .. }) => {
                (Some(amount.units()), Some(commodity.unit()), None)
            }
            Some(Payload::CurrencyCredit { amount, .. }) => (None, None, Some(amount.units())),
            _ => (None, None, None),
        };
        self.units_raw.append_option(units);
        self.quantity.append_option(units.map(i128::from));
        self.unit.append_option(unit);
        self.amount.append_option(amount);
        // What is no credit has fields that are few tokens' own.
        self.fields.append_option(payload.zip(reading).filter(|_| units.is_none()).map(
            |(payload, reading)| {
                serde_json::Value::Object(describe::fields(payload, reading)).to_string()
            },
        ));
        self.key_id.append_option(verdict.and_then(Verdict::key_id));
        self.trials.append_option(verdict.map(Verdict::trials));
    }

    pub(crate) fn finish(mut self) -> StructArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.result.finish()),
            Arc::new(self.error.finish()),
            Arc::new(self.token_class.finish()),
            Arc::new(self.subclass.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.rnd.finish()),
            Arc::new(self.tid.finish()),
            Arc::new(self.tid_time.finish()),
            Arc::new(self.units_raw.finish()),
            Arc::new(self.quantity.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.fields.finish()),
            Arc::new(self.key_id.finish()),
            Arc::new(self.trials.finish()),
        ];
        StructArray::new(decoded_fields(), columns, None)
    }
}
