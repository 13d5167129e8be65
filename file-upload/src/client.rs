//! The client: connect, send a header, then the file, and read the result.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;

const HINT: &str = "is the server running on that address?";

/// The longest answer in bytes, with its newline: a server must not fill our memory.
const MAX_ANSWER: usize = 4096;

/// Uploads the file at `path` under its own name to the server at `address` ("HOST:PORT").
pub fn run(address: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let (file, size, name) =
        open(path).map_err(|error| format!("cannot send {path:?}: {error}"))?;
    let stream = TcpStream::connect(address).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => format!("cannot reach {address}: {error}; {HINT}"),
        _ => format!("cannot reach {address}: {error}"),
    })?;
    let mut writer = &stream;
    let mut reader = BufReader::new(&stream);
    read_answer(&mut reader, address, "welcome")?;
    let _ = writer.write_all(format!("{size} {name}\n").as_bytes()); // the next read tells
    read_answer(&mut reader, address, "ok")?;
    let sent =
        send(writer, file, size).map_err(|error| format!("cannot read {path:?}: {error}"))?;
    // Sends the end of the stream, so if the file has shrunk, the server does not have to wait.
    let _ = stream.shutdown(Shutdown::Write);
    // Reads the answer even if not everything was sent, because it gives the reason.
    let answer = read_answer(&mut reader, address, "ok")?;
    if !sent {
        return Err(format!("the server answered {answer:?} before all was sent").into());
    }
    println!("server: {answer:?}");
    Ok(())
}

/// Opens the file at `path`. Returns it, its size in bytes, and its name without the path.
fn open(path: &str) -> io::Result<(File, u64, String)> {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let metadata = fs::metadata(path)?; // checked first, because opening a pipe may wait forever
    if !metadata.is_file() || name.contains(['\n', '\r']) {
        return Err(io::Error::other("it must be a regular file, with no line break in its name"));
    }
    Ok((File::open(path)?, metadata.len(), name))
}

/// Sends `size` bytes of `file` and shows progress on a terminal. Returns whether all were sent:
/// the file may have become shorter, or the server may have closed the connection. An error comes
/// from the file.
fn send(mut stream: &TcpStream, file: File, size: u64) -> io::Result<bool> {
    let mut buffer = vec![0; 256 * 1024];
    let mut file = file.take(size);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 || stream.write_all(&buffer[..count]).is_err() {
            return Ok(count == 0 && file.limit() == 0);
        }
        if io::stderr().is_terminal() {
            eprint!("\r{} % \r", (size - file.limit()) * 100 / size); // \r: back to the margin
        }
    }
}

/// Reads a line from the server. A line that does not begin with `expected` is an error.
fn read_answer(reader: &mut impl BufRead, address: &str, expected: &str) -> Result<String, String> {
    let mut line = Vec::new();
    let result = reader.take(MAX_ANSWER as u64).read_until(b'\n', &mut line);
    result.map_err(|error| format!("lost the connection to {address}: {error}"))?;
    if line.len() == MAX_ANSWER && !line.ends_with(b"\n") {
        return Err(format!("{address} sent a line of more than {MAX_ANSWER} bytes"));
    }
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err(format!("{address} closed the connection"));
    };
    let answer = String::from_utf8_lossy(line);
    if !answer.starts_with(expected) {
        return Err(format!("the server answered {answer:?}"));
    }
    Ok(answer.to_string())
}
