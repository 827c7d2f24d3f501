//! How much faster batches in bit planes are than the straightforward form: a new `des::Des` for
//! each vending key and each key, a new `Hmac` for each DKGA04 key, STA by loops over one word,
//! MISTY1 of the core, the CRC bit by bit.
//!
//! One process, rounds in turn, CPU time of this thread, tenth percentile. Two threads by the wall
//! clock, and by the CPU time of each, which does not count what other processes took.
//!
//! ```text
//! cargo run --release --bin batch [PART OF A TITLE]
//! ```

use std::hint::black_box;
use std::time::Instant;

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sts_batch::{Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, Lanes, Question};
use sts_benches::thread_cpu_ns;
use sts_core::cipher::misty1::Misty1;

const ROUNDS: usize = 40;
const GROUPS: usize = 600;
const ROWS: usize = 16 * 1024;
/// The straightforward form takes fewer, so that a round of it is about as long.
const FEW: usize = 600;

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

/// Whether this comparison was asked for.
fn wanted(title: &str) -> bool {
    std::env::args().nth(1).is_none_or(|part| title.contains(&part))
}

/// Tells each form's nanoseconds an item, and the first one's as a multiple.
fn compare(title: &str, mut forms: Vec<Form<'_>>) {
    if !wanted(title) {
        return;
    }
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
        let time = tenth_percentile(&mut form.times);
        let ratio = *first.get_or_insert(time) / time;
        println!("  {:<36}{time:>9.2} ns {ratio:>7.1} x", form.name);
    }
}

fn tenth_percentile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

