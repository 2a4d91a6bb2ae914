//! Many DEALERs against one ROUTER: every message is answered, whatever was sent before the wait.

use std::time::{Duration, Instant};

use heddle_net::{Batch, Config, Dealers, Inbound, Part, Router};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn each_of_many_hears_its_answers() {
    // More than one context holds.
    let count = 600;
    let mut router = Router::open(Config::bind("tcp://127.0.0.1:*".parse().unwrap())).unwrap();
    let mut dealers = Dealers::connect(&router.addresses()[0], count).unwrap();
    let mut batch = Batch::new();
    let (mut ready, mut parts) = (Vec::new(), Vec::new());
    let mut heard = vec![0u8; count];
    let deadline = Instant::now() + PATIENCE;
    // Round 2 is sent outside of any reading, like a heartbeat.
    for round in 1..=2u8 {
        for at in 0..count {
            let text = format!("{at}");
            let mut message = [Part::copy_from(text.as_bytes()), Part::copy_from(&[round])];
            dealers.send(at, &mut message).unwrap();
        }
        while heard.iter().any(|&n| n < round) {
            assert!(Instant::now() < deadline, "an answer did not come");
            router.poll(Duration::from_millis(1)).unwrap();
            router.receive(&mut batch, 1024, 1 << 20).unwrap();
            for inbound in batch.drain() {
                if let Inbound::Message { peer, parts } = inbound {
                    let mut echo: Vec<Part> = parts.iter_mut().map(std::mem::take).collect();
                    let _ = router.send(peer, &mut echo).unwrap();
                }
            }
            dealers.wait(Duration::from_millis(1), &mut ready).unwrap();
            for &at in &ready {
                while dealers.receive(at, &mut parts).unwrap() {
                    assert_eq!(&*parts[0], format!("{at}").as_bytes());
                    assert_eq!(&*parts[1], &[heard[at] + 1]);
                    heard[at] += 1;
                }
            }
        }
    }
}
