//! The Python module `sts`: STS (IEC 62055-41) prepayment tokens over Arrow data.
//!
//! Thin over `sts-query`: Arrow data comes in and goes out through the `PyCapsule` interface, and
//! Python goes on while Rust works. The doc comments of what has a Python name are its docstrings.

#![expect(clippy::doc_markdown, reason = "docstrings are in the form of Python")]

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int32Array, RecordBatch, RecordBatchReader, StructArray, new_empty_array,
};
use arrow::compute::{concat, concat_batches};
use arrow::datatypes::{Fields, Schema};
use arrow::error::ArrowError;
use pyo3::exceptions::{PyTypeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3_arrow::ffi::ArrayReader;
use pyo3_arrow::input::{AnyArray, AnyRecordBatch};
use pyo3_arrow::{PyChunkedArray, PyTable};
use sts_harness::diagnose::Model;
use sts_harness::input::InputError;
use sts_query::keys::SecretFiles;
use sts_query::{ColumnError, decoded_fields, numbers, tables, verdict_fields};

/// What the keys of a file say of tokens, and why meters refused them.
///
/// It holds keys, so it can be neither pickled nor copied: open it where it is used, from a file that
/// is there. It may be used from several threads at once.
///
/// Tables are taken from anything that exports Arrow data: tables, record batches and their readers of
/// PyArrow, data frames of Polars and of pandas. Columns have the names that they have in
/// the CSV files of the tool `sts`; other columns are passed over. Tokens, meters and supply group
/// codes must be text, since numbers lose their zeros: read CSV files with `dtype=str`. Times must
/// state their zone.
///
/// Args:
///     keys: the key file.
///     kek_file: the key-encryption key of a sealed key file: a file of 32 bytes.
///     passphrase_file: the passphrase of a sealed key file: the first line of this file.
///     profiles: files with further profiles of meters, each by the name that meters have it under.
///     model: a file with other beliefs about causes, in the form of `diagnosis.toml`.
///
/// Raises:
///     OSError: a file that cannot be opened.
///     ValueError: a file with something wrong in it, or keys that do not open; it never shows a key.
///
/// Warns:
///     UserWarning: what to know of the key file, as that others can read it.
#[pyclass(frozen, module = "sts")]
#[derive(Debug)]
struct Functions(sts_query::Functions);

#[pymethods]
impl Functions {
    #[new]
    #[pyo3(
        signature = (keys, *, kek_file=None, passphrase_file=None, profiles=Vec::new(), model=None),
        text_signature = "(keys, *, kek_file=None, passphrase_file=None, profiles=(), model=None)"
    )]
    fn open(
        py: Python<'_>,
        keys: PathBuf,
        kek_file: Option<PathBuf>,
        passphrase_file: Option<PathBuf>,
        profiles: Vec<PathBuf>,
        model: Option<PathBuf>,
    ) -> PyResult<Self> {
        let files = [Some(&keys), kek_file.as_ref(), passphrase_file.as_ref(), model.as_ref()];
        for file in files.into_iter().flatten().chain(&profiles) {
            // Files that cannot be opened raise what they always do.
            py.import("io")?.call_method1("open", (file, "rb"))?.call_method0("close")?;
        }
        let names: Vec<_> = profiles.iter().map(|path| path.to_string_lossy()).collect();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let files = SecretFiles { kek: kek_file, passphrase: passphrase_file };
        let (functions, warnings) = py.detach(|| {
            let model = model.as_deref().map(Model::load).transpose().map_err(in_file)?;
            let (ring, warnings) = files.open(&keys).map_err(in_file)?;
            sts_query::Functions::with(ring, &names, model.unwrap_or_default())
                .map(|functions| (functions, warnings))
                .map_err(PyValueError::new_err)
        })?;
        for warning in warnings {
            let text = format!("{}: {}", warning.place, warning.problem);
            let text = std::ffi::CString::new(text)?;
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
        }
        Ok(Self(functions))
    }

    /// 16 hexadecimal digits that two holders compare, to know that they say the same of every row:
    /// over the keys, the profiles, the model and the version.
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    /// Whether each token authenticates.
    ///
    /// Args:
    ///     rows: a table with the column `token`, and what is known of the key that made it: the meter
    ///         in `meter`, `pan` or `drn`, and `ea`, `sgc`, `krn`, `ti`, `kt`. Where a column or a
    ///         value is missing, every value that the keys allow is tried.
    ///
    /// Returns:
    ///     A `pyarrow.ChunkedArray` with a text for each row, in chunks as the rows: `Authentic`, `KeyMissing`, or the standard's
    ///     name of what is wrong (`CRCError`, …); `FieldError` where a field of the row cannot be
    ///     read, null where there is no token. `Authentic` says nothing of acceptance by a meter.
    ///
    /// Raises:
    ///     ValueError: a column that is missing or cannot be used, by its name.
    fn verify<'py>(&self, py: Python<'py>, rows: Rows) -> PyResult<Bound<'py, PyAny>> {
        let results = rows.each(py, |batch| {
            let columns = tables::verify_columns(batch)?;
            self.0.verify(&columns.each_ref().map(AsRef::as_ref)).map(array)
        })?;
        chunked(py, results)
    }

    /// What each token says.
    ///
    /// Args:
    ///     rows: as for `verify`.
    ///
    /// Returns:
    ///     A `pyarrow.Table` with a row for each row, null where a token does not say it: `result` as of
    ///     `verify`; `error` where the row cannot be read; `token_class`, `subclass` and `name` of the
    ///     kind of token; `rnd`, `tid` and `tid_time` (UTC); credit as `quantity` in `unit` (exact;
    ///     `units_raw` in tenths of it) or as `amount` of currency; `fields` of other tokens as JSON;
    ///     `key_id` of the key that opened it, after `trials` keys.
    ///
    /// Raises:
    ///     ValueError: a column that is missing or cannot be used, by its name.
    fn decode<'py>(&self, py: Python<'py>, rows: Rows) -> PyResult<Bound<'py, PyAny>> {
        let decoded = rows.each(py, |batch| {
            let columns = tables::verify_columns(batch)?;
            self.0.decode(&columns.each_ref().map(AsRef::as_ref))
        })?;
        table(py, decoded_fields(), decoded)
    }

    /// Why each entry was refused, judged by itself: its meter is in the state that `meters` says,
    /// whatever other entries there are.
    ///
    /// Args:
    ///     entries: a table with the columns of `entries.csv`: `id`, `entered_at`, `drn` or `pan`,
    ///         `entered`, and what else is known.
    ///     meters: a table with the columns of `meters.csv`, a row for each meter: `drn` or `pan`,
    ///         `ea`, `sgc`, `krn`, `ti`, `kt`, `base_date`, and what else is known.
    ///
    /// Returns:
    ///     A `pyarrow.Table` with a verdict for each entry, in their order, with the columns that `sts replay`
    ///     writes; `error` where a row cannot be read or its meter is not in `meters`.
    ///
    /// Raises:
    ///     ValueError: a column that is missing or cannot be used, by its name.
    fn diagnose<'py>(
        &self,
        py: Python<'py>,
        entries: Rows,
        meters: Rows,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.verdicts(py, entries, meters, sts_query::Functions::diagnose)
    }

    /// The verdict on each entry, its meter followed over time: what it had accepted, which keys it
    /// had, what its keypad did. Each meter is judged by itself, as by `sts replay --alone`.
    ///
    /// Args:
    ///     entries: as for `diagnose`; those of a meter in time order, meters in any.
    ///     meters: as for `diagnose`: the state that each meter starts from.
    ///
    /// Returns:
    ///     As `diagnose`.
    ///
    /// Raises:
    ///     ValueError: a column that is missing or cannot be used, by its name.
    fn replay<'py>(
        &self,
        py: Python<'py>,
        entries: Rows,
        meters: Rows,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.verdicts(py, entries, meters, sts_query::Functions::replay)
    }
}

