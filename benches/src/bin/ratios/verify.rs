//! `sts verify`, CSV in and CSV out, against the straightforward way: records of the crate `csv`, a
//! new `des::Des` for each key, STA by loops over one word, the CRC bit by bit. Every row has a meter,
//! and so a key, of its own.

use std::hint::black_box;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::time::Instant;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use sts_benches::measure::{self, Figure, Report};
use sts_benches::table;
use sts_core::key::{KeyAttributes, control_block, pan_block};
use sts_core::{Amount, Commodity, KeyExpiryNumber, MeterPan, TariffIndex, TokenId};
use sts_harness::input::InputError;
use sts_harness::keys::KeyRing;
use sts_harness::verify::{Bulk, COLUMNS, Form, Lines, Verdict, Writer};

const ROUNDS: usize = 21;
const ROWS: usize = 20_000;
/// The bulk form takes more, so that a round of it is about as long.
const REPEATED: usize = 10;

pub(crate) fn measure(report: &mut Report) {
    let title = "sts verify, CSV to CSV, own key each, a row";
    let threads_title = "sts verify on two threads";
    if !report.wants(title) && !report.wants(threads_title) {
        return;
    }
    let ring = table::ring();
    let table = table::table(&ring, ROWS as u64);
    let bulk = Bulk::new(&ring);
    let writer = Writer::new(Form::Csv, &ring);
    let (mut expected, mut out) = (Vec::new(), Vec::new());
    straightforward(&ring, &table, &mut expected);
    in_bulk(&bulk, &writer, &table, 1, &mut out);
    assert!(out == expected, "both forms write the same bytes");

    // What is written goes nowhere: to copy it once more belongs to neither form.
    let slow = measure::Form::new("straightforward", ROWS, || {
        straightforward(&ring, black_box(&table), io::sink());
    });
    let fast = measure::Form::new("sts verify", REPEATED * ROWS, || {
        for _ in 0..REPEATED {
            in_bulk(&bulk, &writer, black_box(&table), 1, io::sink());
        }
    });
    report.compare(title, ROUNDS, vec![slow, fast.stated(12.0)]);
    if !report.wants(threads_title) {
        return;
    }

    let long = [table::HEADER.as_bytes(), &table[table::HEADER.len()..].repeat(20)].concat();
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (threads, best) in (1..).zip(&mut best) {
            let start = Instant::now();
            in_bulk(&bulk, &writer, &long, threads, io::sink());
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    report.put(Figure {
        title: threads_title.to_owned(),
        form: "by the wall clock".to_owned(),
        nanoseconds: None,
        ratio: best[0] / best[1],
        stated: Some(1.8),
    });
}

fn in_bulk(
    bulk: &Bulk<'_>,
    writer: &Writer,
    table: &[u8],
    threads: usize,
    mut out: impl Write + Send,
) {
    out.write_all(writer.header().as_bytes()).expect("memory");
    let threads = NonZeroUsize::new(threads).expect("at least one");
    let each = |verdict: &Verdict<'_>, lines: &mut Lines| writer.put(verdict, lines);
    bulk.run::<_, InputError>("t.csv", table, threads, each, |lines, rejected| {
        assert_eq!(rejected, [], "no bad rows");
        out.write_all(black_box(lines.as_bytes())).expect("memory");
        lines.clear();
        Ok(())
    })
    .expect("a good table");
}

/// As one writes it without thinking of speed: a record in, a record out.
fn straightforward(ring: &KeyRing, table: &[u8], out: impl Write) {
    let mut reader = csv::Reader::from_reader(table);
    let mut writer = csv::Writer::from_writer(out);
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
    writer.flush().expect("memory");
}
