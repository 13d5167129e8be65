//! You need not read this file to follow the course. It starts the real programs as a person
//! does, and watches their terminals. Every crate's tests share it, and none uses all of it.
#![allow(dead_code)]

pub mod transcripts;

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, path::PathBuf, thread};

/// How long to wait for something that must happen: only a broken program takes this long.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to watch for something that must not happen.
pub const MOMENT: Duration = Duration::from_millis(200);

/// The largest datagram that the operating system sends, in bytes. UDP allows 65,507, but macOS
/// has a limit of its own (`net.inet.udp.maxdgram`).
pub const MAX_DATAGRAM: usize = if cfg!(target_os = "macos") { 9216 } else { 65507 };

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
        let pipe = Stdio::piped;
        let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
        Program {
            input: child.stdin.take(),
            output: lines(child.stdout.take().unwrap()),
            errors: lines(child.stderr.take().unwrap()),
            child,
        }
    }

    /// A number from the program's /proc status, such as `Threads:` or `VmHWM:`, the most memory
    /// that it has had, in kB.
    #[cfg(target_os = "linux")]
    pub fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The next line on stdout.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.output.recv_timeout(TIMEOUT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
            Err(_) => panic!("it ended: {:?}", self.errors.iter().collect::<Vec<_>>()),
        }
    }

    /// Its first line of output, on stdout or, if it fails, on stderr.
    pub fn first_line(&mut self) -> String {
        let line = self.output.recv_timeout(TIMEOUT);
        line.or_else(|_| self.errors.recv_timeout(TIMEOUT)).expect("it prints nothing")
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

    /// How many lines with `part` come within a while.
    pub fn count_lines(&self, part: &str, duration: Duration) -> usize {
        thread::sleep(duration);
        self.output.try_iter().filter(|line| line.contains(part)).count()
    }

    /// Closes the pipe that takes its stdout, once the next line has come.
    pub fn close_output(&mut self) {
        self.output = channel().1;
    }

    pub fn type_in(&mut self, text: impl AsRef<[u8]>) {
        self.input.as_mut().unwrap().write_all(text.as_ref()).unwrap();
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
        let code = self.child.wait().unwrap().code();
        Ended { code, output: self.output.iter().collect(), errors: self.errors.iter().collect() }
    }

    /// Kills the program, as `kill -9` would, and returns the remaining lines of stdout.
    pub fn kill(mut self) -> Vec<String> {
        let _ = self.child.kill();
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

/// The lines of a stream as they arrive. The thread ends with the stream, or when nobody takes
/// its lines.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stream).lines();
        while lines.next().is_some_and(|line| sender.send(line.unwrap()).is_ok()) {}
    });
    receiver
}

/// Runs a program to its end, with `input` typed into it.
pub fn run(exe: &str, args: &[&str], input: &str) -> Ended {
    let mut program = Program::start(exe, args);
    let mut pipe = program.input.take().unwrap();
    let input = input.to_owned();
    // In a thread, because the program may print before it has read everything.
    let typist = thread::spawn(move || pipe.write_all(input.as_bytes()));
    let ended = program.end();
    let _ = typist.join().unwrap(); // it may have ended before it had read everything
    ended
}

/// One line on stderr that begins with `error: `, and exit code 1: how every failure ends.
#[track_caller]
pub fn assert_fails(ended: &Ended, parts: &[&str]) {
    assert!(ended.code == Some(1) && ended.errors.len() == 1, "{ended:?}");
    let line = &ended.errors[0];
    assert!(line.starts_with("error: "), "{line}");
    assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} are not all in {line:?}");
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
    let line = server.line();
    (server, line.strip_prefix("listening on ").expect("a server's first line").to_string())
}

/// Starts a step's server and connects a client, which reads the greeting.
pub fn server_and_client(exe: &str, greeting: &str) -> (Program, Client) {
    let (server, address) = server(exe);
    let mut client = Client::connect(&address);
    client.expect(greeting);
    (server, client)
}

/// Starts a server that can open file descriptors up to number `limit` - 1. (0, 1 and 2 are its
/// standard streams. Others below 10 that the shell may have are closed first.)
#[cfg(target_os = "linux")]
pub fn server_with_descriptors(limit: u32, exe: &str, args: &[&str]) -> (Program, String) {
    let close = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
    let script = format!("{close}; ulimit -n {limit} && exec \"$0\" server 127.0.0.1:0 \"$@\"");
    launch_server(Command::new("sh").args(["-c", &script, exe]).args(args))
}

