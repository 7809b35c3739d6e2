//! The command line: what can be asked of the program, with every flag's variable and default.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use escalation::event::Reader;
use escalation::id::{ActivationId, CustomerId, DeviceName, SiteId};
use escalation::signal::Kind;
use escalation::time::Timestamp;
use ledger::{Origin, VerifyKey};

use crate::config::Role;
use crate::telemetry::Format;

/// A press of a duress button becomes a person who is on the way.
#[derive(Debug, Parser)]
#[command(
    name = "cooee",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 all is well, 1 something was found that must be mended, 2 it could not be done.\n\
        Settings: COOEE__SECTION__KEY overrides a key of the settings file.\n\n\
        Examples:\n  cooee                                   the demo: nothing leaves this machine\n  \
        cooee check --config cooee.toml         prove settings, directory and ladders\n  \
        cooee rehearse --site kalamunda-library --without sms   who would be told when, if texts did not leave\n  \
        cooee key new --name Westside --role centre"
)]
pub(crate) struct Line {
    /// How log lines on standard error are written.
    #[arg(long, global = true, env = "COOEE_LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) log_format: Format,
    /// Which log lines: a level, or levels by target like "info,dispatch=debug".
    #[arg(long, global = true, env = "COOEE_LOG", default_value = "info,mqtt5=warn,mqtt5_protocol=warn")]
    pub(crate) log: String,
    /// What to do; the demo where nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process on loopback: buttons, fake phones, a mailbox. No account, no network.
    Demo(Demo),
    /// The daemon.
    Serve(File),
    /// Proves settings, directory and ladders without starting anything.
    Check(Check),
    /// Rehearses a press at a table: who would be told when and by what, who is passed over and why. Sends nothing.
    Rehearse(Rehearse),
    /// Takes people, sites and buttons from CSV sheets into the directory. Shows what would change; writes with `--apply`.
    Import(Import),
    /// Has the running station drill a ladder with its own people, in messages that say DRILL; or prints what came of a drill.
    Drill(Drill),
    /// Probes broker, database, mail server and providers, and says what to do.
    Doctor(File),
    /// API keys.
    #[command(subcommand)]
    Key(Key),
    /// The key that signs the record.
    #[command(subcommand)]
    Record(Record),
    /// Asks the running station for an evidence bundle of one activation, or for the register of attendance; the record says who has it.
    Export(Export),
    /// Has the running station erase private values under a basis; the record says so, and every proof stays.
    Erase(Erase),
    /// Has the running station put an activation under legal hold, so that nothing of it is erased; or lift that.
    LegalHold(LegalHold),
    /// Lists which calls are kept for how long, and which are due to be erased by the directory's terms. Erases nothing but a list that was read.
    Retention(Retention),
    /// Audits a record, also a running one, a backup or an evidence bundle: what is wrong, where, and since when.
    Verify(Verify),
    /// Takes a backup while the station runs, and looks whether it is whole.
    Backup(Backup),
    /// Looks at a backup, says what is lost after it, and puts it into an empty data directory.
    Restore(Restore),
}

/// Where the demo keeps its things.
#[derive(Debug, Default, Args)]
pub(crate) struct Demo {
    /// Keeps the record in this folder, so that the demo survives being killed; a temporary one without it.
    #[arg(long, value_name = "DIR", env = "COOEE_DEMO_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Where the pages are; 127.0.0.1:8700, or a free port where somebody has that already.
    #[arg(long, value_name = "ADDRESS", env = "COOEE_DEMO_HTTP")]
    pub(crate) http: Option<SocketAddr>,
    /// Where the broker listens; 127.0.0.1:1883, or a free port where somebody has that already.
    #[arg(long, value_name = "ADDRESS", env = "COOEE_DEMO_MQTT")]
    pub(crate) mqtt: Option<SocketAddr>,
}

/// Which settings.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// The settings file.
    #[arg(long, value_name = "FILE", env = "COOEE_CONFIG", default_value = "cooee.toml")]
    pub(crate) config: PathBuf,
}

/// How to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) file: File,
    /// Prints the findings as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints a map of the days after the findings: every hour of every ladder, and how well it is covered.
    #[arg(long, conflicts_with = "json")]
    pub(crate) map: bool,
    /// Draws the map to a file, to the minute.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// What to take into the directory.
#[derive(Debug, Args)]
#[group(id = "sheets", required = true, multiple = true, args = ["people", "sites", "devices"])]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) file: File,
    /// A sheet of people: id, customer, name, mobile, email, `based_at`.
    #[arg(long, value_name = "CSV")]
    pub(crate) people: Option<PathBuf>,
    /// A sheet of sites: id, customer, extends, name, address, suburb, state, timezone, ladder and more.
    #[arg(long, value_name = "CSV")]
    pub(crate) sites: Option<PathBuf>,
    /// A sheet of buttons: site, id, place, mounting, kind and more.
    #[arg(long, value_name = "CSV")]
    pub(crate) devices: Option<PathBuf>,
    /// Writes the directory; the one before is kept beside it. Without this nothing is written.
    #[arg(long)]
    pub(crate) apply: bool,
}

