//! The phone call as it should go, and the command line.

mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");

#[test]
fn the_readme_tells_what_the_terminals_show() {
    play_readme(EXE, "tcp-basic", &[], &[]);
}

#[test]
fn the_command_line_is_the_same_as_everywhere() {
    check_command_line(EXE, "tcp-basic", "127.0.0.1:6666");
    check_tcp_addresses(EXE, "tcp-basic", &[], &[]);
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
    assert!(server.first_line().contains("127.0.0.1:6666"));
}

#[test]
fn both_ends_are_done_after_one_sentence() {
    let (server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "show 信息"], "");
    assert_eq!(client.code, Some(0));
    assert_eq!(client.output, ["server: \"SHOW 信息\""]);
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn only_ascii_letters_are_capitalised() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "straße, é, ß, z"], "");
    assert_eq!(client.output, ["server: \"STRAßE, é, ß, Z\""]);
}

#[test]
fn an_empty_message_is_refused_at_once() {
    let (mut server, address) = server(EXE);
    let client = run(EXE, &["client", &address, ""], "");
    assert_fails(&client, &["empty message"]);
    assert!(server.is_running(), "the server was called all the same");
}
