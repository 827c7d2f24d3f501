//! How much faster a table of tokens is verified, CSV in and CSV out, than in the straightforward
//! way: records of the crate `csv`, a new `des::Des` for each key, STA by loops over one word, the
//! CRC bit by bit. Every row has a meter, and so a key, of its own.
//!
//! One process, rounds in turn, CPU time of this thread, tenth percentile. Two threads by the wall
//! clock, best of all rounds.
//!
//! ```text
//! cargo run --release --bin verify
//! ```

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use sts_benches::thread_cpu_ns;
use sts_core::key::{
    EncryptionAlgorithm, KeyAttributes, control_block, luhn_check_digit, pan_block,
};
use sts_core::{
    Amount, Commodity, DecoderReferenceNumber, KeyExpiryNumber, MeterPan, Payload, TariffIndex,
    Token, TokenId,
};
use sts_harness::input::InputError;
use sts_harness::keys::{KeyRing, Locked};
use sts_harness::verify::{Bulk, COLUMNS, Form, Lines, Verdict, Writer};

const ROUNDS: usize = 21;
const ROWS: usize = 20_000;
/// Vending keys.
const KEYS: usize = 8;

fn main() {
    let ring = ring();
    let table = table(&ring);
    let bulk = Bulk::new(&ring);
    let writer = Writer::new(Form::Csv, &ring);
    let expected = straightforward(&ring, &table);
    let mut out = Vec::with_capacity(expected.len());
    in_bulk(&bulk, &writer, &table, 1, &mut out);
    assert!(out == expected, "both forms write the same bytes");

    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = thread_cpu_ns();
        black_box(straightforward(&ring, black_box(&table)));
        slow.push(per_row(thread_cpu_ns() - start));
        let start = thread_cpu_ns();
        for _ in 0..10 {
            in_bulk(&bulk, &writer, black_box(&table), 1, &mut out);
            black_box(&out);
        }
        fast.push(per_row(thread_cpu_ns() - start) / 10.0);
    }
    let (slow, fast) = (tenth_percentile(slow), tenth_percentile(fast));
    println!(
        "CSV to CSV, DKGA02 and EA07, every row its own key, {} bytes a row",
        table.len() / ROWS
    );
    println!("  straightforward {slow:>8.1} ns a row");
    println!("  sts verify      {fast:>8.1} ns a row {:>6.1} x", slow / fast);

    let long = [HEADER.as_bytes(), &table[HEADER.len()..].repeat(20)].concat();
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (threads, best) in (1..).zip(&mut best) {
            let start = Instant::now();
            in_bulk(&bulk, &writer, &long, threads, &mut out);
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    println!("  two threads against one, by the wall clock: {:.2} x", best[0] / best[1]);
}

fn per_row(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / ROWS as f64
}

fn tenth_percentile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

fn in_bulk(bulk: &Bulk<'_>, writer: &Writer, table: &[u8], threads: usize, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(writer.header().as_bytes());
    let threads = NonZeroUsize::new(threads).expect("at least one");
    let each = |verdict: &Verdict<'_>, lines: &mut Lines| writer.put(verdict, lines);
    bulk.run::<_, InputError>("t.csv", table, threads, each, |lines, rejected| {
        assert_eq!(rejected, [], "no bad rows");
        out.extend_from_slice(lines.as_bytes());
        lines.clear();
        Ok(())
    })
    .expect("a good table");
}

