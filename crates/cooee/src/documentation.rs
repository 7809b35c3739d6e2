//! The documentation says what this program reads: its samples, every setting with its default, and the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use escalation::directory::draft::Draft;
use expect_test::expect_file;

use crate::cli::Line;
use crate::config::Settings;

const SETTINGS: &str = include_str!("../../../docs/src/reference/settings.md");
const COMMAND_LINE: &str = include_str!("../../../docs/src/reference/command-line.md");
/// What stands before the part of the page that is printed.
const BEFORE_HELP: &str = "A test prints what follows from the program itself.\n";
/// A key that no section has, and that is near to none.
const STRANGER: &str = "qqqqqqqqqqqq";
/// The least that each section needs, under its heading in the documentation: the section itself, but for accounts, whose
/// keys depend on their kind.
const LEAST: [(&str, &str, &str); 23] = [
    ("[station]", "[station]", "name = \"a\"\ndata_dir = \"d\"\n"),
    ("[record]", "[record]", ""),
    ("[mqtt]", "[mqtt]", "url = \"mqtts://b\"\n"),
    ("[http]", "[http]", ""),
    ("[[voice]]", "[[voice]]", "name = \"v\"\naccount_sid = \"AC1\"\nauth_token_file = \"secret\"\nfrom = \"+61480000000\"\n"),
    (
        "[[sms]]` of the kind `twilio",
        "[[sms]]",
        "name = \"s\"\nkind = \"twilio\"\naccount_sid = \"AC1\"\nauth_token_file = \"secret\"\nfrom = \"+61480000000\"\n",
    ),
    (
        "[[sms]]` of the kind `messagemedia",
        "[[sms]]",
        "name = \"m\"\nkind = \"messagemedia\"\nuser = \"u\"\ntoken_file = \"secret\"\nfrom = \"+61480000000\"\n",
    ),
    (
        "[[sms]]` of the kind `http",
        "[[sms]]",
        "name = \"h\"\nkind = \"http\"\nfrom = \"+61480000000\"\nurl = \"https://h?t={{ to }}&x={{ text }}\"\n",
    ),
    ("[sms.taken]", "[sms.taken]", ""),
    ("[sms.receipt]", "[sms.receipt]", "id = \"i\"\nstatus = \"s\"\ndelivered = [\"d\"]\nfailed = [\"f\"]\n"),
    ("[sms.reply]", "[sms.reply]", "id = \"i\"\nfrom = \"f\"\ntext = \"t\"\npoll_url = \"https://h\"\nsent_at = [\"at\"]\n"),
    ("[sms.callback]", "[sms.callback]", "auth = \"secret\"\nsecret_file = \"secret\"\n"),
    ("[sms.credit]", "[sms.credit]", "url = \"https://sms.example.net/\"\nat = \"/left\"\nlow = 1\n"),
    ("[email]", "[email]", "url = \"smtps://m\"\nfrom = \"a@example.org\"\n"),
    ("[[webhook]]", "[[webhook]]", "name = \"w\"\nurl = \"https://w\"\nsecret_file = \"secret\"\n"),
    ("[[anchor]]` of the kind `email", "[[anchor]]", "name = \"e\"\nkind = \"email\"\nto = \"keeper@example.org\"\n"),
    ("[[anchor]]` of the kind `webhook", "[[anchor]]", "name = \"a\"\nkind = \"webhook\"\nurl = \"https://a\"\nsecret_file = \"secret\"\n"),
    ("[[anchor]]` of the kind `rfc3161", "[[anchor]]", "name = \"t\"\nkind = \"rfc3161\"\nurl = \"http://t\"\n"),
    ("[[anchor]]` of the kind `mqtt", "[[anchor]]", "name = \"b\"\nkind = \"mqtt\"\n"),
    ("[templates]", "[templates]", ""),
    ("[directory]", "[directory]", "path = \"directory.toml\"\n"),
    (
        "[[key]]",
        "[[key]]",
        "id = \"k\"\nname = \"K\"\nrole = \"centre\"\nhash = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n",
    ),
    ("[listener]", "[listener]", ""),
];

/// A folder with settings and the secrets that they name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(settings: &str) -> (Self, PathBuf) {
        let folder = Self(tempfile::tempdir().unwrap());
        for line in settings.lines() {
            if let Some((key, value)) = line.split_once(" = ").filter(|(key, _)| key.ends_with("_file")) {
                let path = value.split('"').nth(1).unwrap_or_else(|| panic!("{key} names no file"));
                folder.write(path, "a secret of more than 24 bytes");
            }
        }
        let path = folder.write("cooee.toml", settings);
        (folder, path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

/// Every Markdown file of the repository that people read, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The fenced blocks of a page whose info string is `info`.
fn samples<'p>(page: &'p str, info: &str) -> impl Iterator<Item = &'p str> {
    let begin = format!("```{info}\n");
    page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect::<Vec<_>>().into_iter()
}

