//! Lanes in virtual time. A message takes 100 us either way. A lane tells its results when it has no more records, 256
//! of them, or some for a millisecond; while a body is long its process looks every 32 ms. Its process answers for it
//! at once when records are taken back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use heddle_core::column::{U32s, u32_bytes};
use heddle_core::event::{
    DoneSection, Event, Fence, FunctionDefined, LayerKind, LayerSpec, Outcome, ProcJoined, Submit,
};
use heddle_core::id::{ClientId, Incarnation, LayerSerial, Millis, ProcId};
use heddle_core::{CheckLevel, Config, Engine, Out};

const WIRE_US: u64 = 100;
const LOOK_US: u64 = 32_000;
const FRAME_US: u64 = 1_000;
const FRAME_RECORDS: usize = 256;
const EPOCH: u32 = 1;
const CLIENT: ClientId = ClientId(1);

/// What is to be run, and where.
pub struct Plan {
    pub name: &'static str,
    /// How long each task takes.
    pub tasks_us: Vec<u64>,
    /// When each proc joins, and its lanes.
    pub procs: Vec<(u64, u32)>,
    /// A task that never ends.
    pub blocked: Option<u32>,
}

/// What came of it.
pub struct Ran {
    /// When the last task ended, one that never ends apart.
    pub end_us: u64,
    /// The longest that any record stayed unstarted at one lane while another lane idled.
    pub stuck_us: u64,
}

/// When a scheduler that knows nothing ahead, but sends every task only to a free lane and at once, is done.
pub fn greedy(plan: &Plan) -> u64 {
    let all = plan.procs.iter();
    let mut free: BinaryHeap<Reverse<u64>> = all
        .flat_map(|&(at, lanes)| (0..lanes).map(move |_| Reverse(at)))
        .collect();
    let mut end = 0;
    for (task, &us) in plan.tasks_us.iter().enumerate() {
        let Reverse(at) = free.pop().unwrap();
        if plan.blocked == Some(task as u32) {
            continue;
        }
        end = end.max(at + us);
        free.push(Reverse(at + us));
    }
    end
}

type Record = (u32, u32);

/// What happens at a time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Join(usize),
    /// Records reach a lane.
    Assigned(usize, Vec<Record>),
    /// A lane's process is asked for records.
    Asked(usize, Vec<Record>),
    /// A lane ends what it runs.
    Ended(usize),
    /// A lane's process looks at what it has finished.
    Look(usize),
    /// Results reach the engine: records and microseconds in all.
    Told(usize, Vec<Record>, u64),
    /// Records given back reach the engine.
    GivenBack(usize, Vec<Record>),
    Tick,
}

struct Lane {
    proc: u32,
    number: u32,
    queue: VecDeque<(u64, Record)>,
    running: bool,
    finished: Vec<Record>,
    finished_us: u64,
    looks: bool,
    /// On the wire to it.
    coming: usize,
    idle_since: Option<u64>,
}

struct World<'a> {
    plan: &'a Plan,
    engine: Engine,
    out: Out,
    now: u64,
    heap: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    sequence: u64,
    lanes: Vec<Lane>,
    left: usize,
    ended: Vec<bool>,
    tick: Option<u64>,
    ran: Ran,
}

/// Runs a plan to its end.
pub fn simulate(plan: &Plan) -> Ran {
    let mut world = World {
        plan,
        engine: Engine::new(Config {
            epoch: EPOCH,
            check: CheckLevel::Light,
        }),
        out: Out::new(),
        now: 0,
        heap: BinaryHeap::new(),
        sequence: 0,
        lanes: Vec::new(),
        left: plan.tasks_us.len() - usize::from(plan.blocked.is_some()),
        ended: vec![false; plan.tasks_us.len()],
        tick: None,
        ran: Ran {
            end_us: 0,
            stuck_us: 0,
        },
    };
    world.submit();
    for (proc, &(at, _)) in plan.procs.iter().enumerate() {
        world.at(at, Happening::Join(proc));
    }
    while world.left > 0 {
        let Reverse((now, _, happening)) = world.heap.pop().expect("work is left");
        world.watch(now);
        world.now = now;
        world.happen(happening);
    }
    world.engine.check();
    world.ran
}

