//! The test for "Extend it". It fails until you have solved the exercise.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::*;

/// `bye` is answered, then the server closes the connection, even when it arrives in two pieces.
#[test]
#[ignore = "exercise"]
fn bye_closes_the_connection() {
    let (_server, address) = server();
    for pieces in [["", "bye"], ["b", "ye"], ["hello, by", "e"]] {
        let mut client = Client::connect(&address);
        for piece in pieces {
            client.send(piece).expects(piece.to_uppercase(), "bye is answered, like all bytes");
        }
        client.expects_end(&format!("after {pieces:?}, the server closes the connection"));
    }
    let mut client = Client::connect(&address);
    client.send("by the way, ye all").expect("BY THE WAY, YE ALL");
    assert!(client.is_silent(), "the connection was closed without bye");
}
