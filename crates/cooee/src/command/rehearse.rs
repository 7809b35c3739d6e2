//! `cooee rehearse`: who would be told when and by what, if a button were pressed at a time and nobody answered.
//!
//! The rules themselves live through it ([`escalation::rehearsal`]); this only reads the files, names the outages and writes
//! down what came of it. It names people, because whoever may read the directory may: on standard output and in the picture,
//! never in the log. It sends nothing and writes no record.
//!
//! Exit code 0: somebody is told. 1: nobody is, before the ladder is exhausted. 2: it could not be rehearsed.

mod picture;
mod telling;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use escalation::directory::draft::AtHand;
use escalation::id::{DeviceId, DeviceName, SiteId};
use escalation::ladder::Medium;
use escalation::outage::{Carrier, desks, outages};
use escalation::rehearsal::{Rehearsal, Scene};
use escalation::time::Timestamp;
use escalation::zone::Zone;
use jiff::civil::DateTime;
use station::clock::{Clock as _, MachineClock};

use crate::carriers::carriers;
use crate::cli::Rehearse;
use crate::command::serve::load;
use crate::wire::usable_directory;

/// What was rehearsed, and everything that names it.
struct Told {
    hand: AtHand,
    /// The carriers that are not imagined to be down, in order of preference.
    up: Vec<Carrier>,
    device: DeviceId,
    at: Timestamp,
    zone: Zone,
    without: Vec<String>,
    rehearsal: Rehearsal,
}

/// Rehearses, prints, and draws where a picture is asked for.
pub(crate) fn run(arguments: &Rehearse) -> anyhow::Result<ExitCode> {
    let told = rehearse(arguments, MachineClock::start().wall())?;
    std::io::stdout().write_all(telling::text(&told).as_bytes()).context("print the rehearsal")?;
    if let Some(path) = &arguments.svg {
        write_private(path, &picture::svg(&told)).with_context(|| format!("write the picture to {}", path.display()))?;
    }
    Ok(if told.rehearsal.first_told_after_s().is_some() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn rehearse(arguments: &Rehearse, now: Timestamp) -> anyhow::Result<Told> {
    let settings = load(&arguments.file)?;
    let draft = usable_directory(&settings.directory.path)?;
    let hand = draft.at_hand();
    let device = device(&hand, &arguments.site, arguments.device.as_ref())?;
    let zone = hand.places.sites.get(&arguments.site).and_then(|card| Zone::named(&card.timezone).ok()).unwrap_or_default();
    let at = arguments.at.as_deref().map_or(Ok(now), |at| instant(at, &zone))?;
    let mut carriers = carriers(&settings.dispatch);
    carriers.push(desks());
    let is_up = |carrier: &Carrier| !arguments.without.iter().any(|name| is_meant(carrier, name));
    without_is_known(&carriers, &arguments.without)?;
    let outages = outages(&carriers, &hand.directory, is_up);
    let scene = Scene { directory: &hand.directory, people: &hand.people, device: &device, kind: arguments.kind, at, outages: &outages };
    let rehearsal = scene.play().context("the press raised nothing")?;
    let up = carriers.iter().filter(|carrier| is_up(carrier)).cloned().collect();
    Ok(Told { up, device, at, zone, without: arguments.without.clone(), rehearsal, hand })
}

/// Whether a word of `--without` means a carrier: by its name, or by its channel.
fn is_meant(carrier: &Carrier, name: &str) -> bool {
    carrier.name == name || carrier.of.medium().as_str() == name
}

fn without_is_known(carriers: &[Carrier], without: &[String]) -> anyhow::Result<()> {
    let media = [Medium::Sms, Medium::Email, Medium::Voice, Medium::Webhook, Medium::Desk].map(Medium::as_str);
    let known: BTreeSet<&str> = media.into_iter().chain(carriers.iter().map(|carrier| carrier.name.as_str())).collect();
    for name in without {
        let names: Vec<&str> = known.iter().copied().collect();
        ensure!(known.contains(name.as_str()), "--without {name}: there is no such channel or account\n  there are {}", names.join(", "));
    }
    Ok(())
}

/// The button that is named; else the first by name that climbs the site's own ladder, else the first, else a stranger.
fn device(hand: &AtHand, site: &SiteId, named: Option<&DeviceName>) -> anyhow::Result<DeviceId> {
    let sites = &hand.directory.sites;
    ensure!(sites.contains_key(site), "the directory has no site \"{site}\"\n  its sites are {}", joined(sites.keys()));
    let of_site = || hand.directory.devices.iter().filter(|(id, _)| id.site == *site);
    let Some(name) = named else {
        let usual = of_site().find(|(_, device)| device.ladder.is_none()).or_else(|| of_site().next());
        let stranger = || DeviceName::parse("unregistered").map(|name| DeviceId { site: site.clone(), name });
        return usual.map_or_else(|| stranger().context("name a button"), |(id, _)| Ok(id.clone()));
    };
    let id = DeviceId { site: site.clone(), name: name.clone() };
    let known = of_site().map(|(id, _)| &id.name);
    ensure!(hand.directory.devices.contains_key(&id), "site \"{site}\" has no device \"{name}\"\n  its devices are {}", joined(known));
    Ok(id)
}

/// A time by the site's clock on the wall, at its first occurrence where it comes twice; or an instant with an offset.
fn instant(text: &str, zone: &Zone) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    // The library would read an offset without a date's Z and forget it.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'T')) && text.matches('-').count() == 2;
    let wall = text.trim().parse::<DateTime>().ok().filter(|_| plain);
    let wall = wall.with_context(|| {
        format!("--at \"{text}\" is no time\n  write it by the site's clock, \"2026-12-25 19:30\", or with an offset, \"2026-12-25T19:30:00+08:00\"")
    })?;
    Ok(zone.first(wall))
}

fn joined<'n, N: std::fmt::Display + 'n>(names: impl Iterator<Item = &'n N>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The picture names people: nobody else on this machine reads it.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests;
