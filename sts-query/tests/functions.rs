//! The functions over arrays, against the harness itself.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, LargeStringArray, StringArray, StringViewArray,
    StructArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Fields};
use sts_harness::case::{Case, Overrides};
use sts_harness::diagnose::Settings;
use sts_harness::keys::{KeyRing, Locked};
use sts_harness::replay::Replay;
use sts_query::{Functions, numbers};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024")
}

fn ring() -> KeyRing {
    KeyRing::load(&example().join("keys.toml"), &mut Locked).unwrap()
}

/// A file of the example as columns of text; what is empty is null.
fn table(name: &str) -> StructArray {
    let text = std::fs::read_to_string(example().join(name)).unwrap();
    let mut reader = csv(&text);
    let header = reader.remove(0);
    let column = |place: usize| -> ArrayRef {
        let cells = reader.iter().map(|row| Some(row[place].as_str()).filter(|it| !it.is_empty()));
        Arc::new(cells.collect::<StringArray>())
    };
    let columns: Vec<ArrayRef> = (0..header.len()).map(column).collect();
    let fields: Vec<Field> =
        header.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    StructArray::new(Fields::from(fields), columns, None)
}

/// Rows of CSV whose quotes stand around whole fields.
fn csv(text: &str) -> Vec<Vec<String>> {
    let row = |line: &str| {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for letter in line.chars() {
            match letter {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                other => fields.last_mut().unwrap().push(other),
            }
        }
        fields
    };
    text.lines().map(row).collect()
}

fn column<'a>(table: &'a StructArray, name: &str) -> &'a StringArray {
    table.column_by_name(name).unwrap().as_string()
}

/// For each entry its meter's row.
fn meters_of(entries: &StructArray, meters: &StructArray) -> StructArray {
    let rows = column(entries, "drn").iter().map(|drn| {
        u32::try_from(column(meters, "drn").iter().position(|it| it == drn).unwrap()).unwrap()
    });
    let rows = arrow::array::UInt32Array::from_iter_values(rows);
    arrow::compute::take(meters, &rows, None).unwrap().as_struct().clone()
}

#[test]
fn replay_is_that_of_the_harness() {
    let case = Case::load(&example(), Overrides::default(), &mut Locked).unwrap();
    let mut replay = Replay::with_settings(&case, Settings { alone: true, ..Settings::default() });
    let (entries, meters) = (table("entries.csv"), table("meters.csv"));
    let verdicts =
        Functions::new(ring()).unwrap().replay(&meters_of(&entries, &meters), &entries).unwrap();
    assert_eq!(verdicts.len(), case.entries.len());
    for (row, entry) in case.entries.iter().enumerate() {
        let expected = replay.step(entry).verdict;
        let found = |name| column(&verdicts, name).iter().nth(row).unwrap().map(str::to_owned);
        assert_eq!(found("id").unwrap(), expected.id);
        assert_eq!(found("result").as_deref(), expected.result, "{}", expected.id);
        assert_eq!(found("display"), expected.display, "{}", expected.id);
        assert_eq!(found("causes"), expected.causes_text(), "{}", expected.id);
        assert_eq!(found("evidence"), expected.evidence_text(), "{}", expected.id);
        assert_eq!(found("reason"), expected.reason, "{}", expected.id);
        assert_eq!(found("event"), expected.event, "{}", expected.id);
        assert_eq!(found("error"), expected.error, "{}", expected.id);
    }
    assert!(column(&verdicts, "display").iter().any(|it| it == Some("017")));
}

#[test]
fn diagnosis_takes_each_row_by_itself() {
    let (entries, meters) = (table("entries.csv"), table("meters.csv"));
    let (entries, meters) = (entries.slice(1, 1), meters_of(&entries, &meters).slice(1, 1));
    let twice = |rows: &StructArray| arrow::compute::concat(&[rows, rows]).unwrap();
    let functions = Functions::new(ring()).unwrap();
    let said = functions.diagnose(twice(&meters).as_struct(), twice(&entries).as_struct()).unwrap();
    assert_eq!(column(&said, "display").value(0), "017");
    assert_eq!(column(&said, "cause").value(0), column(&said, "cause").value(1));
    assert_eq!(said.slice(0, 1), said.slice(1, 1));
}

