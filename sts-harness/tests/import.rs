//! Exports in: the same sales from every kind of file, damage of spreadsheets, and bad input, each
//! with the place and the words it is answered with.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use sts_core::{DecoderReferenceNumber, MeterPan};
use sts_harness::case::{Case, Overrides};
use sts_harness::import::{
    self, Constant, Damaged, DateOrder, DecimalMark, ImportError, Limit, Mapped, Options, Report,
};
use sts_harness::keys::{KeyRing, Locked};
use sts_harness::simulate::{Scale, Scenario};
use sts_harness::time::Zone;

/// A folder of its own for a test, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sts-import-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn case(&self) -> PathBuf {
        self.0.join("case")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.case().join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)
}

fn options() -> Options {
    let mut options = Options::default();
    options.zone = Some(("+02:00".to_owned(), Zone::parse("+02:00").unwrap()));
    options
}

/// What a file with these bytes comes to.
fn written(name: &str, bytes: impl AsRef<[u8]>, options: &Options) -> (Folder, Report) {
    let folder = Folder::new(name);
    let file = folder.file(name, bytes);
    let report = import::write(&[file], &folder.case(), options).unwrap();
    (folder, report)
}

/// The words that a file with these bytes is refused with.
fn refused(name: &str, bytes: impl AsRef<[u8]>, options: &Options) -> String {
    let folder = Folder::new(name);
    let file = folder.file(name, bytes);
    let error = import::write(&[file], &folder.case(), options).unwrap_err();
    assert!(!folder.case().join("entries.csv").exists(), "{error}");
    error.to_string()
}

const HEAD: &str = "msno,token,respDateTime,units\n";
const SALE: &str = "01202401012,69422342762654887585,2024-10-31 10:01,10\n";

// -------------------------------------------------------------------------------- one set of sales

#[test]
fn same_sales_from_every_kind_of_file_are_the_same_bytes() {
    let folder = Folder::new("same");
    let mut seen: Vec<(String, String)> = Vec::new();
    for name in ["sales.csv", "sales.tsv", "sales.ndjson", "sales.xlsx", "xmlvend"] {
        let mut options = options();
        options.set.push(Constant::parse("kt=2").unwrap());
        options.set.push(Constant::parse("base_date=1:1993,2:2014").unwrap());
        options.force = true;
        let report = import::write(&[fixture(name)], &folder.case(), &options).unwrap();
        assert_eq!((report.rows, report.entries, report.rejected), (5, 5, 0), "{name}");
        seen.push((folder.read("entries.csv"), folder.read("meters.csv")));
        assert_eq!(seen[0], *seen.last().unwrap(), "{name}");
    }
    let entries = &seen[0].0;
    let first = "R1001,2024-10-31T08:01:00Z,600727012024010120,69422342762654887585,\
                 2024-10-31T08:01:00Z,10,m3,100,600457,1,01,2,07,,,,\n";
    assert!(entries.contains(first), "{entries}");
    assert_eq!(seen[0].1.lines().count(), 3, "{}", seen[0].1);
    let mut no_keys = Locked;
    let case = Case::load(&folder.case(), Overrides::default(), &mut no_keys).unwrap();
    assert_eq!((case.entries.len(), case.rejected.len(), case.fleet.meters.len()), (5, 0, 2));
}

#[test]
fn own_format_is_read_back_as_it_was_written() {
    let folder = Folder::new("own");
    import::write(&[fixture("sales.csv")], &folder.case(), &options()).unwrap();
    let first = folder.read("entries.csv");
    let again = folder.0.join("again");
    let own = [folder.case().join("entries.csv")];
    import::write(&own, &again, &Options::default()).unwrap();
    assert_eq!(std::fs::read_to_string(again.join("entries.csv")).unwrap(), first);
}

#[test]
fn check_says_what_is_understood_and_writes_nothing() {
    let report = import::check(&[fixture("sales.tsv")], &options()).unwrap();
    let file = &report.files[0];
    assert_eq!((file.delimiter, file.header), (Some('\t'), Some(2)));
    assert!(file.encoding.as_deref().unwrap().starts_with("windows-1252"));
    let unused: Vec<_> =
        file.columns.iter().filter(|column| !column.is_used()).map(|c| c.name.as_str()).collect();
    assert_eq!(unused, ["Cashier"]);
    assert_eq!(report.first.as_deref(), Some("2024-10-31T08:01:00Z"));
    assert!(report.written.is_empty());
}