/// What to rehearse.
#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    #[command(flatten)]
    pub(crate) file: File,
    /// At which site a button is pressed.
    #[arg(long, value_name = "SITE", value_parser = SiteId::parse)]
    pub(crate) site: SiteId,
    /// Which of its buttons; without it the first by name that climbs the site's own ladder.
    #[arg(long, value_name = "DEVICE", value_parser = DeviceName::parse)]
    pub(crate) device: Option<DeviceName>,
    /// What kind of help is called for; what the button means by itself without it.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub(crate) kind: Option<Kind>,
    /// When, by the site's clock: "2026-12-25 19:30"; or an instant with an offset. Now without it.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// What is down: a channel (sms, email, voice, webhook, desk) or an account by its name; may be repeated.
    #[arg(long, value_name = "CHANNEL|ACCOUNT")]
    pub(crate) without: Vec<String>,
    /// Draws it as well, to a file that only its owner reads.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// What to drill, or of which drill the sheet is printed.
#[derive(Debug, Args)]
pub(crate) struct Drill {
    #[command(flatten)]
    pub(crate) file: File,
    /// At which site.
    #[arg(long, value_name = "SITE", value_parser = SiteId::parse, required_unless_present = "result", conflicts_with = "result")]
    pub(crate) site: Option<SiteId>,
    /// The ladder of which button there, by id or by the name of its place; the site's own without it.
    #[arg(long, value_name = "DEVICE", requires = "site")]
    pub(crate) device: Option<String>,
    /// For how long at most, 1 to 60.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) minutes: u32,
    /// What it is for; kept like a note.
    #[arg(long, value_name = "TEXT", requires = "site")]
    pub(crate) note: Option<String>,
    /// Id or name of the person who starts it.
    #[arg(long, value_name = "NAME", requires = "site")]
    pub(crate) by: Option<String>,
    /// Prints the result sheet of this drill: who was told when and by what, who answered, and who did not.
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) result: Option<ActivationId>,
}

/// The kinds of help by their words.
fn kinds() -> impl TypedValueParser<Value = Kind> {
    const KINDS: [Kind; 5] = [Kind::Duress, Kind::Panic, Kind::Medical, Kind::Welfare, Kind::Assist];
    PossibleValuesParser::new(KINDS.map(Kind::as_str)).try_map(|word| {
        let known = KINDS.into_iter().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| format!("\"{word}\" is no kind of help"))
    })
}

/// What to do about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Makes a key: prints its secret once, and its stanza for the settings.
    New(NewKey),
}

/// Whose key, and what it may do.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// Who holds it: what the record says acted.
    #[arg(long)]
    pub(crate) name: String,
    /// What its holder may do.
    #[arg(long, value_enum)]
    pub(crate) role: Role,
    /// Only this site; may be repeated. All sites of the customers without it.
    #[arg(long = "site", value_name = "SITE", value_parser = SiteId::parse)]
    pub(crate) sites: Vec<SiteId>,
    /// Only this customer; may be repeated. All customers without it.
    #[arg(long = "customer", value_name = "CUSTOMER", value_parser = CustomerId::parse)]
    pub(crate) customers: Vec<CustomerId>,
}

/// What to do about the record's key. The station must be stopped.
#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// Makes the key: from the next start on the record is signed. Prints the public key.
    New(NewRecordKey),
    /// Makes another key, which signs beside the old one until `record.key.before` is removed.
    Rotate(File),
    /// Begins a new name, where the record cannot continue what was signed: after a restore, or without the signer's memory.
    Recover(File),
}

/// Under which name the record is signed.
#[derive(Debug, Args)]
pub(crate) struct NewRecordKey {
    #[command(flatten)]
    pub(crate) file: File,
    /// The record's name, which is its key's: the organisation, the place and a 1, like alerts.example.org/kalamunda/1.
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Origin,
}

/// What is erased, and by what right.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) file: File,
    /// Everything private in the entries of this activation. Nothing is erased while any call is open or owes a message.
    #[arg(long, value_name = "REFERENCE", required_unless_present = "person", conflicts_with = "person")]
    pub(crate) activation: Option<ActivationId>,
    /// The details of this person, by their id in the directory that no longer names them or by number (P-3), and their name wherever they acted.
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<String>,
    /// The disposal authority or law. It stands in the record for ever: name nobody in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) basis: String,
    /// Id or name of the person who asks for it: the record says it beside the user of this machine.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// What is held, and why.
