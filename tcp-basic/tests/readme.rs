//! What the README points to is there: files, headings, and tests by their names.

use std::fs;
use std::path::Path;

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Each `[text](target)` of the README.
fn links(readme: &str) -> Vec<(&str, &str)> {
    let pieces = readme.split("](").collect::<Vec<&str>>();
    pieces
        .windows(2)
        .map(|pair| {
            let (_, text) = pair[0].rsplit_once('[').unwrap();
            let (target, _) = pair[1].split_once(')').unwrap();
            (text, target)
        })
        .collect()
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let text: String = heading.to_lowercase().chars().filter(kept).collect();
    format!("#{}", text.replace(' ', "-"))
}

#[test]
fn every_link_of_the_readme_leads_somewhere() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let headings = readme.lines().filter_map(|line| line.strip_prefix("## "));
    let anchors: Vec<String> = headings.map(anchor).collect();
    let links = links(&readme);
    assert!(links.len() > 50, "{}", links.len());
    for (text, target) in links {
        if target.starts_with('#') {
            assert!(
                anchors.contains(&target.to_string()),
                "{target} is no heading"
            );
        } else if !target.starts_with("https://") {
            let file = fs::read_to_string(Path::new(ROOT).join(target))
                .unwrap_or_else(|error| panic!("{target}: {error}"));
            // A test is cited by its name, in a link to its file.
            if let Some(test) = text.strip_prefix('`') {
                let function = format!("fn {}(", test.trim_end_matches('`'));
                assert!(file.contains(&function), "no {function} in {target}");
            }
        }
    }
}
