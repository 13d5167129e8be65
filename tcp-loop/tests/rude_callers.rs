//! Callers and servers that misbehave, and what step 2 still gets wrong.

#[path = "../src/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(target_os = "linux")]
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-loop");

fn assert_serves(server: &mut Program, address: &str) {
    assert!(server.is_running());
    assert_answers(&mut call(address));
}

fn assert_answers(caller: &mut TcpStream) {
    caller.write_all(b"still there?").unwrap();
    assert_eq!(hear(caller, 12), "STILL THERE?");
}

#[test]
fn the_second_caller_waits_for_the_first() {
    let (_server, address) = harness::server(EXE);
    let mut first = call(&address);
    assert_answers(&mut first);
    let mut second = call(&address); // connected, but only to the backlog
    second.write_all(b"me too").unwrap();
    assert!(is_silent(&second));
    assert_answers(&mut first);
    drop(first);
    assert_eq!(hear(&second, 6), "ME TOO");
}

#[test]
fn it_knows_no_messages_only_bytes() {
    let (mut server, address) = harness::server(EXE);
    let mut first = call(&address);
    assert_answers(&mut first);
    let mut second = call(&address);
    second.write_all(b"one").unwrap();
    second.write_all(b"two").unwrap();
    drop(first);
    let peer = second.local_addr().unwrap();
    server.line_with(&format!("{peer} connected"));
    assert_eq!(server.line(), format!("{peer}: \"onetwo\"")); // two sends, one read
    assert_eq!(hear(&second, 6), "ONETWO");
}

#[test]
fn one_byte_at_a_time_is_answered_like_any_split() {
    let (_server, address) = harness::server(EXE);
    let mut caller = call(&address);
    for byte in "hello 信息".bytes() {
        caller.write_all(&[byte]).unwrap();
        let mut answer = [0];
        caller.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], byte.to_ascii_uppercase());
    }
}

#[test]
fn what_was_said_before_hanging_up_is_still_answered() {
    let (_server, address) = harness::server(EXE);
    let mut caller = call(&address);
    caller.write_all(b"bye").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear_all(&caller), b"BYE");
}

#[test]
fn silent_callers_who_hang_up_do_not_end_it() {
    let (mut server, address) = harness::server(EXE);
    for _ in 0..100 {
        drop(call(&address));
    }
    assert_serves(&mut server, &address);
}

#[test]
fn a_reset_after_a_word_does_not_end_it() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = call(&address);
    caller.write_all(b"hello").unwrap();
    reset(caller);
    server.line_with("error: ");
    server.line_with("disconnected");
    assert_serves(&mut server, &address);
}

#[test]
fn a_reset_before_a_word_ends_that_call_alone() {
    let (caller, accepted, peer) = connection();
    (&accepted).write_all(b"x").unwrap(); // so that something lies unread
    reset(caller);
    let error = server::talk(accepted, peer, PATIENCE).unwrap_err();
    assert!(!is_timeout(&error), "{error}"); // "reset", or, on macOS, "invalid argument"
}

#[test]
fn a_silent_caller_is_let_go_at_the_idle_limit() {
    let (caller, accepted, peer) = connection();
    let error = server::talk(accepted, peer, Duration::from_millis(50)).unwrap_err();
    assert!(is_timeout(&error), "{error}");
    assert_eq!(hear_all(&caller), b"");
}

#[test]
fn a_caller_who_never_reads_is_let_go_at_the_idle_limit() {
    let (mut caller, accepted, peer) = connection();
    let same = accepted.try_clone().unwrap();
    stuff(&accepted);
    caller.write_all(b"hello").unwrap();
    let idle = Duration::from_millis(50);
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(server::talk(accepted, peer, idle)));
    let error = receiver.recv_timeout(PATIENCE).unwrap().unwrap_err();
    assert!(is_timeout(&error), "{error}");
    assert!(same.write_timeout().unwrap().is_some());
}

#[test]
fn control_characters_are_logged_escaped() {
    let (mut server, address) = harness::server(EXE);
    let client = run(EXE, &["client", &address], "\x1b]0;title\x07\x1b[2J\n");
    let shown = r#""\u{1b}]0;TITLE\u{7}\u{1b}[2J""#;
    assert_eq!(client.output, [format!("server: {shown}")]);
    server.line_with("connected");
    let line = server.line();
    assert!(
        line.ends_with(r#": "\u{1b}]0;title\u{7}\u{1b}[2J""#),
        "{line}"
    );
}

#[test]
fn a_server_whose_output_is_closed_serves_on() {
    let (mut server, address) = server_without_output(EXE);
    for _ in 0..3 {
        assert_serves(&mut server, &address);
    }
}

/// Ctrl-Z and fg: on Linux they cut short a read that has a time limit.
#[cfg(unix)]
#[test]
fn a_call_survives_that_the_server_is_stopped_and_continued() {
    let (server, address) = harness::server(EXE);
    let mut caller = call(&address);
    assert_answers(&mut caller);
    server.signal("STOP");
    server.signal("CONT");
    assert_answers(&mut caller);
}

/// With 4 descriptors (stdin, stdout, stderr, the listener) no caller can be accepted. Linux
/// keeps them in the backlog; macOS hangs up on them.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_lives_and_tries_again_without_haste() {
    let script = "ulimit -n 4 && exec \"$0\" server 127.0.0.1:0";
    let (mut server, address) = launch_server(Command::new("sh").args(["-c", script, EXE]));
    let _caller = TcpStream::connect(address).unwrap();
    let begin = Instant::now();
    for _ in 0..5 {
        server.line_with("cannot accept a caller: ");
    }
    assert!(begin.elapsed() >= Duration::from_millis(300), "a busy spin");
    assert!(server.is_running());
}

#[test]
fn a_server_that_hangs_up_is_named() {
    let address = fake_server(|mut stream| {
        assert_eq!(hear(&stream, 5), "hello");
        stream.write_all(b"HEL").unwrap();
    });
    let client = run(EXE, &["client", &address], "hello\n");
    assert_fails(&client, &[&address, "hung up"]);
    assert_eq!(client.output, Vec::<String>::new());
}

#[test]
fn an_answer_in_pieces_is_put_together() {
    let address = fake_server(|mut stream| {
        for byte in hear(&stream, 5).to_uppercase().bytes() {
            stream.write_all(&[byte]).unwrap();
            thread::yield_now();
        }
        hear_all(&stream);
    });
    let client = run(EXE, &["client", &address], "hello\n");
    assert_eq!(client.output, ["server: \"HELLO\""]);
}

#[test]
fn input_that_is_no_utf8_is_named() {
    let (_server, address) = harness::server(EXE);
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_bytes(b"ok\n\xff\n");
    assert_eq!(client.line(), "server: \"OK\"");
    assert_fails(&client.end(), &["cannot read the input"]);
}

#[test]
fn the_client_has_time_limits() {
    check_time_limits(client::connect, 90);
}
