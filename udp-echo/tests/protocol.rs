//! What a client and a server of this step have to do, in any language. By default, these tests
//! start the step's own. To test your client, run
//!
//!     MY_CLIENT=127.0.0.1:8080 cargo test -p udp-echo --test protocol -- --nocapture client
//!
//! and start your client when the test prints `waiting`. To test your server, start it, then run
//!
//!     MY_SERVER=127.0.0.1:8080 cargo test -p udp-echo --test protocol server

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::env;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use harness::client::{is_timeout, nothing, shown, uninterrupted};
use harness::subject::{Subject, patience};
use harness::{MAX_DATAGRAM, Program};

// ---- The client ----

#[test]
fn client_goes_on_in_time_and_is_not_fooled() {
    let (mut server, _own) = match env::var_os("MY_CLIENT") {
        Some(address) => {
            let server = Server::new(&address.to_string_lossy());
            let address = server.socket.local_addr().unwrap();
            println!("waiting at {address}: start your client now, which sends the lines 1 to 5");
            (server, None)
        }
        None => {
            let server = Server::new("127.0.0.1:0");
            let address = server.socket.local_addr().unwrap().to_string();
            let mut client = Program::start(&["client", &address]);
            client.type_in("1\n2\n3\n4\n5\n");
            (server, Some(client))
        }
    };
    server.expects("1", 60.0, "each line is a datagram");
    server.send(b"1");
    server.expects("2", 0.7, "after the echo, it sends the next line");
    // The echo of 2 is lost.
    server.expects_nothing(0.7, "without an echo, it waits for a second");
    server.expects("3", 1.7, "after a second without an echo, it goes on");
    server.send_from_elsewhere(b"3");
    server.expects_nothing(0.15, "an echo from another address does not count");
    server.send(b"2");
    server.expects_nothing(0.3, "a late echo of the last line is not the echo of this one");
    for wrong in [b"\xff\xfe", &b""[..], b"3\n", b"3 and more"] {
        server.send(wrong);
    }
    server.expects_nothing(0.45, "only exactly the bytes that it sent are the echo");
    server.send(b"3");
    server.expects("4", 0.9, "when the echo comes after all that, it sends the next line");
    for seconds in [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] {
        server.send(b"wrong");
        server.expects_nothing(seconds, "only exactly the bytes that it sent are the echo");
    }
    server.expects("5", 1.5, "it waits one second in all, whatever else arrives");
    server.send(b"5");
    server.expects_nothing(0.2, "it sends each line once");
}

/// The test in the place of a server. It sees what the client sends, and when.
struct Server {
    socket: UdpSocket,
    client: Option<SocketAddr>,
    /// When the line arrived whose echo the client is waiting for.
    since: Instant,
    /// What this server has sent to the client since then.
    sent: String,
}

impl Server {
    fn new(address: &str) -> Server {
        let socket = UdpSocket::bind(address).unwrap_or_else(|error| {
            panic!("\n  The test cannot listen on {address}: {error}. Stop the server there first.")
        });
        Server { socket, client: None, since: Instant::now(), sent: String::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.sent += &format!("{} ", shown(bytes));
        self.socket.send_to(bytes, self.client.unwrap()).unwrap();
    }

    fn send_from_elsewhere(&mut self, bytes: &[u8]) {
        self.sent += &format!("{} from another port ", shown(bytes));
        let client = self.client.unwrap();
        let elsewhere = UdpSocket::bind((client.ip(), 0)).unwrap(); // another port
        elsewhere.send_to(bytes, client).unwrap();
    }

    /// The client must send nothing until `seconds` after its line.
    #[track_caller]
    fn expects_nothing(&mut self, seconds: f32, rule: &str) {
        let received = self.receive(seconds);
        let after = self.since.elapsed();
        if let Some(received) = received {
            self.fail(rule, "nothing yet", &format!("{} after {after:.1?}", shown(&received)));
        }
    }

    /// The client must send `line` within `seconds` after its last one.
    #[track_caller]
    fn expects(&mut self, line: &str, seconds: f32, rule: &str) {
        let received = self.receive(seconds);
        if received.as_deref() != Some(line.as_bytes()) {
            let expected = format!("{line:?} within {seconds} s");
            self.fail(rule, &expected, &received.map_or("nothing".into(), |bytes| shown(&bytes)));
        }
        self.since = Instant::now();
        self.sent.clear();
    }

    fn receive(&mut self, seconds: f32) -> Option<Vec<u8>> {
        let deadline = self.since + Duration::from_secs_f32(seconds);
        let mut buffer = vec![0; 65536];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
            match self.socket.recv_from(&mut buffer) {
                Ok((count, client)) => {
                    self.client = Some(client);
                    return Some(buffer[..count].to_vec());
                }
                Err(error) if is_timeout(&error) => return None,
                Err(_) => {} // Windows reports that an earlier datagram did not arrive
            }
        }
    }

