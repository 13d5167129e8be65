//! The client: connect, then send a line and read its answer, again and again.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running on that address?";

/// Sends the lines of the input to the server at `address` ("HOST:PORT") and prints the answers,
/// until `q` or the end of the input.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!("cannot reach {address}: {error}; {HINT}"),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    while let Some(line) = next_line()? {
        let message = line.trim();
        if message == "q" {
            break;
        }
        if message.is_empty() {
            continue; // no bytes would be sent, so no answer would come
        }
        let answer = talk(&mut stream, message.as_bytes()).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => format!("{address} closed the connection"),
            _ => format!("lost the connection to {address}: {error}"),
        })?;
        println!("server: {:?}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Sends `message` and returns the answer, which has the same length.
///
/// Works in pieces and overwrites each with its answer. If the client only wrote, nobody would read
/// the server's answers. They would fill the buffers until the server's `write` blocked. The server
/// would stop reading, and the client's `write` would block as well: a deadlock.
fn talk(stream: &mut TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let mut answer = message.to_vec();
    for piece in answer.chunks_mut(1024) {
        stream.write_all(piece)?;
        stream.read_exact(piece)?; // reads until `piece` is full, or fails (UnexpectedEof)
    }
    Ok(answer)
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
