//! Stranded households by day, one line a plan. Lines differ by dashes and carry their names, so
//! that the chart can be read without colour.

use std::fmt::Write;

use super::{Forecast, Scenario};
use crate::markup::escaped;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 920.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 380.0;

/// Colours that differ in brightness too, each with dashes of its own.
const STYLES: [(&str, &str); 6] = [
    ("#000000", ""),
    ("#0072b2", "8 4"),
    ("#d55e00", "2 3"),
    ("#007a5a", "12 4 2 4"),
    ("#a0467f", "5 2"),
    ("#6b6b6b", "1 2"),
];

pub(super) fn svg(scenario: &Scenario, forecasts: &[Forecast]) -> String {
    let most = forecasts.iter().map(|it| it.most_stranded.mean).fold(1.0, f64::max);
    let step = step(most);
    let lines = (most / step).ceil();
    let x = |day: usize| LEFT + (RIGHT - LEFT) * day as f64 / (scenario.days.max(2) - 1) as f64;
    let y = |count: f64| BOTTOM - (BOTTOM - TOP) * count / (lines * step);

    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| {
        // A string takes whatever is written.
        let _ = out.write_fmt(text);
        out.push('\n');
    };
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">"
    ));
    put(format_args!("<title>{}</title>", escaped(&scenario.title)));
    put(format_args!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>"));
    put(format_args!(
        "<text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{}</text>",
        escaped(&scenario.title)
    ));
    put(format_args!(
        "<text x=\"{LEFT}\" y=\"44\">Households whose last token was refused, at the end of each day. A forecast: mean of {} runs.</text>",
        scenario.seeds
    ));
    let mut at = 0.0;
    while at <= lines {
        let count = at * step;
        let height = y(count);
        put(format_args!(
            "<path d=\"M{LEFT} {height:.1}H{RIGHT}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{count}</text>",
            LEFT - 8.0,
            height + 4.0
        ));
        at += 1.0;
    }
    let dates = forecasts.first().map(|it| it.days.as_slice()).unwrap_or_default();
    for (day, told) in dates.iter().enumerate().step_by(scenario.days.div_ceil(9)) {
        put(format_args!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(day),
            BOTTOM + 20.0,
            told.date.strftime("%-d %b")
        ));
    }
    // Each line is named where it is highest, a little above.
    let peaks: Vec<(usize, f64)> = forecasts.iter().map(peak).collect();
    let wanted: Vec<f64> = peaks.iter().map(|(_, count)| y(*count) - 7.0).collect();
    let labels = apart(&wanted);
    for (place, forecast) in forecasts.iter().enumerate() {
        let (colour, dashes) = STYLES[place % STYLES.len()];
        let points: Vec<String> = (0..)
            .zip(&forecast.days)
            .map(|(day, told)| format!("{:.1},{:.1}", x(day), y(told.stranded.mean)))
            .collect();
        put(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" stroke-dasharray=\"{dashes}\"/>",
            points.join(" ")
        ));
    }
    for (place, forecast) in forecasts.iter().enumerate() {
        let (colour, _) = STYLES[place % STYLES.len()];
        let (day, count) = peaks[place];
        let (anchor, offset) =
            if x(day) > (LEFT + RIGHT) / 2.0 { ("end", -6.0) } else { ("start", 6.0) };
        put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"5\" stroke-linejoin=\"round\" paint-order=\"stroke\">{}: {count:.0}</text>",
            x(day) + offset,
            labels[place],
            escaped(&forecast.plan)
        ));
    }
    put(format_args!(
        "<text x=\"{LEFT}\" y=\"{:.1}\" fill=\"#555\">{} meters, one a household. All parameters are assumptions; the scenario has them.</text>",
        BOTTOM + 44.0,
        scenario.meters
    ));
    out += "</svg>\n";
    out
}

/// The day with the most stranded households, and how many.
fn peak(forecast: &Forecast) -> (usize, f64) {
    let counts = forecast.days.iter().map(|day| day.stranded.mean).enumerate();
    counts.fold((0, 0.0), |most, day| if day.1 > most.1 { day } else { most })
}

/// A round number of which at most six reach the top.
fn step(most: f64) -> f64 {
    let mut step = 1.0;
    let mut factors = [2.0, 2.5, 2.0].into_iter().cycle();
    while most / step > 6.0 {
        step *= factors.next().unwrap_or(2.0);
    }
    step
}

/// Heights at least a line apart, in the same order, as near as may be to those wanted.
fn apart(wanted: &[f64]) -> Vec<f64> {
    const LINE: f64 = 18.0;
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*b].total_cmp(&wanted[*a]));
    let mut heights = wanted.to_vec();
    let mut free = f64::INFINITY;
    for at in order {
        heights[at] = heights[at].min(free);
        free = heights[at] - LINE;
    }
    heights
}
