// SPDX-License-Identifier: MIT
// locks.rs - Rust's std::sync, fought over: a Mutex whose holders are noted ("hold tid from until", CLOCK_MONOTONIC ns),
// a Condvar, an RwLock.
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    fn gettid() -> i32;
}

fn now() -> i64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(1, &mut time) };
    time.seconds * 1_000_000_000 + time.nanoseconds
}

fn side_by_side(n: usize, work: impl Fn(usize) + Send + Sync + 'static) {
    let work = Arc::new(work);
    let threads: Vec<_> = (0..n)
        .map(|me| {
            let work = work.clone();
            thread::spawn(move || work(me))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn nap(us: u64) {
    thread::sleep(Duration::from_micros(us));
}

fn main() {
    let holds = Arc::new(Mutex::new(Vec::new()));
    let noted = holds.clone();
    side_by_side(4, move |_| {
        for _ in 0..60 {
            {
                let mut held = noted.lock().unwrap();
                let from = now();
                nap(500);
                held.push((unsafe { gettid() }, from, now()));
            }
            nap(100);
        }
    });
    let last = now();

    let turn = Arc::new((Mutex::new(0usize), Condvar::new()));
    side_by_side(3, move |me| {
        for _ in 0..40 {
            let mut now = turn.0.lock().unwrap();
            while *now % 3 != me {
                now = turn.1.wait(now).unwrap();
            }
            *now += 1;
            drop(now);
            nap(300);
            turn.1.notify_all();
        }
    });

    let shared = Arc::new(RwLock::new(0));
    side_by_side(4, move |me| {
        for _ in 0..40 {
            if me == 0 {
                let mut value = shared.write().unwrap();
                *value += 1;
                nap(500);
            } else {
                let _value = shared.read().unwrap();
                nap(200);
            }
            nap(100);
        }
    });
    for (tid, from, until) in holds.lock().unwrap().iter() {
        println!("hold {} {} {}", tid, from, until);
    }
    println!("last {}", last);
}
