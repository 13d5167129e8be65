//! The command line, the same in every step. Start with server.rs.

mod client;
mod server;

use std::io::{self, Write};
use std::{env, net::ToSocketAddrs, process::ExitCode};

const ADDRESS: &str = "127.0.0.1:6666";
const MESSAGE: &str = "show 信息";
const USAGE: &str = "\
Usage: cargo run -p tcp-basic [-- ROLE], where ROLE is one of
  server [ADDRESS]             run the server (the default)
  client [ADDRESS [MESSAGE]]   send MESSAGE ('show 信息' by default) to the server
ADDRESS is HOST:PORT, such as 127.0.0.1:6666 (the default) or [::1]:6666. Port 0: any free port.";

fn main() -> ExitCode {
    // Not env::args, which panics if an argument is not UTF-8. Here, it shows as �.
    let args: Vec<String> = env::args_os().map(|arg| arg.to_string_lossy().into()).collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let result = match args[..] {
        [] | ["server"] => server::run(ADDRESS),
        ["server", address] => server::run(address),
        ["client"] => client::run(ADDRESS, MESSAGE),
        ["client", address] => client::run(address, MESSAGE),
        ["client", _, ""] => Err("an empty message sends no bytes, so no answer would come".into()),
        ["client", address, message] => client::run(address, message),
        ["--help"] => writeln!(io::stdout(), "{USAGE}").or(Ok(())), // its reader may be gone
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = result {
        // The address is to blame if the error names it and it cannot be resolved.
        let error = error.to_string();
        let bad = |it: &&str| error.contains(&format!(" {it}: ")) && it.to_socket_addrs().is_err();
        let hint = if args.get(1).is_some_and(bad) { "; expected HOST:PORT" } else { "" };
        eprintln!("error: {error}{hint}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
