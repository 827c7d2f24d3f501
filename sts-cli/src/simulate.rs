//! `sts simulate`.

use serde_json::json;
use sts_harness::simulate::{Scale, Scenario, SimulateError};

use crate::args::SimulateArgs;
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

pub(crate) fn run(args: &SimulateArgs, out: &mut Out) -> Done {
    if args.list {
        for (name, title) in Scenario::builtin() {
            if out.is_text() {
                out.line(format_args!("{name:<16} {title}"))?;
            } else {
                out.object(&json!({"schema": 1, "name": name, "title": title}))?;
            }
        }
        return Ok(Exit::Good);
    }
    let (Some(name), Some(folder)) = (&args.scenario, &args.out) else {
        return Err(Failure::Usage("a scenario and --out are needed, or --list".into()));
    };
    let scenario = Scenario::load(name)?;
    let scale = Scale { seed: args.seed, meters: args.meters, refusals: args.refusals };
    let summary = scenario.write(scale, folder, args.force).map_err(|error| match error {
        SimulateError::Output { path, why } => Failure::in_file(path.as_ref(), &why),
        other => Failure::Usage(other.to_string()),
    })?;
    if !out.is_text() {
        out.object(&json!({
            "schema": 1,
            "scenario": name,
            "seed": summary.seed,
            "meters": summary.meters,
            "keys": summary.keys,
            "entries": summary.entries,
            "refusals": summary.refusals(),
            "causes": summary.causes,
        }))?;
        return Ok(Exit::Good);
    }
    out.line(format_args!(
        "{}: {} meters, {} keys, {} entries, {} with a cause; seed {}",
        folder.display(),
        summary.meters,
        summary.keys,
        summary.entries,
        summary.refusals(),
        summary.seed,
    ))?;
    for (cause, count) in &summary.causes {
        out.line(format_args!("  {cause:<22} {count:>8}"))?;
    }
    Ok(Exit::Good)
}
