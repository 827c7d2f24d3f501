//! Exports in any form, as `sts import` takes them.

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use sts_harness::entries::Entries;
use sts_harness::import::{
    self, Constant, Damaged, DateOrder, DecimalMark, ImportError, Limit, Options, Report,
};
use sts_harness::keys::{KeyRing, Locked};
use sts_harness::time::Zone;
use zip::write::SimpleFileOptions;

use crate::{check, scratch};

/// Keys that tell the settings of meters.
static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let text = include_str!("../../examples/mangaung-2024/keys.toml");
    KeyRing::parse("keys.toml", text, &mut Locked).expect("published keys")
});

/// Two bytes of options, one bit each, then CSV or its kin in any encoding.
pub fn import_csv(data: &[u8]) {
    text(data, "sales.csv");
}

/// The same with JSON, an array or an object a line.
pub fn import_json(data: &[u8]) {
    text(data, "sales.json");
}

/// The same with logged `XMLVend` messages.
pub fn import_xmlvend(data: &[u8]) {
    text(data, "sales.xml");
}

/// The same with a Parquet file.
pub fn import_parquet(data: &[u8]) {
    text(data, "sales.parquet");
}

fn text(data: &[u8], name: &str) {
    let Some((bits, file)) = data.split_first_chunk() else { return };
    imported(name, file, &options(u16::from_le_bytes(*bits)));
}

/// The same with a workbook: its bytes, or its parts with a zero byte between: the first sheet, the
/// shared texts, the styles, the list of sheets.
pub fn import_xlsx(data: &[u8]) {
    let Some((bits, file)) = data.split_first_chunk() else { return };
    let options = options(u16::from_le_bytes(*bits));
    if file.starts_with(b"PK") {
        imported("sales.xlsx", file, &options);
    } else {
        let parts: Vec<&[u8]> = file.splitn(4, |byte| *byte == 0).collect();
        imported("sales.xlsx", &workbook(&parts), &options);
    }
}

