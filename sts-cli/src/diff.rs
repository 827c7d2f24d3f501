//! `sts diff`.

use owo_colors::OwoColorize;
use sts_harness::diff::{self, Change};

use crate::args::DiffArgs;
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

/// Changes that are listed in text.
const MOST: u64 = 50;

pub(crate) fn run(args: &DiffArgs, out: &mut Out) -> Done {
    let mut listed = 0;
    let summary = diff::compare(&args.first, &args.second, |change| {
        if !out.is_text() {
            return out.object(change);
        }
        listed += 1;
        if listed <= MOST { show(change, out) } else { Ok::<_, Failure>(()) }
    })?;
    if out.is_text() {
        if listed > MOST {
            out.line(format_args!("and {} more: --format ndjson has all", listed - MOST))?;
        }
        if listed > 0 {
            out.line("")?;
        }
        for (name, turns) in &summary.turns {
            let mut turns: Vec<_> = turns.iter().collect();
            turns.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            out.line(name.bold())?;
            for ((from, to), count) in turns {
                out.line(format_args!("  {count:>8}  {from} -> {to}"))?;
            }
        }
        let [first, second] = summary.alone;
        out.line(format_args!(
            "{} entries in both, {} changed; {first} in {} alone, {second} in {} alone",
            summary.both,
            summary.changed.bold(),
            args.first.display(),
            args.second.display()
        ))?;
    }
    Ok(Exit::of(summary.is_same()))
}

fn show(change: &Change, out: &mut Out) -> Result<(), Failure> {
    let id = change.id.bold();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let (from, to) = (before.words(), after.words());
            if from == to {
                let fields = change.fields.join(", ");
                out.line(format_args!("{id}  {from}: {fields}"))?;
            } else {
                out.line(format_args!("{id}  {from} -> {to}"))?;
            }
            let why = after.evidence.iter().filter(|why| !before.evidence.contains(why));
            for why in why.chain(&after.error) {
                out.line(format_args!("    {}", why.dimmed()))?;
            }
            Ok(())
        }
        (Some(before), None) => out.line(format_args!("{id}  {} -> not there", before.words())),
        (None, Some(after)) => out.line(format_args!("{id}  not there -> {}", after.words())),
        (None, None) => Ok(()),
    }
}
