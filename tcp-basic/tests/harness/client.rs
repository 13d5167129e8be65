//! You need not read this file to follow the course: it is the plumbing of the tests. This is a
//! client for what no well-behaved program does, and it says in words what the other end did wrong.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::MOMENT;
use super::subject::{patience, time_left};

const END: &str = "the end of the stream";

/// A client (or the other end of a connection).
pub struct Client {
    stream: BufReader<TcpStream>,
    /// What it has sent since it last received what it expected: the beginning, and how many bytes.
    sent: (Vec<u8>, usize),
}

impl Client {
    pub fn connect(address: &str) -> Client {
        Client::new(TcpStream::connect(address).unwrap())
    }

    pub fn new(stream: TcpStream) -> Client {
        // On macOS, it fails if the other end is gone by now. The first read will tell.
        let _ = stream.set_read_timeout(Some(patience()));
        let _ = stream.set_write_timeout(Some(patience()));
        let _ = stream.set_nodelay(true); // or Nagle's algorithm would put small pieces together
        Client { stream: BufReader::new(stream), sent: Default::default() }
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
        self.record(bytes.as_ref());
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends each byte in a write of its own.
    pub fn dribble(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        for byte in bytes.as_ref() {
            self.send([*byte]);
            thread::sleep(Duration::from_millis(1)); // until it is read
        }
        self
    }

    /// Half-closes: the server reads the end of the stream.
    pub fn finish(&mut self) -> &mut Client {
        let _ = self.stream().shutdown(Shutdown::Write);
        self
    }

    /// Sends `bytes` in a thread of its own, while this one receives.
    pub fn send_meanwhile(&mut self, bytes: Vec<u8>) -> &mut Client {
        self.record(&bytes);
        let mut stream = self.stream().try_clone().unwrap();
        thread::spawn(move || stream.write_all(&bytes));
        self
    }

    fn record(&mut self, bytes: &[u8]) {
        self.sent.0.extend(bytes.iter().take(100));
        self.sent.1 += bytes.len();
    }

    /// Receives `bytes` and, if they come with them, no others, because of a `rule` that the other
    /// end has to follow.
    #[track_caller]
    pub fn expects(&mut self, bytes: impl AsRef<[u8]>, rule: &str) {
        let expected = bytes.as_ref();
        let (mut received, end) = self.receive(|received| match expected.strip_prefix(received) {
            Some(rest) => rest.len(),
            None => 0,
        });
        if !rule.is_empty() {
            received.extend_from_slice(self.stream.buffer());
        }
        self.judge(received == expected, rule, &shown(expected), &received, &end);
    }

    /// Receives `bytes`, whatever comes then.
    #[track_caller]
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        self.expects(bytes, "");
    }

    /// Receives a line that begins with `prefix`, and returns it.
    #[track_caller]
    pub fn expects_line(&mut self, prefix: &str, rule: &str) -> String {
        let (line, end) = self.receive_line();
        let sound = line.starts_with(prefix.as_bytes()) && line.ends_with(b"\n");
        self.judge(sound, rule, &format!("a line that begins with {prefix:?}"), &line, &end);
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Receives the end of the stream. (A reset would also close the connection.)
    #[track_caller]
    pub fn expects_end(&mut self, rule: &str) {
        let (line, end) = self.receive_line();
        self.judge(line.is_empty() && end == END, rule, END, &line, &end);
    }

    /// Receives a line that begins with `prefix`, or finds the connection closed, be it with a reset.
    #[track_caller]
    pub fn expects_line_or_end(&mut self, prefix: &str, rule: &str) {
        let (line, end) = self.receive_line();
        let closed = line.is_empty() && !end.starts_with("no"); // nothing for …, no end for …
        let sound = closed || line.starts_with(prefix.as_bytes());
        let expected = format!("a line that begins with {prefix:?}, or a closed connection");
        self.judge(sound, rule, &expected, &line, &end);
    }

    /// Closes the connection with a reset, which closing with unread bytes does. The first of them
    /// must have come.
    #[track_caller]
    pub fn reset(mut self, rule: &str) {
        let result = self.stream().peek(&mut [0]);
        let end = result.as_ref().map_or_else(describe, |_| END.to_string());
        self.judge(result.is_ok_and(|count| count == 1), rule, "a byte", b"", &end);
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

    /// Sends `bytes` as a server, whatever the client sends, and closes gracefully.
    pub fn recite(mut self, bytes: &str) {
        self.send(bytes).finish().rest();
    }

    /// Receives a line, or what there is of it. Returns also why it is not whole.
    fn receive_line(&mut self) -> (Vec<u8>, String) {
        const LONGEST: usize = 100_000; // an endless line must not fill our memory
        self.receive(|line| if line.ends_with(b"\n") { 0 } else { LONGEST - line.len() })
    }

    /// Receives while `wanted` says that more bytes are, how many at most. Returns also why it
    /// ended before that.
    fn receive(&mut self, wanted: impl Fn(&[u8]) -> usize) -> (Vec<u8>, String) {
        let (mut received, begin, limit) = (Vec::new(), Instant::now(), time_left());
        let _ = self.stream().set_read_timeout(Some(patience()));
        loop {
            let wanted = wanted(&received);
            if wanted == 0 {
                return (received, String::new());
            }
            let end = match self.stream.fill_buf() {
                Ok([]) => END.to_string(),
                Ok(_) if begin.elapsed() > limit => format!("no end for {limit:.0?}"),
                Ok(bytes) => {
                    let newline = bytes.iter().position(|byte| *byte == b'\n');
                    let count = newline.map_or(bytes.len(), |i| i + 1).min(wanted);
                    received.extend_from_slice(&bytes[..count]);
                    self.stream.consume(count);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => describe(&error),
            };
            return (received, end);
        }
    }

    /// Fails in words unless the other end's behavior is `sound`.
    #[track_caller]
    fn judge(&mut self, sound: bool, rule: &str, expected: &str, received: &[u8], end: &str) {
        let sent = match &self.sent {
            (_, 0) => "nothing".to_string(),
            (start, count) => shown_start(start, *count),
        };
        let received = match (received, end) {
            ([], end) => end.to_string(),
            (bytes, "") => shown(bytes),
            (bytes, end) => format!("{}, then {end}", shown(bytes)),
        };
        let details = format!("expected: {expected}\n  received: {received}");
        assert!(sound, "\n  rule:     {rule}\n  sent:     {sent}\n  {details}");
        self.sent = Default::default();
    }
}

/// That nothing came. Checks before this one may have taken the time for it.
pub fn nothing() -> String {
    let hurry =
        if patience() < Duration::from_secs(5) { " (fix the checks before it first)" } else { "" };
    format!("nothing for {:.0?}{hurry}", patience())
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        _ if is_timeout(error) => nothing(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "a reset".to_string(),
        _ => error.to_string(),
    }
}

/// Bytes as text in quotes: the first 60, and how many there are.
pub fn shown(bytes: &[u8]) -> String {
    shown_start(bytes, bytes.len())
}

fn shown_start(bytes: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
    let more = if count > 60 { format!("… ({count} bytes)") } else { String::new() };
    format!("{text:?}{more}")
}

/// Calls again after a signal, which may interrupt a call with a timeout.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
