//! The server's life in order: bind, accept, a thread to talk, and accept again.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The most callers at once. Each costs a thread and a descriptor, and many systems
/// give a process 1024 descriptors: one caller more hears "busy" and not nothing. (With
/// fewer descriptors, those who are too many wait unanswered; macOS hangs up on them.)
const CALLER_LIMIT: usize = 1000;

/// The longest line in bytes, its ending apart. Without a limit, who never sends a
/// newline could fill our memory.
const LINE_LIMIT: usize = 1024;

/// A caller who says nothing for so long, or does not read the answers, is let go.
/// It is time enough to think, and a silent caller keeps a thread from another.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// How long a caller may still talk while we hang up.
const LINGER: Duration = Duration::from_secs(1);

/// The pause after a failed accept. When the process is out of descriptors, say, the
/// next accept fails at once too: without a pause, trying would eat a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Talks to all callers on `address`, until the process is ended.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = bind(address)?;
    serve(&listener, CALLER_LIMIT, IDLE_LIMIT)
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
             to take a free port: cargo run -p tcp-threaded -- server 127.0.0.1:0"
        )
    })?;
    log(format!("listening on {}", listener.local_addr()?));
    Ok(listener)
}

/// Takes every caller into a thread of their own, `limit` at once at most, for ever.
/// `idle` is the time limit on every read and write.
pub fn serve(listener: &TcpListener, limit: usize, idle: Duration) -> ! {
    // An Arc counts its clones, and each call holds one until it ends: the Arc itself and
    // a clone for each caller make callers + 1.
    let seats = Arc::new(());
    loop {
        match listener.accept() {
            Ok((mut stream, peer)) if Arc::strong_count(&seats) > limit => {
                // No hang_up: it would keep the next caller waiting.
                log(format!("{peer} turned away: limit of {limit} callers"));
                let _ = stream.write_all(b"busy: too many callers, try again later\n");
            }
            Ok((stream, peer)) => {
                let seat = Arc::clone(&seats);
                let call = move || {
                    attend(stream, peer, idle);
                    drop(seat); // named here so that `move` takes it into the thread
                };
                // Not thread::spawn: it panics when the system refuses a thread.
                if let Err(error) = thread::Builder::new().spawn(call) {
                    log(format!("{peer} turned away: no thread: {error}"));
                }
            }
            Err(error) => {
                log(format!("cannot accept a caller: {error}"));
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// One call from beginning to end. What goes wrong in it ends this call alone.
pub fn attend(mut stream: TcpStream, peer: SocketAddr, idle: Duration) {
    log(format!("{peer} connected"));
    if let Err(error) = talk(&stream, idle) {
        let reason = match error.kind() {
            // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no sign of life for {idle:?}"),
            _ => error.to_string(),
        };
        log(format!("{peer}: error: {reason}"));
        let _ = stream.write_all(format!("error: {reason}\n").as_bytes());
    }
    hang_up(stream);
    log(format!("{peer} disconnected"));
}

/// Greets, then answers each line NAME with "Hello NAME", until `exit` or the end
/// of the stream. The lines are not logged: that would cost a tenth of the speed and
/// more (on a terminal, most of it).
pub fn talk(mut stream: &TcpStream, idle: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(idle))?;
    stream.set_write_timeout(Some(idle))?;
    // Several lines may come at once. Without this, the system would keep the second answer
    // until the first is acknowledged (Nagle's algorithm).
    stream.set_nodelay(true)?;
    stream.write_all(b"welcome\n")?;
    // One stream to read and to write: std lets a shared &TcpStream do both, as the
    // system keeps order.
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line, however many reads it takes; no more of it than the limit and "\r\n".
        // (by_ref lends the reader; take would keep it.)
        let mut limited = reader.by_ref().take(LINE_LIMIT as u64 + 2);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(()); // no bytes: the caller has hung up
        }
        let without = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n"));
        let name = without.unwrap_or(&line); // the last line may have no ending
        if name.len() > LINE_LIMIT {
            let reason = format!("line longer than {LINE_LIMIT} bytes");
            return Err(io::Error::other(reason));
        }
        if name == b"exit" {
            return Ok(());
        }
        // One write: in pieces, the answer might leave as several packets.
        if let Err(error) = stream.write_all(&[b"Hello ", name, b"\n"].concat()) {
            // The caller has a piece of the answer: no error message may be glued to it.
            let _ = stream.shutdown(Shutdown::Write);
            return Err(error);
        }
    }
}

/// Ends the call, and gives our last words time to arrive: announces the end (a
/// half-close), then reads what the caller still says, for LINGER, twice that at most.
/// A close with bytes unread resets the connection (RFC 9293, 3.6.1), and a reset may
/// destroy what the caller has not read yet (RFC 9112, 9.6: HTTP servers do the same).
fn hang_up(mut stream: TcpStream) {
    let deadline = Instant::now() + LINGER;
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(LINGER));
    // Not an array: on the stack, every caller would pay for it from the start.
    let mut buffer = vec![0; 8192];
    while Instant::now() < deadline {
        match stream.read(&mut buffer) {
            Ok(1..) => {} // a byte or more
            // On Linux, Ctrl-Z and fg cut short a read that has a time limit.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => break,
        }
    }
}

/// Writes one line to stdout. println! would panic when stdout is gone (a closed
/// pipe, a full disk), and a lost log line is no reason to end a call.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
