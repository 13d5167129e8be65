//! The client: connect, write, read.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

const HINT: &str = "is the server running on that address?";

/// Sends `message` to the server at `address` ("HOST:PORT") and prints the answer.
pub fn run(address: &str, message: &str) -> Result<(), Box<dyn Error>> {
    // Makes the system calls socket and connect. A host name may have several addresses; std tries
    // them until one accepts.
    let mut stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!("cannot reach {address}: {error}; {HINT}"),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    let lost = |error| format!("lost the connection to {address}: {error}");
    stream.write_all(message.as_bytes()).map_err(lost)?;

    // One read, as in the server: the rest of a longer answer would be missing.
    let mut buffer = [0; 1024];
    match stream.read(&mut buffer).map_err(lost)? {
        0 => return Err(format!("{address} closed the connection without an answer").into()),
        count => println!("server: {:?}", String::from_utf8_lossy(&buffer[..count])),
    }
    Ok(())
}
