//! The client: connect, then send a line and read its answer, again and again.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running? (cargo run -p tcp-loop)";

/// Sends the lines of the input to the server at `address` ("HOST:PORT") and prints the
/// answers, until `q` or the end of the input.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)
        .map_err(|error| format!("cannot reach {address}: {error}; {HINT}"))?;
    while let Some(line) = next_line()? {
        match line.trim() {
            "" => continue, // no bytes would be sent, so no answer would come
            "q" => break,
            message => match talk(&mut stream, message.as_bytes()) {
                Ok(answer) => println!("server: {:?}", String::from_utf8_lossy(&answer)),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(format!("{address} closed the connection").into());
                }
                Err(error) => {
                    return Err(format!("lost the connection to {address}: {error}").into());
                }
            },
        }
    }
    Ok(())
}

/// Sends `message` and returns the answer, which has the same length.
///
/// Works in pieces and overwrites each with its answer. The operating system keeps what nobody has
/// read yet in a buffer on each side. If this client only wrote, the server's answers would fill
/// the buffers until its `write` had to wait. Then it would stop reading, and our `write` would
/// also have to wait: a deadlock.
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
    // Input that was read ahead stays in stdin's own buffer for the next call.
    match io::stdin().lines().next() {
        Some(Ok(line)) => Ok(Some(line)),
        Some(Err(error)) => Err(format!("cannot read the input: {error}")),
        None => Ok(None),
    }
}
