//! The client: connect, then read a line from the server and send one, again and again.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running on that address?";

/// The longest answer in bytes, with its newline: a server must not fill our memory.
const MAX_ANSWER: usize = 4096;

/// Prints the greeting of the server at `address` ("HOST:PORT"), then sends the lines of the
/// input and prints the answers, until `exit` or the end of the input.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!("cannot reach {address}: {error}; {HINT}"),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    let lost = |error| format!("lost the connection to {address}: {error}");
    let mut writer = &stream;
    let mut reader = BufReader::new(&stream);
    loop {
        let mut answer = Vec::new();
        reader.by_ref().take(MAX_ANSWER as u64).read_until(b'\n', &mut answer).map_err(lost)?;
        if answer.len() == MAX_ANSWER && !answer.ends_with(b"\n") {
            return Err(format!("{address} sent a line of more than {MAX_ANSWER} bytes").into());
        }
        if !answer.ends_with(b"\n") {
            return Err(format!("{address} closed the connection").into());
        }
        println!("server: {:?}", String::from_utf8_lossy(answer.trim_ascii_end()));
        match next_line()? {
            Some(line) if line.trim_end() != "exit" => {
                writer.write_all(format!("{line}\n").as_bytes()).map_err(lost)?;
            }
            _ => return Ok(()), // closes the connection, just as "exit" would
        }
    }
}

/// Returns the next line of the input without its newline, or None at the end.
fn next_line() -> Result<Option<String>, String> {
    if io::stdin().is_terminal() {
        eprint!("> "); // on stderr, because stdout is for the answers
    }
    // Input that was read ahead stays in stdin's own buffer for the next call. (`next` returns an
    // Option of a Result. `transpose` makes it a Result of an Option.)
    let line = io::stdin().lines().next().transpose();
    line.map_err(|error| format!("cannot read the input: {error}"))
}
