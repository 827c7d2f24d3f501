//! STS tokens verified, decoded, diagnosed and replayed where analysts keep them: in columns.
//!
//! * [`Functions`]: what the keys of a file, the profiles and the beliefs about causes say of Arrow
//!   arrays, batch by batch. No engine is needed for it.
//! * [`tables`]: tables with columns by name, and the meter of each entry.
//! * [`numbers`]: what can be said of numbers without a key.
//! * `sql` (feature `datafusion`): the same as functions of DataFusion, and a session that has them.
//!
//! Columns are named as in the files of `sts`; text is taken in each of Arrow's forms. A token, a
//! meter or a supply group that comes as a number is refused: its zeros are gone.

#![forbid(unsafe_code)]

mod columns;
mod decode;
mod functions;
pub mod keys;
pub mod numbers;
mod replay;
#[cfg(feature = "datafusion")]
pub mod sql;
pub mod tables;

#[cfg(feature = "datafusion")]
pub use datafusion;

pub use columns::ColumnError;
pub use decode::decoded_fields;
pub use functions::{Functions, VERIFY_COLUMNS};
pub use replay::verdict_fields;
