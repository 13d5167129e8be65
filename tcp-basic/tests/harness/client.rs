//! You need not read this file to follow the course: it is the plumbing of the tests. This is a
//! client for what no well-behaved program does, and it says in words what the other end did wrong.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::{thread, time::Duration, time::Instant};

use super::MOMENT;
use super::subject::{SHORTEST, patience, time_left};

const END: &str = "the end of the stream";

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
        // On macOS, it fails if the other end is gone by now. The first read will tell.
        let _ = stream.set_read_timeout(Some(patience()));
        let _ = stream.set_write_timeout(Some(patience()));
        let _ = stream.set_nodelay(true); // or Nagle's algorithm would put small pieces together
        Client { stream: BufReader::new(stream), sent: Vec::new() }
    }

    /// A client that has read the greeting of step 3 or 5.
    pub fn greeted(address: &str) -> Client {
        let mut client = Client::connect(address);
        client.expects_line("welcome", "");
        client
    }

    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends `bytes`. If that fails, the next `expects` tells.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        let _ = self.try_send(bytes);
        self
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.sent.extend(bytes.as_ref());
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends for as long as the other end reads. (If that were forever, its test would fail.)
    pub fn flood(mut self) {
        while self.try_send([b'a'; 65536]).is_ok() {}
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
        self.sent.extend(&bytes);
        let mut stream = self.stream().try_clone().unwrap();
        thread::spawn(move || stream.write_all(&bytes));
        self
    }

    /// Receives `bytes` and, if they come with them, no others, because of a `rule` that the other
    /// end has to follow.
    #[track_caller]
    pub fn expects(&mut self, bytes: impl AsRef<[u8]>, rule: &str) {
        let expected = bytes.as_ref();
        let rest = |received: &[u8]| expected.strip_prefix(received).map_or(0, <[u8]>::len);
        let (mut received, end) = self.receive(rest);
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
        self.judge(sound, rule, &format!("a line {prefix:?}…\\n"), &line, &end);
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
        let in_time = !end.starts_with("no"); // nothing for …, no end for …
        let sound = in_time && (line.is_empty() || line.starts_with(prefix.as_bytes()));
        let expected = format!("a line {prefix:?}…\\n, or a closed connection");
        self.judge(sound, rule, &expected, &line, &end);
    }

    /// Closes the connection with a reset, which closing with unread bytes does. The first of them
    /// must have come.
    #[track_caller]
    pub fn reset(mut self, rule: &str) {
        let result = self.stream().peek(&mut [0]);
        let end = result.as_ref().map_or_else(describe, |_| END.to_string());
        self.judge(result.is_ok_and(|count| count == 1), rule, "an answer first", b"", &end);
    }

    /// Everything until the peer closes the connection, be it with a reset.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let (bytes, end) = self.receive(|_| usize::MAX);
        assert!(!end.starts_with("no"), "the connection is still open, after {}", shown(&bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether nothing comes for a moment: no byte, and no end of stream.
    pub fn is_silent(&mut self) -> bool {
        self.stream().set_read_timeout(Some(MOMENT)).unwrap();
        self.stream.fill_buf().is_err_and(|error| is_timeout(&error))
    }

    /// Receives a line, or what there is of it. Returns also why it is not whole.
    fn receive_line(&mut self) -> (Vec<u8>, String) {
        // The limit is there because an endless line must not fill our memory.
        self.receive(|line| if line.ends_with(b"\n") { 0 } else { 100_000 - line.len() })
    }

    /// Receives while `wanted` says that more bytes are, how many at most. Returns also why it
    /// ended before that.
    fn receive(&mut self, wanted: impl Fn(&[u8]) -> usize) -> (Vec<u8>, String) {
        let (mut received, begin, limit) = (Vec::new(), Instant::now(), time_left());
        while let wanted @ 1.. = wanted(&received) {
            let _ = self.stream().set_read_timeout(Some(patience()));
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
        (received, String::new())
    }

    /// Fails in words unless the other end's behavior is `sound`.
    #[track_caller]
    fn judge(&mut self, sound: bool, rule: &str, expected: &str, received: &[u8], end: &str) {
        let received = match (received, end) {
            ([], end) => end.to_string(),
            (bytes, "") => shown(bytes),
            (bytes, end) => format!("{}, then {end}", shown(bytes)),
        };
        let sent = if self.sent.is_empty() { String::new() } else { shown(&self.sent) };
        report(sound, rule, &sent, expected, &received);
        self.sent.clear();
    }
}

/// Fails in words unless a program's behavior is `sound`. (`sent` may be empty: nothing.)
#[track_caller]
pub fn report(sound: bool, rule: &str, sent: &str, expected: &str, received: &str) {
    let sent = if sent.is_empty() { "nothing" } else { sent };
    let details = format!("sent:     {sent}\n  expected: {expected}\n  received: {received}");
    assert!(sound, "\n  rule:     {rule}\n  {details}");
}

/// That nothing came.
pub fn nothing() -> String {
    let hint = if time_left() > SHORTEST { "" } else { ": the time for all checks is over" };
    format!("nothing for {:.0?}{hint}", patience())
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
    let start = &bytes[..bytes.len().min(60)];
    let more = if bytes == start { "".into() } else { format!("… ({} bytes)", bytes.len()) };
    format!("{:?}{more}", String::from_utf8_lossy(start))
}

/// The next datagram and its sender. (A signal may interrupt a call with a timeout, and Windows
/// reports that an earlier datagram did not arrive.)
pub fn receive_from(socket: &UdpSocket) -> io::Result<(Vec<u8>, SocketAddr)> {
    use ErrorKind::{ConnectionReset, Interrupted};
    let mut buffer = vec![0; 65536];
    loop {
        match socket.recv_from(&mut buffer) {
            Err(error) if [Interrupted, ConnectionReset].contains(&error.kind()) => {}
            result => return result.map(|(count, peer)| (buffer[..count].to_vec(), peer)),
        }
    }
}

pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
