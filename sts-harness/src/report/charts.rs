//! Pictures of a report as inline SVG: readable without colour, in light and in dark.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::page::{day_name, grouped};
use crate::cause::Cause;
use crate::markup::escaped;

/// How far a TID is from its sale: minutes up to which a place of the scale goes, and its name.
const SCALE: [(i64, &str); 18] = [
    (2, "0"),
    (5, "5 min"),
    (15, "15 min"),
    (30, "30 min"),
    (60, "1 h"),
    (120, "2 h"),
    (240, "4 h"),
    (480, "8 h"),
    (1_440, "1 day"),
    (4_320, "3 days"),
    (10_080, "1 week"),
    (43_200, "1 month"),
    (131_400, "3 months"),
    (525_600, "1 year"),
    (1_051_200, "2 years"),
    (2_628_000, "5 years"),
    (5_256_000, "10 years"),
    (i64::MAX, "more"),
];

/// The place of a distance in minutes: 0 where it is none, above 0 where the TID is later.
pub(super) fn scale(distance: i64) -> i32 {
    let found = SCALE.iter().position(|(most, _)| distance.unsigned_abs() <= most.unsigned_abs());
    let place = i32::try_from(found.unwrap_or(SCALE.len() - 1)).unwrap_or_default();
    if distance < 0 { -place } else { place }
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;

/// Days on an axis, in so many steps of so many days each.
struct Days {
    first: i64,
    step: i64,
    count: i64,
}

impl Days {
    fn of(mut days: impl Iterator<Item = i64>) -> Option<Self> {
        let first = days.next()?;
        let (first, last) = days.fold((first, first), |(a, b), day| (a.min(day), b.max(day)));
        let span = last - first + 1;
        let step = match span {
            ..=62 => 1,
            63..=434 => 7,
            _ => span / 60 + 1,
        };
        Some(Self { first, step, count: (span + step - 1) / step })
    }

    fn place(&self, day: i64) -> i64 {
        (day - self.first).div_euclid(self.step)
    }

    #[expect(clippy::cast_precision_loss, reason = "places on paper")]
    fn width(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.count as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "places on paper")]
    fn x(&self, place: i64) -> f64 {
        LEFT + self.width() * place as f64
    }

    fn name(&self, place: i64) -> String {
        let day = day_name(self.first + place * self.step);
        if self.step == 1 { day } else { format!("{} days from {day}", self.step) }
    }

    /// Names of some days, below the chart.
    fn axis(&self, svg: &mut String, y: f64) {
        let every = (self.count / 5).max(1);
        for place in (0..self.count).step_by(usize::try_from(every).unwrap_or(1)) {
            let anchor = if place == 0 { "start" } else { "middle" };
            let x = if place == 0 { self.x(0) } else { self.x(place) + self.width() / 2.0 };
            if x > WIDTH - 40.0 {
                continue;
            }
            let _ = write!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                y + 16.0,
                day_name(self.first + place * self.step)
            );
        }
    }
}

/// Causes that have a shade of their own; the others share one.
pub(super) const MOST_SHADES: usize = 6;

