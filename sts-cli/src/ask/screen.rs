//! The screen of `sts explain`, for someone with a customer on the line.

use owo_colors::OwoColorize;
use sts_harness::records::EntryRow;
use sts_harness::time;

use super::entered::{is_prose, shortened};
use super::explanation::{Also, Explanation, Reading, Readings, Why};
use super::marks::carets;
use crate::exit::Failure;
use crate::out::{Out, grouped, wrapped};
use crate::texts::Said;

/// Columns of text: 80 less the indent.
const WIDTH: usize = 77;

type Shown = Result<(), Failure>;

/// What was entered, where in the question, and at what meter.
pub(super) fn head(
    entry: &EntryRow,
    state: &str,
    (place, count): (usize, usize),
    out: &mut Out,
) -> Shown {
    if place > 0 {
        out.line("")?;
        out.line("-".repeat(WIDTH + 2).dimmed())?;
    }
    let entered = entry.entered.as_deref().unwrap_or_default().trim();
    let what = if is_prose(entered) { "Text" } else { "Token" };
    let which = if count > 1 { format!(" {} of {count}:", place + 1) } else { String::new() };
    out.line(format_args!("{what}{which} {}", shortened(entered).bold()))?;
    let at = time::format_short(entry.entered_at);
    let mut line = format!("meter {} on {at} UTC", entry.pan.drn());
    if !state.is_empty() {
        line += &format!(": {state}");
    }
    for line in wrapped(&line, WIDTH + 2) {
        out.line(line.dimmed())?;
    }
    Ok(())
}

/// What was entered, where no meter can be asked.
pub(super) fn bare_head(entered: &str, out: &mut Out) -> Shown {
    if is_prose(entered) {
        return Ok(());
    }
    out.line(format_args!("Token {}", shortened(entered).bold()))
}

/// Everything below the head.
pub(super) fn show(said: &Explanation, out: &mut Out) -> Shown {
    happened(said, out)?;
    if let Some(of) = &said.why {
        why(of, out)?;
    }
    heading("Tell the customer", out)?;
    text(&format!("\"{}\"", said.customer.on_terminal()), out)?;
    heading("What to do", out)?;
    said.todo.iter().try_for_each(|line| text(&line.on_terminal(), out))?;
    if let Some(of) = &said.readings {
        readings(of, out)?;
    }
    candidates(said, out)?;
    if let Some(wanted) = &said.wanted {
        text(&wanted.on_terminal(), out)?;
    }
    said.action.map_or(Ok(()), |action| dim(&format!("action {action}"), out))
}

fn happened(said: &Explanation, out: &mut Out) -> Shown {
    heading("What happened", out)?;
    let mut lines = said.happened.iter().map(Said::on_terminal);
    // Whether it is taken, and what the meter does with it, are one paragraph.
    if let Some(taken) = said.taken {
        let verb = lines.next().unwrap_or_default();
        let rest = lines.next().unwrap_or_default();
        let coloured = if taken { verb.green().to_string() } else { verb.red().to_string() };
        for line in wrapped(&format!("{verb} {rest}"), WIDTH) {
            // Colour comes last: it has no width.
            out.line(format_args!("  {}", line.replacen(&verb, &coloured, 1)))?;
        }
    }
    for line in lines {
        text(&line, out)?;
    }
    said.result.as_ref().map_or(Ok(()), |result| dim(&format!("result {result}"), out))
}

fn why(why: &Why, out: &mut Out) -> Shown {
    heading("Why", out)?;
    for line in wrapped(&why.sentence.on_terminal(), WIDTH) {
        out.line(format_args!("  {}", line.bold()))?;
    }
    text(&sureness(&why.sure, &why.also), out)?;
    for point in &why.points {
        for (index, line) in wrapped(&point.on_terminal(), WIDTH - 2).into_iter().enumerate() {
            let mark = if index == 0 { "-" } else { " " };
            out.line(format_args!("  {mark} {line}"))?;
        }
    }
    let tried = if why.trials > 0 {
        let candidates = if why.trials == 1 { "candidate" } else { "candidates" };
        format!("; {} {candidates} tried, {} expected to match by chance", why.trials, why.chance)
    } else {
        String::new()
    };
    dim(&format!("cause {}{tried}", why.cause), out)
}

