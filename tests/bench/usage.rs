//! What a process uses, as Linux tells: processor time and memory of its own.

use std::time::Duration;

/// How many ticks of processor time Linux counts in a second, on every architecture that we ship for.
const TICKS_PER_SECOND: u32 = 100;

/// Processor time of all threads so far, the ended ones included, to 10 ms.
pub(crate) fn processor(pid: u32) -> Duration {
    let stat = read(pid, "stat");
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th field behind it (man proc_pid_stat).
    let behind = stat.rsplit_once(')').map_or("", |(_name, behind)| behind);
    let ticks = behind.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().expect("ticks"));
    Duration::from_secs(1) / TICKS_PER_SECOND * ticks.sum::<u32>()
}

/// `RssAnon` in KiB: memory that is the process's own, without the files it maps.
pub(crate) fn rss_anon_kib(pid: u32) -> u32 {
    let status = read(pid, "status");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon in the status");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number of KiB")
}

/// The most memory in KiB that a process ever had, files it maps included; `None` once it has ended.
pub(crate) fn peak_kib(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn read(pid: u32, what: &str) -> String {
    let path = format!("/proc/{pid}/{what}");
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("read {path} (the bench needs Linux): {e}"))
}
