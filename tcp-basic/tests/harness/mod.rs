//! Runs the real binaries as a student does, and watches what their terminals show.
//!
//! Every crate's tests include this one file; none uses all of it.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for what must come: only a broken program takes so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long to watch for what must not come.
pub const A_MOMENT: Duration = Duration::from_millis(200);

/// The most bytes in a datagram that the system sends. UDP allows 65,507, but macOS has a
/// lower limit of its own (`net.inet.udp.maxdgram`).
pub const LARGEST_DATAGRAM: usize = if cfg!(target_os = "macos") {
    9216
} else {
    65507
};

/// A running program: what is typed into it, and the lines that come out.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    errors: Receiver<String>,
}

/// What a program has left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// The lines of stdout that no call of `line` has taken.
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

    /// Like `launch`, but leaves stdout to the caller.
    pub fn spawn(command: &mut Command) -> (Program, ChildStdout) {
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

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the program a signal, such as STOP (Ctrl-Z) or CONT (fg).
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// A number that Linux keeps about the program, such as its `Threads:`, or `VmHWM:`,
    /// the most memory that it has had, in kB.
    #[cfg(target_os = "linux")]
    pub fn status(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The next line on stdout.
    pub fn line(&mut self) -> String {
        match self.output.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("it ended: {:?}", self.errors.iter().collect::<Vec<_>>())
            }
        }
    }

    /// The first line that it prints, on stdout or, if it fails, on stderr.
    pub fn first_line(&mut self) -> String {
        let line = self.output.recv_timeout(PATIENCE);
        line.or_else(|_| self.errors.recv_timeout(PATIENCE))
            .expect("it prints nothing")
    }

    /// Reads on until a line contains `part`, and returns that line.
    pub fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    pub fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).expect("it has closed its input");
    }

    /// Ends the input and waits for the program's own end.
    pub fn end(mut self) -> Ended {
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(1));
        };
        Ended {
            code: status.code(),
            output: self.output.iter().collect(),
            errors: self.errors.iter().collect(),
        }
    }

    /// Ends the program, as Ctrl-C would, and returns the lines of stdout left.
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

/// The lines of a stream, as they come. The thread ends with the stream.
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
    // A thread of its own: the program may print before it has read everything.
    let typist = thread::spawn(move || {
        let _ = pipe.write_all(input.as_bytes());
    });
    let ended = program.end();
    typist.join().unwrap();
    ended
}

/// Starts a step's server on a free port; returns it and its address.
pub fn server(exe: &str) -> (Program, String) {
    server_with(exe, &[])
}

/// The same, with `args` after the server's address.
pub fn server_with(exe: &str, args: &[&str]) -> (Program, String) {
    launch_server(Command::new(exe).args(["server", "127.0.0.1:0"]).args(args))
}

/// Starts a server with this command; returns it and its address.
pub fn launch_server(command: &mut Command) -> (Program, String) {
    let mut server = Program::launch(command);
    let line = server.line();
    let address = line
        .strip_prefix("listening on ")
        .unwrap_or_else(|| panic!("not a server's first line: {line:?}"));
    (server, address.to_owned())
}

/// Starts a step's server and closes its stdout after the first line.
pub fn server_without_output(exe: &str) -> (Program, String) {
    launch_server_without_output(Command::new(exe).args(["server", "127.0.0.1:0"]))
}

/// Starts a server with this command and closes its stdout after the first line.
pub fn launch_server_without_output(command: &mut Command) -> (Program, String) {
    let (server, output) = Program::spawn(command);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap();
    (server, address.to_owned())
}

/// A server that treats its one caller as `talk` says; returns its address.
pub fn fake_server(talk: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || talk(listener.accept().unwrap().0));
    address
}

/// Says `words` to a client, be it spoken to or not, and hangs up.
pub fn recite(mut stream: TcpStream, words: &[u8]) {
    stream.write_all(words).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    hear_all(&stream);
}

/// A caller of our own, for what no well-behaved client does.
pub fn call(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A caller whom tcp-threaded has welcomed.
pub fn greeted(address: &str) -> TcpStream {
    let caller = call(address);
    assert_eq!(hear(&caller, 8), "welcome\n");
    caller
}

/// Reads exactly `count` bytes, as text.
pub fn hear(mut stream: &TcpStream, count: usize) -> String {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Everything until the other side hangs up, be it with a reset.
pub fn hear_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if is_timeout(&error) => panic!("they do not hang up after {bytes:?}"),
        _ => bytes,
    }
}

/// Whether nothing at all comes for a moment: no byte, and no hanging up.
pub fn is_silent(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(A_MOMENT)).unwrap();
    let result = stream.peek(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    result.is_err_and(|error| is_timeout(&error))
}

/// That the server hangs up in order on a caller who has heard its last word: no reset
/// follows, though it may not have read all that the caller said.
pub fn assert_no_reset(server: &mut Program, caller: &TcpStream) {
    thread::sleep(A_MOMENT); // time for a hasty server to close
    let _ = caller.shutdown(Shutdown::Write); // or ours would listen for a second
    server.line_with("disconnected"); // it has closed, and a reset would show:
    assert!(caller.take_error().unwrap().is_none());
}

