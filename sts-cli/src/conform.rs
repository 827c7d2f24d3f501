//! `sts conform`.

use std::path::Path;
use std::time::Duration;

use owo_colors::OwoColorize;
use serde_json::json;
use sts_core::Profile;
use sts_harness::conform::builtin::Builtin;
use sts_harness::conform::script::{self, Case, Step};
use sts_harness::conform::wire::Remote;
use sts_harness::conform::{
    Device, DeviceError, Outcome, Session, Verdict, builtin_suites, differential, display_suite,
    junit, object,
};
use sts_harness::input::InputError;
use sts_harness::profiles as families;

use crate::args::ConformArgs;
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

pub(crate) fn run(args: &ConformArgs, out: &mut Out) -> Done {
    let profile = match &args.profile {
        Some(name) => profile(name, args.firmware.as_deref())?,
        None => &Profile::STANDARD,
    };
    if args.serve {
        let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
        Builtin::new(profile).serve(input, output)?;
        return Ok(Exit::Good);
    }
    let cases = cases(args, profile)?;
    if args.list {
        for case in &cases {
            out.line(case)?;
        }
        return Ok(Exit::Good);
    }
    let patience = Duration::from_secs(args.timeout_s.get());
    let device = || -> Result<Box<dyn Device>, DeviceError> {
        Ok(match (&args.command, &args.tcp) {
            (Some(command), _) => Box::new(Remote::command(command, patience)?),
            (_, Some(address)) => Box::new(Remote::tcp(address, patience)?),
            _ => Box::new(Builtin::new(profile)),
        })
    };
    let done = device().and_then(|mut device| {
        let mut session = Session::open(&mut *device)?;
        match args.differential {
            Some(entries) => {
                let mut reference = Builtin::new(profile);
                let mut reference = Session::open(&mut reference)?;
                let run =
                    differential::run(&mut reference, &mut session, entries.get(), args.seed)?;
                Ok((session.name.clone(), Ran::Random(run)))
            }
            None => {
                let mut outcomes = Vec::new();
                for case in &cases {
                    outcomes.push((case, session.run(case, profile)?));
                }
                Ok((session.name.clone(), Ran::Cases(outcomes)))
            }
        }
    });
    match done {
        Ok((name, Ran::Random(run))) => differences(args, &name, &run, out),
        Ok((name, Ran::Cases(outcomes))) => results(args, &name, &outcomes, out),
        Err(error) => {
            out.error(&shown(&error.to_string()));
            Ok(Exit::Input)
        }
    }
}

