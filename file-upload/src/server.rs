//! Step 5: a file, whole or not at all.
//!
//! Run `cargo run -p file-upload` and, in another terminal, `cargo run -p file-upload -- client`.
//!
//! The protocol, in order:
//! - server: a greeting, `welcome ...`
//! - client: `SIZE NAME`
//! - server: `ok ...`, or `error: REASON` before any of the file is sent
//! - client: SIZE bytes
//! - server: `ok ...` when the whole file is on disk under its name, or `error: REASON`
//!
//! New: a fixed number of threads that all accept (`run`, `serve`), checked input (`read_header`),
//! a graceful close (`close_gracefully`), and, in store.rs, files that appear whole or not at all.
//! Where does a message end? After the number of bytes announced before it, a length prefix.
//! Still wrong: no encryption, no authentication, and 64 slow clients keep everyone else out.

use std::error::Error;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::{self, Upload};

/// How many clients are served at once. Each needs a thread and three file descriptors
/// (connection, file, directory), and macOS gives a process 256 file descriptors.
const THREADS: usize = 64;

/// How long one read or write may wait: shorter than in step 3, because the client is a program,
/// not a person.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest header in bytes: enough for the size, the longest name, and the newline.
const MAX_HEADER: u64 = 512;

/// The largest file in bytes: 1 GiB, so that one upload cannot fill the disk.
const MAX_SIZE: u64 = 1 << 30;

/// Receives files on `address` ("HOST:PORT"; port 0 takes any free port), forever. Creates
/// `directory`, where the files go, if it is missing.
pub fn run(address: &str, directory: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let path = Path::new(directory);
    store::prepare(path).map_err(|error| format!("cannot use {directory:?}: {error}"))?;
    log(format!("listening on {}", listener.local_addr()?));
    // All threads accept from one listener, and further clients wait in its backlog. So clients
    // cannot make this server start threads, open files, or take memory without limit. The scope
    // waits for its threads, so they may borrow `listener` and `path` without `move`.
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let builder = thread::Builder::new();
            if let Err(error) = builder.spawn_scoped(scope, || serve(&listener, path)) {
                log(format!("one fewer thread: {error}"));
            }
        }
    });
    Err("no thread could be started".into()) // else not reached: `serve` never returns
}

/// Serves one client after another, forever. (The type `!` means that it never returns.)
fn serve(listener: &TcpListener, directory: &Path) -> ! {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => handle_client(stream, peer, directory),
            Err(error) => {
                log(format!("cannot accept: {error}"));
                // Longer than in step 3, because 64 threads log this.
                thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

/// Handles one connection from start to finish. An error ends only this connection, and the client
/// is told the reason.
pub fn handle_client(stream: TcpStream, peer: SocketAddr, directory: &Path) {
    log(format!("{peer} connected"));
    let answer = match talk(&stream, peer, directory) {
        Ok(name) => format!("ok: stored {name}"),
        Err(error) if is_timeout(&error) => format!("error: timed out after {TIMEOUT:?}"),
        Err(error) => format!("error: {error}"),
    };
    log(format!("{peer} {answer}"));
    close_gracefully(&stream, &answer);
    log(format!("{peer} disconnected"));
}

/// Receives one file: a line "SIZE NAME", then SIZE bytes. Returns its name.
fn talk(stream: &TcpStream, peer: SocketAddr, directory: &Path) -> io::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut writer = stream;
    let mut reader = BufReader::new(stream);
    writer.write_all(b"welcome: send SIZE NAME, then the file\n")?;
    let (size, name) = read_header(&mut reader)?;
    let upload = Upload::create(directory, &name, &peer.to_string())?;
    writer.write_all(format!("ok: send {size} bytes\n").as_bytes())?;
    // Writes in large pieces. By itself, io::copy would write 8 KiB at a time. (A `&File` can be
    // written to, just like a `&TcpStream`.)
    let mut file = BufWriter::with_capacity(256 * 1024, &upload.file);
    let count = io::copy(&mut reader.take(size), &mut file)?;
    file.flush()?; // writes what is left in the buffer
    if count < size {
        return Err(io::Error::other(format!("only {count} of {size} bytes arrived")));
    }
    upload.publish()?;
    Ok(name)
} // `upload` is dropped here and after every `?`, which removes its temporary file

/// Reads the line "SIZE NAME" and checks SIZE, because anyone may have sent it. (`Upload::create`
/// checks NAME.)
pub fn read_header(reader: &mut impl BufRead) -> io::Result<(u64, String)> {
    let mut line = String::new();
    reader.take(MAX_HEADER).read_line(&mut line)?;
    let header = line.strip_suffix("\r\n").or(line.strip_suffix('\n')); // telnet sends \r\n
    let Some((size, name)) = header.and_then(|header| header.split_once(' ')) else {
        let reason = format!("expected a line SIZE NAME of at most {MAX_HEADER} bytes");
        return Err(io::Error::other(reason));
    };
    let only_digits = size.bytes().all(|byte| byte.is_ascii_digit()); // parse also accepts "+5"
    match size.parse::<u64>() {
        Ok(size) if only_digits && size <= MAX_SIZE => Ok((size, name.to_string())),
        _ => Err(io::Error::other(format!("SIZE must be digits only, at most {MAX_SIZE}"))),
    }
}

/// Sends the last answer and closes so that the answer arrives: sends the end of the stream
/// (a half-close), then reads what the client is still sending, for one or two seconds at most.
///
/// Closing with unread bytes would reset the connection (RFC 9293, section 3.6.1), and a reset
/// may destroy an answer that the client has not read yet.
fn close_gracefully(mut stream: &TcpStream, answer: &str) {
    let _ = stream.write_all(format!("{answer}\n").as_bytes());
    let deadline = Instant::now() + Duration::from_secs(1);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut buffer = [0; 8192];
    while Instant::now() < deadline {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break, // closed, failed, or silent for a second
            Ok(_) => {}              // not needed
        }
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
