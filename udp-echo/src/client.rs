//! The client's life in order: connect, then a letter and its echo in turns.

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::server::ipv4_first;

/// How long to wait for an echo. UDP promises none, so waiting longer may be in vain.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes that a datagram carries over IPv4: 65,535 less 20 for the IP header
/// and 8 for the UDP header.
const LARGEST: usize = 65507;

/// Sends each line of the input to `address` and prints its echo; `q` or the end of
/// the input ends it. Fails at the end if any line got no echo.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = connect(address)?;
    let mut sent = 0;
    let mut losses = 0;
    let mut last = String::new(); // why the last of them was lost
    while let Some(line) = next_line()? {
        if line == "q" {
            break;
        }
        sent += 1;
        match talk(&socket, line.as_bytes()) {
            Ok(echo) => show(&format!("server: {:?}", String::from_utf8_lossy(&echo)))?,
            Err(error) => {
                losses += 1;
                last = lost(address, error);
                show(&format!("lost: {last}"))?;
            }
        }
    }
    if losses > 0 {
        return Err(format!("{losses} of {sent} lost; the last: {last}").into());
    }
    Ok(())
}

/// Opens a UDP socket that talks to `address` ("HOST:PORT") alone.
///
/// connect sends nothing and reaches nobody. It tells the system where `send` goes, and
/// to pass on to `recv` only what comes from there: a stranger's letters are dropped.
fn connect(address: &str) -> Result<UdpSocket, Box<dyn Error>> {
    let cannot = |error: io::Error| format!("cannot reach {address}: {error}");
    let addresses = ipv4_first(address).map_err(cannot)?;
    let is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    // A UdpSocket must be bound: the system may choose our address and port (all zero).
    let own = if is_ipv6 { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(own).map_err(cannot)?;
    socket.connect(&addresses[..]).map_err(cannot)?;
    Ok(socket)
}

/// The next line of the input without its line ending; None at its end. A person
/// at a terminal is shown a prompt, on stderr: stdout is for the answers.
fn next_line() -> Result<Option<String>, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let _ = write!(io::stderr(), "> ");
    }
    let line = io::stdin().lines().next().transpose(); // a Result around the Option
    line.map_err(|error| format!("cannot read the input: {error}").into())
}

/// Sends `message`, an empty one too, and waits for its echo.
fn talk(socket: &UdpSocket, message: &[u8]) -> io::Result<Vec<u8>> {
    if message.len() > LARGEST {
        let length = message.len();
        let reason = format!("a line of {length} bytes: this client sends {LARGEST} at most");
        return Err(io::Error::other(reason));
    }
    // A failed send may report that an earlier letter found nobody, so it is tried again.
    // (A receive may, too: then this letter is called lost in the earlier one's stead.)
    socket.send(message).or_else(|_| socket.send(message))?;
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = vec![0; LARGEST + 1]; // a longer answer shows by being longer
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let count = match socket.recv(&mut buffer) {
            // On Linux, Ctrl-Z and fg cut short a receive that has a time limit.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        if buffer[..count] == *message {
            return Ok(buffer[..count].to_vec());
        } // else: an earlier letter's echo, come late (two equal letters look the same)
    }
}

/// Says in words why a letter to `address` got no echo.
fn lost(address: &str, error: io::Error) -> String {
    match error.kind() {
        // A passed time limit is WouldBlock on Unix, TimedOut on Windows.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("no echo from {address} within {PATIENCE:?}")
        }
        // The host says that nobody has this port (ICMP): Refused on Unix, Reset on Windows.
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => format!(
            "cannot reach {address}: Connection refused; \
             start the server first: cargo run -p udp-echo"
        ),
        _ => error.to_string(),
    }
}

/// Prints a line.
fn show(line: &str) -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout(), "{line}").map_err(|error| format!("cannot print: {error}").into())
}
