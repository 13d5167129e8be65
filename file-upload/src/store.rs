//! Files on disk; nothing here is about sockets. A file appears under its name only when it is
//! complete, and it never replaces another file.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The longest name in bytes. File systems take 255, and the temporary name adds about 50.
const MAX_NAME: usize = 200;

/// What a client is told about a name that is not plain.
const RULE: &str = "letters, digits, spaces, .-_() only, no . or - first, no . last, not CON";

/// Creates `directory` if it is missing, and fails if no file can be created there: better now
/// than at the first upload. (Does not check for hard links, which FAT lacks.)
pub fn prepare(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::read_dir(directory)?; // fails for the empty name
    let path = directory.join(format!(".{}.part", std::process::id()));
    File::create_new(&path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => io::Error::other(format!("remove {path:?}, a leftover")),
        _ => error,
    })?;
    fs::remove_file(path)
}

/// A file that is arriving. Its bytes go to a temporary file, which is removed when the Upload is
/// dropped, even after an error. (Only a killed server leaves it behind.)
pub struct Upload {
    pub file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl Upload {
    /// Creates a temporary file in `directory`, if `name` is plain and not taken. `peer`, the
    /// client's address, makes the temporary file's name unique.
    pub fn create(directory: &Path, name: &str, peer: &str) -> io::Result<Upload> {
        if !is_plain(name) {
            let rule = if name.len() > MAX_NAME { "at most 200 bytes" } else { RULE };
            return Err(io::Error::other(format!("bad NAME {name:?}: {rule}")));
        }
        let path = directory.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(taken());
        }
        // It begins with a dot, which no client's name does. Windows does not allow a colon.
        let temporary = directory.join(format!(".{name}.{peer}.part").replace(':', "-"));
        let file = File::create_new(&temporary)?; // fails if it exists
        Ok(Upload { file, temporary, path })
    }

    /// Waits until the bytes are on disk, then gives the file its name with a hard link, a second
    /// name for one file. Unlike a rename, it never replaces a file.
    pub fn publish(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::hard_link(&self.temporary, &self.path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(),
            _ => io::Error::other(format!("no hard link: {error} (some file systems have none)")),
        })?;
        // The name should also be on disk. Not every system can do that (Windows cannot), and the
        // file is already in place, so a failure is ignored.
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

/// Rust calls `drop` when an Upload goes out of scope, even after an error. A published file has
/// two names by then; this removes the temporary one.
impl Drop for Upload {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

fn taken() -> io::Error {
    io::Error::other("a file with that name already exists")
}

/// Returns whether `name` is a plain file name on every system: no path, not hidden, not a
/// command-line option (`-rf`), not a Windows device (CON, COM1, nul.jpg). An allowlist of
/// characters is easier to get right than a list of all harmful ones.
pub fn is_plain(name: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || " .-_()".contains(c);
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_uppercase();
    let number = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let is_device = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
        || number.is_some_and(|n| n.chars().count() == 1 && n.chars().all(char::is_numeric));
    (1..=MAX_NAME).contains(&name.len())
        && name.chars().all(is_allowed)
        && !name.starts_with([' ', '.', '-'])
        && !name.ends_with([' ', '.'])
        && !is_device
}
