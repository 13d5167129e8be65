//! The client: send a datagram, wait for its echo, again and again.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// How long to wait for an echo. If it or the datagram is lost, usually nothing reports that, so
/// without a timeout, this client would wait forever.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How many bytes of an ignored datagram are shown: enough to recognize it.
const SHOWN: usize = 64;

/// Sends the lines of the input to `address` ("HOST:PORT") and prints the echoes, until `q` or
/// the end of the input. Fails at the end if an echo was missing.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = connect(address).map_err(|error| format!("cannot reach {address}: {error}"))?;
    let (mut lines, mut lost) = (0, 0);
    while let Some(line) = next_line()? {
        if line == "q" {
            break;
        }
        lines += 1;
        if let Err(error) = echo(&socket, line.as_bytes()) {
            lost += 1;
            println!("lost: {error}");
        } else {
            println!("server: {line:?}");
        }
    }
    if lost > 0 {
        return Err(format!("no echo from {address} for {lost} of {lines} lines").into());
    }
    Ok(())
}

/// Returns a socket that sends only to `address` and receives only from it.
fn connect(address: &str) -> io::Result<UdpSocket> {
    // A client needs its own port to receive the echoes. Port 0 takes any free port, and the zeros
    // before it stand for any address of this computer: IPv4 or, if that fails, IPv6.
    // (TcpStream::connect does all this by itself.)
    let own = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    connect_from(own, address).or_else(|error| connect_from("[::]:0", address).map_err(|_| error))
}

/// Binds a socket to the address `own` and connects it. connect sends nothing. It sets the
/// address for `send` and makes the operating system drop what comes from elsewhere from then on.
fn connect_from(own: &str, address: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(own)?;
    socket.connect(address)?;
    Ok(socket)
}

/// Sends `message` and waits until it comes back, at most TIMEOUT. Shows what else arrives.
fn echo(socket: &UdpSocket, message: &[u8]) -> Result<(), Box<dyn Error>> {
    socket.send(message)?;
    let deadline = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; 65536];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("no echo within {TIMEOUT:?}").into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(count) if buffer[..count] == *message => return Ok(()),
            // For example, a late echo of an earlier line. (Equal lines cannot be distinguished.)
            Ok(count) => {
                let shown = String::from_utf8_lossy(&buffer[..count.min(SHOWN)]);
                println!("ignored: {shown:?}");
            }
            // The timeout has expired: WouldBlock on Unix, TimedOut on Windows.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the next line of the input without its newline, or None at the end.
fn next_line() -> Result<Option<String>, String> {
    if io::stdin().is_terminal() {
        eprint!("> "); // on stderr, because stdout is for the answers
    }
    // Input that was read ahead stays in stdin's own buffer for the next call. (`next` returns an
    // Option of a Result. `transpose` makes it a Result of an Option.)
    let line = io::stdin().lines().next().transpose();
    line.map_err(|error| format!("cannot read the input: {error}"))
}
