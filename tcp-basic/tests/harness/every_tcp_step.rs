//! You need not read this file to follow the course. These are the tests that every TCP step has.

use crate::harness::*;

#[path = "every_step.rs"]
mod every_step;

#[test]
fn reset_is_reported() {
    let greeting = if ["tcp-threaded", "file-upload"].contains(&STEP) { "welcome\n" } else { "" };
    let talk = move |mut server: Client| {
        server.send(greeting);
        server.reset("the client sends something");
    };
    let (client, address) = run_against(talk, &[]);
    let parts = if cfg!(windows) { ["", ""] } else { ["lost the connection to ", "reset"] };
    assert_fails(&client, &[&parts[..], &[&address]].concat());
}

#[test]
fn closed_connection_is_reported() {
    let (client, address) = run_against(|mut server| _ = server.finish().rest(), &[]);
    assert_fails(&client, &[&address, " closed the connection"]);
    assert!(client.output.is_empty());
}

/// There is no file descriptor for a client. Step 1 ends. The others go on, and without a pause
/// this would fill the log.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    // 0 to 2 are the standard streams, 3 is the listener. Step 5 needs one to try its directory.
    let (server, _) = server_with_descriptors(if STEP == "file-upload" { 5 } else { 4 });
    std::thread::sleep(2 * MOMENT);
    let lines = server.output.try_iter().filter(|line| line.contains("cannot accept: ")).count();
    let expected = if STEP == "tcp-basic" { 0..1 } else { 2..100 };
    assert!(expected.contains(&lines), "{lines}");
}
