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

/// Lets memory that was freed stay with the process, and takes large pieces from it like small ones: every step wants the same
/// temporaries again, and the system hands out each page anew, cleared, at the price of a tenth of a step. Peak memory does not grow
/// by it. Nothing is done where malloc is not glibc's.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets malloc's own options, before any other thread has begun.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
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
