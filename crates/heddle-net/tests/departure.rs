//! A peer that leaves, dies or freezes is told, after what it sent and exactly once.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Dealer, Harness, Seen};
use heddle_net::{Config, Part, PeerId, SendOutcome};

/// The other process of these tests: connects, says hello and waits to be killed.
#[test]
#[ignore = "run by the other tests as a process of its own"]
fn child_dealer() {
    let Ok(address) = std::env::var("HEDDLE_NET_TEST_ADDRESS") else {
        return;
    };
    let dealer = Dealer::connected(&address);
    dealer.send(&[b"hello from a child"]);
    // Ends when the parent does, whatever happens to it.
    BufReader::new(std::io::stdin()).lines().for_each(drop);
}

struct ChildDealer(Child);

impl ChildDealer {
    fn start(address: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_dealer", "--ignored", "--nocapture"])
            .env("HEDDLE_NET_TEST_ADDRESS", address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: i32) {
        // SAFETY: our own child, not yet waited for.
        assert_eq!(unsafe { libc::kill(self.0.id() as i32, signal) }, 0);
    }
}

impl Drop for ChildDealer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn gone_after(harness: &mut Harness, peer: PeerId) -> Duration {
    let start = Instant::now();
    assert_eq!(harness.collect(1), [Seen::Gone(peer)]);
    start.elapsed()
}

#[test]
fn a_killed_process_is_gone_at_once() {
    let mut harness = Harness::tcp();
    let child = ChildDealer::start(harness.address());
    let (peer, _) = harness.message();
    child.signal(libc::SIGKILL);
    let elapsed = gone_after(&mut harness, peer);
    println!("SIGKILL noticed after {elapsed:?}");
    assert!(
        elapsed < Duration::from_secs(3),
        "by notice, not by heartbeat: {elapsed:?}"
    );
    assert_eq!(harness.router.peers_len(), 0);
    let outcome = harness
        .router
        .send(peer, &mut vec![Part::copy_from(b"x")])
        .unwrap();
    assert_eq!(outcome, SendOutcome::Gone);
}

#[test]
fn a_frozen_process_is_gone_by_heartbeat() {
    let mut harness = Harness::tcp();
    let child = ChildDealer::start(harness.address());
    let (peer, _) = harness.message();
    child.signal(libc::SIGSTOP);
    let elapsed = gone_after(&mut harness, peer);
    assert!(elapsed > Duration::from_secs(1), "{elapsed:?}");
}

#[test]
fn goodbye_comes_after_the_last_words() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    dealer.set(heddle_zmq_sys::ZMQ_LINGER, 5000);
    for index in 0..500u32 {
        dealer.send(&[&index.to_le_bytes()]);
    }
    drop(dealer);
    let all = harness.collect(501);
    let peer = all[0].peer();
    for (index, seen) in all[..500].iter().enumerate() {
        assert_eq!(
            *seen,
            Seen::Message(peer, vec![(index as u32).to_le_bytes().to_vec()])
        );
    }
    assert_eq!(all[500], Seen::Gone(peer));
    assert_eq!(harness.turn(Duration::from_millis(50)), [], "told once");
}

#[test]
fn sending_to_the_departed_says_gone_and_loses_nothing_they_said() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    dealer.set(heddle_zmq_sys::ZMQ_LINGER, 5000);
    dealer.send(&[b"first"]);
    let (peer, _) = harness.message();
    dealer.send(&[b"last words"]);
    drop(dealer);
    // Send blindly, without receiving, until libzmq knows.
    let start = Instant::now();
    while harness
        .router
        .send(peer, &mut vec![Part::copy_from(b"x")])
        .unwrap()
        != SendOutcome::Gone
    {
        assert!(start.elapsed() < common::DEADLINE);
        std::thread::sleep(Duration::from_millis(1));
    }
    let told = harness.collect(2);
    assert_eq!(
        told,
        [
            Seen::Message(peer, vec![b"last words".to_vec()]),
            Seen::Gone(peer)
        ]
    );
    assert_eq!(harness.turn(Duration::from_millis(50)), [], "told once");
}

#[test]
fn a_notice_lost_to_a_full_queue_is_made_up_for() {
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.limits.frames_queued_max = 4;
    let mut harness = Harness::open(config);
    let dealer = Dealer::connected(harness.address());
    dealer.send(&[b"hello"]);
    let (peer, _) = harness.message();
    for _ in 0..200 {
        dealer.send(&[&[7; 1000]]);
    }
    std::thread::sleep(Duration::from_millis(100)); // Let the queue fill before the sender dies.
    drop(dealer);
    std::thread::sleep(Duration::from_millis(100));
    let mut gone = false;
    harness.until("the loss is noticed", |_, seen| {
        for seen in seen {
            assert!(!gone && seen.peer() == peer, "nothing after the goodbye");
            gone = matches!(seen, Seen::Gone(_));
        }
        gone
    });
}

#[test]
fn a_reconnecting_peer_is_another_peer() {
    let mut harness = Harness::tcp();
    let first = Dealer::new();
    first.set_bytes(heddle_zmq_sys::ZMQ_ROUTING_ID, b"same name");
    first.connect(harness.address());
    first.send(&[b"one"]);
    let (peer, _) = harness.message();
    drop(first);
    assert_eq!(harness.collect(1), [Seen::Gone(peer)]);
    let second = Dealer::new();
    second.set_bytes(heddle_zmq_sys::ZMQ_ROUTING_ID, b"same name");
    second.connect(harness.address());
    second.send(&[b"two"]);
    let (again, parts) = harness.message();
    assert_eq!(parts, [b"two"]);
    assert_ne!(again, peer);
}

#[test]
fn a_faked_notice_makes_a_stranger_of_its_sender_only() {
    let mut harness = Harness::tcp();
    let (liar, honest) = (
        Dealer::connected(harness.address()),
        Dealer::connected(harness.address()),
    );
    honest.send(&[b"honest"]);
    let (honest_peer, _) = harness.message();
    liar.send(&[b"liar"]);
    let (liar_peer, _) = harness.message();
    liar.send(&[b""]);
    assert_eq!(harness.collect(1), [Seen::Gone(liar_peer)]);
    liar.send(&[b"back"]);
    let (back, _) = harness.message();
    assert!(back != liar_peer && back != honest_peer);
    honest.send(&[b"still"]);
    assert_eq!(harness.message().0, honest_peer);
}
