//! How much faster the core opens one EA07 token than the straightforward form: at least six
//! times. One process, rounds in turn, CPU time of this thread, tenth percentile.

use std::hint::black_box;
use std::process::ExitCode;

use sts_benches::{KEY, TOKEN, open, ready_key};
use sts_core::Token;
use sts_core::cipher::sta::Tables;

const ROUNDS: usize = 2_000;
const PER_ROUND: u32 = 200;
const AT_LEAST: f64 = 6.0;

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
    let (core, straightforward) = (tenth_percentile(core), tenth_percentile(straightforward));
    let ratio = straightforward / core;
    println!("core {core:.0} ns, straightforward {straightforward:.0} ns: {ratio:.1} times");
    println!("tables {} bytes", size_of::<Tables>());
    if ratio >= AT_LEAST {
        ExitCode::SUCCESS
    } else {
        eprintln!("expected at least {AT_LEAST} times");
        ExitCode::FAILURE
    }
}