#[test]
fn settings_in_the_documentation_can_be_used() {
    let mut seen = 0;
    for (path, page) in pages() {
        for sample in samples(&page, "toml,settings") {
            let (_folder, file) = Folder::with(sample);
            let loaded = Settings::load(&file, &BTreeMap::new());
            assert!(loaded.settings.is_some(), "{}: {:?}\n{sample}", path.display(), loaded.findings);
            seen += 1;
        }
    }
    assert!(seen > 4, "the samples were not found");
}

#[test]
fn directories_in_the_documentation_have_no_finding() {
    let mut seen = 0;
    for (path, page) in pages() {
        for sample in samples(&page, "toml,directory") {
            let parsed = Draft::parse("directory.toml", sample);
            assert!(parsed.findings.is_empty(), "{}: {:?}\n{sample}", path.display(), parsed.findings);
            seen += 1;
        }
    }
    assert!(seen > 1, "the samples were not found");
}

/// Key and default of every table row under each section's heading.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in SETTINGS.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.trim_matches('`').clone_into(&mut section);
        }
        if line.starts_with("| `") {
            let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
            let (key, default) = (cells.next().unwrap(), cells.next().unwrap());
            found.entry(section.clone()).or_default().insert(key.trim_matches('`').to_owned(), default.to_owned());
        }
    }
    found
}

/// Whether a section can be there without another one: what is kept by the broker needs one.
fn is_there(heading: &str, section: &str, without: &str) -> bool {
    section != without && (without != "[mqtt]" || !heading.ends_with("kind `mqtt"))
}

/// The sections, each with what it needs and what `more` says, without the way in that is not wanted.
fn settings(without: &str, more: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (heading, section, least) in LEAST.iter().filter(|(heading, section, _)| is_there(heading, section, without)) {
        let _written = write!(text, "{section}\n{least}{}", more(heading));
    }
    text
}

#[test]
fn every_setting_is_documented_and_no_other() {
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for without in ["[mqtt]", "[listener]"] {
        let written = settings(without, |_| format!("{STRANGER} = 1\n"));
        let (_folder, file) = Folder::with(&written);
        for finding in Settings::load(&file, &BTreeMap::new()).findings {
            if !finding.what.ends_with(&format!("{STRANGER} is not a known key")) {
                continue;
            }
            // Whose section it is, by how many begin before its line.
            let begun = written.lines().take(finding.line).filter(|line| line.starts_with('[')).count();
            let (heading, _, _) = LEAST
                .iter()
                .filter(|(heading, section, _)| is_there(heading, section, without))
                .nth(begun - 1)
                .expect("it is in a section");
            let keys = finding.remedy.strip_prefix("the keys here are ").unwrap_or_else(|| panic!("{heading}: {}", finding.remedy));
            // What chose the shape is documented above it.
            read.insert((*heading).to_owned(), keys.split(", ").map(str::to_owned).collect());
        }
    }
    let documented: BTreeMap<_, BTreeSet<_>> = documented().into_iter().map(|(s, keys)| (s, keys.into_keys().collect())).collect();
    assert_eq!(documented, read);
}

#[test]
fn documented_defaults_are_the_defaults() {
    let documented = documented();
    let mut written = 0;
    for without in ["[mqtt]", "[listener]"] {
        let least = settings(without, |_| String::new());
        let (folder, file) = Folder::with(&least);
        let plain = Settings::load(&file, &BTreeMap::new()).settings.expect("the least is enough");
        let full = settings(without, |section| {
            let keys = documented.get(section).unwrap_or_else(|| panic!("{section} is not documented")).iter();
            let defaults = keys.filter_map(|(key, default)| Some(format!("{key} = {}\n", default.strip_prefix('`')?.strip_suffix('`')?)));
            defaults.collect()
        });
        written += full.lines().count() - least.lines().count();
        folder.write("cooee.toml", &full);
        let loaded = Settings::load(&file, &BTreeMap::new());
        let full = loaded.settings.unwrap_or_else(|| panic!("{:?}\n{full}", loaded.findings));
        assert_eq!(format!("{full:#?}"), format!("{plain:#?}"));
    }
    assert!(written > 30, "the defaults were not found");
}

#[test]
fn the_command_line_is_printed() {
    let mut line = Line::command().mut_args(|arg| arg.hide_env_values(true));
    line.build();
    let mut help = String::new();
    print(&mut line, &mut help);
    let head = COMMAND_LINE.split_once(BEFORE_HELP).expect("the page says where the help begins").0;
    expect_file!["../../../docs/src/reference/command-line.md"].assert_eq(&format!("{head}{BEFORE_HELP}{help}"));
}

fn print(command: &mut clap::Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let text = command.clone().mut_args(|arg| arg.hide_env_values(true)).render_long_help().to_string();
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    let _written = write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.join("\n").trim_end());
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        print(sub, page);
    }
}
