//! Stories of the settings: what is written, what the environment says, and everything that is found.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes its snapshots with them")]

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use expect_test::{Expect, expect};

use super::*;

const SMALL: &str = r#"
[station]
name = "Westside"
data_dir = "data"
[http]
public_url = "https://alerts.example.org"
[directory]
path = "directory.toml"
[listener]
[[key]]
id = "aa11"
name = "Westside"
role = "centre"
hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"#;

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Loaded {
    Settings::parse(Path::new("/etc/cooee/cooee.toml"), text, &environment(variables))
}

fn check(text: &str, variables: &[(&str, &str)], expected: &Expect) {
    let loaded = parse(text, variables);
    let mut shown = String::new();
    for finding in &loaded.findings {
        writeln!(shown, "{finding}").unwrap();
    }
    assert_eq!(loaded.settings.is_some(), loaded.findings.is_empty());
    expected.assert_eq(&shown);
}

fn with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "the story replaces a passage that is not there: {from}");
    SMALL.replacen(from, to, 1)
}

#[test]
fn a_small_file_is_enough() {
    let settings = parse(SMALL, &[]).settings.unwrap();
    assert_eq!(settings.station.data_dir, Path::new("/etc/cooee/data"));
    assert_eq!(settings.record, Record::default());
    assert_eq!(settings.http.listen.port(), 8700);
    assert_eq!(settings.http.links, Links::AfterAnswer);
    assert_eq!(settings.directory.path, Path::new("/etc/cooee/directory.toml"));
    assert_eq!(settings.keys[0].role, Role::Centre);
}

#[test]
fn the_environment_overrides_tables() {
    let variables = [
        ("COOEE__STATION__NAME", "Eastside"),
        ("COOEE__HTTP__LISTEN", "[::1]:9000"),
        ("COOEE__RECORD__URL", "postgres://cooee@db/cooee"),
        ("COOEE_LOG", "debug"),
        ("PATH", "/bin"),
    ];
    let settings = parse(SMALL, &variables).settings.unwrap();
    assert_eq!(settings.station.name, "Eastside");
    assert_eq!(settings.http.listen.to_string(), "[::1]:9000");
    assert_eq!(settings.record.url, "postgres://cooee@db/cooee");
}

#[test]
fn a_section_may_come_from_the_environment_alone() {
    let text = with("[station]\nname = \"Westside\"\ndata_dir = \"data\"\n", "");
    let variables = [("COOEE__STATION__NAME", "E"), ("COOEE__STATION__DATA_DIR", "/var/lib/cooee")];
    assert_eq!(parse(&text, &variables).settings.unwrap().station.data_dir, Path::new("/var/lib/cooee"));
}

