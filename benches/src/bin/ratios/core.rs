//! The core opens one EA07 token: against the plain bit loops that the tests keep, and against loops
//! over one machine word, a ratio that differs much between processors.

#[path = "../../../../sts-core/tests/naive/mod.rs"]
mod naive;

use std::hint::black_box;

use sts_benches::measure::{Form, Report};
use sts_benches::{KEY, TOKEN, open, ready_key};
use sts_core::Token;
use sts_core::cipher::sta::Tables;

const ROUNDS: usize = 400;
const PER_ROUND: usize = 200;

/// The look-up tables; the rest of `Tables` is the algorithm's own small ones.
const TABLES: usize = 4096;
const OWN: usize = 256;
const _: () = assert!(size_of::<Tables>() <= TABLES + OWN);

pub(crate) fn measure(report: &mut Report) {
    let key = ready_key();
    let bytes = KEY.to_be_bytes();
    let bits = Form::new("plain bit loops of the tests", 1, || {
        black_box(naive::unseal(7, &bytes, black_box(TOKEN)));
    });
    let words = Form::new("loops over one word", PER_ROUND, || {
        for _ in 0..PER_ROUND {
            black_box(open(black_box(TOKEN), black_box(KEY)));
        }
    });
    let core = || {
        Form::new("the core", PER_ROUND, || {
            for _ in 0..PER_ROUND {
                let token = Token::parse(black_box(TOKEN));
                black_box(token.map(|token| token.open(black_box(&key)).authenticate()).ok());
            }
        })
    };
    let title = "one EA07 token, key ready";
    report.compare(title, ROUNDS, vec![bits, core().stated(80.0)]);
    report.compare(&format!("{title}, words"), ROUNDS, vec![words, core().stated(4.0)]);
}
