//! Bad inputs, each with the place and the words it is answered with, and none that shows a key.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;

use sts_harness::case::{Case, Overrides};
use sts_harness::keys::{KeyRing, Locked, Unlock, seal_record};
use sts_harness::records;
use sts_harness::table::{Columns, Table, write_rejects};
use sts_harness::zeroize::Zeroizing;

const COLUMNS: Columns = Columns { required: &[&["id"]], optional: &["token", "note"] };

fn table(bytes: &[u8]) -> Table {
    Table::read("t.csv", bytes, &COLUMNS).unwrap()
}

fn rejects(table: &Table) -> String {
    let mut written = Vec::new();
    write_rejects(&mut written, &table.header, &table.rejected).unwrap();
    String::from_utf8(written).unwrap()
}

/// A folder of its own for a test, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("sts-inputs-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            std::fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn quote_never_closed_rejects_its_row_alone() {
    let table = table(b"id,token,note\n1,x,\"oops\n2,y,z\n3,y,\"a, \"\"b\"\"\"\n");
    let ids: Vec<_> = table.rows.iter().map(|row| row.get("id").unwrap()).collect();
    assert_eq!(ids, ["2", "3"]);
    assert_eq!(table.rows[1].get("note"), Some("a, \"b\""));
    assert_eq!((table.rows[0].line, table.rows[1].line), (3, 4));
    assert_eq!(table.rejected.len(), 1);
    assert_eq!(table.rejected[0].place.line, Some(2));
    assert!(table.rejected[0].reason.contains("never closed"), "{}", table.rejected[0]);
    assert!(rejects(&table).contains("oops"));
}

#[test]
fn quotes_never_closed_in_several_rows_reject_each() {
    let table =
        table(b"id,token,note\n1,x,\"a\n2,x,\"a\n3,5\" pipe,ok\n4,y,\"two\nlines\"\n5,z,\"a");
    let ids: Vec<_> = table.rows.iter().map(|row| row.get("id").unwrap()).collect();
    assert_eq!(ids, ["3", "4"]);
    let lines: Vec<_> = table.rejected.iter().map(|row| row.place.line.unwrap()).collect();
    assert_eq!(lines, [2, 3, 7]);
}

#[test]
fn quote_closed_at_the_end_is_no_fault() {
    for text in ["id,token,note\n1,x,\"a\"", "id,token,note\n1,x,\"a\nb\"\n", "id\n\"\"\"1\"\n"] {
        let table = table(text.as_bytes());
        assert_eq!((table.rows.len(), table.rejected.len()), (1, 0), "{text}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_not_lost() {
    let table = table(b"id,note\n1,caf\xE9\n2,fine\n");
    assert_eq!(table.rows.len(), 1);
    assert!(rejects(&table).contains("1,café,2,"), "{}", rejects(&table));
}

#[test]
fn utf_16_is_named() {
    let error = Table::read("t.csv", b"\xFF\xFEi\0d\0\n\0", &COLUMNS).unwrap_err().to_string();
    assert!(error.contains("UTF-16") && error.contains("UTF-8"), "{error}");
}

#[test]
fn rejects_can_be_mended_and_read_again() {
    let first = table(b"id,token\n1,x,y\n2\n");
    assert_eq!(first.rejected.len(), 2);
    let written = rejects(&first);
    let line = written.lines().nth(2).unwrap();
    assert!(line.starts_with("2,,,3,"), "{written}");
    let mended = "id,token,reject_line,reject_reason\n2,x,3,whatever\n";
    assert_eq!(table(mended.as_bytes()).rows.len(), 1);
}

#[test]
fn blank_lines_before_the_header_change_nothing() {
    let table = table(b"\r\n\r\nid;token\r\n1;x\r\n");
    assert_eq!(table.rows[0].get("token"), Some("x"));
    assert_eq!(table.rows[0].line, 4);
}

const METER: &str = "pan,ea,sgc,krn,ti,kt,base_date\n";
const ENTRY: &str = "id,entered_at,pan,entered,unit\n";
const PAN: &str = "600727000000000009";

fn meters(name: &str, rows: &str) -> Vec<String> {
    let folder = Folder::new(name, &[("meters.csv", &format!("{METER}{rows}"))]);
    let read = records::read_meters(&folder.0.join("meters.csv")).unwrap();
    read.rejected.iter().map(ToString::to_string).collect()
}

#[test]
fn meter_fields_out_of_range_are_named() {
    for (place, row, says) in [
        (0, format!("{PAN},07,123456,0,01,2,2014"), "meters.csv:2: krn: 0"),
        (1, format!("{PAN},07,123456,10,01,2,2014"), "meters.csv:2: krn: "),
        (2, format!("{PAN},08,123456,1,01,2,2014"), "meters.csv:2: ea: \"08\""),
        (3, format!("{PAN},07,1457,1,01,2,2014"), "meters.csv:2: sgc: \"1457\""),
        (4, format!("{PAN},07,123456,1,100,2,2014"), "meters.csv:2: ti: "),
        (5, format!("{PAN},07,123456,1,01,4,2014"), "meters.csv:2: kt: \"4\""),
        (6, format!("{PAN},07,123456,1,01,2,2015"), "meters.csv:2: base_date: \"2015\""),
        (7, "600727000000000008,07,123456,1,01,2,2014".to_owned(), "meters.csv:2: pan: "),
    ] {
        let rejected = meters(&format!("meter-{place}"), &row);
        assert!(rejected.len() == 1 && rejected[0].starts_with(says), "{says}: {rejected:?}");
    }
    assert!(meters("ditk", &format!("{PAN},07,123456,0,01,0,2014")).is_empty());
}

#[test]
fn meter_that_stands_twice_is_taken_once() {
    let row = format!("{PAN},07,123456,1,01,2,2014\n");
    let rejected = meters("twice", &row.repeat(2));
    assert!(rejected.len() == 1 && rejected[0].contains("line 2 already"), "{rejected:?}");
}

fn case(name: &str, entries: &str, settings: &str, sort: bool) -> Result<Case, String> {
    let folder = Folder::new(
        name,
        &[
            ("meters.csv", &format!("{METER}{PAN},07,123456,1,01,2,2014\n")),
            ("entries.csv", &format!("{ENTRY}{entries}")),
            ("case.toml", settings),
        ],
    );
    Case::load(&folder.0, Overrides::new(None, None, sort), &mut Locked)
        .map_err(|error| error.to_string())
}

#[test]
fn entries_out_of_order_are_refused_unless_sorted() {
    let entries = format!(
        "1,2024-11-01T09:00:00Z,{PAN},1,\n2,2024-11-01T10:00:00+02:00,{PAN},2,\n3,2024-11-01T09:00:00Z,{PAN},3,\n"
    );
    let error = case("order", &entries, "", false).unwrap_err();
    assert!(error.contains(":3: entered_at") && error.contains("--sort"), "{error}");
    let sorted = case("sorted", &entries, "", true).unwrap();
    let ids: Vec<_> = sorted.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["2", "1", "3"]);
}

#[test]
fn settings_of_another_schema_are_refused() {
    assert!(case("schema-1", "", "schema = 1\n", false).is_ok());
    let error = case("schema-2", "", "schema = 2\n", false).unwrap_err();
    assert!(error.contains("schema") && error.contains("expected 1"), "{error}");
}

#[test]
fn units_are_those_of_the_standard() {
    let read = case("unit", &format!("1,2024-11-01T09:00:00Z,{PAN},1,kVA\n"), "", false).unwrap();
    let reason = read.rejected[0].rows[0].to_string();
    assert!(reason.contains("unit") && reason.contains("kWh, m3, min"), "{reason}");
}

const RECORD: &str = "id = \"k1\"\npurpose = \"test\"\nsgc = \"123456\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\n";
const KEY: &str = "abababababababab";

struct Kek;

impl Unlock for Kek {
    fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(vec![7; 32]))
    }
}

