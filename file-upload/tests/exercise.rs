//! The test for "Extend it". It fails until you have solved the exercise.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
mod storage;

use storage::*;

/// All files together may take 10 MiB. An upload beyond that is refused before its bytes are sent.
#[test]
#[ignore = "exercise"]
fn full_directory_refuses_files() {
    let (directory, _server, address) = server_with_directory();
    let large = vec![b'a'; 4 << 20];
    assert_eq!(upload(&address, "first", &large), "ok");
    assert_eq!(upload(&address, "second", &large), "ok");
    assert_refused(upload(&address, "third", &large), "8 MiB of 10 are full, and 4 more come");
    assert_eq!(upload(&address, "fits", &large[..2 << 20]), "ok");
    assert_refused(upload(&address, "more", b"x"), "10 MiB of 10 are full");
    assert_only(&directory, &["first", "fits", "second"]);
}

#[track_caller]
fn assert_refused(answer: String, rule: &str) {
    assert!(answer.starts_with("error: "), "\n  rule:     {rule}\n  received: {answer:?}");
}
