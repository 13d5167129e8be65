//! The server's life in order: bind, accept, talk.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Takes one call on `address`, then ends.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = bind(address)?;
    serve(&listener)
}

/// Opens a listening socket on `address` ("HOST:PORT"; port 0 takes a free one)
/// and prints where it listens.
///
/// Four system calls in one: socket, setsockopt, bind, listen. On Unix std sets
/// SO_REUSEADDR, so that a server can be started again at once: without it, a
/// call that it ended first would keep the port "in use" for up to a minute.
fn bind(address: &str) -> Result<TcpListener, Box<dyn Error>> {
    let listener = TcpListener::bind(address).map_err(|error| {
        format!(
            "cannot listen on {address}: {error}; \
             to take a free port: cargo run -p tcp-basic -- server 127.0.0.1:0"
        )
    })?;
    log(format!("listening on {}", listener.local_addr()?));
    Ok(listener)
}

/// Waits for one caller and talks to them.
pub fn serve(listener: &TcpListener) -> Result<(), Box<dyn Error>> {
    let (stream, peer) = listener.accept()?;
    log(format!("{peer} connected"));
    talk(stream, peer).map_err(|error| format!("lost {peer}: {error}"))?;
    log(format!("{peer} disconnected"));
    Ok(())
}

/// Reads once, 1024 bytes at most, and answers in capitals (ASCII letters only).
///
/// The call ends when `stream` goes out of scope: dropping it closes it.
pub fn talk(mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer)?;
    if count == 0 {
        return Ok(()); // no bytes: the caller has hung up
    }
    let words = &mut buffer[..count];
    // {:?} shows control characters escaped: a terminal would obey them.
    log(format!("{peer}: {:?}", String::from_utf8_lossy(words)));
    words.make_ascii_uppercase();
    stream.write_all(words)
}

/// Writes one line to stdout. println! would panic when stdout is gone (a closed
/// pipe, a full disk), and a lost log line is no reason to end a call.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
