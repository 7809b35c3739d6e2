//! A rehearsal as a picture: a row for everybody, the seconds from left to right, and what reaches them from when on.

use std::fmt::Write as _;

use escalation::ladder::Who;
use escalation::rehearsal::{Happening, Step};

use super::Told;
use super::telling::reason;

/// Pixels of a row, of the names before it and of the time beside them.
const ROW: usize = 28;
const NAMES: f64 = 220.0;
const TIME: f64 = 640.0;
const TOP: usize = 76;

/// One SVG document that needs nothing else.
pub(super) fn svg(told: &Told) -> String {
    let rows = rows(told);
    let end = told.rehearsal.exhausted_after_s().unwrap_or(0).max(1);
    let x = |after_s: u64| NAMES + TIME * ratio(after_s.min(end), end);
    let (width, height) = (NAMES + TIME + 80.0, TOP + ROW * rows.len() + 36);
    let bottom = height - 30;
    let mut svg = String::new();
    let _written = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n",
        title = escaped(&title(told)),
    );
    for step in &told.rehearsal.steps {
        let mark = match &step.what {
            Happening::Entered { rung, .. } => Some((format!("rung {}", rung.0 + 1), "#888")),
            Happening::Exhausted => Some(("exhausted".to_owned(), "#b00020")),
            Happening::Told { .. }
            | Happening::Stuck { .. }
            | Happening::PassedOver { .. }
            | Happening::Skipped { .. }
            | Happening::Round => None,
        };
        if let Some((word, colour)) = mark {
            let at = x(step.after_s);
            let _written = write!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"60\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"{colour}\" stroke-dasharray=\"3 3\"/>\n\
                 <text x=\"{at:.1}\" y=\"42\" fill=\"{colour}\">{word}</text>\n<text x=\"{at:.1}\" y=\"56\" fill=\"{colour}\">{} s</text>\n",
                step.after_s,
            );
        }
    }
    for (index, who) in rows.iter().enumerate() {
        let y = TOP + ROW * index + ROW / 2;
        let _written = writeln!(svg, "<text x=\"12\" y=\"{}\">{}</text>", y + 4, escaped(&told.name(who)));
        for step in before_the_end(told).filter(|step| about(step) == Some(who)) {
            draw(&mut svg, step, y, &x);
        }
    }
    svg + "</svg>\n"
}

fn title(told: &Told) -> String {
    let site = told.hand.places.sites.get(&told.device.site).map_or("", |card| &card.name);
    let wall = told.zone.wall(told.at).strftime("%a %-d %b %Y %H:%M");
    let without = if told.without.is_empty() { String::new() } else { format!(", without {}", told.without.join(", ")) };
    format!("{site}, {}, {wall}{without}, and nobody answers", told.rehearsal.kind.as_str())
}

/// Whatever is drawn: the rounds after the last rung say nothing new.
fn before_the_end(told: &Told) -> impl Iterator<Item = &Step> {
    told.rehearsal.steps.iter().take_while(|step| step.what != Happening::Exhausted)
}

/// Everybody in the order in which something happens to them.
fn rows(told: &Told) -> Vec<Who> {
    let mut rows: Vec<Who> = Vec::new();
    for who in before_the_end(told).filter_map(about) {
        if !rows.contains(who) {
            rows.push(who.clone());
        }
    }
    rows
}

fn about(step: &Step) -> Option<&Who> {
    match &step.what {
        Happening::Told { who, .. } | Happening::Stuck { who, .. } | Happening::PassedOver { who, .. } => Some(who),
        Happening::Entered { .. } | Happening::Skipped { .. } | Happening::Exhausted | Happening::Round => None,
    }
}

fn draw(svg: &mut String, step: &Step, y: usize, x: &impl Fn(u64) -> f64) {
    let at = x(step.after_s);
    let _written = match &step.what {
        Happening::Told { medium, .. } => write!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\" stroke=\"#1b7f3b\" stroke-width=\"6\" stroke-opacity=\"0.35\"/>\n\
             <circle cx=\"{at:.1}\" cy=\"{y}\" r=\"5\" fill=\"#1b7f3b\"/>\n<text x=\"{:.1}\" y=\"{}\">{}</text>\n",
            NAMES + TIME,
            at + 8.0,
            y - 4,
            medium.as_str(),
        ),
        Happening::Stuck { medium, known_after_s, .. } => write!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\" stroke=\"#b00020\" stroke-dasharray=\"4 3\"/>\n\
             <circle cx=\"{at:.1}\" cy=\"{y}\" r=\"5\" fill=\"#fff\" stroke=\"#b00020\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#b00020\">{} takes nothing</text>\n",
            x(step.after_s.saturating_add(u64::from(known_after_s.0))),
            at + 8.0,
            y + 14,
            medium.as_str(),
        ),
        Happening::PassedOver { why, .. } => {
            writeln!(svg, "<text x=\"{at:.1}\" y=\"{}\" fill=\"#b00020\">\u{d7} {}</text>", y + 4, escaped(reason(*why)))
        }
        Happening::Entered { .. } | Happening::Skipped { .. } | Happening::Exhausted | Happening::Round => Ok(()),
    };
}

/// How much of `whole` a part is, from 0 to 1.
fn ratio(part: u64, whole: u64) -> f64 {
    let small = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    small(part) / small(whole)
}

/// A text as it may stand in a document.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").chars().filter(|c| !c.is_control()).collect()
}