enum Ran<'c> {
    Random(differential::Run),
    Cases(Vec<(&'c Case, Outcome)>),
}

fn profile(name: &str, firmware: Option<&str>) -> Result<&'static Profile<'static>, Failure> {
    let family = families::load(name, Path::new("."))
        .map_err(|error| Failure::Usage(InputError::from(error).to_string()))?;
    let place = match firmware {
        None => 0,
        Some(id) => family.firmware_index(id).ok_or_else(|| {
            let known = family.firmware_ids().join(", ");
            Failure::Usage(format!("firmware {id:?} is unknown, expected one of: {known}"))
        })?,
    };
    Ok(family.compile(place))
}

/// The cases of a file, or of the built-in suites, with those of a profile's display.
fn cases(args: &ConformArgs, profile: &Profile<'_>) -> Result<Vec<Case>, Failure> {
    let usage = |error: script::ScriptError| Failure::Usage(error.to_string());
    if let Some(path) = &args.sequence {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        return script::parse(&path.display().to_string(), &text).map_err(usage);
    }
    // The suites are about the plain meter; of a profile only what it shows can be told apart.
    let mut cases = match &args.profile {
        Some(name) => display_suite(name, profile).map_err(usage)?,
        None => builtin_suites().map_err(usage)?,
    };
    if !args.suite.is_empty() {
        let known = |name: &String| cases.iter().any(|case| case.suite == *name);
        if let Some(unknown) = args.suite.iter().find(|name| !known(name)) {
            return Err(Failure::Usage(format!("there is no suite {unknown:?}; see --list")));
        }
        cases.retain(|case| args.suite.contains(&case.suite));
    }
    Ok(cases)
}

fn results(args: &ConformArgs, name: &str, outcomes: &[(&Case, Outcome)], out: &mut Out) -> Done {
    if let Some(path) = &args.junit {
        std::fs::write(path, junit(name, outcomes))
            .map_err(|error| Failure::in_file(path, &error))?;
    }
    let failed = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Failed(_));
    let exit = Exit::of(!outcomes.iter().any(|(_, outcome)| failed(outcome)));
    if !out.is_text() {
        for (case, outcome) in outcomes {
            out.object(&object(case, outcome))?;
        }
        return Ok(exit);
    }
    out.line(format_args!("Pre-compliance of {}", shown(name).bold()))?;
    out.line("")?;
    out.line("suite          passed  failed  differs  skipped")?;
    for suite in outcomes.chunk_by(|(a, _), (b, _)| a.suite == b.suite) {
        let count = |name: &str| suite.iter().filter(|(_, o)| o.verdict.name() == name).count();
        let suite_name = suite.first().map_or("", |(case, _)| &case.suite);
        out.line(format_args!(
            "{suite_name:<14} {:>6}  {:>6}  {:>7}  {:>7}",
            count("passed"),
            count("failed"),
            count("differs"),
            count("skipped"),
        ))?;
    }
    for (case, outcome) in outcomes {
        if let Some(deviation) = outcome.verdict.deviation() {
            out.line("")?;
            let head = format!("{} {}/{}", outcome.verdict.name(), case.suite, case.name);
            out.line(if failed(outcome) {
                format!("{}", head.red().bold())
            } else {
                format!("{}", head.yellow().bold())
            })?;
            out.line(format_args!("  setup {}", case.setup))?;
            for step in case.steps.iter().take(deviation.step + 1) {
                out.line(format_args!("  {step}"))?;
            }
            out.line(format_args!("  expected  {}", deviation.expected))?;
            out.line(format_args!("  got       {}", shown(&deviation.got)))?;
            out.line(format_args!("  source    {}", case.source))?;
            if let (Verdict::Differs(_), Some(choice)) = (&outcome.verdict, case.choice) {
                out.line(format_args!(
                    "  the public rules are open here: choice {choice} of DESIGN.md, no failure"
                ))?;
            }
        }
    }
    let skipped = outcomes.iter().filter_map(|(case, outcome)| match &outcome.verdict {
        Verdict::Skipped(why) => Some((case, why)),
        _ => None,
    });
    for (case, why) in skipped {
        out.line("")?;
        out.line(format_args!("skipped {}/{}: {}", case.suite, case.name, shown(why)))?;
    }
    let unread: usize = outcomes.iter().map(|(_, outcome)| outcome.unread).sum();
    if unread > 0 {
        out.line("")?;
        out.line(format_args!("{unread} values were not compared: the device does not tell them"))?;
    }
    Ok(exit)
}

fn differences(args: &ConformArgs, name: &str, run: &differential::Run, out: &mut Out) -> Done {
    let exit = Exit::of(run.difference.is_none());
    if !out.is_text() {
        let difference = run.difference.as_ref().map(|difference| {
            let steps: Vec<String> = difference.case.steps.iter().map(Step::to_string).collect();
            json!({
                "setup": difference.case.setup.to_string(),
                "steps": steps,
                "expected": difference.expected,
                "got": difference.got,
            })
        });
        out.object(&json!({
            "schema": 1,
            "seed": args.seed,
            "entries": run.entries,
            "meters": run.meters,
            "results": run.results,
            "difference": difference,
        }))?;
        return Ok(exit);
    }
    let Some(difference) = &run.difference else {
        out.line(format_args!(
            "{} and the built-in meter agree: {} entries, {} meters, seed {}",
            shown(name),
            run.entries,
            run.meters,
            args.seed
        ))?;
        for (result, count) in &run.results {
            out.line(format_args!("  {result:<18} {count:>8}"))?;
        }
        return Ok(exit);
    };
    // A file that `--sequence` takes.
    out.line(format_args!(
        "# {} differs from the built-in meter after {} entries, seed {}",
        shown(name),
        run.entries,
        args.seed
    ))?;
    out.line(format_args!(
        "# {} steps, shortened from {}",
        difference.case.steps.len(),
        difference.found_after
    ))?;
    out.line(format_args!("# expected {}", difference.expected))?;
    out.line(format_args!("# got      {}", shown(&difference.got)))?;
    out.line(difference.case.to_string().trim_end())?;
    Ok(exit)
}

/// What a device said, without what would steer a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|found| if found.is_control() { '\u{FFFD}' } else { found }).collect()
}
