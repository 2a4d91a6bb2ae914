//! Records written and replayed: equal ends, twice; every cut and every flipped byte refused where it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heddle_core::event::ProcJoined;
use heddle_core::id::{ClientId, Incarnation, Millis, ProcId};
use heddle_core::{CheckLevel, Config, Engine, Event, Out};

use crate::record::Recorder;
use crate::{ReplayReport, Server, ServerConfig, replay};

const VERSION: &str = "1.2.3";
const EPOCH: u32 = 7;

/// A file that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("heddle-record-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn joined(proc: u32) -> Event<'static> {
    Event::ProcJoined(ProcJoined {
        proc: ProcId(proc),
        incarnation: Incarnation(proc),
        host: "here",
        name: "worker",
        lanes: 3,
        data_address: "ipc:///somewhere",
        ahead: true,
        memory_bytes: 1 << 40,
    })
}

/// Peers that come and go, by a seed: what a run is made of besides frames.
fn write(path: &Path, seed: u64, steps: u64) -> u64 {
    let check = CheckLevel::Light;
    let mut engine = Engine::new(Config {
        epoch: EPOCH,
        check,
    });
    let mut out = Out::new();
    let mut recorder = Recorder::create(path, VERSION, EPOCH, check).unwrap();
    let mut random = seed;
    let (mut clients, mut procs) = (0, 0);
    for step in 0..steps {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let now = Millis(step * 40);
        let pick = |count: u32| 1 + (random >> 40) as u32 % count.max(1);
        let client = ClientId(pick(clients));
        let event = match random >> 60 {
            0..=3 => {
                procs += 1;
                joined(procs)
            }
            4 | 5 => Event::ProcLost {
                proc: ProcId(pick(procs)),
                incarnation: Incarnation(pick(procs)),
            },
            6..=9 => {
                clients += 1;
                Event::ClientJoined {
                    client: ClientId(clients),
                    update_credit: 8,
                }
            }
            10 | 11 => Event::ClientLost {
                client,
                deadline: Millis(now.0 + 100),
            },
            12 => Event::ClientResumed {
                client,
                update_credit: 4,
            },
            13 => Event::ClientLeft { client },
            _ => Event::Tick,
        };
        recorder.event(now, &event);
        // Events that no correct peer causes are refused, here and in the replay.
        let _ = engine.apply(now, event, &mut out);
        out.clear();
        recorder.turn();
        recorder.updated(client);
    }
    recorder.finish(Some(&engine));
    engine.digest()
}

fn logical(report: ReplayReport) -> (u64, u64, u64, u64) {
    (report.digest, report.events, report.turns, report.bytes)
}

#[test]
fn a_replay_comes_to_the_same_end_twice() {
    for seed in 1..=20 {
        let file = Scratch::new(&format!("same-{seed}"));
        let digest = write(&file.0, seed, 60);
        let first = replay(&file.0, VERSION).unwrap();
        let second = replay(&file.0, VERSION).unwrap();
        assert_eq!(first.digest, digest, "seed {seed}");
        assert_eq!((first.events, first.turns), (60, 60));
        assert_eq!(logical(first), logical(second));
    }
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let file = Scratch::new("cut");
    write(&file.0, 3, 12);
    let whole = fs::read(&file.0).unwrap();
    let broken = Scratch::new("broken");
    for length in 0..whole.len() {
        fs::write(&broken.0, &whole[..length]).unwrap();
        let error = replay(&broken.0, VERSION).unwrap_err();
        assert_eq!(error.code, "ERR_RECORD_TRUNCATED", "{length}: {error}");
        assert!(error.message.contains("at byte "), "{error}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&broken.0, &bytes).unwrap();
        let error = replay(&broken.0, VERSION).unwrap_err();
        // A flipped length may reach beyond the end.
        let codes = ["ERR_RECORD_CORRUPT", "ERR_RECORD_TRUNCATED"];
        assert!(codes.contains(&error.code), "{at}: {error}");
    }
}

#[test]
fn another_version_a_stranger_and_nothing_are_told_apart() {
    let file = Scratch::new("version");
    write(&file.0, 1, 5);
    let error = replay(&file.0, "9.9.9").unwrap_err();
    assert_eq!(error.code, "ERR_RECORD_VERSION");
    assert!(error.message.contains("1.2.3") && error.message.contains("9.9.9"));
    fs::write(&file.0, b"{\"traceEvents\": []}").unwrap();
    assert_eq!(
        replay(&file.0, VERSION).unwrap_err().code,
        "ERR_RECORD_CORRUPT"
    );
    fs::remove_file(&file.0).unwrap();
    assert_eq!(
        replay(&file.0, VERSION).unwrap_err().code,
        "ERR_FILE_MISSING"
    );
}

#[test]
fn an_engine_that_failed_leaves_a_record_without_a_trailer() {
    let file = Scratch::new("failed");
    let mut recorder = Recorder::create(&file.0, VERSION, EPOCH, CheckLevel::Off).unwrap();
    recorder.event(Millis(1), &joined(1));
    recorder.finish(None);
    assert_eq!(
        replay(&file.0, VERSION).unwrap_err().code,
        "ERR_RECORD_TRUNCATED"
    );
}

#[test]
fn a_full_disk_ends_the_recording_alone() {
    let start = |record: &str| {
        Server::start(ServerConfig {
            record: Some(PathBuf::from(record)),
            ..ServerConfig::default()
        })
    };
    let missing = start("/nonexistent/folder/run.rec").unwrap_err();
    assert_eq!(missing.code(), "ERR_FILE_MISSING");
    if !Path::new("/dev/full").exists() {
        return;
    }
    let mut recorder = Recorder::create(Path::new("/dev/full"), VERSION, EPOCH, CheckLevel::Off);
    let recorder = recorder.as_mut().unwrap();
    let progress = recorder.progress();
    let deadline = Instant::now() + Duration::from_secs(20);
    while recorder.is_on() && Instant::now() < deadline {
        recorder.event(Millis(1), &joined(1));
        recorder.turn();
    }
    assert!(!recorder.is_on());
    let failure = progress.failure().unwrap();
    assert_eq!(failure.code, "ERR_DISK_FULL");
    assert!(
        failure.message.contains("the run is untouched"),
        "{}",
        failure.message
    );
}
