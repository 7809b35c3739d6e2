//! `cooee check`: everything that can be proved about settings and directory without starting anything, and for every moment
//! of the days to come.
//!
//! With `--map` and `--svg` it shows every moment of them as a picture (`map`).
//!
//! Exit code 0: they can be used (warnings are shown). 1: they cannot. 2: a file could not be read at all.

mod map;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use escalation::coverage::{Cover, HORIZON_DAYS, Only, Worst};
use escalation::directory::draft::{Draft, DraftRung, DraftTarget, Proof, zones_version};
use escalation::directory::finding::{Finding, Severity};
use escalation::ladder::{Medium, Who};
use escalation::time::{SignedDuration, Timestamp};
use escalation::zone::Zone;
use serde_json::json;
use station::clock::{Clock, MachineClock};

use crate::carriers::carriers;
use crate::cli::Check;
use crate::config::{Key, Role, Settings};
use crate::wire::read_words;

/// What a check found.
struct Report {
    findings: Vec<Finding>,
    /// Figures of the directory, where it can be adopted.
    figures: Option<Figures>,
    /// Whether a file could not be read.
    unread: bool,
}

struct Figures {
    people: usize,
    sites: usize,
    devices: usize,
    ladders: usize,
    proof: Proof,
}

/// Checks, and prints what was found.
pub(crate) fn run(arguments: &Check) -> anyhow::Result<ExitCode> {
    let environment: BTreeMap<_, _> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let now = MachineClock::start().wall();
    let report = check(&arguments.file.config, &environment, now);
    let mut out = std::io::stdout().lock();
    let shown = if arguments.json { writeln!(out, "{}", report.json()) } else { write!(out, "{}", report.text()) };
    shown.context("print the findings")?;
    if let Some(figures) = &report.figures {
        if arguments.map {
            write!(out, "{}", map::text(&figures.proof)).context("print the map")?;
        }
        if let Some(path) = &arguments.svg {
            std::fs::write(path, map::svg(&figures.proof)).with_context(|| format!("write the map to {}", path.display()))?;
        }
    }
    Ok(report.exit_code())
}

fn check(path: &Path, environment: &BTreeMap<String, String>, now: Timestamp) -> Report {
    let loaded = Settings::load(path, environment);
    let mut report = Report { unread: !path.is_file(), findings: loaded.findings, figures: None };
    if let Some(settings) = &loaded.settings {
        report.findings.extend(rooms(path, settings));
    }
    let Some(directory) = loaded.directory else {
        return report;
    };
    let file = directory.path.display().to_string();
    let text = match std::fs::read_to_string(&directory.path) {
        Ok(text) => text,
        Err(why) => {
            report.unread = true;
            report.findings.push(Finding {
                severity: Severity::Error,
                file,
                line: 0,
                what: format!("the directory cannot be read: {why}"),
                consequence: "without it nobody is known, and nobody could be told".to_owned(),
                remedy: "correct  [directory] path, or create the file; config/directory.toml is a sample".to_owned(),
            });
            return report;
        }
    };
    let parsed = Draft::parse(&file, &text);
    report.findings.extend(parsed.findings);
    if let Some(draft) = &parsed.draft {
        report.findings.extend(unknown_webhooks(&file, draft, &loaded.webhooks));
        report.findings.extend(safe_words(path, directory.safe_words_file.as_deref(), draft, loaded.settings.as_ref()));
        let until = now.saturating_add(SignedDuration::from_hours(24 * HORIZON_DAYS)).unwrap_or(Timestamp::MAX);
        let carriers = loaded.settings.as_ref().map(|settings| carriers(&settings.dispatch));
        let proof = draft.prove(&file, now, until, carriers.as_deref());
        report.findings.extend(proof.findings.iter().cloned());
        report.findings.extend(draft.unreviewed(&file, now));
        report.findings.extend(nobody_rings(&file, draft, loaded.calls));
        report.figures = Some(Figures {
            people: draft.people.len(),
            sites: draft.sites.len(),
            devices: draft.devices.len(),
            ladders: draft.ladders.len(),
            proof,
        });
    }
    report
}

/// What each room finds in its own settings once their shape is right: the first thing in each.
fn rooms(path: &Path, settings: &Settings) -> Vec<Finding> {
    let way_in = match &settings.intake {
        intake::settings::Settings::Session(session) => session.access().map(drop),
        intake::settings::Settings::Listener(listener) => listener.check(),
    };
    let carriers = dispatch::check(&settings.dispatch, settings.http.public_url.as_deref());
    let keys = console::keys::Keys::read(settings.keys.iter().map(Key::to_console).collect());
    let wrong = [
        (way_in.err().map(|why| why.to_string()), "no press could reach us"),
        (carriers.err().map(|why| why.to_string()), "nobody could be told"),
        (keys.err().map(|why| why.to_string()), "nobody could use the API"),
    ];
    let finding = |(what, consequence): (Option<String>, &str)| {
        Some(Finding {
            severity: Severity::Error,
            file: path.display().to_string(),
            line: 0,
            what: what?,
            consequence: consequence.to_owned(),
            remedy: String::new(),
        })
    };
    wrong.into_iter().filter_map(finding).collect()
}

