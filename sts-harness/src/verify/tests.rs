use std::num::NonZeroUsize;

use proptest::prelude::*;
use sts_core::{
    Amount, Commodity, CurrencyAmount, DecoderReferenceNumber, EncryptionAlgorithm, KeyAttributes,
    KeyExpiryNumber, MeterPan, Payload, Setting, TariffIndex, Token, TokenId,
};

use super::*;
use crate::input::{InputError, Rejected};
use crate::keys::Locked;
use crate::records::{VERIFY_COLUMNS, verify_rows};
use crate::table::Table;

const KEYS: &str = r#"
[[vending_key]]
id = "short"
purpose = "test"
sgc = "123456"
krn = 1
kt = 2
dkga = "02"
base_date = 1993
key = "0123456789abcdef"

[[vending_key]]
id = "=common;\"x\""
purpose = "test"
sgc = "000001"
krn = 2
kt = 3
dkga = "02"
base_date = 2014
tid_zone = "+02:00"
key = "fedcba9876543210"

[[vending_key]]
id = "long"
purpose = "test"
sgc = "201457"
krn = 1
kt = 2
dkga = "04"
base_date = 2014
key = "abababababababab949494949494949401234567"

[[vending_key]]
id = "twice-1993"
purpose = "test"
sgc = "222222"
krn = 3
kt = 2
dkga = "02"
base_date = 1993
key = "1111111111111111"

[[vending_key]]
id = "twice-2014"
purpose = "test"
sgc = "222222"
krn = 3
kt = 2
dkga = "02"
base_date = 2014
key = "2222222222222222"

[[decoder_key]]
id = "own"
purpose = "test"
pan = "600727000000000009"
ea = "07"
key = "1111111111111111"
"#;

fn ring() -> KeyRing {
    KeyRing::parse("keys.toml", KEYS, &mut Locked).unwrap()
}

type Told = Result<(Vec<String>, Vec<String>, Vec<Rejected>), String>;

/// The table read whole, each row by itself.
fn one_by_one(ring: &KeyRing, bytes: &[u8]) -> Told {
    let table = Table::read("t.csv", bytes, &VERIFY_COLUMNS).map_err(|error| error.to_string())?;
    let rows = verify_rows(table);
    let objects: Vec<_> = rows.rows.iter().map(|row| verify(ring, row)).collect();
    let lines = |form| {
        let writer = Writer::new(form, ring);
        let line = |object| String::from_utf8(writer.any(object)).unwrap();
        objects.iter().map(line).collect()
    };
    Ok((lines(Form::Csv), lines(Form::Ndjson), rows.rejected))
}