/// A server that treats its one client as `talk` says. Returns its address.
pub fn fake_server(talk: impl FnOnce(Client) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || talk(Client::new(listener.accept().unwrap().0)));
    address
}

/// What a test's `body` writes to stdout: that of a server which runs inside the test would
/// stand among the results. So the test runs once more, in a process of its own.
pub fn log_of(test: &str, body: impl FnOnce()) -> String {
    if env::var_os("LOG_OF").is_some() {
        body();
        process::exit(0);
    }
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.args([test, "--exact", "--nocapture"]).env("LOG_OF", test).output().unwrap();
    let [log, errors] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
    assert!(output.status.success(), "{log}{errors}");
    log
}

/// What a server logs about a client that sends `bytes`, then falls silent, and what the client
/// receives. Its timeouts must be `seconds` (here they are shortened).
pub fn log_of_silence(test: &str, handle: Handler, seconds: u64, bytes: &str) -> String {
    log_of(test, || {
        let (mut client, accepted, peer) = Client::accepted();
        let same = accepted.try_clone().unwrap();
        let server = thread::spawn(move || handle(accepted, peer));
        shorten_timeouts(same, seconds);
        client.send(bytes); // ends the read under way, which began with the long timeout
        println!("received: {:?}", client.rest());
        server.join().unwrap();
    })
}

/// A step's `handle_client`.
pub type Handler = fn(TcpStream, SocketAddr);

/// Waits until a server has set its timeouts on `stream`, checks that they are the promised
/// `seconds`, and makes them short: no test can wait so long.
pub fn shorten_timeouts(stream: TcpStream, seconds: u64) {
    let begin = Instant::now();
    let timeouts = || [stream.read_timeout(), stream.write_timeout()].map(Result::unwrap);
    while timeouts().contains(&None) {
        assert!(begin.elapsed() < TIMEOUT, "no timeout is set");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(timeouts(), [Some(Duration::from_secs(seconds)); 2]);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
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

    /// A client that has read the greeting of step 3 or 5.
    pub fn greeted(address: &str) -> Client {
        let mut client = Client::connect(address);
        assert!(client.line().starts_with("welcome"));
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
        let mut received = vec![0; bytes.as_ref().len()];
        self.0.read_exact(&mut received).unwrap();
        let shown = String::from_utf8_lossy(&received[..received.len().min(99)]);
        assert!(received == bytes.as_ref(), "received {shown:?}");
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
        let result = self.0.read_to_end(&mut bytes);
        assert!(!result.is_err_and(|error| is_timeout(&error)), "still open, after {bytes:?}");
        String::from_utf8(bytes).unwrap()
    }

    /// Whether nothing comes for a moment: no byte, and no end of stream.
    pub fn is_silent(&mut self) -> bool {
        self.stream().set_read_timeout(Some(MOMENT)).unwrap();
        let result = self.0.fill_buf().map(|_| ());
        self.stream().set_read_timeout(Some(TIMEOUT)).unwrap();
        result.is_err_and(|error| is_timeout(&error))
    }

    /// Whether the peer closes the connection in the next seconds, and sends no more bytes.
    pub fn is_closed(&mut self) -> bool {
        self.stream().set_read_timeout(Some(TIMEOUT / 5)).unwrap();
        self.0.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// Closes the connection with a reset, which closing with unread bytes does.
    pub fn reset(self) {
        assert_eq!(self.stream().peek(&mut [0]).unwrap(), 1, "nothing is unread");
    }

    /// Sends `bytes` as a server, whatever the client sends, and closes gracefully.
    pub fn recite(mut self, bytes: &str) {
        self.send(bytes);
        self.finish();
        self.rest();
    }
}

pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

// ---- What every step has in common ----

/// A step, for the tests in every_step.rs.
pub struct Step<'a> {
    pub name: &'a str,
    pub exe: &'a str,
    /// Its default address.
    pub address: &'a str,
    /// What stands before the client's address on the command line.
    pub client_args: &'a [&'a str],
}

impl Step<'_> {
    /// A server's command, in a directory of its own.
    pub fn command(&self, args: &[&str]) -> Command {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}", self.name, COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(self.exe);
        command.args(args).current_dir(directory);
        command
    }

    pub fn server(&self, address: &str) -> (Program, String) {
        launch_server(&mut self.command(&["server", address]))
    }

    pub fn client(&self, address: &str) -> Ended {
        run(self.exe, &[&["client"], self.client_args, &[address]].concat(), "hello\n")
    }
}