/// Only here are both known: the centres of the directory and the webhooks of the settings.
fn unknown_webhooks(file: &str, draft: &Draft, webhooks: &[String]) -> Vec<Finding> {
    let named = draft.centres.iter().filter_map(|c| Some((c, c.webhook.as_ref()?)));
    let unknown = named.filter(|(_, webhook)| !webhooks.iter().any(|w| w == webhook.value.as_str()));
    unknown
        .map(|(centre, webhook)| Finding {
            severity: Severity::Error,
            file: file.to_owned(),
            line: webhook.line,
            what: format!("centre \"{}\": the settings have no [[webhook]] \"{}\"", centre.id, webhook.value),
            consequence: "the centre would not hear of a press".to_owned(),
            remedy: "add it to the settings, or correct the name here".to_owned(),
        })
        .collect()
}

/// The words of the sites, and whether anybody is left who may close a call once one was given.
fn safe_words(settings_file: &Path, path: Option<&Path>, draft: &Draft, settings: Option<&Settings>) -> Vec<Finding> {
    let Some(path) = path else { return Vec::new() };
    let mut findings = match read_words(Some(path), draft) {
        Ok(_) => Vec::new(),
        Err(findings) => findings,
    };
    let closes = |key: &Key| match key.role {
        Role::Centre | Role::Admin => true,
        Role::Site | Role::Device | Role::Auditor => false,
    };
    if settings.is_some_and(|settings| !settings.keys.iter().any(closes)) {
        findings.push(Finding {
            severity: Severity::Warning,
            file: settings_file.display().to_string(),
            line: 0,
            what: "there are safe words, and no key of the role centre or admin".to_owned(),
            consequence: "once a word was given for a call it could be closed through control.sock alone".to_owned(),
            remedy: "make one:  cooee key new --role centre".to_owned(),
        });
    }
    findings
}

/// Only here are both known: who is to be rung, and whether any account makes calls.
fn nobody_rings(file: &str, draft: &Draft, calls: bool) -> Vec<Finding> {
    let rungs = draft.ladders.iter().flat_map(|ladder| ladder.rungs.iter().map(move |rung| (ladder, rung)));
    let targets = rungs.flat_map(|(ladder, rung)| rung.targets.iter().map(move |target| (ladder, rung, target)));
    let rung = targets.filter(|(_, _, target)| !calls && target.by.iter().flatten().flatten().any(|medium| *medium == Medium::Voice));
    // By what somebody in a role is told, the rung says and not the site; it is there once for each site, and is said once.
    let line = |rung: &DraftRung, target: &DraftTarget| if target.role.is_some() { rung.line } else { target.line };
    let named: BTreeSet<_> = rung.map(|(ladder, rung, target)| (line(rung, target), ladder.named.as_str())).collect();
    named
        .into_iter()
        .map(|(line, ladder)| Finding {
            severity: Severity::Error,
            file: file.to_owned(),
            line,
            what: format!("ladder \"{ladder}\": somebody is to be rung, and the settings have no [[voice]]"),
            consequence: "their phone would stay silent".to_owned(),
            remedy: "add an account to the settings, or leave \"voice\" out of by".to_owned(),
        })
        .collect()
}

impl Report {
    fn errors(&self) -> usize {
        let errors = self.findings.iter().filter(|f| f.severity == Severity::Error);
        errors.count()
    }

    fn exit_code(&self) -> ExitCode {
        match (self.unread, self.errors()) {
            (true, _) => ExitCode::from(2),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::from(1),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            text += match finding.severity {
                Severity::Error => "",
                Severity::Warning => "warning: ",
            };
            text += &finding.to_string();
            text += "\n\n";
        }
        let errors = self.errors();
        let warnings = self.findings.len() - errors;
        text + &match &self.figures {
            Some(f) if errors == 0 => format!(
                "{} people, {} sites, {} devices, {} ladders: can be used, {warnings} warnings\n{}\n",
                f.people,
                f.sites,
                f.devices,
                f.ladders,
                proved(&f.proof)
            ),
            Some(_) | None => format!("cannot be used: {errors} errors, {warnings} warnings\n"),
        }
    }

