//! You need not read this file to follow the course: it is the plumbing of the tests. This is a
//! client for what no well-behaved program does, and it says in words what the other end did wrong.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::{MOMENT, subject::patience};

/// A client (or the other end of a connection).
pub struct Client {
    stream: BufReader<TcpStream>,
    /// What it has sent since it last received what it expected.
    sent: Vec<u8>,
}

impl Client {
    pub fn connect(address: &str) -> Client {
        Client::new(TcpStream::connect(address).unwrap())
    }

    pub fn new(stream: TcpStream) -> Client {
        // It fails on macOS if the other end is gone by now. The first read will tell.
        let _ = stream.set_read_timeout(Some(patience()));
        let _ = stream.set_write_timeout(Some(patience()));
        Client { stream: BufReader::new(stream), sent: Vec::new() }
    }

    /// A client that has read the greeting of step 3 or 5.
    pub fn greeted(address: &str) -> Client {
        let mut client = Client::connect(address);
        client.expects_line("welcome", "");
        client
    }

    /// Both ends of a connection: the client, and what a server gets from `accept`.
    pub fn accepted() -> (Client, TcpStream, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::connect(&listener.local_addr().unwrap().to_string());
        let (accepted, peer) = listener.accept().unwrap();
        (client, accepted, peer)
    }

    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// The client's address, as the server sees it.
    pub fn address(&self) -> String {
        self.stream().local_addr().unwrap().to_string()
    }

    /// Sends `bytes`. If that fails, the next `expects` tells.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        let _ = self.try_send(bytes);
        self
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.sent.extend_from_slice(&bytes.as_ref()[..bytes.as_ref().len().min(1000)]);
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends each byte in a write of its own.
    pub fn dribble(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        for byte in bytes.as_ref() {
            self.send([*byte]);
            thread::yield_now();
        }
        self
    }

    /// Half-closes: the server reads the end of the stream.
    pub fn finish(&mut self) -> &mut Client {
        let _ = self.stream().shutdown(Shutdown::Write);
        self
    }

    /// Receives exactly `bytes`, because of a `rule` that the other end has to follow.
    #[track_caller]
    pub fn expects(&mut self, bytes: impl AsRef<[u8]>, rule: &str) {
        let expected = bytes.as_ref();
        let (mut received, mut end) = (Vec::new(), String::new());
        while received.len() < expected.len() && end.is_empty() {
            let rest = &expected[received.len()..];
            match self.stream.fill_buf() {
                Ok([]) => end = END.to_string(),
                Ok(bytes) => {
                    let count = bytes.len().min(rest.len());
                    if bytes[..count] != rest[..count] {
                        received.extend_from_slice(bytes); // more than that, to show it
                        break;
                    }
                    received.extend_from_slice(&bytes[..count]);
                    self.stream.consume(count);
                }
                Err(error) => end = describe(&error),
            }
        }
        let sound = received == expected;
        assert!(sound, "{}", self.report(rule, &shown(expected), &received, &end));
        self.sent.clear();
    }

    #[track_caller]
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        self.expects(bytes, "");
    }

    /// Receives a line that begins with `prefix`, and returns it.
    #[track_caller]
    pub fn expects_line(&mut self, prefix: &str, rule: &str) -> String {
        let mut line = Vec::new();
        let end = self.stream.read_until(b'\n', &mut line);
        let end = end.map_or_else(|error| describe(&error), |_| END.to_string());
        let sound = line.starts_with(prefix.as_bytes()) && line.ends_with(b"\n");
        let end = if line.ends_with(b"\n") { "" } else { &end };
        let expected = format!("a line that begins with {prefix:?}");
        assert!(sound, "{}", self.report(rule, &expected, &line, end));
        self.sent.clear();
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Receives the end of the stream. (A reset would also close the connection.)
    #[track_caller]
    pub fn expects_end(&mut self, rule: &str) {
        let mut received = Vec::new();
        let result = self.stream.read_to_end(&mut received);
        let sound = received.is_empty() && result.is_ok();
        let end = result.map_or_else(|error| describe(&error), |_| END.to_string());
        assert!(sound, "{}", self.report(rule, END, &received, &end));
    }

    /// A failure in words. Lines without content are left out.
    fn report(&self, rule: &str, expected: &str, received: &[u8], end: &str) -> String {
        let received = if received.is_empty() && !end.is_empty() {
            end.to_string()
        } else {
            [&shown(received), end].join(if end.is_empty() { "" } else { ", then " })
        };
        let sent = if self.sent.is_empty() { String::new() } else { shown(&self.sent) };
        let lines =
            [("rule", rule), ("sent", &sent), ("expected", expected), ("received", &received)]
                .map(|(title, text)| format!("\n  {:9} {text}", format!("{title}:")));
        lines.into_iter().filter(|line| !line.trim_end().ends_with(':')).collect()
    }

    /// Receives a line, whatever it says.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line
    }

    /// Everything until the peer closes the connection, be it with a reset.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let result = self.stream.read_to_end(&mut bytes);
        let timed_out = result.is_err_and(|error| is_timeout(&error));
        assert!(!timed_out, "the connection is still open, after {}", shown(&bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether nothing comes for a moment: no byte, and no end of stream.
    pub fn is_silent(&mut self) -> bool {
        self.stream().set_read_timeout(Some(MOMENT)).unwrap();
        let result = self.stream.fill_buf().map(|_| ());
        self.stream().set_read_timeout(Some(patience())).unwrap();
        result.is_err_and(|error| is_timeout(&error))
    }

    /// Is told `error` or finds the connection closed, be it with a reset.
    #[track_caller]
    pub fn expects_refusal(&mut self, rule: &str) {
        let mut line = Vec::new();
        let result = self.stream.read_until(b'\n', &mut line);
        let closed = line.is_empty() && !result.as_ref().is_err_and(is_timeout);
        let end = result.map_or_else(|error| describe(&error), |_| String::new());
        let report = self.report(rule, "an error, or a closed connection", &line, &end);
        assert!(closed || line.starts_with(b"error"), "{report}");
    }

    /// Closes the connection with a reset, which closing with unread bytes does. The first of them
    /// must have come.
    #[track_caller]
    pub fn reset(self, rule: &str) {
        let result = self.stream().peek(&mut [0]);
        let end = result.as_ref().map_or_else(describe, |_| END.to_string());
        let report = self.report(rule, "a byte", b"", &end);
        assert!(result.is_ok_and(|count| count == 1), "{report}");
    }

    /// Sends `bytes` as a server, whatever the client sends, and closes gracefully.
    pub fn recite(mut self, bytes: &str) {
        self.send(bytes);
        self.finish();
        self.rest();
    }
}

const END: &str = "the end of the stream";

fn describe(error: &io::Error) -> String {
    match error.kind() {
        _ if is_timeout(error) => format!("nothing for {:.0?}", patience()),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "a reset".to_string(),
        _ => error.to_string(),
    }
}

/// Bytes as text in quotes: the first 60, and how many there are.
pub fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
    let more =
        if bytes.len() > 60 { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("{text:?}{more}")
}

pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