#[test]
fn variables_that_override_nothing_are_said() {
    let variables = [("COOEE__STATIN__NAME", "x"), ("COOEE__SMS__0__NAME", "x"), ("COOEE__STATION", "x"), ("COOEE__STATION__NAME__X", "x")];
    check(
        SMALL,
        &variables,
        &expect![[r#"
        environment:0: COOEE__SMS__0__NAME overrides nothing
          [[sms]] comes from the file alone; write it there
        environment:0: COOEE__STATIN__NAME overrides nothing
          did you mean station?
        environment:0: COOEE__STATION overrides nothing
          write it as  COOEE__STATION__KEY
        environment:0: COOEE__STATION__NAME__X overrides nothing
          write it as  COOEE__STATION__KEY
    "#]],
    );
    check(
        SMALL,
        &[("COOEE__STATION__NMAE", "x")],
        &expect![[r#"
            environment:0: COOEE__STATION__NMAE is not a known key
              did you mean name?
        "#]],
    );
    check(
        SMALL,
        &[("COOEE__HTTP__LISTEN", "everywhere")],
        &expect![[r#"
            environment:0: COOEE__HTTP__LISTEN cannot be used: invalid socket address syntax
              write it as config/cooee.toml shows
        "#]],
    );
}

#[test]
fn mistakes_of_every_section_are_found_in_one_pass() {
    let text = r#"
[station]
nmae = "Westside"
colour = "red"
data_dir = "data"
[http]
listen = 8700
links = 3
[record]
url = ["a"]
[directory]
path = "directory.toml"
source = "desk"
[[key]]
id = "aa11"
name = "Westside"
role = "boss"
hash = "00"
[[key]]
id = "a b"
name = ""
role = "admin"
hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[statoin]
x = 1
[mqtt]
uri = "mqtts://b"
[[sms]]
name = "first"
kind = "pigeon"
"#;
    check(
        text,
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:2: station: name is missing
              add it; config/cooee.toml shows how
            /etc/cooee/cooee.toml:3: station: nmae is not a known key
              did you mean name?
            /etc/cooee/cooee.toml:4: station: colour is not a known key
              the keys here are name, data_dir, phone
            /etc/cooee/cooee.toml:7: http: listen cannot be used: invalid socket address syntax
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:8: http: links cannot be used: value of enum Links should be represented by either string or table with exactly one key
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:10: record: url cannot be used: invalid type: sequence, expected a string
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:13: directory: source cannot be used: "desk" is none of the choices
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:17: key: role cannot be used: "boss" is none of the choices
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:18: key: hash cannot be used: "00" is not a digest of 64 hex digits
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:20: key: id cannot be used: "a b" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
              write it as config/cooee.toml shows
            /etc/cooee/cooee.toml:24: "statoin" is not a known section
              did you mean station?
            /etc/cooee/cooee.toml:26: mqtt: url is missing
              add it; config/cooee.toml shows how
            /etc/cooee/cooee.toml:27: mqtt: uri is not a known key
              did you mean url?
            /etc/cooee/cooee.toml:30: sms: kind cannot be used: "pigeon" is none of the choices
              use one of: twilio, http, messagemedia, clicksend, smsglobal, telstra
        "#]],
    );
}

#[test]
fn what_is_missing_is_said() {
    check(
        "",
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:0: there is no [station]
              add [station] with its name and data_dir
            /etc/cooee/cooee.toml:0: there is no [directory]
              add [directory] with the path of the directory file
            /etc/cooee/cooee.toml:0: there is no way in for presses: add [mqtt] with the broker's url, or [listener] for the broker inside
              no press could reach us
              keep one of [mqtt] and [listener]
        "#]],
    );
    check(
        &with("data_dir = \"data\"\n", ""),
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:2: station: data_dir is missing
              add it; config/cooee.toml shows how
        "#]],
    );
    check(
        &with("hash = ", "# hash = "),
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:10: key: hash is missing
              add it; config/cooee.toml shows how
        "#]],
    );
}

#[test]
fn broken_toml_is_said_alone() {
    check(
        &with("name = \"Westside\"", "name = \"Westside"),
        &[],
        &expect![[r#"
        /etc/cooee/cooee.toml:3: this is not TOML: invalid basic string, expected `"`
          mend this line; the settings are checked once the file can be read
    "#]],
    );
}

#[test]
fn sections_and_lists_are_told_apart() {
    check(
        "station = 1\nkey = \"x\"\n[[http]]\nlisten = \"x\"\n[sms]\nname = \"x\"\n",
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:0: there is no [directory]
              add [directory] with the path of the directory file
            /etc/cooee/cooee.toml:0: there is no way in for presses: add [mqtt] with the broker's url, or [listener] for the broker inside
              no press could reach us
              keep one of [mqtt] and [listener]
            /etc/cooee/cooee.toml:1: station is not a section
              write it as  [station]
            /etc/cooee/cooee.toml:2: key is not a list of tables
              write it as  [[key]]
            /etc/cooee/cooee.toml:3: http is not a section
              write it as  [http]
            /etc/cooee/cooee.toml:5: sms is not a list of tables
              write it as  [[sms]]
        "#]],
    );
}

#[test]
fn two_keys_with_one_id_are_refused() {
    let again = "[[key]]\nid = \"aa11\"\nname = \" \"\nrole = \"admin\"\nhash = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n";
    check(
        &format!("{SMALL}{again}"),
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:15: key: the name is empty
              the record says who acted by it
              write who holds the key
            /etc/cooee/cooee.toml:15: key: the id "aa11" is there twice
              remove one, or make a new one with  cooee key new
        "#]],
    );
}

#[test]
fn the_public_url_is_the_beginning_of_an_address() {
    for bad in ["alerts.example.org", "https://", "https://a.org/", "https://a.org?x"] {
        let loaded = parse(&with("https://alerts.example.org", bad), &[]);
        assert_eq!((loaded.findings.len(), loaded.findings[0].line), (1, 6), "{bad}");
    }
}

#[test]
fn a_password_in_the_settings_is_refused_and_not_repeated() {
    let loaded = parse(&format!("{SMALL}[record]\nurl = \"postgres://cooee:hunter2@db/cooee\"\n"), &[]);
    let shown = format!("{:?}", loaded.findings);
    assert!(shown.contains("PGPASSFILE") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, "s3cret").unwrap();
    let text = with("[listener]\n", "") + "[mqtt]\nurl = \"mqtts://b\"\npassword_file = \"password\"\n";
    let read = || Settings::parse(&folder.path().join("cooee.toml"), &text, &BTreeMap::new());
    for (mode, findings) in [(0o644, 1), (0o640, 1), (0o600, 0), (0o400, 0)] {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read().findings.len(), findings, "{mode:o}");
    }
    std::fs::remove_file(&secret).unwrap();
    let findings = read().findings;
    assert_eq!((findings.len(), findings[0].line), (1, 16), "{findings:?}");
}

#[test]
fn what_is_wrong_with_a_gateway_is_said_where_it_stands() {
    let gateway = r#"
[[sms]]
name = "second"
kind = "http"
from = "COUNCIL"
url = "http://sms.example.net/send"
colour = "red"
body = '''
{"to": "{{ to }}",
 "text": {{ txt }}}'''
[sms.taken]
id = "messages"
shade = "red"
[sms.receipt]
status = 7
"#;
    check(
        &format!("{SMALL}{gateway}"),
        &[],
        &expect![[r#"
            /etc/cooee/cooee.toml:21: sms: colour is not a known key
              the keys here are name, from, method, url, headers, body, body_as, auth, user, token_file, token_url, scope, client_cert_file, client_key_file, country_code, probe_url, inbound, taken, receipt, reply, callback, credit, validity_s, slots, connect_ms, request_ms, attempt_s, keep_warm, proxy, ca_file
            /etc/cooee/cooee.toml:27: sms: taken.shade is not a known key
              the keys here are id, status, ok, code, transient, credentials, refused
            /etc/cooee/cooee.toml:28: sms: receipt.delivered is missing
              add it; config/cooee.toml shows how
        "#]],
    );
    let gateway = gateway
        .replace("colour = \"red\"\n", "")
        .replace("shade = \"red\"\n", "")
        .replace("status = 7", "status = \"s\"\ndelivered = []\nfailed = []");
    check(
        &format!("{SMALL}{gateway}"),
        &[],
        &expect![[r#"
        /etc/cooee/cooee.toml:16: sms: reply no reply can reach us: there is neither [sms.reply] with a poll_url nor one with [sms.callback]
          add the way this provider hands replies on; people answer by text
        /etc/cooee/cooee.toml:19: sms: from is not a number, and nobody could answer it
          use a number of your own in E.164, like +61400000000, that the provider lets you send from
        /etc/cooee/cooee.toml:23: sms: body there is no word "txt" here
          use one of: to, to_plain, to_national, from, from_plain, from_national, text, dispatch, dispatch_key, validity_s, validity_min, expires_at, user, token, status_url, inbound_url
        /etc/cooee/cooee.toml:25: sms: taken.id is not a JSON pointer
          write it like /messages/0/id
        /etc/cooee/cooee.toml:26: sms: receipt.id is missing, and there is no receipt.dispatch: no receipt could be matched
          add one of them
    "#]],
    );
    let gateway = gateway.replace("txt", "text").replace("http://", "https://");
    check(
        &format!("{SMALL}{gateway}"),
        &[],
        &expect![[r#"
        /etc/cooee/cooee.toml:16: sms: reply no reply can reach us: there is neither [sms.reply] with a poll_url nor one with [sms.callback]
          add the way this provider hands replies on; people answer by text
        /etc/cooee/cooee.toml:19: sms: from is not a number, and nobody could answer it
          use a number of your own in E.164, like +61400000000, that the provider lets you send from
        /etc/cooee/cooee.toml:21: sms: body does not make JSON
          a value stands between quotes, as "{{ text }}"; what may be empty goes between {% if status_url %} and {% endif %}
        /etc/cooee/cooee.toml:25: sms: taken.id is not a JSON pointer
          write it like /messages/0/id
        /etc/cooee/cooee.toml:26: sms: receipt.id is missing, and there is no receipt.dispatch: no receipt could be matched
          add one of them
    "#]],
    );
}

#[test]
fn anchors_say_what_they_lack_and_where() {
    let anchors = r#"
[[anchor]]
name = "insurer"
kind = "email"
to = "nobody"
[[anchor]]
name = "union"
kind = "webhook"
url = "http://union.example.org"
secret_file = "/dev/null"
when = []
[[anchor]]
name = "broker"
kind = "mqtt"
every_s = 0
[[anchor]]
name = "broker"
kind = "carrier pigeon"
[[anchor]]
name = "union"
kind = "email"
to = "a@example.org"
when = ["closing", "weekly"]
[[anchor]]
name = "union"
kind = "email"
to = "a@example.org"
[[anchor]]
kind = "mqtt"
[[anchor]]
name = "stamps"
kind = "rfc3161"
url = "http://me:secret@stamps.example.org/tsr"
every_s = 15
[[anchor]]
name = "more-stamps"
kind = "rfc3161"
url = "stamps.example.org"
secret_file = "/dev/null"
"#;
    check(
        &format!("{SMALL}{anchors}"),
        &[],
        &expect![[r#"
        /etc/cooee/cooee.toml:18: anchor: insurer is sent by mail, and there is no [email]
          add [email], or choose another kind
        /etc/cooee/cooee.toml:19: anchor: to is no mailbox: Invalid input
          write it like records@insurer.example.org
        /etc/cooee/cooee.toml:23: anchor: url cannot be used: plain http would send secrets and alarms in clear across a network
          use https, or a loopback address for a gateway on this machine
        /etc/cooee/cooee.toml:24: anchor.secret_file: /dev/null is not a file
          name the file itself
        /etc/cooee/cooee.toml:25: anchor: when is empty: nothing would ever be sent
          leave it out to use its default, or take the anchor out
        /etc/cooee/cooee.toml:28: anchor: broker is published to a broker, and there is no [mqtt]
          the listener inside the process is no place outside
          use [mqtt], or choose another kind
        /etc/cooee/cooee.toml:29: anchor: every_s is 0
          write at least 1, or leave it out
        /etc/cooee/cooee.toml:32: anchor: kind cannot be used: "carrier pigeon" is none of the choices
          use one of: email, webhook, mqtt, rfc3161
        /etc/cooee/cooee.toml:33: anchor: when[1] cannot be used: "weekly" is none of the choices
          write it as config/cooee.toml shows
        /etc/cooee/cooee.toml:39: anchor: there is another one of the name union
          nobody could tell which of them has what
          give each a name of its own
        /etc/cooee/cooee.toml:40: anchor: union is sent by mail, and there is no [email]
          add [email], or choose another kind
        /etc/cooee/cooee.toml:42: anchor: name is missing
          add it; config/cooee.toml shows how
        /etc/cooee/cooee.toml:47: anchor: url cannot be used: the URL holds a user or a password
          use an authority that asks for none; this version can give it none
        /etc/cooee/cooee.toml:48: anchor: every_s is less than 60: an authority turns away whoever asks so often, and every stamp stays in the record
          write at least 60, or leave it out
        /etc/cooee/cooee.toml:53: anchor: secret_file is not a known key
          the keys here are name, url, when, every_s, connect_ms, request_ms, proxy, ca_file
        /etc/cooee/cooee.toml:53: anchor.secret_file: /dev/null is not a file
          name the file itself
    "#]],
    );
}
