//! Clients and servers that misbehave, and what step 3 still gets wrong.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::{io::ErrorKind, thread};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-threaded");

fn assert_answers(client: &mut Client) {
    client.send("you\n");
    client.expect("Hello you\n");
}

// ---- Still wrong: `ok` means that the flaw is there ----

#[cfg(target_os = "linux")]
#[test]
fn every_client_costs_a_thread() {
    let (server, address) = harness::server(EXE);
    let before = server.status("Threads:");
    let _silent: Vec<Client> = (0..100).map(|_| Client::greeted(&address)).collect();
    assert_eq!(server.status("Threads:"), before + 100);
}

#[test]
fn a_message_cannot_contain_a_newline() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    client.send("one name\nor two?\n");
    client.expect("Hello one name\nHello or two?\n");
}

#[test]
fn closing_with_unread_bytes_resets() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    // More than the server takes in one read, so something is left unread.
    let sent = client.try_send([b"exit\n", &[b'a'; 100_000][..]].concat());
    let received = sent.and_then(|()| client.stream().peek(&mut [0])).map_err(|e| e.kind());
    let resets = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    assert!(cfg!(windows) || resets.map(Err).contains(&received), "{received:?}");
}

// ---- Misbehaving clients ----

#[test]
fn too_long_line_is_skipped() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    for length in [1024, 1025, 2048, 100_000] {
        client.send("a".repeat(length));
        client.send("\nyou\n");
        client.expect("error: line too long\nHello you\n");
    }
    client.send("a".repeat(1024));
    client.finish();
    assert_eq!(client.rest(), "error: line too long\n");
}

#[test]
fn endless_line_does_not_fill_memory() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    for _ in 0..30 {
        client.send([b'a'; 1_000_000]);
    }
    client.send("\n");
    client.expect("error: line too long\n");
    #[cfg(target_os = "linux")]
    assert!(_server.status("VmHWM:") < 10_000, "kB");
    assert_answers(&mut client);
}

#[test]
fn invalid_utf8_gets_an_answer() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    client.send(b"\xff\x00\xfe\n");
    client.expect("Hello \u{fffd}\0\u{fffd}\n");
    assert_answers(&mut client);
}

#[test]
fn client_shows_control_characters_escaped() {
    let (server, address) = harness::server(EXE);
    let client = run(EXE, &["client", &address], "\x1b]0;title\x07\n");
    assert_eq!(client.output[1], r#"server: "Hello \u{1b}]0;title\u{7}""#);
    assert!(!server.kill().concat().contains('\x1b'));
}

#[test]
fn clients_that_close_at_once() {
    let (_server, address) = harness::server(EXE);
    for _ in 0..100 {
        drop(Client::connect(&address));
    }
    assert_answers(&mut Client::greeted(&address));
}

#[test]
fn reset_ends_that_connection_alone() {
    let (mut server, address) = harness::server(EXE);
    let mut other = Client::greeted(&address);
    let mut client = Client::greeted(&address);
    let peer = client.address();
    client.send("Genji\nhalf a li");
    client.reset(); // the answer is unread
    server.line_with(&format!("{peer} failed: "));
    assert_answers(&mut other);
}

#[test]
fn silent_clients_hold_nobody_up() {
    let (_server, address) = harness::server(EXE);
    let _silent: Vec<Client> = (0..200).map(|_| Client::connect(&address)).collect();
    assert_answers(&mut Client::greeted(&address));
}

#[test]
fn silent_client_times_out() {
    let log = log_of_silence("silent_client_times_out", server::handle_client, 60, "half a li");
    assert!(log.contains(" timed out after 60s\n"), "{log}");
    assert!(log.contains("received: \"welcome\\n\"\n"), "{log}");
}

#[test]
fn client_that_never_reads_times_out() {
    let (mut client, accepted, _) = Client::accepted();
    let same = accepted.try_clone().unwrap();
    let server = thread::spawn(|| server::talk(accepted));
    shorten_timeouts(same, 60);
    // Until the server gives up, because its answers and these lines fill all buffers.
    let line = [&[b'a'; 1000][..], b"\n"].concat();
    while !server.is_finished() && client.try_send(&line).is_ok() {}
    let error = server.join().unwrap().unwrap_err();
    assert!(is_timeout(&error), "{error}");
}

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn refused_thread_costs_that_client_alone() {
    let mut command = std::process::Command::new(EXE);
    command.env("RUST_MIN_STACK", "4503599627370496");
    let (mut server, address) = launch_server(command.args(["server", "127.0.0.1:0"]));
    for _ in 0..3 {
        let mut client = Client::connect(&address);
        assert_eq!(client.rest(), "");
        let refused = format!("{} refused: no thread: ", client.address());
        assert!(server.line().starts_with(&refused));
    }
    assert!(server.is_running());
}

/// With descriptors 0 to 7 (standard streams, listener), four clients find room. The 10 ms pause
/// keeps the log short.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_costs_that_client_alone() {
    let (mut server, address) = server_with_descriptors(8, EXE, &[]);
    let mut clients: Vec<Client> = (0..4).map(|_| Client::greeted(&address)).collect();
    let mut fifth = Client::connect(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 2 * MOMENT);
    assert!((1..100).contains(&lines), "{lines}");
    assert!(fifth.is_silent());
    clients.iter_mut().for_each(assert_answers);
    clients.pop();
    fifth.expect("welcome\n");
    assert_answers(&mut fifth);
}

