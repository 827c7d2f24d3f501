//! The functions in queries, against the harness itself.

#![cfg(feature = "datafusion")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use datafusion::prelude::SessionContext;
use sts_harness::case::{Case, Overrides};
use sts_harness::diagnose::Settings;
use sts_harness::keys::Locked;
use sts_harness::replay::Replay;
use sts_harness::simulate::{Scale, Scenario};
use sts_query::Functions;
use sts_query::keys::SecretFiles;
use sts_query::sql::{self, Holders, Label, Slice};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024")
}

fn functions(folder: &Path) -> Functions {
    let (ring, _) = SecretFiles::default().open(&folder.join("keys.toml")).unwrap();
    Functions::new(ring).unwrap()
}

/// A case of some meters with refusals of every kind, gone with the test's folder.
fn simulated() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated");
    let _ = std::fs::remove_dir_all(&folder);
    let scale = Scale { seed: Some(7), refusals: Some(200), ..Scale::default() };
    Scenario::load("small").unwrap().write(scale, &folder, true).unwrap();
    folder
}

async fn with_case(folder: &Path, holders: &Holders) -> SessionContext {
    let context = sql::session(holders, Some(3)).unwrap();
    for name in ["meters", "entries"] {
        sql::open(&context, name, &folder.join(name).with_extension("csv")).await.unwrap();
    }
    context
}

