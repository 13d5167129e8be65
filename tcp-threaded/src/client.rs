//! The client's life in order: connect, the greeting, then line and answer in turns.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Hearing nothing for so long once connected, the client hangs up.
const PATIENCE: Duration = Duration::from_secs(10);

/// No answer is as long, in bytes: room for "Hello " and the longest name (1024).
const ANSWER_LIMIT: u64 = 2048;

/// Calls the server at `address`, says each line of the input, prints the answers;
/// `exit` or the end of the input ends the call.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::new(connect(address)?);
    let greeting = hear(&mut stream).map_err(|error| lost(address, error))?;
    show(&greeting)?;
    while let Some(line) = next_line()? {
        if line == "exit" {
            break; // hanging up says the same
        }
        let answer = talk(&mut stream, &line).map_err(|error| lost(address, error))?;
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
             start the server first: cargo run -p tcp-threaded"
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

/// Sends `message` as a line and reads the answer, a line too. (get_mut gives the stream
/// inside the reader.)
fn talk(stream: &mut BufReader<TcpStream>, message: &str) -> io::Result<Vec<u8>> {
    let sent = stream
        .get_mut()
        .write_all(format!("{message}\n").as_bytes());
    let answer = hear(stream)?; // even if not all was sent: a server that hangs up says why
    sent?;
    Ok(answer)
}

/// Reads a line from the server; a refusal ("error: ..." or "busy: ...") is an error.
fn hear(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(ANSWER_LIMIT).read_until(b'\n', &mut line)?;
    if line.len() as u64 == ANSWER_LIMIT {
        let reason = format!("an answer of {ANSWER_LIMIT} bytes or more");
        return Err(io::Error::other(reason));
    }
    if line.pop() != Some(b'\n') {
        return Err(ErrorKind::UnexpectedEof.into()); // cut off: the server has hung up
    }
    if line.starts_with(b"error: ") || line.starts_with(b"busy: ") {
        let refusal = format!("it says {:?}", String::from_utf8_lossy(&line));
        return Err(io::Error::other(refusal));
    }
    Ok(line)
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
