//! What goes wrong elsewhere has an answer here: a test that shows it, or a decision that says why not.

use crate::house;

const PAGE: &str = "docs/src/reference/failures.md";
/// Where it is said why some are not answered.
const LEFT: &str = "docs/src/decisions/failures-that-are-left.md";
const PRACTICE: u8 = 36;
const COMPLAINTS: u8 = 40;

/// The numbers that the page must have, in order.
fn numbers() -> Vec<String> {
    let of = |letter: char, count: u8| (1..=count).map(move |number| format!("{letter}{number}"));
    of('F', PRACTICE).chain(of('C', COMPLAINTS)).collect()
}

/// The rows of the page's tables: their numbers, and the rest.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.filter(|(number, _rest)| number.starts_with(['F', 'C']) && number.bytes().skip(1).all(|b| b.is_ascii_digit())).collect()
}

/// What is wrong with the page, beside the decision that says what is left and why.
fn findings(page: &str, left: &str, numbers: &[String]) -> Vec<String> {
    let rows = rows(page);
    let mut found = Vec::new();
    if rows.iter().map(|(number, _rest)| *number).ne(numbers.iter().map(String::as_str)) {
        found.push(format!("{PAGE}: the rows are not {} to {} in order, each once", numbers.join(", "), numbers.len()));
    }
    for (number, rest) in rows {
        let shown = rest.rsplit(" | ").next().is_some_and(|cell| cell.contains('`'));
        let refers = rest.contains("](../decisions/");
        let explained = left.lines().any(|line| line.strip_prefix("- **").is_some_and(|rest| rest.starts_with(&format!("{number}:"))));
        if !shown && !refers {
            found.push(format!("{PAGE}: {number} names neither a test nor a decision"));
        }
        if rest.contains("](../decisions/failures-that-are-left.md)") != explained {
            found.push(format!("{LEFT}: {number} is left there and not in {PAGE}, or the other way round"));
        }
    }
    found
}

/// That the tests which the page names are there is looked at with those of every page.
#[test]
fn every_failure_of_others_has_a_test_or_a_reason() {
    let text = |path: &str| house::text(path.as_ref()).expect("a page is text");
    house::must_be_tidy("failures", &findings(&text(PAGE), &text(LEFT), &numbers()));
}

#[test]
fn a_failure_without_either_is_found() {
    let left = "# Left\n\n- **C1: reports.** Nobody asked.\n";
    let page = "| F1 | It fails. | Not here. | `a_test` |\n| F2 | It fails. | Well. | |\n\
                | C1 | It fails. | [Not done](../decisions/failures-that-are-left.md). | |\n";
    let numbers = ["F1", "F2", "C1"].map(str::to_owned);
    assert_eq!(findings(page, left, &numbers), [format!("{PAGE}: F2 names neither a test nor a decision")]);
    assert_eq!(findings(page, "", &numbers).len(), 2, "what is left is explained");
    assert_eq!(findings(page, left, numbers.get(..2).expect("two")).len(), 2, "and nothing is missing or too much");
}

/// F26: the word that shames people out of pressing stands in nothing that anybody is shown or told.
#[test]
fn nobody_is_told_that_they_raised_a_false_alarm() {
    let is_said = |path: &std::path::PathBuf| {
        let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let is_test = parts.iter().any(|part| part == "tests" || part == "tests.rs");
        parts.first().is_some_and(|first| first == "crates") && !is_test
    };
    let said = house::files().into_iter().filter(is_said);
    let mut looked_at = 0;
    for path in said {
        let Some(text) = house::text(&path) else { continue };
        looked_at += 1;
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let shames = words.windows(2).any(|pair| matches!(pair, ["false" | "nuisance" | "bogus", "alarm" | "alarms"]));
        assert!(!shames, "{}: say what it was, for example unintended or pressed in good faith", path.display());
    }
    assert!(looked_at > 100, "the texts are where this test looks for them");
}
