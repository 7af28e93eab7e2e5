//! Growth curves for the documents, drawn from what the measures have left in their files.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::Failure;
use super::results::FOLDER;

/// One curve: the values of all figures named so, by the number in the middle of their names.
#[derive(Debug)]
pub struct Line {
    /// What it shows, with its unit.
    pub label: &'static str,
    /// The measures in whose files the figures are.
    pub measures: &'static [&'static str],
    /// What stands before the number, and what behind it.
    pub named: (&'static str, &'static str),
    /// Its colour.
    pub colour: &'static str,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// A picture of some curves over axes that both count in powers of ten.
#[derive(Debug)]
pub struct Chart {
    /// Above it.
    pub title: &'static str,
    /// Where it lies, from the root of the repository.
    pub picture: &'static str,
    /// Its curves.
    pub lines: &'static [Line],
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// The frame of the curves: left, right, top, bottom.
const FRAME: [f64; 4] = [70.0, 570.0, 30.0, 310.0];

/// Draws a chart. False, and the picture stays, when a curve has less than two points: half a picture would replace a whole
/// one that is under version control.
pub fn draw(chart: &Chart) -> Result<bool, Failure> {
    let curves = chart.lines.iter().map(points).collect::<Result<Vec<_>, _>>()?;
    if curves.iter().any(|curve| curve.len() < 2) {
        return Ok(false);
    }
    let scale = Scale::of(curves.iter().flatten());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"70\" y=\"20\" font-size=\"14\">{}</text>\n",
        chart.title
    );
    scale.axes(&curves, &mut svg)?;
    for (place, (line, curve)) in (0_u32..).zip(chart.lines.iter().zip(&curves)) {
        let way: Vec<String> = curve.iter().map(|(x, y)| format!("{:.1},{:.1}", scale.x(*x), scale.y(*y))).collect();
        let (colour, dash) = (line.colour, if line.dashed { " stroke-dasharray=\"5 4\"" } else { "" });
        let at = 42 + 16 * place;
        writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>\n\
             <line x1=\"80\" x2=\"110\" y1=\"{at}\" y2=\"{at}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\
             <text x=\"118\" y=\"{}\">{}</text>",
            way.join(" "),
            at + 4,
            line.label
        )?;
    }
    svg.push_str("</svg>\n");
    std::fs::write(chart.picture, svg)?;
    Ok(true)
}

/// The points of a curve, from the left.
fn points(line: &Line) -> Result<Vec<(f64, f64)>, Failure> {
    let mut points = Vec::new();
    for measure in line.measures {
        // What was not measured here is not drawn.
        let text = std::fs::read_to_string(Path::new(FOLDER).join(format!("{measure}.jsonl"))).unwrap_or_default();
        for figure in text.lines() {
            let figure: Value = serde_json::from_str(figure)?;
            let (before, after) = line.named;
            let name = figure.get("measure").and_then(Value::as_str).unwrap_or_default();
            let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)?.parse::<f64>().ok());
            points.extend(number.zip(figure.get("value").and_then(Value::as_f64)));
        }
    }
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    Ok(points)
}

/// Powers of ten that the axes show.
struct Scale {
    x: (f64, f64),
    y: (f64, f64),
}

impl Scale {
    fn of<'a>(points: impl Iterator<Item = &'a (f64, f64)>) -> Self {
        let far = (f64::INFINITY, f64::NEG_INFINITY);
        let (x, y) = points.fold((far, far), |(x, y), (px, py)| {
            let (px, py) = (px.log10(), py.log10());
            ((x.0.min(px), x.1.max(px)), (y.0.min(py), y.1.max(py)))
        });
        // A power more than the highest value needs: the names of the curves stand there.
        Self { x, y: (y.0.floor(), y.1.ceil() + 1.0) }
    }

    fn x(&self, value: f64) -> f64 {
        let [left, right, ..] = FRAME;
        left + (value.log10() - self.x.0) / (self.x.1 - self.x.0) * (right - left)
    }

    fn y(&self, value: f64) -> f64 {
        let [_, _, top, bottom] = FRAME;
        bottom - (value.log10() - self.y.0) / (self.y.1 - self.y.0) * (bottom - top)
    }

    fn axes(&self, curves: &[Vec<(f64, f64)>], svg: &mut String) -> Result<(), Failure> {
        let mut power = self.y.0;
        while power <= self.y.1 {
            let (value, at) = (10_f64.powf(power), self.y(10_f64.powf(power)));
            writeln!(
                svg,
                "<line x1=\"70\" x2=\"600\" y1=\"{at:.0}\" y2=\"{at:.0}\" stroke=\"#ddd\"/>\
                 <text x=\"62\" y=\"{:.0}\" text-anchor=\"end\">{value}</text>",
                at + 4.0
            )?;
            power += 1.0;
        }
        let mut marks: Vec<f64> = curves.iter().flatten().map(|(x, _)| *x).collect();
        marks.sort_by(f64::total_cmp);
        marks.dedup();
        for mark in marks {
            let at = self.x(mark);
            writeln!(svg, "<text x=\"{at:.0}\" y=\"330\" text-anchor=\"middle\">{mark}</text>")?;
        }
        Ok(())
    }
}
