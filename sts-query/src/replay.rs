//! Entries against meters, as columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Builder, Int32Builder, Int64Builder, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field, Fields};
use sts_harness::fleet::{Fleet, TrackedMeter};
use sts_harness::records::{EntryRow, MeterRow};
use sts_harness::replay::{Replay, Verdict};

use crate::columns::{ColumnError, Table};
use crate::functions::Functions;

/// The fields of a verdict: those of the files that `sts replay` writes.
#[must_use]
pub fn verdict_fields() -> Fields {
    let field = |name, data_type, nullable| Field::new(name, data_type, nullable);
    Fields::from(vec![
        field("schema", DataType::Int32, false),
        field("id", DataType::Utf8, true),
        field("result", DataType::Utf8, true),
        field("result_code", DataType::Int32, true),
        field("display", DataType::Utf8, true),
        field("display_basis", DataType::Utf8, true),
        field("reproduced", DataType::Utf8, true),
        field("cause", DataType::Utf8, true),
        field("confidence", DataType::Float64, true),
        field("causes", DataType::Utf8, true),
        field("trials", DataType::Int64, false),
        field("expected_chance_matches", DataType::Float64, false),
        field("evidence", DataType::Utf8, true),
        field("action", DataType::Utf8, true),
        field("advice", DataType::Utf8, true),
        field("reason", DataType::Utf8, true),
        field("event", DataType::Utf8, true),
        field("error", DataType::Utf8, true),
    ])
}

impl Functions {
    /// Replays the entries of meters, each meter as if it were the only one: the answers are those
    /// of `sts replay --alone`. Row by row, `meters` says the state a meter starts from, with the
    /// columns of `meters.csv`, and `entries` what happened at it, with those of `entries.csv`. The
    /// first row of a meter counts for its state. The entries of a meter must be in time order; how
    /// meters take turns does not matter. A row that cannot be read has its `error`.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] for a column that cannot be used.
    pub fn replay(
        &self,
        meters: &StructArray,
        entries: &StructArray,
    ) -> Result<StructArray, ColumnError> {
        let rows = Rows::of(self, meters, entries)?;
        let mut known = Fleet::new();
        let read: Vec<_> = (0..entries.len())
            .map(|row| {
                let entry = rows.entry(row)?;
                if known.find(&entry.pan).is_none()
                    && let Some(meter) = rows.meter(row, &entry)?
                {
                    known.add(meter);
                }
                Ok(entry)
            })
            .collect();
        let mut replay = Replay::of_meters(&self.case, known, self.settings.clone());
        let mut verdicts = Verdicts::new(entries.len());
        for (row, entry) in read.into_iter().enumerate() {
            verdicts.push(&match entry {
                Ok(entry) => replay.step(&entry).verdict,
                Err(problem) => rows.unread(row, problem),
            });
        }
        Ok(verdicts.finish())
    }

    /// Why each entry was refused, judged by itself: as [`replay`](Self::replay), every row at a
    /// meter of its own, in the state that its row says.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] for a column that cannot be used.
    pub fn diagnose(
        &self,
        meters: &StructArray,
        entries: &StructArray,
    ) -> Result<StructArray, ColumnError> {
        let rows = Rows::of(self, meters, entries)?;
        let judged = |row| {
            let entry = rows.entry(row)?;
            let mut known = Fleet::new();
            if let Some(meter) = rows.meter(row, &entry)? {
                known.add(meter);
            }
            let mut replay = Replay::of_meters(&self.case, known, self.settings.clone());
            Ok(replay.step(&entry).verdict)
        };
        let mut verdicts = Verdicts::new(entries.len());
        for row in 0..entries.len() {
            verdicts.push(&judged(row).unwrap_or_else(|problem| rows.unread(row, problem)));
        }
        Ok(verdicts.finish())
    }
}

/// Entries, and the meters they are at, row by row.
struct Rows<'a> {
    functions: &'a Functions,
    meters: Table<'a>,
    entries: Table<'a>,
}

impl<'a> Rows<'a> {
    fn of(
        functions: &'a Functions,
        meters: &'a StructArray,
        entries: &'a StructArray,
    ) -> Result<Self, ColumnError> {
        let meters = Table::of(meters, MeterRow::is_column)?;
        let entries = Table::of(entries, EntryRow::is_column)?;
        Ok(Self { functions, meters, entries })
    }