#[test]
fn no_bad_key_line_is_repeated() {
    for line in [
        format!("key = {KEY}"),
        format!("key = \"{KEY}"),
        format!("key = '{KEY}\""),
        format!("key = [\"{KEY}\"]"),
        format!("key = {{ {KEY} = 1 }}"),
        format!("key = \"\\q{KEY}\""),
        format!("key \"{KEY}\""),
        format!("{KEY} = 1"),
        format!("[{KEY}]"),
        format!("key = \"{KEY}\"\nkey = \"{KEY}\""),
        format!("key = \"{KEY}\"\n{KEY} = 1\n{KEY} = 1"),
        format!("key = \"{KEY}\"\nkrn = \"{KEY}\""),
        format!("key = \"{KEY}\"\nken = \"{KEY}\""),
        format!("key = \"{KEY}\"\ntid_zone = \"{KEY}\""),
        format!("key = \"{KEY}\"\ntid_zone = \"+{KEY}\""),
        format!("key = \"{KEY}zz\""),
    ] {
        let text = format!("[[vending_key]]\n{RECORD}{line}\n");
        let error = KeyRing::parse("keys.toml", &text, &mut Locked).unwrap_err().to_string();
        assert!(!error.contains("abab"), "{line:?}: {error}");
        assert!(error.starts_with("keys.toml:"), "{line:?}: {error}");
    }
    for (from, what) in [("\"123456\"", "sgc"), ("\"test\"", "purpose"), ("\"02\"", "dkga")] {
        let text = RECORD.replace(from, &format!("\"{KEY}\""));
        let text = format!("[[vending_key]]\n{text}key = \"{KEY}\"\n");
        let error = KeyRing::parse("keys.toml", &text, &mut Locked).unwrap_err().to_string();
        assert!(error.contains(what) && !error.contains("abab"), "{error}");
    }
}

