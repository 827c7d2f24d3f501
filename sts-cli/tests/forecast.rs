//! `sts forecast`: what is printed, its schema, and the chart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn sts(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sts")).args(arguments).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The built-in scenario with few meters.
const SMALL: [&str; 4] = ["forecast", "mangaung", "--meters", "400"];

#[test]
fn each_plan_is_an_object_that_fits_its_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas/forecast.schema.json");
    // The packaged crate comes without it.
    if !path.exists() {
        return;
    }
    let schema = std::fs::read_to_string(path).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let done = sts(&[&SMALL[..], &["--format", "ndjson"]].concat());
    assert_eq!(done.status.code(), Some(0));
    let objects: Vec<Value> = text(&done.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    for object in &objects {
        let errors: Vec<String> =
            schema.iter_errors(object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let mut wrong = objects[0].clone();
    wrong["forecast"]["calls"]["mean"] = Value::from(-1);
    assert!(!schema.is_valid(&wrong));
    let array = sts(&[&SMALL[..], &["--format", "json"]].concat());
    let array: Value = serde_json::from_slice(&array.stdout).expect("an array");
    assert_eq!(array, Value::Array(objects));
}

#[test]
fn figures_of_each_plan_agree_with_each_other_and_with_the_text() {
    let done = sts(&[&SMALL[..], &["--format", "json"]].concat());
    let plans: Vec<Value> = serde_json::from_slice(&done.stdout).expect("an array");
    let printed = text(&sts(&SMALL).stdout);
    assert_eq!(plans.len(), 5);
    for (place, plan) in plans.iter().enumerate() {
        let (forecast, assumed) = (&plan["forecast"], &plan["assumptions"]);
        assert_eq!(forecast["plan"], assumed["plan"][place]["name"]);
        assert_eq!(assumed["meters"], 400);
        let days = forecast["days"].as_array().expect("days");
        assert_eq!(Some(days.len() as u64), assumed["days"].as_u64());
        let mean = |of: &Value| of["mean"].as_f64().expect("a mean");
        let causes = forecast["causes"].as_object().expect("causes").values();
        let all = mean(&forecast["refusals"]);
        // Each figure is rounded to a tenth.
        assert!((causes.map(mean).sum::<f64>() - all).abs() < 0.5, "{forecast}");
        let daily = days.iter().flat_map(|day| day["refusals"].as_object().expect("causes"));
        assert!((daily.map(|(_, figure)| mean(figure)).sum::<f64>() - all).abs() < 7.0);
        let stranded: f64 = days.iter().map(|day| mean(&day["stranded"])).sum();
        assert!((stranded - mean(&forecast["stranded_days"])).abs() < 2.0);
        let name = forecast["plan"].as_str().expect("a name");
        let line = printed.lines().find(|line| line.contains(name)).expect("a line of the plan");
        assert!(line.contains(&format!(" {all:.0} +- ")), "{line}, not {all}");
    }
}

#[test]
fn chart_names_each_plan_on_a_halo() {
    let path = temporary("forecast.svg");
    let svg = path.to_str().expect("UTF-8");
    assert_eq!(sts(&[&SMALL[..], &["--svg", svg]].concat()).status.code(), Some(0));
    let chart = std::fs::read_to_string(&path).expect("the chart");
    let haloed = chart.matches("paint-order=\"stroke\"").count();
    assert_eq!((haloed, chart.matches("<polyline").count()), (5, 5));
    // No line is drawn over a label.
    let last_line = chart.rfind("<polyline").expect("a line");
    assert!(chart.find("paint-order").is_some_and(|first| first > last_line));
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let done = sts(&["forecast", "nowhere"]);
    assert_eq!(done.status.code(), Some(3));
    assert!(text(&done.stderr).contains("expected a file in .toml or one of: mangaung"));
    let path = temporary("wrong-forecast.toml");
    std::fs::write(&path, "title = 7\n").expect("a file");
    let done = sts(&["forecast", path.to_str().expect("UTF-8")]);
    assert_eq!(done.status.code(), Some(3));
    assert!(text(&done.stderr).contains("wrong-forecast.toml:1"), "{done:?}");
    let done = sts(&[&SMALL[..], &["--svg", "/nowhere/chart.svg"]].concat());
    assert_eq!(done.status.code(), Some(3));
    assert!(text(&done.stderr).contains("/nowhere/chart.svg"), "{done:?}");
}
