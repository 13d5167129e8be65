//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::net::UdpSocket;

use harness::*;

/// The server echoes faster than this client reads. When the client's buffer is full, the operating
/// system drops what arrives, and tells nobody.
#[test]
fn datagrams_get_lost() {
    let (_server, address) = server();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    let sent = (0..5000).filter(|_| socket.send(&[0; 1000]).is_ok()).count();
    socket.set_read_timeout(Some(MOMENT)).unwrap();
    let received = (0..sent).take_while(|_| socket.recv(&mut [0; 1000]).is_ok()).count();
    assert!((1..sent).contains(&received), "{received} of {sent}");
}
