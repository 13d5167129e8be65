//! You need not read this file to follow the course: it is the plumbing of the tests. It finds the
//! server that tests/protocol.rs checks: this step's own or, if MY_SERVER names its address,
//! anyone's. That one is checked for 30 seconds in all.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{self, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{env, thread};

use super::{Client, Program, TIMEOUT, server};

/// A server under test.
pub struct Subject {
    pub address: String,
    /// Its process, unless it is somebody else's.
    own: Option<Program>,
}

impl Subject {
    /// The server that MY_SERVER names, or this step's own.
    pub fn new() -> Subject {
        if let Some(address) = env::var_os("MY_SERVER") {
            run_one_by_one();
            assert!(time_left() > SHORTEST, "\n  Not tried: the checks before it took too long.");
            return Subject { address: address.to_string_lossy().into(), own: None };
        }
        let (program, address) = server();
        Subject { address, own: Some(program) }
    }

    /// Connects a client, which must be possible because of a `rule`.
    #[track_caller]
    pub fn connect(&self, rule: &str) -> Client {
        let stream = connect(&self.address).unwrap_or_else(|error| {
            panic!("\n  rule:     {rule}\n  {}", why_not(&self.address, &error))
        });
        *LAST_SEEN.lock().unwrap() = Some(this_check());
        Client::new(stream)
    }
}

/// Like TcpStream::connect, but not for minutes, which it takes if the server's backlog is full.
fn connect(address: &str) -> io::Result<TcpStream> {
    let mut result = Err(io::ErrorKind::InvalidInput.into());
    for address in address.to_socket_addrs()? {
        result = result.or_else(|_| TcpStream::connect_timeout(&address, patience()));
    }
    result
}

/// The last check that could connect. None: another one could not.
static LAST_SEEN: Mutex<Option<String>> = Mutex::new(Some(String::new()));

/// The name of the test, which is also that of its thread.
fn this_check() -> String {
    thread::current().name().unwrap_or("an earlier check").to_string()
}

/// Says why there is no connection. Only the first check says that nobody listens.
fn why_not(address: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::TimedOut {
        return format!("{address} is out of reach, or busy with an earlier client.");
    }
    let Some(last_seen) = LAST_SEEN.lock().unwrap().take() else {
        return "Not tried, because nobody listens.".to_string();
    };
    let advice = match last_seen.as_str() {
        _ if error.raw_os_error().is_none() => "Check MY_SERVER's HOST:PORT.".to_string(),
        "" => "Start your server there, in another terminal, then try again.".to_string(),
        last if last == this_check() => "Your server ended during this check.".to_string(),
        last => format!("Your server ended during {last} or after it. Fix that first."),
    };
    format!("Nobody listens at {address}: {error}. {advice}")
}

/// Unless this process runs one test at a time, in the order of their names (or as many as the user
/// has chosen), starts one that does, shows what it prints, and ends as it does.
fn run_one_by_one() {
    static FIRST: Mutex<()> = Mutex::new(());
    let _first = FIRST.lock();
    let is_chosen = env::args().any(|arg| arg.starts_with("--test-threads"));
    let is_alone = thread::available_parallelism().is_ok_and(|count| count.get() == 1);
    if is_chosen || is_alone || env::var_os("RUST_TEST_THREADS").is_some() {
        return;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(env::args_os().skip(1)).env("RUST_TEST_THREADS", "1").stdout(Stdio::piped());
    let mut child = again.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        output.skip_until(b'\n').unwrap(); // "running …": this process has printed that
    }
    io::copy(&mut output, &mut io::stdout()).unwrap();
    process::exit(child.wait().unwrap().code().unwrap_or(1));
}

/// The last wait, when the time for all checks is over.
pub const SHORTEST: Duration = Duration::from_millis(100);

/// How long everything that follows may take: 28 seconds in all for somebody else's server.
pub fn time_left() -> Duration {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let elapsed = BEGIN.get_or_init(Instant::now).elapsed();
    let is_own = env::var_os("MY_SERVER").is_none();
    if is_own { TIMEOUT } else { Duration::from_secs(28).saturating_sub(elapsed).max(SHORTEST) }
}

/// How long to wait for one thing: 5 seconds at most for somebody else's server.
pub fn patience() -> Duration {
    let most = if env::var_os("MY_SERVER").is_none() { TIMEOUT } else { TIMEOUT / 4 };
    time_left().min(most)
}
