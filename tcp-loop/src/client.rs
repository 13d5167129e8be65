//! The client's life in order: connect, then line and answer in turns.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Who hears nothing for so long hangs up. Longer than the minute for which a silent
/// caller can keep the server: that caller may be before us.
const PATIENCE: Duration = Duration::from_secs(90);

/// The bytes on their way at once, at most: what the server reads at once.
const CHUNK: usize = 1024;

/// Calls the server at `address`, says each line of the input, prints the answers;
/// `q` or the end of the input ends the call.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = connect(address)?;
    while let Some(line) = next_line()? {
        match line.trim() {
            "" => continue, // it would send no bytes, so no answer would come
            "q" => break,
            _ => {}
        }
        let answer = talk(&mut stream, line.as_bytes()).map_err(|error| lost(address, error))?;
        show(&answer)?;
    }
    Ok(())
}

/// Opens a connection to `address` ("HOST:PORT"): the system calls socket and
/// connect, for each address that a name has until one answers.
fn connect(address: &str) -> Result<TcpStream, Box<dyn Error>> {
    let stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!(
            "cannot reach {address}: Connection refused; \
             start the server first: cargo run -p tcp-loop"
        ),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The next line of the input without its line ending; None at its end. A person
/// at a terminal is shown a prompt.
fn next_line() -> Result<Option<String>, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let _ = write!(io::stderr(), "> ");
    }
    let line = io::stdin().lines().next().transpose();
    line.map_err(|error| format!("cannot read the input: {error}").into())
}

/// Sends `message` and reads the answer: as many bytes as were sent.
///
/// In turns of CHUNK bytes. Were all of a long message written first, its answers
/// would pile up until both sides sat in `write`, each waiting for the other to read.
fn talk(stream: &mut TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let mut answer = message.to_vec();
    for chunk in answer.chunks_mut(CHUNK) {
        stream.write_all(chunk)?;
        stream.read_exact(chunk)?;
    }
    Ok(answer)
}

/// Says in words how the call to `address` failed.
fn lost(address: &str, error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => format!("{address} hung up"),
        // So a time limit that has passed is called: Unix, Windows.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("no answer from {address} within {PATIENCE:?}")
        }
        _ => format!("lost {address}: {error}"),
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
