//! Step 3: many clients at once, and messages with an end.
//!
//! Terminal 1: `cargo run -p tcp-threaded`
//! Terminal 2: `cargo run -p tcp-threaded -- client`
//! Terminal 3: the same as terminal 2, at the same time
//!
//! New in server.rs:
//! - a thread for each connection (`run`)
//! - a message is a line (`talk`), with a limit on its length
//! - small answers, which are sent immediately (`set_nodelay`)
//!
//! Unchanged: `handle_client`, `is_timeout`, `log`. In client.rs, `run` is what matters. Skip
//! what happens to a line that is too long at first.
//!
//! Where does a message end? At a newline, a delimiter, however the stream is split into reads.
//!
//! Still wrong:
//! - As many threads as clients, without a limit.
//! - Text only: no message can contain a newline.
//! - Closing with unread bytes resets the connection, which may destroy the last answer.
//!
//! Step 5 (file-upload) fixes these. Step 4 (udp-echo) has no connections.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:8080";
const USAGE: &str = "\
Usage: cargo run -p tcp-threaded [-- ROLE]
  server [ADDRESS]   run the server (the default)
  client [ADDRESS]   run the client
ADDRESS is HOST:PORT: 127.0.0.1:8080 (the default), [::1]:8080 or localhost:8080.
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
