//! The query that replays entries against meters.

use std::fmt::Write;
use std::num::NonZeroU32;

use arrow::datatypes::Schema;
use datafusion::common::{Result, plan_err};
use datafusion::prelude::SessionContext;
use sts_harness::records::{EntryRow, MeterRow};

use super::holders::Label;
use crate::replay::verdict_fields;

/// A part of the meters: the one of so many that a meter's number leaves as its rest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Slice {
    /// From zero.
    pub number: u32,
    /// Of how many; never zero.
    pub of: NonZeroU32,
}

impl Slice {
    /// All meters.
    pub const WHOLE: Self = Self { number: 0, of: NonZeroU32::MIN };

    /// All slices, where meters are cut into so many.
    pub fn all(of: NonZeroU32) -> impl Iterator<Item = Self> + Clone {
        (0..of.get()).map(move |number| Self { number, of })
    }

    /// The condition that the meter in a column is of this slice; entries without a readable one
    /// are of the first.
    fn holds(self, column: &str) -> String {
        match self.of.get() {
            1 => "true".to_owned(),
            of => format!("coalesce(CAST({column} AS BIGINT), 0) % {of} = {}", self.number),
        }
    }
}

/// The query that replays one table against another, meter by meter in time order: the verdicts of
/// `sts replay --alone` on the meters of a slice, a row each. Entries of the same time are in the
/// order of the column `line`, where the table has one, and of `id` elsewhere.
///
/// # Errors
///
/// [`DataFusionError`](datafusion::common::DataFusionError) where a table is not there, or has no
/// column that names the meter.
pub async fn replay_query(
    context: &SessionContext,
    meters: &str,
    entries: &str,
    keys: Option<&Label>,
    slice: Slice,
) -> Result<String> {
    let (meter_table, entry_table) = (context.table(meters).await?, context.table(entries).await?);
    let (meter_schema, entry_schema) =
        (meter_table.schema().as_arrow(), entry_table.schema().as_arrow());
    let meter_key = key("meters", meter_schema)?;
    let entry_key = key("entries", entry_schema)?;
    let columns = |schema: &Schema, side: &str, known: fn(&str) -> bool| {
        let known = schema.fields().iter().map(|field| field.name()).filter(|name| known(name));
        let column = |name: &String| format!("'{name}', {side}.\"{name}\"");
        known.map(column).collect::<Vec<_>>().join(", ")
    };
    let meter = columns(meter_schema, "m", MeterRow::is_column);
    let entry = columns(entry_schema, "e", EntryRow::is_column);
    let at = match entry_schema.field_with_name("entered_at") {
        Ok(field) if field.data_type().is_string() => "sts_time(entered_at)",
        Ok(_) => "entered_at",
        Err(_) => return plan_err!("table {entries} has no column entered_at"),
    };
    let tie = if entry_schema.column_with_name("line").is_some() { "line" } else { "id" };
    let keys = keys.map(|label| format!(", '{label}'")).unwrap_or_default();
    let (entry_in, meter_in) = (slice.holds(entry_key), slice.holds(meter_key));
    let mut verdict = String::new();
    for field in &verdict_fields() {
        let comma = if verdict.is_empty() { "" } else { ", " };
        let _ = write!(verdict, "{comma}v['{0}'] AS \"{0}\"", field.name());
    }
    Ok(format!(
        "SELECT {verdict} FROM (\
         SELECT sts_replay(CASE WHEN m.at_meter IS NOT NULL THEN named_struct({meter}) END, \
         named_struct({entry}){keys}) \
         OVER (PARTITION BY e.of_meter ORDER BY e.at_time, e.\"{tie}\") AS v \
         FROM (SELECT *, {entry_key} AS of_meter, {at} AS at_time FROM {entries} \
         WHERE {entry_in}) e \
         LEFT JOIN (SELECT *, {meter_key} AS at_meter FROM {meters} WHERE {meter_in}) m ON e.of_meter = m.at_meter)"
    ))
}

/// What names the meter of a row.
fn key(what: &str, schema: &Schema) -> Result<&'static str> {
    let has = |name| schema.column_with_name(name).is_some();
    match (has("pan"), has("drn")) {
        (true, true) => Ok("coalesce(sts_meter(pan), sts_meter(drn))"),
        (true, false) => Ok("sts_meter(pan)"),
        (false, true) => Ok("sts_meter(drn)"),
        (false, false) => plan_err!("the table of {what} has no column pan or drn"),
    }
}
