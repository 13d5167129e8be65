//! You need not read this file to follow the course: it is the plumbing of the tests. It has
//! directories for them, and a client that uploads by hand.
#![allow(dead_code)]

use std::time::Instant;
use std::{fs, path::PathBuf, thread, time::Duration};

use crate::harness::*;

pub const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harbour.png");
pub const TAKEN: &str = "error: a file with that name already exists\n";

/// A directory that is empty at first and removed at the end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Directory {
        Directory(directory())
    }

    /// The same, and a server that stores its files there.
    pub fn served() -> (Directory, Program, String) {
        let directory = Directory::new();
        let (server, address) = directory.server();
        (directory, server, address)
    }

    pub fn server(&self) -> (Program, String) {
        launch_server(&mut command(&["server", "127.0.0.1:0", self.path()]))
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_string()
    }

    /// All names in it, hidden ones too, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Waits until nothing but `names` is in it: a temporary file is removed a moment after the
    /// client has heard of the failure.
    #[track_caller]
    pub fn assert_only(&self, names: &[&str]) {
        let begin = Instant::now();
        while self.names() != names {
            assert!(begin.elapsed() < TIMEOUT, "{:?}", self.names());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
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

#[track_caller]
pub fn assert_stores(address: &str, directory: &Directory) {
    assert_eq!(upload(address, "still there", b"yes"), "ok");
    assert_eq!(directory.read("still there"), b"yes");
}