#[derive(Debug, Args)]
pub(crate) struct LegalHold {
    #[command(flatten)]
    pub(crate) file: File,
    /// Which activation. While any is held nobody's details are erased either.
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) activation: ActivationId,
    /// Whose order, which matter; kept like a note.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Lifts the hold.
    #[arg(long)]
    pub(crate) lift: bool,
    /// Id or name of the person who says so.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// What is due when.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    pub(crate) file: File,
    /// As it will be then: "2027-07-01T00:00:00+08:00".
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Every call with how it stands, for programs.
    #[arg(long)]
    pub(crate) json: bool,
    /// Has the running station erase every call that is due, if the list is still the one that ended with this fingerprint.
    #[arg(long, value_name = "FINGERPRINT", conflicts_with_all = ["at", "json"], requires = "by")]
    pub(crate) erase: Option<String>,
    /// Id or name of the person who has read the list: the record says it beside the user of this machine.
    #[arg(long, value_name = "NAME", requires = "erase")]
    pub(crate) by: Option<String>,
}

/// Which evidence, for whom, and where it comes to lie; or the register of who attended which activation.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) file: File,
    /// Of which activation.
    #[arg(long, value_name = "REFERENCE", requires = "reader", required_unless_present = "register")]
    pub(crate) activation: Option<ActivationId>,
    /// For whom: everything; what the station sent, without names and anybody's words; or no private value at all.
    #[arg(long = "for", value_name = "READER", value_parser = readers())]
    pub(crate) reader: Option<Reader>,
    /// The register of alarm attendance instead, as a table: every activation, and who attended it.
    #[arg(long, conflicts_with_all = ["activation", "reader", "by"])]
    pub(crate) register: bool,
    /// Only those raised at or after: "2026-11-01T00:00:00+08:00".
    #[arg(long, value_name = "TIME", requires = "register")]
    pub(crate) from: Option<Timestamp>,
    /// Only those raised before.
    #[arg(long, value_name = "TIME", requires = "register")]
    pub(crate) until: Option<Timestamp>,
    /// A file that is not there yet, for its owner alone. One that is there is never written over.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Id or name of the person to whom it is handed out: the record says it beside the user of this machine.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Those a bundle can be made for, by their words.
fn readers() -> impl TypedValueParser<Value = Reader> {
    PossibleValuesParser::new(Reader::ALL.map(Reader::as_str)).try_map(|word| {
        let known = Reader::ALL.into_iter().find(|reader| reader.as_str() == word);
        known.ok_or_else(|| format!("nobody is called \"{word}\""))
    })
}

/// What to audit, and against what.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An evidence bundle, as it was handed out. A record is audited without it.
    #[arg(value_name = "BUNDLE", conflicts_with_all = ["database", "notes", "checkpoints", "papers"])]
    pub(crate) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) file: File,
    /// The file of a record, such as a backup, in the place of the one in the settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// The signer's own notes; `checkpoints` beside the record without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) notes: Option<PathBuf>,
    /// A checkpoint that was kept where the operator could not reach it, or several in one file; may be repeated.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(crate) checkpoints: Vec<PathBuf>,
    /// The three lines of a checkpoint as they stand in the QR code of a printed report: name, number, root. They need no key; may be
    /// repeated.
    #[arg(long = "paper", value_name = "FILE")]
    pub(crate) papers: Vec<PathBuf>,
    /// A public key that signed the record, as it was printed; may be repeated. What the record says itself without it.
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<VerifyKey>,
    /// Prints the findings as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the backup comes to lie.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) file: File,
    /// A folder that is not there yet, for its owner alone. One that is there is never written over.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

/// Which backup, and what is known beside it.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) file: File,
    /// The folder that `cooee backup` made.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Looks at the backup and restores nothing.
    #[arg(long)]
    pub(crate) verify: bool,
    /// A checkpoint that was kept elsewhere, or several in one file, such as the newest there is: it says what is lost. May be repeated.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(crate) checkpoints: Vec<PathBuf>,
    /// A public key that signed the record, as it was printed; may be repeated. What the record says itself without it.
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<VerifyKey>,
    /// A list of erasures that was kept elsewhere, the newest there is: what it names is erased again. May be repeated. One in the
    /// data directory counts in any case.
    #[arg(long = "erasures", value_name = "FILE")]
    pub(crate) erasures: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Line;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn flags_show_their_variable_and_default() {
        let mut line = Line::command();
        let check = line.find_subcommand_mut("check").unwrap();
        let help = check.render_long_help().to_string();
        for shown in ["COOEE_CONFIG", "cooee.toml"] {
            assert!(help.contains(shown), "{shown} is not in\n{help}");
        }
        let help = line.render_long_help().to_string();
        for shown in ["COOEE_LOG", "COOEE_LOG_FORMAT", "info", "text"] {
            assert!(help.contains(shown), "{shown} is not in\n{help}");
        }
    }
}
