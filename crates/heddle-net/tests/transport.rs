//! Bytes arrive whole, in order and at the right peer, whatever else happens on the socket.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{DEADLINE, Dealer, Harness, Seen};
use heddle_net::{Config, Limits, Part, Router, SendOutcome};

/// A folder of this test alone, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("heddle-net-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}/s", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn round_trip(harness: &mut Harness) {
    let dealers = [
        Dealer::connected(harness.address()),
        Dealer::connected(harness.address()),
    ];
    let big: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
    for (tag, dealer) in [b"0", b"1"].into_iter().zip(&dealers) {
        dealer.send(&[tag, b"", &big]);
    }
    let mut peers = Vec::new();
    for seen in harness.collect(2) {
        let Seen::Message(peer, parts) = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(parts[1..], [Vec::new(), big.clone()]);
        peers.push((peer, parts[0].clone()));
    }
    assert!(peers[0].0 != peers[1].0 && peers[0].1 != peers[1].1);
    let shared = Arc::new(big.clone());
    for (peer, tag) in &peers {
        let mut parts = vec![
            Part::copy_from(tag),
            Part::from_vec(big.clone()),
            Part::from_arc(Arc::clone(&shared)),
            Part::from_vec(Vec::new()),
        ];
        assert_eq!(
            harness.router.send(*peer, &mut parts).unwrap(),
            SendOutcome::Sent
        );
        assert!(parts.is_empty());
    }
    for (tag, dealer) in [b"0", b"1"].into_iter().zip(&dealers) {
        let expected = [tag.to_vec(), big.clone(), big.clone(), Vec::new()];
        assert_eq!(dealer.receive().unwrap(), expected);
    }
    let counters = harness.router.counters();
    assert_eq!((counters.frames_received, counters.frames_sent), (2, 2));
    assert_eq!(counters.bytes_received, 2 * (1 + 300_000));
    assert_eq!(counters.frames_discarded, 0);
}

#[test]
fn multipart_messages_cross_tcp() {
    let mut harness = Harness::tcp();
    assert!(harness.address().starts_with("tcp://127.0.0.1:") && !harness.address().contains('*'));
    round_trip(&mut harness);
}

#[test]
fn multipart_messages_cross_ipc_and_the_file_goes() {
    let folder = Folder::new("roundtrip");
    let mut harness = Harness::open(Config::bind(folder.endpoint().parse().unwrap()));
    assert_eq!(harness.address(), folder.endpoint());
    round_trip(&mut harness);
    drop(harness);
    assert_eq!(
        std::fs::read_dir(&folder.0).unwrap().count(),
        0,
        "the socket file is removed"
    );
}

#[test]
fn a_received_part_is_sent_on_without_copying() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    let body = vec![9u8; 100_000];
    dealer.send(&[b"x", &body]);
    let mut batch = heddle_net::Batch::new();
    let start = Instant::now();
    while batch.is_empty() && start.elapsed() < DEADLINE {
        harness.router.poll(Duration::from_millis(20)).unwrap();
        harness.router.receive(&mut batch, 1, 1).unwrap();
    }
    let Some(heddle_net::Inbound::Message { peer, parts }) = batch.drain().next() else {
        panic!("no message")
    };
    let data = parts[1].as_ptr();
    let mut reply = vec![std::mem::take(&mut parts[1])];
    assert_eq!((reply[0].as_ptr(), parts[1].len()), (data, 0));
    assert_eq!(
        harness.router.send(peer, &mut reply).unwrap(),
        SendOutcome::Sent
    );
    assert_eq!(dealer.receive().unwrap(), [body]);
}

#[test]
fn many_small_messages_arrive_in_order_and_in_bounded_turns() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    for index in 0..5000u32 {
        dealer.send(&[&index.to_le_bytes()]);
    }
    let mut next = 0u32;
    harness.until("all arrived", |_, seen| {
        assert!(seen.len() <= 64, "a turn is bounded");
        for message in seen {
            let Seen::Message(_, parts) = message else {
                panic!("{message:?}")
            };
            assert_eq!(parts, [next.to_le_bytes()]);
            next += 1;
        }
        next == 5000
    });
}

