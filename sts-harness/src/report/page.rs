//! The page.

use std::fmt::Write;

use super::text::safe;
use super::{CLASSES, Change, Report, date};
use crate::cause::Cause;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#5b6470;--line:#d5dae1;--bar:#1f6feb;--bad:#b42318}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14171b;--soft:#a3adba;--line:#363d47;--bar:#6ea8fe;--bad:#ff8a7a}}\
@media print{:root{--ink:#000;--paper:#fff;--soft:#444;--line:#bbb;--bar:#1f4f9f;--bad:#a00}section{break-inside:avoid}}\
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
.lead{font-size:1.15rem;border-left:.3rem solid var(--bar);padding-left:.8rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}\
caption{text-align:left;color:var(--soft)}th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid var(--line)}\
.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}\
svg text{fill:var(--ink);font-size:13px}.bar{fill:var(--bar)}.mark{stroke:var(--bad);stroke-dasharray:4 3}.axis{stroke:var(--line)}\
code{font-size:.85em}pre{white-space:pre-wrap}.soft{color:var(--soft)}";

pub(super) fn page(report: &Report) -> String {
    let title = if report.title.is_empty() { "Replay" } else { &report.title };
    let title = safe(title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\" />\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n\
         <p class=\"lead\">{}</p>\n",
        safe(&lead(report))
    );
    let mut section = |head: &str, body: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<section>\n<h2>{head}</h2>\n{body}</section>");
    };
    section("Causes and what to do", &causes(report));
    section("Refusals over time", &time(report));
    section("Key revisions of refused tokens", &revisions(report));
    section("How sure this is", &certainty(report));
    section("Results", &results(report));
    section("Inputs", &inputs(report));
    out.push_str("</body>\n</html>\n");
    out
}

