//! Exports that are cut off, made to hurt, or in disorder: each ends with its error and status 3, and
//! takes no more memory than a good one.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the tool with an address space of so many MiB, and says status and all that was printed.
fn sts_within(folder: &Path, mebibytes: usize, arguments: &[&str]) -> (i32, String) {
    let script = format!("ulimit -v {}; exec \"$0\" \"$@\"", mebibytes * 1024);
    let done = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_sts")])
        .args(arguments)
        .current_dir(folder)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("a shell");
    let text = [done.stdout, done.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (done.status.code().unwrap_or_else(|| panic!("{arguments:?} was killed: {text}")), text)
}

fn sts(folder: &Path, arguments: &[&str]) -> (i32, String) {
    sts_within(folder, 512, arguments)
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bad-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

/// A folder with a file in it.
fn with_file(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder(name);
    std::fs::write(path.join(name), bytes).expect("a file");
    path
}

/// What `sts import` says of a file with these bytes, which it must refuse.
fn refused(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let folder = with_file(name, bytes);
    let (status, said) = sts(&folder, &["import", name, "--out", "case", "--tz", "UTC"]);
    assert_eq!(status, 3, "{name}: {said}");
    assert!(said.contains("error: ") && !said.contains("panicked"), "{name}: {said}");
    assert!(!folder.join("case/entries.csv").exists(), "{name}: {said}");
    said
}

const HEAD: &str = "msno,stsCipher,respDateTime,units\n";

/// A sale in the minute of a day.
fn sale(minute: usize) -> String {
    let (hour, minute) = (minute / 60, minute % 60);
    format!(
        "01202401012,6942234276265488{:04},2024-10-31 {hour:02}:{minute:02},10\n",
        7000 + minute
    )
}

fn sales(count: usize) -> String {
    (0..count).map(sale).collect()
}

// --------------------------------------------------------------------------- cut off, and bombs

#[test]
fn files_that_are_cut_off_say_so() {
    let book = workbook(&sheet("<row><c><v>1</v></c></row>"));
    let said = refused("cut.xlsx", &book[..book.len() / 2]);
    assert!(said.contains("cut.xlsx: cannot be opened as XLSX") && said.contains("cut off"));
    let said = refused("cut.json", "[{\"msno\":\"01202401012\"},");
    assert!(said.contains("cut.json:1: the file ends within the array"), "{said}");
    let said = refused("cut.xml", "<a><creditVendResp><respDateTime>2024");
    assert!(said.contains("cut.xml:1") && said.contains("cut off"), "{said}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_that_is_cut_off_says_so() {
    let folder = folder("parquet");
    assert_eq!(sts(&folder, &["simulate", "small", "--out", "case"]).0, 0);
    assert_eq!(sts(&folder, &["replay", "case", "--sort", "--out", "whole.parquet"]).0, 1);
    let whole = std::fs::read(folder.join("whole.parquet")).expect("a file");
    for length in [5, 100, whole.len() / 2, whole.len() - 1] {
        let said = refused("cut.parquet", &whole[..length]);
        assert!(said.contains("cut.parquet: cannot be read as Parquet"), "{length}: {said}");
        assert!(said.contains("expected a whole file"), "{length}: {said}");
    }
    // No byte of it brings the reader down.
    for place in (0..whole.len()).step_by(whole.len() / 60) {
        let mut hurt = whole.clone();
        hurt[place] ^= 0x41;
        std::fs::write(folder.join("hurt.parquet"), hurt).expect("a file");
        let (status, said) = sts(&folder, &["import", "--check", "hurt.parquet"]);
        assert!(status == 3 && !said.contains("panicked"), "byte {place}: {said}");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_asks_for_a_build_that_reads_it() {
    let said = refused("a.parquet", "PAR1 and so on");
    assert!(said.contains("a.parquet: is a Parquet file") && said.contains("feature"), "{said}");
}

#[test]
fn workbook_of_gigabytes_is_not_opened() {
    let mut book = workbook(&Part { size: 3_900_000_000, ..sheet("<row/>") });
    let said = refused("claims.xlsx", &book);
    assert!(said.contains("\"xl/worksheets/sheet1.xml\" unpacks from"), "{said}");
    assert!(said.contains("to 3900000000 bytes") && said.contains("not opened"), "{said}");
    // The sheet unpacks to 24 MiB and says that it has 20,000 bytes.
    let many = Part::repeated("<worksheet><sheetData>", 24 << 20, "</sheetData></worksheet>");
    book = workbook(&Part { size: 20_000, ..many });
    let said = refused("lies.xlsx", &book);
    assert!(said.contains("larger than its declared uncompressed size"), "{said}");
}

#[test]
fn cell_that_unpacks_without_end_is_not_held() {
    const HUGE: usize = 192 << 20;
    let cell = "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>";
    for (name, start) in [("cell.xlsx", cell), ("gap.xlsx", "<worksheet><sheetData>")] {
        let folder = with_file(name, workbook(&Part::repeated(start, HUGE, "")));
        let (status, said) = sts_within(&folder, 160, &["import", name, "--check"]);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains("a cell takes more than 131072 bytes, packed"), "{said}");
    }
}

#[test]
fn cells_in_columns_that_no_sheet_has_are_refused() {
    let far = sheet("<row r=\"1\"><c r=\"ZZZZZ1\"><v>1</v></c></row>");
    let folder = with_file("far.xlsx", workbook(&far));
    let (status, said) = sts_within(&folder, 160, &["import", "far.xlsx", "--check"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("far.xlsx:1: column 12356630, expected at most 16384"), "{said}");
}

#[test]
fn xml_with_a_document_type_or_entities_is_not_read() {
    let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]>\n\
                  <creditVendResp>&c;</creditVendResp>";
    let said = refused("laughs.xml", laughs);
    assert!(said.contains("laughs.xml:2: a document type (DOCTYPE)"), "{said}");
    let outside = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><creditVendResp/>";
    assert!(refused("outside.xml", outside).contains("outside.xml:1: a document type"));
    let entity = "<creditVendResp><respDateTime>&when;</respDateTime></creditVendResp>";
    assert!(refused("entity.xml", entity).contains("\"&when;\", expected text"));
}

// ------------------------------------------------------------------------------- what is endless

#[test]
fn line_without_an_end_is_not_held() {
    let folder = folder("endless");
    let case = folder.join("case");
    assert_eq!(sts(&folder, &["simulate", "small", "--out", "case"]).0, 0);
    // Zeros that take no place on the disk.
    let zeros = || {
        let file = std::fs::File::create(folder.join("zeros")).expect("a file");
        file.set_len(10 << 30).expect("a length");
    };
    zeros();
    for arguments in [
        &["import", "zeros", "--out", "of-zeros"][..],
        &["verify", "--keys", "case/keys.toml", "--input", "zeros"],
        &["inspect", "--input", "zeros"],
        &["check", "--keys", "case/keys.toml", "--slip", "zeros"],
        &["diff", "zeros", "zeros"],
    ] {
        let (status, said) = sts_within(&folder, 256, arguments);
        assert_eq!(status, 3, "{arguments:?}: {said}");
        assert!(said.contains("zeros") && said.len() < 1000, "{arguments:?}: {said}");
    }
    for file in ["entries.csv", "meters.csv"] {
        let whole = std::fs::read(case.join(file)).expect("a file");
        std::fs::rename(folder.join("zeros"), case.join(file)).expect("a file");
        let (status, said) = sts_within(&folder, 256, &["replay", "case"]);
        assert_eq!(status, 3, "{file}: {said}");
        assert!(said.contains(&format!("{file}:1: the line has more than")), "{file}: {said}");
        std::fs::write(case.join(file), whole).expect("a file");
        zeros();
    }
}

#[test]
fn long_line_among_others_costs_itself_alone() {
    let folder = folder("long");
    assert_eq!(sts(&folder, &["simulate", "small", "--out", "case"]).0, 0);
    let path = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&path).expect("entries");
    let at = text.match_indices('\n').nth(5).expect("lines").0 + 1;
    let long = "x".repeat(48 << 20);
    std::fs::write(&path, format!("{}{long}\n{}", &text[..at], &text[at..])).expect("a file");
    let (status, said) = sts_within(&folder, 256, &["replay", "case", "--out", "out.ndjson"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("229 entries") && said.contains("entries.csv:7"), "{said}");
    let (status, said) = sts_within(&folder, 256, &["import", "case/entries.csv", "--out", "new"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("entries: 229; rejected: 1"), "{said}");
}

#[test]
fn what_cannot_be_read_twice_is_refused_and_not_waited_for() {
    let folder = folder("pipe");
    let made = Command::new("mkfifo").arg(folder.join("pipe")).status().expect("mkfifo");
    assert!(made.success());
    for name in ["pipe", "/dev/zero", "-"] {
        let (status, said) = sts(&folder, &["import", name, "--check"]);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains(&format!("{name}: cannot be read twice")), "{said}");
    }
}

// ------------------------------------------------------------------------------------- disorder

#[test]
fn mixed_encodings_cost_their_rows_alone() {
    let mut bytes = b"msno,stsCipher,respDateTime,note\n".to_vec();
    for note in ["café".as_bytes(), b"caf\xE9", b"tea"] {
        bytes.extend(sale(1).replace("10\n", "").as_bytes());
        bytes.extend([note, b"\n"].concat());
    }
    let folder = with_file("mixed.csv", bytes);
    let (status, said) = sts(&folder, &["import", "mixed.csv", "--out", "case", "--tz", "UTC"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("rows: 3; entries: 2; rejected: 1"), "{said}");
    let rejects = std::fs::read_to_string(folder.join("case/rejects.csv")).expect("rejects");
    assert!(
        rejects.contains("mixed.csv,3,,\"byte ") && rejects.contains("--encoding"),
        "{rejects}"
    );
}

/// The settings of the one meter of [`sales`].
const SETTINGS: [&str; 12] = [
    "--set",
    "ea=07",
    "--set",
    "sgc=600457",
    "--set",
    "krn=1",
    "--set",
    "ti=01",
    "--set",
    "kt=2",
    "--set",
    "base_date=1993",
];

#[test]
fn time_that_goes_back_within_a_meter_asks_for_sort() {
    let text = format!("{HEAD}{}{}{}", sale(10), sale(5), sale(20));
    let folder = with_file("back.csv", text);
    let import = |more: &[&str]| {
        let words = ["import", "back.csv", "--out", "case", "--tz", "UTC", "--force"];
        sts(&folder, &[&words[..], &SETTINGS, more].concat())
    };
    let (status, said) = import(&[]);
    assert_eq!(status, 0, "{said}");
    for part in
        ["time goes back 1 time, first at back.csv:3", "a clock that was put back", "--sort"]
    {
        assert!(said.replace("\n    ", " ").contains(part), "{part}: {said}");
    }
    let (status, said) = sts(&folder, &["replay", "case"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("entries.csv:3: entered_at: ") && said.contains("--sort"), "{said}");
    assert_ne!(sts(&folder, &["replay", "case", "--sort"]).0, 3);
    assert_eq!(import(&["--sort"]).0, 0);
    assert_ne!(sts(&folder, &["replay", "case"]).0, 3);
}

#[test]
fn doubled_rows_are_told_and_left_out_on_demand() {
    let text = format!("id,{HEAD}1,{}2,{}2,{1}3,{}", sale(1), sale(2), sale(3));
    let folder = with_file("doubled.csv", text);
    let import = |more: &[&str]| {
        let words = ["import", "doubled.csv", "--out", "case", "--tz", "UTC", "--force"];
        sts(&folder, &[&words[..], &SETTINGS, more].concat())
    };
    let (status, said) = import(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("entries: 4") && said.contains("doubled.csv:4: kept"), "{said}");
    assert!(said.contains("--distinct"), "{said}");
    let (status, said) = import(&["--distinct"]);
    assert!(status == 0 && said.contains("entries: 3"), "{said}");
    // Where a case itself has them.
    let path = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&path).expect("entries");
    let last = text.lines().last().expect("a row");
    std::fs::write(&path, format!("{text}{last}\n")).expect("a file");
    let (_, said) = sts(&folder, &["replay", "case"]);
    assert!(said.contains("entries.csv:5: id: the meter's row before has this id"), "{said}");
}

#[test]
fn columns_that_change_places_stop_at_the_threshold_and_are_named() {
    let swapped = |row: String| {
        let fields: Vec<&str> = row.splitn(3, ',').collect();
        format!("{},{},{}", fields[1], fields[0], fields[2])
    };
    let mut text = format!("{HEAD}{}", sales(20));
    text.extend((20..60).map(sale).map(swapped));
    let folder = with_file("swapped.csv", text);
    for (limit, rejected, last) in [("5%", 40, 61), ("10", 11, 32)] {
        let words = ["import", "swapped.csv", "--out", "case", "--tz", "UTC", "--max-rejects"];
        let (status, said) = sts(&folder, &[&words[..], &[limit]].concat());
        assert_eq!(status, 3, "{said}");
        let said = said.replace("\n    ", " ").replace('\n', " ");
        let cause = format!(
            "columns \"msno\" and \"stsCipher\" hold each other's values in {rejected} rows, from \
             line 22 to {last}"
        );
        assert!(said.contains(&cause), "{cause}: {said}");
        assert!(said.contains("no entries are written"), "{said}");
        assert!(!folder.join("case/entries.csv").exists());
        let rejects = std::fs::read_to_string(folder.join("case/rejects.csv")).expect("rejects");
        assert_eq!(rejects.lines().count(), rejected + 1, "{rejects}");
        assert!(rejects.contains("swapped.csv,22,msno,"), "{rejects}");
        assert!(rejects.contains("have columns changed places?"), "{rejects}");
    }
}

// ------------------------------------------------------------------------- workbooks, byte by byte

/// A part of a workbook, packed or not.
struct Part {
    packed: Vec<u8>,
    method: u16,
    crc: u32,
    /// Its unpacked size as it is declared.
    size: u32,
}

impl Part {
    fn stored(bytes: &[u8]) -> Self {
        let (crc, size) = (crc([bytes].into_iter()), bytes.len().try_into().expect("small"));
        Self { packed: bytes.to_vec(), method: 0, crc, size }
    }

    /// A text, blanks, and a text: blanks as pairs of a length of 258 and a distance of 1, which
    /// packs to a hundred-and-fiftieth.
    fn repeated(start: &str, blanks: usize, end: &str) -> Self {
        const PAIR: usize = 258;
        let pairs = blanks / PAIR;
        let mut bits = Bits::default();
        // A block that is the last one, with the codes that need no table.
        bits.put(0b011, 3);
        for byte in start.bytes().chain(*b" ") {
            bits.put_code(0x30 + u32::from(byte), 8);
        }
        for _ in 0..pairs {
            bits.put_code(0b1100_0101, 8);
            bits.put(0, 5);
        }
        for byte in end.bytes() {
            bits.put_code(0x30 + u32::from(byte), 8);
        }
        bits.put(0, 7);
        bits.put(0, 7);
        let size = start.len() + 1 + pairs * PAIR + end.len();
        let blanks = [b' '; PAIR];
        let parts = [start.as_bytes(), b" "].into_iter();
        let parts = parts.chain((0..pairs).map(|_| &blanks[..])).chain([end.as_bytes()]);
        let size = size.try_into().expect("less than 4 GiB");
        Self { packed: bits.bytes, method: 8, crc: crc(parts), size }
    }
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    /// The lowest bit first.
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.extend(self.held.to_le_bytes().first());
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code, whose highest bit comes first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }
}

fn crc<'a>(parts: impl Iterator<Item = &'a [u8]>) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|at| {
        (0..8).fold(u32::try_from(at).expect("a byte"), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    let mut crc = u32::MAX;
    for byte in parts.flatten() {
        crc = (crc >> 8) ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)];
    }
    !crc
}

fn sheet(rows: &str) -> Part {
    Part::stored(format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").as_bytes())
}

/// A workbook with one sheet.
fn workbook(sheet: &Part) -> Vec<u8> {
    const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, to: &str| {
        let text = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"{RELATION}/{kind}\" Target=\"{to}\"/></Relationships>"
        );
        Part::stored(text.as_bytes())
    };
    let book = format!(
        "<workbook xmlns:r=\"{RELATION}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/>\
         </sheets></workbook>"
    );
    let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (name, part) in [
        ("_rels/.rels", &relations("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", &Part::stored(book.as_bytes())),
        ("xl/_rels/workbook.xml.rels", &relations("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        let offset = u32::try_from(out.len()).expect("small");
        let packed = u32::try_from(part.packed.len()).expect("small");
        let length = u16::try_from(name.len()).expect("short");
        let mut about = Vec::new();
        // Version, flags, method, time, date.
        for value in [20, 0, part.method, 0, 0x21] {
            about.extend(value.to_le_bytes());
        }
        for value in [part.crc, packed, part.size] {
            about.extend(value.to_le_bytes());
        }
        about.extend(length.to_le_bytes());
        about.extend([0; 2]);
        out.extend([b"PK\x03\x04", &about[..], name.as_bytes(), &part.packed].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &about[..], &[0; 10]].concat());
        directory.extend([&offset.to_le_bytes(), name.as_bytes()].concat());
        count += 1;
    }
    let (at, size) = (out.len(), directory.len());
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    for value in [size, at] {
        out.extend(u32::try_from(value).expect("small").to_le_bytes());
    }
    out.extend([0; 2]);
    out
}
