//! You need not read this file to follow the course: it is the plumbing of the tests. It starts the
//! real programs as a person does and watches their terminals. All crates share it.
#![allow(dead_code, unused_imports)] // none uses all of it

pub mod client;
pub mod subject;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::resume_unwind;
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, fs, path::PathBuf};

pub use client::{Client, is_timeout};

/// How long to wait for something that must happen: only a broken program takes this long.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to watch for something that must not happen.
pub const MOMENT: Duration = Duration::from_millis(100);

/// The largest datagram that the operating system sends, in bytes. UDP allows 65,507, but macOS
/// has a limit of its own (`net.inet.udp.maxdgram`).
pub const MAX_DATAGRAM: usize = if cfg!(target_os = "macos") { 9216 } else { 65507 };

/// The step whose tests these are.
pub const STEP: &str = env!("CARGO_PKG_NAME");

/// The step's default address.
pub fn default_address() -> &'static str {
    match STEP {
        "tcp-basic" => "127.0.0.1:6666",
        "tcp-loop" => "127.0.0.1:7890",
        "file-upload" => "127.0.0.1:9999",
        _ => "127.0.0.1:8080",
    }
}

// ---- Programs ----

/// The step's program, which Cargo has built beside the tests.
pub fn exe() -> PathBuf {
    let test = env::current_exe().unwrap(); // in the folder deps
    test.ancestors().nth(2).unwrap().join(STEP).with_extension(env::consts::EXE_EXTENSION)
}

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
    pub fn start(args: &[&str]) -> Program {
        Program::launch(Command::new(exe()).args(args))
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
            Err(RecvTimeoutError::Timeout) => panic!("the program printed no line for {TIMEOUT:?}"),
            Err(_) => panic!("the program ended: {:?}", self.errors.iter().collect::<Vec<_>>()),
        }
    }

    /// Its first line of output, on stdout or, if it fails, on stderr.
    pub fn first_line(&mut self) -> String {
        let line = self.output.recv_timeout(TIMEOUT);
        line.or_else(|_| self.errors.recv_timeout(TIMEOUT)).expect("the program printed nothing")
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
    pub fn end(mut self) -> Ended {
        drop(self.input.take());
        let begin = Instant::now();
        while self.is_running() {
            assert!(begin.elapsed() < TIMEOUT, "the program is still running after {TIMEOUT:?}");
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

/// Runs the step's program to its end, with `input` typed into it.
pub fn run(args: &[&str], input: &str) -> Ended {
    let mut program = Program::start(args);
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

/// An empty directory.
pub fn directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let test = env::var("LOG_OF").unwrap_or_default(); // a test that runs once more
    let name = format!("{STEP}-{}-{count}{test}", env!("CARGO_CRATE_NAME"));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The step's program in a directory of its own.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(exe());
    command.args(args).current_dir(directory());
    command
}

/// Starts the step's server on a free port, and returns it with its address.
pub fn server() -> (Program, String) {
    launch_server(&mut command(&["server", "127.0.0.1:0"]))
}

pub fn launch_server(command: &mut Command) -> (Program, String) {
    let mut server = Program::launch(command);
    let line = server.line();
    (server, line.strip_prefix("listening on ").expect("a server's first line").to_string())
}

/// Starts the step's server and connects a client, which reads the greeting.
pub fn server_and_client(greeting: &str) -> (Program, Client) {
    let (server, address) = server();
    let mut client = Client::connect(&address);
    client.expects(greeting, "");
    (server, client)
}

/// Starts a server that can open file descriptors up to number `limit` - 1. (0, 1 and 2 are its
/// standard streams. Others below 10 that the shell may have are closed first.)
#[cfg(target_os = "linux")]
pub fn server_with_descriptors(limit: u32, args: &[&str]) -> (Program, String) {
    let close = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
    let script = format!("{close}; ulimit -n {limit} && exec \"$0\" server 127.0.0.1:0 \"$@\"");
    launch_server(Command::new("sh").args(["-c", &script]).arg(exe()).args(args))
}

/// A server inside the test, which treats its one client as `talk` says. What fails in its thread
/// fails the test, at the latest when this is dropped.
pub struct FakeServer {
    pub address: String,
    thread: Option<JoinHandle<()>>,
}

pub fn fake_server(talk: impl FnOnce(Client) + Send + 'static) -> FakeServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || talk(Client::new(listener.accept().unwrap().0)));
    FakeServer { address, thread: Some(thread) }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        let _ = TcpStream::connect(&self.address); // ends an accept that nobody answered
        let result = self.thread.take().unwrap().join();
        if let (Err(panic), false) = (result, thread::panicking()) {
            resume_unwind(panic);
        }
    }
}

/// What a server logs about a client that sends `bytes`, then falls silent, and what the client
/// receives. Its timeouts must be `seconds` (here they are shortened). The log of a server inside
/// the test would stand among the results, so the test runs once more, in a process of its own.
pub fn log_of_silence(test: &str, handle: Handler, seconds: u64, bytes: &str) -> String {
    if env::var_os("LOG_OF").is_none() {
        let mut again = Command::new(env::current_exe().unwrap());
        let again = again.args([test, "--exact", "--nocapture"]).env("LOG_OF", test);
        let output = again.current_dir(directory()).output();
        return String::from_utf8(output.unwrap().stdout).unwrap();
    }
    let (mut client, accepted, peer) = Client::accepted();
    let same = accepted.try_clone().unwrap();
    let server = thread::spawn(move || handle(accepted, peer));
    shorten_timeouts(same, seconds);
    client.send(bytes); // ends the read under way, which began with the long timeout
    println!("received: {:?}", client.rest());
    drop(client);
    server.join().unwrap();
    process::exit(0);
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
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
}