/// Parts as a workbook; what is not given is the least that does.
pub(crate) fn workbook(parts: &[&[u8]]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let related = |links: &[(&str, &str)]| {
        let mut text = format!("<Relationships xmlns=\"{PACKAGE}/relationships\">");
        for (place, (kind, target)) in links.iter().enumerate() {
            let n = place + 1;
            text += &format!(
                "<Relationship Id=\"rId{n}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>"
            );
        }
        (text + "</Relationships>").into_bytes()
    };
    let part = |place: usize, usual: String| {
        parts.get(place).map_or_else(|| usual.into_bytes(), |part| part.to_vec())
    };
    let sheets = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Sales\" sheetId=\"1\" \
         r:id=\"rId1\"/></sheets></workbook>"
    );
    let links = [
        ("worksheet", "worksheets/sheet1.xml"),
        ("sharedStrings", "sharedStrings.xml"),
        ("styles", "styles.xml"),
    ];
    let files = [
        ("[Content_Types].xml", format!("<Types xmlns=\"{PACKAGE}/content-types\"/>").into_bytes()),
        ("_rels/.rels", related(&[("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", part(3, sheets)),
        ("xl/_rels/workbook.xml.rels", related(&links)),
        ("xl/worksheets/sheet1.xml", part(0, format!("<worksheet xmlns=\"{MAIN}\"/>"))),
        ("xl/sharedStrings.xml", part(1, format!("<sst xmlns=\"{MAIN}\"/>"))),
        ("xl/styles.xml", part(2, format!("<styleSheet xmlns=\"{MAIN}\"/>"))),
    ];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        archive.start_file(name, stored).expect("a name");
        archive.write_all(&bytes).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fn options(bits: u16) -> Options {
    let is_set = |place: u32| bits >> place & 1 == 1;
    let mut options = Options::default();
    options.force = true;
    options.sort = is_set(0);
    options.distinct = is_set(1);
    options.restore_zeros = is_set(2);
    options.damaged = if is_set(3) { Damaged::Reject } else { Damaged::Keep };
    options.dates = match bits >> 4 & 3 {
        1 => Some(DateOrder::DayFirst),
        2 => Some(DateOrder::MonthFirst),
        _ => None,
    };
    options.decimal = is_set(6).then_some(DecimalMark::Comma);
    if is_set(7) {
        options.zone = Some(("+02:00".to_owned(), Zone::parse("+02:00").expect("a zone")));
    }
    if is_set(8) {
        let constants = ["ea=07", "sgc=600457", "krn=1", "ti=01", "kt=2", "base_date=1993"];
        options.set = constants
            .iter()
            .map(|text| Constant::parse(text).expect("a field and its value"))
            .collect();
    }
    options.header = is_set(9).then_some(1);
    options.max_rejects = is_set(10).then_some(Limit::Rows(2));
    if is_set(11) {
        options.set_encoding("windows-1252").expect("an encoding");
    }
    options.keys = is_set(12).then(|| RING.clone());
    options.sort_memory = if is_set(13) { 64 } else { options.sort_memory };
    options.delimiter = is_set(14).then_some(b';');
    options.header = if is_set(15) { Some(0) } else { options.header };
    options
}

/// What is understood is what is written; every row is an entry or rejected; what is written is a
/// case, and no formula.
fn imported(name: &str, bytes: &[u8], options: &Options) {
    let path = scratch::file(name, bytes);
    let folder = scratch::folder().join("case");
    let files = [path];
    let checked = import::check(&files, options);
    let written = import::write(&files, &folder, options);
    match (checked, written) {
        (Ok(checked), Ok(report)) => {
            same(&checked, &report);
            adds_up(&report, options);
            is_a_case(&folder, &report);
        }
        (Ok(checked), Err(ImportError::TooMany { report, problem, .. })) => {
            assert!(!problem.is_empty());
            if options.max_rejects.is_none() {
                same(&checked, &report);
                adds_up(&report, options);
            }
            rejects_are_safe(&folder, &report);
        }
        // What keeps a file from being read is told in its report where nothing is written.
        (Ok(checked), Err(ImportError::Input(error))) => {
            assert!(checked.files.iter().any(|file| file.problem.is_some()), "{error}");
        }
        // As many rejects as end a run.
        (Err(ImportError::TooMany { .. }), Err(ImportError::TooMany { .. })) => {}
        (Err(ImportError::Input(one)), Err(ImportError::Input(other))) => {
            assert_eq!(one.to_string(), other.to_string());
        }
        (checked, written) => panic!("checked: {checked:?}\nwritten: {written:?}"),
    }
}

fn same(checked: &Report, written: &Report) {
    let counts = |of: &Report| {
        [of.rows, of.entries, of.rejected, of.meters, of.meters_told, of.meters_inferred]
    };
    assert_eq!(counts(checked), counts(written));
    assert_eq!((&checked.first, &checked.last), (&written.first, &written.last));
    assert_eq!(checked.rejects, written.rejects);
    let json = serde_json::to_string(written).expect("JSON");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

fn adds_up(report: &Report, options: &Options) {
    let sum = |of: fn(&import::FileReport) -> u64| report.files.iter().map(of).sum::<u64>();
    assert_eq!(sum(|file| file.rows), report.rows);
    assert_eq!(sum(|file| file.entries), report.entries);
    assert_eq!(sum(|file| file.rejected), report.rejected);
    // A row may hold several tokens.
    assert!(options.distinct || report.entries + report.rejected >= report.rows, "a row is lost");
    assert!(report.rejected <= report.rows);
}

fn is_a_case(folder: &std::path::Path, report: &Report) {
    let (mut rows, mut last) = (0, None);
    for batch in Entries::open(&folder.join("entries.csv"), None).expect("entries") {
        let batch = batch.expect("entries");
        assert!(batch.rejected.is_empty(), "written and not taken: {:?}", batch.rejected);
        rows += batch.rows.len() as u64;
        last = batch.rows.last().map(|row| row.entered_at).or(last);
    }
    assert_eq!(rows, report.entries);
    assert!(report.entries == 0 || last.is_some());
    if let Some(meters) = scratch::read(&folder.join("meters.csv"))
        && report.written.iter().any(|path| path.ends_with("meters.csv"))
    {
        let meters_path = scratch::file("meters-read.csv", &meters);
        let read = sts_harness::records::read_meters(&meters_path).expect("meters");
        assert_eq!(read.rows.len() as u64, report.meters_told + report.meters_inferred);
        assert!(read.rejected.is_empty(), "written and not taken: {:?}", read.rejected);
    }
    if let Some(inferred) = written(report, "inferred.csv") {
        check::table(&scratch::read(&inferred).expect("as it was written"));
    }
    rejects_are_safe(folder, report);
}

fn written(report: &Report, name: &str) -> Option<PathBuf> {
    report.written.iter().find(|path| path.ends_with(name)).cloned()
}

fn rejects_are_safe(folder: &std::path::Path, report: &Report) {
    match scratch::read(&folder.join("rejects.csv")) {
        Some(rejects) => {
            let records = check::table(&rejects);
            assert_eq!(records.len() as u64 - 1, report.rejected, "rows of rejects.csv");
        }
        None => assert_eq!(report.rejected, 0),
    }
}
