//! The server: bind, accept, read, write.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Serves one client on `address` ("HOST:PORT"; port 0 takes a free port), then returns.
pub fn run(address: &str) -> Result<(), Box<dyn Error>> {
    // Asks the operating system for a socket that listens on this address. (The system calls are
    // socket, bind, listen, and, on Unix, setsockopt, so you can restart right away.)
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);

    // Waits for a client. `stream` is a second socket, for this client alone; `peer` its address.
    let (mut stream, peer) = listener.accept()?;
    println!("{peer} connected");

    // Waits for bytes, then takes what has arrived, 1024 at most: one message may need several
    // reads (step 2). A count of 0 means end of stream: the client will send no more.
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).map_err(|error| format!("{peer}: {error}"))?;
    let message = &mut buffer[..count];
    // {:?} escapes control characters, which a terminal would act on.
    println!("{peer}: {:?}", String::from_utf8_lossy(message));

    message.make_ascii_uppercase();
    // Returns when the operating system has taken the bytes, not when the client has them.
    stream.write_all(message).map_err(|error| format!("{peer}: {error}"))?;
    println!("{peer} disconnected");
    Ok(()) // `stream` and `listener` go out of scope, and dropping a socket closes it
}
