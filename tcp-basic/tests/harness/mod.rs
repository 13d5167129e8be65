//! You need not read this file to follow the course. It starts the real programs as a person
//! does, and watches their terminals. Every crate's tests share it, and none uses all of it.
#![allow(dead_code)]

mod transcripts;

use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for something that must happen: only a broken program takes this long.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// How long to watch for something that must not happen.
pub const MOMENT: Duration = Duration::from_millis(200);

/// The largest datagram that the operating system sends, in bytes. UDP allows 65,507, but macOS
/// has a limit of its own (`net.inet.udp.maxdgram`).
pub const MAX_DATAGRAM: usize = if cfg!(target_os = "macos") {
    9216
} else {
    65507
};

// ---- Programs ----

/// A running program: its input, and its output line by line.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    errors: Receiver<String>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// The lines of stdout that `line` has not taken.
    pub output: Vec<String>,
    pub errors: Vec<String>,
}

impl Program {
    pub fn start(exe: &str, args: &[&str]) -> Program {
        Program::launch(Command::new(exe).args(args))
    }

    pub fn launch(command: &mut Command) -> Program {
        let (mut program, output) = Program::spawn(command);
        program.output = lines(output);
        program
    }

    /// Like `launch`, but leaves stdout to the test.
    fn spawn(command: &mut Command) -> (Program, ChildStdout) {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let output = child.stdout.take().unwrap();
        let program = Program {
            input: child.stdin.take(),
            output: channel().1,
            errors: lines(child.stderr.take().unwrap()),
            child,
        };
        (program, output)
    }

    /// A number from the program's /proc status, such as `Threads:` or `VmHWM:`, the most memory
    /// that it has had, in kB.
    #[cfg(target_os = "linux")]
    pub fn status(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The next line on stdout.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.output.recv_timeout(TIMEOUT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("it ended: {:?}", self.errors.iter().collect::<Vec<_>>())
            }
        }
    }

    /// Its first line of output, on stdout or, if it fails, on stderr.
    pub fn first_line(&mut self) -> String {
        let line = self.output.recv_timeout(TIMEOUT);
        line.or_else(|_| self.errors.recv_timeout(TIMEOUT))
            .expect("it prints nothing")
    }

    /// Reads lines until one contains `part`, and returns it.
    #[track_caller]
    pub fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// How many lines with `part` come on stdout within a while.
    pub fn count_lines(&self, part: &str, while_: Duration) -> usize {
        thread::sleep(while_);
        let lines = self.output.try_iter().filter(|line| line.contains(part));
        lines.count()
    }

    pub fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).expect("it has closed its input");
    }

    /// Closes its input and waits for its end.
    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(TIMEOUT)
    }

    #[track_caller]
    pub fn end_within(mut self, limit: Duration) -> Ended {
        drop(self.input.take());
        let begin = Instant::now();
        while self.is_running() {
            assert!(begin.elapsed() < limit, "it does not end");
            thread::sleep(Duration::from_millis(1));
        }
        Ended {
            code: self.child.wait().unwrap().code(),
            output: self.output.iter().collect(),
            errors: self.errors.iter().collect(),
        }
    }

    /// Kills the program, as Ctrl-C would, and returns the remaining lines of stdout.
    pub fn kill(mut self) -> Vec<String> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.output.iter().collect()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream as they arrive. The thread ends with the stream.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let line = line.expect("the output is UTF-8");
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Runs a program to its end, with `input` typed into it.
pub fn run(exe: &str, args: &[&str], input: &str) -> Ended {
    let mut program = Program::start(exe, args);
    let mut pipe = program.input.take().unwrap();
    let input = input.to_owned();
    // In a thread, because the program may print before it has read everything.
    let typist = thread::spawn(move || {
        let _ = pipe.write_all(input.as_bytes());
    });
    let ended = program.end();
    typist.join().unwrap();
    ended
}

/// One line on stderr that begins with `error: `, and exit code 1: how every failure ends.
#[track_caller]
pub fn assert_fails(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.errors.len(), 1, "{ended:?}");
    let line = &ended.errors[0];
    assert!(line.starts_with("error: "), "{line}");
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

#[track_caller]
pub fn assert_succeeds(ended: &Ended, output: &[&str]) {
    assert_eq!((ended.code, &ended.errors[..]), (Some(0), &[][..]));
    assert_eq!(ended.output, output);
}