fn name(batch: &Batch) -> String {
    format!("{}, {} lanes", batch.lanes(), batch.lanes().width())
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

/// DKGA04 through the crates, a new key each time.
fn hmac(vending: &[u8; 20], data: &[u8; 49]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(vending).expect("any length will do");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn straightforward_04(cipher: Dkga04Cipher, derived: [u8; 32], token: u64) -> Option<u64> {
    let plain = if matches!(cipher, Dkga04Cipher::Sta) {
        let [a, b, c, d, e, f, g, h, ..] = derived;
        sts_benches::decrypt(u64::from_be_bytes([a, b, c, d, e, f, g, h]), token)
    } else {
        Misty1::new(derived.first_chunk().expect("16 of 32 bytes")).decrypt(token)
    };
    (sts_benches::crc(0, plain) == plain as u16).then_some(plain)
}

fn many(seed: u64, count: usize) -> Vec<u64> {
    let mix = |at: u64| (at ^ at >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (0..count as u64).map(|at| mix((seed + at).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()
}

fn main() {
    let batches: Vec<Batch> = Lanes::ALL.into_iter().filter_map(Batch::with_lanes).collect();
    let groups: Vec<Group> = many(1, GROUPS)
        .into_iter()
        .zip(many(2, GROUPS))
        .map(|(vending, block)| Group { vending, block })
        .collect();
    let question = Question { class_bits: 0, block: many(5, 1)[0] };
    for cipher in [Cipher::Sta, Cipher::Dea] {
        for size in [GROUPS, 5] {
            search(&batches, cipher, &question, &groups[..size]);
        }
        rows(&batches, cipher);
    }
    for cipher in [Dkga04Cipher::Sta, Dkga04Cipher::Misty1] {
        for size in [GROUPS, 5] {
            search_04(&batches, cipher, &question, size);
        }
    }
    if wanted("threads") {
        threads("DKGA02 and Sta", |batch, hits| {
            batch.search_tariffs(black_box(&question), Cipher::Sta, &groups, hits);
        });
        let key = Dkga04Key::new(&[0x11; 20]);
        let groups = [Dkga04Group::from_data_block(&key, &[0; 49]); GROUPS / 10];
        threads("DKGA04 and Misty1", |batch, hits| {
            let cipher = Dkga04Cipher::Misty1;
            batch.search_tariffs_dkga04(black_box(&question), cipher, &groups, hits);
        });
    }
}

fn search(batches: &[Batch], cipher: Cipher, question: &Question, groups: &[Group]) {
    let straight = || {
        for at in 0..FEW {
            let Group { vending, block } = groups[at % groups.len()];
            black_box(straightforward(cipher, vending, block, black_box(question.block)));
        }
    };
    let mut forms = vec![Form::new("straightforward".into(), FEW, straight)];
    for batch in batches {
        let mut hits: Vec<Hit> = Vec::new();
        let times = GROUPS / groups.len();
        forms.push(Form::new(name(batch), 100 * groups.len() * times, move || {
            for _ in 0..times {
                hits.clear();
                batch.search_tariffs(black_box(question), cipher, groups, &mut hits);
                black_box(&hits);
            }
        }));
    }
    let size = groups.len();
    compare(&format!("search, DKGA02 and {cipher:?}, {size} groups, a candidate"), forms);
}

fn search_04(batches: &[Batch], cipher: Dkga04Cipher, question: &Question, size: usize) {
    let vending: Vec<[u8; 20]> = many(6, size)
        .iter()
        .map(|word| std::array::from_fn(|at| word.rotate_left(5 * at as u32) as u8))
        .collect();
    let ready: Vec<Dkga04Key> = vending.iter().map(Dkga04Key::new).collect();
    let data = [b'0'; 49];
    let groups: Vec<Dkga04Group<'_>> =
        ready.iter().map(|key| Dkga04Group::from_data_block(key, &data)).collect();
    let groups = &groups;
    let mut forms = vec![Form::new("straightforward".into(), FEW, || {
        for at in 0..FEW {
            let derived = hmac(black_box(&vending[at % size]), black_box(&data));
            black_box(straightforward_04(cipher, derived, black_box(question.block)));
        }
    })];
    for batch in batches {
        let mut hits: Vec<Hit> = Vec::new();
        let times = GROUPS / size;
        forms.push(Form::new(name(batch), 100 * size * times, move || {
            for _ in 0..times {
                hits.clear();
                batch.search_tariffs_dkga04(black_box(question), cipher, groups, &mut hits);
                black_box(&hits);
            }
        }));
        let planes = batch.derive_tariffs_dkga04(cipher, groups);
        let mut hits: Vec<Hit> = Vec::new();
        forms.push(Form::new(name(batch) + ", derived", 100 * size * times, move || {
            for _ in 0..times {
                hits.clear();
                planes.open(black_box(question), &mut hits);
                black_box(&hits);
            }
        }));
    }
    compare(&format!("search, DKGA04 and {cipher:?}, {size} groups, a candidate"), forms);
}

fn rows(batches: &[Batch], cipher: Cipher) {
    let (vending, blocks, tokens) = (&many(3, ROWS), &many(4, ROWS), &many(5, ROWS));
    let classes = [vec![0; ROWS], tokens.iter().map(|token| (token >> 40 & 2) as u8).collect()];
    let mut forms = vec![Form::new("straightforward".into(), FEW, || {
        for at in 0..FEW {
            black_box(straightforward(cipher, vending[at], blocks[at], tokens[at]));
        }
    })];
    for batch in batches {
        for (classes, mixed) in classes.iter().zip(["", ", mixed classes"]) {
            let (mut plain, mut holds) = (vec![0; ROWS], vec![false; ROWS]);
            forms.push(Form::new(name(batch) + mixed, ROWS, move || {
                batch.open_rows(cipher, vending, blocks, classes, tokens, &mut plain, &mut holds);
                black_box((&plain, &holds));
            }));
        }
    }
    compare(&format!("rows in memory, DKGA02 and {cipher:?}, own key each, a row"), forms);
    let mut forms = vec![Form::new("straightforward".into(), FEW, || {
        for at in 0..FEW {
            black_box(if matches!(cipher, Cipher::Sta) {
                sts_benches::decrypt(vending[at], tokens[at])
            } else {
                let mut bytes = tokens[at].to_be_bytes().into();
                Des::new(&vending[at].to_be_bytes().into()).decrypt_block(&mut bytes);
                u64::from_be_bytes(bytes.into())
            });
        }
    })];
    for batch in batches {
        let mut plain = vec![0; ROWS];
        forms.push(Form::new(name(batch), ROWS, move || {
            batch.decrypt(cipher, vending, tokens, &mut plain);
            black_box(&plain);
        }));
    }
    compare(&format!("decrypt, {cipher:?}, own key each, a row"), forms);
}

/// Two threads against one, each with all of the work: twice as much is done. By the wall clock,
/// the best round of each, as other processes disturb it; and by the threads' own CPU time, which
/// tells how much they slow each other down, as far as they ran at the same time.
fn threads(title: &str, search: impl Fn(Batch, &mut Vec<Hit>) + Sync) {
    let batch = Batch::new();
    let work = || {
        let start = thread_cpu_ns();
        let mut hits = Vec::new();
        for _ in 0..10 {
            hits.clear();
            search(batch, &mut hits);
        }
        black_box(hits);
        (thread_cpu_ns() - start) as f64
    };
    let (mut one, mut two): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let (mut one_cpu, mut two_cpu) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::thread::scope(|scope| {
            one_cpu.push(scope.spawn(work).join().expect("no panic"));
        });
        one.push(start.elapsed().as_nanos() as f64);
        let start = Instant::now();
        std::thread::scope(|scope| {
            let both = [scope.spawn(work), scope.spawn(work)];
            let [a, b] = both.map(|thread| thread.join().expect("no panic"));
            two_cpu.push(a.max(b));
        });
        two.push(start.elapsed().as_nanos() as f64);
    }
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let wall = 2.0 * least(&one) / least(&two);
    let cpu = 2.0 * tenth_percentile(&mut one_cpu) / tenth_percentile(&mut two_cpu);
    println!("two threads, {title}, {}", name(&batch));
    println!("  {wall:.2} x by the wall clock, {cpu:.2} x by CPU time of each thread");
}