#[test]
fn tokens_of_a_key_change_are_entries_before_the_credit() {
    let text = "receiptNo,msno,kct1,kct2,token,time,kwh\n\
                R7,01202401012,11112222333344445555,22223333444455556666,33334444555566667777,\
                2024-11-02T10:00:00Z,5\n";
    let (folder, _) = written("kct.csv", text, &Options::default());
    let entries = folder.read("entries.csv");
    let rows: Vec<Vec<&str>> = entries.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!([rows[1][0], rows[2][0], rows[3][0]], ["R7", "R7-2", "R7-3"]);
    assert_eq!([rows[1][5], rows[3][5], rows[3][6]], ["", "5", "kWh"]);
}

// ------------------------------------------------------------------------ what has to be said first

#[test]
fn what_is_ambiguous_is_asked_for() {
    let two = "msno,meter_id,token,time\n01202401012,01202401012,1,2024-11-01T00:00:00Z\n";
    let says = refused("two.csv", two, &options());
    assert!(says.contains("two.csv:1: columns \"msno\" and \"meter_id\""), "{says}");
    let mut mapped = options();
    mapped.map.push(Mapped::parse("meter_id=drn").unwrap());
    written("two.csv", two, &mapped);

    let zone = refused("zone.csv", format!("{HEAD}{SALE}"), &Options::default());
    assert!(zone.contains("zone.csv:2: respDateTime") && zone.contains("--tz"), "{zone}");

    let dates = format!("{HEAD}{}", SALE.replace("2024-10-31", "03/04/2024"));
    let says = refused("dates.csv", &dates, &options());
    assert!(says.contains("dates.csv:2") && says.contains("--dates dmy"), "{says}");
    let mut month_first = options();
    month_first.dates = Some(DateOrder::MonthFirst);
    let (folder, _) = written("dates.csv", &dates, &month_first);
    assert!(folder.read("entries.csv").contains("2024-03-04T08:01:00Z"));
    let later =
        format!("{dates}{}", SALE.replace("2024-10-31", "31/04/2024").replace("31/", "30/"));
    let (folder, _) = written("dates.csv", later, &options());
    assert!(folder.read("entries.csv").contains("2024-04-03T08:01:00Z"));
    let both = format!("{dates}{}", SALE.replace("2024-10-31", "31/10/2024"))
        + &SALE.replace("2024-10-31", "10/31/2024");
    let says = refused("both.csv", both, &options());
    assert!(says.contains("different orders"), "{says}");

    let marks = format!("{HEAD}{}", SALE.replace(",10\n", ",\"1,234\"\n"));
    let says = refused("marks.csv", &marks, &options());
    assert!(says.contains("--decimal"), "{says}");
    let mut comma = options();
    comma.decimal = Some(DecimalMark::Comma);
    let (folder, _) = written("marks.csv", marks, &comma);
    assert!(folder.read("entries.csv").contains(",1.234,"), "{}", folder.read("entries.csv"));
}

#[test]
fn order_of_dates_is_settled_by_a_row_far_down() {
    let early = SALE.replace("2024-10-31", "03/04/2024");
    let late = SALE.replace("2024-10-31", "13/04/2024");
    let (folder, _) = written("far.csv", format!("{HEAD}{}{late}", early.repeat(5000)), &options());
    assert!(folder.read("entries.csv").contains("2024-04-03"));
}

#[test]
fn headers_that_say_nothing_list_what_there_is() {
    let says = refused("what.csv", "a,b\n1,2\n", &options());
    for part in ["what.csv:1", "a meter", "a time", "a token", "\"a\", \"b\"", "--map"] {
        assert!(says.contains(part), "{says}");
    }
    let mut none = options();
    none.header = Some(0);
    for said in ["#1=drn", "#2=token", "#3=sold_at"] {
        none.map.push(Mapped::parse(said).unwrap());
    }
    let (_, report) = written("none.csv", "01202401012,1234,2024-11-01 10:00\n", &none);
    assert_eq!(report.entries, 1);
}

// ------------------------------------------------------------------------------------ damaged values

