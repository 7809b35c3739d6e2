//! `[[plan]]`: what is done about a call, step by step, by whoever goes and by the centre.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::reader::{At, Section, Wrong};
use super::{Draft, wall};
use crate::directory::finding::{Finding, Severity};
use crate::directory::place::PlanCard;
use crate::id::PlanId;
use crate::plan::{Plan, STEPS_MAX, Step};
use crate::time::Timestamp;

/// Longest step: it is read on a phone by somebody on the way.
const STEP_MAX: usize = 200;
/// The version of a plan that names none.
const FIRST_VERSION: u32 = 1;

/// A plan as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftPlan {
    /// Its id.
    pub id: PlanId,
    /// Which version of it, as its author counts.
    pub version: u32,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// By when somebody looks at it again.
    pub review_by: Option<At<Date>>,
    /// What responders do.
    pub responder: Vec<DraftStep>,
    /// What the centre does.
    pub centre: Vec<DraftStep>,
    /// Where it begins.
    pub line: usize,
}

/// One step as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftStep {
    /// What is done.
    pub says: String,
    /// A call is not closed before it is taken, or passed over for a reason.
    pub required: bool,
}

impl DraftPlan {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<PlanId>("id");
        section.missing("id", "", "give it a short name for sites to use");
        let version = section.count("version");
        let approved_by = section.text("approved_by").map(|text| text.value);
        let review_by = section.read("review_by", wall::date);
        let responder = steps(&mut section, "responder");
        let centre = steps(&mut section, "centre");
        if section.none_of("responder") && section.none_of("centre") {
            let what = section.titled("it has no steps");
            section.reader.error(
                section.line,
                what,
                "nobody would be told what to do",
                "add  responder = [\"...\"]  or  centre = [\"...\"]",
            );
        }
        let line = section.line;
        section.close();
        Some(Self {
            id: id?.value,
            version: version.map_or(FIRST_VERSION, |version| version.value),
            approved_by,
            review_by,
            responder,
            centre,
            line,
        })
    }

    /// The form that the rules use.
    pub(super) fn rules(&self) -> Plan {
        let steps = |steps: &[DraftStep]| steps.iter().map(|step| Step { required: step.required }).collect();
        Plan { id: self.id.clone(), version: self.version, responder: steps(&self.responder), centre: steps(&self.centre) }
    }

    /// What it says.
    pub(super) fn card(&self) -> PlanCard {
        let texts = |steps: &[DraftStep]| steps.iter().map(|step| step.says.clone()).collect();
        PlanCard {
            approved_by: self.approved_by.clone().unwrap_or_default(),
            responder: texts(&self.responder),
            centre: texts(&self.centre),
        }
    }
}

impl Draft {
    /// Plans that should have been looked at again by now.
    pub fn unreviewed(&self, file: &str, now: Timestamp) -> Vec<Finding> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let due = |plan: &&DraftPlan| plan.review_by.as_ref().is_some_and(|review| review.value < today);
        let finding = |plan: &DraftPlan| {
            let review = plan.review_by.as_ref()?;
            Some(Finding {
                severity: Severity::Warning,
                file: file.to_owned(),
                line: review.line,
                what: format!("plan \"{}\": it was to be reviewed by {}", plan.id, review.value),
                consequence: "people are told to do what nobody has looked at since".to_owned(),
                remedy: "review it, then raise  version  and  review_by".to_owned(),
            })
        };
        self.plans.iter().filter(due).filter_map(finding).collect()
    }
}

fn steps(section: &mut Section<'_, '_, '_>, key: &'static str) -> Vec<DraftStep> {
    let steps = section.texts_or_tables(
        key,
        |text| Ok(DraftStep { says: said(text)?, required: false }),
        |mut step| {
            let says = step.read("step", said);
            step.missing("step", "", "add  step = \"...\"");
            let required = step.flag("required");
            step.close();
            Some(DraftStep { says: says?.value, required: required.is_some_and(|required| required.value) })
        },
    );
    if steps.len() > STEPS_MAX {
        let what = section.titled(&format!("{key} has {} steps; nobody follows more than {STEPS_MAX}", steps.len()));
        section.reader.error(section.line, what, "", "put together what is done together");
    }
    steps
}

fn said(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Wrong::new("is empty or not one line", "say in a line what is done"));
    }
    let long = text.chars().count();
    if long > STEP_MAX {
        let what = format!("has a step of {long} characters; it is read on a phone, and has room for {STEP_MAX}");
        return Err(Wrong::new(what, "shorten it, or make two steps of it"));
    }
    Ok(text.to_owned())
}

impl fmt::Debug for DraftPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftPlan({}, line {}, redacted)", self.id, self.line)
    }
}

impl fmt::Debug for DraftStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DraftStep(redacted)")
    }
}
