//! A part's files: deleted when the test passes, kept and named when it fails.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder that outlives a failing test.
///
/// Others may enter it: PostgreSQL refuses to run as root and runs as a user of its own.
#[derive(Debug)]
pub struct Folder {
    of: &'static str,
    dir: Option<TempDir>,
    path: PathBuf,
}

impl Folder {
    /// A fresh folder for the part called `of`.
    #[must_use]
    pub fn new(of: &'static str) -> Self {
        let mut builder = tempfile::Builder::new();
        let prefix = format!("cooee-{of}-");
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let dir = builder.tempdir().expect("make a temporary folder (is the disk full?)");
        let path = dir.path().to_path_buf();
        Self { of, dir: Some(dir), path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `text` into the file called `name` and says where that is.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
        path
    }

    /// The same for a secret: nobody else may read it, or Cooee refuses it.
    pub fn write_secret(&self, name: &str, secret: &str) -> PathBuf {
        let path = self.write(name, secret);
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap_or_else(|e| panic!("keep {} to ourselves: {e}", path.display()));
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take()
            && std::thread::panicking()
        {
            say_kept(self.of, &dir.keep());
        }
    }
}

#[expect(clippy::print_stderr, reason = "the reader of a failed test needs the path")]
fn say_kept(of: &str, path: &Path) {
    eprintln!("{of}: its files and log are kept in {}", path.display());
}
