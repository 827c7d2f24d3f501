//! Results as `JUnit`'s XML, for what shows test results.

use std::fmt::Write;

use super::script::{Case, Step};
use super::{Outcome, Verdict};
use crate::markup;

/// One `testsuite` for each suite. A difference in a choice is a pass with a note.
#[must_use]
pub fn junit(device: &str, outcomes: &[(&Case, Outcome)]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in outcomes.chunk_by(|(a, _), (b, _)| a.suite == b.suite) {
        let count = |name: &str| suite.iter().filter(|(_, o)| o.verdict.name() == name).count();
        let name = suite.first().map_or("", |(case, _)| &case.suite);
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" hostname=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
            escaped(name),
            escaped(device),
            suite.len(),
            count("failed"),
            count("skipped"),
        );
        for (case, outcome) in suite {
            let (name, suite) = (escaped(&case.name), escaped(&case.suite));
            let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{suite}\"");
            let _ = match &outcome.verdict {
                Verdict::Passed => writeln!(xml, "/>"),
                Verdict::Skipped(why) => {
                    writeln!(xml, "><skipped message=\"{}\"/></testcase>", escaped(why))
                }
                Verdict::Failed(deviation) | Verdict::Differs(deviation) => {
                    let tag = match outcome.verdict {
                        Verdict::Failed(_) => "failure",
                        _ => "system-out",
                    };
                    let steps: Vec<String> =
                        case.steps.iter().take(deviation.step + 1).map(Step::to_string).collect();
                    let text = format!(
                        "expected {}, got {}\nsource: {}\nsetup {}\n{}",
                        deviation.expected,
                        deviation.got,
                        case.source,
                        case.setup,
                        steps.join("\n"),
                    );
                    writeln!(xml, "><{tag}>{}</{tag}></testcase>", escaped(&text))
                }
            };
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// What the device sent can be anything, and keeps its lines in attributes too.
fn escaped(text: &str) -> String {
    markup::escaped(text).replace('\t', "&#9;").replace('\n', "&#10;").replace('\r', "&#13;")
}