/// Hangs up with a reset: that is what closing does while bytes lie unread.
pub fn reset(stream: TcpStream) {
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1, "nothing lies unread");
    drop(stream);
}

/// Both ends of a connection: the caller's, the server's, and the caller's address.
pub fn connection() -> (TcpStream, TcpStream, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let caller = call(&listener.local_addr().unwrap().to_string());
    let (accepted, peer) = listener.accept().unwrap();
    (caller, accepted, peer)
}

/// Fills all buffers on the way from `stream` to a peer who does not read.
pub fn stuff(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let mut refusals = 0;
    while refusals < 5 {
        match stream.write(&[0; 65536]) {
            Ok(_) => refusals = 0,
            // The kernel may still be passing bytes on to the peer's side: try again.
            Err(error) if is_timeout(&error) => {
                refusals += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
}

pub fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut)
}

/// What holds for the command line of every step.
pub fn check_command_line(exe: &str, step: &str, default_address: &str) {
    let help = run(exe, &["--help"], "");
    assert_eq!(help.code, Some(0));
    assert!(help.errors.is_empty());
    let usage = help.output;
    let text = usage.join("\n");
    assert!(text.starts_with("Usage: "), "{text}");
    assert!(text.contains(&format!("cargo run -p {step} ")), "{text}");
    assert!(text.contains(default_address), "{text}");

    let nonsense: [&[&str]; 4] = [
        &["sever"],
        &["--help", "server"],
        &["server", "127.0.0.1:0", "here", "too", "much"],
        &["client", "127.0.0.1:1", "here", "too", "much"],
    ];
    for args in nonsense {
        let ended = run(exe, args, "");
        assert_eq!((ended.code, &ended.errors), (Some(2), &usage), "{args:?}");
        assert!(ended.output.is_empty());
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let not_utf8 = std::ffi::OsStr::from_bytes(b"\xff");
        let ended = Program::launch(Command::new(exe).arg("client").arg(not_utf8)).end();
        assert_eq!((ended.code, ended.errors), (Some(2), usage));
    }
}

/// One line on stderr that begins with `error: `, and exit 1: how every failure ends.
pub fn assert_fails(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.errors.len(), 1, "{ended:?}");
    let line = &ended.errors[0];
    assert!(line.starts_with("error: "), "{line}");
    assert!(!line.contains("Os {") && !line.contains("  "), "{line}");
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

/// What holds for the addresses of every TCP step. `server_args` come after the server's
/// address, `client_args` before the client's.
pub fn check_tcp_addresses(exe: &str, step: &str, server_args: &[&str], client_args: &[&str]) {
    // A caller's own port: taken, so that no one else gets it, and nobody listens there.
    let (caller, _accepted, closed) = connection();
    let closed = closed.to_string();
    let args = [&["client"], client_args, &[&closed]].concat();
    let refused = run(exe, &args, "hello\n");
    let line = format!(
        "error: cannot reach {closed}: Connection refused; \
         start the server first: cargo run -p {step}"
    );
    assert_eq!((refused.code, refused.errors), (Some(1), vec![line]));
    drop(caller);

    check_wrong_addresses(exe, server_args, client_args);
}

/// Addresses that are none, and one that is taken.
pub fn check_wrong_addresses(exe: &str, server_args: &[&str], client_args: &[&str]) {
    for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
        let args = [&["server", nonsense], server_args].concat();
        assert_fails(&run(exe, &args, ""), &[nonsense, "cannot listen on "]);
        let args = [&["client"], client_args, &[nonsense]].concat();
        assert_fails(&run(exe, &args, "hello\n"), &[nonsense, "cannot reach "]);
    }

    let (_server, taken) = server_with(exe, server_args);
    let args = [&["server", &taken], server_args].concat();
    let parts = [
        "cannot listen on ",
        &taken,
        "cargo run -p",
        "server 127.0.0.1:0",
    ];
    assert_fails(&run(exe, &args, ""), &parts);
}

/// The hosts to check by `client_of`.
pub const HOSTS: [&str; 2] = ["localhost", "[::1]"];

/// Starts a server on `host` and says hello to it under that name; None if this machine has
/// no such host (no IPv6).
pub fn client_of(
    exe: &str,
    host: &str,
    server_args: &[&str],
    client_args: &[&str],
) -> Option<Ended> {
    let address = format!("{host}:0");
    TcpListener::bind(&address).ok()?;
    let args = [&["server", &address], server_args].concat();
    let (_server, real) = launch_server(Command::new(exe).args(args));
    let (_, port) = real.rsplit_once(':').unwrap();
    let address = format!("{host}:{port}");
    let args = [&["client"], client_args, &[&address]].concat();
    Some(run(exe, &args, "hello\n"))
}

