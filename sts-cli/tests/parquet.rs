//! Verdicts in Parquet are those in NDJSON, column by column.

#![cfg(feature = "parquet")]

use std::path::Path;
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

/// Values of a column that Parquet holds as text, in the words of the page on replays.
fn expected(object: &Value, column: &str) -> Value {
    match (column, &object[column]) {
        ("reproduced", Value::Bool(truth)) => truth.to_string().into(),
        ("causes" | "evidence", Value::Array(all)) if all.is_empty() => Value::Null,
        ("evidence", Value::Array(all)) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            all.join("; ").into()
        }
        (_, value) => value.clone(),
    }
}

fn found(column: &str, field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Int(number) => (*number).into(),
        Field::Long(number) => (*number).into(),
        Field::Double(number) => (*number).into(),
        Field::Str(text) if column == "causes" => serde_json::from_str(text).expect("JSON"),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => serde_json::from_slice(bytes.data()).expect("JSON"),
        other => panic!("{column} is {other:?}"),
    }
}

#[test]
fn parquet_has_what_ndjson_has() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parquet");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let sts = |arguments: &[&str]| {
        let binary = env!("CARGO_BIN_EXE_sts");
        let done = Command::new(binary).args(arguments).current_dir(&folder).output();
        let done = done.expect("the binary runs");
        assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{arguments:?}: {done:?}");
    };
    sts(&["simulate", "small", "--out", "case"]);
    // An event, a meter that nobody knows, and what a spreadsheet would run.
    let entries = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&entries).expect("entries");
    let mut lines = text.lines().map(|line| format!("{line},,\n"));
    let header = lines.next().expect("a header").replace(",,\n", ",event,value\n");
    let meter = text.lines().nth(1).and_then(|line| line.split(',').nth(2)).expect("a meter");
    let more = format!(
        "=1+1,2025-01-01T00:00:00Z,{meter},,,,,,,,,,,,power,off\n\
         é\u{1F600},2025-01-01T00:00:01Z,00000000000,18446744073843772416,,,,,,,,,,,,\n"
    );
    let rows: String = lines.collect();
    std::fs::write(&entries, format!("{header}{rows}{more}")).expect("a file");
    sts(&["replay", "case", "--sort", "--out", "out.ndjson"]);
    sts(&["replay", "case", "--sort", "--out", "out.parquet"]);

    let text = std::fs::read_to_string(folder.join("out.ndjson")).expect("verdicts");
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let file = std::fs::File::open(folder.join("out.parquet")).expect("a file");
    let reader = SerializedFileReader::new(file).expect("whole Parquet");
    let rows: Vec<_> =
        reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    assert_eq!((rows.len(), objects.len()), (231, 231));
    let mut filled = std::collections::BTreeSet::new();
    for (row, object) in rows.iter().zip(&objects) {
        let names: Vec<&String> = row.get_column_iter().map(|(name, _)| name).collect();
        for name in object.as_object().expect("an object").keys() {
            assert!(names.contains(&name), "{name} is no column");
        }
        for (name, field) in row.get_column_iter() {
            let value = found(name, field);
            assert_eq!(value, expected(object, name), "{name} of {object}");
            if !value.is_null() {
                filled.insert(name.clone());
            }
        }
    }
    // Each column is put to the test.
    assert_eq!(filled.len(), 18, "{filled:?}");
    assert!(!folder.join("out.parquet.part").exists());
}
