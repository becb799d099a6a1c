// SPDX-License-Identifier: MIT
// bench-crate: tokio rt rt-multi-thread sync time
// bench-package: librust-tokio-dev

//! A task of the multi-threaded runtime does the work, main waits for it.

use std::io::Read;

fn main() {
    let idle = std::env::args().nth(1).as_deref() == Some("idle");
    let rt = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let task = rt.spawn(async move {
        if idle {
            println!("ready");
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        } else {
            println!("hello");
        }
    });
    rt.block_on(task).unwrap();
}
