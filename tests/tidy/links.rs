//! The docs lead somewhere: relative links, anchors and TOML samples in Markdown.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::house;

/// A page's lines that are not in a fence, with their numbers; and its fenced blocks by language.
#[derive(Debug, Default)]
struct Page<'a> {
    lines: Vec<(usize, &'a str)>,
    fences: Vec<Fence<'a>>,
}

#[derive(Debug, Default)]
struct Fence<'a> {
    line: usize,
    language: &'a str,
    text: String,
}

impl<'a> Page<'a> {
    fn read(text: &'a str) -> Self {
        let mut page = Self::default();
        let mut open: Option<(&str, Fence<'a>)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let bare = line.trim_start();
            open = match open {
                Some((mark, fence)) if bare.starts_with(mark) => {
                    page.fences.push(fence);
                    None
                }
                Some((mark, mut fence)) => {
                    fence.text.push_str(line);
                    fence.text.push('\n');
                    Some((mark, fence))
                }
                None => {
                    let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
                    if mark.is_none() {
                        page.lines.push((number, line));
                    }
                    let language = bare.trim_start_matches(['`', '~']).split([',', ' ']).next().unwrap_or_default();
                    mark.map(|mark| (mark, Fence { line: number, language, text: String::new() }))
                }
            };
        }
        page
    }

    /// What one may link to inside the page: its headings as GitHub and mdBook spell them, and ids set by hand.
    fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = BTreeSet::new();
        for (_number, line) in &self.lines {
            if let Some(heading) = line.strip_prefix('#') {
                let base = slug(heading.trim_start_matches('#'));
                let again = (1..).map(|n| format!("{base}-{n}"));
                let free = std::iter::once(base.clone()).chain(again).find(|a| !anchors.contains(a));
                anchors.extend(free);
            }
            let ids = line.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next());
            anchors.extend(ids.map(str::to_owned));
        }
        anchors
    }

    /// Every link's target, with its line.
    fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, line) in &self.lines {
            let line = without_code(line);
            let inline = line.match_indices("](").filter_map(|(at, open)| line.get(at + open.len()..)?.split(')').next());
            let defined = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
            let defined = defined.map(|(_name, target)| target);
            for target in inline.chain(defined) {
                let target = target.split_whitespace().next().unwrap_or_default();
                links.push((*number, target.trim_matches(['<', '>']).to_owned()));
            }
        }
        links
    }
}

/// A heading's anchor: lower case, spaces to hyphens, punctuation dropped.
fn slug(heading: &str) -> String {
    let plain = heading.trim().to_lowercase();
    let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The line without its inline code, where brackets mean nothing.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    if !balanced {
        return line.to_owned();
    }
    parts.iter().step_by(2).copied().collect()
}

/// What is wrong with the page at `path`. `read` gives another file's text, `exists` knows files and folders.
fn findings(path: &Path, text: &str, read: impl Fn(&Path) -> Option<String>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let page = Page::read(text);
    let mut found = Vec::new();
    for (line, link) in page.links() {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if file.is_empty() { path.to_path_buf() } else { joined(path, file) };
        if !exists(&target) {
            found.push(format!("{}:{line}: {link} leads nowhere", path.display()));
        } else if !anchor.is_empty() {
            let there = if file.is_empty() { Some(text.to_owned()) } else { read(&target) };
            if !there.is_some_and(|there| Page::read(&there).anchors().contains(anchor)) {
                found.push(format!("{}:{line}: {link} names no heading there", path.display()));
            }
        }
    }
    for fence in page.fences.iter().filter(|fence| fence.language == "toml") {
        if let Err(error) = fence.text.parse::<toml::Table>() {
            found.push(format!("{}:{}: this sample is no TOML: {}", path.display(), fence.line, error.message()));
        }
    }
    found
}

/// A relative link's file, by its path from the root.
fn joined(page: &Path, link: &str) -> PathBuf {
    let base = page.parent().unwrap_or(Path::new(""));
    let mut target = PathBuf::new();
    for part in base.join(link).components() {
        match part {
            Component::ParentDir if !target.pop() => target.push(".."),
            Component::ParentDir | Component::CurDir => {}
            Component::Normal(name) => target.push(name),
            Component::RootDir | Component::Prefix(_) => target.push(part),
        }
    }
    target
}

#[test]
fn docs_lead_somewhere() {
    let files = house::files();
    let is_page = |path: &&PathBuf| path.extension().is_some_and(|e| e == "md");
    let exists = |path: &Path| path.is_relative() && !path.starts_with("..") && house::root().join(path).exists();
    let mut found = Vec::new();
    for path in files.iter().filter(is_page) {
        let text = house::text(path).expect("a page is text");
        found.extend(findings(path, &text, house::text, exists));
    }
    house::must_be_tidy("links", &found);
}

/// Every page of the book is in its table of contents, or nobody finds it.
fn lost_pages(summary: &str, pages: &[String]) -> Vec<String> {
    let listed: Vec<String> = Page::read(summary).links().into_iter().map(|(_line, link)| link).collect();
    let is_listed = |page: &&String| listed.iter().any(|link| link.trim_start_matches("./") == page.as_str());
    pages.iter().filter(|page| !is_listed(page)).map(|page| format!("docs/src/{page} is not in SUMMARY.md")).collect()
}

#[test]
fn every_page_of_the_book_is_listed() {
    let files = house::files();
    let pages: Vec<String> = files
        .iter()
        .filter_map(|path| path.strip_prefix("docs/src").ok())
        .filter(|path| path.extension().is_some_and(|e| e == "md") && *path != Path::new("SUMMARY.md"))
        .map(|path| path.display().to_string())
        .collect();
    if !pages.is_empty() {
        let summary = house::text("docs/src/SUMMARY.md".as_ref()).expect("SUMMARY.md is text");
        house::must_be_tidy("book", &lost_pages(&summary, &pages));
    }
}

#[test]
fn a_dead_link_anchor_or_sample_is_found() {
    let other = "# Other page\n## What it does, and why\n<a id=\"by-hand\"></a>\n```md\n# Not a heading\n```\n";
    let read = |path: &Path| (path == Path::new("docs/other.md")).then(|| other.to_owned());
    let exists = |path: &Path| ["docs/page.md", "docs/other.md", "README.md"].map(Path::new).contains(&path);
    let check = |text: &str| findings(Path::new("docs/page.md"), text, read, exists);

    let good = "# Here\n[a](other.md) [b](./other.md#what-it-does-and-why) [c](#here) [d](../README.md) \
                [e](https://example.org/x) [f](other.md#by-hand) `[g](gone.md)`\n```\n[h](gone.md)\n```\n\
                [i]: other.md\n```toml\na = 1\n```\n";
    assert_eq!(check(good), Vec::<String>::new());
    assert_eq!(check("x\n[a](gone.md)"), ["docs/page.md:2: gone.md leads nowhere"]);
    assert_eq!(check("[a]: gone.md"), ["docs/page.md:1: gone.md leads nowhere"]);
    assert_eq!(check("[a](other.md#not-a-heading)"), ["docs/page.md:1: other.md#not-a-heading names no heading there"]);
    assert_eq!(check("[a](#nowhere)"), ["docs/page.md:1: #nowhere names no heading there"]);
    assert_eq!(check("[a](../../outside.md)").len(), 1);
    assert!(check("```toml\na = = 1\n```")[0].starts_with("docs/page.md:1: this sample is no TOML"));
    assert_eq!(lost_pages("- [A](a.md)", &["a.md".to_owned(), "b.md".to_owned()]), ["docs/src/b.md is not in SUMMARY.md"]);
}
