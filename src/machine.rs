//! What the operating system says of this machine and this process. Nothing where it does not say it as Linux does: a number that
//! is not known is never zero.

use std::fs;

/// The most memory that this process has held so far, in MiB.
pub fn peak_rss_mib() -> Option<f64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Memory that a new process could have without pushing others out, in MiB.
pub fn available_mib() -> Option<f64> {
    field(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The field `name` of one of the kernel's texts, which gives it in KiB, in MiB.
fn field(text: &str, name: &str) -> Option<f64> {
    let kib: f64 = text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibibytes_become_mebibytes_and_what_is_not_there_is_nothing() {
        let text = "Name:\tfsa\nVmPeak:\t  409600 kB\nVmHWM:\t  204800 kB\n";
        assert_eq!(field(text, "VmHWM:"), Some(200.0));
        assert_eq!(field(text, "VmRSS:"), None);
        assert_eq!(field("VmHWM: much", "VmHWM:"), None);
    }
}
