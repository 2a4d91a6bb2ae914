//! Blocked is not lost: a peer that does not read gets everything once it does, and nobody waits
//! for it.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{Dealer, Harness};
use heddle_net::{Config, Limits, Part, PeerId, Router, SendOutcome};

const FRAME_BYTES: usize = 64 << 10;

fn numbered(number: u32) -> Vec<Part> {
    let mut bytes = vec![0; FRAME_BYTES];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    vec![Part::copy_from(b"head"), Part::from_vec(bytes)]
}

/// A router with small queues, and a peer that has said hello and reads nothing more by itself.
fn fixture() -> (Harness, Dealer, PeerId) {
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.limits = Limits {
        frames_queued_max: 8,
        outbox_bytes_max: 10 * FRAME_BYTES,
        ..Limits::default()
    };
    let mut harness = Harness::open(config);
    let slow = Dealer::new();
    slow.set(heddle_zmq_sys::ZMQ_RCVHWM, 2);
    slow.connect(harness.address());
    slow.send(&[b"hello"]);
    let (peer, _) = harness.message();
    (harness, slow, peer)
}

/// Sends until the outbox is full; gives how many messages were taken.
fn fill(router: &mut Router, peer: PeerId) -> u32 {
    let (mut sent, mut blocked) = (0, 0);
    loop {
        let mut parts = numbered(sent + blocked);
        match router.send(peer, &mut parts).unwrap() {
            SendOutcome::Sent => sent += 1,
            SendOutcome::Blocked => blocked += 1,
            SendOutcome::Full => {
                assert_eq!(parts.len(), 2, "the message is still ours");
                assert!(!router.is_writable(peer));
                return sent + blocked;
            }
            SendOutcome::Gone => panic!("the peer is alive"),
        }
        assert!(sent < 100_000, "a peer that never reads must block at last");
    }
}

#[test]
fn a_blocked_peer_gets_everything_in_order() {
    let (mut harness, slow, peer) = fixture();
    let taken = fill(&mut harness.router, peer);
    let reader = std::thread::spawn(move || {
        for number in 0..=taken {
            let message = slow.receive().expect("in time");
            assert_eq!(message[0], b"head");
            assert_eq!(message[1][..4], number.to_le_bytes());
        }
        slow
    });
    harness.until("it is writable again", |router, _| router.is_writable(peer));
    assert_eq!(
        harness.router.send(peer, &mut numbered(taken)).unwrap(),
        SendOutcome::Sent
    );
    reader.join().unwrap();
    assert_eq!(harness.router.counters().frames_sent, u64::from(taken) + 1);
}

#[test]
fn a_blocked_peer_does_not_hold_up_another() {
    let (mut harness, _slow, blocked) = fixture();
    fill(&mut harness.router, blocked);
    let other = Dealer::connected(harness.address());
    for number in 0..100u32 {
        fill(&mut harness.router, blocked); // The system's buffers may have taken some meanwhile.
        other.send(&[&number.to_le_bytes()]);
        let (peer, _) = harness.message();
        let outcome = harness.router.send(peer, &mut numbered(number)).unwrap();
        assert_eq!(outcome, SendOutcome::Sent);
        assert_eq!(other.receive().unwrap()[1][..4], number.to_le_bytes());
    }
}

#[test]
fn a_blocked_peer_that_dies_is_gone() {
    let (mut harness, slow, peer) = fixture();
    fill(&mut harness.router, peer);
    drop(slow);
    assert_eq!(harness.collect(1), [common::Seen::Gone(peer)]);
    assert!(
        !harness
            .router
            .poll(std::time::Duration::ZERO)
            .unwrap()
            .unblocked
    );
}
