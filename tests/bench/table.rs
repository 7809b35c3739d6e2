//! The table: what was measured, what it should be, and whether it is.

use crate::figures::Spread;

/// One line.
struct Row {
    what: String,
    floor: String,
    cooee: String,
    figure: String,
    target: String,
    verdict: &'static str,
}

/// All lines, and what was lost.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
    lost: usize,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// No more than.
    AtMost(f64),
    /// No less than.
    AtLeast(f64),
    /// Shown only.
    None,
}

impl Table {
    /// A figure of each pair of runs, and their ratio, Cooee's to the floor's.
    pub(crate) fn ratio(&mut self, what: &str, unit: &str, pairs: &[(f64, f64)], target: Target) {
        let floor = Spread::of(pairs.iter().map(|(floor, _cooee)| *floor));
        let cooee = Spread::of(pairs.iter().map(|(_floor, cooee)| *cooee));
        let ratio = Spread::of(pairs.iter().map(|(floor, cooee)| cooee / floor));
        self.rows.push(Row {
            what: format!("{what} [{unit}]"),
            floor: spread(floor),
            cooee: spread(cooee),
            figure: format!("{:.2}x ({:.2}..{:.2})", ratio.median, ratio.least, ratio.most),
            target: target.shown("x"),
            verdict: target.verdict(ratio.median),
        });
    }

    /// A figure of Cooee alone.
    pub(crate) fn alone(&mut self, what: &str, unit: &str, values: &[f64], target: Target) {
        let cooee = Spread::of(values.iter().copied());
        self.rows.push(Row {
            what: format!("{what} [{unit}]"),
            floor: String::new(),
            cooee: spread(cooee),
            figure: format!("{:.1}", cooee.median),
            target: target.shown(""),
            verdict: target.verdict(cooee.median),
        });
    }

    /// Presses that never became a message.
    pub(crate) fn loss(&mut self, what: &str, lost: usize, of: usize) {
        self.lost += lost;
        let verdict = if lost == 0 { "within" } else { "LOST" };
        let cooee = format!("{lost} of {of}");
        let what = format!("{what}: lost");
        self.rows.push(Row { what, floor: String::new(), cooee, figure: lost.to_string(), target: "0".to_owned(), verdict });
    }

    /// A line below the table.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// How many presses were lost.
    pub(crate) const fn lost(&self) -> usize {
        self.lost
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        say("");
        let line = |what: &str, floor: &str, cooee: &str, figure: &str, target: &str, verdict: &str| {
            say(format!("{what:<42} {floor:>26} {cooee:>26} {figure:>22} {target:>8}  {verdict}").trim_end());
        };
        line("median (min..max) of the runs", "floor", "cooee", "ratio or figure", "target", "verdict");
        for row in &self.rows {
            line(&row.what, &row.floor, &row.cooee, &row.figure, &row.target, row.verdict);
        }
        for note in &self.notes {
            say(note);
        }
    }
}

impl Target {
    fn shown(self, unit: &str) -> String {
        match self {
            Self::AtMost(limit) => format!("<= {limit}{unit}"),
            Self::AtLeast(limit) => format!(">= {limit}{unit}"),
            Self::None => String::new(),
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        let holds = match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
            Self::None => return "",
        };
        if holds { "within" } else { "MISSED" }
    }
}

fn spread(of: Spread) -> String {
    let digits = if of.median < 100.0 { 2 } else { 0 };
    format!("{:.digits$} ({:.digits$}..{:.digits$})", of.median, of.least, of.most)
}

/// What is going on and what came of it.
#[expect(clippy::print_stdout, reason = "the table is what the bench is for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
