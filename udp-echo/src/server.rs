//! The server's life in order: bind, receive and send back, and receive again.

use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::thread;
use std::time::Duration;

/// Room for any datagram: the largest carries 65,507 bytes over IPv4 (65,527 over IPv6).
/// Of one larger than the buffer, the rest would be lost.
const BUFFER_SIZE: usize = 65536;

/// How many bytes of a datagram the log shows.
const SHOWN: usize = 64;

/// The pause after a failed receive, so that failures without end would not eat a
/// whole core.
const RECEIVE_PAUSE: Duration = Duration::from_millis(100);

/// Echoes the datagrams that come to `address`, until the process is ended.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = bind(address)?;
    serve(&socket)?;
    Ok(())
}

/// Opens a UDP socket on `address` ("HOST:PORT"; port 0 takes a free one) and
/// prints where it listens.
///
/// Two system calls in one: socket and bind. No listen and no accept: a datagram
/// needs no connection.
fn bind(address: &str) -> Result<UdpSocket, Box<dyn Error>> {
    let socket = ipv4_first(address)
        .and_then(|addresses| UdpSocket::bind(&addresses[..]))
        .map_err(|error| {
            format!(
                "cannot listen on {address}: {error}; \
                 to take a free port: cargo run -p udp-echo -- server 127.0.0.1:0"
            )
        })?;
    let _ = writeln!(io::stdout(), "listening on {}", socket.local_addr()?);
    Ok(socket)
}

/// What `address` stands for, IPv4 before IPv6. A name such as localhost often has an
/// address of each kind, and nothing would tell a client that it has taken the wrong one.
pub fn ipv4_first(address: &str) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6); // false comes before true
    Ok(addresses)
}

/// Sends each datagram back to whoever sent it, byte for byte (RFC 862).
///
/// One thread serves all, for no sender can keep it waiting. Nothing that comes ends
/// this; only a socket that takes no settings does.
pub fn serve(socket: &UdpSocket) -> io::Result<()> {
    let own = socket.local_addr()?;
    let mut buffer = vec![0; BUFFER_SIZE];
    // To write every log line by itself would cost a tenth of the speed and more, so they
    // are collected (8 KiB at most) until no letter is waiting. What writeln! returns is
    // ignored: a lost log line is no reason to end.
    let mut log = BufWriter::new(io::stdout());
    let mut unwritten = false; // whether the log has lines that are not written yet
    loop {
        // Wait for a letter; with the log unwritten, only look whether one is there.
        socket.set_nonblocking(unwritten)?;
        match socket.recv_from(&mut buffer) {
            Ok((count, peer)) => {
                let datagram = &buffer[..count];
                let shown = String::from_utf8_lossy(&datagram[..count.min(SHOWN)]);
                let more = if count > SHOWN { "..." } else { "" };
                // {:?} shows control characters escaped: a terminal would obey them.
                let _ = writeln!(log, "{peer}: {count} bytes: {shown:?}{more}");
                if peer == own {
                    let _ = writeln!(log, "{peer}: not echoed: that would go on for ever");
                } else if let Err(error) = socket.send_to(datagram, peer) {
                    let _ = writeln!(log, "{peer}: error: {error}");
                }
                unwritten = true;
            }
            Err(error) => {
                match error.kind() {
                    ErrorKind::WouldBlock => {}      // no letter is there
                    ErrorKind::ConnectionReset => {} // so Windows says that an echo found nobody
                    _ => {
                        let _ = writeln!(log, "cannot receive: {error}");
                        thread::sleep(RECEIVE_PAUSE);
                    }
                }
                let _ = log.flush(); // time to write
                unwritten = false;
            }
        }
    }
}