    fn json(&self) -> serde_json::Value {
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|f| {
                let severity = match f.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                json!({
                    "severity": severity, "file": f.file, "line": f.line,
                    "what": f.what, "consequence": f.consequence, "remedy": f.remedy,
                })
            })
            .collect();
        let figures =
            self.figures.as_ref().map(|f| json!({"people": f.people, "sites": f.sites, "devices": f.devices, "ladders": f.ladders}));
        json!({
            "usable": self.errors() == 0, "zones": zones_version(), "directory": figures,
            "coverage": self.figures.as_ref().map(|f| coverage(&f.proof)), "findings": findings,
        })
    }
}

/// The figures of every ladder, each with its cases, and of all of them together.
fn coverage(proof: &Proof) -> serde_json::Value {
    let ladders = proof.covers.chunk_by(|(one, _), (other, _)| one.ladder == other.ladder).filter_map(|cases| {
        let (first, _) = cases.first()?;
        let worst = worst(&together(cases.iter().map(|(cover, _)| cover.worst)));
        let cases: serde_json::Value = cases.iter().map(|(cover, zone)| case(cover, zone)).collect();
        Some(json!({"ladder": first.ladder.as_str(), "worst": worst, "cases": cases}))
    });
    let ladders: serde_json::Value = ladders.collect();
    let mut all = worst(&together(proof.covers.iter().map(|(cover, _)| cover.worst)));
    let more = [("days", json!(HORIZON_DAYS)), ("intervals", json!(intervals(proof))), ("ladders", ladders)];
    all.extend(more.map(|(name, value)| (name.to_owned(), value)));
    all.into()
}

/// The figures of a ladder for some kinds of help, by the clock of some of its sites.
fn case(cover: &Cover, zone: &Zone) -> serde_json::Value {
    let rungs = cover.rungs.iter().map(|rung| {
        json!({
            "rung": rung.rung.0 + 1, "parties": rung.parties, "addresses": rung.addresses,
            "carriers": rung.carriers, "transports": rung.transports,
        })
    });
    let without = cover.without.iter().map(|without| {
        let mut figures = worst(&without.worst);
        figures.insert("carrier".to_owned(), json!(without.carrier));
        figures
    });
    let only = cover.only.iter().map(|only| match only {
        Only::Party(rung, Who::Centre(centre)) => json!({"rung": rung.0 + 1, "centre": centre.as_str()}),
        Only::Party(rung, Who::Person(_) | Who::Roster(_)) => json!({"rung": rung.0 + 1}),
        Only::Carrier(carrier) => json!({"carrier": carrier}),
    });
    let kinds: Vec<&str> = cover.case.kinds.iter().map(|kind| kind.as_str()).collect();
    let calendar = cover.case.clock.as_ref().and_then(|clock| clock.calendar.as_ref()).map(ToString::to_string);
    json!({
        "kinds": kinds, "timezone": zone.name(), "calendar": calendar, "intervals": cover.intervals.len(), "worst": worst(&cover.worst),
        "rungs": rungs.collect::<Vec<_>>(), "without": without.collect::<Vec<_>>(), "only": only.collect::<Vec<_>>(),
    })
}

fn worst(worst: &Worst) -> serde_json::Map<String, serde_json::Value> {
    let figures = [
        ("first_told_after_s", json!(worst.first_told_after_s)),
        ("exhausted_after_s", json!(worst.exhausted_after_s)),
        ("independent", json!(worst.independent)),
    ];
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The worst of all of them; of none, nothing is promised.
fn together(each: impl Iterator<Item = Worst>) -> Worst {
    each.reduce(Worst::or).unwrap_or(Worst { first_told_after_s: None, exhausted_after_s: 0, independent: 0 })
}

fn intervals(proof: &Proof) -> usize {
    proof.covers.iter().map(|(cover, _)| cover.intervals.len()).sum()
}

/// What was proved: a sentence for everything up, and one for each carrier down.
fn proved(proof: &Proof) -> String {
    let first = |worst: &Worst| match worst.first_told_after_s {
        Some(seconds) => format!("somebody is told after {seconds} s at most"),
        None => "at times nobody is told".to_owned(),
    };
    let worst = together(proof.covers.iter().map(|(cover, _)| cover.worst));
    let mut text = format!(
        "the next {HORIZON_DAYS} days, in {} intervals: {}, and a ladder that nobody answers is exhausted after {} s at most",
        intervals(proof),
        first(&worst),
        worst.exhausted_after_s,
    );
    let mut down: BTreeMap<&str, Vec<Worst>> = BTreeMap::new();
    for without in proof.covers.iter().flat_map(|(cover, _)| &cover.without) {
        down.entry(&without.carrier).or_default().push(without.worst);
    }
    for (carrier, worsts) in down {
        let worst = together(worsts.into_iter());
        let _written = write!(text, "\n  without {carrier}: {}, {} independent at least", first(&worst), worst.independent);
    }
    text
}

#[cfg(test)]
mod tests;
