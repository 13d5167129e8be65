//! The client's life in order: connect, then line and answer in turns.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Hearing nothing for so long once connected, the client hangs up. A silent caller who
/// came before us can keep the server for 60 s, so this is longer. (With two of them
/// before us, we give up.)
const PATIENCE: Duration = Duration::from_secs(90);

/// How many bytes are sent before their answer is read. Any number would do that fits
/// the system's buffers (they hold some ten thousand bytes and more).
const CHUNK: usize = 1024;

/// Calls the server at `address`, says each line of the input, prints the answers;
/// `q` or the end of the input ends the call.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = connect(address)?;
    while let Some(line) = next_line()? {
        match line.trim() {
            "" => continue, // blank: nothing to say, and to no bytes comes no answer
            "q" => break,
            _ => {}
        }
        let answer = talk(&mut stream, line.as_bytes()).map_err(|error| lost(address, error))?;
        show(&answer)?;
    }
    Ok(())
}

/// Opens a connection to `address` ("HOST:PORT"): the system calls socket and
/// connect, for each address that a name has until one accepts. If nobody answers
/// at all, the system gives up, after 20 seconds (Windows) to two minutes (Linux).
pub fn connect(address: &str) -> Result<TcpStream, Box<dyn Error>> {
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
/// at a terminal is shown a prompt, on stderr: stdout is for the answers.
fn next_line() -> Result<Option<String>, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let _ = write!(io::stderr(), "> ");
    }
    let line = io::stdin().lines().next().transpose(); // a Result around the Option
    line.map_err(|error| format!("cannot read the input: {error}").into())
}

/// Sends `message` and reads the answer: as many bytes as were sent. (read_exact reads
/// until it has them all, and fails with UnexpectedEof if the server hangs up before.)
///
/// In turns of CHUNK bytes, each overwritten by its answer. Were all of a long message
/// written first, its answers would pile up until both sides sat in `write`, each
/// waiting for the other to read.
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
