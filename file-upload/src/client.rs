//! The client: connect, send a header, then the file, and read the result.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;

const HINT: &str = "is the server running? (cargo run -p file-upload)";

/// The longest answer in bytes: a server must not fill our memory.
const MAX_ANSWER: u64 = 4096;

/// Uploads the file at `path` under its own name to the server at `address` ("HOST:PORT").
pub fn run(path: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let (file, size, name) =
        open(path).map_err(|error| format!("cannot send {path:?}: {error}"))?;
    let stream = TcpStream::connect(address)
        .map_err(|error| format!("cannot reach {address}: {error}; {HINT}"))?;
    let mut reader = BufReader::new(stream);
    read_answer(&mut reader, "welcome")?;
    let header = format!("{size} {name}\n");
    let _ = reader.get_mut().write_all(header.as_bytes()); // if it fails, the next read says why
    read_answer(&mut reader, "ok")?;
    let sent = send(reader.get_mut(), file, size)
        .map_err(|error| format!("cannot read {path:?}: {error}"))?;
    // Sends the end of the stream, so if the file has shrunk, the server does not have to wait.
    let _ = reader.get_mut().shutdown(Shutdown::Write);
    // Reads the answer even if not everything was sent, because it gives the reason.
    let answer = read_answer(&mut reader, "ok")?;
    if !sent {
        return Err(format!("the server answered {answer:?} before all was sent").into());
    }
    println!("server: {answer:?}");
    Ok(())
}

/// Opens the file at `path`. Returns it, its size in bytes and its name without the path.
fn open(path: &str) -> io::Result<(File, u64, String)> {
    let name = Path::new(path).file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let metadata = fs::metadata(path)?; // checked first, because opening a pipe may wait forever
    if !metadata.is_file() || name.contains('\n') {
        let reason = "it must be a regular file, without a newline in its name";
        return Err(io::Error::other(reason));
    }
    Ok((File::open(path)?, metadata.len(), name))
}

/// Sends `size` bytes of `file` and shows progress on a terminal. Returns whether all were sent:
/// the file may have become shorter, or the server may have closed the connection. An error comes
/// from the file.
fn send(stream: &mut TcpStream, file: File, size: u64) -> io::Result<bool> {
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
fn read_answer(
    reader: &mut BufReader<TcpStream>,
    expected: &str,
) -> Result<String, Box<dyn Error>> {
    let mut line = String::new();
    let result = reader.take(MAX_ANSWER).read_line(&mut line);
    result.map_err(|error| format!("cannot read from the server: {error}"))?;
    let Some(answer) = line.strip_suffix('\n') else {
        return Err("the server closed the connection, or sent a huge line".into());
    };
    if !answer.starts_with(expected) {
        return Err(format!("the server answered {answer:?}").into());
    }
    Ok(answer.to_string())
}
