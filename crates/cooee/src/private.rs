//! Files and folders for their owner alone: never made over anything that is there, and on the disk when they are made.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// What must not be set on what holds names and numbers: anything for anybody else.
const FORBIDDEN_MODE: u32 = 0o077;

/// Writes a new file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Copies a file into a new one. Gives `false`, and makes nothing, where there is none.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(other) => return Err(other),
    };
    let mut file = create(to)?;
    io::copy(&mut source, &mut file)?;
    file.sync_all()?;
    Ok(true)
}

/// Makes a new folder.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Waits until the disk knows what this folder holds.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // The parent of a bare name is no path, and is where we are.
    File::open(if path.as_os_str().is_empty() { Path::new(".") } else { path })?.sync_all()
}

/// The mode of what others may read, write or enter; `None` where nobody else may.
pub(crate) fn exposed(path: &Path) -> io::Result<Option<u32>> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & FORBIDDEN_MODE != 0).then_some(mode))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