#[test]
fn several_routers_live_in_one_process() {
    let mut a = Harness::tcp();
    let mut b = Harness::tcp();
    assert_ne!(a.address(), b.address());
    let (to_a, to_b) = (
        Dealer::connected(a.address()),
        Dealer::connected(b.address()),
    );
    to_b.send(&[b"b"]);
    assert_eq!(b.message().1, [b"b"]);
    drop(b);
    to_a.send(&[b"a"]);
    assert_eq!(a.message().1, [b"a"]);
}

#[test]
fn a_port_in_use_is_a_typed_error() {
    let first = Harness::tcp();
    let error = Router::open(Config::bind(first.address().parse().unwrap())).unwrap_err();
    assert_eq!(error.code(), "ERR_ADDRESS_IN_USE");
    assert!(error.to_string().contains(first.address()));
}

#[test]
fn an_ipc_path_is_taken_only_from_the_dead() {
    let folder = Folder::new("taken");
    let config = || Config::bind(folder.endpoint().parse().unwrap());
    let path = folder.0.join("s");
    let live = Router::open(config()).unwrap();
    assert_eq!(
        Router::open(config()).unwrap_err().code(),
        "ERR_ADDRESS_IN_USE"
    );
    drop(live);
    // A socket file whose owner was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(Router::open(config()).unwrap());
    // Somebody's file.
    std::fs::write(&path, "precious").unwrap();
    assert_eq!(
        Router::open(config()).unwrap_err().code(),
        "ERR_ADDRESS_INVALID"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let missing = format!("ipc://{}/no/s", folder.0.display());
    let error = Router::open(Config::bind(missing.parse().unwrap())).unwrap_err();
    assert_eq!(error.code(), "ERR_ADDRESS_INVALID");
}

#[test]
fn ipv6_loopback_is_bound_where_there_is_one() {
    match Router::open(Config::bind("tcp://[::1]:*".parse().unwrap())) {
        Ok(router) => {
            assert!(router.addresses()[0].starts_with("tcp://[::1]:"));
            drop(router);
            round_trip(&mut Harness::open(Config::bind(
                "tcp://[::1]:*".parse().unwrap(),
            )));
        }
        Err(error) => assert_eq!(error.code(), "ERR_ADDRESS_INVALID", "{error}"),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_spawned_process_does_not_inherit_the_socket() {
    let harness = Harness::tcp();
    let config = Config::bind(harness.address().parse().unwrap());
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    drop(harness);
    // Close-on-exec takes effect a moment after spawn returns; an inherited socket stays.
    let start = Instant::now();
    let mut again = Router::open(config.clone());
    while again.is_err() && start.elapsed() < DEADLINE {
        std::thread::sleep(Duration::from_millis(1));
        again = Router::open(config.clone());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    again.unwrap();
}

#[test]
fn one_bad_endpoint_leaves_none_bound() {
    let taken = Harness::tcp();
    let folder = Folder::new("partial");
    let mut config = Config::bind(folder.endpoint().parse().unwrap());
    config.binds.push(taken.address().parse().unwrap());
    assert_eq!(
        Router::open(config).unwrap_err().code(),
        "ERR_ADDRESS_IN_USE"
    );
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn a_waker_ends_the_wait_and_is_coalesced() {
    let mut harness = Harness::tcp();
    let waker = harness.router.waker();
    assert!(!harness.router.poll(Duration::ZERO).unwrap().woken);
    for _ in 0..100_000 {
        waker.wake(); // Would fill the pipe and hang if each wrote a byte.
    }
    assert!(harness.router.poll(DEADLINE).unwrap().woken);
    assert!(!harness.router.poll(Duration::ZERO).unwrap().woken);
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        waker.wake();
        waker
    });
    let start = Instant::now();
    while !harness.router.poll(DEADLINE).unwrap().woken {}
    assert!(start.elapsed() < DEADLINE);
    let waker = other.join().unwrap();
    drop(harness);
    waker.wake(); // Nobody there: no signal, no panic.
}

#[test]
fn a_graceful_close_delivers_what_was_sent() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    dealer.send(&[b"hello"]);
    let (peer, _) = harness.message();
    let body = vec![5u8; 1 << 20];
    for _ in 0..4 {
        let mut parts = vec![Part::copy_from(&body)];
        assert_eq!(
            harness.router.send(peer, &mut parts).unwrap(),
            SendOutcome::Sent
        );
    }
    harness.router.close(Duration::from_secs(1)).unwrap();
    for _ in 0..4 {
        assert_eq!(dealer.receive().unwrap(), [&body[..]]);
    }
}

#[test]
fn an_oversized_message_costs_only_its_sender() {
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.limits.part_bytes_max = 10_000;
    let mut harness = Harness::open(config);
    let (good, bad) = (
        Dealer::connected(harness.address()),
        Dealer::connected(harness.address()),
    );
    good.send(&[b"good"]);
    let (good_peer, _) = harness.message();
    bad.send(&[b"bad"]);
    let (bad_peer, _) = harness.message();
    good.send(&[&[1; 10_000]]);
    assert_eq!(harness.message().0, good_peer);
    bad.send(&[b"start", &[1; 10_001]]);
    assert_eq!(harness.collect(1), [Seen::Gone(bad_peer)]);
    good.send(&[b"still here"]);
    assert_eq!(harness.message(), (good_peer, vec![b"still here".to_vec()]));
}

#[test]
fn too_many_parts_are_told_and_a_dropped_peer_is_not_heard() {
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.limits = Limits {
        parts_max: 3,
        ..Limits::default()
    };
    let mut harness = Harness::open(config);
    let dealer = Dealer::connected(harness.address());
    dealer.send(&[b"1", b"2", b"3"]);
    let (peer, parts) = harness.message();
    assert_eq!(parts.len(), 3);
    dealer.send(&[b"1", b"2", b"3", b"4", b"5"]);
    assert_eq!(harness.collect(1), [Seen::Violation(peer)]);
    harness.router.drop_peer(peer);
    assert!(!harness.router.is_writable(peer));
    let outcome = harness
        .router
        .send(peer, &mut vec![Part::copy_from(b"x")])
        .unwrap();
    assert_eq!(outcome, SendOutcome::Gone);
    dealer.send(&[b"ignored"]);
    let other = Dealer::connected(harness.address());
    harness.until("the dropped peer's message is discarded", |router, seen| {
        assert_eq!(seen, []);
        router.counters().frames_discarded == 2
    });
    drop(dealer);
    harness.until("its slot is free", |router, seen| {
        assert_eq!(seen, []);
        router.peers_len() == 0
    });
    other.send(&[b"other"]);
    let (other_peer, _) = harness.message();
    assert!(other_peer.slot() == peer.slot() && other_peer != peer);
}

#[test]
fn hostile_bytes_harm_nobody() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    dealer.send(&[b"before"]);
    let (peer, _) = harness.message();
    let port = harness.address().strip_prefix("tcp://").unwrap().to_owned();
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let greeting: Vec<u8> = [
        &[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1][..],
        b"NULL",
        &[0; 48],
    ]
    .concat();
    let ready = [&[4, 26][..], b"\x05READY\x0bSocket-Type\0\0\0\x06DEA"].concat();
    let mut idle = Vec::new();
    for round in 0..200 {
        let mut stream = TcpStream::connect(&port).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        let mut bytes = match round % 4 {
            0 => Vec::new(),
            1 => greeting.clone(),
            2 => [&greeting[..], &ready].concat(),
            _ => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        };
        for _ in 0..round * 3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push((seed >> 56) as u8);
        }
        let _ = stream.write_all(&bytes); // The router may have cut the connection already.
        let _ = stream.read(&mut [0; 64]);
        if round % 8 == 0 {
            idle.push(stream); // Half-open, left to the handshake timeout.
        }
    }
    dealer.send(&[b"after"]);
    let mut answered = false;
    harness.until("the honest peer is heard", |_, seen| {
        for seen in seen.into_iter().filter(|seen| seen.peer() == peer) {
            assert_eq!(seen, Seen::Message(peer, vec![b"after".to_vec()]));
            answered = true;
        }
        answered
    });
    assert_eq!(
        harness
            .router
            .send(peer, &mut vec![Part::copy_from(b"reply")])
            .unwrap(),
        SendOutcome::Sent
    );
    assert_eq!(dealer.receive().unwrap(), [b"reply"]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_io_threads_time_is_told() {
    let mut harness = Harness::tcp();
    let dealer = Dealer::connected(harness.address());
    for _ in 0..1000 {
        dealer.send(&[b"work"]);
    }
    harness.collect(1000);
    assert!(harness.router.io_cpu_nanos().unwrap() > 0);
}
