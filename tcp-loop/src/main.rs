//! Step 2: any number of messages, one client after another.
//!
//! Terminal 1: `cargo run -p tcp-loop`
//! Terminal 2: `cargo run -p tcp-loop -- client`
//!
//! New in server.rs:
//! - two loops: over clients (`run`) and over reads (`talk`)
//! - between them, `handle_client`: one connection's failure ends only that connection
//! - timeouts, because other clients are waiting
//! - a log that cannot end the server
//!
//! Skip `is_timeout` and `log` at first. In client.rs, `talk` is what matters.
//!
//! Where does a message end? Nowhere: the server answers byte by byte, so it does not matter how
//! the stream is split into reads.
//!
//! Still wrong:
//! - The second client waits until the first one leaves.
//! - There are no messages, only bytes.
//!
//! Step 3 (tcp-threaded) fixes these.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:7890";
const USAGE: &str = "\
Usage: cargo run -p tcp-loop [-- ROLE]
  server [ADDRESS]   run the server (the default)
  client [ADDRESS]   run the client
ADDRESS is HOST:PORT: 127.0.0.1:7890 (the default), [::1]:7890 or localhost:7890.
Port 0 lets the server take any free port.";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    // None if an argument is not UTF-8 (env::args would panic), so no role below matches.
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref().unwrap_or(&["not UTF-8"]) {
        [] | ["server"] => server::run(ADDRESS),
        ["server", address] => server::run(address),
        ["client"] => client::run(ADDRESS),
        ["client", address] => client::run(address),
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