#[test]
fn damage_of_spreadsheets_is_said_and_tokens_are_kept_for_the_replay() {
    let folder = Folder::new("damaged");
    let report = import::write(&[fixture("damaged.csv")], &folder.case(), &options()).unwrap();
    assert_eq!((report.entries, report.rejected), (2, 4));
    let rejects = folder.read("rejects.csv");
    assert!(rejects.starts_with("file,line,column,reason,row\n"), "{rejects}");
    assert!(rejects.contains("damaged.csv,2,Meter No,"), "{rejects}");
    assert!(rejects.contains("cannot be computed back"), "{rejects}");
    assert!(rejects.contains("\"1.2024E+09,600457,64333390590520900000,"), "{rejects}");

    let mut restored = options();
    restored.restore_zeros = true;
    restored.force = true;
    let report = import::write(&[fixture("damaged.csv")], &folder.case(), &restored).unwrap();
    assert_eq!((report.entries, report.rejected), (4, 2));
    let entries = folder.read("entries.csv");
    assert!(entries.contains(",6.94223E+19,"), "{entries}");
    assert!(entries.contains("a spreadsheet put the number in exponent form"), "{entries}");
    assert!(
        entries.contains(",001457,") && entries.contains(",04434137679179024103,"),
        "{entries}"
    );

    restored.damaged = Damaged::Reject;
    let report = import::write(&[fixture("damaged.csv")], &folder.case(), &restored).unwrap();
    assert_eq!((report.entries, report.rejected), (3, 3));
    assert!(folder.read("rejects.csv").contains("6.94223E+19"));
}

#[test]
fn rounding_is_told_from_chance_by_its_share() {
    let rounded = SALE.replace("69422342762654887585", "12345678901234567168");
    let (folder, report) = written("round.csv", format!("{HEAD}{rounded}"), &options());
    assert!(folder.read("entries.csv").contains("nearest double"));
    assert!(report.notes.iter().any(|note| note.contains("nearest double")), "{report:?}");
    let text = format!("{HEAD}{}{rounded}", SALE.repeat(99));
    let (folder, _) = written("chance.csv", text, &options());
    assert!(!folder.read("entries.csv").contains("nearest double"));
}

// -------------------------------------------------------------------------------- rows and their order

#[test]
fn order_doubles_and_clocks_that_go_back_are_said() {
    let other = SALE.replace("10:01", "09:00");
    let text = format!("{HEAD}{SALE}{other}{SALE}");
    let (_, report) = written("order.csv", &text, &options());
    assert_eq!(report.entries, 3);
    let notes = report.notes.join("\n");
    for part in ["order.csv:4: kept", "time goes back 1 time,", "order.csv:3", "--sort"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let mut sorted = options();
    sorted.sort = true;
    sorted.distinct = true;
    sorted.sort_memory = 1;
    sorted.set.push(Constant::parse("kt=2").unwrap());
    for said in ["ea=07", "sgc=600457", "krn=1", "ti=1", "base_date=1993"] {
        sorted.set.push(Constant::parse(said).unwrap());
    }
    let (folder, report) = written("order.csv", &text, &sorted);
    assert_eq!(report.entries, 2);
    assert!(report.notes.iter().any(|note| note.contains("sorted through 2 files")));
    let case = Case::load(&folder.case(), Overrides::default(), &mut Locked);
    assert_eq!(case.unwrap().entries.len(), 2);
    assert!(std::fs::read_dir(folder.case()).unwrap().count() == 2, "no file is left over");

    let mut berlin = options();
    berlin.zone = Some(("Europe/Berlin".to_owned(), Zone::parse("Europe/Berlin").unwrap()));
    let text = format!("{HEAD}{}", SALE.replace("2024-10-31 10:01", "2024-10-27 02:30"))
        + &SALE.replace("2024-10-31 10:01", "2024-03-31 02:30");
    let (folder, report) = written("clocks.csv", text, &berlin);
    assert!(report.notes.join("\n").contains("showed twice"), "{report:?}");
    assert!(folder.read("rejects.csv").contains("put forward"));
}

#[test]
fn meters_start_as_their_earliest_row_says() {
    let text = "msno,token,time,krn,sgc,ti,alg,kt,bdt\n\
                01202401012,1234,2024-11-02T10:00:00Z,2,600457,1,7,2,2014\n\
                01202401012,1235,2024-11-01T10:00:00Z,1,600457,1,7,2,1993\n";
    let mut sorted = Options::default();
    sorted.sort = true;
    let (folder, report) = written("state.csv", text, &sorted);
    let meters = folder.read("meters.csv");
    assert!(meters.ends_with("\n600727012024010120,07,600457,1,01,2,1993,,,,\n"), "{meters}");
    assert!(report.notes.join("\n").contains("state.csv:3: meters.csv has"), "{report:?}");
}

#[test]
fn columns_that_change_places_are_named() {
    let swapped = "69422342762654887585,01202401012,2024-10-31 10:01,10\n";
    let text = format!("{HEAD}{}{}", SALE.repeat(3), swapped.repeat(4));
    let (folder, report) = written("swap.csv", text, &options());
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("\"msno\" and \"token\"") && notes.contains("line 5 to 8"), "{notes}");
    assert!(folder.read("rejects.csv").contains("have columns changed places"));
}

