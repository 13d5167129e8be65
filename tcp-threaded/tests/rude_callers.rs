//! Callers and servers that misbehave, and what step 3 still gets wrong.

#[path = "../src/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
#[cfg(unix)]
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-threaded");

fn assert_answers(mut caller: &TcpStream) {
    caller.write_all(b"you\n").unwrap();
    assert_eq!(hear(caller, 10), "Hello you\n");
}

fn assert_serves(server: &mut Program, address: &str) {
    assert!(server.is_running());
    assert_answers(&greeted(address));
}

#[test]
fn a_message_cannot_contain_a_newline() {
    let (_server, address) = harness::server(EXE);
    let mut caller = greeted(&address);
    caller.write_all(b"one name\nor two?\n").unwrap();
    assert_eq!(hear(&caller, 15), "Hello one name\n");
    assert_eq!(hear(&caller, 14), "Hello or two?\n");
}

/// Each silent caller costs a thread.
#[cfg(target_os = "linux")]
#[test]
fn every_caller_costs_a_thread() {
    let (server, address) = harness::server(EXE);
    let threads = || server.status("Threads:");
    let before = threads();
    let callers: Vec<_> = (0..20).map(|_| greeted(&address)).collect();
    assert_eq!(threads(), before + 20);
    drop(callers);
}

#[test]
fn a_line_of_1025_bytes_gets_an_error_and_ends_that_call_alone() {
    let (mut server, address) = harness::server(EXE);
    let other = greeted(&address);
    for ending in ["\n", "\r\n", "", "more and more"] {
        let mut caller = greeted(&address);
        let line = format!("{}{ending}", "a".repeat(1025));
        caller.write_all(line.as_bytes()).unwrap();
        if ending.is_empty() {
            caller.shutdown(Shutdown::Write).unwrap();
        }
        let answer = hear_all(&caller);
        assert_eq!(
            answer, b"error: line longer than 1024 bytes\n",
            "{ending:?}"
        );
    }
    assert_answers(&other);
    assert_serves(&mut server, &address);
}

/// 30 MB without a newline: the sender still hears why, and memory stays flat.
#[test]
fn an_endless_line_gets_its_error_while_it_is_still_being_sent() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = greeted(&address);
    let chunk = [b'a'; 65536];
    for _ in 0..500 {
        if caller.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_eq!(hear(&caller, 35), "error: line longer than 1024 bytes\n");
    #[cfg(target_os = "linux")]
    assert!(server.status("VmHWM:") < 20_000, "kB");
    assert_serves(&mut server, &address);
}

#[test]
fn bytes_that_are_no_utf8_are_answered_as_they_are() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = greeted(&address);
    caller.write_all(b"\xff\x00\xfe\n").unwrap();
    let mut answer = [0; 10];
    caller.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"Hello \xff\x00\xfe\n");
    assert_answers(&caller);
    assert_serves(&mut server, &address);
}

