//! Directories of our own to upload to, and a caller who uploads by hand.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use crate::harness::{Program, call, server_with};

pub const EXE: &str = env!("CARGO_BIN_EXE_file-upload");
pub const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harbour.png");

/// A directory that is empty at first and gone at the end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Directory {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_string()
    }

    /// All names in it, hidden ones too, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that stores in this directory.
pub fn server_in(directory: &Directory) -> (Program, String) {
    server_with(EXE, &[directory.path()])
}

/// A caller who reads line by line.
pub struct Caller(pub BufReader<TcpStream>);

impl Caller {
    /// Calls, hears the greeting, sends the header.
    pub fn new(address: &str, header: &[u8]) -> Caller {
        let mut caller = Caller(BufReader::new(call(address)));
        assert!(caller.line().starts_with("welcome"));
        caller.send(header);
        caller
    }

    pub fn address(&self) -> String {
        self.0.get_ref().local_addr().unwrap().to_string()
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }
}

/// Uploads by hand; returns "ok", or the line that refused it.
pub fn upload(address: &str, name: &str, bytes: &[u8]) -> String {
    let header = format!("{} {name}\n", bytes.len());
    let mut caller = Caller::new(address, header.as_bytes());
    for piece in [bytes, b""] {
        let line = caller.line();
        if !line.starts_with("ok: ") {
            return line;
        }
        caller.send(piece);
    }
    "ok".to_string()
}

/// 200 bytes, in letters of three.
pub fn longest_name() -> String {
    "图".repeat(66) + "xx"
}
