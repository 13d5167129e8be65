//! The server: bind, then serve one client after another.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long one read or write may wait for the client. Meanwhile, the next client waits: the
/// operating system has connected it and keeps it in a queue, the backlog, until `accept`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Serves clients on `address` ("HOST:PORT"; port 0 takes a free port), one at a time, forever.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    log(format!("listening on {}", listener.local_addr()?));
    loop {
        match listener.accept() {
            Ok((stream, peer)) => handle_client(stream, peer),
            Err(error) => {
                log(format!("cannot accept: {error}"));
                // With no free file descriptors, accept fails instantly; a pause prevents spinning.
                std::thread::sleep(Duration::from_millis(10));
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

/// Sends back what each read returns, with ASCII letters in uppercase, until end of stream.
pub fn talk(mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(()); // end of stream
        }
        let message = &mut buffer[..count];
        log(format!("{peer}: {:?}", String::from_utf8_lossy(message)));
        message.make_ascii_uppercase();
        stream.write_all(message)?;
    }
}

/// Returns whether a timeout expired: WouldBlock on Unix, TimedOut on Windows.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Writes a line to stdout. println! would panic if that failed (a closed pipe, a full disk), but a
/// lost log line must not end the server.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
