//! What the numbers were measured on, and what a process used: read from `/proc`.

use std::{fs, process, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};

use crate::stats::rounded;

/// Linux reports processor time to programs in hundredths of a second, whatever its own tick.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Processor time, in user and kernel.
    pub(crate) cpu: Duration,
    /// Memory in use now, in bytes.
    pub(crate) rss: u64,
    /// The most memory ever in use, in bytes.
    pub(crate) rss_peak: u64,
}

/// The machine, and how busy it is.
pub(crate) fn describe() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_default();
    let memory_kb = field(&read("/proc/meminfo"), "MemTotal").and_then(|text| kilobytes(&text));
    let load = read("/proc/loadavg");
    json!({
        "cpu": cpu,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gb": memory_kb.map(|kb| rounded(kb as f64 / f64::from(1 << 20), 1)),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_at_start": load.split(' ').next().unwrap_or_default(),
    })
}

/// What a process has used so far.
///
/// # Errors
/// When it is gone, or this is no Linux.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).context(path)
    };
    let (stat, status) = (read("stat")?, read("status")?);
    let ticks = cpu_ticks(&stat).context("the process's processor time")?;
    let bytes = |name| field(&status, name).and_then(|text| kilobytes(&text)).map(|kb| kb << 10);
    Ok(Usage {
        cpu: Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND),
        rss: bytes("VmRSS").unwrap_or(0),
        rss_peak: bytes("VmHWM").unwrap_or(0),
    })
}

/// What this process has used so far.
///
/// # Errors
/// When this is no Linux.
pub(crate) fn own_usage() -> anyhow::Result<Usage> {
    usage(process::id())
}

/// Lets this thread's sleeps end on time: the kernel's default groups timers within 50 µs.
pub(crate) fn sharpen_timer() {
    let Ok(thread) = fs::read_link("/proc/thread-self") else { return };
    let Some(id) = thread.file_name().and_then(|id| id.to_str()) else { return };
    // Without it the generator is a little later, which its report shows.
    let _ = fs::write(format!("/proc/{id}/timerslack_ns"), "1");
}

/// User and system time: the 14th and 15th field; the 2nd, a name, may hold spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_after_a_name_with_spaces() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 4 0 99";
        assert_eq!(cpu_ticks(stat), Some(168));
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(own_usage().unwrap().rss > 0);
    }
}
