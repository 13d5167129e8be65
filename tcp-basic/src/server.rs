//! Step 1: one connection, one message.
//!
//! Run `cargo run -p tcp-basic` and, in a second terminal, `cargo run -p tcp-basic -- client`.
//!
//! New: the calls that make up a server, in order. The client's are in client.rs.
//! Where does a message end? Wherever one `read` happens to stop.
//! Still wrong: it serves one client, reads once, and waits for a silent client forever.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Runs the server on `address` ("HOST:PORT"; port 0 takes any free port).
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    // Asks the operating system for a socket that listens on this address. (The system calls are
    // socket, bind, listen, and, on Unix, setsockopt, so you can restart right away.)
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);

    // Waits for a client. `stream` is a second socket, for this client; `peer` is its address.
    let (mut stream, peer) = listener.accept()?;
    println!("{peer} connected");

    // A read waits for bytes, then takes what has arrived, as much as fits. It may be a part of a
    // message. A count of 0 means end of stream: the client will send no more.
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer)?;
    let message = &mut buffer[..count];
    println!("{peer}: {:?}", String::from_utf8_lossy(message));

    message.make_ascii_uppercase();
    // Returns when the operating system has taken the bytes, not when the client has them.
    stream.write_all(message)?;

    drop(stream); // closes this connection, as the end of `run` would
    println!("{peer} disconnected");
    Ok(()) // `listener` goes out of scope, which closes it, too
}
