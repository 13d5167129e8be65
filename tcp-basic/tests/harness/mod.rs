//! You need not read this file to follow the course: it is the plumbing of the tests. It starts the
//! real programs as a person does and watches their terminals. All crates share it.
#![allow(dead_code, unused_imports)] // none uses all of it

pub mod client;
pub mod subject;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, iter, panic, path::PathBuf, thread};

pub use client::{Client, is_timeout, receive_from};

/// How long to wait for something that must happen: only a broken program takes this long.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to watch for something that must not happen.
pub const MOMENT: Duration = Duration::from_millis(100);

/// The largest datagram that the operating system sends, in bytes. UDP allows 65,507, but macOS
/// has a limit of its own (`net.inet.udp.maxdgram`).
pub const MAX_DATAGRAM: usize = if cfg!(target_os = "macos") { 9216 } else { 65507 };

/// The step whose tests these are.
pub const STEP: &str = env!("CARGO_PKG_NAME");

/// The step's default address, as its usage names it.
pub fn default_address() -> String {
    let usage = run(&["--help"], "").output.concat();
    usage.split_once("such as ").unwrap().1.split(' ').next().unwrap().to_string()
}

// ---- Programs ----

/// The step's program, which Cargo has built.
pub const EXE: &str = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));

/// A running program: its input, and its output line by line.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    pub output: Receiver<String>,
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
        Program::launch(Command::new(EXE).args(args))
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

    /// The next line on stdout or, if no more come there, on stderr.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let line = self.output.recv_timeout(TIMEOUT);
        assert!(line != Err(RecvTimeoutError::Timeout), "the program printed no line");
        line.or_else(|_| self.errors.recv_timeout(TIMEOUT)).expect("the program has ended")
    }

    /// Reads lines until one contains `part`, and returns it.
    pub fn line_with(&mut self, part: &str) -> String {
        iter::repeat_with(|| self.line()).find(|line| line.contains(part)).unwrap()
    }

    pub fn type_in(&mut self, text: impl AsRef<[u8]>) {
        self.input.as_mut().unwrap().write_all(text.as_ref()).unwrap();
    }

    /// Closes its input and waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        drop(self.input.take());
        wait_until("the program is still running", || self.child.try_wait().unwrap().is_some());
        let code = self.child.wait().unwrap().code();
        Ended { code, output: self.output.iter().collect(), errors: self.errors.iter().collect() }
    }

    /// Kills the program, as `kill -9` would, and returns the remaining lines of stdout.
    pub fn kill(mut self) -> Vec<String> {
        let _ = self.child.kill();
        self.output.iter().collect()
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
    // In a thread, because the program may print, and end, before it has read everything.
    thread::spawn(move || pipe.write_all(input.as_bytes()));
    program.end()
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

/// Waits until `done`. Until then, `what` is wrong.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < TIMEOUT, "{what} after {TIMEOUT:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

// ---- Servers ----

/// An empty directory.
pub fn directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{STEP}-{}-{count}", env!("CARGO_CRATE_NAME"));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The step's program in a directory of its own.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(EXE);
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
    (server, line.strip_prefix("listening on ").expect(&line).to_string())
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
pub fn server_with_descriptors(limit: u32) -> (Program, String) {
    let close = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
    let script = format!("{close}; ulimit -n {limit} && exec \"$0\" server 127.0.0.1:0");
    launch_server(Command::new("sh").args(["-c", &script, EXE]).current_dir(directory()))
}

/// Runs the step's client, whose arguments `more` follow the address, with one line of input. It
/// talks to a server inside the test, which treats it as `talk` says. Returns also the address.
pub fn run_against(talk: impl FnOnce(Client) + Send + 'static, more: &[&str]) -> (Ended, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || talk(Client::new(listener.accept().unwrap().0)));
    let ended = run(&[&["client", &address], more].concat(), "hello\n");
    let _ = TcpStream::connect(&address); // ends an accept that nobody answered
    server.join().unwrap_or_else(|failure| panic::resume_unwind(failure));
    (ended, address)
}

/// A step's `handle_client`.
pub type Handler = fn(TcpStream, SocketAddr);

/// What a server logs about a client that sends `bytes`, then falls silent, and what the client
/// receives. Its timeouts must be `seconds`. (They are shortened: no test can wait so long.) The
/// log of a server inside the test would stand among the results, so the test runs once more, in a
/// process of its own.
pub fn log_of_silence(test: &str, handle: Handler, seconds: u64, bytes: &str) -> String {
    if env::var_os("LOG_OF").is_none() {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args([test, "--exact", "--nocapture"]).env("LOG_OF", test).current_dir(directory());
        return Program::launch(&mut again).end().output.join("\n");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Client::connect(&listener.local_addr().unwrap().to_string());
    let (accepted, peer) = listener.accept().unwrap();
    let same = accepted.try_clone().unwrap();
    let server = thread::spawn(move || handle(accepted, peer));
    let timeouts = || [same.read_timeout(), same.write_timeout()].map(Result::unwrap);
    wait_until("no timeouts are set", || !timeouts().contains(&None));
    assert_eq!(timeouts(), [Some(Duration::from_secs(seconds)); 2]);
    same.set_read_timeout(Some(2 * MOMENT)).unwrap();
    same.set_write_timeout(Some(2 * MOMENT)).unwrap();
    client.send(bytes); // ends the read under way, which began with the long timeout
    let _ = client.stream().peek(&mut [0]); // Then all options are set.
    println!("nodelay: {}", same.nodelay().unwrap());
    drop(same);
    println!("received: {:?}", client.rest());
    drop(client);
    server.join().unwrap();
    process::exit(0);
}
