//! A finding: what is wrong with a directory, where, what it would mean, and what to do.

use std::fmt;

/// One thing a reader of the directory should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// In which file.
    pub file: String,
    /// On which line, counted from 1; 0 where it concerns the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What it would mean for a press, empty where it is plain.
    pub consequence: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be adopted.
    Error,
    /// It can, but a promise does not hold.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        for line in [&self.consequence, &self.remedy] {
            if !line.is_empty() {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}
