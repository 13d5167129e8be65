//! You need not read this file to follow the course: it is the plumbing of the tests. It has
//! directories for them, and a client that uploads by hand.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::{collections::BTreeSet, fs};

pub use crate::harness::*;

pub const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harbour.png");
pub const TAKEN: &str = "error: a file with that name already exists\n";

/// A directory, and a server that stores its files there.
pub fn server_with_directory() -> (PathBuf, Program, String) {
    let mut command = command(&["server", "127.0.0.1:0"]);
    let (server, address) = launch_server(&mut command);
    (command.get_current_dir().unwrap().join("uploads"), server, address)
}

/// Writes a file in a directory of its own, and returns its path.
pub fn file(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = directory().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

/// All names in a directory, hidden ones too, sorted.
pub fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Waits until nothing but `expected` is in a directory: a temporary file is removed a moment after
/// the client has heard of the failure.
pub fn assert_only(directory: &Path, expected: &[&str]) {
    let is_all = || names(directory).iter().eq(expected.iter().copied());
    wait_until(&format!("there are other files than {expected:?}"), is_all);
}

/// A client that may send its `size` bytes now.
pub fn announced(address: &str, size: usize, name: &str) -> Client {
    let mut client = Client::greeted(address);
    client.send(format!("{size} {name}\n")).expect(format!("ok: send {size} bytes\n"));
    client
}

/// Uploads by hand. Returns "ok", or the line that refused it.
pub fn upload(address: &str, name: &str, bytes: &[u8]) -> String {
    let mut client = Client::greeted(address);
    client.send([format!("{} {name}\n", bytes.len()).as_bytes(), bytes].concat());
    let answers = client.rest();
    let stored = format!("ok: send {} bytes\nok: stored {name}\n", bytes.len());
    if answers == stored { "ok".to_string() } else { answers }
}