impl World<'_> {
    fn at(&mut self, time: u64, happening: Happening) {
        self.sequence += 1;
        self.heap.push(Reverse((time, self.sequence, happening)));
    }

    fn apply(&mut self, event: Event<'_>) {
        let taken = self
            .engine
            .apply(Millis(self.now / 1_000), event, &mut self.out);
        assert!(taken.is_ok(), "{taken:?}");
        self.deliver();
        let due = self
            .engine
            .deadline()
            .map(|due| (due.0 * 1_000).max(self.now + 1));
        if let Some(due) = due.filter(|&due| self.tick.is_none_or(|tick| due < tick)) {
            self.tick = Some(due);
            self.at(due, Happening::Tick);
        }
    }

    fn submit(&mut self) {
        self.apply(Event::ClientJoined {
            client: CLIENT,
            update_credit: 1,
        });
        self.apply(Event::FunctionDefined(FunctionDefined {
            client: CLIENT,
            function: 1,
            hash: [1; 32],
            name: "f",
            body: b"f",
        }));
        self.apply(Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers: &[LayerSpec {
                layer: 1,
                kind: LayerKind::Map,
                tasks: self.plan.tasks_us.len() as u32,
                function: 1,
                flags: 1,
                ..LayerSpec::default()
            }],
        }));
    }

    /// Puts what the engine sends on the wire.
    fn deliver(&mut self) {
        let mut sent = Vec::new();
        for proc in self.out.procs() {
            for section in proc.assign() {
                let records =
                    (0..section.count as usize).map(|i| (section.index(i), section.attempt(i)));
                sent.push((proc.proc.0, section.lane, records.collect(), true));
            }
            for section in &proc.retract {
                let records = section
                    .indices
                    .iter()
                    .copied()
                    .zip(section.attempts.iter().copied());
                sent.push((proc.proc.0, section.lane, records.collect(), false));
            }
        }
        self.out.clear();
        for (proc, number, records, run) in sent {
            let records: Vec<Record> = records;
            let lane = self
                .lanes
                .iter()
                .position(|lane| (lane.proc, lane.number) == (proc, number));
            let lane = lane.unwrap();
            if run {
                self.lanes[lane].coming += records.len();
                self.at(self.now + WIRE_US, Happening::Assigned(lane, records));
            } else {
                self.at(self.now + WIRE_US, Happening::Asked(lane, records));
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Join(proc) => self.join(proc),
            Happening::Assigned(lane, records) => {
                let now = self.now;
                self.lanes[lane].coming -= records.len();
                self.lanes[lane]
                    .queue
                    .extend(records.into_iter().map(|record| (now, record)));
                self.start(lane);
            }
            Happening::Asked(lane, records) => {
                let queue = &mut self.lanes[lane].queue;
                let unstarted: Vec<Record> = queue
                    .iter()
                    .map(|&(_, record)| record)
                    .filter(|record| records.contains(record))
                    .collect();
                queue.retain(|(_, record)| !unstarted.contains(record));
                if !unstarted.is_empty() {
                    self.at(self.now + WIRE_US, Happening::GivenBack(lane, unstarted));
                }
            }
            Happening::Ended(lane) => self.end(lane),
            Happening::Look(lane) => {
                self.lanes[lane].looks = false;
                self.tell(lane);
            }
            Happening::Told(lane, records, us) => self.report(lane, &records, us, Outcome::Ok),
            Happening::GivenBack(lane, records) => {
                self.report(lane, &records, 0, Outcome::Retracted)
            }
            Happening::Tick => {
                self.tick = None;
                self.apply(Event::Tick);
            }
        }
    }

    fn join(&mut self, proc: usize) {
        let (_, lanes) = self.plan.procs[proc];
        for number in 0..lanes {
            self.lanes.push(Lane {
                proc: proc as u32 + 1,
                number,
                queue: VecDeque::new(),
                running: false,
                finished: Vec::new(),
                finished_us: 0,
                looks: false,
                coming: 0,
                idle_since: Some(self.now),
            });
        }
        self.apply(Event::ProcJoined(ProcJoined {
            proc: ProcId(proc as u32 + 1),
            incarnation: Incarnation(1),
            host: "here",
            name: "lanes",
            lanes,
            data_address: "",
            memory_bytes: 0,
            ahead: false,
        }));
    }

    fn start(&mut self, at: usize) {
        let lane = &mut self.lanes[at];
        if lane.running {
            return;
        }
        let Some((_, record)) = lane.queue.pop_front() else {
            lane.idle_since.get_or_insert(self.now);
            self.tell(at);
            return;
        };
        lane.running = true;
        lane.idle_since = None;
        lane.finished.push(record);
        if self.plan.blocked != Some(record.0) {
            let us = self.plan.tasks_us[record.0 as usize];
            lane.finished_us += us;
            self.at(self.now + us, Happening::Ended(at));
        }
    }

    fn end(&mut self, at: usize) {
        let lane = &mut self.lanes[at];
        lane.running = false;
        let (task, _) = *lane.finished.last().unwrap();
        assert!(
            !std::mem::replace(&mut self.ended[task as usize], true),
            "task {task} ran twice"
        );
        self.left -= 1;
        self.ran.end_us = self.now;
        if lane.finished.len() >= FRAME_RECORDS {
            self.tell(at);
        } else if !lane.looks {
            lane.looks = true;
            // A body longer than this holds up what was finished before it.
            let next = lane
                .queue
                .front()
                .map_or(0, |&(_, (task, _))| self.plan.tasks_us[task as usize]);
            let wait = if next > FRAME_US { LOOK_US } else { FRAME_US };
            self.at(self.now + wait, Happening::Look(at));
        }
        self.start(at);
    }

    /// Sends what the lane has finished.
    fn tell(&mut self, at: usize) {
        let lane = &mut self.lanes[at];
        let running = lane.running.then(|| lane.finished.pop()).flatten();
        let us =
            lane.finished_us - running.map_or(0, |(task, _)| self.plan.tasks_us[task as usize]);
        lane.finished_us -= us;
        let records = std::mem::replace(&mut lane.finished, running.into_iter().collect());
        if !records.is_empty() {
            self.at(self.now + WIRE_US, Happening::Told(at, records, us));
        }
    }

    fn report(&mut self, at: usize, records: &[Record], us: u64, outcome: Outcome) {
        let lane = &self.lanes[at];
        let column =
            |part: fn(&Record) -> u32| u32_bytes(&records.iter().map(part).collect::<Vec<u32>>());
        let (indices, attempts) = (column(|record| record.0), column(|record| record.1));
        let from = Fence {
            epoch: EPOCH,
            proc: ProcId(lane.proc),
            incarnation: Incarnation(1),
        };
        let section = DoneSection {
            lane: lane.number,
            lane_epoch: 1,
            serial: LayerSerial(1),
            outcome,
            count: records.len() as u32,
            indices: U32s::new(&indices),
            attempts: U32s::new(&attempts),
            codec: 0,
            duration_us: u32::try_from(us).unwrap(),
            ..DoneSection::default()
        };
        self.apply(Event::Done {
            from,
            sections: &[section],
        });
    }

    /// Compares how long lanes have been idle by `now` with how long records have been waiting at others.
    fn watch(&mut self, now: u64) {
        let idle = self.lanes.iter().filter(|lane| lane.coming == 0);
        let Some(idle) = idle.filter_map(|lane| lane.idle_since).min() else {
            return;
        };
        let fronts = self.lanes.iter().filter_map(|lane| lane.queue.front());
        if let Some(&(since, _)) = fronts.min_by_key(|(since, _)| *since) {
            self.ran.stuck_us = self.ran.stuck_us.max(now - since.max(idle));
        }
    }
}
