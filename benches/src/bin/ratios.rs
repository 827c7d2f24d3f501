//! How much faster the core opens one EA07 token than the plain bit loops that the tests keep: at
//! least six times; and than loops over one machine word, which is told and only guarded, since it
//! differs much between processors (4 to 7 times). One process, rounds in turn, CPU time of this
//! thread, tenth percentile.

#[path = "../../../sts-core/tests/naive/mod.rs"]
mod naive;

use std::hint::black_box;
use std::process::ExitCode;

use sts_benches::{KEY, TOKEN, open, ready_key};
use sts_core::Token;
use sts_core::cipher::sta::Tables;

const ROUNDS: usize = 2_000;
const PER_ROUND: u32 = 200;
const AT_LEAST: f64 = 6.0;
/// Half of what slow machines give: below it something has gone wrong.
const WORD_LOOPS_AT_LEAST: f64 = 2.0;

/// The look-up tables; the rest of `Tables` is the algorithm's own small ones.
const TABLES: usize = 4096;
const OWN: usize = 256;
const _: () = assert!(size_of::<Tables>() <= TABLES + OWN);

fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec of ours, and the call keeps none.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no clock of this thread");
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("time goes forwards")
}

/// Nanoseconds a call, over one round.
fn round<T>(mut call: impl FnMut() -> T) -> f64 {
    let start = thread_cpu_ns();
    for _ in 0..PER_ROUND {
        black_box(call());
    }
    (thread_cpu_ns() - start) as f64 / f64::from(PER_ROUND)
}

fn tenth_percentile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

fn main() -> ExitCode {
    let key = ready_key();
    let (mut core, mut straightforward) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        core.push(round(|| {
            Token::parse(black_box(TOKEN)).map(|token| token.open(black_box(&key)).authenticate())
        }));
        straightforward.push(round(|| open(black_box(TOKEN), black_box(KEY))));
    }
    let bytes = KEY.to_be_bytes();
    let bits = (0..20).map(|_| round(|| naive::unseal(7, &bytes, black_box(TOKEN)))).collect();
    let core = tenth_percentile(core);
    let forms = [
        ("plain bit loops of the tests", tenth_percentile(bits), AT_LEAST),
        ("loops over one word", tenth_percentile(straightforward), WORD_LOOPS_AT_LEAST),
    ];
    println!("core {core:.0} ns, tables {} bytes", size_of::<Tables>());
    let mut exit = ExitCode::SUCCESS;
    for (name, time, at_least) in forms {
        let ratio = time / core;
        println!("{name} {time:.0} ns: {ratio:.1} times, expected at least {at_least}");
        if ratio < at_least {
            exit = ExitCode::FAILURE;
        }
    }
    exit
}
