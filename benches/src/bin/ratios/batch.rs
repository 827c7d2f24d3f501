//! Batches in bit planes against a new `des::Des` for each vending key and each key, a new `Hmac` for
//! each DKGA04 key, STA by loops over one word, MISTY1 of the core, the CRC bit by bit.

use std::hint::black_box;
use std::time::Instant;

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sts_batch::{Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, Lanes, Question};
use sts_benches::measure::{Figure, Form, Report, tenth_percentile, thread_cpu_ns};
use sts_core::cipher::misty1::Misty1;

const ROUNDS: usize = 40;
const GROUPS: usize = 600;
const ROWS: usize = 16 * 1024;
/// The straightforward form takes fewer, so that a round of it is about as long.
const FEW: usize = 600;

/// What is stated, of the portable lanes and of AVX2. AVX-512 is to give no less than AVX2.
#[derive(Clone, Copy)]
struct Stated([f64; 2]);

impl Stated {
    const fn of(self, lanes: Lanes) -> f64 {
        let Self([portable, avx2]) = self;
        if matches!(lanes, Lanes::Portable) { portable } else { avx2 }
    }
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

pub(crate) fn measure(report: &mut Report) {
    let batches: Vec<Batch> = Lanes::ALL.into_iter().filter_map(Batch::with_lanes).collect();
    let groups: Vec<Group> = many(1, GROUPS)
        .into_iter()
        .zip(many(2, GROUPS))
        .map(|(vending, block)| Group { vending, block })
        .collect();
    let question = Question { class_bits: 0, block: many(5, 1)[0] };
    for cipher in [Cipher::Sta, Cipher::Dea] {
        for size in [GROUPS, 5] {
            search(report, &batches, cipher, &question, &groups[..size]);
        }
        rows(report, &batches, cipher);
    }
    for cipher in [Dkga04Cipher::Sta, Dkga04Cipher::Misty1] {
        for size in [GROUPS, 5] {
            search_04(report, &batches, cipher, &question, size);
        }
    }
    threads(report, "DKGA02 and Sta", |batch, hits| {
        batch.search_tariffs(black_box(&question), Cipher::Sta, &groups, hits);
    });
    let key = Dkga04Key::new(&[0x11; 20]);
    let groups = [Dkga04Group::from_data_block(&key, &[0; 49]); GROUPS / 10];
    threads(report, "DKGA04 and Misty1", |batch, hits| {
        let cipher = Dkga04Cipher::Misty1;
        batch.search_tariffs_dkga04(black_box(&question), cipher, &groups, hits);
    });
}

fn search(
    report: &mut Report,
    batches: &[Batch],
    cipher: Cipher,
    question: &Question,
    groups: &[Group],
) {
    let straight = || {
        for at in 0..FEW {
            let Group { vending, block } = groups[at % groups.len()];
            black_box(straightforward(cipher, vending, block, black_box(question.block)));
        }
    };
    let stated = Stated(if matches!(cipher, Cipher::Sta) { [24.0, 105.0] } else { [12.5, 58.0] });
    let mut forms = vec![Form::new("straightforward", FEW, straight)];
    for batch in batches {
        let mut hits: Vec<Hit> = Vec::new();
        let times = GROUPS / groups.len();
        let form = Form::new(name(batch), 100 * groups.len() * times, move || {
            for _ in 0..times {
                hits.clear();
                batch.search_tariffs(black_box(question), cipher, groups, &mut hits);
                black_box(&hits);
            }
        });
        forms.push(form.stated(stated.of(batch.lanes())));
    }
    let size = groups.len();
    report.compare(
        &format!("search, DKGA02 and {cipher:?}, {size} groups, a candidate"),
        ROUNDS,
        forms,
    );
}

fn search_04(
    report: &mut Report,
    batches: &[Batch],
    cipher: Dkga04Cipher,
    question: &Question,
    size: usize,
) {
    let vending: Vec<[u8; 20]> = many(6, size)
        .iter()
        .map(|word| std::array::from_fn(|at| word.rotate_left(5 * at as u32) as u8))
        .collect();
    let ready: Vec<Dkga04Key> = vending.iter().map(Dkga04Key::new).collect();
    let data = [b'0'; 49];
    let groups: Vec<Dkga04Group<'_>> =
        ready.iter().map(|key| Dkga04Group::from_data_block(key, &data)).collect();
    let groups = &groups;
    let mut forms = vec![Form::new("straightforward", FEW, || {
        for at in 0..FEW {
            let derived = hmac(black_box(&vending[at % size]), black_box(&data));
            black_box(straightforward_04(cipher, derived, black_box(question.block)));
        }
    })];
    let sta = matches!(cipher, Dkga04Cipher::Sta);
    let stated = Stated(if sta { [9.5, 14.0] } else { [2.0, 3.2] });
    let stated_derived = Stated(if sta { [50.0, 210.0] } else { [6.0, 18.5] });
    for batch in batches {
        let mut hits: Vec<Hit> = Vec::new();
        let times = GROUPS / size;
        let form = Form::new(name(batch), 100 * size * times, move || {
            for _ in 0..times {
                hits.clear();
                batch.search_tariffs_dkga04(black_box(question), cipher, groups, &mut hits);
                black_box(&hits);
            }
        });
        forms.push(form.stated(stated.of(batch.lanes())));
        let planes = batch.derive_tariffs_dkga04(cipher, groups);
        let mut hits: Vec<Hit> = Vec::new();
        let form = Form::new(name(batch) + ", derived", 100 * size * times, move || {
            for _ in 0..times {
                hits.clear();
                planes.open(black_box(question), &mut hits);
                black_box(&hits);
            }
        });
        forms.push(form.stated(stated_derived.of(batch.lanes())));
    }
    report.compare(
        &format!("search, DKGA04 and {cipher:?}, {size} groups, a candidate"),
        ROUNDS,
        forms,
    );
}

fn rows(report: &mut Report, batches: &[Batch], cipher: Cipher) {
    let (vending, blocks, tokens) = (&many(3, ROWS), &many(4, ROWS), &many(5, ROWS));
    let classes = [vec![0; ROWS], tokens.iter().map(|token| (token >> 40 & 2) as u8).collect()];
    let sta = matches!(cipher, Cipher::Sta);
    let stated = Stated(if sta { [22.0, 85.0] } else { [11.5, 47.0] });
    let stated_decrypting = Stated(if sta { [34.0, 140.0] } else { [11.5, 50.0] });
    let mut forms = vec![Form::new("straightforward", FEW, || {
        for at in 0..FEW {
            black_box(straightforward(cipher, vending[at], blocks[at], tokens[at]));
        }
    })];
    for batch in batches {
        for (classes, mixed) in classes.iter().zip(["", ", mixed classes"]) {
            let (mut plain, mut holds) = (vec![0; ROWS], vec![false; ROWS]);
            let form = Form::new(name(batch) + mixed, ROWS, move || {
                batch.open_rows(cipher, vending, blocks, classes, tokens, &mut plain, &mut holds);
                black_box((&plain, &holds));
            });
            forms.push(form.stated(stated.of(batch.lanes())));
        }
    }
    report.compare(
        &format!("rows in memory, DKGA02 and {cipher:?}, own key each, a row"),
        ROUNDS,
        forms,
    );
    let mut forms = vec![Form::new("straightforward", FEW, || {
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
        let form = Form::new(name(batch), ROWS, move || {
            batch.decrypt(cipher, vending, tokens, &mut plain);
            black_box(&plain);
        });
        forms.push(form.stated(stated_decrypting.of(batch.lanes())));
    }
    report.compare(&format!("decrypt, {cipher:?}, own key each, a row"), ROUNDS, forms);
}

/// Two threads against one, each with all of the work: twice as much is done. By the wall clock,
/// the best round of each, as other processes disturb it; and by the threads' own CPU time, which
/// tells how much they slow each other down, as far as they ran at the same time.
fn threads(report: &mut Report, what: &str, search: impl Fn(Batch, &mut Vec<Hit>) + Sync) {
    let title = format!("search on two threads, {what}");
    if !report.wants(&title) {
        return;
    }
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
    for (form, ratio) in [("by the wall clock", wall), ("by the CPU time of each", cpu)] {
        let (title, form) = (title.clone(), form.to_owned());
        report.put(Figure { title, form, nanoseconds: None, ratio, stated: Some(1.7) });
    }
}