// ---- Servers ----

/// Starts a step's server on a free port, and returns it with its address.
pub fn server(exe: &str) -> (Program, String) {
    launch_server(Command::new(exe).args(["server", "127.0.0.1:0"]))
}

pub fn launch_server(command: &mut Command) -> (Program, String) {
    let mut server = Program::launch(command);
    let address = address_in(&server.line());
    (server, address)
}

/// Starts a server and closes its stdout after the first line.
pub fn launch_server_without_output(command: &mut Command) -> (Program, String) {
    let (server, output) = Program::spawn(command);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    (server, address_in(line.trim_end()))
}

/// Starts a server that can open file descriptors up to number `limit` - 1. (0, 1 and 2 are its
/// standard streams. Others below 10 that the shell may have are closed first.)
#[cfg(target_os = "linux")]
pub fn server_with_descriptors(limit: u32, exe: &str, args: &[&str]) -> (Program, String) {
    let script = format!(
        "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        ulimit -n {limit} && exec \"$0\" server 127.0.0.1:0 \"$@\""
    );
    launch_server(Command::new("sh").args(["-c", &script, exe]).args(args))
}

fn address_in(line: &str) -> String {
    let address = line.strip_prefix("listening on ");
    address.expect("a server's first line").to_string()
}

/// A server that treats its one client as `talk` says. Returns its address.
pub fn fake_server(talk: fn(Client)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || talk(Client::new(listener.accept().unwrap().0)));
    address
}

/// What a test's `body` writes to stdout: that of a server which runs inside the test would
/// stand among the results. So the test runs once more, in a process of its own.
pub fn log_of(test: &str, body: fn()) -> String {
    if env::var_os("LOG_OF").is_some() {
        body();
        process::exit(0);
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("LOG_OF", test)
        .output()
        .unwrap();
    let [log, errors] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
    assert!(output.status.success(), "{log}{errors}");
    log
}

/// Waits until a server has set its timeouts on `stream`, checks that they are the promised
/// `seconds`, and makes them short: no test can wait so long.
pub fn shorten_timeouts(stream: &TcpStream, seconds: u64) {
    let begin = Instant::now();
    let set = loop {
        match [stream.read_timeout(), stream.write_timeout()] {
            [Ok(Some(read)), Ok(Some(write))] => break [read, write],
            _ => assert!(begin.elapsed() < TIMEOUT, "no timeout is set"),
        }
        thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(set, [Duration::from_secs(seconds); 2]);
    let short = Some(Duration::from_millis(50));
    stream.set_read_timeout(short).unwrap();
    stream.set_write_timeout(short).unwrap();
}

// ---- Clients ----

/// A client for what no well-behaved program does (or the other end of a connection).
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(address: &str) -> Client {
        Client::new(TcpStream::connect(address).unwrap())
    }

    pub fn new(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        Client(BufReader::new(stream))
    }

    /// Both ends of a connection: the client, and what a server gets from `accept`.
    pub fn accepted() -> (Client, TcpStream, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::connect(&listener.local_addr().unwrap().to_string());
        let (accepted, peer) = listener.accept().unwrap();
        (client, accepted, peer)
    }

    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// The client's address, as the server sees it.
    pub fn address(&self) -> String {
        self.stream().local_addr().unwrap().to_string()
    }

    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Sends each byte in a write of its own.
    pub fn dribble(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
            thread::yield_now();
        }
    }

    /// Half-closes: the server reads the end of the stream.
    pub fn finish(&self) {
        let _ = self.stream().shutdown(Shutdown::Write);
    }

    /// Receives exactly `bytes`.
    #[track_caller]
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut received = vec![0; bytes.len()];
        self.0.read_exact(&mut received).unwrap();
        let shown = String::from_utf8_lossy(&received[..received.len().min(200)]);
        let wanted = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        assert!(received == bytes, "{shown:?}, not {wanted:?}");
    }

    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// Everything until the peer closes the connection, be it with a reset.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Err(error) if is_timeout(&error) => panic!("not closed after {bytes:?}"),
            _ => String::from_utf8(bytes).unwrap(),
        }
    }

    /// Whether nothing comes for a moment: no byte, and no end of stream.
    pub fn is_silent(&mut self) -> bool {
        self.stream().set_read_timeout(Some(MOMENT)).unwrap();
        let result = self.0.fill_buf().map(|_| ());
        self.stream().set_read_timeout(Some(TIMEOUT)).unwrap();
        result.is_err_and(|error| is_timeout(&error))
    }

    /// Closes the connection with a reset, which closing with unread bytes does.
    pub fn reset(self) {
        assert_eq!(
            self.stream().peek(&mut [0]).unwrap(),
            1,
            "nothing is unread"
        );
    }
}

pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

// ---- What every step has in common ----

/// A step, for the tests that every step has.
pub struct Step<'a> {
    pub name: &'a str,
    pub exe: &'a str,
    /// Its default address.
    pub address: &'a str,
    /// What follows the server's address on the command line.
    pub server_args: &'a [&'a str],
    /// What stands before the client's address.
    pub client_args: &'a [&'a str],
}

impl Step<'_> {
    pub fn server(&self, address: &str) -> Command {
        let mut command = Command::new(self.exe);
        command.args(["server", address]).args(self.server_args);
        command
    }

    fn client(&self, address: &str) -> Ended {
        let args = [&["client"], self.client_args, &[address]].concat();
        run(self.exe, &args, "hello\n")
    }

    /// Plays the transcripts in ../README.md and in the step's own page.
    pub fn check_transcripts(&self) {
        transcripts::play(self);
    }

    pub fn check_command_line(&self) {
        let help = run(self.exe, &["--help"], "");
        assert_eq!((help.code, &help.errors[..]), (Some(0), &[][..]));
        let usage = help.output;
        let text = usage.join("\n");
        assert!(text.starts_with(&format!("Usage: cargo run -p {} ", self.name)));
        assert!(text.contains(self.address), "{text}");

        let nonsense: [&[&str]; 4] = [
            &["sever"],
            &["--help", "server"],
            &["server", "127.0.0.1:0", "here", "too", "much"],
            &["client", "127.0.0.1:1", "here", "too", "much"],
        ];
        for args in nonsense {
            let ended = run(self.exe, args, "");
            assert_eq!((ended.code, &ended.errors), (Some(2), &usage), "{args:?}");
            assert!(ended.output.is_empty());
        }
        #[cfg(unix)]
        {
            let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
            let ended = Program::launch(Command::new(self.exe).arg(not_utf8)).end();
            assert_eq!((ended.code, ended.errors), (Some(2), usage));
        }
        self.check_wrong_addresses();
    }

    /// Addresses that are none, and one that is taken.
    fn check_wrong_addresses(&self) {
        for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
            let server = Program::launch(&mut self.server(nonsense)).end();
            assert_fails(&server, &["cannot listen on ", nonsense]);
            assert_fails(&self.client(nonsense), &["cannot reach ", nonsense]);
        }
        let (_server, taken) = launch_server(&mut self.server("127.0.0.1:0"));
        let second = Program::launch(&mut self.server(&taken)).end();
        assert_fails(&second, &["cannot listen on ", &taken]);
    }

    /// That a client says what nobody at `address` means. The port of `Client::accepted` is
    /// taken, so that no one else gets it, and nobody listens there.
    pub fn check_nobody_listening(&self) {
        let (client, _accepted, _) = Client::accepted();
        let hint = format!("(cargo run -p {})", self.name);
        let parts = ["cannot reach ", &client.address(), "os error", &hint];
        assert_fails(&self.client(&client.address()), &parts);
    }

    /// That a client reaches a server by name, and over IPv6 if this machine has it.
    pub fn check_hosts(&self) {
        self.check_host("127.0.0.1:0", "localhost");
        self.check_ipv6();
    }

    pub fn check_ipv6(&self) {
        if TcpListener::bind("[::1]:0").is_ok() {
            self.check_host("[::1]:0", "[::1]");
        }
    }

    pub fn check_host(&self, own: &str, host: &str) {
        let (_server, address) = launch_server(&mut self.server(own));
        let (_, port) = address.rsplit_once(':').unwrap();
        let client = self.client(&format!("{host}:{port}"));
        assert_eq!(client.code, Some(0), "{host}: {client:?}");
    }

    pub fn check_default_address(&self) {
        assert!(self.address.to_socket_addrs().is_ok());
        let mut server = Program::start(self.exe, &[]);
        // Another server may be running there while the tests are: then the error names it.
        assert!(server.first_line().contains(self.address));
    }
}
