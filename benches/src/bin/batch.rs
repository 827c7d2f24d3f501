//! How much faster batches in bit planes are than the straightforward form: a new `des::Des` for
//! each vending key and each key, STA by loops over one word, the CRC bit by bit.
//!
//! One process, rounds in turn, CPU time of this thread, tenth percentile; two threads by the wall
//! clock.

use std::hint::black_box;
use std::time::Instant;

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use sts_batch::{Batch, Cipher, Group, Hit, Lanes, Question};

const ROUNDS: usize = 40;
const GROUPS: usize = 600;
const CANDIDATES: usize = 100 * GROUPS;
const ROWS: usize = 16 * 1024;
/// The straightforward form takes fewer, so that a round of it is as long.
const FEW: usize = 600;

fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec of ours, and the call keeps none.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no clock of this thread");
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("time goes forwards")
}

struct Form<'a> {
    name: String,
    count: usize,
    call: Box<dyn FnMut() + 'a>,
    times: Vec<f64>,
}

impl<'a> Form<'a> {
    fn new(name: String, count: usize, call: impl FnMut() + 'a) -> Self {
        Self { name, count, call: Box::new(call), times: Vec::new() }
    }
}

/// Tells each form's nanoseconds an item, and the first one's as a multiple.
fn compare(title: &str, mut forms: Vec<Form<'_>>) {
    for _ in 0..ROUNDS {
        for form in &mut forms {
            let start = thread_cpu_ns();
            (form.call)();
            form.times.push((thread_cpu_ns() - start) as f64 / form.count as f64);
        }
    }
    println!("{title}");
    let mut first = None;
    for form in &mut forms {
        form.times.sort_by(f64::total_cmp);
        let time = form.times[ROUNDS / 10];
        let ratio = *first.get_or_insert(time) / time;
        println!("  {:<28}{time:>9.2} ns {ratio:>7.1} x", form.name);
    }
}

fn straightforward(cipher: Cipher, vending: u64, block: u64, token: u64) -> Option<u64> {
    let mut bytes = block.to_be_bytes().into();
    Des::new(&vending.to_be_bytes().into()).encrypt_block(&mut bytes);
    let key = u64::from_be_bytes(bytes.into()) ^ block ^ vending;
    let plain = if matches!(cipher, Cipher::Sta) {
        sts_benches::decrypt(key, token)
    } else {
        let mut bytes = token.to_be_bytes().into();
        Des::new(&key.to_be_bytes().into()).decrypt_block(&mut bytes);
        u64::from_be_bytes(bytes.into())
    };
    (sts_benches::crc(0, plain) == plain as u16).then_some(plain)
}

fn many(seed: u64, count: usize) -> Vec<u64> {
    let mix = |at: u64| (at ^ at >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (0..count as u64).map(|at| mix((seed + at).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()
}

fn main() {
    let batches: Vec<Batch> = Lanes::ALL.into_iter().filter_map(Batch::with_lanes).collect();
    for batch in &batches {
        println!("{}: {} lanes", batch.lanes(), batch.lanes().width());
    }
    let groups: Vec<Group> = many(1, GROUPS)
        .into_iter()
        .zip(many(2, GROUPS))
        .map(|(vending, block)| Group { vending, block })
        .collect();
    let (vending, blocks, tokens) = (many(3, ROWS), many(4, ROWS), many(5, ROWS));
    let question = Question { class_bits: 0, block: tokens[0] };
    let classes = vec![0; ROWS];
    for cipher in [Cipher::Sta, Cipher::Dea] {
        for size in [GROUPS, 5] {
            let straight = || {
                for at in 0..FEW {
                    let (vending, block) = (vending[at], blocks[at]);
                    black_box(straightforward(cipher, vending, block, black_box(question.block)));
                }
            };
            let mut forms = vec![Form::new("straightforward".into(), FEW, straight)];
            for batch in &batches {
                let mut hits: Vec<Hit> = Vec::new();
                let groups = &groups[..size];
                forms.push(Form::new(batch.lanes().to_string(), 100 * size, move || {
                    hits.clear();
                    batch.search_tariffs(black_box(&question), cipher, groups, &mut hits);
                    black_box(&hits);
                }));
            }
            compare(&format!("search, DKGA02 and {cipher:?}, {size} groups, a candidate"), forms);
        }
        let mut forms = vec![Form::new("straightforward".into(), FEW, || {
            for at in 0..FEW {
                black_box(straightforward(cipher, vending[at], blocks[at], tokens[at]));
            }
        })];
        for batch in &batches {
            let (mut plain, mut holds) = (vec![0; ROWS], vec![false; ROWS]);
            let (vending, blocks, classes, tokens) = (&vending, &blocks, &classes, &tokens);
            forms.push(Form::new(batch.lanes().to_string(), ROWS, move || {
                batch.open_rows(cipher, vending, blocks, classes, tokens, &mut plain, &mut holds);
                black_box((&plain, &holds));
            }));
        }
        compare(&format!("rows in memory, DKGA02 and {cipher:?}, own key each, a row"), forms);
        let mut forms = Vec::new();
        for batch in &batches {
            let mut plain = vec![0; ROWS];
            let (keys, blocks) = (&vending, &blocks);
            forms.push(Form::new(batch.lanes().to_string(), ROWS, move || {
                batch.decrypt(cipher, keys, blocks, &mut plain);
                black_box(&plain);
            }));
        }
        compare(&format!("decrypt, {cipher:?}, own key each, a row"), forms);
    }
    threads(&groups, &question);
}

/// Two threads against one, each with the whole search.
fn threads(groups: &[Group], question: &Question) {
    let batch = Batch::new();
    let search = || {
        let mut hits = Vec::new();
        for _ in 0..20 {
            batch.search_tariffs(black_box(question), Cipher::Sta, groups, &mut hits);
        }
        black_box(hits);
    };
    let (mut one, mut two) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..10 {
        let start = Instant::now();
        search();
        one = one.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(search);
            scope.spawn(search);
        });
        two = two.min(start.elapsed().as_secs_f64());
    }
    let rate = 20.0 * CANDIDATES as f64 / one / 1e6;
    println!("one thread {rate:.0} M candidates a second; two threads {:.2} x", 2.0 * one / two);
}
