//! You need not read this file to follow the course: it is the plumbing of the tests. It finds the
//! server that tests/protocol.rs checks: this step's own or, if MY_SERVER names its address,
//! anyone's. Checks of that one take turns, in the order of their names, for 30 seconds in all.

use std::collections::BTreeSet;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::{env, io, thread};

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
            take_turn();
            return Subject { address: address.to_string_lossy().into(), own: None };
        }
        let (program, address) = server();
        Subject { address, own: Some(program) }
    }

    /// Connects a client, which must be possible because of a `rule`.
    #[track_caller]
    pub fn connect(&self, rule: &str) -> Client {
        match connect(&self.address) {
            Ok(stream) => {
                turns().last_seen = this_check();
                Client::new(stream)
            }
            Err(error) => {
                panic!("\n  rule:     {rule}\n  {}", nobody_listens(&self.address, error))
            }
        }
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

impl Drop for Subject {
    fn drop(&mut self) {
        turns().busy = false;
        NEXT.notify_all();
    }
}

/// Says why there is no connection. Only the first check says that nobody listens.
fn nobody_listens(address: &str, error: io::Error) -> String {
    let mut turns = turns();
    if error.kind() == io::ErrorKind::TimedOut {
        return format!(
            "{address} does not answer: it is busy with an earlier client, or out of reach."
        );
    }
    if turns.is_gone {
        return "Not tried, because nobody listens.".to_string();
    }
    turns.is_gone = true;
    let advice = match turns.last_seen.as_str() {
        _ if error.raw_os_error().is_none() => "MY_SERVER must be HOST:PORT.".to_string(),
        "" => "Start your server there, in another terminal, then try again.".to_string(),
        last if last == this_check() => "Your server ended during this check.".to_string(),
        last => format!("Your server ended during {last} or after it. Fix that first."),
    };
    format!("Nobody listens at {address}: {error}. {advice}")
}

// ---- Turns ----

struct Turns {
    waiting: BTreeSet<String>,
    busy: bool,
    /// When the first check began.
    begin: Option<Instant>,
    /// The last check that could connect.
    last_seen: String,
    /// Whether one could not.
    is_gone: bool,
}

static TURNS: Mutex<Turns> = Mutex::new(Turns {
    waiting: BTreeSet::new(),
    busy: false,
    begin: None,
    last_seen: String::new(),
    is_gone: false,
});
static NEXT: Condvar = Condvar::new();

/// How long all checks of somebody else's server may take.
const IN_ALL: Duration = Duration::from_secs(28);

fn turns() -> MutexGuard<'static, Turns> {
    TURNS.lock().unwrap()
}

/// The name of the test, which is also that of its thread.
fn this_check() -> String {
    thread::current().name().unwrap_or("an earlier check").to_string()
}

/// Waits until no other check is running and none with an earlier name is waiting.
fn take_turn() {
    turns().waiting.insert(this_check());
    // Until those that start with this one wait as well.
    let first = *turns().begin.get_or_insert_with(Instant::now);
    thread::sleep(Duration::from_millis(200).saturating_sub(first.elapsed()));
    let mut turns = turns();
    while turns.busy || turns.waiting.first() != Some(&this_check()) {
        turns = NEXT.wait(turns).unwrap();
    }
    turns.waiting.remove(&this_check());
    turns.busy = first.elapsed() < IN_ALL;
    let may_run = turns.busy;
    drop(turns);
    NEXT.notify_all();
    thread::sleep(Duration::from_millis(50)); // until the result before this one is printed
    assert!(may_run, "\n  Not tried, because the checks before it took too long. Fix those first.");
}

/// How long to wait for one thing.
pub fn patience() -> Duration {
    match env::var_os("MY_SERVER") {
        Some(_) => time_left().min(Duration::from_secs(5)),
        None => TIMEOUT,
    }
}

/// How long everything that follows may take.
pub fn time_left() -> Duration {
    let elapsed = turns().begin.map_or(Duration::ZERO, |begin| begin.elapsed());
    match env::var_os("MY_SERVER") {
        Some(_) => IN_ALL.saturating_sub(elapsed).max(Duration::from_millis(100)),
        None => TIMEOUT,
    }
}