fn mixed(at: u64) -> u64 {
    let at = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (at ^ at >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn ring() -> KeyRing {
    let key = |at: usize| {
        format!(
            "[[vending_key]]\nid = \"key-{at}\"\npurpose = \"test\"\nsgc = \"{:06}\"\nkrn = 1\nkt = 2\n\
             dkga = \"02\"\nbase_date = 2014\nkey = \"{:016x}\"\n",
            600_000 + at,
            mixed(at as u64) & 0xfefe_fefe_fefe_fefe | 0x0101_0101_0101_0101,
        )
    };
    KeyRing::parse("keys", &(0..KEYS).map(key).collect::<String>(), &mut Locked).expect("keys")
}

const HEADER: &str = "id,pan,ea,sgc,krn,ti,kt,token,note\n";

/// Credit tokens, each of a meter of its own; one in sixteen does not authenticate.
fn table(ring: &KeyRing) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for row in 0..ROWS as u64 {
        let bits = mixed(row);
        let serial = format!("{:010}", bits % 9_999_999_999);
        let drn = format!("{serial}{}", luhn_check_digit(serial.as_bytes()));
        let pan = MeterPan::from_drn(&DecoderReferenceNumber::parse(&drn).expect("a check digit"));
        let entry = &ring.vending[bits as usize % KEYS];
        let ti = TariffIndex::new((bits >> 20) as u8 % 100).expect("below 100");
        let (sgc, krn, kt) = (entry.sgc, entry.krn, entry.kt);
        let attributes = KeyAttributes { sgc, krn, ti, kt, ken: KeyExpiryNumber::NEVER };
        let ea = EncryptionAlgorithm::Sta;
        let key = entry.key.derive(&pan, ea, &attributes, entry.base_date).expect("64 bits");
        let payload = Payload::Credit {
            commodity: Commodity::Electricity,
            rnd: (bits >> 24) as u8 & 15,
            tid: TokenId::new((bits >> 28) as u32 % 6_000_000).expect("24 bits"),
            amount: Amount::from_field((bits >> 52) as u16),
        };
        let token = Token::seal(&payload, &key);
        let spoilt = Token::from_class_and_block(token.class(), token.block() ^ 1);
        let token = if row % 16 == 0 { spoilt } else { token };
        let (ea, kt) = (ea.code(), kt.code());
        text += &format!("{row},{pan},{ea},{sgc},{krn},{ti},{kt},{token},{:020}\n", bits);
    }
    text.into_bytes()
}

/// As one writes it without thinking of speed: a record in, a record out.
fn straightforward(ring: &KeyRing, table: &[u8]) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(table);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("memory");
    let column = |name| COLUMNS.iter().position(|column| *column == name).expect("a column");
    for record in reader.records() {
        let record = record.expect("a good table");
        let pan = MeterPan::parse(&record[1]).expect("a good number");
        let sgc: u32 = record[3].parse().expect("a number");
        let krn: u8 = record[4].parse().expect("a number");
        let ti: u8 = record[5].parse().expect("a number");
        let kt: u8 = record[6].parse().expect("a number");
        let entry = ring
            .vending
            .iter()
            .find(|it| it.sgc.get() == sgc && it.krn.get() == krn && it.kt.code() == kt)
            .expect("a key");
        let attributes = KeyAttributes {
            sgc: entry.sgc,
            krn: entry.krn,
            ti: TariffIndex::new(ti).expect("below 100"),
            kt: entry.kt,
            ken: KeyExpiryNumber::NEVER,
        };
        let block = pan_block(pan.iin(), pan.drn(), entry.kt) ^ control_block(&attributes);
        let vending: [u8; 8] = entry.key.expose_bytes().try_into().expect("eight bytes");
        let mut bytes = block.to_be_bytes().into();
        Des::new(&vending.into()).encrypt_block(&mut bytes);
        let key = u64::from_be_bytes(bytes.into()) ^ block ^ u64::from_be_bytes(vending);
        let mut out = vec![String::new(); COLUMNS.len()];
        let mut put = |name, value: String| out[column(name)] = value;
        put("schema", "1".to_owned());
        put("id", record[0].to_owned());
        put("token", record[7].to_owned());
        put("token_class", "0".to_owned());
        put("trials", "1".to_owned());
        match sts_benches::open(&record[7], key) {
            None => put("result", "CRCError".to_owned()),
            Some(credit) => {
                let commodity = Commodity::ALL[usize::from(credit.subclass)];
                let tid = TokenId::new(credit.tid).expect("24 bits");
                let minutes = tid.unix_minutes(entry.base_date);
                let units = Amount::from_field(credit.field).units();
                put("result", "Authentic".to_owned());
                put("subclass", credit.subclass.to_string());
                put("name", format!("TransferCredit {}", commodity.name()));
                put("rnd", credit.rnd.to_string());
                put("tid", credit.tid.to_string());
                put("tid_time", sts_harness::time::format_minutes(minutes));
                put("units_raw", units.to_string());
                put("quantity", format!("{}.{}", units / 10, units % 10));
                put("unit", commodity.unit().to_owned());
                put("key_id", entry.id.clone());
                put("matches", entry.id.clone());
            }
        }
        writer.write_record(&out).expect("memory");
    }
    writer.into_inner().expect("memory")
}
