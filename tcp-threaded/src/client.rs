//! The client: connect, then read a line from the server and send one, again and again.

use std::error::Error;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running? (cargo run -p tcp-threaded)";

/// Prints the greeting of the server at `address` ("HOST:PORT"), then sends the lines of the
/// input and prints the answers, until `exit` or the end of the input.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address)
        .map_err(|error| format!("cannot reach {address}: {error}; {HINT}"))?;
    let failed = |error| format!("{address}: {error}");
    let mut reader = BufReader::new(stream);
    loop {
        let mut answer = String::new();
        let mut limited = reader.by_ref().take(4096); // a server must not fill our memory
        limited.read_line(&mut answer).map_err(failed)?;
        if !answer.ends_with('\n') {
            return Err(format!("{address} closed the connection, or sent a huge line").into());
        }
        println!("server: {:?}", answer.trim_end());
        match next_line()? {
            Some(line) if line.trim_end() != "exit" => {
                let line = format!("{line}\n");
                reader.get_mut().write_all(line.as_bytes()).map_err(failed)?;
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
    // Input that was read ahead stays in stdin's own buffer for the next call.
    match io::stdin().lines().next() {
        Some(Ok(line)) => Ok(Some(line)),
        Some(Err(error)) => Err(format!("cannot read the input: {error}")),
        None => Ok(None),
    }
}
