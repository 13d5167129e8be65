//! The client: connect, write, read.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running? (cargo run -p tcp-basic)";

/// Sends `message` to the server at `address` ("HOST:PORT") and prints the answer.
pub fn run(address: &str, message: &str) -> Result<(), Box<dyn Error>> {
    if message.is_empty() {
        return Err("an empty message sends no bytes, so no answer would come".into());
    }
    // Makes the system calls socket and connect. A host name may have several addresses; std tries
    // them until one accepts.
    let mut stream = TcpStream::connect(address)
        .map_err(|error| format!("cannot reach {address}: {error}; {HINT}"))?;
    stream.write_all(message.as_bytes()).map_err(|error| format!("{address}: {error}"))?;

    // One read, as in the server: the rest of a longer answer would be missing.
    let mut buffer = [0; 1024];
    match stream.read(&mut buffer).map_err(|error| format!("{address}: {error}"))? {
        0 => return Err(format!("{address} closed the connection without an answer").into()),
        count => println!("server: {:?}", String::from_utf8_lossy(&buffer[..count])),
    }
    Ok(())
}