/// Judges entries at the meters of their rows.
type Judge = fn(
    &sts_query::Functions,
    meters: &StructArray,
    entries: &StructArray,
) -> Result<StructArray, ColumnError>;

impl Functions {
    fn verdicts<'py>(
        &self,
        py: Python<'py>,
        entries: Rows,
        meters: Rows,
        judge: Judge,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verdicts = py.detach(|| {
            let (entries, meters) = (entries.whole()?, meters.whole()?);
            let meters = tables::meters_of(&entries, &meters).map_err(of_column)?;
            judge(&self.0, &meters, &entries).map_err(of_column)
        })?;
        table(py, verdict_fields(), vec![verdicts])
    }
}

/// A meter's 18 digits from any of its numbers: 18 digits, or a DRN of 11 or 13.
///
/// Args:
///     numbers: an Arrow array of text.
///
/// Returns:
///     Text; null where there is no number, or a check digit is wrong: `meter_problem` tells why.
///
/// Raises:
///     ValueError: the array is no text.
#[pyfunction]
fn meter<'py>(py: Python<'py>, numbers: Column) -> PyResult<Bound<'py, PyAny>> {
    numbers.each(py, |numbers| numbers::meter(numbers).map(array))
}

/// What is wrong with a meter's number, in words.
///
/// Args:
///     numbers: an Arrow array of text.
///
/// Returns:
///     Text; null where nothing is wrong.
///
/// Raises:
///     ValueError: the array is no text.
#[pyfunction]
fn meter_problem<'py>(py: Python<'py>, numbers: Column) -> PyResult<Bound<'py, PyAny>> {
    numbers.each(py, |numbers| numbers::meter_problem(numbers).map(array))
}

