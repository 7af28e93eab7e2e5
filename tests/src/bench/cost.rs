//! What another process costs, as the kernel tells it.

use std::time::Duration;

use super::Failure;

/// What Linux counts processor time in, on every machine that this is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time of a process so far, its own and the kernel's for it.
pub fn cpu(process: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in brackets, may hold anything; the fields count from behind it.
    let (_, fields) = stat.rsplit_once(')').ok_or("a stat without a name")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_secs_f64(ticks.iter().sum::<f64>() / TICKS_A_SECOND))
}

/// Resident memory of a process, bytes.
pub fn resident(process: u32) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("a status without memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1_024.0)
}
