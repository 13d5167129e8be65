//! The server's life in order: bind, accept, a thread to talk, and accept again.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The most callers at once. Each costs a thread and a descriptor, and many systems
/// give a process 1024 descriptors: one caller more hears "busy" and not nothing.
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
/// call that has just ended would keep the port "in use" for a minute.
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
    // Each thread holds a clone until it ends: the clones count the callers.
    let seats = Arc::new(());
    loop {
        match listener.accept() {
            Ok((mut stream, peer)) if Arc::strong_count(&seats) > limit => {
                log(format!("{peer} turned away: {limit} callers already"));
                let _ = stream.write_all(b"busy: too many callers, try again later\n");
            }
            Ok((stream, peer)) => {
                let seat = Arc::clone(&seats);
                let call = move || {
                    attend(stream, peer, idle);
                    drop(seat);
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
/// of the stream. The lines are not logged: with many callers that cost a tenth
/// of the speed.
pub fn talk(mut stream: &TcpStream, idle: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(idle))?;
    stream.set_write_timeout(Some(idle))?;
    stream.set_nodelay(true)?; // or an answer may wait until the one before is confirmed
    stream.write_all(b"welcome\n")?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line, however many reads it takes; no more of it than the limit and "\r\n".
        let mut limited = reader.by_ref().take(LINE_LIMIT as u64 + 2);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(()); // no bytes: the caller has hung up
        }
        let ending = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n"));
        let name = ending.unwrap_or(&line); // the last line may lack its ending
        if name.len() > LINE_LIMIT {
            let reason = format!("line longer than {LINE_LIMIT} bytes");
            return Err(io::Error::other(reason));
        }
        if name == b"exit" {
            return Ok(());
        }
        // One write: in pieces, the answer might leave as several packets.
        if let Err(error) = stream.write_all(&[b"Hello ", name, b"\n"].concat()) {
            let _ = stream.shutdown(Shutdown::Write); // no more words into a cut-off line
            return Err(error);
        }
    }
}

/// Ends the call so that our last words arrive: announces the end (a half-close),
/// then reads what the caller still says, for about LINGER at most. A close with
/// bytes unread resets the connection, and a reset may destroy what is on its way
/// (RFC 1122, 4.2.2.13).
fn hang_up(mut stream: TcpStream) {
    let deadline = Instant::now() + LINGER;
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(LINGER));
    let mut buffer = [0; 8192];
    while Instant::now() < deadline && matches!(stream.read(&mut buffer), Ok(1..)) {}
}

/// Writes one line to stdout. println! would panic when stdout is gone (a closed
/// pipe, a full disk), and a lost log line is no reason to end a call.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