/// When tokens were made, to the minute, from their TIDs.
///
/// Args:
///     tids: an Arrow array of whole numbers.
///     base_date: the year that TIDs count from, 1993, 2014 or 2035: one, or an Arrow array.
///
/// Returns:
///     Timestamps in UTC; null where a TID has more than 24 bits, or there is no such base date.
///
/// Raises:
///     ValueError: an array is no whole numbers, or one is longer than the other.
#[pyfunction]
fn tid_time<'py>(
    py: Python<'py>,
    tids: Column,
    base_date: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let year = base_date.extract::<i32>();
    let years = if year.is_err() { Some(base_date.extract::<Column>()?) } else { None };
    let times = py.detach(|| {
        let tids = tids.whole()?;
        let base_dates = match years {
            Some(years) => years.whole()?,
            None => Arc::new(Int32Array::from_iter(vec![year.ok(); tids.len()])),
        };
        numbers::tid_time(&tids, &base_dates).map(array).map_err(of_column)
    })?;
    chunked(py, vec![times])
}

/// Times from text, as the files of the tool `sts` have them: each must state its zone.
///
/// Args:
///     texts: an Arrow array of text, as `2024-11-01T09:20:00Z`.
///
/// Returns:
///     Timestamps in UTC; null where there is no time, or one without a zone.
///
/// Raises:
///     ValueError: the array is no text, and no times with a zone.
#[pyfunction]
fn time<'py>(py: Python<'py>, texts: Column) -> PyResult<Bound<'py, PyAny>> {
    texts.each(py, |texts| numbers::time(texts).map(array))
}

/// A table, as it comes from Python.
struct Rows(Box<dyn RecordBatchReader + Send>);

impl<'py> FromPyObject<'_, 'py> for Rows {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let rows = object.extract::<AnyRecordBatch>().and_then(AnyRecordBatch::into_reader);
        rows.map(Self).map_err(|error| not_arrow(object, "a table", error))
    }
}

impl Rows {
    /// What is said of each batch.
    fn each<T: Send>(
        self,
        py: Python<'_>,
        say: impl Fn(&StructArray) -> Result<T, ColumnError> + Sync,
    ) -> PyResult<Vec<T>> {
        let none = RecordBatch::new_empty(self.0.schema());
        each(py, none, self.0, |batch| say(&batch.into()))
    }