/// How sure a cause is and what else may be, as one sentence.
pub(super) fn sureness(sure: &Said, also: &[Also]) -> String {
    let causes: Vec<String> =
        also.iter().map(|other| format!("{} ({})", other.title.text(), other.odds)).collect();
    if causes.is_empty() {
        return format!("{}.", sure.text());
    }
    let also = Said::new("sure.also").with("causes", causes.join(", "));
    format!("{}; {}.", sure.text(), also.text())
}

fn readings(readings: &Readings, out: &mut Out) -> Shown {
    out.line("")?;
    if let Some(intro) = &readings.intro {
        text(&intro.on_terminal(), out)?;
    }
    pointed(&readings.keyed, &readings.fitting).iter().try_for_each(|line| out.line(line))
}

fn candidates(said: &Explanation, out: &mut Out) -> Shown {
    if said.candidates.is_empty() {
        return Ok(());
    }
    out.line("")?;
    text(&Said::new("readings.candidates").text(), out)?;
    for other in &said.candidates {
        let mut line = format!("{:>6}  {}", other.odds, other.title.text());
        if let Some(token) = &other.token {
            line += &format!(": {}", grouped(token));
        } else if let Some(what) = &other.what {
            line += &format!(": {what}");
        }
        for (index, line) in wrapped(&line, WIDTH - 2).into_iter().enumerate() {
            let indent = if index == 0 { "    " } else { "            " };
            out.line(format_args!("{indent}{line}"))?;
        }
    }
    Ok(())
}

/// Both numbers, one above the other, with marks where they differ: under what was keyed, and under
/// each reading where there are several or where it has digits that were left out.
fn pointed(keyed: &str, readings: &[Reading]) -> Vec<String> {
    let several = readings.len() > 1;
    let row = |name: &str, digits: &str, after: &str| {
        format!("    {name:<7} {digits}{after}").trim_end().to_owned()
    };
    let mut lines = vec![row("keyed", &grouped(keyed), "")];
    for reading in readings {
        let name = match (several, reading.is_proven) {
            (true, _) => reading.odds.as_str(),
            (false, true) => "right",
            (false, false) => "maybe",
        };
        let says = reading.says.as_ref().filter(|_| several).map(|says| format!("   {says}"));
        let marks = &reading.marks;
        let keyed_marks = carets(&marks.keyed).map(|line| row("", &line.red().to_string(), ""));
        let right_marks = carets(&marks.right).map(|line| row("", &line.green().to_string(), ""));
        let token = grouped(&reading.token).bold().to_string();
        let shown = row(name, &token, &says.unwrap_or_default());
        // With several, the marks stand under each reading, since they differ.
        let (above, below) =
            if several { (None, keyed_marks.or(right_marks)) } else { (keyed_marks, right_marks) };
        lines.extend(above.into_iter().chain([shown]).chain(below));
    }
    lines
}

fn heading(title: &str, out: &mut Out) -> Shown {
    out.line("")?;
    out.line(title.bold().underline())
}

fn text(text: &str, out: &mut Out) -> Shown {
    for line in wrapped(text, WIDTH) {
        out.line(format_args!("  {line}"))?;
    }
    Ok(())
}

fn dim(said: &str, out: &mut Out) -> Shown {
    for line in wrapped(said, WIDTH) {
        out.line(format_args!("  {}", line.dimmed()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::explanation::percent;
    use super::super::marks::Marks;
    use super::*;

    #[test]
    fn a_proven_reading_is_right_and_others_have_their_odds() {
        let reading = |token: &str, probability, is_proven| Reading {
            token: token.to_owned(),
            says: Some("5.0 m3 of water".to_owned()),
            odds: percent(probability),
            is_proven,
            marks: Marks::between("63873003", token),
        };
        let shown = |readings: &[Reading]| -> Vec<String> {
            let lines = pointed("63873003", readings);
            lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
        };
        assert_eq!(
            shown(&[reading("63853003", 0.9999, true)]),
            ["    keyed   6387 3003", "               ^", "    right   6385 3003"]
        );
        assert_eq!(
            shown(&[reading("63853003", 0.9999, false)]),
            ["    keyed   6387 3003", "               ^", "    maybe   6385 3003"]
        );
        assert_eq!(
            shown(&[reading("63853003", 0.6, false), reading("63873103", 0.3, false)]),
            [
                "    keyed   6387 3003",
                "    60 %    6385 3003   5.0 m3 of water",
                "               ^",
                "    30 %    6387 3103   5.0 m3 of water",
                "                  ^",
            ]
        );
    }
}