#[test]
fn rows_that_cannot_be_read_say_so_and_others_go_on() {
    let (entries, meters) = (table("entries.csv"), table("meters.csv"));
    let all_meters = meters_of(&entries, &meters);
    let functions = Functions::new(ring()).unwrap();
    // No meter at all.
    let none = new_null_array(meters.data_type(), entries.len());
    let said = functions.replay(none.as_struct(), &entries).unwrap();
    assert!(column(&said, "error").value(0).contains("is not in meters.csv"));
    // Another meter than the entry's.
    let said = functions.replay(&all_meters.slice(0, 1), &entries.slice(entries.len() - 1, 1));
    assert!(column(&said.unwrap(), "error").value(0).contains("is another than that of the entry"));
    // A field that is none.
    let id: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let bad = StructArray::from(vec![(Arc::new(Field::new("id", DataType::Utf8, true)), id)]);
    let said = functions.replay(&all_meters.slice(0, 1), &bad).unwrap();
    assert!(column(&said, "error").value(0).contains("entered_at"), "{said:?}");
    assert_eq!(column(&said, "id").value(0), "a");
}

#[test]
fn every_form_of_text_says_the_same() {
    let entries = table("entries.csv");
    let functions = Functions::new(ring()).unwrap();
    let (token, meter) = (column(&entries, "entered"), column(&entries, "drn"));
    let expected = functions.verify(&[token, meter]).unwrap();
    assert!(expected.iter().any(|it| it == Some("Authentic")));
    let view = token.iter().collect::<StringViewArray>();
    let large = meter.iter().collect::<LargeStringArray>();
    assert_eq!(functions.verify(&[&view, &large]).unwrap(), expected);
    let dictionary = arrow::compute::cast(
        meter,
        &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    )
    .unwrap();
    assert_eq!(functions.verify(&[&view, &dictionary]).unwrap(), expected);
    let decoded = functions.decode(&[token, meter]).unwrap();
    assert_eq!(column(&decoded, "result"), &expected);
    assert_eq!(functions.verify(&[]).unwrap().len(), 0);
    let sliced = functions.verify(&[&token.slice(2, 3), &meter.slice(2, 3)]).unwrap();
    assert_eq!(sliced, expected.slice(2, 3));
}

#[test]
fn columns_that_lost_their_zeros_are_refused() {
    let functions = Functions::new(ring()).unwrap();
    let numbers = Int64Array::from(vec![1]);
    let error = functions.verify(&[&numbers]).unwrap_err();
    assert!(error.to_string().starts_with("column token: is Int64"), "{error}");
    let error = numbers::meter(&numbers).unwrap_err();
    assert!(error.to_string().contains("lost its zeros"), "{error}");
}

#[test]
fn fingerprint_tells_what_would_be_said() {
    let functions = |ring| Functions::new(ring).unwrap().fingerprint();
    assert_eq!(functions(ring()), functions(ring()));
    let mut other = ring();
    other.vending.reverse();
    assert_ne!(functions(ring()), functions(other));
    assert_ne!(functions(ring()), functions(KeyRing::default()));
    assert_eq!(functions(ring()).len(), 16);
}

#[test]
fn tids_have_times_under_a_base_date() {
    let tids = Int64Array::from(vec![Some(5_258_880), Some(1 << 24), Some(-1), None]);
    let times = numbers::tid_time(&tids, &Int64Array::from(vec![2014; 4])).unwrap();
    assert_eq!(times.iter().collect::<Vec<_>>(), [Some(1_704_067_200), None, None, None]);
    assert_eq!(numbers::tid_time(&tids, &Int64Array::from(vec![2000; 4])).unwrap().null_count(), 4);
}
