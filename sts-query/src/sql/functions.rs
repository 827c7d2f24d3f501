//! The functions, as DataFusion calls them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, PartitionEvaluator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility, WindowUDF, WindowUDFImpl,
};

use super::holders::Holders;
use crate::columns::ColumnError;
use crate::decode::decoded_fields;
use crate::functions::{Functions, VERIFY_COLUMNS};
use crate::numbers;
use crate::replay::verdict_fields;

/// The scalar functions, asking these holders.
#[must_use]
pub fn scalar_functions(holders: &Holders) -> Vec<Arc<ScalarUDF>> {
    Says::ALL
        .into_iter()
        .map(|says| {
            let signature = Signature::one_of(
                says.arguments().map(TypeSignature::Any).collect(),
                Volatility::Immutable,
            );
            let function = Function { says, signature, holders: holders.clone() };
            Arc::new(ScalarUDF::from(function))
        })
        .collect()
}

/// The window functions, asking these holders.
#[must_use]
pub fn window_functions(holders: &Holders) -> Vec<Arc<WindowUDF>> {
    let signature = Signature::one_of(
        vec![TypeSignature::Any(2), TypeSignature::Any(3)],
        Volatility::Immutable,
    );
    vec![Arc::new(WindowUDF::from(ReplayFunction { signature, holders: holders.clone() }))]
}

/// What a scalar function says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Says {
    Verify,
    Decode,
    Diagnose,
    TidTime,
    Meter,
    MeterProblem,
    Time,
}

impl Says {
    const ALL: [Self; 7] = [
        Self::Verify,
        Self::Decode,
        Self::Diagnose,
        Self::TidTime,
        Self::Meter,
        Self::MeterProblem,
        Self::Time,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Verify => "sts_verify",
            Self::Decode => "sts_decode",
            Self::Diagnose => "sts_diagnose",
            Self::TidTime => "sts_tid_time",
            Self::Meter => "sts_meter",
            Self::MeterProblem => "sts_meter_problem",
            Self::Time => "sts_time",
        }
    }

    /// How many arguments it takes.
    const fn arguments(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Verify | Self::Decode => 1..=VERIFY_COLUMNS.len() + 1,
            Self::Diagnose => 2..=3,
            Self::TidTime => 2..=2,
            Self::Meter | Self::MeterProblem | Self::Time => 1..=1,
        }
    }

    /// The place of the argument that names keys.
    const fn keys_at(self) -> Option<usize> {
        match self {
            Self::Verify | Self::Decode => Some(VERIFY_COLUMNS.len()),
            Self::Diagnose => Some(2),
            _ => None,
        }
    }

    fn data_type(self) -> DataType {
        let utc = || Some(numbers::UTC.into());
        match self {
            Self::Verify | Self::Meter | Self::MeterProblem => DataType::Utf8,
            Self::Decode => DataType::Struct(decoded_fields()),
            Self::Diagnose => DataType::Struct(verdict_fields()),
            Self::TidTime => DataType::Timestamp(TimeUnit::Second, utc()),
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, utc()),
        }
    }

    fn of(self, holders: &Holders, keys: Option<&str>, columns: &[ArrayRef]) -> Result<ArrayRef> {
        let asked = || holders.asked(keys).or_else(|problem| exec_err!("{problem}"));
        let dynamic: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
        let said: Result<ArrayRef, ColumnError> = match (self, dynamic.as_slice()) {
            (Self::Verify, columns) => asked()?.verify(columns).map(array),
            (Self::Decode, columns) => asked()?.decode(columns).map(array),
            (Self::Diagnose, [meter, entry]) => {
                let (meter, entry) = rows(*meter, *entry)?;
                asked()?.diagnose(meter, entry).map(array)
            }
            (Self::TidTime, [tid, base_date]) => numbers::tid_time(*tid, *base_date).map(array),
            (Self::Meter, [number]) => numbers::meter(*number).map(array),
            (Self::MeterProblem, [number]) => numbers::meter_problem(*number).map(array),
            (Self::Time, [text]) => numbers::time(*text).map(array),
            (says, columns) => return exec_err!("{} has {} arguments", says.name(), columns.len()),
        };
        said.map_err(of_column)
    }
}

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn of_column(error: ColumnError) -> DataFusionError {
    DataFusionError::Execution(error.to_string())
}

/// The columns of a meter and an entry.
fn rows<'a>(
    meter: &'a dyn Array,
    entry: &'a dyn Array,
) -> Result<(&'a StructArray, &'a StructArray)> {
    match (meter.as_struct_opt(), entry.as_struct_opt()) {
        (Some(meter), Some(entry)) => Ok((meter, entry)),
        _ => exec_err!(
            "a meter and an entry are structs, such as named_struct('pan', pan, 'ea', ea, …)"
        ),
    }
}

#[derive(Debug, Eq, Hash, PartialEq)]
struct Function {
    says: Says,
    signature: Signature,
    holders: Holders,
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.says.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let struct_like = |found: &DataType| found.is_nested() || found.is_null();
        if self.says == Says::Diagnose && !arguments[..2].iter().all(struct_like) {
            return plan_err!("sts_diagnose takes a meter and an entry, both structs");
        }
        Ok(self.says.data_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut values = arguments.args;
        let keys = match self.says.keys_at() {
            Some(place) if values.len() > place => Some(label(&values.remove(place))?),
            _ => None,
        };
        let all_constant = values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if all_constant { 1 } else { arguments.number_rows };
        let columns = values
            .into_iter()
            .map(|value| value.into_array(rows))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let said = self.says.of(&self.holders, keys.as_deref(), &columns)?;
        if all_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&said, 0)?));
        }
        Ok(ColumnarValue::Array(said))
    }
}

/// The label in an argument.
fn label(value: &ColumnarValue) -> Result<String> {
    match value {
        ColumnarValue::Scalar(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
        ) => Ok(text.clone()),
        _ => exec_err!("keys are named by a text that is the same in every row"),
    }
}

#[derive(Debug, Eq, Hash, PartialEq)]
struct ReplayFunction {
    signature: Signature,
    holders: Holders,
}

impl WindowUDFImpl for ReplayFunction {
    fn name(&self) -> &'static str {
        "sts_replay"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), DataType::Struct(verdict_fields()), true)))
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(ReplayEvaluator(self.holders.clone())))
    }
}

/// Replays the entries of one meter, or of some.
#[derive(Debug)]
struct ReplayEvaluator(Holders);

impl PartitionEvaluator for ReplayEvaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
        let [meter, entry, keys @ ..] = values else {
            return exec_err!("sts_replay takes a meter and an entry");
        };
        let keys = match keys {
            [keys, ..] => {
                Some(label(&ColumnarValue::Scalar(ScalarValue::try_from_array(keys, 0)?))?)
            }
            [] => None,
        };
        let (meter, entry) = rows(meter, entry)?;
        let functions: &Functions =
            self.0.asked(keys.as_deref()).or_else(|problem| exec_err!("{problem}"))?;
        functions.replay(meter, entry).map(array).map_err(of_column)
    }
}
