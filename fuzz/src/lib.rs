//! The bodies of the fuzz targets, as plain functions: a fuzzer calls them with what it invents,
//! `tests/corpus.rs` with what is in `corpus/`.
//!
//! ```text
//! fuzz/run.sh 1000000 open_any        # so many executions; no nightly compiler needed
//! cargo test --manifest-path fuzz/Cargo.toml
//! cargo run --manifest-path fuzz/Cargo.toml --example seed    # writes made corpus files anew
//! ```
//!
//! A file goes into `corpus/` under a name that says what it is; one that a fault was found with
//! stays there.

#![deny(unsafe_code)]

mod batch;
mod capi;
mod check;
mod digits;
mod entries;
mod files;
mod import;
mod model;
mod open;
mod report;
mod saved;
mod scratch;
mod sequence;
mod slip;

pub use batch::batch;
pub use capi::capi;
pub use digits::digits;
pub use entries::entries;
pub use files::{conform_script, key_file, profile_file};
pub use import::{import_csv, import_json, import_parquet, import_xlsx, import_xmlvend};
pub use open::open_any;
pub use report::report;
pub use saved::saved_state;
pub use sequence::{meter_sequence, results};
pub use slip::slip;

/// What a fuzzer calls with any bytes: it panics where something is wrong.
pub type Body = fn(&[u8]);

/// Every target: its name, which is that of its folder in `corpus/` too, and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("batch", batch),
    ("capi", capi),
    ("conform_script", conform_script),
    ("digits", digits),
    ("entries", entries),
    ("import_csv", import_csv),
    ("import_json", import_json),
    ("import_parquet", import_parquet),
    ("import_xlsx", import_xlsx),
    ("import_xmlvend", import_xmlvend),
    ("key_file", key_file),
    ("meter_sequence", meter_sequence),
    ("open_any", open_any),
    ("profile_file", profile_file),
    ("report", report),
    ("saved_state", saved_state),
    ("slip", slip),
];
