//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_tcp_step.rs"]
mod every_tcp_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use harness::*;

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
    client.send(vec![b'a'; 30_000_000]).send("\n");
    client.expects("error: line too long\n", "a line has 1024 bytes at most");
    #[cfg(target_os = "linux")]
    assert!(_server.status("VmHWM:") < 10_000, "kB");
    client.send("you\n").expect("Hello you\n");
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
    assert!(log.contains(" timed out after 60s"), "{log}");
    assert!(log.contains(r#"received: "welcome\n""#), "{log}");
    assert!(log.contains("nodelay: true"), "small answers leave at once: {log}");
}

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn refused_thread_costs_that_client_alone() {
    let mut command = command(&["server", "127.0.0.1:0"]);
    let (mut server, address) = launch_server(command.env("RUST_MIN_STACK", "4503599627370496"));
    for _ in 0..3 {
        Client::connect(&address).expects_end("it closes the connection");
        assert!(server.line().contains(" refused: no thread: "));
    }
}

// ---- The client ----

#[test]
fn exit_or_the_input_ends_it() {
    let (_server, address) = harness::server();
    let answers = ["server: \"welcome\"", "server: \"Hello Genji\""];
    for input in ["Genji\nexit\nHanzo\n", "Genji\nexit \n", "Genji\r\n", "Genji"] {
        assert_succeeds(&run(&["client", &address], input), &answers);
    }
    let client = run(&["client", &address], &format!("{}\n\x1b]0;title\x07\n", "a".repeat(1024)));
    assert_eq!(client.output[1], "server: \"error: line too long\"");
    assert_eq!(client.output[2], r#"server: "Hello \u{1b}]0;title\u{7}""#);
}

#[test]
fn answers_are_lines_of_limited_length() {
    let longest = "a".repeat(4095);
    let answers = format!("welcome\n{longest}\nnot asked for\n");
    let (client, _) = run_against(move |mut server| _ = server.send(&answers).finish().rest(), &[]);
    assert_succeeds(&client, &["server: \"welcome\"", &format!("server: {longest:?}")]);
    let (client, address) = run_against(Client::flood, &[]);
    assert_fails(&client, &[&address, " sent a line of more than 4096 bytes"]);
}