#[test]
fn limits_of_rejects_decide_whether_a_case_is_written() {
    let text = format!("{HEAD}{}bad,1,2,3\n", SALE.repeat(9));
    for (limit, good) in [("10%", true), ("9.9%", false), ("1", true), ("0", false)] {
        let folder = Folder::new("limit");
        let file = folder.file("l.csv", &text);
        let mut limited = options();
        limited.max_rejects = Some(Limit::parse(limit).unwrap());
        let done = import::write(&[file], &folder.case(), &limited);
        assert_eq!(done.is_ok(), good, "{limit}");
        assert_eq!(folder.case().join("entries.csv").exists(), good, "{limit}");
        assert!(folder.read("rejects.csv").contains("l.csv,11,msno,"), "{limit}");
        if let Err(error) = done {
            assert!(error.to_string().contains("of 10 rows read were rejected"), "{error}");
        }
    }
    let says = refused("all.csv", format!("{HEAD}bad,1,2,3\n"), &options());
    assert!(says.contains("no row could be taken"), "{says}");
    let folder = Folder::new("there");
    let file = folder.file("a.csv", format!("{HEAD}{SALE}"));
    import::write(std::slice::from_ref(&file), &folder.case(), &options()).unwrap();
    let error = import::write(&[file], &folder.case(), &options()).unwrap_err();
    assert!(matches!(error, ImportError::Exists(_)) && error.to_string().contains("--force"));
}

