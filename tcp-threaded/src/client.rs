//! The client: connect, then read a line from the server and send one, again and again.

use std::error::Error;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::TcpStream;

/// The longest answer in bytes: a client does not trust a server with its memory, either.
const MAX_ANSWER: u64 = 4096;

/// Prints the greeting of the server at `address` ("HOST:PORT"), then sends the lines of the
/// input and prints the answers, until `exit` or the end of the input.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address).map_err(|error| {
        format!("cannot reach {address}: {error}; is it running? (cargo run -p tcp-threaded)")
    })?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut answer = String::new();
        reader.by_ref().take(MAX_ANSWER).read_line(&mut answer)?;
        if !answer.ends_with('\n') {
            return Err(format!("{address} closed the connection, or sent too long a line").into());
        }
        println!("server: {:?}", answer.trim_end());
        match next_line()? {
            Some(line) if line.trim_end() != "exit" => {
                reader.get_mut().write_all(format!("{line}\n").as_bytes())?;
            }
            _ => return Ok(()), // closes the connection, which tells the server as much as "exit"
        }
    }
}

/// Returns the next line of the input without its newline, or None at the end.
fn next_line() -> Result<Option<String>, String> {
    if io::stdin().is_terminal() {
        eprint!("> "); // on stderr, because stdout is for the answers
    }
    match io::stdin().lines().next() {
        Some(Ok(line)) => Ok(Some(line)),
        Some(Err(error)) => Err(format!("cannot read the input: {error}")),
        None => Ok(None),
    }
}
