//! The client: send a datagram, wait for its echo, again and again.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// How long to wait for an echo. If it or the datagram is lost, usually nothing reports that, so
/// without a timeout, this client would wait forever.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Sends the lines of the input to `address` ("HOST:PORT") and prints the echoes, until `q` or
/// the end of the input. Fails at the end if an echo was missing.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = connect(address).map_err(|error| format!("cannot reach {address}: {error}"))?;
    let mut lost = 0;
    while let Some(line) = next_line()? {
        if line == "q" {
            break;
        }
        match echo(&socket, line.as_bytes()) {
            Ok(()) => println!("server: {line:?}"),
            Err(error) => {
                lost += 1;
                println!("lost: {}", describe(error));
            }
        }
    }
    if lost > 0 {
        return Err(format!("lines without an echo from {address}: {lost}").into());
    }
    Ok(())
}

/// Returns a socket that sends only to `address` and receives only from it.
fn connect(address: &str) -> io::Result<UdpSocket> {
    // A client needs its own port to receive the echoes. Port 0 takes any free port, and the zeros
    // before it stand for any address of this computer: IPv4 or, if that fails, IPv6.
    // (TcpStream::connect does all this by itself.)
    connect_from("0.0.0.0:0", address)
        .or_else(|error| connect_from("[::]:0", address).map_err(|_| error))
}

/// Binds a socket to the address `own` and connects it. connect sends nothing; it tells the
/// operating system where `send` goes and makes it drop what comes from any other address.
fn connect_from(own: &str, address: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(own)?;
    socket.connect(address)?;
    Ok(socket)
}

/// Sends `message` and waits until it comes back, at most TIMEOUT.
fn echo(socket: &UdpSocket, message: &[u8]) -> io::Result<()> {
    socket.send(message)?;
    let deadline = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; 65536];
    while Instant::now() < deadline {
        // What is left of the second. (A timeout of 0 is not allowed.)
        let left = deadline.saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let count = socket.recv(&mut buffer)?;
        if buffer[..count] == *message {
            return Ok(());
        } // otherwise, it is a late echo of an earlier message (unless that was the same)
    }
    Err(ErrorKind::TimedOut.into())
}

/// Says why there was no echo. An expired timeout is WouldBlock on Unix, TimedOut on Windows.
fn describe(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no echo within {TIMEOUT:?}"),
        _ => error.to_string(),
    }
}

/// Returns the next line of the input without its newline, or None at the end.
fn next_line() -> Result<Option<String>, String> {
    if io::stdin().is_terminal() {
        eprint!("> "); // on stderr, because stdout is for the answers
    }
    // Input that was read ahead stays in stdin's own buffer for the next call.
    match io::stdin().lines().next() {
        Some(Ok(line)) => Ok(Some(line)),
        Some(Err(error)) => Err(format!("cannot read the input: {error}")),
        None => Ok(None),
    }
}
