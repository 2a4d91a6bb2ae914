//! Answers to tools: who is here, what it costs, why a task waits. Bodies are JSON.

use heddle_core::State;
use heddle_core::id::{ClientId, ProcId};
use heddle_net::PeerId;
use heddle_wire::Query;

use crate::cpu::{self, Phase};
use crate::json::Object;
use crate::server::Loop;
use crate::sessions::{Identity, Role, WorkerSession};

impl Loop {
    pub(crate) fn query(&mut self, peer: PeerId, query: &Query<'_>) {
        let mut body = String::new();
        match query.what {
            "info" => self.info(&mut body),
            "stats" => self.stats(&mut body),
            "stages" => Object::write(&mut body, |o| {
                let workers = self.workers();
                let told = workers.iter().map(|(_, worker)| &worker.stages);
                self.stages.write(told, o);
            }),
            "digest" => {
                let digest = format!("{:016x}", self.engine.digest());
                Object::write(&mut body, |o| {
                    o.string("digest", &digest);
                });
            }
            "why" => self.why(peer, query.body, &mut body),
            other => {
                let text =
                    format!("unknown question '{other}': info, stats, stages, digest or why");
                Object::write(&mut body, |o| {
                    o.string("code", "ERR_ARGUMENT").string("message", &text);
                });
            }
        }
        self.outgoing.reply(peer, query.request, &body);
    }

    fn workers(&self) -> Vec<(&Identity, &WorkerSession)> {
        let mut workers = Vec::new();
        for session in self.sessions.iter() {
            if let Role::Worker(worker) = &session.role {
                workers.push((&session.identity, worker));
            }
        }
        workers.sort_unstable_by_key(|(_, worker)| worker.proc);
        workers
    }

    fn info(&self, body: &mut String) {
        let addresses = self.router.addresses();
        Object::write(body, |o| {
            o.string("version", &self.config.package_version)
                .number("epoch", self.epoch)
                .string("address", addresses.first().map_or("", String::as_str))
                .array("procs", self.workers(), |o, worker| self.proc(o, worker));
        });
    }

    fn proc(&self, o: &mut Object<'_>, (identity, worker): (&Identity, &WorkerSession)) {
        o.number("proc", worker.proc)
            .number("incarnation", worker.incarnation)
            .string("name", &identity.name)
            .string("host", &identity.host)
            .number("pid", identity.pid);
        if let Some(view) = self.engine.proc(ProcId(worker.proc)) {
            o.number("lanes", view.lanes)
                .string("dataAddress", view.data_address)
                .number("inFlight", view.in_flight);
        }
    }

    fn stats(&self, body: &mut String) {
        let engine = self.engine.stats();
        let net = self.router.counters();
        Object::write(body, |o| {
            o.number("tasksCompleted", engine.tasks_completed)
                .number("tasksFailed", engine.tasks_failed)
                .number("attempts", engine.attempts)
                .object("states", |o| {
                    for (state, count) in State::ALL.iter().zip(engine.states) {
                        o.number(state.name(), count);
                    }
                })
                .number("clients", engine.clients)
                .number("layers", engine.layers)
                .number("inlineBytes", engine.inline_bytes)
                .number("templates", self.templates.count())
                .number("templateBytes", self.templates.bytes())
                .array("procs", self.workers(), |o, (identity, worker)| {
                    self.proc(o, (identity, worker));
                    let usage = &worker.usage;
                    o.double("storedBytes", usage.stored_bytes)
                        .double("fetchedBytes", usage.fetched_bytes)
                        .double("cpuComputeNs", usage.cpu_compute_ns)
                        .double("cpuLaneNs", usage.cpu_lane_ns)
                        .double("cpuMainNs", usage.cpu_main_ns)
                        .double("rssBytes", usage.rss_bytes)
                        .number("layers", usage.layers)
                        .number("loopLagUs", usage.loop_lag_us)
                        .number("beats", worker.beats);
                })
                .object("scheduler", |o| {
                    o.number("cpuReceiveNs", self.cpu.spent_ns(Phase::Receive))
                        .number("cpuApplyNs", self.cpu.spent_ns(Phase::Apply))
                        .number("cpuEncodeNs", self.cpu.spent_ns(Phase::Encode))
                        .number("cpuSendNs", self.cpu.spent_ns(Phase::Send))
                        .number("cpuIoNs", self.router.io_cpu_nanos().unwrap_or(0))
                        .number("frames", net.frames_received)
                        .number("framesSent", net.frames_sent)
                        .number("bytesReceived", net.bytes_received)
                        .number("bytesSent", net.bytes_sent)
                        .number("turns", self.counters.turns)
                        .number("stale", self.counters.stale + engine.stale)
                        .number("rejected", self.counters.rejected + net.handshakes_refused)
                        .number("rssBytes", cpu::rss_bytes());
                });
        });
    }

    fn why(&mut self, peer: PeerId, question: &str, body: &mut String) {
        let Some(Role::Client(client)) = self.sessions.get(peer).map(|session| &session.role)
        else {
            return;
        };
        let client = ClientId(client.client);
        let (layer, index) = (number(question, "layer"), number(question, "index"));
        let why = layer
            .zip(index)
            .and_then(|(layer, index)| self.engine.why(client, layer, index));
        Object::write(body, |o| {
            match &why {
                Some(why) => o.string("state", why.state).string("reason", &why.reason),
                None => o
                    .string("state", "unknown")
                    .string("reason", "no such row of this client"),
            };
        });
    }
}

/// The number that follows `"name":` in a flat JSON object.
fn number(json: &str, name: &str) -> Option<u32> {
    let (_, after) = json.split_once(&format!("\"{name}\""))?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let end = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    value[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn finds_numbers_in_a_question() {
        assert_eq!(number(r#"{"layer": 3,"index":40}"#, "layer"), Some(3));
        assert_eq!(number(r#"{"layer":3,"index" : 40}"#, "index"), Some(40));
        for bad in [
            "",
            "{}",
            r#"{"layer":"3"}"#,
            r#"{"layer":-1}"#,
            r#"{"layer":99999999999}"#,
        ] {
            assert_eq!(number(bad, "layer"), None, "{bad}");
        }
    }
}
