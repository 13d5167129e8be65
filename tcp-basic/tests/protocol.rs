//! What a server of this step has to do, in any language. By default, these tests start the step's
//! own server. To test yours, start it first, then run
//!
//!     MY_SERVER=127.0.0.1:6666 cargo test -p tcp-basic --test protocol

mod harness;

use harness::subject::Subject;

#[test]
fn check1_answers_in_uppercase() {
    let server = Subject::new();
    let mut client = server.connect("it listens");
    client.send("show 信息");
    client.expects("SHOW 信息", "what it reads comes back, with a to z in uppercase");
    client.expects_end("after that, it closes the connection");
}
