//! Step 5: an image, safely.
//!
//! Everything put together: lines of text to agree, a length for the bytes, a thread
//! for every caller. And the distrust that a real service needs: name and size come
//! from a stranger, and the sender, the disk or the network may fail at any point.
//!
//! Terminal 1: `cargo run -p file-upload`
//! Terminal 2: `cargo run -p file-upload -- client`
//!
//! Where does a message end? After the number of bytes that its header announced, so
//! any bytes at all can be sent:
//!
//! - server: a greeting line
//! - client: `SIZE NAME`
//! - server: `ok ...`, or `error: why` before a byte of the file is sent
//! - client: SIZE bytes
//! - server: `ok ...` when the file is whole, on disk and in place, or `error: why`
//!
//! Still wrong:
//! - Anyone who reaches the port can upload, until the disk is full, and anyone on the
//!   way can read along: there is no password and no encryption.
//! - A server that is killed leaves the temporary files of unfinished uploads behind.
//!
//! Read server.rs first, then client.rs.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:9999";
const DIRECTORY: &str = "uploads";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harbour.png");

const USAGE: &str = "\
Usage: cargo run -p file-upload [-- ROLE]
  (no role)                      the server, on 127.0.0.1:9999
  server [ADDRESS [DIRECTORY]]   the server, there; port 0 takes a free port
  client [FILE [ADDRESS]]        the client
  --help                         this text
ADDRESS is HOST:PORT: 127.0.0.1:9999, [::1]:9999 or localhost:9999, say.
DIRECTORY is where the files go, 'uploads' if left out.
FILE is a small picture that comes with this program if left out.
";

fn main() -> ExitCode {
    // The arguments as a list of &str: None if one is not UTF-8, where env::args panics.
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref() {
        Some([] | ["server"]) => server::run(ADDRESS, DIRECTORY),
        Some(["server", address]) => server::run(address, DIRECTORY),
        Some(["server", address, directory]) => server::run(address, directory),
        Some(["client"]) => client::run(FILE, ADDRESS),
        Some(["client", file]) => client::run(file, ADDRESS),
        Some(["client", file, address]) => client::run(file, address),
        Some(["--help"]) => io::stdout()
            .write_all(USAGE.as_bytes())
            .map_err(|error| error.into()),
        _ => {
            let _ = io::stderr().write_all(USAGE.as_bytes());
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // eprintln! would panic when stderr is closed.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
