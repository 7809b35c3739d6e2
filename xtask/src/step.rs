//! One command: shown, run, and its failure named.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A command in the root of the repository.
#[derive(Debug)]
pub(crate) struct Step {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Step {
    /// The cargo that runs us.
    pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_unset| "cargo".to_owned());
        Self::new(&cargo, arguments)
    }

    /// Another program.
    pub(crate) fn new<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Self { program: program.to_owned(), arguments, environment: Vec::new() }
    }

    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says what it runs, runs it, fails when it fails.
    pub(crate) fn run(&self) -> Result<()> {
        let shown = self.shown();
        say(&format!("+ {shown}"));
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        for (name, _value) in std::env::vars_os() {
            if name.to_str().is_some_and(describes_us) {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let status = command.status().with_context(|| format!("start `{shown}`"))?;
        ensure!(status.success(), "`{shown}` failed ({status})");
        Ok(())
    }

    /// As one would type it.
    pub(crate) fn shown(&self) -> String {
        let program = self.program.rsplit(['/', '\\']).next().unwrap_or(&self.program);
        let variables = self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let words = self.arguments.iter().map(|a| quoted(a));
        variables.chain([program.to_owned()]).chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// What cargo tells a program that it runs about that program's own package. Build scripts of other packages watch
/// these variables: handed on, they would make every task rebuild half of the house.
fn describes_us(variable: &str) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    prefixes.iter().any(|prefix| variable.starts_with(prefix))
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

/// Tells the person at the terminal. Standard output is left to the commands themselves.
#[expect(clippy::print_stderr, reason = "a task tells the person at the terminal what it does")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
