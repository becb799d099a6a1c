// SPDX-License-Identifier: MIT

//! What every Rust contender shares; does what bench.h does for C: see there for the protocol.
#![allow(dead_code)]

use std::time::{Duration, Instant};

/// The case asked for and the time to measure for.
pub struct Asked {
    pub case: String,
    pub budget: Duration,
}

/// Read `contender CASE MILLISECONDS`.
pub fn start() -> Asked {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 3 {
        eprintln!("usage: {} CASE MILLISECONDS", args[0]);
        std::process::exit(2);
    }
    let ms = args[2].parse().expect("MILLISECONDS");
    Asked { case: args[1].clone(), budget: Duration::from_millis(ms) }
}

/// End a contender that has no answer to the case.
pub fn skip() -> ! {
    std::process::exit(77)
}

/// Print the median and the best of the samples.
pub fn print(samples: &mut [f64], unit: &str) {
    samples.sort_by(|a, b| a.partial_cmp(b).unwrap());
    println!("time {:.3} {}", samples[samples.len() / 2], unit);
    println!("best {:.3} {}", samples[0], unit);
}

/// Run batches of the given number of operations and print the time of one operation.
pub fn batches(asked: &Asked, operations: usize, mut batch: impl FnMut()) {
    let start = Instant::now();
    while start.elapsed() < asked.budget / 5 {
        batch();
    }
    let mut samples = Vec::new();
    let start = Instant::now();
    let mut now = start;
    while now - start < asked.budget || samples.len() < 3 {
        let before = now;
        batch();
        now = Instant::now();
        samples.push((now - before).as_nanos() as f64 / operations as f64);
    }
    print(&mut samples, "ns");
}
