//! Step 5: a file, safely.
//!
//! Terminal 1: `cargo run -p file-upload`
//! Terminal 2: `cargo run -p file-upload -- client` (the second upload is refused)
//!
//! The protocol, in order:
//! - server: a greeting, `welcome ...`
//! - client: `SIZE NAME`
//! - server: `ok ...`, or `error: REASON` before any of the file is sent
//! - client: SIZE bytes
//! - server: `ok ...` when the whole file is on disk under its name, or `error: REASON`
//!
//! New in server.rs:
//! - a fixed number of threads that all accept (`run`, `serve`)
//! - a length before the bytes, and input that is checked (`talk`, `read_header`)
//! - a graceful close, so that the last answer arrives (`close_gracefully`)
//!
//! New in store.rs: a file appears under its name whole or not at all. Skip `prepare` and
//! `is_plain` there, and `open` and `send` in client.rs, at first.
//!
//! Where does a message end? After the number of bytes announced before it, a length prefix.
//!
//! Still wrong:
//! - No encryption: anyone on the network path can read the bytes.
//! - No authentication: anyone who reaches the port can upload, until the disk is full.
//! - Only each read has a timeout: 64 clients that send a byte now and then keep others out.
//! - A server that is killed leaves temporary files.

mod client;
mod server;
mod store;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:9999";
const DIRECTORY: &str = "uploads";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harbour.png");
const USAGE: &str = "\
Usage: cargo run -p file-upload [-- ROLE]
  server [ADDRESS [DIRECTORY]]   run the server (the default)
  client [FILE [ADDRESS]]        send FILE to the server
ADDRESS is HOST:PORT: 127.0.0.1:9999 (the default), [::1]:9999 or localhost:9999.
Port 0 lets the server take any free port. DIRECTORY defaults to uploads, FILE to a picture.";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    // None if an argument is not UTF-8 (env::args would panic), so no role below matches.
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref().unwrap_or(&["not UTF-8"]) {
        [] | ["server"] => server::run(ADDRESS, DIRECTORY),
        ["server", address] => server::run(address, DIRECTORY),
        ["server", address, directory] => server::run(address, directory),
        ["client"] => client::run(FILE, ADDRESS),
        ["client", file] => client::run(file, ADDRESS),
        ["client", file, address] => client::run(file, address),
        ["--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = result {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