#[test]
fn sealed_record_never_keeps_the_clear_key() {
    let record = RECORD.replace("\"test\"", "\"verify\"");
    for line in [
        format!("key = \"{KEY}\""),
        format!("\"key\" = \"{KEY}\""),
        format!("'key' = '{KEY}' # comment"),
        format!("key = \"\"\"\n{KEY}\"\"\""),
        format!("key = '''\n{KEY}'''"),
        format!("key =\"\"\"\\\n  {KEY}\"\"\""),
    ] {
        let text = format!("{line}\n{record}");
        let sealed = seal_record("vending_key", &text, &[7; 32]).unwrap();
        assert!(!sealed.contains("abab"), "{line:?}: {sealed}");
        let file = format!("[seal]\nkdf = \"file\"\n[[vending_key]]\n{sealed}");
        let ring = KeyRing::parse("k", &file, &mut Kek).unwrap();
        assert_eq!(ring.vending[0].sgc.get(), 123_456);
    }
    let commented = format!("# was {}\n{record}key = \"{KEY}\"\n", KEY.to_uppercase());
    assert!(seal_record("vending_key", &commented, &[7; 32]).is_err());
    let both = format!("{record}key = \"{KEY}\"\nsealed = \"00\"\n");
    assert!(seal_record("vending_key", &both, &[7; 32]).is_err());
}

#[test]
fn zone_of_a_decoder_key_is_kept() {
    let text = format!(
        "[[decoder_key]]\nid = \"d\"\npurpose = \"test\"\npan = \"{PAN}\"\nea = \"07\"\ntid_zone = \"+02:00\"\nkey = \"{KEY}\"\n"
    );
    let ring = KeyRing::parse("k", &text, &mut Locked).unwrap();
    assert!(ring.decoders[0].tid_zone.is_some());
    assert!(KeyRing::parse("k", &text.replace("+02:00", "+2"), &mut Locked).is_err());
}

#[test]
fn key_file_with_a_bom_is_read() {
    let text = format!("\u{FEFF}[[vending_key]]\n{RECORD}key = \"{KEY}\"\n");
    assert!(KeyRing::parse("k", &text, &mut Locked).is_ok());
}

#[cfg(unix)]
#[test]
fn key_file_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let record = RECORD.replace("\"test\"", "\"verify\"");
    let sealed =
        seal_record("vending_key", &format!("{record}key = \"{KEY}\"\n"), &[7; 32]).unwrap();
    let sealed = format!("[seal]\nkdf = \"file\"\n[[vending_key]]\n{sealed}");
    let clear = format!("[[vending_key]]\n{RECORD}key = \"{KEY}\"\n");
    let folder = Folder::new("modes", &[("sealed.toml", &sealed), ("clear.toml", &clear)]);
    for (file, mode, warnings) in
        [("sealed.toml", 0o644, 1), ("sealed.toml", 0o600, 0), ("clear.toml", 0o644, 0)]
    {
        let path = folder.0.join(file);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let ring = KeyRing::load(&path, &mut Kek).unwrap();
        let about_mode = ring.warnings.iter().filter(|w| w.problem.contains("chmod")).count();
        assert_eq!(about_mode, warnings, "{file} {mode:o}");
    }
}

fn text() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::string::string_regex("[a-z0-9 ,;\\t\"'\\n\\réé=-]{0,8}").unwrap()
}

proptest::proptest! {
    #[test]
    fn well_formed_tables_come_back_whole(
        rows in proptest::collection::vec([text(), text(), text()], 1..6),
        delimiter in proptest::sample::select(vec![b',', b';', b'\t']),
        bom: bool,
        crlf: bool,
    ) {
        let mut bytes = if bom { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(end)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(&mut bytes);
        writer.write_record(["id", "token", "note"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        drop(writer);
        let table = table(&bytes);
        proptest::prop_assert!(table.rejected.is_empty());
        let read: Vec<_> = table.rows.iter().map(|row| row.original.clone()).collect();
        let filled = |row: &&[String; 3]| row.iter().any(|field| !field.trim().is_empty());
        let written: Vec<_> = rows.iter().filter(filled).map(|row| row.to_vec()).collect();
        proptest::prop_assert_eq!(read, written);
    }

    #[test]
    fn tables_of_any_bytes_lose_no_letter(
        body in proptest::string::bytes_regex("(?s-u:[a-c,\"\\r\\n\\xE9]{0,60})").unwrap(),
    ) {
        let table = table(&[b"id,token,note\n".as_slice(), &body].concat());
        let fields = table.rows.iter().map(|row| &row.original);
        let fields = fields.chain(table.rejected.iter().map(|row| &row.row)).flatten();
        let kept: usize =
            fields.flat_map(|field| field.chars()).filter(|c| !c.is_ascii() || c.is_ascii_alphabetic()).count();
        let given = body.iter().filter(|b| !b.is_ascii() || b.is_ascii_alphabetic()).count();
        proptest::prop_assert_eq!(kept, given);
        let lines: Vec<_> = table.rejected.iter().map(|row| row.place.line).collect();
        proptest::prop_assert!(lines.is_sorted());
    }
}

#[test]
fn hostile_quotes_cost_no_more_than_their_length() {
    let mut text = b"id,token,note\n".to_vec();
    for row in [&b"1,x,\"a\n"[..], b"1,\"\"\"a\n", b"1,x,\"\"\"\"\n", b"\"\"\n"] {
        text.extend(row.repeat(20_000));
    }
    let read = table(&text);
    assert!(read.rejected.len() >= 40_000);
}
