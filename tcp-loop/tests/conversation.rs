//! Long calls and one caller after the other, as they should go.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-loop");

#[test]
fn the_readme_tells_what_the_terminals_show() {
    play_readme(EXE, "tcp-loop", &[], &[]);
}

#[test]
fn the_command_line_is_the_same_as_everywhere() {
    check_command_line(EXE, "tcp-loop", "127.0.0.1:7890");
    check_tcp_addresses(EXE, "tcp-loop", &[], &[]);
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
    assert!(server.first_line().contains("127.0.0.1:7890"));
}

#[test]
fn one_caller_after_the_other_is_answered() {
    let (mut server, address) = server(EXE);
    for _ in 0..3 {
        let client = run(EXE, &["client", &address], "one\ntwo 信息\nq\n");
        assert_eq!(client.code, Some(0));
        assert_eq!(client.output, ["server: \"ONE\"", "server: \"TWO 信息\""]);
    }
    assert!(server.is_running());
}

#[test]
fn blank_lines_are_skipped_and_q_ends_the_call() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], "\n  \r\n\t\na\r\n\nq\nb\n");
    assert_eq!((client.code, client.errors), (Some(0), vec![]));
    assert_eq!(client.output, ["server: \"A\""]);
}

#[test]
fn spaces_and_a_last_line_without_its_ending_are_sent_too() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], "  a b \nc");
    assert_eq!(client.code, Some(0));
    assert_eq!(client.output, ["server: \"  A B \"", "server: \"C\""]);
}

#[test]
fn no_input_is_no_error() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], "");
    assert_eq!((client.code, client.errors), (Some(0), vec![]));
}

#[test]
fn a_line_of_20_megabytes_does_not_lock_both_sides_up() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], &"a".repeat(20_000_000));
    assert_eq!(client.code, Some(0), "{:?}", client.errors);
    assert_eq!(client.output.len(), 1);
    let answer = client.output[0].strip_prefix("server: ").unwrap();
    assert_eq!(answer.len(), 20_000_000 + 2); // and two quotation marks
    assert!(answer.trim_matches('"').bytes().all(|byte| byte == b'A'));
}

#[test]
fn three_million_random_bytes_come_back_whole() {
    use std::io::{Read, Write};
    // xorshift64: any bytes will do, as long as all 256 values are among them.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let sent: Vec<u8> = (0..3_000_000).map(|_| random()).collect();
    let (_server, address) = server(EXE);
    let stream = call(&address);
    let mut received = vec![0; sent.len()];
    std::thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(&sent).unwrap());
        (&stream).read_exact(&mut received).unwrap();
    });
    assert!(received == sent.to_ascii_uppercase());
}
