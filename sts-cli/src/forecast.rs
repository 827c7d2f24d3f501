//! `sts forecast`.

use owo_colors::OwoColorize;
use serde_json::json;
use sts_harness::forecast::{CAUSES, Figure, Forecast, Scenario};

use crate::args::ForecastArgs;
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

pub(crate) fn run(args: &ForecastArgs, out: &mut Out) -> Done {
    let mut scenario = Scenario::load(&args.scenario)?;
    if let Some(meters) = args.meters {
        scenario = scenario.with_meters(meters.get());
    }
    let forecasts = scenario.run();
    if let Some(path) = &args.svg {
        std::fs::write(path, scenario.chart(&forecasts))
            .map_err(|error| Failure::in_file(path, &error))?;
    }
    if out.is_text() {
        text(&scenario, &forecasts, out)?;
    } else {
        for forecast in &forecasts {
            out.object(&json!({"schema": 1, "forecast": forecast, "assumptions": scenario}))?;
        }
    }
    Ok(Exit::Good)
}

fn text(scenario: &Scenario, forecasts: &[Forecast], out: &mut Out) -> Result<(), Failure> {
    out.line(scenario.title.bold())?;
    out.line(format_args!(
        "A forecast under the assumptions below: mean of {} runs, and the standard deviation.",
        scenario.seeds
    ))?;
    out.line("")?;
    out.line(format_args!(
        "{:<40} {:>14} {:>14} {:>16} {:>14}",
        "plan", "refusals", "calls", "household-days", "most at once"
    ))?;
    for (number, it) in (1..).zip(forecasts) {
        out.line(format_args!(
            "{number} {:<38} {:>14} {:>14} {:>16} {:>14}",
            it.plan,
            plain(it.refusals),
            plain(it.calls),
            plain(it.stranded_days),
            plain(it.most_stranded),
        ))?;
        let causes = CAUSES.iter().filter_map(|name| Some((name, it.causes.get(name)?)));
        let causes = causes.filter(|(_, count)| count.mean > 0.0);
        let told: Vec<String> =
            causes.map(|(name, count)| format!("{name} {:.0}", count.mean)).collect();
        out.line(format_args!("  {}", told.join(", ").dimmed()))?;
    }
    out.line("")?;
    out.line("Stranded households at the end of the day (refusals on that day), by plan".bold())?;
    for (place, date) in forecasts.iter().flat_map(|it| &it.days).map(|day| day.date).enumerate() {
        let days: Vec<String> = forecasts
            .iter()
            .filter_map(|it| it.days.get(place))
            .map(|day| {
                let refused: f64 = day.refusals.values().map(|count| count.mean).sum();
                format!("{:>7.0} ({refused:>5.0})", day.stranded.mean)
            })
            .collect();
        if days.is_empty() {
            break;
        }
        out.line(format_args!("{date} {}", days.join("  ")))?;
    }
    out.line("")?;
    out.line("Assumptions".bold())?;
    let assumptions = serde_json::to_value(scenario).map_err(std::io::Error::from)?;
    let told = assumptions.as_object().into_iter().flatten();
    let told = told.filter(|(name, _)| !matches!(name.as_str(), "title" | "plan"));
    let told: Vec<String> =
        told.map(|(name, value)| format!("{name} {}", crate::verify::plain(value))).collect();
    for line in crate::out::wrapped(&told.join(", "), 88) {
        out.line(format_args!("  {line}"))?;
    }
    Ok(())
}

fn plain(figure: Figure) -> String {
    format!("{:.0} +- {:.0}", figure.mean, figure.spread)
}