#[test]
fn control_characters_are_shown_escaped() {
    let (server, address) = harness::server(EXE);
    let client = run(EXE, &["client", &address], "\x1b]0;title\x07\n");
    assert_eq!(client.output[1], r#"server: "Hello \u{1b}]0;title\u{7}""#);
    let log = server.kill().concat();
    assert!(!log.contains('\x1b'), "{log}");
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
fn a_reset_before_a_word_ends_that_call_alone() {
    let (mut server, address) = harness::server(EXE);
    reset(call(&address)); // the welcome is what lies unread
    server.line_with("error: ");
    server.line_with("disconnected");
    assert_serves(&mut server, &address);
}

#[test]
fn a_reset_after_a_word_ends_that_call_alone() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = greeted(&address);
    caller.write_all(b"half a li").unwrap();
    caller.write_all(b"ne\nand another ha").unwrap();
    reset(caller);
    server.line_with("error: ");
    server.line_with("disconnected");
    assert_serves(&mut server, &address);
}

#[test]
fn who_stays_silent_is_told_so_at_the_idle_limit() {
    for words in ["", "no newline"] {
        let (mut caller, accepted, peer) = connection();
        caller.write_all(words.as_bytes()).unwrap();
        let attending = thread::spawn(move || {
            server::attend(accepted, peer, Duration::from_millis(50));
        });
        let heard = String::from_utf8(hear_all(&caller)).unwrap();
        assert_eq!(
            heard, "welcome\nerror: no sign of life for 50ms\n",
            "{words:?}"
        );
        drop(caller);
        attending.join().unwrap();
    }
}

/// And the answer that went off in part stays the last word: what followed it would be
/// taken for its end.
#[test]
fn who_never_reads_is_let_go_at_the_idle_limit() {
    let (caller, accepted, _) = connection();
    caller
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let same = accepted.try_clone().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(server::talk(&same, Duration::from_millis(300))));
    let lines = [&[b'y'; 1000][..], b"\n"].concat().repeat(30);
    // Until nothing more goes off, for the server is stuck in an answer.
    while (&caller).write_all(&lines).is_ok() {}
    let error = receiver.recv_timeout(PATIENCE).unwrap().unwrap_err();
    assert!(is_timeout(&error), "{error}");
    let error = (&accepted).write(b"error: ...").unwrap_err();
    assert!(!is_timeout(&error), "it could go on talking: {error}");
}

/// To close with bytes unread would reset the call, and might cost the caller the answer.
#[test]
fn a_call_ends_in_order_even_with_bytes_unread() {
    let (mut server, address) = harness::server(EXE);
    for words in [b"a".repeat(100_000), b"exit\nand more".to_vec()] {
        let mut caller = greeted(&address);
        caller.write_all(&words).unwrap();
        let mut heard = Vec::new();
        caller.read_to_end(&mut heard).unwrap();
        assert_no_reset(&mut server, &caller);
    }
}

/// Who keeps talking while we hang up holds the thread for LINGER (1 s) and not longer.
#[test]
fn who_talks_on_after_exit_is_cut_off() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = greeted(&address);
    caller.write_all(b"exit\n").unwrap();
    let begin = Instant::now();
    while caller.write_all(b"blah\n").is_ok() {
        let seconds = begin.elapsed().as_secs();
        assert!(seconds < 10, "it listens on and on");
    }
    server.line_with("disconnected");
    assert_serves(&mut server, &address);
}

#[test]
fn one_caller_more_than_the_limit_hears_busy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || server::serve(&listener, 2, PATIENCE));
    let first = greeted(&address);
    let second = greeted(&address);
    for _ in 0..3 {
        let third = call(&address);
        assert_eq!(
            hear_all(&third),
            b"busy: too many callers, try again later\n"
        );
    }
    assert_fails(
        &run(EXE, &["client", &address], "Genji\n"),
        &[&address, "busy: "],
    );
    assert_answers(&first);
    (&second).write_all(b"exit\n").unwrap();
    assert_eq!(hear_all(&second), b"");
    drop(second);
    // The seat is free a moment later, when the thread ends.
    let deadline = Instant::now() + PATIENCE;
    while hear(&call(&address), 4) == "busy" {
        assert!(Instant::now() < deadline, "the seat is never free again");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A stack of 4 PiB no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn a_thread_that_the_system_refuses_costs_that_caller_alone() {
    let mut command = Command::new(EXE);
    command.env("RUST_MIN_STACK", "4503599627370496");
    let (mut server, address) = launch_server(command.args(["server", "127.0.0.1:0"]));
    for _ in 0..3 {
        assert_eq!(hear_all(&call(&address)), b"");
        let line = server.line();
        assert!(line.contains("turned away: no thread: "), "{line}");
    }
    assert!(server.is_running());
}

/// With 8 descriptors (stdin, stdout, stderr, the listener) four callers find room. Linux
/// keeps a fifth in the backlog; macOS hangs up on them.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_lives_and_recovers() {
    let script = "ulimit -n 8 && exec \"$0\" server 127.0.0.1:0";
    let (mut server, address) = launch_server(Command::new("sh").args(["-c", script, EXE]));
    let mut callers: Vec<_> = (0..4).map(|_| greeted(&address)).collect();
    let fifth = call(&address);
    let begin = Instant::now();
    for _ in 0..5 {
        server.line_with("cannot accept a caller: ");
    }
    assert!(begin.elapsed() >= Duration::from_millis(300), "a busy spin");
    assert!(is_silent(&fifth));
    callers.iter().for_each(assert_answers);
    callers.pop();
    assert_eq!(hear(&fifth, 8), "welcome\n");
    assert_answers(&fifth);
}