#[test]
fn closed_log_does_not_end_it() {
    let (mut server, address) = harness::server(EXE);
    server.close_output();
    for _ in 0..3 {
        assert_answers(&mut Client::greeted(&address));
    }
}

#[test]
fn small_answers_leave_at_once() {
    let (client, accepted, _) = Client::accepted();
    let same = accepted.try_clone().unwrap();
    client.finish();
    server::talk(accepted).unwrap();
    assert!(same.nodelay().unwrap());
}

// ---- Misbehaving servers ----

#[test]
fn closed_connection_is_reported() {
    for bytes in ["", "wel", "welcome\n", "welcome\nHello Gen"] {
        let address = fake_server(|server| server.recite(bytes));
        let client = run(EXE, &["client", &address], "Genji\n");
        assert_fails(&client, &[&address, "closed the connection"]);
    }
}

#[test]
fn glued_answers_are_told_apart() {
    let address = fake_server(|server| server.recite("welcome\nHello Genji\nHello Hanzo\n"));
    let client = run(EXE, &["client", &address], "Genji\nHanzo\nexit\n");
    let answers = ["server: \"welcome\"", "server: \"Hello Genji\"", "server: \"Hello Hanzo\""];
    assert_succeeds(&client, &answers);
}

#[test]
fn client_goes_on_after_an_error() {
    let (_server, address) = harness::server(EXE);
    let input = format!("{}\nGenji\nexit\n", "a".repeat(20_000_000));
    let client = run(EXE, &["client", &address], &input);
    assert_eq!(client.output[1..], ["server: \"error: line too long\"", "server: \"Hello Genji\""]);
    assert_eq!(client.code, Some(0));
}

#[test]
fn longest_answer_is_shown() {
    let address = fake_server(|server| server.recite(&format!("{}\n", "a".repeat(4095))));
    let client = run(EXE, &["client", &address], "");
    assert_succeeds(&client, &[&format!("server: \"{}\"", "a".repeat(4095))]);
}

#[test]
fn endless_answer_is_refused() {
    // It sends for as long as the client reads. If that were forever, `run` would fail.
    let address = fake_server(|mut server| while server.try_send([b'a'; 65536]).is_ok() {});
    let client = run(EXE, &["client", &address], "");
    assert_fails(&client, &[&address, "a huge line"]);
}
