//! The client's life in order: open the file, connect, agree, send, and hear the outcome.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Hearing nothing for so long once connected, the client hangs up: a slow disk may take
/// a minute or two to store 1 GiB. (A write that has sent a part before it is stuck gets
/// this time twice: write_all tries to send the rest.)
const PATIENCE: Duration = Duration::from_secs(150);

/// No answer is as long, in bytes.
const ANSWER_LIMIT: u64 = 2048;

/// How many bytes are sent at once.
const BUFFER_SIZE: usize = 256 * 1024;

/// Uploads the file at `path` under its own name to the server at `address`.
pub fn run(path: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let (file, size, name) = open(path).map_err(|error| format!("cannot send {path}: {error}"))?;
    let mut stream = BufReader::new(connect(address)?);
    let begin = Instant::now();
    let answer = talk(&mut stream, file, size, &name).map_err(|error| lost(address, error))?;
    let seconds = begin.elapsed().as_secs_f64();
    let speed = size as f64 / 1e6 / seconds;
    show(&answer)?;
    writeln!(
        io::stdout(),
        "sent {size} bytes in {seconds:.3} s, {speed:.1} MB/s"
    )
    .map_err(|error| format!("cannot print the speed: {error}").into())
}

/// The file at `path`, its size in bytes, and its name without the path.
fn open(path: &str) -> io::Result<(File, u64, String)> {
    let path = Path::new(path);
    let metadata = fs::metadata(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if name.contains('\n') {
        return Err(io::Error::other(
            "its name has two lines, and the header only one",
        ));
    }
    Ok((File::open(path)?, metadata.len(), name.into_owned()))
}

/// Opens a connection to `address` ("HOST:PORT"): the system calls socket and
/// connect, for each address that a name has until one accepts. If nobody answers
/// at all, the system gives up, after 20 seconds (Windows) to two minutes (Linux).
pub fn connect(address: &str) -> Result<TcpStream, Box<dyn Error>> {
    let stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!(
            "cannot reach {address}: Connection refused; \
             start the server first: cargo run -p file-upload"
        ),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The whole conversation: greeting, header, ok, bytes, ok.
fn talk(
    stream: &mut BufReader<TcpStream>,
    file: File,
    size: u64,
    name: &str,
) -> io::Result<Vec<u8>> {
    hear(stream, b"")?; // any greeting will do
    let header = format!("{size} {name}\n");
    stream.get_mut().write_all(header.as_bytes())?; // get_mut: the stream in the reader
    hear(stream, b"ok")?;
    let sent = send(stream.get_mut(), file, size)?;
    let answer = hear(stream, b"ok")?;
    if sent < size {
        return Err(io::Error::other("it says ok before it can have the file"));
    }
    Ok(answer)
}

/// Sends `size` bytes of `file` and returns how many went off: fewer if the server
/// hangs up or speaks before the end. Then it has a reason, and `hear` is next.
fn send(stream: &mut TcpStream, mut file: File, size: u64) -> io::Result<u64> {
    let begin = Instant::now();
    let mut buffer = vec![0; BUFFER_SIZE];
    let mut sent = 0;
    let mut spoken = false;
    while sent < size && !spoken {
        let most = buffer.len().min((size - sent) as usize);
        let count = file.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::other(
                "the file became shorter while it was sent",
            ));
        }
        match stream.write_all(&buffer[..count]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(error),
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(error),
            Err(_) => break, // it has hung up: `hear` fetches its reason
            Ok(()) => {}
        }
        sent += count as u64;
        let speed = sent as f64 / 1e6 / begin.elapsed().as_secs_f64();
        show_progress(&format!("{} %, {speed:.1} MB/s", sent * 100 / size));
        // Does anything lie there to be read? peek looks and does not take it away.
        stream.set_nonblocking(true)?; // and does not wait
        spoken = sent < size && stream.peek(&mut [0]).is_ok();
        stream.set_nonblocking(false)?;
    }
    show_progress("");
    Ok(sent)
}

/// Shows a person at a terminal how far the upload is. \r goes back to the line's
/// beginning, so that the next text overwrites this one.
fn show_progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r{text:30}\r");
    }
}

/// Reads a line from the server. A refusal ("error: ..." or "busy: ...") is an error, and
/// so is a line that does not begin with `wanted`.
fn hear(stream: &mut BufReader<TcpStream>, wanted: &[u8]) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(ANSWER_LIMIT).read_until(b'\n', &mut line)?;
    if line.len() as u64 == ANSWER_LIMIT {
        let reason = format!("an answer of {ANSWER_LIMIT} bytes or more");
        return Err(io::Error::other(reason));
    }
    if line.pop() != Some(b'\n') {
        return Err(ErrorKind::UnexpectedEof.into()); // cut off: the server has hung up
    }
    let refused = line.starts_with(b"error: ") || line.starts_with(b"busy: ");
    if refused || !line.starts_with(wanted) {
        let refusal = format!("it says {:?}", String::from_utf8_lossy(&line));
        return Err(io::Error::other(refusal));
    }
    Ok(line)
}

/// Says in words how the call to `address` failed.
fn lost(address: &str, error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => format!("{address} hung up"),
        // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("no answer from {address} within {PATIENCE:?}")
        }
        _ => format!("{address}: {error}"),
    }
}

/// Prints an answer; {:?} shows control characters escaped: a terminal would obey them.
fn show(answer: &[u8]) -> Result<(), Box<dyn Error>> {
    writeln!(
        io::stdout(),
        "server: {:?}",
        String::from_utf8_lossy(answer)
    )
    .map_err(|error| format!("cannot print the answer: {error}").into())
}
