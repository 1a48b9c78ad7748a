//! What the Rust programs share: clocks, memory, arguments, the runtime and the result line.

use std::fs;

/// User and system time of this process, all threads.
pub fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to the structure it is given.
    let rc = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(rc, 0);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What the kernel counts: resident pages and the page tables that map them.
pub fn memory_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS:") || line.starts_with("VmPTE:"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0)
        .sum()
}

/// The index-th argument as a count, or what to use without it.
pub fn argument(index: usize, otherwise: usize) -> usize {
    std::env::args().nth(index).map_or(otherwise, |text| text.parse().unwrap())
}

/// The sleeps of the timers program: the same 1..1000 in every language.
pub struct Random(u32);

impl Random {
    pub fn new() -> Self {
        Random(1)
    }

    pub fn milliseconds(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        u64::from(self.0 % 1000 + 1)
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}

/// One thread: the programs have one processor, and this runtime is the faster one there.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn print(name: &str, value: f64) {
    println!("{name} {value:.6}");
}
