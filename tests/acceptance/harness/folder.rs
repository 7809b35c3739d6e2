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
        Self::under(of, &std::env::temp_dir())
    }

    /// The same in memory, where the machine has such a place. A busy disk can hold up a sync for longer than a daemon waits
    /// before it spools; a killed process finds what it wrote in memory as it does on a disk.
    #[must_use]
    pub fn in_memory(of: &'static str) -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::under(of, memory) } else { Self::new(of) }
    }

    fn under(of: &'static str, parent: &Path) -> Self {
        let mut builder = tempfile::Builder::new();
        let prefix = format!("cooee-{of}-");
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let dir = builder.tempdir_in(parent).expect("make a temporary folder (is the disk full?)");
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

    /// The same for what nobody else on the machine may read.
    pub fn write_secret(&self, name: &str, text: &str) -> PathBuf {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.path.join(name);
        let file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
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
