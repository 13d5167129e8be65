//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/every_tcp_step.rs"]
mod every_tcp_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use harness::*;

fn assert_answers(client: &mut Client) {
    client.send("you\n").expect("Hello you\n");
}

// ---- The server ----

#[test]
fn every_line_gets_its_answer() {
    let (_server, mut client) = server_and_client("welcome\n");
    let longest = "a".repeat(1023);
    for name in [" exit", "EXIT", "exit!", "exit\rexit", "", &longest, &longest[1..]] {
        client.send(format!("{name}\n")).expect(format!("Hello {name}\n"));
    }
    client.send(b"\xff\x00\xfe\n").expect("Hello \u{fffd}\0\u{fffd}\n");
    client.send("exit  \n").expects_end("spaces at the end do not count");
}

#[test]
fn too_long_line_is_skipped() {
    let (_server, mut client) = server_and_client("welcome\n");
    for length in [1024, 1025, 2048, 100_000] {
        client.send("a".repeat(length)).send("\nyou\n").expect("error: line too long\nHello you\n");
    }
    client.send("a".repeat(1024)).finish().expect("error: line too long\n");
}

#[test]
fn endless_line_does_not_fill_memory() {
    let (_server, mut client) = server_and_client("welcome\n");
    for _ in 0..30 {
        client.send([b'a'; 1_000_000]);
    }
    client.send("\n").expects("error: line too long\n", "a line has 1024 bytes at most");
    #[cfg(target_os = "linux")]
    assert!(_server.status("VmHWM:") < 10_000, "kB");
    assert_answers(&mut client);
}

#[cfg(unix)] // Windows may show a reset as the end of the stream
#[test]
fn reset_is_logged() {
    let (mut server, mut client) = server_and_client("welcome\n");
    client.send("Genji\n");
    client.reset("it answers");
    server.line_with(" failed: ");
}

#[test]
fn silent_client_times_out() {
    let log = log_of_silence("silent_client_times_out", server::handle_client, 60, "half a li");
    assert!(log.contains(" timed out after 60s\n"), "{log}");
    assert!(log.contains("received: \"welcome\\n\"\n"), "{log}");
}

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn refused_thread_costs_that_client_alone() {
    let mut command = command(&["server", "127.0.0.1:0"]);
    let (mut server, address) = launch_server(command.env("RUST_MIN_STACK", "4503599627370496"));
    for _ in 0..3 {
        let mut client = Client::connect(&address);
        client.expects_end("it closes the connection");
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
    let (mut server, address) = server_with_descriptors(8, &[]);
    let mut clients: Vec<Client> = (0..4).map(|_| Client::greeted(&address)).collect();
    let mut fifth = Client::connect(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 3 * MOMENT);
    assert!((1..100).contains(&lines), "{lines}");
    assert!(fifth.is_silent());
    clients.iter_mut().for_each(assert_answers);
    clients.pop();
    fifth.expect("welcome\n");
    assert_answers(&mut fifth);
}

#[test]
fn closed_log_does_not_end_it() {
    every_step::assert_closed_log_is_survived();
}

#[test]
fn small_answers_leave_at_once() {
    let (mut client, accepted, _) = Client::accepted();
    let same = accepted.try_clone().unwrap();
    client.finish();
    server::talk(accepted).unwrap();
    assert!(same.nodelay().unwrap());
}

// ---- The client ----

#[test]
fn exit_or_the_input_ends_it() {
    let (server, address) = harness::server();
    let answers = ["server: \"welcome\"", "server: \"Hello Genji\""];
    for input in ["Genji\nexit\nHanzo\n", "Genji\nexit \n", "Genji\r\n", "Genji"] {
        assert_succeeds(&run(&["client", &address], input), &answers);
    }
    let client = run(&["client", &address], "\x1b]0;title\x07\n");
    assert_eq!(client.output[1], r#"server: "Hello \u{1b}]0;title\u{7}""#);
    assert!(!server.kill().concat().contains('\x1b'));
}

#[test]
fn answers_are_told_apart() {
    let longest = "a".repeat(4095);
    let answers = format!("welcome\n{longest}\nHello Hanzo\n");
    let server = fake_server(move |server| server.recite(&answers));
    let client = run(&["client", &server.address], "Genji\nHanzo\nexit\n");
    let longest = format!("server: \"{longest}\"");
    assert_succeeds(&client, &["server: \"welcome\"", &longest, "server: \"Hello Hanzo\""]);
}

#[test]
fn client_goes_on_after_an_error() {
    let (_server, address) = harness::server();
    let input = format!("{}\nGenji\nexit\n", "a".repeat(20_000_000));
    let client = run(&["client", &address], &input);
    assert_eq!(client.output[1..], ["server: \"error: line too long\"", "server: \"Hello Genji\""]);
    assert_eq!(client.code, Some(0));
}

#[test]
fn endless_answer_is_refused() {
    // It sends for as long as the client reads. If that were forever, `run` would fail.
    let server = fake_server(|mut server| while server.try_send([b'a'; 65536]).is_ok() {});
    let client = run(&["client", &server.address], "");
    assert_fails(&client, &[&server.address, " sent a line of more than 4096 bytes"]);
}
