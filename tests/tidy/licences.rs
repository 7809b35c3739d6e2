//! Every crate that we ship may be used, changed and sold by anyone.

use crate::house::{self, CRATES};

/// Licences that we accept, each that is not a household name with its reason.
const ALLOWED: [(&str, &str); 11] = [
    ("0BSD", "BSD without even the notice"),
    ("Apache-2.0", ""),
    ("BSD-2-Clause", ""),
    ("BSD-3-Clause", ""),
    ("BSL-1.0", "Boost: permissive, binaries need not carry the text"),
    ("CDLA-Permissive-2.0", "for data; Mozilla's root certificates, whose only duty is to pass the text on"),
    ("ISC", ""),
    ("MIT", ""),
    ("Unicode-3.0", ""),
    ("Unlicense", "public domain"),
    ("Zlib", ""),
];

/// Whether an SPDX expression can be met with the allowed licences alone. `/` is the old spelling of OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) && rest.is_empty()
}

/// `a OR b`: one is enough. Both sides are always read, so that `rest` moves on.
fn any_of(rest: &mut &[&str]) -> bool {
    let mut allowed = all_of(rest);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        allowed |= all_of(rest);
    }
    allowed
}

/// `a AND b`: both are needed.
fn all_of(rest: &mut &[&str]) -> bool {
    let mut allowed = one(rest);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let allowed = any_of(rest);
            let closed = matches!(*rest, [")", ..]);
            *rest = rest.get(1..).unwrap_or_default();
            allowed && closed
        }
        // An exception only ever permits more.
        [name, "WITH", _, after @ ..] | [name, after @ ..] => {
            *rest = after;
            ALLOWED.iter().any(|(licence, _reason)| licence == name)
        }
        [] => false,
    }
}

#[test]
fn every_shipped_crate_is_permissive() {
    let mut found = Vec::new();
    for id in house::shipped() {
        let package = &CRATES[id];
        match &package.license {
            Some(licence) if is_allowed(licence) => {}
            Some(licence) => found.push(format!("{} {}: {licence}", package.name, package.version)),
            None => found.push(format!("{} {} names no licence", package.name, package.version)),
        }
    }
    assert!(house::shipped().len() > 100, "the graph of what we ship was not found");
    house::must_be_tidy("licences", &found);
}

#[test]
fn every_accepted_licence_is_known_or_has_a_reason() {
    let known = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unicode-3.0", "Zlib"];
    for (licence, reason) in ALLOWED {
        assert!(known.contains(&licence) || !reason.is_empty(), "{licence}: why?");
    }
}

#[test]
fn a_licence_with_strings_is_found() {
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "Apache-2.0 WITH LLVM-exception", "(MIT OR GPL-2.0) AND Unicode-3.0"] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-2.0) AND SSPL-1.0", "AGPL-3.0 OR MPL-2.0", "", "(MIT", "MIT MIT"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}
