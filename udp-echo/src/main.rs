//! Step 4: letters instead of calls.
//!
//! UDP carries letters (datagrams). There is no connection: the server binds, and
//! answers whoever has written. Either side may start first, or vanish.
//!
//! Terminal 1: `cargo run -p udp-echo`
//! Terminal 2: `cargo run -p udp-echo -- client`
//!
//! Where does a message end? With its datagram: one send is one receive, be it empty
//! or 65,507 bytes long (on macOS 9,216). The network keeps the boundary, and may lose
//! the whole.
//!
//! Still wrong:
//! - A letter may be lost, doubled or overtaken: that is UDP.
//!
//! Step 5 (file-upload) needs every byte, so it goes back to TCP.
//! Read server.rs first, then client.rs.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:8080";

const USAGE: &str = "\
Usage: cargo run -p udp-echo [-- ROLE]
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
