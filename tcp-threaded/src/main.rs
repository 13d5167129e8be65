//! Step 3: a thread for every caller.
//!
//! Two things are new in the server: each caller is talked to in a thread of their
//! own, so that nobody waits for anybody, and what they say are lines.
//!
//! Terminal 1: `cargo run -p tcp-threaded`
//! Terminal 2: `cargo run -p tcp-threaded -- client`
//! Terminal 3: the same as terminal 2, at the same time
//!
//! Where does a message end? At a newline (the last one where the caller hangs up),
//! wherever the stream is cut into reads. So `nc`, telnet and people can talk to this
//! server too.
//!
//! Still wrong:
//! - A thread for every caller has its price.
//! - Text only: no message can contain a newline.
//!
//! Step 4 (udp-echo) does without threads, but also without TCP; step 5 (file-upload)
//! sends any bytes.
//! Read server.rs first, then client.rs.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:8080";

const USAGE: &str = "\
Usage: cargo run -p tcp-threaded [-- ROLE]
  (no role)          the server, on 127.0.0.1:8080
  server [ADDRESS]   the server, there; port 0 takes a free port
  client [ADDRESS]   the client
  --help             this text
ADDRESS is HOST:PORT: 127.0.0.1:8080, [::1]:8080 or localhost:8080, say.
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
