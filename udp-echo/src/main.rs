//! Step 4: datagrams, each a message by itself, with an address on it.
//!
//! Terminal 1: `cargo run -p udp-echo`
//! Terminal 2: `cargo run -p udp-echo -- client`
//!
//! New in server.rs: one socket, without connections, for all clients.
//! New in client.rs:
//! - a connected UDP socket, which takes datagrams only from the server (`connect`)
//! - a deadline, because an echo may never come (`echo`)
//!
//! Skip `log`, `describe` and `next_line`.
//!
//! Where does a message end? With its datagram, which arrives whole or not at all.
//!
//! Still wrong, and UDP alone cannot fix it:
//! - Datagrams get lost, duplicated, and reordered.
//! - Anyone can spoof (forge) a sender's address.
//!
//! Step 5 (file-upload) needs every byte, so it goes back to TCP.

mod client;
mod server;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const ADDRESS: &str = "127.0.0.1:8080";
const USAGE: &str = "\
Usage: cargo run -p udp-echo [-- ROLE]
  server [ADDRESS]   run the server (the default)
  client [ADDRESS]   run the client
ADDRESS is HOST:PORT: 127.0.0.1:8080 (the default) or [::1]:8080.
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