#[test]
fn a_server_whose_output_is_closed_serves_on() {
    let (mut server, address) = server_without_output(EXE);
    for _ in 0..3 {
        assert_serves(&mut server, &address);
    }
}

#[test]
fn the_client_names_a_server_that_hangs_up() {
    let talks: [fn(TcpStream); 4] = [
        |stream| recite(stream, b""),
        |stream| recite(stream, b"wel"),
        |stream| recite(stream, b"welcome\n"),
        |stream| recite(stream, b"welcome\nHello Gen"),
    ];
    for talk in talks {
        let client = run(EXE, &["client", &fake_server(talk)], "Genji\n");
        assert_fails(&client, &["hung up"]);
    }
}

#[test]
fn the_client_takes_glued_answers_apart() {
    let address = fake_server(|stream| recite(stream, b"welcome\nHello Genji\nHello Hanzo\n"));
    let client = run(EXE, &["client", &address], "Genji\nHanzo\n");
    let answers = [
        "server: \"welcome\"",
        "server: \"Hello Genji\"",
        "server: \"Hello Hanzo\"",
    ];
    assert_eq!(client.code, Some(0));
    assert_eq!(client.output, answers);
}

#[test]
fn the_client_shows_a_refusal_escaped_and_fails() {
    let address = fake_server(|stream| recite(stream, b"welcome\nerror: \x1b[2J\n"));
    let client = run(EXE, &["client", &address], "Genji\n");
    assert_fails(&client, &[&address, r#"it says "error: \u{1b}[2J""#]);
}

#[test]
fn the_client_hears_why_even_when_its_line_is_too_long_to_be_sent() {
    let (_server, address) = harness::server(EXE);
    for length in [1025, 20_000_000] {
        let client = run(EXE, &["client", &address], &"a".repeat(length));
        assert_fails(&client, &["line longer than 1024 bytes"]);
    }
}

#[test]
fn the_client_does_not_swallow_an_endless_answer() {
    // It says "aaaa..." for as long as the client listens: were that for ever, `run` would fail.
    let address = fake_server(|mut stream| while stream.write_all(&[b'a'; 65536]).is_ok() {});
    let client = run(EXE, &["client", &address], "");
    assert_fails(&client, &[&address, "an answer of 2048 bytes or more"]);
}

#[test]
fn the_client_has_time_limits() {
    check_time_limits(client::connect, 10);
}

/// Several lines in one piece get several answers, and none waits for the one before to be
/// acknowledged.
#[test]
fn answers_leave_at_once() {
    let (caller, accepted, _) = connection();
    caller.shutdown(Shutdown::Write).unwrap();
    server::talk(&accepted, PATIENCE).unwrap();
    assert!(accepted.nodelay().unwrap());
}

/// The server hangs up on a client who is still sending: the last word is heard all the same.
/// (On Windows, the reset destroys it.)
#[cfg(unix)]
#[test]
fn the_client_hears_the_last_word_of_a_server_that_reads_no_more() {
    let address = fake_server(|mut stream| {
        stream.write_all(b"welcome\n").unwrap();
        hear(&stream, 1000);
        thread::sleep(A_MOMENT); // until the client is stuck in a write
        stream.write_all(b"error: enough\n").unwrap();
    });
    let client = run(EXE, &["client", &address], &"a".repeat(20_000_000));
    assert_fails(&client, &[&address, "error: enough"]);
}
