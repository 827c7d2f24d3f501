//! What must hold of whatever is written: well-formed markup, and tables without formulas.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Panics unless the text is well-formed XML, and says how many elements it has.
pub(crate) fn well_formed(text: &str) -> usize {
    let allowed = |letter: char| {
        matches!(letter, '\t' | '\n' | '\r')
            || letter >= ' ' && !matches!(letter, '\u{FFFE}' | '\u{FFFF}')
    };
    assert!(text.chars().all(allowed), "a character that XML has not");
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    reader.config_mut().allow_dangling_amp = false;
    let (mut depth, mut elements) = (0_usize, 0);
    loop {
        let event = reader.read_event();
        match event.unwrap_or_else(|error| panic!("no XML: {error}\n{text}")) {
            Event::Start(start) => {
                attributes(&start);
                (depth, elements) = (depth + 1, elements + 1);
            }
            Event::Empty(start) => {
                attributes(&start);
                elements += 1;
            }
            Event::End(_) => depth = depth.checked_sub(1).expect("an end without a start"),
            Event::Text(inside) => {
                let raw: &str = &inside;
                assert!(depth > 0 || raw.trim().is_empty(), "text outside: {raw:?}");
                assert!(!raw.contains("]]>"), "the end of no section: {raw:?}");
            }
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &*name);
                assert!(unescape(&reference).is_ok(), "{reference} is no character");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "elements are open at the end");
    elements
}

fn attributes(start: &BytesStart<'_>) {
    for attribute in start.attributes().with_checks(true) {
        let attribute = attribute.expect("a name and a value, once");
        let value = &attribute.value;
        assert!(!value.contains('<') && unescape(value).is_ok(), "{value:?}");
    }
}

/// Panics where a field would be run by a spreadsheet, and gives the records, the header first.
pub(crate) fn table(bytes: &[u8]) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let records: Vec<_> = reader.records().collect::<Result<_, _>>().expect("CSV in UTF-8");
    for field in records.iter().flatten() {
        let number = || field.parse::<f64>().is_ok();
        let runs =
            field.starts_with(['=', '+', '@', '\t', '\r']) || field.starts_with('-') && !number();
        assert!(!runs, "a spreadsheet runs {field:?}");
    }
    records
}
