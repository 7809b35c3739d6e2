//! What the docs say is shown by a test is shown by a test of that name.

use std::collections::BTreeSet;
use std::path::Path;

use crate::house;

/// The names that a page's code spans give to tests: `i4_...`, or at least five words joined by underscores.
fn named(page: &str) -> Vec<(usize, &str)> {
    let spans = (1..).zip(page.lines()).flat_map(|(number, line)| line.split('`').skip(1).step_by(2).map(move |span| (number, span)));
    spans.filter(|(_number, span)| is_a_tests_name(span)).collect()
}

fn is_a_tests_name(span: &str) -> bool {
    let plain = span.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let numbered = span.strip_prefix('i').and_then(|rest| rest.split_once('_')).is_some_and(|(n, _)| n.parse::<u8>().is_ok());
    let metric = span.starts_with("cooee_");
    plain && !metric && (numbered || span.matches('_').count() >= 4)
}

/// The functions that a source declares.
fn declared(source: &str) -> impl Iterator<Item = String> {
    source.split("fn ").skip(1).map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

fn findings(path: &Path, page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let unknown = named(page).into_iter().filter(|(_line, name)| !tests.contains(*name));
    unknown.map(|(line, name)| format!("{}:{line}: there is no test `{name}`", path.display())).collect()
}

#[test]
fn the_docs_name_tests_that_exist() {
    let files = house::files();
    let of = |extension: &'static str| files.iter().filter(move |path| path.extension().is_some_and(|e| e == extension));
    let tests: BTreeSet<String> =
        of("rs").filter_map(|path| house::text(path)).flat_map(|source| declared(&source).collect::<Vec<_>>()).collect();
    let mut found = Vec::new();
    for path in of("md") {
        found.extend(findings(path, &house::text(path).expect("a page is text"), &tests));
    }
    house::must_be_tidy("proofs", &found);
}

#[test]
fn a_test_that_is_not_there_is_found() {
    let tests = declared("async fn i4_only_a_human_act() {}").collect();
    let page = "Shown by `i4_only_a_human_act`, `i5_never`, `a_press_becomes_a_person` and `cooee_ladder_step_lag_milliseconds`.";
    assert_eq!(
        findings(Path::new("docs/a.md"), page, &tests),
        ["docs/a.md:1: there is no test `i5_never`", "docs/a.md:1: there is no test `a_press_becomes_a_person`"]
    );
}