    fn entry(&self, row: usize) -> Result<EntryRow, String> {
        EntryRow::of(|name| self.entries.get(name, row))
    }

    /// The meter of an entry; `None` where the row has none.
    fn meter(&self, row: usize, entry: &EntryRow) -> Result<Option<TrackedMeter>, String> {
        if !self.meters.is_there(row) {
            return Ok(None);
        }
        let meter = MeterRow::of(|name| self.meters.get(name, row))
            .and_then(|meter| self.functions.case.meter(meter))
            .map_err(|problem| format!("meter: {problem}"))?;
        if meter.row.pan == entry.pan {
            Ok(Some(meter))
        } else {
            Err("meter: is another than that of the entry, expected the same".to_owned())
        }
    }

    /// The verdict on a row that cannot be read.
    fn unread(&self, row: usize, problem: String) -> Verdict {
        Verdict::unread(self.entries.get("id", row).unwrap_or_default(), problem)
    }
}

/// Verdicts becoming columns.
struct Verdicts {
    schema: Int32Builder,
    result_code: Int32Builder,
    confidence: Float64Builder,
    trials: Int64Builder,
    expected_chance_matches: Float64Builder,
    id: StringBuilder,
    result: StringBuilder,
    display: StringBuilder,
    display_basis: StringBuilder,
    reproduced: StringBuilder,
    cause: StringBuilder,
    causes: StringBuilder,
    evidence: StringBuilder,
    action: StringBuilder,
    advice: StringBuilder,
    reason: StringBuilder,
    event: StringBuilder,
    error: StringBuilder,
}

impl Verdicts {
    fn new(rows: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, 8 * rows);
        Self {
            schema: Int32Builder::with_capacity(rows),
            result_code: Int32Builder::with_capacity(rows),
            confidence: Float64Builder::with_capacity(rows),
            trials: Int64Builder::with_capacity(rows),
            expected_chance_matches: Float64Builder::with_capacity(rows),
            id: text(),
            result: text(),
            display: text(),
            display_basis: text(),
            reproduced: text(),
            cause: StringBuilder::new(),
            causes: StringBuilder::new(),
            evidence: StringBuilder::new(),
            action: StringBuilder::new(),
            advice: StringBuilder::new(),
            reason: StringBuilder::new(),
            event: StringBuilder::new(),
            error: StringBuilder::new(),
        }
    }

    fn push(&mut self, verdict: &Verdict) {
        self.schema.append_value(verdict.schema.into());
        self.id.append_value(&verdict.id);
        self.result.append_option(verdict.result);
        self.result_code.append_option(verdict.result_code.map(i32::from));
        self.display.append_option(verdict.display.as_deref());
        self.display_basis.append_option(verdict.display_basis);
        self.reproduced.append_option(verdict.reproduced.text());
        self.cause.append_option(verdict.cause);
        self.confidence.append_option(verdict.confidence);
        self.causes.append_option(verdict.causes_text());
        self.trials.append_value(verdict.trials.into());
        self.expected_chance_matches.append_value(verdict.expected_chance_matches);
        self.evidence.append_option(verdict.evidence_text());
        self.action.append_option(verdict.action);
        self.advice.append_option(verdict.advice);
        self.reason.append_option(verdict.reason.as_deref());
        self.event.append_option(verdict.event.as_deref());
        self.error.append_option(verdict.error.as_deref());
    }

    fn finish(mut self) -> StructArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.schema.finish()),
            Arc::new(self.id.finish()),
            Arc::new(self.result.finish()),
            Arc::new(self.result_code.finish()),
            Arc::new(self.display.finish()),
            Arc::new(self.display_basis.finish()),
            Arc::new(self.reproduced.finish()),
            Arc::new(self.cause.finish()),
            Arc::new(self.confidence.finish()),
            Arc::new(self.causes.finish()),
            Arc::new(self.trials.finish()),
            Arc::new(self.expected_chance_matches.finish()),
            Arc::new(self.evidence.finish()),
            Arc::new(self.action.finish()),
            Arc::new(self.advice.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.event.finish()),
            Arc::new(self.error.finish()),
        ];
        StructArray::new(verdict_fields(), columns, None)
    }
}