async fn rows(context: &SessionContext, query: &str) -> RecordBatch {
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

async fn refusal(context: &SessionContext, query: &str) -> String {
    let told = async { context.sql(query).await?.collect().await };
    told.await.unwrap_err().to_string()
}

/// Every field of every verdict, by id.
fn told(batch: &RecordBatch) -> Vec<String> {
    let mut told: Vec<String> = (0..batch.num_rows())
        .map(|row| {
            let row = batch.slice(row, 1);
            arrow::util::pretty::pretty_format_batches(&[row]).unwrap().to_string()
        })
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn replay_is_that_of_the_harness_however_it_is_cut() {
    let folder = simulated();
    let case = Case::load(&folder, Overrides::default(), &mut Locked).unwrap();
    let settings = Settings { alone: true, ..Settings::default() };
    let mut replay = Replay::with_settings(&case, settings);
    let mut expected: Vec<String> = case
        .entries
        .iter()
        .map(|entry| {
            let verdict = replay.step(entry).verdict;
            format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                verdict.id,
                verdict.result,
                verdict.display,
                verdict.cause,
                verdict.confidence,
                verdict.causes_text(),
                verdict.evidence_text(),
                verdict.reason,
            )
        })
        .collect();
    expected.sort_unstable();
    let context = with_case(&folder, &Holders::one(functions(&folder))).await;
    let query = sql::replay_query(&context, "meters", "entries", None, Slice::WHOLE).await.unwrap();
    let batch = rows(&context, &query).await;
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        column.iter().nth(row).unwrap().map(str::to_owned)
    };
    let confidence = batch.column_by_name("confidence").unwrap();
    let confidence = confidence.as_primitive::<arrow::datatypes::Float64Type>();
    let mut found: Vec<String> = (0..batch.num_rows())
        .map(|row| {
            format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                text("id", row).unwrap(),
                text("result", row),
                text("display", row),
                text("cause", row),
                confidence.iter().nth(row).unwrap(),
                text("causes", row),
                text("evidence", row),
                text("reason", row),
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn example_is_reproduced() {
    let folder = example();
    let context = with_case(&folder, &Holders::one(functions(&folder))).await;
    let query = sql::replay_query(&context, "meters", "entries", None, Slice::WHOLE).await.unwrap();
    let query = format!("SELECT cause, count(*) FROM ({query}) WHERE display = '017' GROUP BY 1");
    assert!(rows(&context, &query).await.num_rows() > 0);
}

#[tokio::test]
async fn keys_are_asked_by_label_and_fingerprint() {
    let folder = example();
    let holders = Holders::labelled([("town".to_owned(), functions(&folder))]);
    let label: Vec<Label> = holders.labels().collect();
    let context = with_case(&folder, &holders).await;
    let query = |keys: &str| {
        format!(
            "SELECT sts_verify(entered, drn, NULL, NULL, NULL, NULL, NULL, '{keys}') FROM entries"
        )
    };
    assert!(rows(&context, &query(&label[0].to_string())).await.num_rows() > 0);
    let other = refusal(&context, &query("village@0123456789abcdef")).await;
    assert!(other.contains("no keys \"village\" are held here"), "{other}");
    let differs = refusal(&context, &query("town@0123456789abcdef")).await;
    assert!(differs.contains("refused") && differs.contains("0123456789abcdef"), "{differs}");
    let none = refusal(&context, "SELECT sts_verify(entered) FROM entries").await;
    assert!(none.contains("names no keys"), "{none}");
    let label = Some(&label[0]);
    let query = |slice| sql::replay_query(&context, "meters", "entries", label, slice);
    let whole = told(&rows(&context, &query(Slice::WHOLE).await.unwrap()).await);
    let mut sliced = Vec::new();
    for slice in Slice::all(NonZeroU32::new(3).unwrap()) {
        sliced.extend(told(&rows(&context, &query(slice).await.unwrap()).await));
    }
    sliced.sort_unstable();
    assert_eq!(whole, sliced);
    let one = with_case(&folder, &Holders::one(functions(&folder))).await;
    let query = sql::replay_query(&one, "meters", "entries", None, Slice::WHOLE).await.unwrap();
    assert_eq!(whole, told(&rows(&one, &query).await));
}

#[tokio::test]
async fn plan_names_keys_by_label_alone() {
    let folder = example();
    let context = with_case(&folder, &Holders::one(functions(&folder))).await;
    let plan = rows(&context, "EXPLAIN SELECT sts_verify(entered, drn) FROM entries").await;
    let plan = told(&plan).concat();
    for line in std::fs::read_to_string(folder.join("keys.toml")).unwrap().lines() {
        if let Some(key) = line.strip_prefix("key = ") {
            assert!(!plan.contains(key.trim_matches('"')), "{plan}");
        }
    }
}

#[tokio::test]
async fn numbers_need_no_keys() {
    let context = sql::session(&Holders::elsewhere(), None).unwrap();
    let batch = rows(
        &context,
        "SELECT sts_meter('01202401012'), sts_meter_problem('01202401013'), \
         CAST(sts_tid_time(5258880, 2014) AS VARCHAR), CAST(sts_time('2024-11-01T08:00:00+02:00') AS VARCHAR)",
    )
    .await;
    let told = told(&batch).concat();
    assert!(told.contains("600727012024010124") || told.contains("60072701202401012"), "{told}");
    assert!(told.contains("check digit"), "{told}");
    assert!(
        told.contains("2024-01-01T00:00:00Z") && told.contains("2024-11-01T06:00:00"),
        "{told}"
    );
}

#[tokio::test]
async fn bad_input_is_named() {
    let folder = example();
    let context = with_case(&folder, &Holders::one(functions(&folder))).await;
    for (query, expected) in [
        ("SELECT sts_verify(123) FROM entries", "lost its zeros"),
        ("SELECT sts_diagnose(drn, entered) FROM entries", "structs"),
        ("SELECT sts_decode()", "sts_decode"),
        ("SELECT sts_tid_time('a', 2014) FROM entries", "whole numbers"),
        (
            "SELECT sts_verify(entered, drn, '07', '123456', '1', '01', '2', id) FROM entries",
            "same in every row",
        ),
    ] {
        let told = refusal(&context, query).await;
        assert!(told.contains(expected), "{query}: {told}");
    }
    let nowhere = sql::open(&context, "a", Path::new("no-such.csv")).await.unwrap_err();
    assert!(nowhere.to_string().contains("no such file"), "{nowhere}");
    // What cannot be read is said of its row, and the others go on.
    let batch = rows(
        &context,
        "SELECT sts_decode(t, 'x')['error'] FROM (VALUES ('1844'), ('18446744073843772416')) AS v(t)",
    )
    .await;
    assert!(told(&batch).concat().contains("meter: "), "{:?}", told(&batch));
}