    /// The rows in one piece.
    fn whole(self) -> PyResult<StructArray> {
        let schema = self.0.schema();
        let batches: Vec<RecordBatch> = self.0.collect::<Result<_, _>>().map_err(of_arrow)?;
        Ok(concat_batches(&schema, &batches).map_err(of_arrow)?.into())
    }
}

/// An array, as it comes from Python.
struct Column(Box<dyn ArrayReader + Send>);

impl<'py> FromPyObject<'_, 'py> for Column {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let column = object.extract::<AnyArray>().and_then(AnyArray::into_reader);
        column.map(Self).map_err(|error| not_arrow(object, "an array", error))
    }
}

impl Column {
    /// What is said of each chunk.
    fn each<'py>(
        self,
        py: Python<'py>,
        say: impl Fn(&dyn Array) -> Result<ArrayRef, ColumnError> + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let none = new_empty_array(self.0.field().data_type());
        chunked(py, each(py, none, self.0, |chunk| say(&chunk))?)
    }

    /// The array in one piece.
    fn whole(self) -> PyResult<ArrayRef> {
        let none = new_empty_array(self.0.field().data_type());
        let chunks: Vec<ArrayRef> = self.0.collect::<Result<_, _>>().map_err(of_arrow)?;
        let chunks: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
        if chunks.is_empty() { Ok(none) } else { concat(&chunks).map_err(of_arrow) }
    }
}

/// What is no Arrow data, and why.
fn not_arrow(object: Borrowed<'_, '_, PyAny>, expected: &str, why: PyErr) -> PyErr {
    let py = object.py();
    let kind = object.get_type().name();
    let found = kind.as_ref().map_or_else(|_| "?".into(), |kind| kind.to_string_lossy());
    let problem = format!("expected {expected} with Arrow data, found {found}: {}", why.value(py));
    let error = PyTypeError::new_err(problem);
    error.set_cause(py, Some(why));
    error
}

/// What is said of each chunk, or of `none` where there is none: what comes out has its type.
fn each<Chunk: Send, T: Send>(
    py: Python<'_>,
    none: Chunk,
    chunks: impl Iterator<Item = Result<Chunk, ArrowError>> + Send,
    say: impl Fn(Chunk) -> Result<T, ColumnError> + Sync,
) -> PyResult<Vec<T>> {
    py.detach(|| {
        let say = |chunk| say(chunk).map_err(of_column);
        let said = chunks.map(|chunk| say(chunk.map_err(of_arrow)?));
        let mut said: Vec<T> = said.collect::<PyResult<_>>()?;
        if said.is_empty() {
            said.push(say(none)?);
        }
        Ok(said)
    })
}

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// A `pyarrow.ChunkedArray`.
fn chunked(py: Python<'_>, chunks: Vec<ArrayRef>) -> PyResult<Bound<'_, PyAny>> {
    PyChunkedArray::from_array_refs(chunks)?.into_pyarrow(py)
}

/// A `pyarrow.Table`.
fn table(py: Python<'_>, fields: Fields, batches: Vec<StructArray>) -> PyResult<Bound<'_, PyAny>> {
    let batches = batches.into_iter().map(RecordBatch::from).collect();
    PyTable::try_new(batches, Arc::new(Schema::new(fields)))?.into_pyarrow(py)
}

fn of_column(error: ColumnError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn of_arrow(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A file with something wrong in it, and what to try.
fn in_file(error: InputError) -> PyErr {
    let hint = error.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
    PyValueError::new_err(format!("{error}{hint}"))
}

/// STS (IEC 62055-41) prepayment tokens over Arrow data: verified, decoded, and refusals explained.
#[pymodule(name = "sts")]
mod module {
    #[pymodule_export]
    use super::{Functions, meter, meter_problem, tid_time, time};
}