/// Refusals by day and cause, and what happened on which day. `order` has the most frequent first.
#[expect(clippy::cast_precision_loss, reason = "places on paper")]
pub(super) fn over_time(
    days: &BTreeMap<i64, BTreeMap<Cause, u64>>,
    order: &[Cause],
    marks: &[(i64, String)],
) -> Option<String> {
    const TALL: f64 = 180.0;
    let marked = marks.iter().map(|(day, _)| *day);
    let axis = Days::of(days.keys().copied().chain(marked))?;
    let top = 14.0 + 15.0 * marks.len() as f64;
    let shade = |cause: &Cause| {
        order.iter().position(|other| other == cause).unwrap_or(MOST_SHADES).min(MOST_SHADES)
    };
    let mut columns: BTreeMap<i64, [u64; MOST_SHADES + 1]> = BTreeMap::new();
    for (day, causes) in days {
        let column = columns.entry(axis.place(*day)).or_default();
        causes.iter().for_each(|(cause, count)| column[shade(cause)] += count);
    }
    let highest = columns.values().map(|column| column.iter().sum()).max().unwrap_or(1_u64);
    let bottom = top + TALL;
    let up = |count: u64| TALL * count as f64 / highest as f64;
    let mut svg = open("over-time", bottom + 24.0, "Refusals over time, by cause");
    for share in [0.0, 0.5, 1.0] {
        let y = bottom - TALL * share;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            if share == 0.5 && highest < 2 {
                String::new()
            } else {
                format_tick(highest as f64 * share)
            }
        );
    }
    for (place, column) in &columns {
        let mut base = bottom;
        for (shade, count) in column.iter().enumerate().filter(|(_, count)| **count > 0) {
            let height = up(*count);
            base -= height;
            let what = order.get(shade).filter(|_| shade < MOST_SHADES);
            let what = what.map_or("other causes", |cause| cause.title());
            let _ = write!(
                svg,
                "<rect class=\"s{shade}\" x=\"{:.1}\" y=\"{base:.1}\" width=\"{:.1}\" \
                 height=\"{height:.1}\"><title>{}: {} {}</title></rect>",
                axis.x(*place) + 0.5,
                (axis.width() - 1.0).max(0.5),
                axis.name(*place),
                grouped(*count),
                escaped(what)
            );
        }
    }
    for (line, (day, what)) in marks.iter().enumerate() {
        let x = axis.x(axis.place(*day)) + axis.width() / 2.0;
        let y = 14.0 + 15.0 * line as f64;
        let (anchor, beside) = if x > WIDTH / 2.0 { ("end", -5.0) } else { ("start", 5.0) };
        let _ = write!(
            svg,
            "<line class=\"mark\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"strong\" x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            y - 9.0,
            x + beside,
            escaped(what)
        );
    }
    axis.axis(&mut svg, bottom);
    svg.push_str("</svg>");
    Some(svg)
}

fn format_tick(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// How far TIDs are from their sales, by day of sale: a clock that is off is a line beside the middle.
#[expect(clippy::cast_precision_loss, reason = "places on paper")]
pub(super) fn clocks(clocks: &BTreeMap<(i64, i32), u64>) -> Option<String> {
    const ROW: f64 = 11.0;
    let axis = Days::of(clocks.keys().map(|(day, _)| *day))?;
    let mut cells: BTreeMap<(i64, i32), u64> = BTreeMap::new();
    for ((day, place), count) in clocks {
        *cells.entry((axis.place(*day), *place)).or_default() += count;
    }
    let most = cells.values().copied().max().unwrap_or(1);
    let lowest = cells.keys().map(|(_, place)| *place).min().unwrap_or(0).min(-3);
    let highest = cells.keys().map(|(_, place)| *place).max().unwrap_or(0).max(3);
    let y = |place: i32| 8.0 + ROW * f64::from(highest - place);
    let bottom = y(lowest) + ROW;
    let about = "Time in the token against time of sale, by day of sale";
    let mut svg = open("clocks", bottom + 24.0, about);
    for place in lowest..=highest {
        let name = SCALE[usize::try_from(place.unsigned_abs()).unwrap_or(0).min(SCALE.len() - 1)].1;
        let is_named = place % 2 == 0 || place == lowest || place == highest;
        if is_named {
            let side = match place {
                0 => "",
                1.. => "+",
                _ => "\u{2212}",
            };
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{side}{name}</text>",
                LEFT - 4.0,
                y(place) + 9.0
            );
        }
    }
    let _ = write!(
        svg,
        "<rect class=\"right\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{}\" height=\"{ROW}\"/>",
        y(0),
        WIDTH - LEFT - RIGHT
    );
    let loud = |count: u64| 0.18 + 0.82 * (count as f64).ln_1p() / (most as f64).ln_1p();
    for ((day, place), count) in &cells {
        let _ = write!(
            svg,
            "<rect class=\"cell\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
             fill-opacity=\"{:.2}\"><title>{}: {} tokens</title></rect>",
            axis.x(*day) + 0.3,
            y(*place) + 0.5,
            (axis.width() - 0.6).max(0.6),
            ROW - 1.0,
            loud(*count),
            axis.name(*day),
            grouped(*count)
        );
    }
    axis.axis(&mut svg, bottom);
    svg.push_str("</svg>");
    Some(svg)
}

fn open(id: &str, height: f64, about: &str) -> String {
    format!(
        "<svg id=\"{id}\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
         aria-labelledby=\"{id}-about\"><title id=\"{id}-about\">{about}</title>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_is_symmetric_and_rising() {
        assert_eq!([scale(0), scale(-2), scale(3), scale(-3)], [0, 0, 1, -1]);
        assert_eq!([scale(120), scale(-120), scale(i64::MAX), scale(i64::MIN)], [5, -5, 17, -17]);
    }
}
