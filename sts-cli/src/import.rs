//! `sts import`.

use owo_colors::OwoColorize;
use sts_harness::import::{
    self, ColumnReport, Constant, Damaged, DateOrder, DecimalMark, FileReport, ImportError, Limit,
    Mapped, Options, Report,
};
use sts_harness::time::Zone;

use crate::args::ImportArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys;
use crate::out::{Out, wrapped};

pub(crate) fn run(args: &ImportArgs, out: &mut Out) -> Done {
    let mut options = options(args)?;
    if args.keys.keys.is_some() {
        options.keys = Some(keys::ring(&args.keys, out)?);
    }
    let done = match &args.out {
        Some(folder) => import::write(&args.files, folder, &options),
        None => import::check(&args.files, &options),
    };
    let report = match done {
        Ok(report) => report,
        Err(ImportError::TooMany { problem, report }) => {
            show(&report, args, out)?;
            tell(&problem, out)?;
            return Ok(Exit::Input);
        }
        Err(ImportError::Input(error)) => return Err(error.into()),
        Err(ImportError::Output(error)) => {
            return Err(Failure::Output(std::io::Error::other(error.to_string())));
        }
        Err(other) => return Err(Failure::Usage(other.to_string())),
    };
    show(&report, args, out)?;
    let mut exit = Exit::Good;
    for problem in report.files.iter().filter_map(|file| file.problem.as_ref()) {
        tell(problem, out)?;
        exit = Exit::Input;
    }
    // Within a limit that the user set, rejected rows are no failure.
    if report.rejected > 0 && options.max_rejects.is_none() {
        exit = Exit::Input;
    }
    Ok(exit)
}

/// An error below what it is about.
fn tell(problem: &str, out: &mut Out) -> Result<(), Failure> {
    if out.is_text() {
        out.flush()?;
    }
    out.error(problem);
    Ok(())
}

