//! Files in, verdicts out: keys, profiles, records, replay and diagnosis of STS tokens.
//!
//! The core says what a meter answers; this crate follows meters over time, tells what they show,
//! and finds why a token was refused, which a meter cannot know.
//!
//! * [`keys`]: key files; [`profiles`]: meter families as data ([`emit`]: for firmware); [`case`]: a case folder.
//! * [`records`], [`table`], [`input`], [`time`]: rows in, and what is wrong with them.
//! * [`entries`]: the entries of a case as a stream; [`replay`]: entries against meters ([`fleet`]); [`diagnose`]: from a refusal to its [`cause`].
//! * [`import`]: a case out of exports. [`results`], [`progress`]: answers out, and on after an interrupt; [`report`]: a page of them; [`diff`]: two replays compared.
//! * [`conform`]: suites and random sequences on a device under test.
//! * [`simulate`]: cases whose truth is known; [`forecast`]: what a change of keys would do.
//! * [`inspect`], [`verify`], [`issue`], [`slip`], [`numbers`]: single tokens and numbers.

#![forbid(unsafe_code)]

mod blocks;
pub mod case;
pub mod cause;
pub mod conform;
pub mod describe;
pub mod diagnose;
pub mod diff;
pub mod emit;
pub mod entries;
#[cfg(test)]
mod fixture;
pub mod fleet;
pub mod forecast;
pub mod history;
pub mod import;
pub mod input;
pub mod inspect;
pub mod issue;
pub mod keys;
mod markup;
pub mod numbers;
pub mod profiles;
pub mod progress;
pub mod records;
pub mod replay;
pub mod report;
pub mod results;
mod row_file;
pub mod simulate;
pub mod slip;
pub mod slips;
mod sort;
mod suspicion;
pub mod table;
pub mod time;
pub mod verify;

pub use zeroize;
