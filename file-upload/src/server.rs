//! The server: bind, then let a fixed number of threads receive files.

use std::error::Error;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::{self, Upload};

/// How many clients are served at once. Each needs a thread and three file descriptors
/// (connection, file, directory), and macOS gives a process 256 of them.
const THREADS: usize = 64;

/// How long one read or write may wait for the client, a program that does not have to think.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest header in bytes: enough for the size, the longest name and the newline.
const MAX_HEADER: u64 = 512;

/// The largest file in bytes: 1 GiB, lest a single upload fill the disk.
const MAX_SIZE: u64 = 1 << 30;

/// Receives files on `address` ("HOST:PORT"; port 0 takes a free port), forever. Creates
/// `directory`, where the files go, if it is missing.
pub fn run(address: &str, directory: &str) -> Result<(), Box<dyn Error>> {
    let path = Path::new(directory);
    store::prepare(path).map_err(|error| format!("cannot use {directory:?}: {error}"))?;
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
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
    Err("no thread could be started".into()) // because `serve` does not return
}

/// Serves one client after another, forever. (The type `!` means that it never returns.)
fn serve(listener: &TcpListener, directory: &Path) -> ! {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => handle_client(stream, peer, directory),
            Err(error) => {
                log(format!("cannot accept: {error}"));
                thread::sleep(Duration::from_secs(1)); // longer, because 64 threads log this
            }
        }
    }
}

/// Handles one connection from start to finish. An error ends only this connection, and the client
/// is told the reason.
pub fn handle_client(stream: TcpStream, peer: SocketAddr, directory: &Path) {
    log(format!("{peer} connected"));
    let mut reader = BufReader::new(stream);
    let answer = match talk(&mut reader, peer, directory) {
        Ok(name) => format!("ok: stored {name}"),
        Err(error) if is_timeout(&error) => format!("error: timed out after {TIMEOUT:?}"),
        Err(error) => format!("error: {error}"),
    };
    log(format!("{peer} {answer}"));
    let _ = reader.get_mut().write_all(format!("{answer}\n").as_bytes());
    close_gracefully(reader.into_inner());
    log(format!("{peer} disconnected"));
}

/// Receives one file: a line "SIZE NAME", then SIZE bytes. Returns its name.
fn talk(
    reader: &mut BufReader<TcpStream>,
    peer: SocketAddr,
    directory: &Path,
) -> io::Result<String> {
    let stream = reader.get_mut();
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"welcome: send SIZE NAME, then the file\n")?;
    let (size, name) = read_header(reader)?;
    let upload = Upload::create(directory, &name, &peer.to_string())?;
    let answer = format!("ok: send {size} bytes\n");
    reader.get_mut().write_all(answer.as_bytes())?;
    // Writes in large pieces. By itself, io::copy would write 8 KiB at a time. (A `&File` can be
    // written to as well, and a borrowed reader needs no `by_ref` before `take`.)
    let mut file = BufWriter::with_capacity(256 * 1024, &upload.file);
    let count = io::copy(&mut reader.take(size), &mut file)?;
    file.flush()?; // writes what is left in the buffer
    if count < size {
        let reason = format!("only {count} of {size} bytes arrived");
        return Err(io::Error::other(reason));
    }
    upload.publish()?;
    Ok(name)
} // `upload` is dropped here and after every `?`, which removes its temporary file

/// Reads the line "SIZE NAME" and checks it, because anyone may have sent it. (`Upload::create`
/// checks the name.)
fn read_header(reader: &mut BufReader<TcpStream>) -> io::Result<(u64, String)> {
    let mut line = String::new();
    reader.take(MAX_HEADER).read_line(&mut line)?;
    let header = line.strip_suffix('\n').and_then(|line| line.split_once(' '));
    let Some((size, name)) = header else {
        let reason = format!("expected a line SIZE NAME of at most {MAX_HEADER} bytes");
        return Err(io::Error::other(reason));
    };
    let only_digits = size.bytes().all(|byte| byte.is_ascii_digit()); // parse also takes "+5"
    match size.parse::<u64>() {
        Ok(size) if only_digits && size <= MAX_SIZE => Ok((size, name.to_string())),
        _ => {
            let reason = format!("SIZE must be digits only, at most {MAX_SIZE}");
            Err(io::Error::other(reason))
        }
    }
}

/// Closes the connection so that the last answer arrives: sends the end of the stream (a
/// half-close), then reads what the client is still sending, for one or two seconds at most.
///
/// Closing with unread bytes would reset the connection (RFC 9293, section 3.6.1), and a reset
/// may destroy an answer that the client has not read yet.
fn close_gracefully(mut stream: TcpStream) {
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

/// Returns whether a timeout expired: WouldBlock on Unix, TimedOut on Windows.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Writes a line to stdout. println! would panic if that failed (a closed pipe, a full disk), but a
/// lost log line must not end the server.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
