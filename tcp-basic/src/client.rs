//! The client's life in order: connect, write, read.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Hearing nothing for so long once connected, the client hangs up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls the server at `address`, says `message`, prints the answer.
pub fn run(address: &str, message: &str) -> Result<(), Box<dyn Error>> {
    if message.is_empty() {
        return Err("an empty message sends no bytes, so no answer would come".into());
    }
    let mut stream = connect(address)?;
    let answer = talk(&mut stream, message.as_bytes()).map_err(|error| lost(address, error))?;
    show(&answer)
}

/// Opens a connection to `address` ("HOST:PORT"): the system calls socket and
/// connect, for each address that a name has until one accepts. If nobody answers
/// at all, the system gives up, after 20 seconds (Windows) to two minutes (Linux).
pub fn connect(address: &str) -> Result<TcpStream, Box<dyn Error>> {
    let stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!(
            "cannot reach {address}: Connection refused; \
             start the server first: cargo run -p tcp-basic"
        ),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends `message` and takes one read, 1024 bytes at most, for the answer.
fn talk(stream: &mut TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(message)?;
    let mut answer = vec![0; 1024];
    let count = stream.read(&mut answer)?;
    if count == 0 {
        return Err(ErrorKind::UnexpectedEof.into()); // no bytes: the server has hung up
    }
    answer.truncate(count);
    Ok(answer)
}

/// Says in words how the call to `address` failed.
fn lost(address: &str, error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => format!("{address} hung up"),
        // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("no answer from {address} within {PATIENCE:?}")
        }
        _ => format!("{address}: {error}"),
    }
}

/// Prints an answer; {:?} shows control characters escaped: a terminal would obey them.
fn show(answer: &[u8]) -> Result<(), Box<dyn Error>> {
    writeln!(
        io::stdout(),
        "server: {:?}",
        String::from_utf8_lossy(answer)
    )
    .map_err(|error| format!("cannot print the answer: {error}").into())
}
