//! Step 4: datagrams, each a message by itself, with an address on it.
//!
//! Run `cargo run -p udp-echo` and, in a second terminal, `cargo run -p udp-echo -- client`.
//!
//! New here: one socket, without connections, for all clients.
//! New in client.rs: a connected UDP socket, which receives only from the server (`connect`), and a
//! deadline, because an echo may never come (`echo`).
//! Where does a message end? With its datagram, which arrives whole or not at all.
//! Still wrong: datagrams get lost, duplicated, and reordered, and a sender may be spoofed.

use std::error::Error;
use std::io::{self, Write};
use std::net::UdpSocket;

/// How many bytes of a datagram the log shows: enough to recognize it.
const SHOWN: usize = 64;

/// Echoes datagrams on `address` ("HOST:PORT"; port 0 takes any free port) as RFC 862 specifies,
/// forever.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    // Makes two system calls, socket and bind. There is no listen and no accept, because there are
    // no connections: this one socket serves all clients.
    let socket =
        UdpSocket::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let own = socket.local_addr()?;
    log(format!("listening on {own}"));

    // Each recv_from returns one whole datagram, never half a datagram or two. No datagram is
    // larger than this buffer. A smaller one would lose the rest.
    let mut buffer = vec![0; 65536];
    loop {
        match socket.recv_from(&mut buffer) {
            // A sender's address can be spoofed. If it were ours, we would answer ourselves
            // forever. (Two servers on different ports can still be made to answer each other.)
            Ok((_, peer)) if peer.port() == own.port() => {
                log(format!("{peer}: not echoed: it has this server's own port number"));
            }
            Ok((count, peer)) => {
                let message = &buffer[..count];
                let shown = String::from_utf8_lossy(&message[..count.min(SHOWN)]);
                match socket.send_to(message, peer) {
                    Ok(_) => log(format!("{peer}: {count} bytes: {shown:?}")),
                    Err(error) => log(format!("{peer}: cannot send: {error}")),
                }
            }
            // On Windows: an earlier echo could not be delivered, because its client has gone.
            Err(error) => log(format!("cannot receive: {error}")),
        }
    }
}

/// Prints a line. Unlike println!, it does not panic if stdout is closed or full.
fn log(line: String) {
    let _ = writeln!(io::stdout(), "{line}");
}
