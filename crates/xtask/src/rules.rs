//! The rules. Each looks at one file and says what is wrong with it, if anything.

/// A tracked text file.
pub struct File<'a> {
    /// Relative to the root, with `/`.
    pub path: &'a str,
    /// Its whole text.
    pub text: &'a str,
}

type Rule = fn(&File<'_>) -> Option<String>;

/// All rules that need no more than one file.
pub const PER_FILE: [Rule; 7] = [
    root_entry,
    length,
    unfinished,
    engine_purity,
    crate_edges,
    ts_edges,
    lock_addresses,
];

const LINES_MAX: usize = 600;

/// What may lie in the root beside dotted files.
const ROOT: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "bench",
    "crates",
    "package-lock.json",
    "package.json",
    "schemas",
    "test",
    "ts",
];

/// Which of our crates a crate may name. `core ← wire ← server → net → zmq-sys`, `node → server`;
/// `bench` drives what it measures, and `node` hands it to JavaScript.
const CRATE_EDGES: [(&str, &[&str]); 9] = [
    ("heddle-core", &[]),
    ("heddle-wire", &["heddle-core"]),
    ("heddle-zmq-sys", &[]),
    ("heddle-net", &["heddle-zmq-sys"]),
    (
        "heddle-server",
        &["heddle-core", "heddle-wire", "heddle-net"],
    ),
    (
        "heddle-node",
        &[
            "heddle-core",
            "heddle-wire",
            "heddle-server",
            "heddle-bench",
        ],
    ),
    (
        "heddle-bench",
        &["heddle-core", "heddle-wire", "heddle-net"],
    ),
    ("heddle-kernels", &[]),
    ("xtask", &[]),
];

/// Markers of unfinished or silenced work. Split, so that this file does not hold them itself.
const UNFINISHED: [&str; 6] = [
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X:"),
    "@ts-ignore",
    "@ts-nocheck",
    "it.only(",
];

/// What would make the engine's answers depend on anything but its inputs.
const IMPURE: [&str; 9] = [
    "HashMap",
    "HashSet",
    "Instant::",
    "SystemTime",
    "std::thread",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
];

impl File<'_> {
    fn is_source(&self) -> bool {
        [".rs", ".ts", ".mjs"]
            .iter()
            .any(|end| self.path.ends_with(end))
    }

    fn is_generated(&self) -> bool {
        self.path.contains("/generated/")
    }

    /// The first line that holds any of `words`, and the word.
    fn first_with<'w>(&self, words: &[&'w str]) -> Option<(usize, &'w str)> {
        self.text.lines().enumerate().find_map(|(i, line)| {
            words
                .iter()
                .find(|word| line.contains(**word))
                .map(|word| (i + 1, *word))
        })
    }
}

fn root_entry(file: &File<'_>) -> Option<String> {
    let top = file.path.split('/').next().unwrap_or_default();
    let allowed = top.starts_with('.') || ROOT.contains(&top);
    (!allowed).then(|| format!("{}: the root holds only {}", file.path, ROOT.join(", ")))
}

fn length(file: &File<'_>) -> Option<String> {
    let lines = file.text.lines().count();
    (file.is_source() && !file.is_generated() && lines > LINES_MAX).then(|| {
        format!(
            "{}: {lines} lines, more than {LINES_MAX}: one idea per file",
            file.path
        )
    })
}

fn unfinished(file: &File<'_>) -> Option<String> {
    if !file.is_source() || file.path.ends_with("xtask/src/rules.rs") {
        return None;
    }
    let (line, word) = file.first_with(&UNFINISHED)?;
    Some(format!(
        "{}:{line}: '{word}' marks work to finish before it is committed",
        file.path
    ))
}

fn engine_purity(file: &File<'_>) -> Option<String> {
    if !file.path.starts_with("crates/heddle-core/src/") {
        return None;
    }
    let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let (line, word) = File {
        path: file.path,
        text: code,
    }
    .first_with(&IMPURE)?;
    Some(format!(
        "{}:{line}: '{}' in the engine: same inputs must give the same digest on any machine",
        file.path, word
    ))
}

