//! Checks that what the pages point to is there: files, headings, tests, and steps. You do not need
//! to read this file to follow the course.

use std::fs;
use std::path::{Path, PathBuf};

const STEPS: &str = "tcp-basic tcp-loop tcp-threaded udp-echo file-upload";
const SECTIONS: &str = "idea, Predict, Run, Read, See it, Experiment, Break it, Build it, \
    Check yourself, Still wrong, Coming from Python";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a file that is linked")
}

/// The page in each folder, and the overview.
fn pages() -> impl Iterator<Item = (&'static str, String)> {
    let folders = STEPS.split(' ').chain([""]);
    folders.map(|folder| (folder, read(Path::new(folder).join("README.md"))))
}

/// Each `[text](target)` of a page.
fn links(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.match_indices("](").map(move |(i, _)| {
        let (_, text) = page[..i].rsplit_once('[').unwrap();
        let (target, _) = page[i + 2..].split_once(')').unwrap();
        (text, target)
    })
}

/// Whether a page has a heading with this anchor, as GitHub makes it.
fn has_anchor(page: &str, anchor: &str) -> bool {
    page.lines().filter(|line| line.starts_with('#')).any(|heading| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        text.chars().filter(kept).collect::<String>().replace(' ', "-") == anchor
    })
}

#[test]
fn links_lead_somewhere() {
    for (folder, page) in pages() {
        for (text, target) in links(&page).filter(|link| !link.1.starts_with("https:")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = Path::new(folder).join(if file.is_empty() { "README.md" } else { file });
            if file.ends_with(".png") {
                assert!(root().join(path).is_file(), "{folder}: {target}");
                continue;
            }
            let linked = read(path);
            assert!(anchor.is_empty() || has_anchor(&linked, anchor), "{folder}: {target}");
            // A test is cited by its name, in a link to its file.
            if let Some(test) = text.strip_prefix('`').filter(|_| file.starts_with("tests/")) {
                let function = format!("fn {}(", test.trim_end_matches('`'));
                assert!(linked.contains(&function), "{folder}: no {function} in {file}");
            }
        }
    }
}

#[test]
fn commands_name_steps_and_tests() {
    for (folder, page) in pages() {
        for command in page.split("cargo run -p ").skip(1) {
            let step = command.split(['`', '\n', ' ', ')']).next().unwrap();
            assert!(step == "STEP" || STEPS.contains(step), "{folder}: {step}");
        }
        for command in page.split("cargo test -p ").skip(1) {
            let mut words = command.split(['`', '\n', ' ']).filter(|word| !word.starts_with('-'));
            let (step, name) = (words.next().unwrap(), words.next().unwrap());
            let tests = ["conversation.rs", "misbehaving_clients.rs", "misbehaving_senders.rs"]
                .map(|file| root().join(step).join("tests").join(file))
                .map(|path| fs::read_to_string(path).unwrap_or_default());
            let cited = tests.concat().contains(&format!("fn {name}("));
            assert!(cited || step == "STEP", "{folder}: {step} {name}");
        }
    }
}

#[test]
fn every_step_has_every_section() {
    for (folder, page) in pages().filter(|(folder, _)| !folder.is_empty()) {
        let mut headings = page.lines().filter(|line| line.starts_with("## "));
        for section in SECTIONS.split(", ") {
            assert!(headings.any(|heading| heading.contains(section)), "{folder}: {section}");
        }
        let (_, still_wrong) = page.split_once("## Still wrong\n").unwrap();
        assert!(still_wrong.split("\n## ").next().unwrap().contains("](tests/"), "{folder}");
    }
}
