//! The server: bind, then serve every client in a thread of its own.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// How long one read or write may wait for the client. A silent client no longer blocks the
/// others, but it ties up a thread.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The longest line in bytes, with its newline. Without a limit, a client that never sends a
/// newline could use up all memory.
const MAX_LINE: usize = 1024;

/// Serves clients on `address` ("HOST:PORT"; port 0 takes a free port), all at once, forever.
/// There is no limit on clients: enough of them use up what the operating system has for threads
/// (on Linux, memory mappings first), and that ends the server. Step 5 has a limit.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    log(format!("listening on {}", listener.local_addr()?));
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                // Runs handle_client in a new thread while this loop accepts the next client.
                // `move` gives it `stream` and a copy of `peer`. (The shorter thread::spawn panics
                // if the operating system refuses a thread.)
                let started = thread::Builder::new().spawn(move || handle_client(stream, peer));
                if let Err(error) = started {
                    log(format!("{peer} refused: no thread: {error}"));
                }
            }
            Err(error) => {
                log(format!("cannot accept: {error}"));
                // With no free file descriptors, accept fails instantly; a pause prevents spinning.
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

/// Sends a greeting, then answers each line NAME with "Hello NAME", until `exit` or end of
/// stream. The last line may lack its newline. (Lines are not logged, because that would cost a
/// third of the speed.)
pub fn talk(stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // Sends a small answer immediately, even if the client has not acknowledged the last one yet.
    // (Otherwise, Nagle's algorithm in TCP may hold it back.)
    stream.set_nodelay(true)?;
    // A read may return half a line, or three. The reader keeps what is left for the next call.
    // Reads go through its buffer; writes go directly to the stream inside (get_mut).
    let mut reader = BufReader::new(stream);
    reader.get_mut().write_all(b"welcome\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        // `take` makes a reader that ends after MAX_LINE bytes. It would keep our reader, which is
        // needed again: `by_ref` only lends it.
        let mut limited = reader.by_ref().take(MAX_LINE as u64);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(()); // end of stream
        }
        if line.len() == MAX_LINE && !line.ends_with(b"\n") {
            reader.skip_until(b'\n')?; // the rest of the line, without keeping it
            reader.get_mut().write_all(b"error: line too long\n")?;
            continue;
        }
        // Without the newline (\n, or \r\n from telnet) and any spaces before it.
        let name = String::from_utf8_lossy(line.trim_ascii_end());
        if name == "exit" {
            return Ok(());
        }
        let answer = format!("Hello {name}\n");
        reader.get_mut().write_all(answer.as_bytes())?;
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
