//! What a fake remembers over a restart, as a provider would: one JSON document a line. The demo kills itself on request.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of lines, or nothing where the demo keeps nothing.
pub(super) struct Keep {
    path: Option<PathBuf>,
}

impl Keep {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// Every line that can be read; the last one may have been cut off by a kill.
    pub(super) fn read<T: DeserializeOwned>(&self) -> anyhow::Result<Vec<T>> {
        let Some(path) = self.path.as_deref().filter(|path| path.exists()) else {
            return Ok(Vec::new());
        };
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Adds a line. Losing it would only make the demo forget, so that a full disk is said and nothing else.
    pub(super) fn add<T: Serialize>(&self, item: &T) {
        if let Some(path) = &self.path
            && let Err(why) = append(path, item)
        {
            tracing::warn!("the demo cannot keep what it shows: {why:#}");
        }
    }
}

fn append<T: Serialize>(path: &PathBuf, item: &T) -> anyhow::Result<()> {
    // The line end comes first, so that a line cut off by a kill spoils no other.
    let line = format!("\n{}", serde_json::to_string(item)?);
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(file.write_all(line.as_bytes())?)
}
