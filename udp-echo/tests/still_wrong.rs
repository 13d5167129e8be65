//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::net::UdpSocket;
use std::time::Instant;

use harness::*;

#[test]
fn missing_echo_is_reported_lost() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap(); // which does not answer
    let address = server.local_addr().unwrap().to_string();
    let begin = Instant::now();
    let client = run(&["client", &address], "hello\n");
    assert!(begin.elapsed().as_millis() > 900, "it does not wait for a second");
    assert_eq!(client.output, ["lost: no echo within 1s"]);
    assert_fails(&client, &["no echo from ", &address, " for 1 of 1 lines"]);
}
