//! Step 3: many clients at once, and messages with an end.
//!
//! Run `cargo run -p tcp-threaded` and, in other terminals, `cargo run -p tcp-threaded -- client`.
//!
//! New: a thread for each connection (`run`), and lines of limited length as messages (`talk`).
//! Where does a message end? At a newline, a delimiter, however the stream is split into reads.
//! Still wrong: a thread for each client, text only, and a reset after closing with unread bytes.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

/// How long one read or write may wait. A silent client blocks nobody but ties up a thread.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The longest line in bytes, with its newline. Without a limit, one client could fill the memory.
const MAX_LINE: usize = 1024;

/// Runs the server on `address` ("HOST:PORT"; port 0 takes any free port).
/// It does not limit its clients. The operating system does: with the usual 1024 file descriptors,
/// `accept` fails at about 1,000 clients until one leaves.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    // Asks the operating system for a socket that listens on this address. (The system calls are
    // socket, bind, listen, and, on Unix, setsockopt, so you can restart right away.)
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    log(format!("listening on {}", listener.local_addr()?));
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                // A new thread runs handle_client, and `move` gives it `stream` and `peer`. (The
                // shorter thread::spawn panics if the operating system refuses a thread.)
                let started = thread::Builder::new().spawn(move || handle_client(stream, peer));
                if let Err(error) = started {
                    log(format!("{peer} refused: no thread: {error}"));
                }
            }
            Err(error) => {
                log(format!("cannot accept: {error}"));
                // Without file descriptors, accept fails at once. The pause spares the processor.
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Handles one connection from start to finish. An error ends only this connection.
pub fn handle_client(stream: TcpStream, peer: SocketAddr) {
    log(format!("{peer} connected"));
    match talk(stream) {
        Ok(()) => log(format!("{peer} disconnected")),
        Err(error) if is_timeout(&error) => log(format!("{peer} timed out after {TIMEOUT:?}")),
        Err(error) => log(format!("{peer} failed: {error}")),
    }
}

/// Sends a greeting, then answers each line NAME with "Hello NAME", until `exit` or end of stream.
/// (Lines are not logged: that would cost from a tenth to more than half of the speed.)
pub fn talk(stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // Sends small answers at once. (Nagle's algorithm might wait for an acknowledgment.)
    stream.set_nodelay(true)?;
    // The socket itself is in the operating system, so a `&TcpStream` can be read and written.
    let mut writer = &stream;
    // A read may return half a line, or three. The reader keeps the rest for the next line.
    let mut reader = BufReader::new(&stream);
    writer.write_all(b"welcome\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        // `take` ends after MAX_LINE bytes. Without `by_ref`, it would keep the reader for itself.
        let mut limited = reader.by_ref().take(MAX_LINE as u64);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(()); // end of stream
        }
        if line.len() == MAX_LINE && !line.ends_with(b"\n") {
            reader.skip_until(b'\n')?; // the rest of the line, without keeping it
            writer.write_all(b"error: line too long\n")?;
            continue;
        }
        // Without the newline (\n, or \r\n from telnet) and any spaces before it.
        let name = String::from_utf8_lossy(line.trim_ascii_end());
        if name == "exit" {
            return Ok(());
        }
        let answer = format!("Hello {name}\n");
        writer.write_all(answer.as_bytes())?;
    }
}

/// Whether a timeout expired (WouldBlock; TimedOut on Windows) or TCP gave up on a vanished peer.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Prints a line. Unlike println!, it does not panic if stdout is closed or full.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
