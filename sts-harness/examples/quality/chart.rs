//! Reliability diagrams as SVG, readable on light and dark pages.

use std::fmt::Write;

use crate::measure::Bin;

const SIDE: f64 = 320.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 36.0;

/// Stated probability across, observed frequency up; a point tells its number of refusals, and the
/// bar through it where the true frequency is, with 95 % confidence.
pub(crate) fn reliability(name: &str, bins: &[Bin]) -> String {
    let x = |share: f64| LEFT + SIDE * share;
    let y = |share: f64| TOP + SIDE * (1.0 - share);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" \
         aria-label=\"Stated probability against observed frequency, {name}\">\n\
         <style>text{{font:12px sans-serif;fill:#555}}.axis{{stroke:#888;fill:none}}\
         .ideal{{stroke:#888;stroke-dasharray:4 4}}.point{{fill:#1f77b4}}\
         .bar{{stroke:#1f77b4;stroke-opacity:.5;stroke-width:3}}.rows{{font-size:10px}}\
         @media(prefers-color-scheme:dark){{text{{fill:#bbb}}.point{{fill:#6db3e8}}.bar{{stroke:#6db3e8}}}}</style>\n",
        LEFT + SIDE + 24.0,
        TOP + SIDE + 48.0,
        LEFT + SIDE + 24.0,
    );
    let mut put = |line: String| {
        svg.push_str(&line);
        svg.push('\n');
    };
    put(format!("<text x=\"{}\" y=\"20\" font-weight=\"bold\">{name}</text>", x(0.0)));
    put(format!(
        "<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{SIDE}\" height=\"{SIDE}\"/>",
        x(0.0),
        y(1.0)
    ));
    put(format!(
        "<line class=\"ideal\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    ));
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let percent = 25 * step;
        put(format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{percent} %</text>",
            x(share),
            y(0.0) + 18.0
        ));
        put(format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{percent} %</text>",
            x(0.0) - 6.0,
            y(share) + 4.0
        ));
    }
    put(format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">stated probability</text>",
        x(0.5),
        y(0.0) + 38.0
    ));
    put(format!(
        "<text transform=\"translate(12 {}) rotate(-90)\" text-anchor=\"middle\">observed frequency</text>",
        y(0.5)
    ));
    for bin in bins.iter().filter(|bin| bin.rows > 0) {
        let (low, high) = interval(bin);
        let mut point = String::new();
        let (across, up) = (x(bin.stated), y(bin.observed));
        let _ = write!(
            point,
            "<line class=\"bar\" x1=\"{across:.1}\" y1=\"{:.1}\" x2=\"{across:.1}\" y2=\"{:.1}\"/>\
             <circle class=\"point\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"3.5\"><title>stated \
             {:.1} %, observed {:.1} %, {} refusals</title></circle>\
             <text class=\"rows\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            y(low),
            y(high),
            100.0 * bin.stated,
            100.0 * bin.observed,
            bin.rows,
            across - 6.0,
            up + 3.5,
            bin.rows
        );
        put(point);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Wilson's interval of 95 % for the frequency in a bin.
fn interval(bin: &Bin) -> (f64, f64) {
    const Z: f64 = 1.96;
    let rows = bin.rows as f64;
    let middle = bin.observed + Z * Z / (2.0 * rows);
    let half =
        Z * (bin.observed * (1.0 - bin.observed) / rows + Z * Z / (4.0 * rows * rows)).sqrt();
    let whole = 1.0 + Z * Z / rows;
    ((middle - half) / whole, (middle + half) / whole)
}
