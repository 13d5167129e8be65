//! Step 1: one call, one sentence, hang up.
//!
//! A server is a phone. Get one (socket), insert the SIM (bind), switch it on
//! (listen), wait for the ring (accept), talk (read and write), hang up and
//! switch it off (close). The client only dials (connect) and talks.
//!
//! Terminal 1: `cargo run -p tcp-basic`
//! Terminal 2: `cargo run -p tcp-basic -- client`
//!
//! Where does a message end? Where one `read` happened to end, 1024 bytes at
//! most. For one short sentence that works, but it is luck: TCP carries a
//! stream of bytes and knows no messages.
//!
//! Still wrong:
//! - One caller, and it is over.
//! - It hears no more than one read.
//! - A caller who says nothing keeps it waiting for ever.
//!
//! Step 2 (tcp-loop) mends these. Read server.rs first, then client.rs.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:6666";
const MESSAGE: &str = "show 信息";

const USAGE: &str = "\
Usage: cargo run -p tcp-basic [-- ROLE]
  (no role)                    the server, on 127.0.0.1:6666
  server [ADDRESS]             the server, there; port 0 takes a free port
  client [ADDRESS [MESSAGE]]   the client
  --help                       this text
ADDRESS is HOST:PORT: 127.0.0.1:6666, [::1]:6666 or localhost:6666, say.
MESSAGE is 'show 信息' if left out.
";

fn main() -> ExitCode {
    // The arguments as a list of &str: None if one is not UTF-8, where env::args panics.
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref() {
        Some([] | ["server"]) => server::run(ADDRESS),
        Some(["server", address]) => server::run(address),
        Some(["client"]) => client::run(ADDRESS, MESSAGE),
        Some(["client", address]) => client::run(address, MESSAGE),
        Some(["client", address, message]) => client::run(address, message),
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
