//! Lines, and callers side by side, as they should go.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-threaded");

#[test]
fn the_readme_tells_what_the_terminals_show() {
    play_readme(EXE, "tcp-threaded", &[], &[]);
}

#[test]
fn the_command_line_is_the_same_as_everywhere() {
    check_command_line(EXE, "tcp-threaded", "127.0.0.1:8080");
    check_tcp_addresses(EXE, "tcp-threaded", &[], &[]);
}

#[test]
fn ipv6_and_names_work_as_well() {
    for host in HOSTS {
        let client = client_of(EXE, host, &[], &[]);
        assert!(client.is_none_or(|client| client.code == Some(0)), "{host}");
    }
}

#[test]
fn without_arguments_it_serves_its_own_address() {
    let mut server = Program::start(EXE, &[]);
    // Another server may be running there while the tests are: then the error says so.
    assert!(server.first_line().contains("127.0.0.1:8080"));
}

#[test]
fn the_client_says_its_lines_and_ends_with_exit_or_the_input() {
    let (mut server, address) = server(EXE);
    let greeted = ["server: \"welcome\"", "server: \"Hello Genji\""];
    for input in ["Genji\nexit\nHanzo\n", "Genji\r\n", "Genji"] {
        let client = run(EXE, &["client", &address], input);
        assert_eq!((client.code, client.errors), (Some(0), vec![]), "{input:?}");
        assert_eq!(client.output, greeted, "{input:?}");
    }
    assert!(server.is_running());
}

#[test]
fn the_second_caller_does_not_wait_for_the_first() {
    let (_server, address) = server(EXE);
    let first = greeted(&address);
    let second = greeted(&address);
    for (caller, name) in [(&second, "Hanzo"), (&first, "Genji"), (&second, "Mcree")] {
        assert_eq!(ask(caller, name), format!("Hello {name}\n"));
    }
}

#[test]
fn a_line_is_a_message_however_the_stream_is_cut() {
    let (_server, address) = server(EXE);
    let mut caller = greeted(&address);
    for byte in "信息\n".bytes() {
        caller.write_all(&[byte]).unwrap();
        thread::yield_now();
    }
    assert_eq!(hear(&caller, 13), "Hello 信息\n");
    caller.write_all(b"one\ntwo\r\n\nthr").unwrap();
    assert_eq!(hear(&caller, 10 + 10 + 7), "Hello one\nHello two\nHello \n");
    caller.write_all(b"ee\n").unwrap();
    assert_eq!(hear(&caller, 12), "Hello three\n");
}

#[test]
fn exit_ends_the_call_even_in_two_pieces_or_with_cr_lf() {
    let (_server, address) = server(EXE);
    for pieces in [
        ["exit\n", ""],
        ["ex", "it\n"],
        ["exit", "\r\n"],
        ["exit\n", "more\n"],
    ] {
        let mut caller = greeted(&address);
        for piece in pieces {
            caller.write_all(piece.as_bytes()).unwrap();
            thread::yield_now();
        }
        assert_eq!(hear_all(&caller), b"", "{pieces:?}");
    }
}

#[test]
fn only_exit_is_exit() {
    let (_server, address) = server(EXE);
    let caller = greeted(&address);
    for name in ["exit ", " exit", "EXIT", "exit!", "exit\rexit"] {
        assert_eq!(ask(&caller, name), format!("Hello {name}\n"));
    }
}

#[test]
fn a_last_line_without_its_ending_is_answered_too() {
    let (_server, address) = server(EXE);
    let mut caller = greeted(&address);
    caller.write_all(b"Genji\nHanzo\r").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear_all(&caller), b"Hello Genji\nHello Hanzo\r\n");
}

#[test]
fn a_line_of_1024_bytes_is_answered() {
    let (_server, address) = server(EXE);
    let caller = greeted(&address);
    for ending in ["", "\r"] {
        let name = "a".repeat(1024);
        let mut answer = ask(&caller, &format!("{name}{ending}"));
        assert_eq!(answer.pop(), Some('\n'));
        assert_eq!(answer, format!("Hello {name}"));
    }
}

/// Sends a line and returns the one that comes back.
fn ask(mut caller: &TcpStream, line: &str) -> String {
    caller.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(caller).read_line(&mut answer).unwrap();
    answer
}
