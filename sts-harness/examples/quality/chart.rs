//! Reliability diagrams as SVG, readable on light and dark pages.

use std::fmt::Write;

use crate::measure::Bin;

const SIDE: f64 = 320.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 36.0;

/// Stated probability across, observed frequency up; the size of a point tells how many rows.
pub(crate) fn reliability(name: &str, bins: &[Bin]) -> String {
    let x = |share: f64| LEFT + SIDE * share;
    let y = |share: f64| TOP + SIDE * (1.0 - share);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" \
         aria-label=\"Stated probability against observed frequency, {name}\">\n\
         <style>text{{font:12px sans-serif;fill:#555}}.axis{{stroke:#888;fill:none}}\
         .ideal{{stroke:#888;stroke-dasharray:4 4}}.point{{fill:#1f77b4;fill-opacity:.75}}\
         @media(prefers-color-scheme:dark){{text{{fill:#bbb}}.point{{fill:#6db3e8}}}}</style>\n",
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
        let radius = 2.5 + (bin.rows as f64).log10() * 2.0;
        let mut point = String::new();
        let _ = write!(
            point,
            "<circle class=\"point\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"><title>stated \
             {:.1} %, observed {:.1} %, {} refusals</title></circle>",
            x(bin.stated),
            y(bin.observed),
            100.0 * bin.stated,
            100.0 * bin.observed,
            bin.rows
        );
        put(point);
    }
    svg.push_str("</svg>\n");
    svg
}