    #[track_caller]
    fn fail(&self, rule: &str, expected: &str, received: &str) -> ! {
        let sent = if self.sent.is_empty() { "nothing" } else { &self.sent };
        panic!(
            "\n  rule:     {rule}\n  sent:     {sent}\n  expected: {expected}\n  received: {received}"
        );
    }
}

// ---- The server ----

/// A socket that sends to the server and receives from it.
#[track_caller]
fn client(server: &Subject) -> UdpSocket {
    let own = if server.address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(own).unwrap();
    if let Err(error) = socket.connect(&server.address) {
        panic!("\n  MY_SERVER must be HOST:PORT: {:?}: {error}.", server.address);
    }
    socket
}

/// Receives one of the `expected` datagrams, and returns it.
#[track_caller]
fn receive(socket: &UdpSocket, expected: &[&[u8]], rule: &str) -> Vec<u8> {
    let mut buffer = vec![0; 65536];
    socket.set_read_timeout(Some(patience())).unwrap();
    let received = match uninterrupted(|| socket.recv(&mut buffer)) {
        Ok(count) if expected.contains(&&buffer[..count]) => return buffer[..count].to_vec(),
        Ok(count) => shown(&buffer[..count]),
        Err(error) if is_timeout(&error) => nothing(),
        Err(error) => panic!("\n  {error}: start your server first, or it has ended."),
    };
    let sent = expected.iter().map(|bytes| shown(bytes)).collect::<Vec<_>>().join(", ");
    panic!(
        "\n  rule:     {rule}\n  sent:     {sent}\n  expected: the same\n  received: {received}"
    );
}

#[test]
fn server_check1_echoes() {
    let server = Subject::new();
    for message in ["hello".as_bytes(), "straße 你好".as_bytes(), b"\xff\x00\xfe\n"] {
        let client = client(&server);
        drop(client.send(message)); // if it fails, nothing comes
        receive(&client, &[message], "each datagram comes back, with exactly its bytes");
    }
}

#[test]
fn server_check2_keeps_boundaries() {
    let server = Subject::new();
    let client = client(&server);
    let mut missing = vec![&b"one"[..], b"", b"two"];
    missing.iter().for_each(|message| drop(client.send(message)));
    while !missing.is_empty() {
        let rule = "each datagram is a message, even an empty one";
        let received = receive(&client, &missing, rule); // in any order
        missing.retain(|message| *message != received);
    }
}

#[test]
fn server_check3_echoes_every_size() {
    let server = Subject::new();
    let client = client(&server);
    for size in [1, 1024, 1025, 1472, 9000, MAX_DATAGRAM] {
        let datagram: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        drop(client.send(&datagram));
        let rule = format!("a datagram of {size} bytes comes back whole");
        receive(&client, &[&datagram], &rule);
    }
}

#[test]
fn server_check4_answers_each_sender() {
    let server = Subject::new();
    let clients: Vec<UdpSocket> = (0..50).map(|_| client(&server)).collect();
    for (i, client) in (0..).zip(&clients) {
        drop(client.send(&[i]));
    }
    for (i, client) in (0..).zip(&clients) {
        receive(client, &[&[i]], "the echo goes to the address that the datagram came from");
    }
}

#[test]
fn server_check5_survives_a_sender_that_has_gone() {
    let server = Subject::new();
    for _ in 0..100 {
        drop(client(&server).send(b"bye"));
    }
    let client = client(&server);
    drop(client.send(b"still there?"));
    let rule = "an echo that cannot be delivered does not end the server";
    receive(&client, &[b"still there?"], rule);
}