#[test]
fn mixed_encodings_cost_their_rows_alone() {
    let mut text = b"msno,token,time,note\n".to_vec();
    let row = |note: &[u8]| [b"01202401012,1234,2024-11-01T10:00:00Z,", note, b"\n"].concat();
    text.extend([row("café".as_bytes()), row(b"caf\xE9"), row(b"tea")].concat());
    let (folder, report) = written("mixed.csv", text, &Options::default());
    assert_eq!((report.entries, report.rejected), (2, 1));
    let rejects = folder.read("rejects.csv");
    assert!(rejects.contains("mixed.csv,3,") && rejects.contains("mixed encodings"), "{rejects}");
    assert!(rejects.contains("café"), "{rejects}");
    let wide: Vec<u8> = format!("{HEAD}{SALE}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(written("wide.csv", wide, &options()).1.entries, 1);
}

#[test]
fn long_lines_are_refused_or_cost_themselves_alone() {
    let long = "7".repeat(3 << 20);
    let says = refused("one.csv", &long, &options());
    assert!(says.contains("one.csv:1: the line has") && says.contains("1048576"), "{says}");
    let (folder, report) = written("long.csv", format!("{HEAD}{SALE}{long}\n{SALE}"), &options());
    assert_eq!((report.entries, report.rejected), (2, 1));
    assert!(folder.read("rejects.csv").contains("long.csv,3,,\"the line has 3145728 bytes"));
}

// ------------------------------------------------------------------------------------------ bad files

#[test]
fn files_that_cannot_be_read_are_named() {
    for (name, bytes, says) in [
        ("empty.csv", &b""[..], "the file is empty"),
        ("blank.csv", b"\n\n \n", "no row holds anything"),
        ("header.csv", HEAD.as_bytes(), "no row below the header"),
        ("old.xls", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", ".xls"),
        ("log.gz", b"\x1F\x8B\x08\0", "gzip"),
        ("a.parquet", b"PAR1 and no more", "Parquet"),
        ("cut.json", b"[{\"msno\":\"1\"},", "cut off"),
        ("bad.xml", b"<a><b></a>", "well-formed"),
        (
            "bomb.xml",
            b"<!DOCTYPE a [<!ENTITY b \"c\">]><creditVendResp/>",
            "bomb.xml:1: a document",
        ),
    ] {
        let found = refused(name, bytes, &options());
        assert!(found.contains(name) || found.contains("row"), "{found}");
        assert!(found.contains(says), "{name}: {found}");
    }
    let folder = Folder::new("gone");
    let missing = [folder.0.join("gone.csv")];
    let error = import::write(&missing, &folder.case(), &options()).unwrap_err();
    assert!(error.to_string().contains("gone.csv: cannot be read"), "{error}");
}

#[test]
fn one_broken_log_does_not_stop_the_others() {
    let folder = Folder::new("logs");
    for entry in std::fs::read_dir(fixture("xmlvend")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("logs/{}", path.file_name().unwrap().to_string_lossy());
        folder.file(&name, std::fs::read(path).unwrap());
    }
    let whole = std::fs::read_to_string(fixture("xmlvend/0003.xml")).unwrap();
    folder.file("logs/0003.xml", &whole[..whole.find("<ns2:units").unwrap()]);
    folder.file("logs/0004.xml", "<!DOCTYPE a []><creditVendResp/>");
    let report = import::write(&[folder.0.join("logs")], &folder.case(), &options()).unwrap();
    assert_eq!((report.entries, report.rejected), (3, 2));
    let rejects = folder.read("rejects.csv");
    assert!(rejects.contains("0003.xml") && rejects.contains("cut off"), "{rejects}");
    assert!(rejects.contains("0004.xml") && rejects.contains("DOCTYPE"), "{rejects}");
}

#[test]
fn workbooks_that_are_cut_off_or_bombs_are_not_opened() {
    let whole = std::fs::read(fixture("sales.xlsx")).unwrap();
    for length in [whole.len() / 4, whole.len() / 2, whole.len() - 30] {
        let says = refused("cut.xlsx", &whole[..length], &options());
        assert!(says.contains("cut.xlsx: cannot be opened as XLSX"), "{says}");
    }
    let mut hurt = whole.clone();
    let middle = hurt.windows(9).position(|w| w == b"sheet1.xm").unwrap() + 60;
    for byte in &mut hurt[middle..middle + 40] {
        *byte ^= 0x55;
    }
    let says = refused("hurt.xlsx", &hurt, &options());
    assert!(says.contains("hurt.xlsx") && says.contains("damaged"), "{says}");

    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    bomb.start_file("xl/sharedStrings.xml", packed).unwrap();
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..64 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    let says = refused("bomb.xlsx", &bomb, &options());
    assert!(says.contains("\"xl/sharedStrings.xml\" unpacks from"), "{says}");
    assert!(says.contains("not opened"), "{says}");

    // The same, with a size in its directory that is a lie.
    let mut lie = bomb;
    let size = (64_u32 << 20).to_le_bytes();
    while let Some(place) = lie.windows(4).position(|window| window == size) {
        lie[place..place + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    let says = refused("lie.xlsx", &lie, &options());
    assert!(says.contains("more than the 1000 bytes") || says.contains("unpacked"), "{says}");

    let says = refused("zip.xlsx", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", &options());
    assert!(says.contains("zip.xlsx"), "{says}");
    let mut sheet = options();
    sheet.sheet = Some("Sale".to_owned());
    let says = refused("sheet.xlsx", &whole, &sheet);
    assert!(says.contains("expected one of: Notes, Sales"), "{says}");
}

#[test]
fn no_cut_and_no_flipped_byte_brings_it_down() {
    for name in ["sales.csv", "sales.ndjson", "sales.xlsx", "xmlvend/0001.xml"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let folder = Folder::new("flip");
        let file = folder.0.join("input");
        for place in (0..whole.len()).step_by(1 + whole.len() / 150) {
            std::fs::write(&file, &whole[..place]).unwrap();
            let _ = import::check(std::slice::from_ref(&file), &options());
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            std::fs::write(&file, &flipped).unwrap();
            let _ = import::check(std::slice::from_ref(&file), &options());
        }
    }
}

/// The simulated city, its exports without a word of keys.
#[test]
fn settings_that_no_column_tells_are_told_by_tokens() {
    let folder = Folder::new("inferred");
    let city = folder.0.join("city");
    let scale = Scale { meters: Some(150), ..Scale::default() };
    Scenario::load("mangaung").unwrap().write(scale, &city, false).unwrap();
    let mut case = csv::Reader::from_path(city.join("entries.csv")).unwrap();
    let kept = ["id", "entered_at", "drn", "entered", "sold_at"];
    let header = case.headers().unwrap().clone();
    let places = kept.map(|name| header.iter().position(|column| column == name).unwrap());
    let mut export = csv::Writer::from_path(folder.0.join("sales.csv")).unwrap();
    export.write_record(kept).unwrap();
    for row in case.records().map(Result::unwrap) {
        export.write_record(places.map(|place| row.get(place).unwrap())).unwrap();
    }
    export.flush().unwrap();

    let mut options = options();
    options.keys = Some(KeyRing::load(&city.join("keys.toml"), &mut Locked).unwrap());
    let report = import::write(&[folder.0.join("sales.csv")], &folder.case(), &options).unwrap();
    assert_eq!(report.meters_told, 0);
    assert!(report.meters_inferred * 100 >= report.meters * 95, "{report:?}");

    let columns = |path: PathBuf| -> HashMap<String, String> {
        let mut file = csv::Reader::from_path(path).unwrap();
        let header = file.headers().unwrap().clone();
        let names = ["ea", "sgc", "krn", "ti", "kt", "base_date"];
        let row = |row: csv::StringRecord| {
            let value = |name| row.get(header.iter().position(|it| it == name)?);
            let number = value("drn").or_else(|| value("pan")).unwrap();
            let pan = MeterPan::parse(number).or_else(|_| {
                let drn = DecoderReferenceNumber::parse(number)?;
                Ok::<_, sts_core::key::InvalidMeterNumber>(MeterPan::from_drn(&drn))
            });
            let values = names.map(|name| value(name).unwrap_or_default());
            (pan.unwrap().to_string(), values.join(","))
        };
        file.records().map(|record| row(record.unwrap())).collect()
    };
    let (truth, found) =
        (columns(city.join("meters.csv")), columns(folder.case().join("meters.csv")));
    let right = found.iter().filter(|(pan, values)| truth.get(*pan) == Some(values)).count();
    assert!(right * 100 >= found.len() * 95, "{right} of {}", found.len());
    // The case is whole: it replays, and each inference has its reason.
    assert_eq!(folder.read("inferred.csv").lines().count(), found.len() + 1);
    std::fs::copy(city.join("keys.toml"), folder.case().join("keys.toml")).unwrap();
    Case::load(&folder.case(), Overrides::default(), &mut Locked).unwrap();
}

#[test]
fn meters_without_a_token_to_go_by_are_said() {
    let folder = Folder::new("not-inferred");
    let rows = "id,sold_at,drn,sgc,token\n\
                1,2024-10-31T10:00:00Z,01202401012,600457,69422342762654887585\n\
                2,2024-10-31T10:00:00Z,01202401020,600457,18446744073843772416\n\
                3,2024-10-31T10:00:00Z,01202401038,999999,69422342762654887585\n\
                4,2024-10-31T10:00:00Z,01202401046,600457,69422342762654887586\n";
    let file = folder.file("sales.csv", rows);
    let mut options = options();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024/keys.toml");
    options.keys = Some(KeyRing::load(&keys, &mut Locked).unwrap());
    let report = import::write(&[file], &folder.case(), &options).unwrap();
    assert_eq!((report.meters, report.meters_inferred), (4, 1));
    let said = folder.read("inferred.csv");
    for why in [
        "vending-krn1,opens 1 of its 1 earliest tokens",
        "it has no token to be told by",
        "no key is held that fits what its rows say",
        "none of its 1 earliest tokens authenticates",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(report.notes.iter().any(|note| note.contains("lacks 3 of 4")), "{:?}", report.notes);
}
