//! The table of legal changes holds what events cause and nothing else: every pair in it is reached through `apply`,
//! every other pair stops the engine.

mod common;

use common::World;
use common::chaos::run;
use common::graph::Options;
use heddle_core::id::Task;
use heddle_core::ledger::{LEGAL, Ledger};
use heddle_core::{CheckLevel, State};

/// Pairs only a cluster without lanes causes, and cancelling what was never needed.
fn rare() -> World {
    let mut w = World::new();
    let unwanted = Options {
        unwanted: true,
        ..Options::default()
    };
    w.explicit(1, &[(1, vec![]), (2, vec![])], &unwanted);
    w.cancel(1, 1, 1);
    let a = w.worker(1);
    w.explicit(
        2,
        &[(0, vec![(1, 0)]), (0, vec![(1, 0)])],
        &Options::default(),
    );
    w.finish_stored(1, 0);
    // Without lanes its readers are ready for nobody; when the store goes too, they wait.
    w.lane(a, 0, false);
    assert_eq!(w.state(2, 0), "no-worker");
    w.kill(a);
    assert_eq!(w.state(2, 0), "waiting");
    assert_eq!(w.state(1, 0), "no-worker");
    w.explicit(3, &[(1, vec![]), (1, vec![])], &Options::default());
    w.cancel(3, 0, 1);
    w.release(3, 1, 1);
    let b = w.worker(1);
    // More readers of a stored value than lanes take; its holder dies.
    w.explicit(4, &[(1, vec![])], &Options::default());
    w.finish_stored(4, 0);
    w.worker(1);
    let readers = vec![(0, vec![(4, 0)]); 300];
    w.explicit(5, &readers, &Options::default());
    assert_eq!(w.state(5, 299), "queued");
    w.cancel(5, 297, 1);
    w.release(5, 298, 1);
    w.kill(b);
    assert_eq!(w.state(5, 299), "waiting");
    w.finish_all();
    w.expect_silence();
    w
}

#[test]
fn every_legal_change_is_reached() {
    let mut worlds = vec![rare()];
    worlds.extend((0..40).map(|seed| run(seed, 250, CheckLevel::Off).1));
    for (from, to) in LEGAL {
        let hits: u64 = worlds.iter().map(|w| w.engine.transitions(from, to)).sum();
        assert!(
            hits > 0,
            "{} -> {} was never reached",
            from.name(),
            to.name()
        );
    }
}

#[test]
fn every_other_change_is_refused() {
    for from in State::ALL {
        for to in State::ALL {
            let legal = LEGAL.contains(&(from, to));
            assert_eq!(legal, Ledger::legal(from, to));
            if !legal {
                let mut ledger = Ledger::default();
                let entered = std::panic::catch_unwind(move || ledger.record(Task(0), from, to));
                assert!(entered.is_err(), "{} -> {}", from.name(), to.name());
            }
        }
    }
}
