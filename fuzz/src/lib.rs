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
mod digits;
mod model;
mod open;
mod saved;
mod sequence;

pub use batch::batch;
pub use capi::capi;
pub use digits::digits;
pub use open::open_any;
pub use saved::saved_state;
pub use sequence::{meter_sequence, results};

/// What a fuzzer calls with any bytes: it panics where something is wrong.
pub type Body = fn(&[u8]);

/// Every target: its name, which is that of its folder in `corpus/` too, and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("batch", batch),
    ("capi", capi),
    ("digits", digits),
    ("meter_sequence", meter_sequence),
    ("open_any", open_any),
    ("saved_state", saved_state),
];
