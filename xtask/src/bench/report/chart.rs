//! The chart of the README: messages of 10 KiB a second, a pair of bars for each case. SVG by hand, readable on a light
//! and on a dark page; what it shows is written in it as text, too.

use crate::bench::data::Data;
use crate::bench::figures::{FIGURES, Figure, Shown, Unit};
use crate::bench::house::Server;
use crate::bench::report::numbers;
use crate::bench::report::table::Language;

const WIDTH: f64 = 760.0;
/// Where bars begin, and the longest one ends.
const LEFT: f64 = 230.0;
const RIGHT: f64 = 610.0;
const TOP: f64 = 84.0;
const BAR: f64 = 14.0;
/// From one pair to the next.
const STEP: f64 = 46.0;
const BOTTOM: f64 = 16.0;

const STYLE: &str = "<style>
  svg { font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
  .page { fill: #ffffff; stroke: #d0d7de; }
  text { fill: #1f2328; }
  .small { fill: #59636e; font-size: 12px; }
  .head { font-size: 16px; font-weight: 600; }
  .facteur { fill: #0b6bcb; }
  .postfix { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .facteur { fill: #4493f8; }
    .postfix { fill: #6e7681; }
  }
</style>
";

/// The file.
pub(super) fn draw(data: &Data) -> String {
    let shown: Vec<Shown<'_>> = FIGURES
        .iter()
        .filter(|figure| belongs(figure))
        .filter_map(|figure| figure.look_up(data))
        .collect();
    let longest = shown
        .iter()
        .flat_map(|shown| [shown.ours, shown.theirs])
        .flatten()
        .map(|spread| spread.median)
        .fold(1.0, f64::max);
    let height = (0..shown.len()).fold(TOP + BOTTOM, |height, _| height + STEP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">Messages of 10 KiB a second, Facteur and Postfix</title>\n\
         <desc id=\"description\">{}</desc>\n{STYLE}",
        description(&shown)
    );
    let (inner, tall) = (WIDTH - 1.0, height - 1.0);
    svg.push_str(&format!(
        "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{inner}\" height=\"{tall}\" rx=\"6\"/>\n"
    ));
    legend(&mut svg);
    let mut y = TOP;
    for shown in &shown {
        pair(&mut svg, shown, y, longest);
        y += STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn belongs(figure: &Figure) -> bool {
    figure.unit == Unit::Rate && figure.case.starts_with("10KiB")
}

/// What the bars say, in a sentence each.
fn description(shown: &[Shown<'_>]) -> String {
    let mut text = String::new();
    for shown in shown {
        let rate = |spread: Option<crate::bench::data::Spread>| {
            spread.map_or_else(
                || "not measured".to_owned(),
                |spread| numbers::value(spread.median, Unit::Rate, Language::English),
            )
        };
        let (ours, theirs) = (rate(shown.ours), rate(shown.theirs));
        let title = shown.figure.english;
        text.push_str(&format!("{title}: Facteur {ours}, Postfix {theirs}. "));
    }
    text.trim_end().to_owned()
}

fn legend(svg: &mut String) {
    svg.push_str("<text class=\"head\" x=\"20\" y=\"30\">Messages of 10 KiB a second</text>\n");
    let mut x = 20.0;
    for (class, name, does) in [("facteur", "Facteur", 84.0), ("postfix", "Postfix", 84.0)] {
        let (square, text) = (x, x + 20.0);
        svg.push_str(&format!(
            "<rect class=\"{class}\" x=\"{square}\" y=\"46\" width=\"13\" height=\"13\" rx=\"2\"/>\
             <text x=\"{text}\" y=\"57\">{name}</text>\n"
        ));
        x += does;
    }
    svg.push_str(&format!("<text class=\"small\" x=\"{x}\" y=\"57\">both flush a message to the disk before they acknowledge it; longer is better</text>\n"));
}

/// The two bars of a case, with its name before and the quotient behind.
fn pair(svg: &mut String, shown: &Shown<'_>, y: f64, longest: f64) {
    let name = shown.figure.english.replace(" of 10 KiB", "");
    let middle = y + BAR + 5.0;
    let label = LEFT - 12.0;
    svg.push_str(&format!(
        "<text x=\"{label}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>\n"
    ));
    let bars = [
        (Server::Facteur, shown.ours),
        (Server::Postfix, shown.theirs),
    ];
    let mut top = y;
    for (server, spread) in bars {
        if let Some(spread) = spread {
            let width = (RIGHT - LEFT) * spread.median / longest;
            let (end, base) = (LEFT + width + 6.0, top + 11.5);
            let value = numbers::value(spread.median, Unit::Rate, Language::English);
            let class = server.name();
            svg.push_str(&format!("<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
                 <text class=\"small\" x=\"{end:.1}\" y=\"{base}\">{value}</text>\n"));
        }
        top += BAR + 2.0;
    }
    if let Some(ratio) = shown.ratio {
        let end = WIDTH - 20.0;
        let times = numbers::times(ratio.median, Language::English);
        svg.push_str(&format!("<text x=\"{end}\" y=\"{middle}\" text-anchor=\"end\" font-weight=\"600\">{times}</text>\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_says_what_it_shows_and_its_bars_fit() {
        let svg = draw(&crate::bench::report::tests::data());
        assert!(svg.contains("<title") && svg.contains("reception, 20 sessions"));
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("class=\"facteur\"").count(), 1 + 6);
        let widths = svg.split("width=\"").skip(1).filter_map(|rest| {
            rest.split('"')
                .next()
                .and_then(|width| width.parse::<f64>().ok())
        });
        assert!(widths.into_iter().all(|width| width <= WIDTH));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }

    #[test]
    fn without_data_there_is_a_chart_without_bars() {
        let svg = draw(&Data::default());
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }
}
