//! What the pages point to is there: files, headings, tests, commands. You need not read this file
//! to follow the course.

use std::fs;
use std::path::{Path, PathBuf};

const STEPS: [&str; 5] = [
    "tcp-basic",
    "tcp-loop",
    "tcp-threaded",
    "udp-echo",
    "file-upload",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The overview and the five steps, each with its folder.
fn pages() -> Vec<(&'static str, String)> {
    let folders = [""].into_iter().chain(STEPS);
    folders
        .map(|folder| (folder, read(Path::new(folder).join("README.md"))))
        .collect()
}

/// Each `[text](target)` of a page.
fn links(page: &str) -> Vec<(&str, &str)> {
    let pieces: Vec<&str> = page.split("](").collect();
    pieces
        .windows(2)
        .map(|pair| {
            let (_, text) = pair[0].rsplit_once('[').unwrap();
            let (target, _) = pair[1].split_once(')').unwrap();
            (text, target)
        })
        .collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        text.chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// All tests of a step, as text.
fn tests(step: &str) -> String {
    let files = fs::read_dir(root().join(step).join("tests")).unwrap();
    let files = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files.map(read).collect()
}

#[test]
fn links_lead_somewhere() {
    for (folder, page) in pages() {
        for (text, target) in links(&page) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = Path::new(folder).join(if file.is_empty() { "README.md" } else { file });
            if file.ends_with(".png") {
                assert!(root().join(path).is_file(), "{folder}: {target}");
                continue;
            }
            let linked = read(path);
            assert!(
                anchor.is_empty() || anchors(&linked).contains(&anchor.to_string()),
                "{folder}: {target}"
            );
            // A test is cited by its name, in a link to its file.
            if let Some(test) = text
                .strip_prefix('`')
                .filter(|_| file.starts_with("tests/"))
            {
                let function = format!("fn {}(", test.trim_end_matches('`'));
                assert!(
                    linked.contains(&function),
                    "{folder}: no {function} in {file}"
                );
            }
        }
    }
}

#[test]
fn commands_name_steps_and_tests() {
    for (folder, page) in pages() {
        for command in page.split("cargo test -p ").skip(1) {
            let mut words = command.split(['`', '\n', ' ']);
            let step = words.next().unwrap();
            let name = words
                .find(|word| !word.is_empty() && !word.starts_with('-'))
                .unwrap();
            if step != "STEP" {
                let function = format!("fn {name}(");
                assert!(tests(step).contains(&function), "{folder}: {step} {name}");
            }
        }
        for command in page.split("cargo run -p ").skip(1) {
            let step = command.split(['`', '\n', ' ', ')', '"']).next().unwrap();
            assert!(step == "STEP" || STEPS.contains(&step), "{folder}: {step}");
        }
    }
}

#[test]
fn every_step_has_every_section() {
    let sections = [
        "idea",
        "Predict",
        "Run",
        "Read",
        "See it",
        "Experiment",
        "Break it",
        "Build it",
        "Check yourself",
        "Still wrong",
        "Coming from Python",
    ];
    for step in STEPS {
        let page = read(format!("{step}/README.md"));
        let mut headings = page.lines().filter(|line| line.starts_with("## "));
        for section in sections {
            assert!(
                headings.any(|heading| heading.contains(section)),
                "{step}: {section}"
            );
        }
        assert!(
            page.lines().count() <= 270,
            "{step}: {}",
            page.lines().count()
        );
    }
    assert!(read("README.md").lines().count() <= 160);
}

#[test]
fn every_flaw_is_shown_by_a_test() {
    for step in STEPS {
        let page = read(format!("{step}/README.md"));
        let (_, rest) = page.split_once("## Still wrong\n").unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        assert!(section.contains("](tests/"), "{step}");
    }
}