/// That a client gives up on a silent server, and when: too late for a test to wait.
pub fn check_time_limits(connect: fn(&str) -> Result<TcpStream, Box<dyn Error>>, seconds: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = connect(&listener.local_addr().unwrap().to_string()).unwrap();
    for limit in [stream.read_timeout(), stream.write_timeout()] {
        assert_eq!(limit.unwrap(), Some(Duration::from_secs(seconds)));
    }
}

/// Plays every conversation with `step` that the README shows in ```console blocks,
/// and compares what the terminals show with what it prints, ports aside.
///
/// A conversation begins with the server's command and lasts to the next `cargo run`
/// of a server or of another step. Lines after a "> " prompt are typed. `server_args`
/// come after the server's address, `client_args` before the client's.
pub fn play_readme(exe: &str, step: &str, server_args: &[&str], client_args: &[&str]) {
    let mut played = 0;
    let mut conversation: Option<(Program, String, VecDeque<String>)> = None;
    for (command, screen) in readme_commands() {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        match command[..] {
            ["cargo", "run", "-p", name, "--", "client", ref args @ ..] if name == step => {
                let (server, address, log) = conversation.as_mut().expect("a server comes first");
                let message = args.get(1..).unwrap_or_default();
                let args = [&["client"], client_args, &[address.as_str()], message].concat();
                play(Program::start(exe, &args), &screen);
                compare_log(server, log);
                played += 1;
            }
            ["cargo", "run", "-p", name, ..] => {
                end_conversation(conversation.take());
                if name == step {
                    let (server, address) = server_with(exe, server_args);
                    let mut log = VecDeque::from(screen);
                    assert!(log.pop_front().unwrap().starts_with("listening on "));
                    conversation = Some((server, address, log));
                }
            }
            ["printf", text, "|", "nc", "127.0.0.1", _] => {
                if let Some((server, address, log)) = &mut conversation {
                    let text = text.replace(r"\r", "\r").replace(r"\n", "\n");
                    let mut stream = call(address);
                    stream.write_all(text.as_bytes()).unwrap();
                    let answers = String::from_utf8(hear_all(&stream)).unwrap();
                    assert_eq!(answers.lines().collect::<Vec<_>>(), screen);
                    drop(stream);
                    compare_log(server, log);
                }
            }
            _ => panic!("the README shows a command that nobody plays: {command:?}"),
        }
    }
    end_conversation(conversation);
    assert!(played > 0, "the README shows no conversation with {step}");
}

/// Compares the server's lines with the README's to the end of one call. (Only then may
/// the next caller come: their thread might write its first line before.)
fn compare_log(server: &mut Program, log: &mut VecDeque<String>) {
    while let Some(line) = log.pop_front() {
        assert_eq!(ports_aside(&server.line()), ports_aside(&line));
        if line.ends_with(" disconnected") {
            break;
        }
    }
}

fn end_conversation(conversation: Option<(Program, String, VecDeque<String>)>) {
    if let Some((mut server, _, mut log)) = conversation {
        while !log.is_empty() {
            compare_log(&mut server, &mut log);
        }
        let more = server.kill();
        assert!(more.is_empty(), "lines that the README lacks: {more:?}");
    }
}

/// Each command in the README's ```console blocks, in words, and the lines below it.
fn readme_commands() -> Vec<(Vec<String>, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let mut commands: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut in_console = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
        } else if let (true, Some(command)) = (in_console, line.strip_prefix("$ ")) {
            // Every other piece between quotes is one word, spaces and all.
            let pieces = command.split('\'').enumerate();
            let words = pieces.flat_map(|(i, piece)| match i % 2 {
                0 => piece.split_whitespace().map(String::from).collect(),
                _ => vec![piece.to_string()],
            });
            commands.push((words.collect(), Vec::new()));
        } else if in_console {
            commands.last_mut().unwrap().1.push(line.to_string());
        }
    }
    commands
}

/// Types what the screen shows after a prompt, and expects the rest from the program.
fn play(mut program: Program, screen: &[String]) {
    let mut errors = Vec::new();
    for line in screen {
        if let Some(typed) = line.strip_prefix("> ") {
            program.type_line(typed);
        } else if line.starts_with("error: ") {
            errors.push(ports_aside(line));
        } else {
            assert_eq!(ports_aside(&program.line()), ports_aside(line));
        }
    }
    let ended = program.end();
    let seen: Vec<String> = ended.errors.iter().map(|line| ports_aside(line)).collect();
    assert_eq!((ended.output, seen), (Vec::new(), errors));
}

/// The line with PORT for each port number, and without the time an upload took: they
/// differ from run to run.
fn ports_aside(line: &str) -> String {
    let (line, _) = line.split_once(" bytes in ").unwrap_or((line, ""));
    let mut pieces = line.split("127.0.0.1:");
    let mut result = pieces.next().unwrap().to_string();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        result += &format!("127.0.0.1:PORT{rest}");
    }
    result
}