fn percent(part: u64, whole: u64) -> String {
    let tenths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or_default();
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn lead(report: &Report) -> String {
    let totals = &report.totals;
    let refused = totals.refused as u64;
    let mut text = format!("{refused} of {} entered tokens were refused", totals.entries);
    if let Some((name, found)) = report.ranked().first() {
        let mean = found.weight / found.count as f64 * 100.0;
        let title = Cause::from_name(name).map_or(*name, Cause::title);
        let next = Cause::from_name(name).map_or("", Cause::next_step);
        let share = percent(found.count, refused);
        let _ = write!(
            text,
            "; the main cause is \u{201c}{title}\u{201d}: {share} of the refusals, \
             {mean:.0} % sure on average. Do first: {next}"
        );
    } else {
        text.push('.');
    }
    text
}

/// A table: numbers stand right in columns whose head begins with `#`.
fn table(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let class = |column: usize| {
        if head[column].starts_with('#') { " class=\"n\"" } else { "" }
    };
    let mut out = format!("<div class=\"wide\"><table><caption>{caption}</caption><thead><tr>");
    for (column, name) in head.iter().enumerate() {
        let name = name.trim_start_matches('#');
        let _ = write!(out, "<th scope=\"col\"{}>{name}</th>", class(column));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{cell}</td>", class(column));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn causes(report: &Report) -> String {
    let refused = report.totals.refused as u64;
    let rows: Vec<Vec<String>> = report
        .ranked()
        .iter()
        .map(|(name, found)| {
            let cause = Cause::from_name(name);
            vec![
                format!("{}<br /><code>{name}</code>", safe(cause.map_or("", Cause::title))),
                found.count.to_string(),
                percent(found.count, refused),
                format!(
                    "{}<br /><code>{}</code>",
                    safe(cause.map_or("", Cause::next_step)),
                    cause.map_or("", Cause::action)
                ),
                found.ids.iter().map(|id| safe(id)).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    let head = ["Cause", "#Refusals", "#Share", "What to do", "First entries"];
    let mut out = table("First-ranked cause of each refusal", &head, &rows);
    out.push_str(
        "<p>All that is known of an entry, by its id in the file of entries:</p>\
         <pre><code>sts replay CASE --format ndjson | grep '\"id\":\"ID\"'</code></pre>\n",
    );
    out
}

const BINS: i64 = 60;

fn time(report: &Report) -> String {
    let (Some((&first, _)), Some((&last, _))) =
        (report.days.first_key_value(), report.days.last_key_value())
    else {
        return "<p>No entry was judged.</p>\n".into();
    };
    let width = (last - first) / BINS + 1;
    let bins = usize::try_from((last - first) / width + 1).unwrap_or(1);
    let mut refused = vec![0_u64; bins];
    for (day, (_, count)) in &report.days {
        if let Some(bin) =
            usize::try_from((day - first) / width).ok().and_then(|n| refused.get_mut(n))
        {
            *bin += count;
        }
    }
    let most = refused.iter().copied().max().unwrap_or_default().max(1);
    let step = 600 / bins as u64;
    let mut out = format!(
        "<svg viewBox=\"0 0 640 210\" role=\"img\" aria-labelledby=\"t1 d1\"><title id=\"t1\">\
         Refusals over time</title><desc id=\"d1\">Bars of {width} days from {} to {}, the highest \
         {most} refusals; dashed lines where most meters changed.</desc>\
         <line class=\"axis\" x1=\"20\" y1=\"170\" x2=\"620\" y2=\"170\" />",
        date(first),
        date(last)
    );
    for (n, count) in refused.iter().enumerate() {
        let height = count * 140 / most;
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\" />",
            20 + step * n as u64,
            170 - height,
            step.saturating_sub(1).max(1)
        );
    }
    let mut marks: Vec<(i64, Change, u64)> =
        report.changes.iter().map(|((day, change), count)| (*day, *change, *count)).collect();
    marks.sort_by_key(|(day, change, count)| (std::cmp::Reverse(*count), *day, *change));
    marks.truncate(6);
    marks.sort_by_key(|(day, change, _)| (*day, *change));
    let mut rows = Vec::new();
    for (n, (day, change, count)) in marks.iter().enumerate() {
        let x = 20 + (day - first).max(0) / width * i64::try_from(step).unwrap_or(1);
        let letter = char::from(b'A' + u8::try_from(n).unwrap_or_default());
        let _ = write!(
            out,
            "<line class=\"mark\" x1=\"{x}\" y1=\"22\" x2=\"{x}\" y2=\"170\" />\
             <text x=\"{x}\" y=\"16\">{letter}</text>"
        );
        let what = match change {
            Change::Krn => "key revision",
            Change::BaseDate => "base date",
            Change::Firmware => "firmware",
        };
        rows.push(vec![letter.to_string(), date(*day), what.to_owned(), count.to_string()]);
    }
    let _ = write!(
        out,
        "<text x=\"20\" y=\"192\">{}</text><text x=\"620\" y=\"192\" text-anchor=\"end\">{}</text>\
         </svg>\n<p class=\"soft\">Each bar is {width} days; the highest is {most} refusals.</p>\n",
        date(first),
        date(last)
    );
    if !rows.is_empty() {
        let head = ["Mark", "Seen on", "Changed", "#Meters"];
        out.push_str(&table("Days on which most meters were first seen changed", &head, &rows));
    }
    let rows: Vec<Vec<String>> = report
        .vended
        .iter()
        .map(|((sgc, krn), day)| vec![safe(sgc), krn.to_string(), date(*day)])
        .collect();
    if !rows.is_empty() {
        let caption = format!("First sale under each key revision, {} groups", report.sgcs().len());
        out.push_str(&table(&caption, &["Supply group", "#Key revision", "First sale"], &rows));
    }
    out
}

fn revisions(report: &Report) -> String {
    let refused = report.totals.refused as u64;
    let rows: Vec<Vec<String>> = report
        .revisions
        .iter()
        .map(|((own, made), count)| {
            let made = made.map_or("the same, or not found".into(), |krn| krn.to_string());
            vec![own.to_string(), made, count.to_string(), percent(*count, refused)]
        })
        .collect();
    let head = ["Meter holds", "Token made under", "#Refusals", "#Share"];
    table("Refusals by key revision (KRN)", &head, &rows)
}

fn certainty(report: &Report) -> String {
    let whole = report.classes.iter().sum();
    let rows: Vec<Vec<String>> = CLASSES
        .iter()
        .zip(report.classes)
        .map(|(name, count)| vec![(*name).to_owned(), count.to_string(), percent(count, whole)])
        .collect();
    let head = ["Probability of the first cause", "#Refusals", "#Share"];
    let mut out = table("Refusals by how sure their cause is", &head, &rows);
    let rows: Vec<Vec<String>> =
        report.bases.iter().map(|(name, n)| vec![safe(name), n.to_string()]).collect();
    out.push_str(&table("What the display rules rest on", &["Basis", "#Displays"], &rows));
    out
}

fn results(report: &Report) -> String {
    let totals = &report.totals;
    let rows: Vec<Vec<String>> =
        report.results.iter().map(|(name, count)| vec![safe(name), count.to_string()]).collect();
    let mut out = table("What meters answered", &["Result", "#Entries"], &rows);
    let _ = writeln!(
        out,
        "<p>Displays that were noted: {} reproduced, {} near, {} not reproduced. Without a key: \
         {}. In error: {}.</p>",
        totals.reproduced, totals.near, totals.not_reproduced, totals.key_missing, totals.errors
    );
    out
}

fn inputs(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .inputs
        .iter()
        // A hash is no foreign text, and its digits are nobody's number.
        .map(|input| vec![safe(&input.name), format!("<code>{}</code>", input.sha256)])
        .collect();
    let mut out = table("Files read", &["File", "SHA-256"], &rows);
    let _ = writeln!(out, "<p>Written by sts {}.</p>", env!("CARGO_PKG_VERSION"));
    out
}