fn crate_edges(file: &File<'_>) -> Option<String> {
    let name = file
        .path
        .strip_prefix("crates/")?
        .strip_suffix("/Cargo.toml")?;
    let Some((_, allowed)) = CRATE_EDGES.iter().find(|(of, _)| *of == name) else {
        return Some(format!(
            "{}: give '{name}' its place in the dependency rule",
            file.path
        ));
    };
    let named = file.text.lines().filter_map(|line| {
        line.starts_with("heddle-")
            .then(|| line.split(['.', ' ', '=']).next())
            .flatten()
    });
    let stray = named
        .into_iter()
        .find(|dependency| !allowed.contains(dependency))?;
    Some(format!("{}: {name} must not know {stray}", file.path))
}

/// `wire` knows nobody but `errors`; the files of addons are named in `native` alone.
fn ts_edges(file: &File<'_>) -> Option<String> {
    let inside = file.path.strip_prefix("ts/")?;
    if !file.path.ends_with(".ts") || file.is_generated() {
        return None;
    }
    let (number, line) = file.text.lines().enumerate().find(|(_, line)| {
        let Some(target) = line.split(" from '").nth(1) else {
            return false;
        };
        let outside = target.starts_with("../") && !target.contains("/errors/");
        let sideways = target.starts_with("../../") || outside && inside.matches('/').count() == 1;
        inside.starts_with("wire/") && sideways && !target.contains("/errors/")
    })?;
    Some(format!(
        "{}:{}: wire knows nobody: {}",
        file.path,
        number + 1,
        line.trim()
    ))
}

fn lock_addresses(file: &File<'_>) -> Option<String> {
    (file.path == "package-lock.json" && file.text.contains("\"resolved\": \"http"))
        .then(|| format!("{}: holds registry addresses", file.path))
}

/// Each folder of `crates` and `ts` says what it is for.
pub fn missing_readmes(paths: &[String]) -> Vec<String> {
    let mut folders: Vec<&str> = paths
        .iter()
        .filter(|path| path.starts_with("crates/") || path.starts_with("ts/"))
        .filter_map(|path| {
            let mut parts = path.match_indices('/').map(|(at, _)| at);
            parts.nth(1).map(|at| &path[..at])
        })
        .collect();
    folders.dedup();
    folders
        .into_iter()
        .filter(|folder| {
            !paths
                .iter()
                .any(|path| path == &format!("{folder}/README.md"))
        })
        .map(|folder| format!("{folder}/README.md: missing: what is this folder for?"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        let file = File { path, text };
        PER_FILE.iter().filter_map(|rule| rule(&file)).count()
    }

    #[test]
    fn every_rule_can_fail() {
        assert_eq!(faults("ts/client/a.ts", "export const a = 1;\n"), 0);
        assert_eq!(faults("notes.txt", ""), 1);
        assert_eq!(faults("ts/client/a.ts", &"\n".repeat(LINES_MAX + 1)), 1);
        assert_eq!(
            faults("ts/client/a.ts", &format!("// {}: later", UNFINISHED[0])),
            1
        );
        assert_eq!(
            faults(
                "crates/heddle-core/src/a.rs",
                "use std::collections::HashMap;"
            ),
            1
        );
        assert_eq!(
            faults(
                "crates/heddle-core/Cargo.toml",
                "heddle-net.workspace = true"
            ),
            1
        );
        assert_eq!(faults("crates/heddle-new/Cargo.toml", ""), 1);
        assert_eq!(
            faults("ts/wire/a.ts", "import { b } from '../client/b.js';"),
            1
        );
        assert_eq!(
            faults("package-lock.json", "\"resolved\": \"https://example.org\""),
            1
        );
    }

    #[test]
    fn rules_leave_alone_what_they_do_not_mean() {
        assert_eq!(
            faults("ts/wire/generated/a.ts", &"\n".repeat(LINES_MAX + 1)),
            0
        );
        assert_eq!(
            faults("ts/wire/a.ts", "import { E } from '../errors/index.js';"),
            0
        );
        assert_eq!(
            faults("crates/heddle-core/src/a.rs", "#[cfg(test)]\nuse std::env;"),
            0
        );
        assert_eq!(
            faults(
                "crates/heddle-server/Cargo.toml",
                "heddle-net.workspace = true"
            ),
            0
        );
    }

    #[test]
    fn a_folder_without_a_readme_is_named() {
        let paths = ["ts/a/x.ts", "ts/b/README.md", "ts/b/x.ts", "ts/index.ts"].map(String::from);
        assert_eq!(
            missing_readmes(&paths),
            ["ts/a/README.md: missing: what is this folder for?"]
        );
    }
}