fn in_bulk(ring: &KeyRing, bytes: &[u8], threads: usize) -> Told {
    let writers = [Form::Csv, Form::Ndjson].map(|form| Writer::new(form, ring));
    let mut told = (Vec::new(), Vec::new(), Vec::new());
    let each = |verdict: &Verdict<'_>, lines: &mut [Vec<String>; 2]| {
        for (writer, lines) in writers.iter().zip(lines) {
            let mut line = Lines::default();
            writer.put(verdict, &mut line);
            lines.push(String::from_utf8(line.as_bytes().to_vec()).unwrap());
        }
    };
    let threads = NonZeroUsize::new(threads).unwrap();
    Bulk::new(ring)
        .run::<_, InputError>("t.csv", bytes, threads, each, |[csv, ndjson], rejected| {
            told.0.append(csv);
            told.1.append(ndjson);
            told.2.extend(rejected);
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    Ok(told)
}

/// A row of the columns `id,pan,drn,ea,sgc,krn,ti,kt,token,note` whose token is under its key.
fn good(seed: u64) -> [String; 10] {
    let ring = ring();
    let bits = |low: u32, count: u64| (seed >> low) % count;
    let entry = &ring.vending[usize::try_from(bits(0, 5)).unwrap()];
    let drn = format!("{:010}", bits(3, 9_999_999_999));
    let drn = format!("{drn}{}", sts_core::key::luhn_check_digit(drn.as_bytes()));
    let pan = MeterPan::from_drn(&DecoderReferenceNumber::parse(&drn).unwrap());
    let ti = TariffIndex::new(u8::try_from(bits(7, 100)).unwrap()).unwrap();
    let long = bits(13, 3) == 0 && entry.id == "long";
    let ea = if long { EncryptionAlgorithm::Misty1 } else { EncryptionAlgorithm::Sta };
    let attributes = KeyAttributes {
        sgc: entry.sgc,
        krn: entry.krn,
        ti,
        kt: entry.kt,
        ken: KeyExpiryNumber::NEVER,
    };
    let key = entry.key.derive(&pan, ea, &attributes, entry.base_date).unwrap();
    let tid = TokenId::new(u32::try_from(bits(17, 1 << 24)).unwrap()).unwrap();
    let field = u16::try_from(bits(29, 1 << 16)).unwrap();
    let rnd = u8::try_from(bits(41, 16)).unwrap();
    let payload = match bits(50, 8) {
        0 => Payload::CurrencyCredit {
            commodity: Commodity::Water,
            tid,
            amount: CurrencyAmount::from_fields(rnd, field),
        },
        1 => Payload::Set { setting: Setting::MaximumPowerLimit, rnd, tid, value: field },
        of => Payload::Credit {
            commodity: Commodity::ALL[usize::try_from(of % 4).unwrap()],
            rnd,
            tid,
            amount: Amount::from_field(field),
        },
    };
    let token = Token::seal(&payload, &key).to_string();
    let (pan, drn) = if bits(55, 4) == 0 {
        (String::new(), drn)
    } else {
        (pan.as_str().to_owned(), String::new())
    };
    let (sgc, krn, kt) =
        (entry.sgc.to_string(), entry.krn.to_string(), entry.kt.code().to_string());
    let (id, ea, ti) = (format!("r{}", seed % 1000), ea.code().to_owned(), ti.to_string());
    [id, pan, drn, ea, sgc, krn, ti, kt, token, String::new()]
}

const HEADER: &str = "id,pan,drn,ea,sgc,krn,ti,kt,token,note\n";

/// Lines of every kind: good ones, odd ones, and such as are no rows.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop_oneof![
        Just(String::new()),
        Just(" ".to_owned()),
        Just("0".to_owned()),
        Just("=1+1".to_owned()),
        Just("\u{e9}".to_owned()),
        Just("\"quoted\"".to_owned()),
        Just("\"a\nb,\"\"c\"".to_owned()),
        Just("\"open".to_owned()),
        Just("18446744073843772416".to_owned()),
        Just("1844 6744 0738 4377 2416".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("600727000000000009".to_owned()),
        "[ -~]{0,8}",
    ];
    let end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\n\r\n"), 1 => Just("\r")];
    let changed = (any::<u64>(), 0..10_usize, odd, end.clone()).prop_map(|(seed, at, odd, end)| {
        let mut row = good(seed);
        row[at] = odd;
        (row.join(",") + end).into_bytes()
    });
    let typed = (any::<u64>(), 0..10_usize, 0..20_usize, any::<u8>(), end.clone()).prop_map(
        |(seed, at, place, byte, end)| {
            let mut row = good(seed).map(String::into_bytes);
            if let Some(changed) = row[at].get_mut(place) {
                *changed = byte;
            }
            [row.join(&b','), end.as_bytes().to_vec()].concat()
        },
    );
    prop_oneof![
        6 => (any::<u64>(), end).prop_map(|(seed, end)| (good(seed).join(",") + end).into_bytes()),
        4 => changed,
        3 => typed,
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => "[0-9,\"\n]{0,40}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn bulk_says_what_rows_say_one_by_one(
        lines in proptest::collection::vec(line(), 0..40),
        threads in 1..4_usize,
        ended in any::<bool>(),
    ) {
        let mut bytes = [HEADER.as_bytes().to_vec(), lines.concat()].concat();
        if !ended && bytes.len() > HEADER.len() {
            bytes.pop();
        }
        let ring = ring();
        let (one, bulk) = (one_by_one(&ring, &bytes).unwrap(), in_bulk(&ring, &bytes, threads).unwrap());
        prop_assert_eq!(one, bulk, "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn bulk_of_every_column_order_and_delimiter_says_what_rows_say() {
    let ring = ring();
    for (header, delimiter) in [
        ("token,kt,ti,krn,sgc,ea,pan", ","),
        ("\u{feff}id;pan;ea;sgc;krn;ti;kt;token", ";"),
        ("\n\r\nid\tdrn\tiin\tea\tsgc\tkrn\tti\tkt\ttoken", "\t"),
        ("token", ","),
    ] {
        let delimiter = delimiter.chars().next().unwrap();
        let header = header.replace(',', &delimiter.to_string());
        let names: Vec<&str> =
            header.trim_start_matches(['\u{feff}', '\n', '\r']).split(delimiter).collect();
        let mut text = header.clone() + "\r\n";
        for seed in 0..200_u64 {
            let row = good(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let columns: Vec<&str> = HEADER.trim().split(',').collect();
            let value = |name: &&str| {
                columns.iter().position(|column| column == name).map_or("", |at| row[at].as_str())
            };
            let cells: Vec<&str> = names.iter().map(value).collect();
            text += &(cells.join(&delimiter.to_string()) + "\r\n");
        }
        let one = one_by_one(&ring, text.as_bytes()).unwrap();
        assert_eq!(one.0.len(), 200, "{header:?}: {:?}", one.2);
        assert_eq!(Ok(one), in_bulk(&ring, text.as_bytes(), 3));
    }
}

#[test]
fn bulk_of_bad_files_says_what_is_wrong() {
    let ring = ring();
    for bytes in [
        &b""[..],
        b"\n\n",
        b"\xEF\xBB\xBF",
        b"\xFF\xFEi\0d\0",
        b"\"token",
        b"tokn\n1\n",
        b"id\n1\n",
        b"token,token\n",
        b"token\r1\r2\r",
    ] {
        assert_eq!(in_bulk(&ring, bytes, 2), one_by_one(&ring, bytes), "{bytes:?}");
    }
}

#[test]
fn bulk_rejects_a_line_that_is_too_long_and_goes_on() {
    let ring = ring();
    let long = vec![b'7'; 5 << 20];
    let bytes =
        [HEADER.as_bytes(), &long, b"\n", good(1).join(",").as_bytes(), b"\n", &long].concat();
    let (csv, _, rejected) = in_bulk(&ring, &bytes, 2).unwrap();
    assert_eq!(csv.len(), 1);
    assert!(csv[0].starts_with("1,r1,"), "{}", csv[0]);
    let lines: Vec<_> = rejected.iter().map(|row| row.place.line).collect();
    assert_eq!(lines, [Some(2), Some(4)]);
    assert!(rejected.iter().all(|row| row.row.concat().len() == 1000), "only the beginning");
}

#[test]
fn bulk_ends_with_what_the_receiver_says() {
    let ring = ring();
    let rows = (0..1000).map(|seed| good(seed).join(",") + "\n").collect::<String>();
    let text = HEADER.to_owned() + &rows;
    let threads = NonZeroUsize::new(3).unwrap();
    let mut parts = 0;
    let failed = Bulk::new(&ring).run(
        "t.csv",
        text.as_bytes(),
        threads,
        |_, rows: &mut usize| *rows += 1,
        |_, _| {
            parts += 1;
            if parts == 3 { Err(InputError::other("t.csv", "enough")) } else { Ok(()) }
        },
    );
    assert_eq!(failed.unwrap_err().to_string(), "t.csv: enough");
    assert_eq!(parts, 3);
}

#[test]
fn columns_are_the_properties_of_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schemas/verify.schema.json")).unwrap();
    let names: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, COLUMNS);
}

proptest! {
    #[test]
    fn fields_say_what_rows_say_one_by_one(
        seeds in proptest::collection::vec(any::<u64>(), 0..40),
        change in proptest::option::of((any::<proptest::sample::Index>(), 0..7_usize, "[0-9 ]{0,20}")),
    ) {
        let ring = ring();
        let mut rows: Vec<[String; 7]> = seeds
            .into_iter()
            .map(|seed| {
                let [_, pan, drn, ea, sgc, krn, ti, kt, token, _] = good(seed);
                [token, pan + &drn, ea, sgc, krn, ti, kt]
            })
            .collect();
        if let Some((row, column, text)) = change && !rows.is_empty() {
            let row = row.index(rows.len());
            rows[row][column] = text;
        }
        let fields = rows.iter().map(|[token, meter, ea, sgc, krn, ti, kt]| Fields {
            token, meter, ea, sgc, krn, ti, kt,
        });
        let mut told = Vec::new();
        Bulk::new(&ring).fields(fields, |verdict| told.push(verdict.map(Verdict::object)));
        for (row, told) in rows.iter().zip(&told) {
            let names = ["token", "", "ea", "sgc", "krn", "ti", "kt"];
            let get = |name: &str| {
                let place = names.iter().position(|known| known == &name)?;
                Some(row[place].trim()).filter(|text| !text.is_empty())
            };
            let meter = Some(row[1].trim()).filter(|text| !text.is_empty());
            match (VerifyRow::of(String::new(), get), meter.map(crate::records::meter_pan).transpose()) {
                (Ok(parsed), Ok(pan)) => {
                    let alone = verify(&ring, &VerifyRow { pan, ..parsed });
                    prop_assert_eq!(told.as_ref().ok(), Some(&alone));
                }
                _ => prop_assert!(told.is_err(), "{:?}", told),
            }
        }
        prop_assert_eq!(told.len(), rows.len());
    }
}

#[cfg(feature = "parquet")]
#[test]
fn table_in_parquet_is_the_one_in_csv() {
    use std::io::Read;
    use std::sync::Arc;

    use ::parquet::data_type::{ByteArray, ByteArrayType};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;

    let rows: Vec<[String; 10]> = (0..5000).map(good).collect();
    let columns: Vec<&str> = HEADER.trim().split(',').collect();
    let fields = columns.iter().map(|name| match *name {
        "id" => format!("REQUIRED BYTE_ARRAY {name} (STRING);"),
        _ => format!("OPTIONAL BYTE_ARRAY {name} (STRING);"),
    });
    let schema = format!("message t {{ {} }}", fields.collect::<String>());
    let schema = ::parquet::schema::parser::parse_message_type(&schema).unwrap();
    let path = std::env::temp_dir().join(format!("sts-verify-{}.parquet", std::process::id()));
    let settings = Arc::new(WriterProperties::builder().build());
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), settings).unwrap();
    for rows in rows.chunks(1700) {
        let mut group = writer.next_row_group().unwrap();
        for (place, name) in columns.iter().enumerate() {
            let there: Vec<i16> =
                rows.iter().map(|row| i16::from(!row[place].is_empty())).collect();
            let values: Vec<ByteArray> = rows
                .iter()
                .map(|row| row[place].as_str())
                .filter(|text| *name == "id" || !text.is_empty())
                .map(ByteArray::from)
                .collect();
            let mut column = group.next_column().unwrap().unwrap();
            let levels = (*name != "id").then_some(there.as_slice());
            column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    let mut read = String::new();
    ParquetTable::open(&path).unwrap().read_to_string(&mut read).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.join(",") + "\n").collect();
    assert_eq!(read, HEADER.to_owned() + &lines.concat());
}