fn options(args: &ImportArgs) -> Result<Options, Failure> {
    let said = |name: &str, problem: String| Failure::Usage(format!("--{name}: {problem}"));
    let mut options = Options::default();
    for text in &args.map {
        options.map.push(Mapped::parse(text).map_err(|problem| said("map", problem))?);
    }
    for text in &args.set {
        options.set.push(Constant::parse(text).map_err(|problem| said("set", problem))?);
    }
    if let Some(name) = &args.tz {
        let zone = Zone::parse(name).map_err(|problem| said("tz", problem))?;
        options.zone = Some((name.clone(), zone));
    }
    if let Some(text) = &args.dates {
        options.dates = Some(DateOrder::parse(text).map_err(|problem| said("dates", problem))?);
    }
    if let Some(text) = &args.decimal {
        let mark = DecimalMark::parse(text).map_err(|problem| said("decimal", problem))?;
        options.decimal = Some(mark);
    }
    if let Some(label) = &args.encoding {
        options.set_encoding(label).map_err(|problem| said("encoding", problem))?;
    }
    if let Some(text) = &args.delimiter {
        options.delimiter = Some(match text.as_bytes() {
            b"tab" | b"\\t" => b'\t',
            [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => *one,
            _ => {
                return Err(said("delimiter", format!("{text:?}, expected one character, or tab")));
            }
        });
    }
    if let Some(text) = &args.max_rejects {
        options.max_rejects =
            Some(Limit::parse(text).map_err(|problem| said("max-rejects", problem))?);
    }
    options.sheet.clone_from(&args.sheet);
    options.header = args.header;
    options.restore_zeros = args.restore_zeros;
    if args.reject_damaged {
        options.damaged = Damaged::Reject;
    }
    options.distinct = args.distinct;
    options.sort = args.sort;
    options.force = args.force;
    Ok(options)
}

fn show(report: &Report, args: &ImportArgs, out: &mut Out) -> Result<(), Failure> {
    if !out.is_text() {
        return out.object(report);
    }
    for file in &report.files {
        understood(file, out)?;
    }
    if report.files.iter().all(|file| file.problem.is_some()) {
        return out.line("No row is read.".dimmed());
    }
    let inferred = match report.meters_inferred {
        0 => String::new(),
        inferred => format!(", inferred: {inferred}"),
    };
    out.line(format_args!(
        "Rows: {}; entries: {}; rejected: {}; meters: {}, with all settings: {}{inferred}",
        report.rows.bold(),
        report.entries,
        report.rejected,
        report.meters,
        report.meters_told
    ))?;
    if let (Some(first), Some(last)) = (&report.first, &report.last) {
        let zone = match &report.zone {
            Some(zone) => format!("; times that say no zone are taken in {zone}"),
            None => String::new(),
        };
        out.line(format_args!("From {first} to {last}{zone}"))?;
    }
    if !report.rejects.is_empty() {
        out.line("Rejected:")?;
        for reject in &report.rejects {
            item(reject, out)?;
        }
        let shown = u64::try_from(report.rejects.len()).unwrap_or_default();
        if report.rejected > shown {
            out.line(format_args!("  and {} more", report.rejected - shown))?;
        }
    }
    if !report.notes.is_empty() {
        out.line("To know:")?;
        for note in &report.notes {
            item(note, out)?;
        }
    }
    if args.check {
        out.line("Nothing is written.".dimmed())?;
    }
    for path in &report.written {
        out.line(format_args!("Written: {}", path.display()))?;
    }
    Ok(())
}

/// One thing of a list, over as many lines as it needs.
fn item(text: &str, out: &mut Out) -> Result<(), Failure> {
    for (index, line) in wrapped(text, 90).into_iter().enumerate() {
        let head = if index == 0 { "  " } else { "    " };
        out.line(format_args!("{head}{line}"))?;
    }
    Ok(())
}

/// What was understood of a file.
fn understood(file: &FileReport, out: &mut Out) -> Result<(), Failure> {
    let mut how = vec![file.kind.clone()];
    if let Some(delimiter) = file.delimiter {
        how.push(match delimiter {
            '\t' => "fields between tabs".to_owned(),
            delimiter => format!("fields between {delimiter:?}"),
        });
    }
    how.extend(file.encoding.clone());
    if let Some(header) = file.header {
        how.push(format!("header in {} {header}", file.counts));
    }
    out.line(format_args!("{}: {}", file.name.bold(), how.join("; ")))?;
    // Where nothing could be chosen, all there is to choose from.
    let all = !file.columns.iter().any(ColumnReport::is_used);
    let shown = |column: &&ColumnReport| all || column.is_used();
    let width = |column: &ColumnReport| column.name.chars().count();
    let widest = file.columns.iter().filter(shown).map(width).max().unwrap_or_default().min(32);
    for column in file.columns.iter().filter(shown) {
        let field = column.field.map_or("?", import::Field::name);
        let examples = column.examples.join(" | ");
        let padding = " ".repeat(widest.saturating_sub(width(column)));
        out.line(format_args!(
            "  {}{padding}  -> {field:<10}  {}",
            column.name,
            examples.dimmed()
        ))?;
    }
    let unused: Vec<String> = file
        .columns
        .iter()
        .filter(|column| !shown(column) && !column.name.is_empty())
        .map(|column| match (&column.unused_for, column.field) {
            (Some(why), _) => format!("{} ({why})", column.name),
            (None, Some(field)) => format!("{} ({}: {})", column.name, field, field.about()),
            (None, None) => column.name.clone(),
        })
        .collect();
    if !unused.is_empty() {
        item(&format!("not used: {}", unused.join(", ")), out)?;
    }
    if !file.times.is_empty() {
        let order = match &file.dates {
            Some(order) => format!(" ({order})"),
            None => String::new(),
        };
        out.line(format_args!("  times: {}{order}", file.times.join("; ")))?;
    }
    if let Some(mark) = &file.decimal {
        out.line(format_args!("  decimals: {mark}"))?;
    }
    if file.problem.is_none() {
        out.line(format_args!(
            "  rows: {}; entries: {}; rejected: {}",
            file.rows, file.entries, file.rejected
        ))?;
    }
    for note in &file.notes {
        item(note, out)?;
    }
    out.line("")
}
