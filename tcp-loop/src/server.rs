//! Step 2: any number of messages, one client after another.
//!
//! Run `cargo run -p tcp-loop` and, in a second terminal, `cargo run -p tcp-loop -- client`.
//!
//! New: two loops (`run`, `talk`), `handle_client` between them, timeouts, and a log that is safe.
//! Where does a message end? Nowhere: each byte is answered, however the stream is split.
//! Still wrong: the second client waits for the first, and there are no messages, only bytes.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

/// How long one read or write may wait. Meanwhile, the next client is connected but not accepted.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the server on `address` ("HOST:PORT"; port 0 takes any free port).
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    // Asks the operating system for a socket that listens on this address. (The system calls are
    // socket, bind, listen, and, on Unix, setsockopt, so you can restart right away.)
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    log(format!("listening on {}", listener.local_addr()?));
    loop {
        match listener.accept() {
            Ok((stream, peer)) => handle_client(stream, peer),
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
    match talk(stream, peer) {
        Ok(()) => log(format!("{peer} disconnected")),
        Err(error) if is_timeout(&error) => log(format!("{peer} timed out after {TIMEOUT:?}")),
        Err(error) => log(format!("{peer} failed: {error}")),
    }
}

/// Sends back what each read returns, with a to z in uppercase, until end of stream.
fn talk(mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // A read waits for bytes, then takes what has arrived, as much as fits. It may be a part of a
    // message. A count of 0 means end of stream: the client will send no more.
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let message = &mut buffer[..count];
        log(format!("{peer}: {:?}", String::from_utf8_lossy(message)));
        message.make_ascii_uppercase();
        stream.write_all(message)?;
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
