//! Walks the files git knows or would add, and collects what the rules say of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::rules::{self, File};

/// Every fault in the tree, in the order of its files.
pub fn run() -> io::Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let paths = listed(&root)?;
    let mut faults = Vec::new();
    for path in &paths {
        // A file may be deleted but not yet committed; binary files have no text to judge.
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            let file = File { path, text: &text };
            faults.extend(rules::PER_FILE.iter().filter_map(|rule| rule(&file)));
        }
    }
    faults.extend(rules::missing_readmes(&paths));
    Ok(faults)
}

/// Paths relative to the root, with `/`, sorted. Ignored files are not among them.
fn listed(root: &PathBuf) -> io::Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    let names: BTreeSet<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    Ok(names.into_iter().collect())
}
