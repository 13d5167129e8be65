//! The server's life in order: bind, accept, talk, and accept again.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A caller who says nothing for so long, or does not read the answers, is let go.
/// It is time enough to think, and the next caller is waiting.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// The pause after a failed accept. When the process is out of descriptors, say, the
/// next accept fails at once too: without a pause, trying would eat a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes one call after the other on `address`, until the process is ended.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = bind(address)?;
    serve(&listener, IDLE_LIMIT)
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
             to take a free port: cargo run -p tcp-loop -- server 127.0.0.1:0"
        )
    })?;
    log(format!("listening on {}", listener.local_addr()?));
    Ok(listener)
}

/// Takes one caller after the other, for ever (`!` is the type of what never returns, and
/// fits wherever a result is wanted).
/// The next callers wait in the listener's backlog: the system connects and queues
/// them. `idle` is the time limit on every read and write.
pub fn serve(listener: &TcpListener, idle: Duration) -> ! {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => attend(stream, peer, idle),
            Err(error) => {
                log(format!("cannot accept a caller: {error}"));
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// One call from beginning to end. What goes wrong in it ends this call alone.
pub fn attend(stream: TcpStream, peer: SocketAddr, idle: Duration) {
    log(format!("{peer} connected"));
    if let Err(error) = talk(stream, peer, idle) {
        let reason = match error.kind() {
            // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no sign of life for {idle:?}"),
            _ => error.to_string(),
        };
        log(format!("{peer}: error: {reason}"));
    }
    log(format!("{peer} disconnected"));
}

/// Answers in capitals (ASCII letters only), read by read, until the caller hangs up.
///
/// The call ends when `stream` goes out of scope: dropping it closes it.
pub fn talk(mut stream: TcpStream, peer: SocketAddr, idle: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(idle))?;
    stream.set_write_timeout(Some(idle))?;
    let mut buffer = [0; 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            // On Linux, Ctrl-Z and fg cut short a read that has a time limit. (write_all
            // goes on by itself.)
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?, // any other error, or the count
        };
        if count == 0 {
            return Ok(()); // no bytes: the caller has hung up
        }
        let words = &mut buffer[..count];
        // {:?} shows control characters escaped: a terminal would obey them.
        log(format!("{peer}: {:?}", String::from_utf8_lossy(words)));
        words.make_ascii_uppercase();
        stream.write_all(words)?;
    }
}

/// Writes one line to stdout. println! would panic when stdout is gone (a closed
/// pipe, a full disk), and a lost log line is no reason to end a call.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
