//! With CURVE, only listed keys that know the server's key get in.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{Dealer, Harness};
use heddle_net::{ClientKey, Config, Curve, Router, SecretKey};
use heddle_zmq_sys as sys;

const WORKER: u8 = 2;

struct Fixture {
    harness: Harness,
    server_key: String,
    listed: SecretKey,
}

fn fixture() -> Fixture {
    let (secret, listed) = (SecretKey::generate(), SecretKey::generate());
    let server_key = secret.public().unwrap().as_str().to_owned();
    let other = ClientKey {
        key: SecretKey::generate().public().unwrap(),
        role: 1,
    };
    let client = ClientKey {
        key: listed.public().unwrap(),
        role: WORKER,
    };
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.curve = Some(Curve {
        secret,
        clients: vec![other, client],
    });
    Fixture {
        harness: Harness::open(config),
        server_key,
        listed,
    }
}

/// Connects `dealer`, which must not get in, and gives the event that says so.
fn refused(harness: &mut Harness, dealer: &Dealer) -> i32 {
    let monitor = dealer.monitor();
    dealer.connect(harness.address());
    dealer.send(&[b"let me in"]);
    // The handler answers on this thread, so the client's verdict is awaited on another.
    let waker = harness.router.waker();
    std::thread::scope(|scope| {
        let verdict = scope.spawn(move || {
            let event = monitor.next();
            waker.wake();
            event
        });
        while !verdict.is_finished() {
            assert_eq!(harness.turn(std::time::Duration::from_millis(20)), []);
        }
        verdict.join().unwrap()
    })
}

// SAFETY: the monitor's socket moves to the one thread that uses and closes it.
unsafe impl Send for common::Monitor {}

/// After a refusal: the listed client is still served, and nothing else was heard.
fn still_serves(fixture: &mut Fixture) {
    let dealer = Dealer::new();
    dealer.set_curve(&fixture.listed, &fixture.server_key);
    dealer.connect(fixture.harness.address());
    dealer.send(&[b"listed"]);
    let (peer, parts) = fixture.harness.message();
    assert_eq!(parts, [b"listed"]);
    let client = fixture.harness.router.client(peer).unwrap();
    assert_eq!(
        (&client.key, client.role),
        (&fixture.listed.public().unwrap(), WORKER)
    );
    assert_eq!(fixture.harness.router.peers_len(), 1);
}

#[test]
fn a_listed_key_gets_in_and_is_known() {
    let mut fixture = fixture();
    still_serves(&mut fixture);
    assert_eq!(fixture.harness.router.counters().handshakes_refused, 0);
}

#[test]
fn an_unlisted_key_is_refused() {
    let mut fixture = fixture();
    let dealer = Dealer::new();
    dealer.set_curve(&SecretKey::generate(), &fixture.server_key);
    let event = refused(&mut fixture.harness, &dealer);
    assert_eq!(event, sys::ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert!(fixture.harness.router.counters().handshakes_refused >= 1);
    drop(dealer);
    still_serves(&mut fixture);
}

#[test]
fn a_wrong_server_key_is_refused() {
    let mut fixture = fixture();
    let dealer = Dealer::new();
    let wrong = SecretKey::generate().public().unwrap();
    dealer.set_curve(&fixture.listed, wrong.as_str());
    let event = refused(&mut fixture.harness, &dealer);
    assert_ne!(event, sys::ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    drop(dealer);
    still_serves(&mut fixture);
}

#[test]
fn a_client_without_curve_is_refused() {
    let mut fixture = fixture();
    let dealer = Dealer::new();
    let event = refused(&mut fixture.harness, &dealer);
    assert_ne!(event, sys::ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    drop(dealer);
    still_serves(&mut fixture);
}

#[test]
fn curve_does_not_open_other_interfaces() {
    // There is no endpoint to give: CURVE or not, parsing refuses the address.
    let error = "tcp://0.0.0.0:8786"
        .parse::<heddle_net::Endpoint>()
        .unwrap_err();
    assert_eq!(error.code(), "ERR_ADDRESS_NOT_LOOPBACK");
}

#[test]
fn a_key_listed_twice_is_an_error() {
    let secret = SecretKey::generate();
    let client = ClientKey {
        key: secret.public().unwrap(),
        role: 1,
    };
    let mut config = Config::bind("tcp://127.0.0.1:*".parse().unwrap());
    config.curve = Some(Curve {
        secret,
        clients: vec![client.clone(), client],
    });
    assert_eq!(Router::open(config).unwrap_err().code(), "ERR_ARGUMENT");
}
