//! Step 2: talk as long as you like, then take the next caller.
//!
//! Two loops are new in the server: over reads, so that a call lasts as long as
//! the caller likes, and over callers, so that one hanging up does not end it. Now
//! that others wait, a caller who falls silent is let go.
//!
//! Terminal 1: `cargo run -p tcp-loop`
//! Terminal 2: `cargo run -p tcp-loop -- client`
//!
//! Where does a message end? Nowhere: every byte is answered by itself, so it
//! does not matter how the stream is cut into reads.
//!
//! Still wrong:
//! - The second caller waits until the first hangs up.
//! - No messages, only bytes.
//!
//! Step 3 (tcp-threaded) mends these. Read server.rs first, then client.rs.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:7890";

const USAGE: &str = "\
Usage: cargo run -p tcp-loop [-- ROLE]
  (no role)          the server, on 127.0.0.1:7890
  server [ADDRESS]   the server, there; port 0 takes a free port
  client [ADDRESS]   the client
  --help             this text
ADDRESS is HOST:PORT: 127.0.0.1:7890, [::1]:7890 or localhost:7890, say.
";

fn main() -> ExitCode {
    // The arguments as a list of &str: None if one is not UTF-8, where env::args panics.
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref() {
        Some([] | ["server"]) => server::run(ADDRESS),
        Some(["server", address]) => server::run(address),
        Some(["client"]) => client::run(ADDRESS),
        Some(["client", address]) => client::run(address),
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
