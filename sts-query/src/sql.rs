//! Functions of DataFusion, and sessions that have them.
//!
//! | function | says |
//! |---|---|
//! | `sts_verify(token, meter, ea, sgc, krn, ti, kt)` | whether a token authenticates |
//! | `sts_decode(token, meter, ea, sgc, krn, ti, kt)` | what it says, as a struct |
//! | `sts_diagnose(meter, entry)` | why an entry was refused, judged by itself, as a struct |
//! | `sts_replay(meter, entry) OVER (PARTITION BY … ORDER BY …)` | the verdict on each entry, its meter followed over time |
//! | `sts_tid_time(tid, base_date)` | when a token was made |
//! | `sts_meter(number)`, `sts_meter_problem(number)` | a meter's 18 digits, or what is wrong with the number |
//! | `sts_time(text)` | a time from text that states its zone |
//!
//! `meter` and `entry` are structs with the columns of `meters.csv` and `entries.csv`. The first four
//! take one argument more: whose keys to ask, by label. Keys are never in a query or its plan.

mod functions;
mod holders;
pub mod output;
mod replay;
mod tables;

pub use functions::{scalar_functions, window_functions};
pub use holders::{Holders, Label};
pub use replay::{Slice, replay_query};
pub use tables::{open, register, session, table_name};
