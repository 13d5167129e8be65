//! The server's life in order: bind, accept, a thread to receive a file, and accept again.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The most callers at once. Each costs a thread and a descriptor, and two more for their
/// file and its directory. Where a process has only 1024, it may run out of them before
/// this limit; then a caller hears so before sending, or waits to be accepted.
const CALLER_LIMIT: usize = 1000;

/// The longest header line in bytes: room for a size, the longest name, and then some.
const LINE_LIMIT: u64 = 512;

/// The longest name in bytes. File systems take 255, and our temporary name adds some 50.
const NAME_LIMIT: usize = 200;

/// The largest file in bytes: 1 GiB.
const SIZE_LIMIT: u64 = 1 << 30;

/// How many bytes are written to the file at once.
const BUFFER_SIZE: usize = 256 * 1024;

/// A caller who sends nothing for so long is let go: programs need no time to think.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// How long a caller may still talk while we hang up.
const LINGER: Duration = Duration::from_secs(1);

/// The pause after a failed accept. When the process is out of descriptors, say, the
/// next accept fails at once too: without a pause, trying would eat a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes files on `address` into `directory` (made when missing), until the process
/// is ended.
pub fn run(address: &str, directory: &str) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory).map_err(|error| format!("cannot make {directory}: {error}"))?;
    let listener = bind(address)?;
    serve(&listener, Path::new(directory), CALLER_LIMIT, IDLE_LIMIT)
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
             to take a free port: cargo run -p file-upload -- server 127.0.0.1:0"
        )
    })?;
    log(format!("listening on {}", listener.local_addr()?));
    Ok(listener)
}

/// Takes every caller into a thread of their own, `limit` at once at most, for ever.
/// `idle` is the time limit on every read and write.
pub fn serve(listener: &TcpListener, directory: &Path, limit: usize, idle: Duration) -> ! {
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
                let directory = directory.to_owned();
                let call = move || {
                    attend(stream, peer, &directory, idle);
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
pub fn attend(mut stream: TcpStream, peer: SocketAddr, directory: &Path, idle: Duration) {
    log(format!("{peer} connected"));
    if let Err(error) = talk(&stream, peer, directory, idle) {
        let reason = match error.kind() {
            // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no sign of life for {idle:?}"),
            ErrorKind::AlreadyExists => "there is a file of that name already".to_string(),
            _ => error.to_string(),
        };
        log(format!("{peer}: error: {reason}"));
        let _ = stream.write_all(format!("error: {reason}\n").as_bytes());
    }
    hang_up(stream);
    log(format!("{peer} disconnected"));
}

/// Takes one file: a line "SIZE NAME", then SIZE bytes.
///
/// Under NAME nothing ever stands but the whole file. The bytes go to a temporary file
/// beside it, whose name begins with a dot, as no caller's can.
pub fn talk(
    mut stream: &TcpStream,
    peer: SocketAddr,
    directory: &Path,
    idle: Duration,
) -> io::Result<()> {
    stream.set_read_timeout(Some(idle))?;
    stream.set_write_timeout(Some(idle))?;
    stream.write_all(b"welcome: send SIZE NAME, then the file\n")?;
    let mut reader = BufReader::new(stream);
    let (size, name) = read_header(&mut reader)?;
    let path = directory.join(&name);
    // Not exists(): that follows a link, which may lead nowhere.
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // Its sync_all will wait until the disk has the names in the directory. Opened before the
    // first byte comes: later, there might be no descriptor left. (On Windows, File::open
    // opens no directories.)
    let names = if cfg!(unix) {
        Some(File::open(directory)?)
    } else {
        None
    };
    // With the peer's address no two callers have the same; Windows allows no colons.
    let part = directory.join(format!(".{name}.{peer}.part").replace(':', "-"));
    let file = File::create_new(&part)
        .map_err(|error| io::Error::other(format!("no temporary file: {error}")))?;
    log(format!("{peer}: {size} bytes for {name}"));
    // A hard link is a second name for the same file. Unlike rename, it never overwrites.
    let stored = receive(reader, file, size).and_then(|()| fs::hard_link(&part, &path));
    let _ = fs::remove_file(&part);
    stored?;
    if let Some(Err(error)) = names.map(|names| names.sync_all()) {
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    log(format!("{peer}: stored {name}"));
    stream.write_all(format!("ok: stored {name}, {size} bytes\n").as_bytes())
}

/// Reads the line "SIZE NAME" and checks both: they come from a stranger.
fn read_header(reader: &mut BufReader<&TcpStream>) -> io::Result<(u64, String)> {
    let mut line = Vec::new();
    reader.take(LINE_LIMIT + 1).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        let reason = format!("no line SIZE NAME of {LINE_LIMIT} bytes at most");
        return Err(io::Error::other(reason));
    }
    // What is no UTF-8 becomes a character that is no letter, so the name is refused.
    let line = String::from_utf8_lossy(&line);
    let (size, name) = line.split_once(' ').unwrap_or((&line, ""));
    let plain = size.bytes().all(|byte| byte.is_ascii_digit()); // parse takes "+5" too
    let number = size.parse::<u64>().ok();
    let Some(size) = number.filter(|n| plain && *n <= SIZE_LIMIT) else {
        let reason = format!("SIZE must be plain digits, {SIZE_LIMIT} at most");
        return Err(io::Error::other(reason));
    };
    if !is_plain(name) {
        let rule = "letters, digits, space . - _ ( ), not as .x, x. or CON";
        let reason = format!("NAME must be plain: {rule}, {NAME_LIMIT} bytes at most");
        return Err(io::Error::other(reason));
    }
    Ok((size, name.to_string()))
}

/// Whether `name` is a plain file name on every system: no path, no hidden file, no
/// control character, none of Windows' devices (CON, COM1, COM¹ and so on; `nul.jpg` and
/// `nul .jpg` are devices, too).
fn is_plain(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let number = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let device = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
        || number.is_some_and(|n| n.chars().count() == 1 && n.chars().all(char::is_numeric));
    (1..=NAME_LIMIT).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || " .-_()".contains(c))
        && !name.starts_with('.')
        && !name.ends_with(['.', ' '])
        && !device
}

/// Tells the caller to go on, and takes `size` bytes into `file`. What is written may stay
/// in memory for long; sync_all waits until the disk has it.
fn receive(mut reader: BufReader<&TcpStream>, file: File, size: u64) -> io::Result<()> {
    reader
        .get_mut()
        .write_all(format!("ok: send {size} bytes\n").as_bytes())?;
    let mut writer = BufWriter::with_capacity(BUFFER_SIZE, file);
    let count = io::copy(&mut reader.take(size), &mut writer)?;
    if count < size {
        return Err(io::Error::other(format!(
            "only {count} of {size} bytes came"
        )));
    }
    writer.into_inner()?.sync_all() // into_inner writes what is left in the buffer
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
