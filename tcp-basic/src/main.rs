//! Step 1: one connection, one message.
//!
//! Terminal 1: `cargo run -p tcp-basic`
//! Terminal 2: `cargo run -p tcp-basic -- client`
//!
//! New: the calls that make up a server and a client, in order. Read server.rs, then client.rs.
//! Skip the rest of this file at first: it reads the command line, as in every step.
//!
//! Where does a message end? Wherever one `read` happens to stop.
//!
//! Still wrong:
//! - It serves one client and exits.
//! - It reads only once.
//! - A silent client blocks it forever.
//!
//! Step 2 (tcp-loop) fixes these.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:6666";
const MESSAGE: &str = "show 信息";
const USAGE: &str = "\
Usage: cargo run -p tcp-basic [-- ROLE]
  server [ADDRESS]             run the server (the default)
  client [ADDRESS [MESSAGE]]   send MESSAGE to the server
ADDRESS is HOST:PORT: 127.0.0.1:6666 (the default), [::1]:6666 or localhost:6666.
Port 0 lets the server take any free port. MESSAGE defaults to 'show 信息'.";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    // None if an argument is not UTF-8 (env::args would panic), so no role below matches.
    let args: Option<Vec<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let result = match args.as_deref().unwrap_or(&["not UTF-8"]) {
        [] | ["server"] => server::run(ADDRESS),
        ["server", address] => server::run(address),
        ["client"] => client::run(ADDRESS, MESSAGE),
        ["client", address] => client::run(address, MESSAGE),
        ["client", address, message] => client::run(address, message),
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
