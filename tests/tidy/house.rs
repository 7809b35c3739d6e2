//! The repository as the rules see it: its files, and what cargo knows of its crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, PackageId};

/// Folders that are not ours to keep tidy.
const NOT_OURS: [&str; 3] = ["target", ".git", ".scratch"];

/// The crates of the house for this platform, as `cargo metadata` resolves them.
pub(crate) static CRATES: LazyLock<Metadata> = LazyLock::new(|| {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = Command::new(rustc).arg("-vV").output().expect("run rustc -vV");
    let about = String::from_utf8(about.stdout).expect("rustc speaks UTF-8");
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    // Offline and locked: what was built is what is looked at, and a lock file that is behind is a finding.
    let options = ["--filter-platform", host, "--offline", "--locked"];
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options.map(str::to_owned))
        .exec()
        .expect("cargo metadata --offline --locked (is Cargo.lock up to date?)")
});

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// Every file of ours, by its path from the root, in order.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(root(), &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("read a folder") {
        let path = entry.expect("read a folder").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && !NOT_OURS.contains(&name) {
            collect(&path, found);
        } else if path.is_file() && name != ".git" {
            found.push(path.strip_prefix(root()).expect("a path below the root").to_path_buf());
        }
    }
}

/// A file's text, or `None` where it is not text.
pub(crate) fn text(path: &Path) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(path)).expect("read a file")).ok()
}

/// The node of a package in the resolved graph.
pub(crate) fn node(id: &PackageId) -> &'static Node {
    let resolve = CRATES.resolve.as_ref().expect("cargo metadata resolves");
    resolve.nodes.iter().find(|node| node.id == *id).expect("every package has a node")
}

/// What a package is built from, tests left out.
pub(crate) fn built_from(id: &PackageId) -> impl Iterator<Item = &'static PackageId> {
    let is_shipped = |kind: DependencyKind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let dependencies = node(id).deps.iter();
    dependencies.filter(move |d| d.dep_kinds.iter().any(|k| is_shipped(k.kind))).map(|d| &d.pkg)
}

/// Every package in what we ship: the crates in `crates/` and all that they are built from.
pub(crate) fn shipped() -> BTreeSet<&'static PackageId> {
    let is_room = |path: &str| Path::new(path).starts_with(root().join("crates"));
    let rooms = CRATES.workspace_packages().into_iter().filter(|p| is_room(p.manifest_path.as_str()));
    let mut waiting: Vec<&PackageId> = rooms.map(|package| &CRATES[&package.id].id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(built_from(id));
        }
    }
    seen
}

/// Fails with every finding, one a line.
pub(crate) fn must_be_tidy(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}
